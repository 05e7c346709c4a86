"""`conformance kernel`: every form of a candidate, what is told, and how it ends."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import candidates
import pytest
from helpers import command

pytestmark = pytest.mark.slow


def asked(folder: Path, *words: str, code: int = 0) -> dict[str, Any]:
    """The report as JSON."""
    done = command("kernel", *words, "--json", "--seed", "7", cwd=folder)
    assert done.returncode == code, done.stdout + done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With the problem."""
    (tmp_path / "problem.py").write_text(candidates.PROBLEM)
    return tmp_path


def statuses(report: dict[str, Any]) -> dict[str, str]:
    return {rung["name"]: rung["status"] for rung in report["rungs"]}


def test_a_right_module_climbs_every_rung(folder: Path) -> None:
    """KernelBench's pair, computed otherwise than by torch's operator; its speed is measured."""
    (folder / "mine.py").write_text(candidates.MODULE.format(flip=".flip(2, 3)"))
    report = asked(folder, "mine.py", "--problem", "problem.py")
    assert (report["verdict"], report["passes"], report["delegates"]) == ("right", True, [])
    assert set(statuses(report).values()) == {"right"}
    assert set(statuses(report)) >= {"own", "values", "sizes", "arguments", "dtypes", "gradients"}
    low, high = report["speed"]["interval"]
    assert 0 < low <= report["speed"]["ratio"] <= high


def test_a_wrong_module_is_named_and_shown(folder: Path) -> None:
    """The mistake, the smallest call, and a program that shows it without us."""
    (folder / "mine.py").write_text(candidates.MODULE.format(flip=""))
    report = asked(folder, "mine.py", "--problem", "problem.py", code=1)
    assert (report["verdict"], report["cause"]) == ("wrong", "kernel-not-flipped")
    assert "on [1, 4, 1, 1]" in report["smallest"]["call"]
    lines = report["program"].splitlines()
    assert len([line for line in lines if line.strip()]) <= 10
    done = subprocess.run(
        [sys.executable, "-c", report["program"]], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.strip().removeprefix("tensor(").partition(",")[0].rstrip(")")) > 0.01


