"""The command as it is typed: exit codes, and errors that are one sentence on stderr."""

from __future__ import annotations

import html
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from helpers import (
    CUT,
    EMPTY,
    GAPS,
    TESTS,
    command,
    corpus,
    environment,
    eventually,
    foreign_argument,
    gone,
    started,
)

from conformance.adapters import REGISTRY
from conformance.record.reader import read_record
from conformance.record.record import RECORD

pytestmark = pytest.mark.slow

COMMANDS = (
    "run",
    "sweep",
    "bisect",
    "adapters",
    "engines",
    "list",
    "show",
    "lint",
    "audit",
    "bless",
    "kernel",
    "port",
    "capture",
    "compare",
    "conventions",
    "report",
    "confirm",
    "diff",
    "merge",
    "site",
    "support",
)
RIGHT, OFF_BY_ONE = "miniatures:Right", "miniatures:OffByOne"


def complaint(done: Any, *, code: Any = 2) -> Any:
    """The one line on stderr of a command that failed as it should."""
    assert done.returncode == code, done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    [line] = done.stderr.strip().splitlines()
    return line


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """`conformance run WORDS -o out`, one job, in a folder of its own."""
    return lambda *words, **options: command(
        "run", *words, "-o", "out", "--jobs", 1, cwd=tmp_path, **options
    )


