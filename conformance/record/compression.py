"""A record as the bytes of a compressed file."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path
from typing import Any

from conformance.record.record import RECORD, Record, verdict_line
from conformance.record.writer import Writer


def compressed(record: Record) -> bytes:
    """The lines of a record, sealed anew, by gzip: the same bytes for the same record. Raises
    RecordError where the folder for temporary files has no room.
    """
    with tempfile.TemporaryDirectory() as folder:
        writer = Writer(Path(folder) / RECORD)
        lines: list[tuple[str, Any]] = [("run", record.run)]
        lines += [("case", line) for line in record.cases.values()]
        lines += [("verdict", verdict_line(verdict)) for verdict in record.verdicts]
        lines += [] if record.end is None else [("end", record.end)]
        try:
            for kind, content in lines:
                writer.write(kind, content)
        finally:
            writer.close()
        return gzip.compress(writer.path.read_bytes(), 9, mtime=0)
