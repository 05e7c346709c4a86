"""What is printed steers nothing: no escape, no direction, no line break of a stranger, no command
of GitHub's runner.
"""

from __future__ import annotations

import io
import json
import os
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conformance import printing
from conformance.printing import Stream, on_a_line, printable, say, shortened, text_of

ANYTHING = st.text(
    st.one_of(
        st.sampled_from("\x1b\x9b\x07\x7f\r\n\t:#[ a\u202e\u2066\u200e\u2028\xa0\u200b\ud800"),
        st.characters(),
    )
)
STEERING = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def steers(text: str) -> list[str]:
    """What in a text is a control, a direction or a separator, but for ends of lines."""
    kept = "\n\t\u200b"
    return [c for c in text if c not in kept and unicodedata.category(c) in STEERING]


def commands(text: str) -> list[str]:
    """The lines that GitHub's runner takes for commands: it forgets blanks before them, and finds
    the older ones anywhere.
    """
    return [
        line
        for line in re.split(r"[\r\n]", text)
        if line.lstrip().startswith("::") or "##[" in line
    ]


@given(st.lists(ANYTHING))
@example(["::error::x"])
@example(["\u3000::error::x", " ::", "\xa0::stop-commands::x", "##[error]x", "::::"])
def test_lines_of_anybody_are_so_many_lines(lines: list[str]) -> None:
    """As many as there were, and none is a command or has a character that steers."""
    text = text_of(lines)
    assert text.count("\n") == max(0, len(lines) - 1)
    assert steers(text) == []
    assert commands(text) == []


@given(st.text(st.characters(categories=["L", "N", "P", "S"]).filter(str.isprintable)))
def test_what_only_shows_stays_as_it_is(text: str) -> None:
    """Every letter, number and sign of any script."""
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\x1b]8;;https://example.org\x07", r"\x1b]8;;https://example.org\x07"),
        ("\x9b2J", r"\x9b2J"),
        ("a\u202eb", r"a\u202eb"),
        ("a\U000e0041", r"a\U000e0041"),
        ("a\rb", r"a\rb"),
        ("half \ud800", r"half \ud800"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
    ],
)
def test_what_does_not_show_is_written_out(text: str, shown: str) -> None:
    """As Python writes it in a string."""
    assert printable(text) == shown
    assert "\n" not in on_a_line(text)


@given(st.lists(ANYTHING))
def test_a_stream_lets_nothing_through(pieces: list[str]) -> None:
    """However the pieces are cut, but in the middle of a command; and `say` through it breaks no
    lines but its own.
    """
    inner = io.StringIO()
    stream: Any = Stream(inner)
    for piece in pieces:
        stream.write(f"{piece}\n")
    assert steers(inner.getvalue()) == []
    assert commands(inner.getvalue()) == []
    inner.seek(0)
    inner.truncate()
    say(*pieces, file=stream)
    assert inner.getvalue().count("\n") == max(0, len(pieces) - 1) + 1


def test_a_stream_knows_where_a_line_begins() -> None:
    """Blanks that were written before are no beginning; words are."""
    inner = io.StringIO()
    stream = Stream(inner)
    for piece in ("  ", "::error::a\n", "at ", "::native::b", "\n", "::c"):
        stream.write(piece)
    assert inner.getvalue() == "  \\x3a:error::a\nat ::native::b\n\\x3a:c"


def test_json_stays_json() -> None:
    """What is printed of a string that holds a command reads back as it was."""
    content = {"text": "##[error]x", "\u202e": ["::error::", "\x1b\n\x85"]}
    lines = json.dumps(content, indent=1).split("\n")
    assert commands(text_of(lines)) == []
    assert json.loads(text_of(lines)) == content


def test_a_long_text_is_cut_with_how_much_is_lacking() -> None:
    """And one that is not too long stays whole."""
    assert shortened("abc", 3) == "abc"
    assert shortened("abcde", 3) == "abc... and 2 characters more"


def test_a_stream_takes_text_alone() -> None:
    """Click finds out by bytes whether a stream is one of text."""
    with pytest.raises(TypeError):
        Stream(io.StringIO()).write(b"")  # type: ignore[arg-type]


def test_what_an_encoding_lacks_is_written_out() -> None:
    """A terminal in ASCII is no reason to end."""
    buffer = io.BytesIO()
    stream = Stream(io.TextIOWrapper(buffer, encoding="ascii"))
    stream.write("a → b")
    stream.flush()
    assert buffer.getvalue() == rb"a \u2192 b"


def test_a_stream_whose_reader_left_fails_nobody() -> None:
    """A pipe without a reader: what is written goes nowhere, then and later."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        stream = Stream(pipe, complains=True)
        for _ in range(3):
            stream.write("text")
            stream.flush()
        assert str(Path(f"/proc/self/fd/{pipe.fileno()}").readlink()) == os.devnull


def test_only_one_module_prints() -> None:
    """No module of the command line prints past it, nor one that speaks to a user beside it."""
    package = printing.__file__.removesuffix("printing.py")
    found = []
    for folder, _, names in os.walk(package):
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118
            room = path.removeprefix(package).partition(os.sep)[0]
            if name.endswith(".py") and room in {"commands", "cli", "callables.py", "run", "sweep"}:
                with open(path, encoding="utf-8") as file:  # noqa: PTH123
                    found += [path for line in file if re.search(r"(?<![.\w])print\(", line)]
    assert found == []
