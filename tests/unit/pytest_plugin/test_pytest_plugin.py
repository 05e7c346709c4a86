"""The pytest plugin, in sessions of its own: what becomes of each verdict, what is collected, and
that it is inert unasked.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from helpers import CUT, EMPTY, GAPS, TESTS, TORCHS_RULE, corpus, environment, started

from conformance.outcomes import Raised, Unavailable
from conformance.pytest_plugin import background
from conformance.workers.answers import Greeting

pytestmark = pytest.mark.slow

INSTALLED = any(
    entry.value == "conformance.pytest_plugin" for entry in entry_points(group="pytest11")
)
KNOWN = """- adapter: mine
  cases: [tiny/cut]
  versions: {miniature: "==1.*"}
  status: differs
  reason: It is off by one.
  source: written for the tests
"""

Session = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """`pytest WORDS` in the folder of a small corpus, with the plugin as an installation has it."""
    corpus(tmp_path, CUT, GAPS, EMPTY)

    def run(*words: Any, **more: str) -> subprocess.CompletedProcess[str]:
        plugin = [] if INSTALLED else ["-p", "conformance.pytest_plugin"]
        return subprocess.run(
            [sys.executable, "-m", "pytest", *plugin, "-p", "no:cacheprovider", *map(str, words)],
            cwd=tmp_path,
            env=environment(
                **{
                    name: value for name, value in os.environ.items() if name == "CONFORMANCE_CACHE"
                },
                **more,
            ),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def asking(*miniatures: str) -> list[str]:
    """The options that ask for these miniatures, each as `LABEL=NAME` or `NAME`, and for the report
    of everything.
    """
    words = []
    for one in miniatures:
        label, _, name = one.rpartition("=")
        words += ["--conformance-adapter", f"{label or name}=miniatures:{name}"]
    return ["--conformance", "-rA", *words]


def counts(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """The last line's figures, as {"passed": 3}; what -k and -m left out is none."""
    last = done.stdout.strip().splitlines()[-1].split(" in ")[0]
    return {
        word: int(number)
        for number, word in re.findall(r"(\d+) (\w+)", last)
        if word != "deselected"
    }


def test_every_case_and_adapter_is_a_test(session: Session) -> None:
    """Those of a right engine pass; their names are file, case and adapter."""
    done = session("cases", *asking("a=Right", "b=Right"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert counts(done) == {"passed": 6}
    assert "PASSED cases/tiny.yaml::cut[a]" in done.stdout
    assert "conformance: a (miniature 1.0), b (miniature 1.0)" in done.stdout


def test_a_failure_is_the_verdict_and_nothing_of_ours(session: Session) -> None:
    """Who, where, got, should be, how many, the diagnosis and the command, without a traceback;
    then exit 1.
    """
    done = session("cases", *asking("mine=OffByOne"))
    assert done.returncode == 1
    assert (
        "mine (cpu) differs from the oracle in tiny/cut:\n    out[0, 0, 0, 0]=21, should be 3; 16 "
        "of 16" in done.stdout
    )
    assert "the window is shifted by (1, 1)" in done.stdout
    assert (
        "reproduce: conformance run cases/tiny.yaml tiny/cut -a mine=miniatures:OffByOne"
        in done.stdout
    )
    assert "pytest_suite" not in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_what_is_known_is_a_strict_xfail(tmp_path: Path, session: Session) -> None:
    """A failure with an entry is expected, with its reason; where the engine conforms the entry is
    stale, and fails.
    """
    (tmp_path / "known.yaml").write_text(KNOWN)
    words = ("cases", "--conformance-known", "known.yaml", "-k", "cut or entry")
    done = session(*words, *asking("mine=OffByOne"))
    assert (done.returncode, counts(done)) == (0, {"passed": 1, "xfailed": 1})
    assert "XFAIL cases/tiny.yaml::cut[mine] - It is off by one." in done.stdout
    stale = session(*words, *asking("mine=Right"))
    assert (stale.returncode, counts(stale)) == (1, {"failed": 1, "passed": 1})
    assert (
        "known.yaml:1: mine on tiny/cut now conforms, should be differs as the entry says: it is "
        "stale" in stale.stdout
    )
    assert "[XPASS(strict)]" in stale.stdout


def test_runxfail_shows_what_is_known(tmp_path: Path, session: Session) -> None:
    """pytest's own option holds here too."""
    (tmp_path / "known.yaml").write_text(KNOWN)
    done = session(
        "cases",
        "--conformance-known",
        "known.yaml",
        "--runxfail",
        "-k",
        "cut",
        *asking("mine=OffByOne"),
    )
    assert counts(done) == {"failed": 1}


@pytest.mark.parametrize("place", ["known.yaml", "cases/known_differences/mine.yaml"])
def test_an_entry_that_matches_no_case_is_a_failing_test(
    tmp_path: Path, session: Session, place: str
) -> None:
    """In a file given by name and in one of the corpus."""
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text(KNOWN.replace("tiny/cut", "tiny/gone"))
    given = ["--conformance-known", place] if place == "known.yaml" else []
    done = session("cases", *given, *asking("Right"))
    assert (done.returncode, counts(done)) == (1, {"failed": 1, "passed": 3})
    assert f"{place}:1: tiny/gone matches no case of the corpus" in done.stdout


def test_what_an_adapter_does_not_claim_is_skipped(session: Session) -> None:
    """With the reason that the record would have."""
    done = session("cases", "-k", "cut", *asking("RaisesUnsupported"))
    assert (done.returncode, counts(done)) == (0, {"skipped": 1})
    assert "unsupported: " in done.stdout


def test_an_engine_that_dies_fails_its_own_case(session: Session) -> None:
    """pytest itself goes on."""
    done = session(
        "cases", "--conformance", "--conformance-adapter", "mine=miniatures:Aborts", "-k", "cut"
    )
    assert (done.returncode, counts(done)) == (1, {"failed": 1})
    assert "mine (cpu) crashed in tiny/cut:" in done.stdout


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        (["-k", "gaps"], {"gaps[a]", "gaps[b]"}),
        (["-k", "tiny/cut and not [b]"], {"cut[a]"}),
        (["-m", "a and deep"], {"cut[a]"}),
        (["-m", "cpu and b and not deep"], {"gaps[b]"}),
        (["cases/tiny.yaml::cut[b]"], {"cut[b]"}),
    ],
)
def test_tests_are_chosen_as_pytest_chooses(
    tmp_path: Path, session: Session, words: list[str], chosen: set[str]
) -> None:
    """By parts of names, full names, and marks for adapter, device and tag, which --strict-markers
    knows.
    """
    corpus(tmp_path, CUT + "    tags: [deep, skip]\n", GAPS)
    paths = [] if "::" in words[0] else ["cases"]
    done = session(*paths, *words, "--strict-markers", *asking("a=Right", "b=Right"))
    assert set(re.findall(r"PASSED cases/tiny.yaml::(\S+)", done.stdout)) == chosen
    assert counts(done).get("passed") == len(chosen)


