"""Options of the commands on records: report, confirm, diff, merge, site, support."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ReportRecord = Annotated[
    Path, typer.Argument(metavar="RESULTS", help="A results.jsonl, or the folder of one.")
]
ReportOutput = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the page.")
]
History = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="RESULTS", help="Earlier records, oldest first: how things went; several."
    ),
]
Show = Annotated[bool, typer.Option("--open", help="Open the page in the browser.")]
ConfirmKnown = Annotated[
    list[Path] | None,
    typer.Option(
        "--known",
        metavar="FILE",
        help="Known failures to widen; those of the record's corpus if not given.",
    ),
]
Old = Annotated[Path, typer.Argument(metavar="OLD", help="A results.jsonl, or the folder of one.")]
New = Annotated[Path, typer.Argument(metavar="NEW", help="The record to compare with it.")]
Merging = Annotated[
    list[Path], typer.Argument(metavar="RECORD...", help="Each a results.jsonl, or its folder.")
]
MergeOutput = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the record and its page.")
]
SiteRecords = Annotated[
    list[Path],
    typer.Argument(
        metavar="RECORD...", help="Each a results.jsonl, also with .gz behind it, or its folder."
    ),
]
SiteOutput = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the site.")
]
SiteAddress = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", help="Where the site will be, for the badges' links."),
]
WholeReports = Annotated[
    list[Path] | None,
    typer.Option(
        "--report",
        metavar="RECORD",
        help="One of them whose whole report page is there too; several.",
    ),
]
SupportEngine = Annotated[
    str | None,
    typer.Argument(
        metavar="ENGINE", show_default=False, help="An engine, or how the names of some begin."
    ),
]
SupportRecord = Annotated[
    Path | None,
    typer.Option(
        "--record",
        metavar="RECORD",
        show_default=False,
        help="A record of your own in place of the shipped checks.",
    ),
]
Limit = Annotated[
    float | None,
    typer.Option(
        "--max-slowdown",
        metavar="RATIO",
        help="Fail on calls that take more than so many times as long.",
    ),
]
