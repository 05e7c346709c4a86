"""Proves that a case fails in an old version of a framework as its public issue says, and no longer
in a newer one.

    python tools/releases/prove_regressions.py PROOF-WHICH [--python PATH]

PROOF and WHICH (wrong or right) name a run of `proofs.yaml` beside this file; `regression-` may
stand before them, so that the name of the tox environment will do. The framework is that of this
interpreter, or of the one at PATH; its versions are checked first, because a proof with another
version proves nothing. Exit 0 if the verdict is the one in the table.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
TABLE = Path(__file__).with_name("proofs.yaml")
CORPUS = CHECKOUT / "cases" / "regressions"
VERSIONS = (
    "import json, sys; from importlib.metadata import version; print(json.dumps({n: "
    "version(n) for n in sys.argv[1:]}))"
)


def proofs() -> dict[str, dict[str, Any]]:
    """The table by the names of its proofs."""
    return {entry["proof"]: entry for entry in yaml.safe_load(TABLE.read_text(encoding="utf-8"))}


def run_of(proof: Mapping[str, Any], which: str) -> dict[str, Any]:
    """The run of a proof that `which` names; KeyError if there is none."""
    return {str(run["which"]): dict(run) for run in proof["runs"]}[which]


def installed(python: str, names: list[str]) -> dict[str, str]:
    """Distribution to version, as that interpreter sees them; without a local part such as +cpu."""
    answer = subprocess.run(
        [python, "-c", VERSIONS, *names], check=True, capture_output=True, text=True
    ).stdout
    return {name: version.partition("+")[0] for name, version in json.loads(answer).items()}


def verdict_of(proof: Mapping[str, Any], python: str, folder: Path) -> dict[str, Any]:
    """The one verdict of the proof's case and adapter, from the record of a run.

    The command's exit code is not looked at: a failure is what may be wanted.
    """
    # known failures may explain the verdict; its status, which is what is looked at, stays
    label = f"proof={proof['adapter']}"
    path = CORPUS / f"{proof['case'].split('/')[1]}.yaml"
    command = [sys.executable, "-m", "conformance", "run", str(path), proof["case"]]
    command += ["-a", label, "--python", f"proof={python}", "-o", str(folder)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    record = folder / "results.jsonl"
    if not record.is_file():
        raise SystemExit(f"{' '.join(command)} wrote no record:\n{ended.stderr}")
    verdicts = [
        line
        for line in map(json.loads, record.read_text(encoding="utf-8").splitlines())
        if line["type"] == "verdict"
    ]
    if len(verdicts) != 1:
        raise SystemExit(f"{path} gave {len(verdicts)} verdicts, should be 1:\n{ended.stdout}")
    return dict(verdicts[0])


def outcome_of(verdict: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a verdict that the table has: status, kind and diagnosis, null where there is
    none.
    """
    return {
        "status": verdict["status"],
        "kind": (verdict["mismatch"] or {}).get("kind"),
        "diagnosis": (verdict["diagnosis"] or {}).get("name"),
    }


def main() -> None:
    table = proofs()
    parser = argparse.ArgumentParser(
        description="Prove that a case finds an old bug, and that its repair is seen."
    )
    names = [f"{name}-{run['which']}" for name, proof in table.items() for run in proof["runs"]]
    parser.add_argument(
        "name",
        choices=names,
        type=lambda text: text.removeprefix("regression-"),
        metavar="PROOF-WHICH",
    )
    parser.add_argument(
        "--python",
        default=sys.executable,
        help="the interpreter that has the framework; default: this one",
    )
    arguments = parser.parse_args()
    name, _, which = arguments.name.rpartition("-")
    proof = table[name]
    run = run_of(proof, which)
    versions = installed(arguments.python, list(run["requires"]))
    if versions != run["requires"]:
        raise SystemExit(
            f"{arguments.python} has {versions}, should have {run['requires']}: this would prove "
            "nothing"
        )
    with tempfile.TemporaryDirectory() as folder:
        verdict = verdict_of(proof, arguments.python, Path(folder))
    got, expected = (
        outcome_of(verdict),
        {key: run.get(key) for key in ("status", "kind", "diagnosis")},
    )
    print(f"{proof['issue']}: {proof['says']}")
    print(f"{proof['case']} on {proof['adapter']} with {versions}: {got}")
    print((verdict["diagnosis"] or {}).get("text") or verdict["message"] or "")
    if got != expected:
        raise SystemExit(f"should be {expected}")


if __name__ == "__main__":
    main()