def test_slow_cases_and_other_yaml_are_left_alone(tmp_path: Path, session: Session) -> None:
    """Slow cases come with an option; a YAML file in a folder that is no case file is none of our
    business.
    """
    corpus(tmp_path, CUT + "    tags: [slow]\n", GAPS)
    (tmp_path / "cases" / "docker-compose.yml").write_text("services: {}\n")
    assert counts(session(*asking("Right"))) == {"passed": 1}
    assert counts(session("--conformance-slow", *asking("Right"))) == {"passed": 2}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "format: 1\ncases:\n" + CUT.replace("stride:", "strides:"),
            "cases/tiny.yaml:9: strides: unknown key",
        ),
        (
            "format: 1\ncases:\n" + CUT + "    expected: {shape: [1, 1, 4, 5]}\n",
            "expected.shape: is [1, 1, 4, 5], should be",
        ),
        ("format: [\n", "should be one YAML document"),
    ],
)
def test_a_bad_case_file_is_told_by_line(
    tmp_path: Path, session: Session, text: str, said: str
) -> None:
    """As `conformance run` does, without a traceback."""
    (tmp_path / "cases" / "tiny.yaml").write_text(text)
    done = session("cases", *asking("Right"))
    assert done.returncode in (1, 2)
    assert said in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--conformance-adapter", "torch"],
            "--conformance-adapter: does nothing alone, should stand with --conformance",
        ),
        (
            ["--conformance", "--conformance-adapter", "trch"],
            "-a trch: unknown adapter trch, did you mean torch",
        ),
        (
            ["--conformance", "--conformance-adapter", "nowhere:Right"],
            "nowhere:Right is unavailable: there is no module",
        ),
        (
            [
                "--conformance",
                "--conformance-adapter",
                "miniatures:Right",
                "--conformance-device",
                "npu",
            ],
            "has no device npu",
        ),
    ],
)
def test_bad_usage_is_one_sentence(session: Session, words: list[str], said: str) -> None:
    """pytest's own exit code for it, 4."""
    done = session("cases", *words)
    assert done.returncode == 4
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("workers", [None, 2])
def test_one_process_an_adapter_and_worker_at_most(
    tmp_path: Path, session: Session, workers: int | None
) -> None:
    """Beside the one that pytest-xdist's controller greets; the verdicts are the same."""
    log = tmp_path / "log"
    distributed = [] if workers is None else ["-n", workers]
    done = session("cases", *distributed, *asking("a=Right", "b=OffByOne"), MINIATURES_LOG=str(log))
    assert counts(done) == {"failed": 2, "passed": 4}
    starts = len(started(log))
    assert 2 <= starts <= (2 if workers is None else 2 + 2 * workers)


def test_no_engine_is_left_behind(tmp_path: Path, session: Session) -> None:
    """Neither after all tests nor where the first failure ends the session."""
    log = tmp_path / "log"
    session("cases", "-x", *asking("OffByOne"), MINIATURES_LOG=str(log))
    assert started(log)
    assert not [number for number in started(log) if Path(f"/proc/{number}").exists()]


