"""Keep records for the board in git: `reports/records/NAME.jsonl.gz`, of some 200 KB each.

    python tools/records/keep.py reports/compat/* reports/isa/avx2
    conformance site reports/reference reports/records/* -o site

No engine is asked. What is left out are arrays that their recipe or the oracle makes again, and the
folders of this machine in commands, interpreters and messages; what fails is explained by the known
failures as they are now.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from reference import MACHINE_PATHS, explained, without_machine_paths

from conformance.board.names import record_name
from conformance.corpus.files import shipped_cases
from conformance.record.compression import compressed
from conformance.record.reader import read_record
from conformance.record.record import Record, verdict_from
from conformance.record.reduction import reduced
from conformance.verdicts.known import Difference
from conformance.verdicts.known_reader import load_differences

RECORDS = Path(__file__).resolve().parents[2] / "reports" / "records"


def kept(record: Record, known: list[Difference]) -> Record:
    """The record as it stands in git."""
    run = {
        **record.run,
        "command": [MACHINE_PATHS.sub("", word) for word in record.run["command"]],
        "adapters": [
            {**entry, "python": None if entry.get("python") is None else "python"}
            for entry in record.run["adapters"]
        ],
    }
    verdicts = (
        verdict_from(without_machine_paths(explained(asdict(verdict), run, known)))
        for verdict in record.verdicts
    )
    return reduced(replace(record, run=run, verdicts=tuple(verdicts)), 0)


def main(paths: Sequence[Path]) -> None:
    known = load_differences([shipped_cases()])
    RECORDS.mkdir(parents=True, exist_ok=True)
    for path in paths:
        record = read_record(path)
        file = RECORDS / f"{record_name(path, record)}.jsonl.gz"
        file.write_bytes(compressed(kept(record, known)))
        print(f"{file.name}: {file.stat().st_size} bytes")


if __name__ == "__main__":
    main([Path(word) for word in sys.argv[1:]])
