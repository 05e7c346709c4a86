"""Bisection over releases: the search, the index, environments of real wheels, and the command as a
user meets it.
"""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers import CUT, command, environment
from helpers import corpus as write_corpus
from hypothesis import given
from hypothesis import strategies as st
from releases import ADAPTER, BROKEN, RIGHT, WRONG, wheel

from conformance.bisection.search import boundary
from conformance.environments import index
from conformance.environments.installer import NotInstalled
from conformance.environments.overlay import Environments, unmet

pytestmark = pytest.mark.slow

UV = shutil.which("uv")


@given(count=st.integers(2, 200), data=st.data())
def test_the_one_boundary_is_found(count: Any, data: Any) -> None:
    """Where answers change once, that place is found, with no more questions than bisection
    needs.
    """
    first_other = data.draw(st.integers(1, count - 1))
    asked = []

    def test(place: Any) -> Any:
        asked.append(place)
        return place < first_other

    found = boundary(count, test)
    assert (found.before, found.after, found.unjudged) == (first_other - 1, first_other, ())
    assert len(asked) <= math.ceil(math.log2(count))
    assert len(set(asked)) == len(asked)


@given(answers=st.lists(st.sampled_from([True, False, None]), max_size=60))
def test_a_boundary_is_one_whatever_the_answers(answers: Any) -> None:
    """Both sides answered differently, and all that lies between them was asked and could not be
    judged.
    """
    everything = [True, *answers, False]
    asked = []

    def test(place: Any) -> Any:
        asked.append(place)
        return everything[place]

    found = boundary(len(everything), test)
    assert everything[found.before] is True
    assert everything[found.after] is False
    assert found.unjudged == tuple(range(found.before + 1, found.after))
    assert all(everything[place] is None and place in asked for place in found.unjudged)
    assert not {0, len(everything) - 1} & set(asked)


@given(count=st.integers(3, 60), data=st.data())
def test_what_may_be_asked_next_is_told(count: Any, data: Any) -> None:
    """All of it, and first what is asked; where three at a time are tried, fewer rounds do."""
    first_other = data.draw(st.integers(1, count - 1))
    known: set[int] = set()
    rounds = 0

    def ahead(places: Any) -> None:
        nonlocal rounds
        assert len(set(places)) == len(places)
        if places[0] not in known:
            rounds += 1
            known.update(places[:3])

    def test(place: Any) -> Any:
        assert place in known
        return place < first_other

    found = boundary(count, test, ahead)
    assert (found.before, found.after) == (first_other - 1, first_other)
    assert rounds <= math.ceil(math.log2(count) / 2) + 1


def test_one_place_has_no_boundary() -> None:
    """A list with one end is refused, not searched."""
    with pytest.raises(ValueError, match="should be at least 2"):
        boundary(1, lambda place: True)


def test_what_is_unmet_is_found_by_marker_extra_and_version() -> None:
    """Requirements of another platform or of an extra not asked for are left out; others are
    compared with what is there.
    """
    there = {
        "one": [
            "1.0",
            [
                "two>=2",
                "three; extra == 'more'",
                "four; sys_platform == 'nowhere'",
                "five<9",
                "six[a]>1",
            ],
        ],
        "two": ["1.9", []],
        "five": ["8.0rc1", []],
        "six": ["2.0", ["seven; extra == 'a'"]],
    }
    assert [str(one) for one in unmet({("one", frozenset())}, there)] == ["two>=2"]
    assert [str(one) for one in unmet({("one", frozenset({"more"}))}, there)] == ["two>=2", "three"]
    assert [str(one) for one in unmet({("six", frozenset({"a"}))}, there)] == ["seven"]


