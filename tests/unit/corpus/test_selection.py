"""Which cases are meant by paths, names, globs, tags and expressions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from _pytest.mark import KeywordMatcher  # pytest's own matching of -k, which ours must agree with
from _pytest.mark.expression import Expression

from conformance.corpus.files import shipped_cases
from conformance.corpus.selection import compile_expression, select
from conformance.errors import CaseFileError, SelectionError

NAMES = (
    "textbook/cs231n/two-by-two", "textbook/cs231n/keras-same", "arithmetic/first/one-axis",
    "numerics/tf32/Wide-Integers",
    "networks/dcgan/last", "notes/order/and-or",
)  # fmt: skip


def entry(identity: str, tags: str = "") -> str:
    return (
        f"  - id: {identity}\n    summary: One.\n    source: made up\n    input: [[1]]\n    "
        "kernel: [[1]]\n" + (f"    tags: [{tags}]\n" if tags else "")
    )


@pytest.fixture
def root(
    corpus: Callable[[str, str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A corpus of two files, where the working folder is."""
    monkeypatch.chdir(tmp_path)
    corpus(
        "textbook/first.yaml",
        "format: 1\ncases:\n"
        + entry("plain")
        + entry("other", "network")
        + entry("long", "slow, network"),
    )
    corpus("edge/second.yaml", "format: 1\ncases:\n" + entry("plain") + entry("a[1]"))
    return tmp_path / "cases"


def names(*words: str, **rest: object) -> list[str]:
    return [case.name for case in select(words, **rest).cases]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "textbook", "TEXTBOOK", "same or axis", "not textbook", "textbook and not same",
        "not (same or axis)", "not not last",
        "same or axis and last", "(same or axis) and last", "textbook and same or dcgan",
        "not same and not axis or last",
        "two-by-two", "cs231n/two", "wide-integers", "  last  ", "((last))", "order", "notes",
        "nothing-like-it", "not nothing",
        "and-or", "or-",
    ],
)  # fmt: skip
def test_expressions_mean_what_they_mean_to_pytest(text: str) -> None:
    """The same names match as with pytest -k."""
    theirs, ours = Expression.compile(text), compile_expression(text)
    for name in NAMES:
        assert ours(name) == theirs.evaluate(KeywordMatcher([name])), name


@pytest.mark.parametrize(
    "text",
    [
        "(",
        ")",
        "and",
        "last or",
        "not",
        "last same",
        "(last",
        "last)",
        "or last",
        "last and and same",
        "()",
    ],
)
def test_expressions_that_pytest_refuses_are_refused(text: str) -> None:
    """What is no expression to pytest is none here, and the message gives it back."""
    with pytest.raises(SyntaxError):
        Expression.compile(text)
    with pytest.raises(
        SelectionError, match="should be names joined by and, or, not and parentheses"
    ) as caught:
        compile_expression(text)
    assert repr(text) in str(caught.value)


def test_without_words_the_shipped_corpus_is_selected() -> None:
    """`select()` is every shipped case that is not slow."""
    selection = select()
    assert selection.roots == (shipped_cases().resolve(),)
    assert {case.name for case in selection.loaded if "slow" not in case.tags} == {
        case.name for case in selection.cases
    }


@pytest.mark.parametrize(
    ("words", "selected"),
    [
        (["cases"], ["edge/second/plain", "edge/second/a[1]", "textbook/first/plain",
        "textbook/first/other"]),
        (["cases/edge"], ["edge/second/plain", "edge/second/a[1]"]),
        (["cases/textbook/first.yaml", "cases/edge"], [
            "textbook/first/plain", "textbook/first/other", "edge/second/plain",
            "edge/second/a[1]"]),
        (["cases", "edge/second/plain"], ["edge/second/plain"]),
        (["cases", "*/plain"], ["edge/second/plain", "textbook/first/plain"]),
        (["cases", "textbook/*"], ["textbook/first/plain", "textbook/first/other"]),
        (["cases", "textbook/first/oth?r", "edge/second/plain"], ["edge/second/plain",
        "textbook/first/other"]),
        (["cases", "edge/second/a[1]"], ["edge/second/a[1]"]),
        (["cases", "textbook/first/long"], ["textbook/first/long"]),
    ],
)  # fmt: skip
def test_paths_names_and_globs_select_in_order(
    root: Path, words: list[str], selected: list[str]
) -> None:
    """Names and globs select within the paths; the order is that of the files, whatever the order
    of the words.
    """
    assert names(*words) == selected


