"""Lengths of time and amounts of memory, as a command line gives them."""

from __future__ import annotations

import re

from conformance.errors import UsageError

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}
_BYTES = {"M": 2**20, "G": 2**30}


def read_seconds(option: str, text: str) -> float:
    """The seconds of "90", "90s", "30m" or "2h". Raises UsageError."""
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)([smh]?)", text, re.ASCII)
    seconds = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if not seconds:
        raise UsageError(f"{option} {text}: should be a length of time, as 90s, 30m or 2h")
    return seconds


def read_bytes(option: str, text: str) -> int:
    """The bytes of "500M" or "4G". Raises UsageError."""
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)([MG])i?B?", text, re.ASCII)
    count = int(float(match[1]) * _BYTES[match[2]]) if match else 0
    if not count:
        raise UsageError(f"{option} {text}: should be an amount of memory, as 500M or 4G")
    return count
