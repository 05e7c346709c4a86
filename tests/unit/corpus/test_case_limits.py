"""What a file of cases may hold at most: each limit is told at its key, its last value is read."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import CHECKOUT

from conformance.corpus.files import load_cases
from conformance.corpus.limits import (
    DEEPEST,
    LARGEST_ARGUMENT,
    LONGEST_NAME,
    LONGEST_TEXT,
    MOST_BYTES,
    MOST_ELEMENTS,
    MOST_EMPTY,
    MOST_LISTED,
    MOST_PRODUCTS,
    MOST_VALUES,
    shape_problem,
)
from conformance.corpus.selection import DEEPEST as DEEPEST_EXPRESSION
from conformance.corpus.selection import LONGEST_EXPRESSION, compile_expression
from conformance.corpus.strict_yaml import parse
from conformance.errors import CaseFileError, FileProblems, SelectionError

Corpus = Callable[[str, str], Path]


def case(**changes: str) -> str:
    """A file of one case, its keys as given."""
    keys = {
        "id": "one",
        "summary": "One case.",
        "source": "made up",
        "input": "{shape: [1, 2, 3, 3], values: integers}",
        "kernel": "{shape: [2, 3, 2, 2], values: integers}",
    }
    lines = [f"    {key}: {value}\n" for key, value in (keys | changes).items()]
    return "format: 1\ncases:\n  -" + "".join(lines)[3:]


def told(corpus: Corpus, text: str) -> list[str]:
    """What is said of a file with that text, without its path."""
    path = corpus("a.yaml", text)
    with pytest.raises(CaseFileError) as caught:
        load_cases(path)
    return [line.removeprefix(f"{path}:") for line in caught.value.lines]


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        (
            {"input": "{shape: [16777216, 1, 0, 1], values: ones}", "expected": "{error: true}"},
            [
                (
                    "6: input: has no elements, and axes that come to 16777216, should come to at "
                    "most 65536 without the empty ones"
                )
            ],
        ),
        (
            {"kernel": "{shape: [2, 16777216, 0, 1], values: ones}", "expected": "{error: true}"},
            [
                (
                    "7: kernel: has no elements, and axes that come to 33554432, should come to at "
                    "most 65536 without the empty ones"
                )
            ],
        ),
        (
            {"groups": "1000000000", "bias": "{values: ones}", "expected": "{error: true}"},
            ["9: bias: has 3000000000 elements, should have at most 268435456"],
        ),
        (
            {
                "input": "{shape: [1, 1, 16384, 8192], values: ones}",
                "kernel": "{shape: [1, 1, 16384, 8192], values: ones}",
                "expected": "{error: true}",
                "padding": "[[16384, 16384], [8192, 8192]]",
            },
            [
                (
                    "6: input: makes 18014398509481984 products with the kernel, should make at "
                    "most 1099511627776"
                )
            ],
        ),
        (
            {"stride": str(2**64 + 1)},
            [
                (
                    "8: stride: has a number beyond 2^64, should have numbers of at most "
                    "18446744073709551616"
                )
            ],
        ),
        (
            {"native": "{torch: {padding: [-" + "9" * 300 + ", 1]}}", "expected": "{error: true}"},
            [
                (
                    "8: native.torch.padding: has a number beyond 2^64, should have numbers of at "
                    "most 18446744073709551616"
                )
            ],
        ),
        (
            {"groups": "1" + "0" * 300},
            [
                (
                    "8: groups: has a number beyond 2^64, should have numbers of at most "
                    "18446744073709551616"
                )
            ],
        ),
        (
            {"expected": "{sum_abs: -" + "9" * 399 + "}"},
            ["8: expected.sum_abs: is -" + "9" * 56 + "..., should be a number"],
        ),
        (
            {"input": "{shape: [.nan, 2, 3, 3], values: ones}"},
            ["6: input.shape: is [nan, 2, 3, 3], should be a list of whole numbers"],
        ),
        ({"id": "x" * 201}, ["3: id: has 201 characters, should have at most 200"]),
        ({"summary": "x" * 4097}, ["4: summary: has 4097 characters, should have at most 4096"]),
        (
            {"tags": f"[{'x' * 201}]"},
            [f"8: tags: is ['{'x' * 55}..., should be a list of words of at most 200 characters"],
        ),
    ],
)  # fmt: skip
def test_what_goes_beyond_a_limit_is_told(
    corpus: Corpus, changes: dict[str, str], lines: list[str]
) -> None:
    """One line with the key, what there is, and what should be."""
    assert told(corpus, case(**changes)) == lines


@pytest.mark.parametrize(
    "changes",
    [
        {"stride": str(LARGEST_ARGUMENT), "padding": f"[[{LARGEST_ARGUMENT}, 0], [0, 0]]"},
        {"id": "x" * LONGEST_NAME, "summary": "x" * LONGEST_TEXT},
        {"input": f"{{shape: [{MOST_EMPTY}, 2, 0, 1], values: ones}}", "expected": "{error: true}"},
    ],
)
def test_the_last_value_within_a_limit_is_read(corpus: Corpus, changes: dict[str, str]) -> None:
    """A limit is what is still allowed; only the arguments of the first make no output."""
    text = case(**changes)
    if "stride" in changes:
        assert all("beyond 2^64" not in line for line in told(corpus, text))
    elif "input" in changes:
        assert "come to 131072" in told(corpus, text)[0]
        assert load_cases(corpus("b.yaml", text.replace(f"[{MOST_EMPTY}, 2", f"[{MOST_EMPTY}, 1")))
    else:
        assert load_cases(corpus("a.yaml", text))


def test_shapes_have_a_last_one_that_is_made() -> None:
    """Of elements, and of empty axes."""
    assert shape_problem((MOST_ELEMENTS, 1, 1)) is None
    assert shape_problem((MOST_ELEMENTS + 1, 1, 1)) is not None
    assert shape_problem((MOST_EMPTY, 0, 1)) is None
    assert shape_problem((MOST_EMPTY, 0, 2)) is not None


def test_the_documented_limits_are_the_codes() -> None:
    """docs/case-format.md says each in its table, and none besides."""
    page = (CHECKOUT / "docs" / "case-format.md").read_text(encoding="utf-8")
    section = page.partition("## Limits")[2].partition("\n## ")[0]
    told = re.findall(r"^\| (2\^\d+|[\d,]+)", section, re.MULTILINE)
    assert [
        2 ** int(limit[2:]) if "^" in limit else int(limit.replace(",", "")) for limit in told
    ] == [
        MOST_BYTES,
        MOST_VALUES,
        DEEPEST,
        MOST_LISTED,
        LONGEST_TEXT,
        LONGEST_NAME,
        MOST_ELEMENTS,
        MOST_EMPTY,
        MOST_PRODUCTS,
        LARGEST_ARGUMENT,
    ]


def refusal(text: str) -> str:
    """What `parse` says of a text, without the path."""
    with pytest.raises(FileProblems) as caught:
        parse(Path("a.yaml"), text)
    (line,) = caught.value.lines
    return line.removeprefix("a.yaml:")


def test_nesting_has_a_last_depth_that_is_read() -> None:
    """Lists in lists, one more than which is refused, in each style."""
    inner: object = parse(Path("a.yaml"), "[" * DEEPEST + "]" * DEEPEST).value()
    for _ in range(DEEPEST - 1):
        assert isinstance(inner, list)
        (inner,) = inner
    assert inner == []
    deep = "1: (YAML): is nested more than 50 deep, should be a case file"
    for text in ("[" * 52 + "]" * 52, "- " * 60 + "1", "? " * 60 + "1", "{a: " * 60 + "}" * 60):
        assert refusal(text) == deep


def test_aliases_count_as_what_they_stand_for() -> None:
    """Nine aliases of nine aliases are refused before they are written out; a few are read."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    assert refusal("\n".join(lines)) == (
        "7: (YAML): holds 5380840 values, an alias counted as what it stands for, should hold at "
        f"most {MOST_VALUES}"
    )
    assert len(parse(Path("a.yaml"), "\n".join(lines[:4])).value()["a3"]) == 9


