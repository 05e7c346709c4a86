"""`bless`: what it writes, and that every other byte of the file stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.corpus.bless import write_expected
from conformance.corpus.files import load_cases
from conformance.errors import RecordError

BLOCK = """\
# A file with comments everywhere.
format: 1   # the only one there is

cases:
  # before the first
  - id: one      # the id
    summary: "Quoted: text"
    source:   'odd   spacing'

    input: [[1, 2],   # first row
            [3, 4]]
    kernel: [[5]]
    stride: 2         # last key of the case

  # between the cases

  - id: two
    summary: >-
      Folded
      text.
    source: nowhere
    input:
      - [1]
      - [2]
    kernel:
      - - 3
      - - 4
    # behind the last case
"""
ONE = """\
    expected:
      shape: [1, 1, 3, 3]
      values: [[5, 0, 10], [0, 0, 0], [15, 0, 20]]
"""
TWO = """\
    expected:
      shape: [1, 1, 3, 1]
      values: [[3], [10], [8]]
"""


def blessed(tmp_path: Path, text: Any, *, newline: Any = "") -> Any:
    """The file after bless, and what was told."""
    path = tmp_path / "cases" / "file.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode())
    told = write_expected(load_cases(path))
    return path.read_bytes().decode(), told


def case(**changes: Any) -> Any:
    """A case in block style, entries as YAML texts."""
    entries = {
        "id": "one",
        "summary": "One.",
        "source": "nowhere",
        "input": "[[1, 2]]",
        "kernel": "[[3]]",
        **changes,
    }
    lines = [f"{key}: {value}" for key, value in entries.items() if value is not None]
    return "  - " + "\n    ".join(lines) + "\n"


HEAD = "format: 1\ncases:\n"


def expected(tmp_path: Path) -> Any:
    """What the file says now, by id."""
    return {
        one.name.rpartition("/")[2]: one.expected
        for one in load_cases(tmp_path / "cases" / "file.yaml")
    }


def test_expected_is_put_behind_the_last_key_and_nothing_else_changes(tmp_path: Path) -> None:
    """Comments, blank lines, quotes, folded text and spacing stay byte for byte."""
    text, told = blessed(tmp_path, BLOCK)
    first = BLOCK.index("\n  # between the cases")
    second = BLOCK.index("    # behind the last case")
    assert text == BLOCK[:first] + ONE + BLOCK[first:second] + TWO + BLOCK[second:]
    path = tmp_path / "cases" / "file.yaml"
    assert told == [
        f"{path}:{line}: file/{name}: wrote expected (it had none)"
        for line, name in ((6, "one"), (17, "two"))
    ]


def test_blessing_twice_changes_nothing(tmp_path: Path) -> None:
    """What was written agrees with the oracle, and is not written again."""
    text, _ = blessed(tmp_path, BLOCK)
    again, told = blessed(tmp_path, text)
    assert again == text
    assert told == ["nothing to change"]


@pytest.mark.parametrize(
    "old",
    [
        "{shape: [1, 1, 1, 2], values: [[3, 7]]}   # gone with it or not",
        "\n      shape: [1, 1, 1, 2]   # inside\n      values:\n        - [3, 7]",
        "{shape: [1, 1, 1, 3]}",
        "\n      shape: [1, 1, 1, 2]",
    ],
    ids=["flow", "block", "other shape", "shape alone"],
)
def test_an_expected_that_disagrees_or_says_too_little_is_replaced_where_it_stands(
    tmp_path: Path, old: Any
) -> None:
    """In the middle of a case: what stands before and behind it stays."""
    before = HEAD + "  # above\n" + case()
    behind = "    tags: [a]   # behind\n\n  # between\n" + case(
        id="two", expected="{shape: [1, 1, 1, 2], values: [[3, 6]]}"
    )
    text, told = blessed(tmp_path, f"{before}    expected: {old}\n{behind}")
    assert (
        text
        == f"{before}    expected:\n      shape: [1, 1, 1, 2]\n      values: [[3, 6]]\n{behind}"
    )
    assert len(told) == 1
    assert "file/one: wrote expected" in told[0]


def test_what_disagreed_is_told(tmp_path: Path) -> None:
    """A changed guard is a claim about the oracle: the reader must see what was thrown away."""
    _, [line] = blessed(tmp_path, HEAD + case(expected="{shape: [1, 1, 1, 2], values: [[3, 7]]}"))
    assert "7" in line
    assert "expected.values" in line


def test_a_flow_case_gets_its_expected_inside_the_braces(tmp_path: Path) -> None:
    """`- {id: ...}` on one line or several; the other lines stay."""
    flow = (
        "  - {id: one, summary: One., source: nowhere, input: [[1, 2]], kernel: [[3]]}  # a "
        "comment\n"
    )
    several = (
        "  - {id: two, summary: Two., source: nowhere,\n     input: [[1, 2]], kernel: "
        "[[4]],\n    }\n"
    )
    text, told = blessed(tmp_path, HEAD + flow + "  # between\n" + several + "# end\n")
    start, end = text.index("  - {id: one"), text.index("  # between")
    assert text.startswith(HEAD)
    assert text[start:end] == flow.replace(
        "]]}", "]], expected: {shape: [1, 1, 1, 2], values: [[3, 6]]}}"
    )
    assert text.endswith("}\n# end\n")
    assert len(told) == 2
    assert expected(tmp_path)["one"].numbers == (3.0, 6.0)
    assert expected(tmp_path)["two"].numbers == (4.0, 8.0)
    assert blessed(tmp_path, text) == (text, ["nothing to change"])


def test_a_flow_case_whose_expected_disagrees_is_corrected_in_place(tmp_path: Path) -> None:
    """Only the value between the braces changes."""
    wrong = "expected: {shape: [1, 1, 1, 2], values: [[3, 7]]}"
    flow = (
        f"  - {{id: one, summary: One., source: nowhere, {wrong}, input: [[1, 2]], kernel: "
        "[[3]]}\n"
    )
    text, _ = blessed(tmp_path, HEAD + flow)
    assert text == HEAD + flow.replace("[[3, 7]]", "[[3, 6]]")


def test_a_comment_before_the_closing_brace_does_not_swallow_it(tmp_path: Path) -> None:
    """A flow case over several lines that ends in a comment."""
    flow = (
        "  - {id: one, summary: One., source: nowhere, input: [[1, 2]],\n     kernel: [[3]]  # "
        "the kernel\n    }\n"
    )
    text, _ = blessed(tmp_path, HEAD + flow)
    assert expected(tmp_path)["one"] is not None
    assert "# the kernel" in text


def test_error_cases_stay(tmp_path: Path) -> None:
    """What must be refused has no output to write."""
    text = HEAD + case(padding="9", expected="{error: true}")
    assert blessed(tmp_path, text) == (text, ["nothing to change"])


def test_an_expected_that_stands_first_is_replaced_too(tmp_path: Path) -> None:
    """Keys come in any order."""
    text = (
        HEAD
        + "  - expected: {shape: [1, 1, 1, 2], values: [[3, 7]]}\n    "
        + case().removeprefix("  - ")
    )
    after, _ = blessed(tmp_path, text)
    assert expected(tmp_path)["one"].numbers == (3.0, 6.0)
    assert after.count("expected:") == 1


@pytest.mark.parametrize("ending", ["\r\n", "\n"], ids=["CRLF", "LF"])
def test_line_endings_stay(tmp_path: Path, ending: Any) -> None:
    """A file with Windows line ends keeps them: every line of before is there, byte for byte."""
    before = (HEAD + case() + "  # between\n" + case(id="two")).replace("\n", ending)
    after, _ = blessed(tmp_path, before)
    left = iter(after.encode().splitlines(keepends=True))
    assert all(line in left for line in before.encode().splitlines(keepends=True))
    assert set(expected(tmp_path)) == {"one", "two"}
    assert None not in expected(tmp_path).values()


def test_a_last_line_without_an_end_gets_one(tmp_path: Path) -> None:
    """The file ends in the middle of its last line."""
    after, _ = blessed(tmp_path, HEAD + case().rstrip("\n"))
    assert (
        after
        == HEAD + case() + "    expected:\n      shape: [1, 1, 1, 2]\n      values: [[3, 6]]\n"
    )


@pytest.mark.parametrize("behind", ["", "    stride: 1\n"], ids=["last key", "not last"])
def test_a_case_that_repeats_another_by_an_alias_gets_its_own(tmp_path: Path, behind: Any) -> None:
    """The place of an alias is where it stands, not where its anchor is."""
    text = (
        HEAD
        + case(kernel="&k [[3]]", stride="1")
        + case(id="two", input="[[2, 4]]", kernel="*k")
        + behind
    )
    after, _ = blessed(tmp_path, text)
    assert expected(tmp_path)["one"].numbers == (3.0, 6.0)
    assert expected(tmp_path)["two"].numbers == (6.0, 12.0)
    assert [line for line in after.splitlines() if line in text.splitlines()] == text.splitlines()


def test_an_expected_that_is_an_alias_is_replaced_by_its_own(tmp_path: Path) -> None:
    """Two cases that shared an expected, of which one no longer agrees."""
    text = (
        HEAD
        + case(expected="&e {shape: [1, 1, 1, 2], values: [[3, 6]]}")
        + case(id="two", kernel="[[4]]", expected="*e")
    )
    blessed(tmp_path, text)
    assert expected(tmp_path)["one"].numbers == (3.0, 6.0)
    assert expected(tmp_path)["two"].numbers == (4.0, 8.0)


def test_letters_outside_of_ascii_do_not_move_the_place(tmp_path: Path) -> None:
    """Marks count characters, the file is bytes."""
    text = (
        HEAD
        + case(summary="Größe 2 × 3 – 𝟚 ∑ 日本", source="“nowhere”")
        + "  # Ende 🎉\n"
        + case(id="two")
    )
    after, _ = blessed(tmp_path, text)
    assert [line for line in after.splitlines() if line in text.splitlines()] == text.splitlines()
    assert None not in expected(tmp_path).values()


def test_a_literal_text_at_the_end_of_a_case_stays(tmp_path: Path) -> None:
    """A block of text is over where its lines are."""
    text = (
        HEAD
        + case(summary=None)
        + "    summary: |\n      Two lines\n      of text.\n\n"
        + case(id="two")
    )
    after, _ = blessed(tmp_path, text)
    assert "of text.\n    expected:\n" in after
    assert None not in expected(tmp_path).values()
    assert blessed(tmp_path, after)[1] == ["nothing to change"]


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        (
            {
                "input": "{shape: [1, 2, 3, 4], values: integers}",
                "kernel": "{shape: [2, 3, 2, 2], values: integers}",
            },
            "numbers",
        ),
        (
            {
                "input": "{shape: [1, 2, 8, 9], values: integers}",
                "kernel": "{shape: [2, 3, 2, 2], values: integers}",
            },
            "sha256",
        ),
        (
            {
                "input": "{shape: [1, 2, 8, 9], values: normal}",
                "kernel": "{shape: [2, 3, 2, 2], values: normal}",
            },
            "sum_abs",
        ),
    ],
)
def test_what_guards_depends_on_the_output(tmp_path: Path, changes: Any, key: Any) -> None:
    """Up to 64 elements are written out, a larger exact output has a digest, any other a sum."""
    blessed(tmp_path, HEAD + case(**changes))
    found = expected(tmp_path)["one"]
    said = {name for name in ("numbers", "sha256", "sum_abs") if getattr(found, name) is not None}
    assert said == {key}
    assert blessed(tmp_path, (tmp_path / "cases" / "file.yaml").read_text())[1] == [
        "nothing to change"
    ]


@pytest.mark.parametrize("number", [".nan", ".inf", "-.inf", "1e-40", "0.1", "3e38", "-0.0"])
def test_special_numbers_are_written_so_that_they_are_read_again(
    tmp_path: Path, number: Any
) -> None:
    """NaN, infinities and numbers with every digit they need."""
    text, _ = blessed(tmp_path, HEAD + case(input=f"[[{number}, 2]]", kernel="[[1]]"))
    assert expected(tmp_path)["one"] is not None
    assert blessed(tmp_path, text) == (text, ["nothing to change"])


def test_a_file_that_cannot_be_written_is_one_sentence_and_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk: the file is what it was."""
    import conformance.corpus.bless

    def full(path: Any, *_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(conformance.corpus.bless, "replace_file", full)
    with pytest.raises(RecordError, match="cannot be written: No space left on device"):
        blessed(tmp_path, BLOCK)
    assert (tmp_path / "cases" / "file.yaml").read_bytes().decode() == BLOCK


KEPT = """\
    expected:  # by hand
      shape: [1, 1, 1, 2]   # one row
      values: [[3,
                6]]
"""
GRADIENTS = """\
      gradients:
        input: {values: [[3, -3]]}
        kernel: {values: [[-1]]}
"""


@pytest.mark.parametrize(
    "old",
    [
        "",
        "      gradients: {input: {values: [[3, 3]]}, kernel: {values: [[-1]]}}\n",
        "      gradients:\n        input: {values: [[3, -3]]}\n",
        "      gradients:\n        kernel:\n          values:\n            - 5\n",
    ],
    ids=["none", "wrong", "not all", "block"],
)
def test_gradients_are_written_and_the_rest_of_expected_stays(tmp_path: Path, old: str) -> None:
    """What the author wrote of the output keeps its comments and its layout."""
    before = HEAD + case(gradients="[[1, -1]]") + KEPT
    behind = "    tags: [a]   # behind\n"
    text, told = blessed(tmp_path, before + old + behind)
    assert text == before + GRADIENTS + behind
    assert len(told) == 1
    assert "file/one: wrote expected.gradients (" in told[0]
    assert blessed(tmp_path, text) == (text, ["nothing to change"])


def test_gradients_go_into_a_flow_mapping_that_stands(tmp_path: Path) -> None:
    """Behind its last key, in its own style."""
    before = HEAD + case(gradients="[[1, -1]]") + "    expected: {shape: [1, 1, 1, 2], sum_abs: 9"
    text, _ = blessed(tmp_path, before + "}  # here\n")
    added = ", gradients: {input: {values: [[3, -3]]}, kernel: {values: [[-1]]}}"
    assert text == before + added + "}  # here\n"


def test_gradients_of_a_guard_that_is_shared_are_not_shared(tmp_path: Path) -> None:
    """An `expected` that is an alias is written anew: its anchor's case has other gradients."""
    text = (
        HEAD
        + case(expected="&same {shape: [1, 1, 1, 2], values: [[3, 6]]}")
        + case(id="two", gradients="[[1, -1]]", expected="*same")
    )
    blessed(tmp_path, text)
    one, two = expected(tmp_path).values()
    assert one.gradients is None
    assert two.numbers == one.numbers
    assert set(two.gradients) == {"input", "kernel"}


def test_gradients_of_a_file_without_any_guard_are_written_with_it(tmp_path: Path) -> None:
    """One block for all; a bias has a list of its own."""
    text, _ = blessed(tmp_path, HEAD + case(gradients="[[1, -1]]", bias="[2]"))
    block = "    expected:\n      shape: [1, 1, 1, 2]\n      values: [[5, 8]]\n" + GRADIENTS
    assert text.endswith(block + "        bias: {values: [0]}\n")
