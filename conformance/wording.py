"""How numbers and values are said to people, and what should stand for an unknown name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches

MOST_SUGGESTED = 3
LONGEST_SUGGESTED = 200
"""Characters of a name beyond which nobody has merely mistyped it, and comparing takes long."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

MOST_LISTED = 8
"""Names that are listed where a command lists all of them."""


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun: "3,431 checks"."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def part(count: int, whole: int, noun: str, verb: str) -> str:
    """How many of how many do something: "1 of 16 elements differs"."""
    return f"{count:,} of {counted(whole, noun)} {verb}{'s' if count == 1 else ''}"


def duration(seconds: float) -> str:
    """Seconds as people say them: "0.8 s", "14 min 40 s", "2 h 5 min"."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, remainder = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {remainder} s" if remainder else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def moment(iso: str) -> str:
    """A time of ISO 8601 as people say it, in UTC: "22 Nov 2026, 16:45"; another text as it is."""
    try:
        time = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    if time.tzinfo is not None:
        time = time.astimezone(UTC)
    return f"{time.day} {_MONTHS[time.month - 1]} {time.year}, {time:%H:%M}"


def milliseconds(seconds: float) -> str:
    """A duration with three significant digits."""
    return f"{seconds * 1e3:.3g} ms"


def quoted(value: object, most: int = 60) -> str:
    """A value that a file or a call has in a place, on one line and not all of a long one."""
    if isinstance(value, str) and value.isprintable():
        text = f"'{value}'"
    else:
        try:
            text = repr(value)
        except (ValueError, RecursionError):  # thousands of digits; lists in lists
            text = f"a {type(value).__name__} too long to be shown"
    return text if len(text) <= most else f"{text[: most - 3]}..."


def close_to(value: object, known: Iterable[object]) -> list[str]:
    """The known names that are likely to be meant, the likeliest first; at most three."""
    text = str(value) if isinstance(value, (str, int, float)) else ""
    if not text or len(text) > LONGEST_SUGGESTED:
        return []
    names = {name.lower(): name for name in reversed([str(one) for one in known])}
    lower = text.lower()
    close = get_close_matches(lower, names, n=MOST_SUGGESTED)
    if len(lower) > 1:  # "onnx" is far from "onnxruntime", but begins it
        close += [name for name in reversed(names) if name.startswith(lower)]
    return [names[name] for name in dict.fromkeys(close)][:MOST_SUGGESTED]


def suggested(names: Sequence[str]) -> str:
    """A question: did you mean one of these names?"""
    *others, last = names
    return f"did you mean {', '.join(others)} or {last}?" if others else f"did you mean {last}?"


def instead(
    value: object,
    known: Collection[object],
    *,
    beside: str = "",
    listed_by: str = "",
    most: int | None = None,
) -> str:
    """What should stand where an unknown name does: the names that are like it, and all there are.

    `beside` is what would be right too. At most `most` names are listed, and the first of those
    that the command `listed_by` lists.
    """
    names = [str(one) for one in known]
    most = most or (MOST_LISTED if listed_by else len(names))
    left = len(names) - most
    listed = ", ".join(names[:most]) or "(none)"
    more = f", and {left} more" if left > 0 else ""
    should = f"should be one of {listed}{more}{beside}"
    should += f"; all: {listed_by}" if left > 0 and listed_by else ""
    close = close_to(value, names) if len(names) > 1 else []  # one name is no choice
    return f"{suggested(close)} ({should})" if close else should