def test_junit_has_verdict_and_diagnosis(tmp_path: Path, session: Session) -> None:
    """pytest writes it; case, adapter, status and diagnosis are properties."""
    session("cases", "-k", "cut", "--junitxml", "junit.xml", *asking("mine=OffByOne"))
    [case] = ElementTree.parse(tmp_path / "junit.xml").iter("testcase")
    found = {one.attrib["name"]: one.attrib["value"] for one in case.iter("property")}
    assert found == {
        "case": "tiny/cut",
        "adapter": "mine",
        "status": "differs",
        "diagnosis": "shifted-window",
    }
    [failure] = case.iter("failure")
    assert "mine (cpu) differs from the oracle in tiny/cut" in (failure.text or "")


def test_two_files_of_one_full_name_are_told(tmp_path: Path, session: Session) -> None:
    """As `conformance run` does: nothing could tell their verdicts apart."""
    corpus(tmp_path / "other", CUT)
    done = session(".", *asking("Right"))
    assert done.returncode == 2
    assert "full name tiny/cut is taken by cases/tiny.yaml:3, should be unique" in done.stdout


def test_a_case_only_one_framework_knows_is_no_test_of_others(
    tmp_path: Path, session: Session
) -> None:
    """A native case that must be refused is run by its convention's adapters alone."""
    corpus(tmp_path, TORCHS_RULE)
    assert counts(session("cases", *asking("Right"))) == {"passed": 1}
    done = session(
        "cases", "--conformance", "--conformance-adapter", "jax=miniatures:RightInJaxConvention"
    )
    assert counts(done).get("passed", 0) == 0


def test_unasked_it_imports_nothing_but_pytest(tmp_path: Path, session: Session) -> None:
    """A session without the flag has nothing of ours but the plugin itself, and collects no
    YAML.
    """
    (tmp_path / "test_it.py").write_text(
        "import sys\n\n\ndef test_it():\n"
        "    ours = {name for name in sys.modules if name.split('.')[0] == 'conformance'}\n"
        "    assert ours <= {'conformance', 'conformance.pytest_plugin', "
        "'conformance.pytest_plugin.plugin'}\n"
        "    assert not {'numpy', 'yaml', 'rich', 'typer'} & set(sys.modules)\n"
    )
    done = session(".")
    assert (done.returncode, counts(done)) == (0, {"passed": 1}), done.stdout


def test_the_fixture_checks_a_kernel(tmp_path: Path, session: Session) -> None:
    """It passes what is right, and fails what is wrong with the verdicts alone."""
    (tmp_path / "test_it.py").write_text(
        "import conformance\n\n\n"
        "def right(x, w, bias, **window):\n"
        "    return conformance.conv_transpose(x, w, bias, **window).astype(x.dtype)\n\n\n"
        "def test_right(conformance_check):\n"
        "    assert conformance_check(right, 'cases').ok\n\n\n"
        "def test_wrong(conformance_check):\n"
        "    conformance_check(lambda *operands, **window: -right(*operands, **window), 'cases')\n"
    )
    done = session("test_it.py")
    assert counts(done) == {"failed": 1, "passed": 1}
    assert "2 of 3 cases fail" in done.stdout
    assert "checking.py" not in done.stdout


def test_what_adapters_answer_survives_the_way_to_a_worker() -> None:
    """Through plain values and back, whatever the answer is."""
    answers = {
        "a": Greeting(convention="torch", versions={"torch": "1"}, devices=("cpu", "cuda")),
        "b": Raised(type="ImportError", message="no", stage="while starting"),
        "c": Unavailable(reason="not installed"),
    }
    assert background.decoded_answers(background.encoded_answers(answers)) == answers
    assert str(TESTS) not in str(background.encoded_answers(answers))


def test_shards_are_the_whole(session: Session) -> None:
    """Each test is in one of them, all of a case in the same, and a shard without any passes, with
    pytest-xdist too; what names leave empty does not.
    """
    asked = asking("a=Right", "b=Right")
    whole = re.findall(r"^PASSED (.*)$", session("cases", *asked).stdout, re.MULTILINE)
    shards = [session("cases", *asked, "--conformance-shard", f"{i}/4") for i in range(1, 5)]
    assert [done.returncode for done in shards] == [0] * 4
    passed = [re.findall(r"^PASSED (.*)$", done.stdout, re.MULTILINE) for done in shards]
    assert list(map(len, passed)) == [2, 2, 2, 0]
    assert sorted(test for part in passed for test in part) == sorted(whole)
    assert "conformance: shard 4/4 has 0 of 3 cases" in shards[3].stdout
    assert all(len({test.partition("[")[0] for test in part}) <= 1 for part in passed)
    if importlib.util.find_spec("xdist") is not None:
        empty = ["cases", *asking("a=Right"), "-n", "2", "--conformance-shard"]
        assert session(*empty, "4/4").returncode == 0
        assert session(*empty, "1/4", "-k", "nothing").returncode == 5


def test_no_shard_is_bad_usage(session: Session) -> None:
    """In one sentence."""
    done = session("cases", *asking("a=Right"), "--conformance-shard", "6/5")
    assert done.returncode == 4
    assert "--conformance-shard 6/5: should be I/N, with I from 1 to N" in done.stderr
