"""`conformance report`: a page from a record."""

from __future__ import annotations

import webbrowser
from collections.abc import Sequence
from pathlib import Path

from conformance.printing import complain, say
from conformance.record import messages as record_messages
from conformance.record.reader import read_record
from conformance.report import write_page


def run(
    path: Path,
    folder: Path,
    *,
    baseline: Path | None = None,
    history: Sequence[Path] = (),
    show: bool = False,
) -> None:
    """Write the page; a record that was cut is shown as far as it goes. With `show` the browser
    opens it.
    """
    record = read_record(path)
    page = write_page(
        record,
        folder,
        baseline=None if baseline is None else read_record(baseline),
        history=[read_record(earlier) for earlier in history],
    )
    if record.end is None:
        complain(f"{path}: {record_messages.summary(record)}")
    say(page)
    if show and not webbrowser.open(page.resolve().as_uri()):
        complain(f"{page}: no browser could be started to open it")
