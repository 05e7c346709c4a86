"""`conformance conventions`: the atlas, for a terminal."""

from __future__ import annotations

from pathlib import Path

from conformance.printing import say
from conformance.record.reader import read_record
from conformance.record.record import RECORD
from conformance.report.atlas import KERNELS, SIZE, STRIDES, measured_of, picture, windows

LATEST = Path("reports/latest") / RECORD


def run(path: Path | None) -> None:
    """Print the windows of every kernel and stride, and what the record has measured."""
    record = (
        read_record(path) if path is not None else read_record(LATEST) if LATEST.is_file() else None
    )
    measured = frozenset() if record is None else measured_of(record)
    say(
        f"The full output of {SIZE} inputs: `.` cut, `o` kept, `+` appended. Same size and "
        "another window: marked !"
    )
    where = (
        "no record was given, and there is none in reports/latest"
        if record is None
        else f"of {record.run['started']}"
    )
    say(f"Measured, marked *: computed so by that framework in the record ({where}).")
    for kernel in KERNELS:
        for stride in STRIDES:
            say("", f"kernel {kernel}, stride {stride}")
            for window in windows(kernel, stride, measured):
                marks = f"{'!' if window.alike else ' '}{'*' if window.measured else ' '}"
                name = f"{window.convention} {window.spelling}"
                say(f"  {marks} {name:<36} {window.axis.out:>3}  {picture(window.axis)}")