def test_values_and_bytes_are_counted(tmp_path: Path) -> None:
    """A file of very many values, and one of very many bytes."""
    assert refusal(f"[{'1,' * MOST_VALUES}]") == (
        f"1: (YAML): holds more than {MOST_VALUES} values, an alias counted as what it stands for, "
        f"should hold at most {MOST_VALUES}"
    )
    path = tmp_path / "a.yaml"
    path.write_bytes(b"#" * (MOST_BYTES + 1))
    with pytest.raises(CaseFileError) as caught:
        load_cases(path)
    assert caught.value.lines == (
        f"{path}:1: (file): cannot be read: it has {MOST_BYTES + 1} bytes, more than {MOST_BYTES}, "
        "should be a YAML file in UTF-8",
    )


def test_of_very_many_problems_the_first_are_told(corpus: Corpus) -> None:
    """And how many there are besides."""
    unknown = "".join(f"x{n}: 1\n" for n in range(MOST_LISTED + 50))
    lines = told(corpus, f"format: 1\ncases: []\n{unknown}")
    assert len(lines) == MOST_LISTED + 1
    assert lines[-1] == "1: (file): has 50 further problems"


def test_a_key_of_the_file_breaks_no_line(corpus: Corpus) -> None:
    """What a stranger may write in the place of a key is shown, and shortened."""
    (line,) = told(corpus, 'format: 1\ncases: []\n"a\\n::error::\\e[31m": 1\n')
    assert line == ("3: 'a\\n::error::\\x1b[31m': unknown key, should be one of format, cases")


def test_expressions_have_limits_too() -> None:
    """Brackets and negations in one another, and characters."""
    for text in ("(" * 60 + "a" + ")" * 60, "not " * 60 + "a"):
        with pytest.raises(SelectionError, match=f"is nested more than {DEEPEST_EXPRESSION} deep"):
            compile_expression(text)
    with pytest.raises(SelectionError, match=f"-k has 50000 .* at most {LONGEST_EXPRESSION}"):
        compile_expression("(" * 50_000)
    assert compile_expression("(" * 40 + "a" + ")" * 40)("a")
    assert compile_expression(" or ".join(["a"] * 500))("a")
