"""`conformance kernel`: a kernel that somebody wrote, judged."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from conformance.adapters import REGISTRY
from conformance.errors import UsageError
from conformance.kernels import presentation
from conformance.kernels.judge import Report, judge
from conformance.kernels.options import Options
from conformance.kernels.rungs import RUNGS, Rung
from conformance.printing import complain, say
from conformance.system.process_tree import adopting_orphans
from conformance.wording import instead

OWN_WORK = "own-work"
"""What --require may name beside the rungs: that torch's operator does not do it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What is written beside the terminal: as JSON there, a summary and a badge to files."""

    as_json: bool = False
    markdown: Path | None = None
    badge: Path | None = None


def run(file: str, options: Options, written: Written) -> None:
    """Judge the candidate of FILE[:NAME]; exit 1 unless it passes."""
    if is_engine(file):
        options = _checked(replace(options, file=Path(file), engine=file))
    else:
        path, name = _parts(file)
        options = _checked(replace(options, file=path, name=name))
    if written.badge is not None and written.badge.suffix not in (".json", ".svg"):
        raise UsageError(f"--badge {written.badge}: should end in .json or .svg")

    def tell(rung: Rung) -> None:
        if written.as_json:
            complain(presentation.row(rung))
        else:
            say(presentation.row(rung), flush=True)

    if options.in_process:
        options = replace(options, rungs=("own",), speed=False)
    with adopting_orphans():
        report = judge(options, tell)
    if written.as_json:
        say(*json.dumps(presentation.as_json(report), indent=1).split("\n"))
    else:
        say(presentation.first_line(report), *presentation.terminal(report))
    _write(report, written)
    sys.stdout.flush()
    if not report.passes:
        sys.exit(1)


def is_engine(text: str) -> bool:
    """Whether that is an engine as `-a` names them, and no file."""
    return text in REGISTRY or text.startswith("cmd:") or "=cmd:" in text


def _parts(file: str) -> tuple[Path, str | None]:
    """The path and the name of FILE[:NAME]."""
    path, colon, name = file.rpartition(":")
    return (Path(path), name) if colon and not Path(file).exists() else (Path(file), None)


def _checked(options: Options) -> Options:
    """Raises UsageError where there is nothing to judge, or no such rung."""
    file = None if options.engine is not None else options.file
    for what, path in (("", file), ("--problem ", options.problem)):
        if path is not None and not path.is_file():
            raise UsageError(f"{what}{path}: there is no such file")
    for name in options.require:
        if name not in (*RUNGS, OWN_WORK):
            raise UsageError(f"--require {name}: {instead(name, [*RUNGS, OWN_WORK])}")
    return options


def _write(report: Report, written: Written) -> None:
    files = {written.markdown: presentation.markdown(report)}
    if written.badge is not None:
        is_svg = written.badge.suffix == ".svg"
        text = presentation.svg(report) if is_svg else json.dumps(presentation.badge(report)) + "\n"
        files[written.badge] = text
    for path, text in files.items():
        if path is None:
            continue
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}") from None