def in_a_shell(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What a script of bash came to in a folder."""
    return subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(tmp_path: Path, name: Any) -> None:
    """Said on stdout, with exit code 0, and it is about this command."""
    done = command(name, "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert f"conformance {name}" in done.stdout
    assert done.stderr == ""


def test_the_help_names_every_command_and_there_are_no_others(tmp_path: Path) -> None:
    """A command that is added here must be added to the list above, and so gets its test."""
    text = command("--help", cwd=tmp_path).stdout
    assert set(COMMANDS) <= set(re.findall(r"^  (\w+) ", text, re.MULTILINE))
    from conformance.cli import app

    groups = {group.typer_instance.info.name for group in app.registered_groups}
    commands = {one.name or one.callback.__name__ for one in app.registered_commands}
    assert commands | groups == set(COMMANDS)


def test_what_conforms_exits_0_and_writes_record_and_page(tmp_path: Path, run: Any) -> None:
    """The record, the page, the table, and the sentence that sums up."""
    done = run(corpus(tmp_path, CUT, GAPS, EMPTY), "-a", RIGHT)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Conforms: 3 checks on 3 cases, no new failures, 0 known failures." in done.stdout
    assert read_record(tmp_path / "out").ok
    assert (tmp_path / "out" / "index.html").read_text().lstrip().startswith("<!")


def test_what_differs_exits_1_and_says_who_what_where(tmp_path: Path, run: Any) -> None:
    """Adapter, device, case, place, got, should be, how many, and the command that shows it
    again.
    """
    root = corpus(tmp_path, CUT)
    done = run(root, "-a", f"mine={OFF_BY_ONE}")
    assert done.returncode == 1
    assert done.stderr == ""
    assert "mine (cpu) differs from the oracle in tiny/cut:" in done.stdout
    assert "out[0, 0, 0, 0]=21, should be 3; 16 of 16 elements differ" in done.stdout
    assert f"reproduce: conformance run {root} tiny/cut -a mine={OFF_BY_ONE}" in done.stdout
    assert "Does not conform: 1 new failure in 1 check on 1 case" in done.stdout


@pytest.mark.parametrize(
    ("name", "code"), [(RIGHT, 0), (OFF_BY_ONE, 1)], ids=["conforms", "differs"]
)
@pytest.mark.parametrize(
    "end", [">&-", "2>&-", ">&- 2>&- <&-", "| head -c 1", ">/dev/full", "2>/dev/full"]
)
def test_nobody_who_listens_is_no_failure(tmp_path: Path, name: str, code: int, end: str) -> None:
    """Closed streams, a reader that leaves, a full disk: the exit code is that of the run, the
    record and the page are whole, and there is no traceback.
    """
    words = [
        sys.executable,
        "-m",
        "conformance",
        "run",
        "-a",
        name,
        "-o",
        "out",
        "--jobs",
        "1",
        "cases",
    ]
    corpus(tmp_path, CUT, GAPS, EMPTY)
    script = f"set -o pipefail; {shlex.join(words)} {end}"
    done = in_a_shell(script, tmp_path)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert "Exception ignored" not in done.stderr
    record = read_record(tmp_path / "out")
    assert record.end is not None
    assert len(record.verdicts) == 3
    text = (tmp_path / "out" / RECORD).read_text(encoding="utf-8")
    assert all(line.startswith("{") for line in text.splitlines())
    assert (tmp_path / "out" / "index.html").read_text().rstrip().endswith("</html>")
    told = "conformance: standard output cannot be written: No space left on device"
    assert (told in done.stderr) == (end == ">/dev/full")


@pytest.mark.parametrize("words", ["--help", "list", "run --help", "no-such-command"])
@pytest.mark.parametrize("end", [">&-", ">&- 2>&-", "| head -c 1"])
def test_no_command_fails_because_nobody_listens(tmp_path: Path, words: str, end: str) -> None:
    """Nor does one that only tells something."""
    script = f"set -o pipefail; {sys.executable} -m conformance {words} {end}"
    done = in_a_shell(script, tmp_path)
    assert done.returncode == (2 if words == "no-such-command" else 0), done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_that_shows_it_again_does(tmp_path: Path, run: Any) -> None:
    """It can be pasted as it is."""
    done = run(corpus(tmp_path, CUT, GAPS), "-a", OFF_BY_ONE)
    [again] = [
        line.split()[2:]
        for line in done.stdout.splitlines()
        if "reproduce: " in line and "tiny/gaps" in line
    ]
    second = command(*again, "-o", "second", cwd=tmp_path)
    assert second.returncode == 1
    assert [verdict.case for verdict in read_record(tmp_path / "second").verdicts] == ["tiny/gaps"]


def test_a_foreign_engine_runs_from_the_command_line(tmp_path: Path, run: Any) -> None:
    """A program in the working folder that speaks the protocol, with arguments."""
    done = run(corpus(tmp_path, CUT, GAPS, EMPTY), "-a", "mine=" + foreign_argument("right"))
    assert (done.returncode, done.stderr) == (0, "")
    assert read_record(tmp_path / "out").run["versions"] == {"mine": {"foreign": "0.1"}}


def test_an_adapter_in_the_working_folder_is_found(tmp_path: Path, run: Any) -> None:
    """One's own engine need not be installed, nor PYTHONPATH set."""
    (tmp_path / "mine.py").write_text((TESTS / "miniatures.py").read_text())
    done = run(corpus(tmp_path, CUT), "-a", "mine:Right", env=environment(PYTHONPATH=""))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_shipped_corpus_is_found_from_anywhere(tmp_path: Path, run: Any) -> None:
    """A full name without a path selects from the cases that come with the package."""
    done = run("textbook/cs231n/two-by-two-to-four-by-four", "-a", RIGHT)
    assert done.returncode == 0
    assert "1 check on 1 case" in done.stdout


def test_a_bad_case_file_is_told_line_by_line(tmp_path: Path, run: Any) -> None:
    """FILE:LINE: KEY: what is wrong, what would be right; nothing is run."""
    root = corpus(tmp_path, CUT.replace("stride: 2", "strides: 2"))
    line = complaint(run(root, "-a", RIGHT))
    assert line.startswith(
        f"{root / 'tiny.yaml'}:9: strides: unknown key, did you mean stride? "
        "(should be one of id, summary"
    )
    assert not (tmp_path / "out").exists()


ERRORS = {
    "unknown adapter": (
        ["-a", "pytorch"],
        "-a pytorch: unknown adapter pytorch, did you mean torch? (should be one of torch, keras-",
    ),
    "no such module": (
        ["-a", "nowhere:Right"],
        "nowhere:Right is unavailable: there is no module nowhere",
    ),
    "no such class": (
        ["-a", "miniatures:Nobody"],
        "miniatures:Nobody is unavailable: module miniatures has no Nobody",
    ),
    "a class without a convention": (
        ["-a", "miniatures:WithoutConvention"],
        "class WithoutConvention has no attribute convention, should be one of torch, keras,",
    ),
    "a call with other arguments": (
        ["-a", "miniatures:OfTwoOperands"],
        "OfTwoOperands.call takes (x: 'Any', kernel: 'Any') -> 'Any', should take (x, kernel, "
        "bias, native, device)",
    ),
    "no such program": (["-a", "cmd:no-such-program"], "there is no program 'no-such-program'"),
    "equal labels": (["-a", RIGHT, "-a", RIGHT], "is given twice, should have labels that differ"),
    "interpreter of nobody": (
        ["-a", RIGHT, "--python", "torch=/bin/true"],
        "should be ADAPTER=PATH with an adapter of this run",
    ),
    "no such interpreter": (
        ["-a", RIGHT, "--python", f"{RIGHT}=/no/python"],
        "'/no/python' is not a program",
    ),
    "no such device": (
        ["-a", RIGHT, "--device", "npu"],
        f"{RIGHT} has no device npu, should be one of cpu",
    ),
    "nothing selected": (["-a", RIGHT, "-k", "nothing"], "no case is selected of 1 at"),
    "no such tag": (["-a", RIGHT, "--tag", "nothing"], "--tag nothing: no case has that tag"),
    "no such case": (["tiny/gone", "-a", RIGHT], "tiny/gone: no such file or case"),
    "no such file": (["gone.yaml", "-a", RIGHT], "gone.yaml does not exist, should be a case file"),
    "no such precision": (
        ["-a", RIGHT, "--precision", "half"],
        "--precision half: should be one of strict, default",
    ),
    "no such timing": (
        ["-a", RIGHT, "--timing", "long"],
        "--timing long: should be one of off, quick, full",
    ),
    "broken expression": (["-a", RIGHT, "-k", "not ("], "-k 'not (': a name is missing"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_bad_usage_is_one_sentence_and_exit_2(tmp_path: Path, run: Any, name: Any) -> None:
    """What was given, what is wrong with it, what would be right; no traceback, no record."""
    words, said = ERRORS[name]
    line = complaint(run(corpus(tmp_path, CUT), *words))
    assert said in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "words", [["--no-such-option"], ["--jobs", "0"], ["--timeout", "soon"], ["--timeout", "0"]]
)
def test_what_the_parser_refuses_exits_2_without_a_traceback(tmp_path: Path, words: Any) -> None:
    """The parser's own words, plain and without boxes."""
    done = command("run", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "Error: " in done.stderr
    assert "─" not in done.stderr


def test_a_missing_framework_is_told_with_how_to_get_it(tmp_path: Path, run: Any) -> None:
    """An adapter of the table asked for by name whose import package the interpreter lacks."""
    interpreter = tmp_path / "without-frameworks"
    hide = (
        "import importlib.util as u\nfind = u.find_spec\nu.find_spec = lambda n, p=None: None "
        "if n == 'torch' else find(n, p)\n"
    )
    (tmp_path / "hide").mkdir()
    (tmp_path / "hide" / "sitecustomize.py").write_text(hide)
    interpreter.write_text(
        f"#!/bin/sh\nPYTHONPATH='{tmp_path / 'hide'}' exec '{sys.executable}' \"$@\"\n"
    )
    interpreter.chmod(0o755)
    line = complaint(
        run(corpus(tmp_path, CUT), "-a", "old=torch", "--python", f"old={interpreter}")
    )
    assert line == (
        "conformance: old is unavailable: torch is not installed: pip install "
        "'conv-transpose-conformance[torch]'"
    )


def test_an_interpreter_that_is_no_python_is_no_traceback(tmp_path: Path, run: Any) -> None:
    """It ends before it greets: crashed, which fails the gate."""
    done = run(corpus(tmp_path, CUT), "-a", RIGHT, "--python", f"{RIGHT}=/bin/true")
    assert (done.returncode, done.stderr) == (1, "")
    assert "ended with exit code 0 before it answered" in done.stdout


@pytest.mark.parametrize("room", [0, 300, 6000, 9000, 12_000])
def test_a_full_disk_loses_nothing_and_resuming_finishes(
    tmp_path: Path, run: Any, room: Any
) -> None:
    """The record stays whole as far as it goes, the error is one sentence, and --resume completes
    it.
    """
    root = corpus(tmp_path, CUT, GAPS, EMPTY)
    engines = [
        "-a",
        RIGHT,
        "-a",
        OFF_BY_ONE,
        "-a",
        "miniatures:RefusesNothing",
        "-a",
        "miniatures:MakesNaN",
    ]
    whole = run(root, *engines)
    assert whole.returncode == 1
    wanted = [(v.case, v.adapter, v.status) for v in read_record(tmp_path / "out").verdicts]
    size = (tmp_path / "out" / RECORD).stat().st_size
    for file in (tmp_path / "out").iterdir():
        file.unlink()
    done = run(root, *engines, largest_file=room)
    line = complaint(done)
    if room < size:
        assert f"{RECORD} cannot be written: File too large" in line
        assert "--resume" in line
    else:
        assert "index.html cannot be written: File too large" in line
    kept = (tmp_path / "out" / RECORD).read_bytes()
    assert kept == b"" or kept.endswith(b"\n")
    assert all(json.loads(entry) for entry in kept.splitlines())
    assert run(root, *engines, "--resume").returncode == 1
    finished = (tmp_path / "out" / RECORD).read_bytes()
    assert finished.startswith(kept) or room >= size
    assert [(v.case, v.adapter, v.status) for v in read_record(tmp_path / "out").verdicts] == wanted


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path, run: Any) -> None:
    """A file is where the folder should be."""
    (tmp_path / "out").write_text("in the way")
    assert "cannot be written" in complaint(run(corpus(tmp_path, CUT), "-a", RIGHT))


INTERRUPTIBLE = (
    "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    " runpy.run_module('conformance', run_name='__main__', alter_sys=True)"
)


def begin(tmp_path: Path, *words: Any) -> Any:
    """The command as a shell starts it: in a group of its own, which Ctrl-C reaches as a whole.

    What a shell runs in the background, and these tests with it, inherits that SIGINT is ignored.
    """
    return subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, "run", *map(str, words), "-o", "out", "--jobs", "1"],
        cwd=tmp_path,
        env=environment(MINIATURES_LOG=str(tmp_path / "log")),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )


