"""`conformance audit`: how many of the known mistakes tests notice."""

from __future__ import annotations

import json
import math
import shutil
import sys
import time
from collections.abc import Sequence

from conformance.audit.count import Tally, of_cases, of_configurations, together
from conformance.audit.rules import Close
from conformance.audit.suite import suites
from conformance.audit.table import as_json, markdown, terminal
from conformance.commands.diff import FORMATS
from conformance.commands.progress import LONGEST_SILENCE
from conformance.corpus.selection import select
from conformance.errors import SelectionError, UsageError
from conformance.printing import complain, say
from conformance.wording import counted, duration, instead

OURS = "conformance"
OURS_IN_WORDS = "this suite, subset quick"
PUBLIC = "all public"
PUBLIC_IN_WORDS = "the public suites together"
MINE = "these cases"
WIDE = 10_000
"""Columns of what is no terminal: nothing is parted."""


def run(
    words: Sequence[str],
    named: Sequence[str],
    *,
    atol: float | None,
    rtol: float | None,
    form: str,
) -> None:
    """Count, and print the table; progress goes to standard error."""
    if form not in FORMATS:
        raise UsageError(f"--format {form}: {instead(form, FORMATS)}")
    rule = _rule(atol, rtol)
    if rule is not None and not words:
        raise UsageError("--atol and --rtol are of one's own cases: a path or a name is missing")
    _check(named)
    tallies = columns(named) if named or not words else []
    if words:
        tallies.append(_mine(words, rule))
    match form:
        case "json":
            say(*json.dumps(as_json(tallies), indent=1).split("\n"))
        case "markdown":
            say(*markdown(tallies).split("\n"))
        case _:
            width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDE
            say(*terminal(tallies, width).split("\n"))
    sys.stdout.flush()


def _rule(atol: float | None, rtol: float | None) -> Close | None:
    """The tolerance of one's own tests; None where the bound of this suite is asked for."""
    for name, value in (("--atol", atol), ("--rtol", rtol)):
        if value is not None and not (math.isfinite(value) and value >= 0):
            raise UsageError(f"{name} {value:g}: should be a finite number of at least 0")
    return None if atol is None and rtol is None else Close(atol=atol or 0.0, rtol=rtol or 0.0)


def _check(named: Sequence[str]) -> None:
    known = [*(suite.slug for suite in suites()), OURS]
    for name in named:
        if name not in known:
            raise UsageError(f"--suite {name}: unknown suite, {instead(name, known)}")


def columns(named: Sequence[str] = ()) -> list[Tally]:
    """The public suites and this one that are named; all, and the public ones together, if none."""
    public = []
    for suite in suites():
        if suite.slug in named or not named:
            with _Telling(suite.slug) as tell:
                tally = of_configurations(suite.slug, suite.name, suite.configurations, tell)
            public.append(tally)
    if not named:
        public.append(together(PUBLIC, PUBLIC_IN_WORDS, public))
    return [*public, _ours()] if OURS in named or not named else public


def _ours() -> Tally:
    cases = select([], slow=True, subset="quick").cases
    with _Telling(OURS) as tell:
        return of_cases(OURS, OURS_IN_WORDS, cases, None, tell)


def _mine(words: Sequence[str], rule: Close | None) -> Tally:
    cases = select(words, slow=True).cases
    with _Telling(MINE) as tell:
        tally = of_cases(MINE, MINE, cases, rule, tell)
    if not tally.configurations:
        raise SelectionError(
            f"of {counted(len(cases), 'case')} none has a result, should be at least one that is "
            "not refused"
        )
    return tally


class _Telling:
    """What is done now, on standard error, where nothing was said for a while; and at the end of a
    column how long it took.
    """

    def __init__(self, slug: str) -> None:
        self._slug, self._began = slug, time.monotonic()
        self._last = self._began

    def __enter__(self) -> _Telling:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            took = duration(time.monotonic() - self._began)
            complain(f"{self._slug}: {took}")

    def __call__(self, line: str) -> None:
        if time.monotonic() - self._last >= LONGEST_SILENCE:
            self._last = time.monotonic()
            complain(line)
