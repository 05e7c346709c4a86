"""One record out of several of one corpus: shards, other machines, devices and releases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from conformance.errors import RecordError
from conformance.record.columns import Column, labels
from conformance.record.record import Record, verdict_line
from conformance.record.tally import Tally
from conformance.record.writer import Writer
from conformance.verdicts.verdict import Key, Verdict
from conformance.wording import counted

QUANTITIES = ("output", "gradients", "shape")
_EQUAL = {
    "corpus": "corpus, which is cases and known failures",
    "precision": "precision",
    "timing": "timing",
    "repeat": "number of repetitions",
    "invariance": "invariance",
    "allow_unsupported": "--allow-unsupported",
}
"""The keys of the run line that records must share, each with its name in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The lines of the whole; `end` is None where some are `missing`, a line for each column and
    device. `conflicts` has the verdicts that are told twice and not alike.
    """

    run: Mapping[str, Any]
    cases: Mapping[str, Mapping[str, Any]]
    verdicts: Sequence[Verdict]
    end: Mapping[str, Any] | None
    missing: Sequence[str]
    conflicts: Sequence[tuple[tuple[Path, Verdict], tuple[Path, Verdict]]]


def merge(files: Sequence[Path], records: Sequence[Record], command: Sequence[str]) -> Merged:
    """Unite whole records of one corpus. Raises RecordError for one that was cut, or that was made
    with other cases or settings than the first.
    """
    for file, record in zip(files, records, strict=True):
        _check(file, record, files[0], records[0])
    names = labels(records)
    taken: dict[Key, tuple[Path, Verdict]] = {}
    conflicts = []
    for file, verdict in _verdicts(files, records, names):
        key = Key(verdict.case, verdict.adapter, verdict.device, verdict.quantity)
        before = taken.setdefault(key, (file, verdict))
        if _answer(before[1]) != _answer(verdict):
            conflicts.append((before, (file, verdict)))
    run = _run_line(files, records, names) | {"command": list(command)}
    positions = {name: at for at, name in enumerate(_order(records))}
    columns = {entry["label"]: at for at, entry in enumerate(run["adapters"])}
    verdicts = sorted(
        (verdict for _, verdict in taken.values()),
        key=lambda one: (
            columns[one.adapter],
            run["devices"][one.adapter].index(one.device),
            positions[one.case],
            QUANTITIES.index(one.quantity),
        ),
    )
    cases = {name: line for record in reversed(records) for name, line in record.cases.items()}
    missing = list(_missing(records, names))
    return Merged(
        run=run,
        cases=cases,
        verdicts=verdicts,
        end=None if missing else _end_line(records, names, verdicts, list(columns), positions),
        missing=missing,
        conflicts=conflicts,
    )


def write(merged: Merged, writer: Writer) -> None:
    """Write the lines in the order of a run's. Raises RecordError."""
    written = set()
    try:
        writer.write("run", merged.run)
        for verdict in merged.verdicts:
            if verdict.case not in written:
                writer.write("case", merged.cases[verdict.case])
                written.add(verdict.case)
            writer.write("verdict", verdict_line(verdict))
        if merged.end is not None:
            writer.write("end", merged.end)
    finally:
        writer.close()


def _check(file: Path, record: Record, first_file: Path, first: Record) -> None:
    if record.end is None:
        raise RecordError(
            f"{file}: the run was cut after {counted(len(record.verdicts), 'check')}, "
            "should be whole: run "
            "it with --resume"
        )
    for key, name in _EQUAL.items():
        if record.run.get(key) != first.run.get(key):
            raise RecordError(
                f"{file}: has another {name} than {first_file}, should be of a run with the same"
            )


def _verdicts(
    files: Sequence[Path], records: Sequence[Record], names: Mapping[Column, str]
) -> Iterator[tuple[Path, Verdict]]:
    for number, (file, record) in enumerate(zip(files, records, strict=True)):
        for verdict in record.verdicts:
            yield file, replace(verdict, adapter=names[number, verdict.adapter])


def _answer(verdict: Verdict) -> str:
    """What must be the same where a verdict is told twice; as text, in which NaN is itself."""
    return repr((verdict.status, verdict.kind, verdict.exact, verdict.error_over_bound))


def _order(records: Sequence[Record]) -> list[str]:
    """The cases as the corpus has them, as far as shards say; then as they came."""
    positions = {
        name: position
        for record in records
        for name, position in (record.run.get("shard") or {"cases": {}})["cases"].items()
    }
    known = sorted(positions, key=lambda name: positions[name])
    return list(dict.fromkeys([*known, *(name for record in records for name in record.cases)]))