def test_interrupting_keeps_what_was_recorded_and_resuming_finishes(
    tmp_path: Path, run: Any
) -> None:
    """Exit 130, whole lines, no process left; --resume does the rest and repeats nothing."""
    root = corpus(
        tmp_path, *(GAPS.replace("id: gaps", f"id: gaps-{number}") for number in range(12))
    )
    process = begin(tmp_path, root, "-a", "miniatures:Slow")
    path = tmp_path / "out" / RECORD
    assert eventually(lambda: path.exists() and path.read_bytes().count(b'"type":"verdict"') >= 2)
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    assert stderr.strip() == (
        f"Interrupted. What was recorded is in out/{RECORD}: go on with the same command and "
        "--resume."
    )
    assert all(gone(pid) for pid in started(tmp_path / "log"))
    kept = path.read_bytes()
    assert kept.endswith(b"\n")
    before = read_record(path)
    assert before.end is None
    assert 2 <= len(before.verdicts) < 12
    assert run(root, "-a", "miniatures:Slow", "--resume").returncode == 0
    assert path.read_bytes().startswith(kept)
    assert (
        len({verdict.case for verdict in read_record(path).verdicts})
        == len(read_record(path).verdicts)
        == 12
    )


def test_interrupting_while_the_engines_start_leaves_nothing(tmp_path: Path) -> None:
    """A framework takes seconds to import: Ctrl-C does not wait for it."""
    (tmp_path / "sleepy.py").write_text(
        "import time\nfrom miniatures import Right, note\nnote('start')\ntime.sleep(60)\n"
    )
    process = begin(tmp_path, corpus(tmp_path, CUT), "-a", "sleepy:Right")
    assert eventually(lambda: started(tmp_path / "log"))
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert time.monotonic() - began < 10
    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert all(gone(pid) for pid in started(tmp_path / "log"))


