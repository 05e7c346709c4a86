"""Subsets of the shipped cases: what a list may say, and what is selected with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import command

from conformance.corpus import selection, subsets
from conformance.corpus.selection import select
from conformance.errors import FileProblems, SelectionError
from conformance.run import session
from conformance.verdicts.known_reader import load_differences

pytestmark = pytest.mark.slow

RIGHT = "miniatures:Right"
ENTRY = (
    "- {{adapter: torch, cases: ['{}'], versions: {{torch: '>=2'}}, status: differs, reason: "
    "one, source: made up}}\n"
)


def entry(identity: str, tags: str = "") -> str:
    return (
        f"  - id: {identity}\n    summary: One.\n    source: made up\n    input: [[1]]\n    "
        "kernel: [[1]]\n" + (f"    tags: [{tags}]\n" if tags else "")
    )


@pytest.fixture
def shipped(
    corpus: Callable[[str, str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A corpus of three files that stands for the shipped one, with a subset `few` of two of
    them.
    """
    corpus(
        "a/first.yaml",
        "format: 1\ncases:\n" + entry("plain") + entry("other", "network") + entry("long", "slow"),
    )
    corpus("a/second.yml", "format: 1\ncases:\n" + entry("plain"))
    corpus("b/third.yaml", "format: 1\ncases:\n" + entry("plain"))
    corpus("subsets/few.txt", "# Few of them.\na/first/other\n\na/second/plain\na/first/long\n")
    root = tmp_path / "cases"
    for module in (selection, subsets):
        monkeypatch.setattr(module, "shipped_cases", lambda: root)
    return root


def names(*words: str | Path, **rest: object) -> list[str]:
    return [case.name for case in select(list(map(str, words)), **rest).cases]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "selected"),
    [
        ({}, ["a/first/other", "a/second/plain"]),
        ({"slow": True}, ["a/first/other", "a/first/long", "a/second/plain"]),
        ({"tags": ["network"]}, ["a/first/other"]),
        ({"expression": "second"}, ["a/second/plain"]),
    ],
)
def test_tags_and_expressions_select_among_the_members(
    shipped: Path, options: dict[str, object], selected: list[str]
) -> None:
    """In the order of the corpus; a slow member is left out as any slow case is."""
    assert names(subset="few", **options) == selected


def test_names_and_globs_select_among_the_members(shipped: Path) -> None:
    """A case that is there and no member is not selected."""
    assert names("*/plain", subset="few") == ["a/second/plain"]
    with pytest.raises(
        SelectionError,
        match=r"a/first/plain: no such file or case of subset few, (did|should)",
    ):
        names("a/first/plain", subset="few")


def test_paths_restrict_a_subset(shipped: Path) -> None:
    """The members at the paths; a path without any is told, with the subset."""
    assert names(shipped / "a" / "first.yaml", subset="few") == ["a/first/other"]
    with pytest.raises(
        SelectionError,
        match=r"no case of subset few is selected of 1 at .*third.yaml, should be at least one",
    ):
        names(shipped / "b" / "third.yaml", subset="few")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fwe", "unknown subset fwe: should be one of few"),
        ("complete", "unknown subset complete: should be one of few"),
        ("../few", "unknown subset ../few: should be one of few"),
        ("", "unknown subset : should be one of few"),
    ],
)
def test_an_unknown_subset_is_one_sentence(shipped: Path, name: str, said: str) -> None:
    """What was given, and what there is."""
    with pytest.raises(SelectionError) as caught:
        select(subset=name)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "a/first/plain\na/first/gone\n",
            "few.txt:2: a/first/gone is not a shipped case, should be the full name of one",
        ),
        (
            "a/none/gone\n",
            "few.txt:1: a/none/gone is not a shipped case, should be the full name of one",
        ),
        (
            "a/first/*\n",
            "few.txt:1: a/first/* is not a shipped case, should be the full name of one",
        ),
        (
            "a/first/plain\n#\na/first/plain\n",
            "few.txt:3: a/first/plain stands in {}:1 already, should stand once",
        ),
    ],
)
def test_a_list_with_a_wrong_line_is_told(shipped: Path, text: str, said: str) -> None:
    """A stale name, one that never was, a glob, and a name that stands twice."""
    file = shipped / "subsets" / "few.txt"
    file.write_text(text)
    with pytest.raises(FileProblems) as caught:
        select(subset="few")
    [line] = caught.value.lines
    assert line.endswith(said.format(file))


@pytest.mark.parametrize(
    ("pattern", "is_lost"),
    [
        ("b/third/plain", False),
        ("b/*", False),
        ("*", False),
        ("b/third/gone", True),
        ("b/gone/*", True),
        ("c*", True),
    ],
)
def test_a_subset_makes_no_entry_lost(shipped: Path, pattern: str, is_lost: bool) -> None:
    """An entry is lost when the corpus lacks its case, not when the subset does."""
    (shipped / "known_differences").mkdir()
    (shipped / "known_differences" / "torch.yaml").write_text(ENTRY.format(pattern))
    chosen = select(subset="few")
    known = load_differences(chosen.roots)
    assert bool(session.lost_in(chosen, known)) is is_lost


@pytest.mark.parametrize("is_shipped", [True, False])
def test_a_file_makes_entries_lost_in_one_s_own_corpus_alone(
    shipped: Path, monkeypatch: pytest.MonkeyPatch, is_shipped: bool
) -> None:
    """The rest of a corpus is read for the case of an entry, but that of the shipped one only for
    entries of a file given by name.
    """
    if is_shipped:
        monkeypatch.setattr(session, "shipped_cases", lambda: shipped)
    (shipped / "known_differences").mkdir()
    (shipped / "known_differences" / "torch.yaml").write_text(
        ENTRY.format("b/third/plain") + ENTRY.format("b/third/gone")
    )
    more = shipped.parent / "mine.yaml"
    more.write_text(ENTRY.format("b/third/plain") + ENTRY.format("b/gone/*"))
    chosen = select([str(shipped / "a" / "first.yaml")])
    lost = session.lost_in(chosen, load_differences(chosen.roots, [more]))
    patterns = [entry["problem"].split()[0] for entry in lost]
    assert patterns == ([] if is_shipped else ["b/third/gone"]) + ["b/gone/*"]


def test_a_subset_runs_from_the_command_line(tmp_path: Path) -> None:
    """Together with -k; no known failure is lost, so the record has no problems and the exit
    code is 0.
    """
    words = ("--subset", "quick", "-k", "arithmetic/line", "-a", RIGHT, "--jobs", 1, "-o", "out")
    done = command("run", *words, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Conforms: " in done.stdout


def test_list_shows_the_members(tmp_path: Path) -> None:
    """One line each."""
    done = command("list", "--subset", "quick", cwd=tmp_path)
    listed = [line.split(": ")[0].split(" [")[0] for line in done.stdout.splitlines()]
    assert listed == list(subsets.members("quick"))


@pytest.mark.parametrize("words", [("run", "-a", RIGHT), ("list",)])
def test_an_unknown_subset_exits_2(tmp_path: Path, words: tuple[str, ...]) -> None:
    """One sentence on stderr, and no record."""
    done = command(*words, "--subset", "quikc", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "conformance: unknown subset quikc: did you mean quick? (should be one of chain, gpu-api, "
        "quick)\n"
    )
    assert not (tmp_path / "reports").exists()
