"""Make the committed reference report of a record: its adapters without their variants, which would
take it beyond 3 MB in git.

    tox -e run                                   # writes reports/latest
    python tools/records/reference.py reports/latest     # writes reports/reference

No engine is asked: what is left out are the variants' names in the run line, their verdicts and
their counts, and arrays of more than 128 elements, where nothing differs and the recipe or the
oracle makes them again; and the folders of files that messages name. What fails is explained
by the known failures as they are now.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from conformance.adapters import REGISTRY
from conformance.corpus.files import shipped_cases
from conformance.record.reader import read_record
from conformance.record.record import RECORD
from conformance.record.reduction import reduced_line
from conformance.record.run_line import circumstances_of
from conformance.record.seal import KEYS
from conformance.record.writer import Writer
from conformance.report import write_page
from conformance.verdicts.known import Difference, explain
from conformance.verdicts.known_reader import load_differences
from conformance.verdicts.verdict import Verdict

REFERENCE = Path(__file__).resolve().parents[2] / "reports" / "reference"
MACHINE_PATHS = re.compile(
    r"/[^\s\"'\\()]*?/(?=site-packages/|conformance/|bin/python)|"
    + re.escape(f"{Path(__file__).resolve().parents[2]}/")
)
MOST_ELEMENTS = 128
"""Of an array of the reference: 512, which the page shows, would take 0.8 MB more in git."""

BY_LABEL = ("versions", "facts", "devices", "absent")


def without_variants(line: dict[str, Any]) -> dict[str, Any] | None:
    """A line of a record as it stands in the reference; None where it is a variant's verdict."""
    if line["type"] == "run":
        kept = [entry for entry in line["adapters"] if not is_variant(entry["label"])]
        return {**line, "adapters": kept, **{key: _kept(line[key]) for key in BY_LABEL}}
    if line["type"] == "verdict":
        return None if is_variant(line["adapter"]) else line
    return {**line, "counts": _kept(line["counts"])} if line["type"] == "end" else line


def without_machine_paths(line: dict[str, Any]) -> dict[str, Any]:
    """A verdict whose message names files from where they are imported, not from where this machine
    keeps them.
    """
    message = line["message"]
    return line if message is None else {**line, "message": MACHINE_PATHS.sub("", message)}


def explained(line: dict[str, Any], run: dict[str, Any], known: list[Difference]) -> dict[str, Any]:
    """A verdict with the known failures of today."""
    unexplained = dict.fromkeys(("known", "known_problem", "known_unconfirmed", "mended"))
    verdict = Verdict(
        **{key: value for key, value in line.items() if key not in ("type", *KEYS)} | unexplained
    )
    versions = run["versions"][verdict.adapter]
    circumstances = circumstances_of(run, verdict.adapter)
    return {
        "type": "verdict",
        **asdict(
            explain(
                verdict,
                known,
                adapter=verdict.adapter,
                versions=versions,
                circumstances=circumstances,
            )
        ),
    }


def is_variant(label: str) -> bool:
    return label in REGISTRY and REGISTRY[label].variant_of is not None


def _kept(by_label: dict[str, Any]) -> dict[str, Any]:
    return {label: entry for label, entry in by_label.items() if not is_variant(label)}


def main(folder: Path) -> None:
    lines = (folder / RECORD).read_text(encoding="utf-8").splitlines()
    entries = [
        line for line in (without_variants(json.loads(line)) for line in lines) if line is not None
    ]
    run = entries[0]
    known = load_differences([shipped_cases()])
    entries = [
        without_machine_paths(explained(line, run, known)) if line["type"] == "verdict" else line
        for line in entries
    ]
    differing = {
        line["case"]
        for line in entries
        if line["type"] == "verdict" and line["status"] == "differs"
    }
    entries = [
        reduced_line(line, MOST_ELEMENTS)
        if line["type"] == "case" and line["case"] not in differing
        else line
        for line in entries
    ]
    writer = Writer(REFERENCE / RECORD)
    for line in entries:
        content = {key: value for key, value in line.items() if key not in ("type", *KEYS)}
        writer.write(line["type"], content)
    writer.close()
    write_page(read_record(REFERENCE), REFERENCE)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