def test_a_selection_knows_all_that_was_loaded(root: Path) -> None:
    """Cases that were not selected are still known, and so is the root of the files."""
    selection = select(["cases", "edge/*"])
    assert (len(selection.cases), len(selection.loaded), selection.roots) == (
        2,
        5,
        (root.resolve(),),
    )


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, False), ({"slow": True}, True), ({"tags": ["slow"]}, True), ({"tags": ["network"]},
        False),
        ({"tags": ["network"], "slow": True}, True), ({"expression": "long or plain"}, False),
    ],
)  # fmt: skip
def test_slow_cases_are_left_out_unless_asked_for(
    root: Path, options: dict[str, object], found: bool
) -> None:
    """The tag itself or `slow` asks for them; another tag or an expression does not."""
    assert ("textbook/first/long" in names("cases", **options)) == found


def test_tags_select_cases_with_any_of_them(root: Path) -> None:
    """Several tags add up."""
    assert names("cases", tags=["network", "slow"]) == [
        "textbook/first/other",
        "textbook/first/long",
    ]


def test_all_conditions_hold_together(root: Path) -> None:
    """Words, tags and the expression are all met by what is selected."""
    assert names("cases", "textbook/*", tags=["network"], expression="not long", slow=True) == [
        "textbook/first/other"
    ]


@pytest.mark.parametrize(
    ("words", "options", "text"),
    [
        (["cases", "textbook/none"], {}, "textbook/none: no such file or case"),
        (["cases", "edge/*", "none*"], {}, r"none\*: no such file or case"),
        (["cases/none.yaml"], {}, "cases/none.yaml does not exist"),
        (["none.yml"], {}, "none.yml does not exist"),
        (["cases/none/"], {}, "cases/none/ does not exist"),
        (["cases"], {"expression": "nothing-like-it"}, ("no case is selected of 5 at cases, should "
            "be at least one")),
        (["cases"], {"tags": ["none"]}, "--tag none: no case has that tag, should be one of "),
        (["cases", "textbook/first/l*"], {}, "no case is selected"),
        (["cases"], {"expression": "not"}, "a name is missing"),
    ],
)  # fmt: skip
def test_what_selects_nothing_is_an_error(
    root: Path, words: list[str], options: dict[str, object], text: str
) -> None:
    """A word or a whole that selects nothing is told in one sentence, which says what would be
    right.
    """
    with pytest.raises(SelectionError, match=text) as caught:
        select(words, **options)  # type: ignore[arg-type]
    assert "should be" in str(caught.value)


@pytest.mark.parametrize(
    ("words", "options", "meant"),
    [
        (["textbok/first/*"], {}, r"did you mean textbook/first/\*"),
        (["textbook/first"], {}, r"did you mean textbook/first/\*\? \("),
        (["textbook"], {}, r"did you mean textbook/\*\? \("),
        (["plane"], {}, "should be a path"),
        ([], {"tags": ["slo"]}, r"--tag slo: no case has that tag, did you mean slow\?"),
    ],
)
def test_a_name_that_was_mistyped_is_suggested(
    root: Path, words: list[str], options: dict[str, object], meant: str
) -> None:
    """Full names, globs of what is in a folder, and tags."""
    with pytest.raises(SelectionError, match=meant):
        select(["cases", *words], **options)  # type: ignore[arg-type]


def test_a_case_that_was_mistyped_is_suggested(root: Path) -> None:
    """By its full name, however it was begun; the last part of one is enough."""
    name = select(["cases"]).cases[0].name
    folder, _, last = name.rpartition("/")
    for word in (f"{folder}/{last}x", last, name.upper()):
        with pytest.raises(SelectionError, match="did you mean ") as caught:
            select(["cases", word])
        assert name in str(caught.value)


def test_a_mistake_in_a_file_is_told_even_if_another_is_selected(root: Path) -> None:
    """Files are read whole before anything is selected."""
    (root / "bad.yaml").write_text("format: 2\ncases: []\n")
    with pytest.raises(CaseFileError):
        select(["cases", "edge/*"])