def test_a_cut_record_is_reported_as_far_as_it_goes(tmp_path: Path, run: Any) -> None:
    """The page is written, and stderr says that the run was cut."""
    run(corpus(tmp_path, CUT, GAPS), "-a", OFF_BY_ONE)
    record = tmp_path / "out" / RECORD
    record.write_bytes(
        b"".join(record.read_bytes().splitlines(keepends=True)[:3]) + b'{"type":"verd'
    )
    done = command("report", record, "-o", "page", cwd=tmp_path)
    assert done.returncode == 0
    assert "The run was cut: 1 check on 1 case so far, 1 new failure." in done.stderr
    page = (tmp_path / "page" / "index.html").read_text()
    assert "tiny/cut" in page
    assert "tiny/gaps" not in page
    assert "The run was cut" in page


def test_a_report_of_a_whole_record_is_the_page_of_the_run(tmp_path: Path, run: Any) -> None:
    """The page is a function of the record alone."""
    run(corpus(tmp_path, CUT), "-a", OFF_BY_ONE)
    done = command("report", "out", "-o", "again", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "again" / "index.html").read_bytes() == (
        tmp_path / "out" / "index.html"
    ).read_bytes()


@pytest.mark.parametrize(
    "content", [None, "", "{}\n", '{"type":"verdict"}\n', '{"type":"run","format":99}\n', "hello\n"]
)
def test_a_report_of_what_is_no_record_is_one_sentence(tmp_path: Path, content: Any) -> None:
    """Missing, empty, of another format, or something else entirely."""
    if content is not None:
        (tmp_path / RECORD).write_text(content)
    line = complaint(command("report", RECORD, "-o", "page", cwd=tmp_path))
    assert line.startswith(f"conformance: {RECORD}")
    assert not (tmp_path / "page").exists()


