"""The calls of a run as files: what is written is what is asked, and every program asks it by
itself.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import (
    CUT,
    EMPTY,
    GAPS,
    command,
    corpus,
    foreign_argument,
    foreign_words,
)

from conformance.run.dump import MOST_CALLS

pytestmark = pytest.mark.slow

HALF = """\
  - id: half
    summary: Operands of a dtype that NumPy's files do not know.
    source: written for the tests
    input: [[1, 2], [3, 4]]
    kernel: [[0.5]]
    dtype: bfloat16
    gradients: {values: integers}
"""


@pytest.fixture
def dump(tmp_path: Path) -> Any:
    """`conformance run --dump dumped` on these cases with these words."""

    def run(*words: Any, cases: Any = (CUT,)) -> Any:
        words = (corpus(tmp_path, *cases), *words, "--dump", "dumped", "-o", "out")
        return command("run", *words, "--jobs", 1, cwd=tmp_path)

    return run


def replayed(folder: Path) -> str:
    """What the program of a call prints, elsewhere and without the variables of these tests."""
    done = subprocess.run(
        [sys.executable, folder / "replay.py"],
        cwd="/",
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_adapter_is_asked_again(dump: Any, tmp_path: Path) -> None:
    """Its request, its arrays, what should come, and what comes."""
    done = dump("-a", "mine=miniatures:OffByOne")
    assert done.returncode == 1
    assert "each call with a replay.py that asks it again: dumped" in done.stdout
    folder = tmp_path / "dumped/tiny/cut/mine"
    names = {path.name for path in folder.iterdir()}
    assert names == {
        *("request.json", "replay.py"),
        *("x.npy", "kernel.npy", "bias.npy", "expected.npy"),
    }
    request = json.loads((folder / "request.json").read_text())
    assert (request["do"], request["device"]) == ("call", "cpu")
    assert request["native"]["stride"] == [2, 2]
    assert np.load(folder / "x.npy").tolist() == [[[[1, 2], [3, 4]]]]
    assert "largest difference" in replayed(folder)
    assert "largest difference 0.0" not in replayed(folder)


def test_gradients_shapes_and_narrow_dtypes_are_asked_again(dump: Any, tmp_path: Path) -> None:
    """Each quantity in a folder of its own."""
    dump(
        "-a",
        "d=miniatures:DifferentiatesToZero",
        "-a",
        "s=miniatures_shapes:RightShape",
        cases=[HALF],
    )
    of_case = tmp_path / "dumped/tiny/half"
    assert {path.name for path in of_case.iterdir()} == {"d", "d-gradients", "s-shape"}
    assert "shape (1, 1, 2, 2) dtype bfloat16" in replayed(of_case / "d")
    assert "largest difference 0.0" in replayed(of_case / "d")
    assert "[[[[0.0]]]]" in replayed(of_case / "d-gradients")
    assert replayed(of_case / "s-shape").startswith("shape ")


def test_a_program_gets_the_bytes_that_the_run_sent(dump: Any, tmp_path: Path) -> None:
    """To the last of them, from the greeting to the farewell, and its answer is printed."""
    program = shlex.join(foreign_words("right"))
    dump("-a", "mine=cmd:" + shlex.join(["sh", "-c", f"tee sent | {program}"]))
    folder = tmp_path / "dumped/tiny/cut/mine"
    assert (folder / "request.bin").read_bytes() == (tmp_path / "sent").read_bytes()
    said = replayed(folder)
    assert '"outcome": "output"' in said
    assert "\ny\n[[[[3.0, 6.0, 5.0, 3.0]," in said
    assert said.endswith("exit code 0\n")


def test_a_program_that_dies_is_told(dump: Any, tmp_path: Path) -> None:
    """What came of the answer, and how it ended."""
    dump("-a", "mine=" + foreign_argument("dies-half-way"))
    said = replayed(tmp_path / "dumped/tiny/cut/mine")
    assert "y is cut: 32 of 64 bytes" in said


def test_the_program_of_a_framework_needs_nothing_of_the_suite(dump: Any, tmp_path: Path) -> None:
    """It is the program of `show`, with the arrays of the files."""
    pytest.importorskip("onnx")
    dump("-a", "onnx-reference", cases=[CUT, HALF])
    for name in ("cut", "half"):
        folder = tmp_path / "dumped/tiny" / name / "onnx-reference"
        if not folder.exists():
            continue
        source = (folder / "replay.py").read_text()
        assert "conformance" not in source.replace("conformance/", "")
        assert '.with_name("x.npy")' in source
    folder = tmp_path / "dumped/tiny/cut/onnx-reference"
    assert "largest difference 0.0" in replayed(folder)
    np.save(folder / "x.npy", np.zeros((1, 1, 2, 2), np.float32))
    assert "of values up to 1.0" in replayed(folder)  # the bias alone


def test_too_many_calls_are_refused(dump: Any, tmp_path: Path) -> None:
    """One sentence, and nothing is written."""
    cases = [GAPS.replace("id: gaps", f"id: gaps-{number}") for number in range(MOST_CALLS + 1)]
    done = dump("-a", "miniatures:Right", cases=cases)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert line.startswith("conformance: --dump dumped: 101 calls are asked for, should be at most")
    assert not (tmp_path / "dumped").exists()


def test_no_label_leads_out_of_the_folder(dump: Any, tmp_path: Path) -> None:
    """Nor hides, nor takes the place of another."""
    labels = ("../../../../escaped", "a/b", "a_b", ".hidden", "-x")
    dump(*[word for label in labels for word in ("-a", f"{label}=miniatures:Right")])
    folders = {path.name for path in (tmp_path / "dumped/tiny/cut").iterdir()}
    assert folders == {"_.._.._.._.._escaped", "a_b", "a_b-2", "_.hidden", "_-x"}
    assert {path.name for path in tmp_path.iterdir()} == {"cases", "dumped", "out"}


def test_no_link_leads_out_of_the_folder(dump: Any, tmp_path: Path) -> None:
    """One that was planted is refused, in a sentence, and nothing is written behind it."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "dumped").mkdir()
    (tmp_path / "dumped/tiny").symlink_to(tmp_path / "elsewhere")
    done = dump("-a", "miniatures:Right")
    assert done.returncode == 2
    assert "dumped/tiny is a link, should be a folder" in done.stderr
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_what_cannot_be_written_is_one_sentence(dump: Any, tmp_path: Path) -> None:
    """A file where the folder should be."""
    (tmp_path / "dumped").touch()
    done = dump("-a", "miniatures:Right")
    assert done.returncode == 2
    assert done.stderr.startswith("conformance: --dump dumped: cannot be written: ")


def test_a_case_that_must_be_refused_has_no_expected_output(dump: Any, tmp_path: Path) -> None:
    """There is none."""
    dump("-a", "mine=miniatures:RefusesNothing", cases=[EMPTY])
    folder = tmp_path / "dumped/tiny/empty/mine"
    assert not (folder / "expected.npy").exists()
    assert "shape" in replayed(folder)
