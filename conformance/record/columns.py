"""The columns of a record that is made of several: one for each adapter, release and machine.

Pieces of one adapter in one release are one column if no two tell the same verdict: shards run
where there is room, on whatever processor. Those that do are told apart by what differs. An engine
that did not start has told no release: it is of the one that the others told, if they agree.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from conformance.record.record import Record
from conformance.verdicts.verdict import Key

Column = tuple[int, str]
"""The place of a record among those that are united, and a label in it."""


def labels(records: Sequence[Record]) -> dict[Column, str]:
    """By column of each record: its label in the whole."""
    by_label: dict[str, list[Column]] = {}
    for at, record in enumerate(records):
        for entry in record.run["adapters"]:
            by_label.setdefault(entry["label"], []).append((at, entry["label"]))
    keys_by_record = [_verdict_keys(record) for record in records]
    names: dict[Column, str] = {}
    for label, columns in by_label.items():
        identities = [_identity(records[at].run, label) for at, _ in columns]
        differing = _differing(_completed(identities))
        by_release: dict[str, list[Column]] = {}
        for column, about in zip(columns, differing, strict=True):
            by_release.setdefault(_text(about, _OF_A_RELEASE), []).append(column)
        for release, pieces in by_release.items():
            abouts = {column: differing[columns.index(column)] for column in pieces}
            machines = {column: _text(about, _OF_A_MACHINE) for column, about in abouts.items()}
            apart = _overlap(
                {column: keys_by_record[column[0]].get(label, set()) for column in pieces}, machines
            )
            for column in pieces:
                parts = [release, machines[column] if apart else ""]
                names[column] = "@".join(filter(None, [label, ", ".join(filter(None, parts))]))
    return names


_OF_A_RELEASE = ("adapter", "convention", "versions", "platform", "machine")
_OF_A_MACHINE = ("cpu", "facts")
_OF_A_GREETING = ("convention", "versions", "facts")
"""What an engine says of itself when it is greeted."""


def _identity(run: Mapping[str, Any], label: str) -> dict[str, dict[str, str]]:
    """What decides the results of an adapter, by aspect and name."""
    (entry,) = (entry for entry in run["adapters"] if entry["label"] == label)
    facts = {name: json.dumps(fact) for name, fact in run["facts"].get(label, {}).items()}
    return {
        "adapter": {"": str(entry["adapter"])},
        "convention": {"": str(entry.get("convention"))},
        "versions": dict(run["versions"][label]),
        "platform": {"": run["platform"]},
        "machine": {"": run["machine"]},
        "cpu": {"": str(run["cpu"].get("model"))},
        "facts": {name: f"{name}={fact}" for name, fact in facts.items()},
    }


def _completed(
    identities: Sequence[dict[str, dict[str, str]]],
) -> list[dict[str, dict[str, str]]]:
    """The same, in which an engine that told nothing is the one that told something elsewhere, if
    there is one alone.
    """
    greeted: dict[str, list[dict[str, dict[str, str]]]] = {}
    for one in identities:
        if one["versions"]:
            greeted.setdefault(one["adapter"][""], []).append(one)
    return [
        one if one["versions"] else one | _common_release(greeted.get(one["adapter"][""], []))
        for one in identities
    ]


def _common_release(greeted: Sequence[dict[str, dict[str, str]]]) -> dict[str, dict[str, str]]:
    """What they told of themselves if it is the same release, or nothing."""
    releases = {json.dumps([one[key] for key in _OF_A_RELEASE], sort_keys=True) for one in greeted}
    return {key: greeted[0][key] for key in _OF_A_GREETING} if len(releases) == 1 else {}


def _differing(identities: Sequence[Mapping[str, Mapping[str, str]]]) -> list[dict[str, list[str]]]:
    """Of each: by aspect, the values that are not the same in all."""
    return [
        {
            aspect: [
                values.get(name, f"no {name}")
                for name in sorted({name for one in identities for name in one[aspect]})
                if len({one[aspect].get(name) for one in identities}) > 1
            ]
            for aspect, values in identity.items()
        }
        for identity in identities
    ]


def _text(differing: Mapping[str, Sequence[str]], aspects: Iterable[str]) -> str:
    return " ".join(value for aspect in aspects for value in differing[aspect])


def _verdict_keys(record: Record) -> dict[str, set[Key]]:
    """By label: what the record has a verdict of."""
    keys: dict[str, set[Key]] = {}
    for one in record.verdicts:
        key = Key(one.case, one.adapter, one.device, one.quantity)
        keys.setdefault(one.adapter, set()).add(key)
    return keys


def _overlap(keys_by_column: Mapping[Column, set[Key]], machines: Mapping[Column, str]) -> bool:
    """Whether two machines tell the same verdict."""
    by_machine: dict[str, set[Key]] = {}
    for column, keys in keys_by_column.items():
        by_machine.setdefault(machines[column], set()).update(keys)
    return sum(map(len, by_machine.values())) > len(set().union(*by_machine.values()))
