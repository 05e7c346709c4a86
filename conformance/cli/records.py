"""Commands on records: report, confirm, diff, merge, site, support."""

from __future__ import annotations

from conformance.cli.options import Baseline, Form
from conformance.cli.recordoptions import (
    ConfirmKnown,
    History,
    Limit,
    MergeOutput,
    Merging,
    New,
    Old,
    ReportOutput,
    ReportRecord,
    Show,
    SiteAddress,
    SiteOutput,
    SiteRecords,
    SupportEngine,
    SupportRecord,
    WholeReports,
)


def report(
    record: ReportRecord,
    output: ReportOutput,
    baseline: Baseline = None,
    history: History = None,
    show: Show = False,
) -> None:
    """Write the page of a record, index.html."""
    from conformance.commands import report as command

    command.run(record, output, baseline=baseline, history=history or [], show=show)


def confirm(
    record: ReportRecord,
    known: ConfirmKnown = None,
) -> None:
    """Confirm known failures with a record of another release.

    Their version ranges are widened by what the record shows.
    """
    from conformance.commands import confirm as command

    command.run(record, known or [])


def diff(
    old: Old,
    new: New,
    form: Form = "terminal",
    limit: Limit = None,
) -> None:
    """Compare two records; exit 1 on a new failure."""
    from conformance.commands import diff as command

    command.run(old, new, form, limit)


def merge(
    records: Merging,
    output: MergeOutput,
) -> None:
    """Unite records of shards, machines, devices or releases."""
    from conformance.commands import merge as command

    command.run(records, output)


def site(
    records: SiteRecords,
    output: SiteOutput,
    url: SiteAddress = None,
    report: WholeReports = None,
) -> None:
    """Write a board of many records as a static site.

    Engines by releases, devices and machines.
    """
    from conformance.commands import site as command

    command.run(records, output, url or "", report or [])


def support(engine: SupportEngine = None, record: SupportRecord = None) -> None:
    """Which features work on which engine, and why not."""
    from conformance.commands import support as command

    command.run(engine, record)