def test_dates_and_yanked_releases_are_read_from_the_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first day of a version's files is its date; a version of which every file was yanked is
    left out.
    """
    files = [
        {
            "filename": "keras-1.0-py3-none-any.whl",
            "upload-time": "2024-02-02T01:00:00Z",
            "yanked": False,
        },
        {"filename": "keras-1.0.tar.gz", "upload-time": "2024-02-01T23:00:00Z", "yanked": "broken"},
        {
            "filename": "keras-1.1-py3-none-any.whl",
            "upload-time": "2024-03-01T00:00:00Z",
            "yanked": "broken",
        },
        {"filename": "keras-1.2-py3-none-any.whl", "yanked": False},
        {"filename": "no version at all"},
    ]
    listing = "keras (1.2)\nAvailable versions: 1.3rc1, 1.2, 1.1, 1.0\n"
    monkeypatch.setattr(
        index,
        "_pip",
        lambda *words: subprocess.CompletedProcess(words, 0, stdout=listing, stderr=""),
    )
    monkeypatch.setattr(index, "_files", lambda package: files)
    assert [str(release) for release in index.releases("keras")] == ["1.0 (2024-02-01)", "1.2"]


def test_the_nearest_setting_of_pip_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment says comes before a command's section, and that before the global one;
    others' are nothing.
    """
    lines = (
        ":env:.find-links='/here'\nglobal.find-links='/there'\nglobal.index-url='https://index.example/simple'\n"
        "install.index-url='https://nearer.example/simple'\ndownload.no-index='true'\nglobal.timeout='60'\n"
    )
    monkeypatch.setattr(
        index, "_pip", lambda *words: subprocess.CompletedProcess(words, 0, stdout=lines, stderr="")
    )
    assert index.settings() == {"find-links": "/here", "index-url": "https://nearer.example/simple"}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A folder of releases: wrong in 1.0 and 1.1, broken in 1.2, right from 1.3 on; 2.0 is a
    pre-release; 1.1 needs a helper, and 1.5 one for its extra.
    """
    folder = tmp_path_factory.mktemp("shelf")
    wheel(folder, "1.0", WRONG)
    wheel(folder, "1.1", WRONG, requires=["tiny-helper>=2", "numpy"])
    wheel(folder, "1.2", BROKEN)
    wheel(folder, "1.3", RIGHT)
    wheel(folder, "1.4", RIGHT, requires=["tiny-helper>=99"])
    wheel(folder, "1.5", RIGHT, requires=['tiny-helper>=2; extra == "fast"'])
    wheel(folder, "2.0rc1", WRONG)
    wheel(folder, "2.1", "", name="tiny_helper", module="tinyhelper")
    return folder


@pytest.fixture
def only_the_shelf(monkeypatch: pytest.MonkeyPatch, shelf: Any) -> None:
    """pip's own configuration says that the folder is all there is."""
    for name, value in (
        ("PIP_NO_INDEX", "1"),
        ("PIP_FIND_LINKS", str(shelf)),
        ("PIP_CONFIG_FILE", "/dev/null"),
    ):
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("only_the_shelf")
@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_an_environment_has_the_release_and_what_the_parent_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: Any
) -> None:
    """It imports the release and the helper from its own folder, NumPy from the parent's; made
    once, it is found again.
    """
    assert UV is not None, "uv belongs to the test dependencies"
    monkeypatch.setattr(shutil, "which", lambda name: UV if tool == "uv" else None)
    environments = Environments(tmp_path / "cache")
    made = environments.of("Tiny.Engine", "1.1")
    assert made.installed == {"tiny-engine": "1.1", "tiny-helper": "2.1"}
    code = (
        "import tinyengine, tinyhelper, numpy; print(tinyengine.__file__, tinyhelper.__file__, "
        "numpy.__version__)"
    )
    told = subprocess.run(
        [made.python, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert all(path.startswith(str(tmp_path)) for path in told[:2])
    assert told[2] == __import__("numpy").__version__
    monkeypatch.setattr(subprocess, "run", None)
    assert Environments(tmp_path / "cache").of("Tiny.Engine", "1.1") == made
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [
        environments.name("Tiny.Engine", "1.1")
    ]


@pytest.mark.usefixtures("only_the_shelf")
def test_an_extra_brings_what_it_requires(tmp_path: Path) -> None:
    """A distribution may be named with extras; without them nothing of theirs is installed."""
    environments = Environments(tmp_path)
    made = environments.of("tiny-engine[fast]", "1.5")
    assert made.installed == {"tiny-engine": "1.5", "tiny-helper": "2.1"}
    assert environments.of("tiny-engine", "1.5").installed == {"tiny-engine": "1.5"}


@pytest.mark.usefixtures("only_the_shelf")
@pytest.mark.parametrize("tool", ["uv", "pip"])
@pytest.mark.parametrize(
    ("version", "also"), [("1.4", ()), ("9.9", ()), ("1.1", ("tiny-helper<2",))]
)
def test_what_cannot_be_installed_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: Any, version: Any, also: Any
) -> None:
    """A release that is not there, or whose requirements cannot be met, is told with a reason, and
    no half of it is kept.
    """
    monkeypatch.setattr(shutil, "which", lambda name: UV if tool == "uv" else None)
    with pytest.raises(NotInstalled, match=r"tiny[-_](helper|engine)"):
        Environments(tmp_path, also=also).of("tiny-engine", version)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def bisect(tmp_path: Path, shelf: Any) -> Any:
    """Runs `conformance bisect` on the case `cut`, and returns what came of it."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "tinyadapter.py").write_text(ADAPTER, encoding="utf-8")
    cases = write_corpus(tmp_path, CUT)
    sources = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(shelf), "PIP_CONFIG_FILE": "/dev/null"}
    env = environment(PYTHONPATH=str(folder), CONFORMANCE_CACHE=str(tmp_path / "cache"), **sources)

    def run(
        *words: Any,
        package: Any = "tiny-engine",
        adapter: Any = "tinyadapter:Tiny",
        case: Any = "tiny/cut",
    ) -> Any:
        named = ["--package", package, "--adapter", adapter, "--case", case, "--cases", cases]
        return command("bisect", *named, *words, cwd=tmp_path, env=env)

    return run


def test_the_boundary_is_found_and_the_second_question_is_quick(
    bisect: Any, tmp_path: Path
) -> None:
    """A newer good end: what is broken is skipped, a pre-release is not seen, and the next time
    nothing is tried again.
    """
    first = bisect("--good", "1.5", "--bad", "1.0")
    assert first.returncode == 0, first.stderr
    lines = first.stdout.splitlines()
    assert "last bad:  1.1" in lines
    assert "first good: 1.3" in lines
    assert "between them and not judged: 1.2" in lines
    assert [line for line in lines if "left out: 1.2" in line] == [
        "left out: 1.2: does not start: RuntimeError: built for another machine"
    ]
    assert "2.0rc1" not in first.stdout
    assert "1.1: differs" in lines
    kept = sorted((tmp_path / "cache" / "bisect" / "trials").iterdir())
    written = [path.stat().st_mtime_ns for path in kept]
    second = bisect("--good", "1.5", "--bad", "1.0")
    assert "4 of them kept from before" in second.stdout
    assert [path.stat().st_mtime_ns for path in kept] == written
    assert {json.loads(path.read_text())["versions"]["Tiny.Engine"] for path in kept} == {
        "1.0",
        "1.1",
        "1.3",
        "1.5",
    }


def test_a_cluster_finds_the_same_boundary(bisect: Any, tmp_path: Path) -> None:
    """Releases are tried by its workers, several at a time, and kept as they are here."""
    pytest.importorskip("distributed")
    done = bisect("--good", "1.5", "--bad", "1.0", "--dask", "local:2")
    assert done.returncode == 0, done.stderr
    assert {"last bad:  1.1", "first good: 1.3"} <= set(done.stdout.splitlines())
    again = bisect("--good", "1.5", "--bad", "1.0")
    assert "4 of them kept from before" in again.stdout


def test_extras_go_with_every_release(bisect: Any) -> None:
    """The releases are those of the distribution, and their version is checked under its name."""
    done = bisect("--good", "1.5", "--bad", "1.0", package="tiny-engine[fast]")
    assert done.returncode == 0, done.stderr
    assert "first good: 1.3" in done.stdout.splitlines()


def test_a_good_end_may_be_the_older_one(bisect: Any) -> None:
    """What the good end does is good, here to fail in a known way: the other direction finds the
    same boundary.
    """
    done = bisect("--good", "1.1", "--bad", "1.3")
    assert done.returncode == 0, done.stderr
    assert "last good:  1.1" in done.stdout
    assert "first bad: 1.3" in done.stdout


@pytest.mark.parametrize(
    ("words", "changed", "told"),
    [
        (
            ("--good", "1.3", "--bad", "1.5"),
            {},
            "--bad 1.5: conforms as --good 1.3, should do something else",
        ),
        (("--good", "1.3", "--bad", "1.3"), {}, "--bad 1.3: is --good too"),
        (
            ("--good", "1.3", "--bad", "7"),
            {},
            "--bad 7: is not a release of tiny-engine that this interpreter can install",
        ),
        (
            ("--good", "newest", "--bad", "1.0"),
            {},
            "--good newest: is not a version, should be one as in 1.2.3",
        ),
        (
            ("--good", "1.3", "--bad", "1.2"),
            {},
            "--bad 1.2: cannot be judged, should be a release that can: does not start",
        ),
        (
            ("--good", "1.3", "--bad", "1.0"),
            {"package": "tiny-nothing"},
            "--package tiny-nothing: pip finds no wheel of it",
        ),
        (
            ("--good", "1.3", "--bad", "1.0"),
            {"package": "--user"},
            "--package --user: should be the name of a distribution",
        ),
        (
            ("--good", "1.3", "--bad", "1.0"),
            {"package": "tiny-engine==1.1"},
            "--package tiny-engine==1.1: should be the name of a distribution, without a version",
        ),
        (
            ("--good", "1.3", "--bad", "1.0"),
            {"adapter": "cmd:true"},
            "-a cmd:true: is a program, should be an adapter in Python",
        ),
        (("--good", "1.3", "--bad", "1.0"), {"case": "tiny/*"}, None),
        (
            ("--good", "1.3", "--bad", "1.0"),
            {"case": "tiny/none"},
            "tiny/none: no such file or case",
        ),
        (
            ("--good", "1.3", "--bad", "1.0", "--with", "a b"),
            {},
            "--with a b: should be a requirement",
        ),
    ],
)
def test_bad_questions_are_one_sentence(bisect: Any, words: Any, changed: Any, told: Any) -> None:
    """What cannot be searched is said in one line with exit 2; a glob of one case is a name."""
    done = bisect(*words, **changed)
    if told is None:
        assert done.returncode == 0
        return
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_hidden_release_is_not_judged(bisect: Any, tmp_path: Path) -> None:
    """Another copy on the user's PYTHONPATH would answer for every release: that is told instead of
    a wrong boundary.
    """
    target = tmp_path / "mine"
    wheels = [sys.executable, "-m", "zipfile", "-e"]
    subprocess.run([*wheels, wheel(tmp_path / "hidden", "1.3", RIGHT), target], check=True)
    done = bisect("--good", "1.5", "--bad", "1.0")
    assert done.returncode == 2
    assert "another copy of tiny-engine lies before it" in done.stderr
