"""Text of anybody in Markdown: it shows as itself."""

from __future__ import annotations

import pytest

from conformance.report.markdown import plain, table


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", r"a\|b"),
        ("<script>", "&lt;script&gt;"),
        ("*a* _b_ `c`", r"\*a\* \_b\_ \`c\`"),
        ("a\n# b\r\n\tc", "a # b c"),
        ("[x](y)", r"\[x\](y)"),
        ("\\|", "\\\\\\|"),
        ("&amp;", "&amp;amp;"),
        ("a\x1b[0m", r"a \[0m"),
    ],
)
def test_markup_is_none(text: str, shown: str) -> None:
    """Every character that means something is written so that it means nothing."""
    assert plain(text) == shown


def test_nobody_is_called_and_nothing_is_linked() -> None:
    """A name behind an at sign and an address would become links by themselves."""
    assert "@someone" not in plain("by @someone")
    assert "https://" not in plain("see https://example.org")


def test_a_row_stays_a_row() -> None:
    """As many bars as the header has, whatever the cells hold."""
    header, rule, row = table(["a", "b"], [("1|2", "3\n4")], numbers=[1])
    assert (header, rule) == ("| a | b |", "| --- | ---: |")
    assert row.replace(r"\|", "").count("|") == 3
