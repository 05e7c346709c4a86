"""`conformance report`: a page from a record."""

from __future__ import annotations

import sys
from pathlib import Path

from conformance import messages
from conformance.report import write_page
from conformance.results import read_record


def run(path: Path, folder: Path) -> None:
    """Write the page; a record that was cut is shown as far as it goes."""
    record = read_record(path)
    page = write_page(record, folder)
    if record.end is None:
        print(f"{path}: {messages.summary(record)}", file=sys.stderr)
    print(page)
