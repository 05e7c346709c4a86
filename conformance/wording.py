"""How numbers are said to people, with their noun or as a length of time, and values of files."""

from __future__ import annotations


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """Seconds as people say them: "0.8 s", "14 min 40 s", "2 h 5 min"."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, remainder = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {remainder} s" if remainder else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


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
