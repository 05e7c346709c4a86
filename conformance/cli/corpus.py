"""Commands on cases: list, show, lint, bless."""

from __future__ import annotations

from conformance.cli.options import (
    Detects,
    Expression,
    Known,
    Paths,
    Program,
    ShowCase,
    Subset,
    Tags,
    Words,
)


def list_cases(
    cases: Words = None, expression: Expression = None, tags: Tags = None, subset: Subset = None
) -> None:
    """Full names and summaries of cases, slow ones too."""
    from conformance.commands import cases as command

    command.list_cases(cases or [], expression, tags or [], subset)


def show(
    case: ShowCase,
    paths: Paths = None,
    program: Program = None,
) -> None:
    """One case: its geometry, arrays and overlaps, and every convention's own arguments for it."""
    from conformance.commands import show as command

    command.run(case, paths or [], program)


def lint(
    cases: Words = None,
    known: Known = None,
    detects: Detects = False,
) -> None:
    """Where case files and known differences are wrong or out of date; exit 2 for the first, 1 for
    the second.
    """
    from conformance.commands import cases as command

    command.lint(cases or [], detects, known or [])


def bless(cases: Words = None) -> None:
    """Write `expected` from the oracle into case files, over a disagreeing one too, and say what
    changed.
    """
    from conformance.commands import cases as command

    command.bless(cases or [])