def _run_line(
    files: Sequence[Path], records: Sequence[Record], names: Mapping[Column, str]
) -> dict[str, Any]:
    """The first one's, with all columns, and what each record was in `merged`."""
    runs = [record.run for record in records]
    line: dict[str, Any] = dict(runs[0])
    by_label = _columns(runs, names)
    models = dict.fromkeys(str(run["cpu"]["model"]) for run in runs)
    flags = set(runs[0]["cpu"]["flags"]).intersection(*(run["cpu"]["flags"] for run in runs))
    present = {label for _, label in names}
    return (
        line
        | by_label
        | {
            "started": min(run["started"] for run in runs),
            **{key: " + ".join(dict.fromkeys(run[key] for run in runs)) for key in _PLATFORM},
            "cpu": {"model": " + ".join(models), "flags": sorted(flags)},
            "adapters": list(by_label["adapters"].values()),
            "absent": {
                label: why
                for run in runs
                for label, why in run["absent"].items()
                if label not in present
            },
            "shard": None,
            "merged": [one for pair in zip(files, runs, strict=True) for one in _sources(*pair)],
        }
    )


def _columns(
    runs: Sequence[Mapping[str, Any]], names: Mapping[Column, str]
) -> dict[str, dict[str, Any]]:
    """What the run line says of every column, by key and label. What an engine that did not start
    has not told, another record of its column may have.
    """
    by_label: dict[str, dict[str, Any]] = {
        key: {} for key in ("versions", "facts", "devices", "threads_told")
    }
    adapters: dict[str, Any] = dict.fromkeys(names.values())  # in the order of the records
    greeted = sorted(names.items(), key=lambda item: not runs[item[0][0]]["versions"][item[0][1]])
    for (number, label), name in greeted:
        run = runs[number]
        (entry,) = (entry for entry in run["adapters"] if entry["label"] == label)
        adapters[name] = adapters[name] or {**entry, "label": name}
        for key in ("versions", "facts", "threads_told"):
            by_label[key].setdefault(
                name, run.get(key, {}).get(label, {} if key != "threads_told" else None)
            )
        devices = by_label["devices"].setdefault(name, [])
        devices += [device for device in run["devices"][label] if device not in devices]
    return by_label | {"adapters": adapters}


_PLATFORM = ("platform", "system", "machine")


def _sources(file: Path, run: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the run line says of one record; of one that was united itself, of all its own."""
    if run.get("merged"):
        return list(run["merged"])
    shard = run.get("shard")
    copied_keys = ("conformance", "started", *_PLATFORM, "threads", "versions", "facts", "devices")
    return [
        {
            "file": str(file),
            "shard": None if shard is None else f"{shard['number']}/{shard['of']}",
            "cpu": run["cpu"]["model"],
            **{key: run[key] for key in copied_keys},
        }
    ]


def _missing(records: Sequence[Record], names: Mapping[Column, str]) -> Iterator[str]:
    """A line for every column and device that lacks cases of the corpus."""
    shards: dict[tuple[str, str], list[Mapping[str, Any] | None]] = {}
    for (number, label), name in names.items():
        run = records[number].run
        for device in run["devices"][label]:
            shards.setdefault((name, device), []).append(run.get("shard"))
    for (name, device), pieces in shards.items():
        some = [piece for piece in pieces if piece is not None]
        if len(some) < len(pieces):
            continue  # of a whole run
        lacks = some[0]["total"] - len({case for piece in some for case in piece["cases"]})
        if lacks:
            of = some[0]["of"]
            there = {piece["number"] for piece in some if piece["of"] == of}
            gone = ", ".join(f"{one}/{of}" for one in range(1, of + 1) if one not in there)
            total = some[0]["total"]
            cases = f"{lacks} of {counted(total, 'case')}"
            yield f"{name} ({device}): shards {gone} are missing, {cases}"


def _end_line(
    records: Sequence[Record],
    names: Mapping[Column, str],
    verdicts: Iterable[Verdict],
    columns: Sequence[str],
    positions: Mapping[str, int],
) -> dict[str, Any]:
    ends = [record.end or {} for record in records]
    tally = Tally(verdicts)
    unchecked = [(at, entry) for at, end in enumerate(ends) for entry in end["unchecked"]]
    idle = {names[at, entry["adapter"]] for at, entry in unchecked if "adapter" in entry}
    own = {entry["case"] for _, entry in unchecked if "case" in entry}
    problems = {repr(problem): problem for end in ends for problem in end["problems"]}
    return {
        "counts": {adapter: dict(counts) for adapter, counts in tally.counts.items()},
        "duration": round(sum(end["duration"] for end in ends), 3),
        "problems": list(problems.values()),
        "known_unconfirmed": tally.unconfirmed,
        "unchecked": tally.unchecked(
            adapters=columns,
            named=[label for label in columns if label in idle],
            own_cases=sorted(own, key=lambda name: positions.get(name, len(positions))),
        ),
    }
