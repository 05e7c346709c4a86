"""Chains, each in its own environment: right where the converter is, and what it gets wrong is
declared, with the stage that is to blame. One that is not installed is skipped.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers import CHECKOUT

from conformance.adapters import REGISTRY
from conformance.adapters.chain_registry import CHAIN_ROWS
from conformance.conventions import Unrepresentable
from conformance.corpus.files import load_cases
from conformance.environments import advice, find, interpreter
from conformance.programs import program


def installed(chain: str) -> str:
    """The chain, or a skip that says what brings it."""
    if REGISTRY[chain].packages and find(chain) is None:
        pytest.skip(f"{chain} is not installed: {advice(chain)}")
    return chain


@pytest.mark.parametrize("chain", CHAIN_ROWS)
def test_what_a_chain_gets_wrong_is_declared_with_its_stage(chain: str, tmp_path: Path) -> None:
    """Some cases conform, nothing is unexpected, and every failure has a stage or says why none is
    known.
    """
    command = [sys.executable, "-m", "conformance", "run", "-a", installed(chain)]
    done = subprocess.run(
        [*command, "--subset", "chain", "--timing", "off", "-o", str(tmp_path)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = (tmp_path / "results.jsonl").read_text(encoding="utf-8").splitlines()
    verdicts = [one for one in map(json.loads, lines) if one["type"] == "verdict"]
    assert any(one["status"] == "conforms" for one in verdicts)
    wrong = [one for one in verdicts if one["status"] in ("differs", "raised")]
    assert all(one["known"] and one["stage"]["text"] for one in wrong)
    runtime = CHAIN_ROWS[chain].options["runtime"]
    for one in wrong:
        if one["status"] == "differs":
            assert one["stage"]["text"].startswith(f"{runtime} ")


@pytest.mark.parametrize("chain", {row.module: name for name, row in CHAIN_ROWS.items()}.values())
def test_the_program_of_a_chain_does_what_the_chain_does(chain: str, tmp_path: Path) -> None:
    """It runs in the chain's environment and prints that nothing differs."""
    [case] = [c for c in load_cases(CHECKOUT / "cases") if c.name == "textbook/d2l/stride-2"]
    source: Any = program(case, installed(chain))
    assert not isinstance(source, Unrepresentable)
    done = subprocess.run(
        [interpreter(chain), "-c", source],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "largest difference 0.0 of" in done.stdout