def test_list_shows_full_names_and_summaries(tmp_path: Path) -> None:
    """One line a case."""
    done = command("list", corpus(tmp_path, CUT, EMPTY), cwd=tmp_path)
    assert done.returncode == 0
    first, second = done.stdout.splitlines()
    assert first.startswith("tiny/cut: The first row and column")
    assert second.startswith("tiny/empty: ")


def test_lint_tells_unguarded_cases_and_bless_guards_them(tmp_path: Path) -> None:
    """Exit 1 where a case says nothing of its output, 0 after bless; a second bless has nothing to
    do.
    """
    root = corpus(tmp_path, CUT)
    done = command("lint", root, cwd=tmp_path)
    assert done.returncode == 1
    assert (
        f"{root / 'tiny.yaml'}:3: expected: missing, should guard the oracle: conformance bless "
        "writes it" in done.stdout
    )
    assert "1 case, 1 finding" in done.stdout
    assert "tiny/cut: wrote expected (it had none)" in command("bless", root, cwd=tmp_path).stdout
    assert command("lint", root, cwd=tmp_path).returncode == 0
    assert command("bless", root, cwd=tmp_path).stdout == "nothing to change\n"


def test_lint_tells_calls_that_torch_rejects(tmp_path: Path) -> None:
    """An output_padding of the stride, which the geometry has and torch has not."""
    arguments = "    stride: 2\n    padding: 1\n    output_padding: 1\n"
    assert arguments in CUT
    native = "    native: {torch: {stride: 2, output_padding: 2}}\n"
    root = corpus(tmp_path, CUT.replace(arguments, native))
    done = command("lint", root, cwd=tmp_path)
    assert done.returncode == 1
    assert ": torch rejects this call, should have other arguments" in done.stdout, done.stdout
    assert "output_padding=2, and torch wants it below max(stride, dilation) = 2" in done.stdout


def test_lint_tells_gradients_that_nothing_guards(tmp_path: Path) -> None:
    """A guard of the output says nothing of them; bless adds theirs."""
    root = corpus(tmp_path, CUT + "    gradients: {values: integers}\n")
    command("bless", root, cwd=tmp_path)
    file = root / "tiny.yaml"
    whole = file.read_text()
    file.write_text(whole[: whole.index("      gradients:")])
    done = command("lint", root, cwd=tmp_path)
    assert done.returncode == 1
    assert f"{file}:3: expected.gradients: missing, should guard the oracle" in done.stdout
    assert "wrote expected.gradients" in command("bless", root, cwd=tmp_path).stdout
    assert file.read_text() == whole
    assert command("lint", root, cwd=tmp_path).returncode == 0


