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
    """List full names and summaries of cases, slow ones too."""
    from conformance.commands import cases as command

    command.list_cases(cases or [], expression, tags or [], subset)


def show(
    case: ShowCase,
    paths: Paths = None,
    program: Program = None,
) -> None:
    """Show one case, with each framework's arguments for it.

    Its geometry, arrays and overlaps too; or a program of one framework.
    """
    from conformance.commands import show as command

    command.run(case, paths or [], program)


def lint(
    cases: Words = None,
    known: Known = None,
    detects: Detects = False,
) -> None:
    """Check case files and known failures.

    Exit 2 where one is wrong, 1 where one is out of date.
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
    """Count the known mistakes that tests detect.

    The tests are your own cases, or those of public suites.
    """
    from conformance.commands import audit as command

    command.run(cases or [], suite or [], atol=atol, rtol=rtol, form=form)


def bless(cases: Words = None) -> None:
    """Write expected results from the oracle into case files.

    One that disagrees is replaced too; what changed is told.
    """
    from conformance.commands import cases as command

    command.bless(cases or [])