@pytest.mark.parametrize(
    ("name", "text", "right", "wrong"),
    [
        ("function", candidates.FUNCTION, {"bias": "bias"}, {"bias": "bias.flip(0)"}),
        (
            "convolution",
            candidates.CONVOLUTION,
            {"dilation": "dilation"},
            {"dilation": "(1, 1)"},
        ),
    ],
)
def test_functions(
    folder: Path, name: str, text: str, right: dict[str, str], wrong: dict[str, str]
) -> None:
    """As torch's functional ones and as aten's; the operator that does the work is named."""
    (folder / "mine.py").write_text(text.format(**right))
    report = asked(folder, "mine.py", "--no-speed")
    assert (report["form"], report["verdict"]) == (name, "delegates")
    assert asked(folder, "mine.py", "--no-speed", "--require", "own-work", code=1)
    (folder / "mine.py").write_text(text.format(**wrong))
    expected = 1 if name == "function" else 0  # its own call has no dilation: that is a rung
    report = asked(folder, "mine.py", "--no-speed", code=expected)
    if name == "function":
        assert report["cause"] == "bias-reversed"
        done = subprocess.run(
            [sys.executable, "-c", report["program"]], cwd=folder, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    else:
        assert statuses(report)["arguments"] == "wrong"
        causes = {
            each["cause"]
            for rung in report["rungs"]
            if rung["name"] == "arguments"
            for each in rung["failing"]
        }
        assert "dilation-ignored" in " ".join(map(str, causes)) or causes
        asked(folder, "mine.py", "--no-speed", "--require", "arguments", code=1)


def test_numpy(folder: Path) -> None:
    """As `conformance.check` calls it; three axes by `--rank`."""
    (folder / "mine.py").write_text(candidates.NUMPY)
    for rank in ("1", "2", "3"):
        report = asked(folder, "mine.py:kernel", "--no-speed", "--rank", rank)
        assert (report["form"], report["verdict"]) == ("numpy", "right")
        assert statuses(report)["gradients"] == "not-taken"


def test_an_operator_that_is_replaced(folder: Path) -> None:
    """A file that registers its own kernel in the place of torch's."""
    (folder / "mine.py").write_text(candidates.OPERATOR)
    report = asked(folder, "mine.py", "--as", "operator", "--no-speed")
    assert report["passes"]
    assert statuses(report)["arguments"] == "right"


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_a_library(folder: Path) -> None:
    """A function of C; one that writes behind its output is caught."""
    for beyond, code in (("", 0), (" + (i == y[2] - 1)", 1)):
        source, library = folder / "k.c", folder / f"k{code}.so"
        source.write_text(candidates.LIBRARY.replace("{beyond}", beyond))
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", source, "-o", library], check=True)
        report = asked(folder, f"{library.name}:conv_transpose", "--no-speed", code=code)
        assert report["form"] == "library"
        if code:
            assert report["verdict"] == "raised"
            assert "wrote behind its output" in report["smallest"]["text"]
        else:
            assert statuses(report)["arguments"] == "right"


def test_an_engine(folder: Path) -> None:
    """Whoever `-a` names, by the protocol."""
    report = asked(folder, "onnxruntime", "--no-speed")
    assert (report["form"], report["verdict"]) == ("engine", "right")


def test_a_layer_needs_no_problem(folder: Path) -> None:
    """The constructor says what it takes."""
    text = candidates.MODULE.format(flip=".flip(2, 3)").replace("ModelNew", "Up")
    (folder / "mine.py").write_text(text)
    assert asked(folder, "mine.py:Up", "--no-speed")["verdict"] == "right"


def test_what_is_written(folder: Path) -> None:
    """A summary, and a badge as JSON and as a picture."""
    (folder / "mine.py").write_text(candidates.MODULE.format(flip=""))
    words = ["mine.py", "--problem", "problem.py", "--markdown", "mine.md", "--badge"]
    asked(folder, *words, "mine.svg", code=1)
    asked(folder, *words, "mine.json", code=1)
    assert "kernel-not-flipped" in (folder / "mine.md").read_text()
    badge = json.loads((folder / "mine.json").read_text())
    assert (badge["schemaVersion"], badge["message"]) == (1, "wrong")
    assert "wrong" in "".join(ElementTree.parse(folder / "mine.svg").getroot().itertext())


def test_in_this_process(folder: Path) -> None:
    """`breakpoint()` stops there, and its answer comes from our own standard input."""
    text = candidates.MODULE.format(flip=".flip(2, 3)")
    text = text.replace(
        "        n, c, h, w = x.shape", "        breakpoint()\n        n, c, h, w = x.shape"
    )
    (folder / "mine.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "conformance", "kernel", "mine.py", "--problem", "problem.py",
         "--in-process", "--seed", "1"],
        cwd=folder, capture_output=True, text=True, input="p x.shape\n" + "c\n" * 200,
    )  # fmt: skip
    assert "(Pdb)" in done.stdout
    assert "torch.Size([2, 4" in done.stdout
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ("x = 1\n", [], "neither a class nor a function"),
        ("import nothing_like_it\n", [], "ModuleNotFoundError"),
        ("import torch\ndef a(x): ...\ndef b(x): ...\n", [], "say which, as FILE.py:NAME"),
        ("def a(x):\n", [], "IndentationError"),
        ("import torch\nclass A: ...\n", [], "should be a torch.nn.Module"),
        ("def a(x): ...\n", ["--require", "everything"], "should be one of own"),
        ("def a(x): ...\n", ["--problem", "none.py"], "there is no such file"),
        ("def a(x): ...\n", ["--badge", "a.png"], "should end in .json or .svg"),
    ],
)
def test_what_cannot_be_judged(folder: Path, text: str, words: list[str], said: str) -> None:
    """One sentence, and exit 2."""
    (folder / "mine.py").write_text(text)
    done = command("kernel", "mine.py", *words, cwd=folder)
    assert done.returncode == 2, done.stdout
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("body", "verdict", "said"),
    [
        ("raise ValueError('no')", "raised", "ValueError: no"),
        ("import os; os._exit(0)", "crashed", "ended with exit code 0"),
        ("import ctypes; ctypes.string_at(0)", "crashed", "mine.py"),
        ("import time; time.sleep(60)", "late", "within 2 s"),
        ("raise SystemExit(0)", "raised", "SystemExit"),
        ("return x.tolist()", "raised", "should be a tensor"),
    ],
)
def test_what_gives_no_result(folder: Path, body: str, verdict: str, said: str) -> None:
    """Each ends in a verdict that says where."""
    text = candidates.MODULE.format(flip="").replace(
        "        n, c, h, w = x.shape", f"        {body}\n        n, c, h, w = x.shape"
    )
    (folder / "mine.py").write_text(text)
    words = ["mine.py", "--problem", "problem.py", "--timeout", "2"]
    report = asked(folder, *words, code=1)
    assert report["verdict"] == verdict
    assert said in report["smallest"]["text"]
    if verdict == "raised" and "tensor" not in said:
        assert "mine.py:" in report["smallest"]["frames"][-1]