def test_lint_of_a_guard_that_disagrees_exits_2(tmp_path: Path) -> None:
    """The oracle or the file is wrong."""
    root = corpus(tmp_path, CUT + "    expected: {shape: [1, 1, 4, 5]}\n")
    assert "expected.shape: is [1, 1, 4, 5], should be [1, 1, 4, 4]" in complaint(
        command("lint", root, cwd=tmp_path)
    )


def test_show_tells_gradients(tmp_path: Path) -> None:
    """The cotangent as it is written out, and what the gradients must be."""
    cotangent = "[[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 2]]"
    root = corpus(tmp_path, CUT + f"    gradients: {cotangent}\n")
    shown = command("show", "tiny/cut", "--cases", root, cwd=tmp_path).stdout
    assert "  cotangent: shape [1, 1, 4, 4]\n    [[[[1., 0., 0., 0.]," in shown
    assert "  expected gradient of input: shape [1, 1, 2, 2]\n" in shown
    assert "  expected gradient of kernel: shape [1, 1, 3, 3]\n" in shown
    assert "  expected gradient of bias: shape [1]\n    [3.]\n" in shown


def test_show_tells_one_case_whole(tmp_path: Path) -> None:
    """Its arrays, each axis's crops, and every convention's arguments or why there are none."""
    done = command("show", "tiny/cut", "--cases", corpus(tmp_path, CUT), cwd=tmp_path)
    assert done.returncode == 0
    for word in ("tiny/cut", "expected", "torch", "keras", "tensorflow", "jax", "flax", "onnx"):
        assert word in done.stdout
    assert "output_padding" in done.stdout


def test_adapters_are_listed_without_a_framework_too(tmp_path: Path) -> None:
    """What is missing is told with how to get it; a table adapter that cannot start is no failure
    of the command.
    """
    frameworks = {package for entry in REGISTRY.values() for package in entry.needs}
    hide = (
        f"find = u.find_spec\nu.find_spec = lambda n, p=None: None if n in {frameworks} else "
        "find(n, p)\n"
    )
    (tmp_path / "sitecustomize.py").write_text("import importlib.util as u\n" + hide)
    hidden = environment(PYTHONPATH=str(tmp_path), CONFORMANCE_CACHE=str(tmp_path / "cache"))
    done = command("adapters", cwd=tmp_path, env=hidden)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert done.stdout.count("is not installed") == sum(
        entry.variant_of is None for entry in REGISTRY.values()
    )
    assert "pip install 'conv-transpose-conformance[flax]'" in done.stdout


def test_what_raised_or_died_says_where_in_the_engines_code(tmp_path: Path, run: Any) -> None:
    """File, line and function, on the terminal, in the record and on the page; never ours."""
    deep, dead = "deep=miniatures:RaisesDeep", "dead=miniatures:Segfaults"
    done = run(corpus(tmp_path, CUT), "-a", deep, "-a", dead)
    assert done.returncode == 1
    raised, crashed = sorted(read_record(tmp_path / "out").verdicts, key=lambda v: v.status)[::-1]
    assert (raised.status, crashed.status) == ("raised", "crashed")
    for verdict, function in ((raised, "descend"), (crashed, "call")):
        assert verdict.traceback is not None
        frames = re.findall(r'File "(.*)", line (\d+), in (\w+)', verdict.traceback)
        assert any(file.endswith("miniatures.py") and name == function for file, _, name in frames)
        assert len(frames) <= 5
        assert "workers" not in verdict.traceback
        for line in verdict.traceback.splitlines():
            assert f"    {line}" in done.stdout
    page = html.unescape((tmp_path / "out" / "index.html").read_text())
    assert 'raise ValueError("the bottom")' in page


def test_what_an_engine_prints_is_shown_with_s(tmp_path: Path, run: Any) -> None:
    """On our stderr, with its label and process; our stdout is what it is without."""
    words = (corpus(tmp_path, CUT), "-a", "mine=miniatures:PrintsFromC")
    done = run(*words, "-s")
    assert done.returncode == 0
    process, *lines = done.stderr.splitlines()
    assert re.fullmatch(r"mine: process \d+", process)
    assert lines == ["mine| miniature: here I stand and chatter"]
    assert "chatter" not in done.stdout
    assert run(*words).stderr == ""
