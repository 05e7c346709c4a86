"""Says where shape functions and their engines disagree about what is legal.

    python tools/records/legality.py RECORD...

RECORD is a results.jsonl or the folder of one; an engine and its shape function need not be in the
same. On a case they disagree where one gives an output or its shape and the other refuses. Whoever
crashes, gives no answer in time, does not claim to do it or leaves every size open does neither.
Each shape function is a line; then come the disagreements of which neither side is a known
failure. Exit 0 where there are none of these, 1 where there are some or nothing could be
compared, 2 where a record cannot be read.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance.adapters import REGISTRY
from conformance.errors import RecordError
from conformance.record.reader import read_record
from conformance.record.record import Record
from conformance.verdicts.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a shape function and its engine did with one case: took it, or refused it."""

    case: str
    function: str
    engine: str
    shape_is_said: bool
    is_computed: bool
    known: bool

    @property
    def disagree(self) -> bool:
        return self.shape_is_said != self.is_computed


def answers(records: Sequence[Record]) -> Iterator[Answers]:
    """The answers of every shape function to every case that its engine answered too, in the order
    of the records; of a case that is in several, the last counts.
    """
    refused = {
        name for record in records for name, case in record.cases.items() if not case["expected"]
    }
    verdicts = {
        (_adapter(record, verdict), verdict.case): verdict
        for record in records
        for verdict in record.verdicts
        if verdict.quantity in ("output", "shape")
    }
    for (function, case), said in verdicts.items():
        entry = REGISTRY.get(function)
        if entry is None or entry.variant_of is None or entry.quantities != ("shape",):
            continue
        computed = verdicts.get((entry.variant_of, case))
        takes = [_takes(verdict, case in refused) for verdict in (said, computed) if verdict]
        if computed is not None and None not in takes:
            yield Answers(
                case=case,
                function=function,
                engine=entry.variant_of,
                shape_is_said=bool(takes[0]),
                is_computed=bool(takes[1]),
                known=bool(said.known or computed.known),
            )


def _adapter(record: Record, verdict: Verdict) -> str:
    """The name in the table of the adapter with that label, or the label."""
    named = {entry["label"]: entry["adapter"] for entry in record.run["adapters"]}
    return str(named.get(verdict.adapter) or verdict.adapter)


def _takes(verdict: Verdict, must_fail: bool) -> bool | None:
    """Whether it took the case; None where it neither took nor refused it."""
    match verdict.status:
        case "conforms":
            return not must_fail
        case "differs":
            return True
        case "raised":
            return False
    return None


def lines(pairs: Sequence[Answers]) -> Iterator[str]:
    """A line for every shape function, and one for every disagreement that is not declared."""
    for function in dict.fromkeys(pair.function for pair in pairs):
        its = [pair for pair in pairs if pair.function == function]
        said = sum(pair.disagree and pair.shape_is_said for pair in its)
        computed = sum(pair.disagree and pair.is_computed for pair in its)
        yield (
            f"{function}: {len(its)} cases that {its[0].engine} answers too, {said} with a shape "
            f"that it refuses, {computed} that it computes and have no shape"
        )
    for pair in pairs:
        if pair.disagree and not pair.known:
            takes, refuses = pair.function, pair.engine
            if pair.is_computed:
                takes, refuses = refuses, takes
            yield f"{pair.case}: {takes} takes it, {refuses} refuses it, and neither is declared"


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        description="Say where shape functions and their engines disagree about what is legal."
    )
    parser.add_argument(
        "records", type=Path, nargs="+", metavar="RECORD", help="a results.jsonl or its folder"
    )
    try:
        records = [read_record(path) for path in parser.parse_args(words).records]
    except RecordError as error:
        print(error, file=sys.stderr)
        return 2
    pairs = list(answers(records))
    for line in lines(pairs):
        print(line)
    if not pairs:
        print("no shape function and its engine have a case in common")
    return int(not pairs or any(pair.disagree and not pair.known for pair in pairs))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
