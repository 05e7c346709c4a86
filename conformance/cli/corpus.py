"""Commands on cases: list, show, lint, audit, bless."""

from __future__ import annotations

from conformance.cli.options import (
    Atol,
    Audited,
    Detects,
    Expression,
    Form,
    Known,
    Paths,
    Program,
    Rtol,
    ShowCase,
    Subset,
    Suites,
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


def audit(
    cases: Audited = None,
    suite: Suites = None,
    atol: Atol = None,
    rtol: Rtol = None,
    form: Form = "terminal",
) -> None:
    """Which known mistakes tests notice: one's own cases, or those of public test suites."""
    from conformance.commands import audit as command

    command.run(cases or [], suite or [], atol=atol, rtol=rtol, form=form)


def bless(cases: Words = None) -> None:
    """Write `expected` from the oracle into case files, over a disagreeing one too, and say what
    changed.
    """
    from conformance.commands import cases as command

    command.bless(cases or [])
