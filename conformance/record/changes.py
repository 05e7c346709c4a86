"""Changes between two records: verdicts, timings, versions, and what only one of them has.

Verdicts are held against each other by case, adapter, device and quantity. Nothing here reads a
file or prints.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.record.definition import DEFINING
from conformance.record.paces import Pace, paces, why_not_comparable
from conformance.record.record import Record
from conformance.verdicts.verdict import Key, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Two verdicts on the same thing that differ in `what`: some of ASPECTS. `old` is None where
    OLD has no such verdict.
    """

    key: Key
    old: Verdict | None
    new: Verdict
    what: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A point in which the run lines differ: the version of an adapter's distribution, or the
    machine and the settings.
    """

    adapter: str | None
    name: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Only:
    """The parts that one record has and the other has not; `verdicts` are those whose case and
    adapter both have.
    """

    cases: tuple[str, ...]
    adapters: tuple[str, ...]
    verdicts: tuple[Key, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The changes from an old record to a new one, each list in the order of the new record.

    What engines did is compared, and not what was known of it. `newly_failing`: fails now and did
    not before; so does what fails in another way and is no longer known, and what OLD lacks and is
    not known. `newly_passing`: conforms now, and failed before. `changed`: neither, but another
    status, kind, diagnosis or precision. `paces`: every call that both have timed, empty with the
    reason in `untimed` where the times cannot be compared. `problems`: known failures that match
    no case, and did before. `redefined`: cases of one name that are not the same call in both.
    """

    newly_failing: tuple[Change, ...]
    newly_passing: tuple[Change, ...]
    changed: tuple[Change, ...]
    paces: tuple[Pace, ...]
    untimed: str | None
    versions: tuple[Fact, ...]
    settings: tuple[Fact, ...]
    problems: tuple[Mapping[str, str], ...]
    redefined: tuple[str, ...]
    only_old: Only
    only_new: Only
    compared: int

    @property
    def slower(self) -> tuple[Pace, ...]:
        """Paces whose whole interval is above 1, the slowest first."""
        return tuple(
            sorted((pace for pace in self.paces if pace.slower), key=lambda pace: -pace.ratio)
        )

    @property
    def faster(self) -> tuple[Pace, ...]:
        """Paces whose whole interval is below 1, the fastest first."""
        return tuple(
            sorted((pace for pace in self.paces if pace.faster), key=lambda pace: pace.ratio)
        )

    @property
    def fails(self) -> bool:
        """Whether anything fails now that did not before, and is not known."""
        return any(change.new.known is None for change in self.newly_failing) or bool(self.problems)

    def too_slow(self, limit: float) -> tuple[Pace, ...]:
        """Those slower by more than this ratio of medians, where a difference is seen at all."""
        return tuple(pace for pace in self.slower if pace.ratio > limit)


ASPECTS = ("status", "kind", "diagnosis", "precision")
"""The aspects in which two verdicts may differ."""

_SETTINGS = (
    "conformance",
    "python",
    "system",
    "machine",
    "threads",
    "precision",
    "timing",
    "repeat",
)


def changes(old: Record, new: Record) -> Changes:
    """Everything that changed from `old` to `new`."""
    before, after = _by_key(old.verdicts), _by_key(new.verdicts)
    failing, passing, others = [], [], []
    for key, verdict in after.items():
        earlier = before.get(key)
        change = Change(
            key=key, old=earlier, new=verdict, what=_aspects(earlier, verdict, old, new)
        )
        if _fails_now(change):
            failing.append(change)
        elif earlier is not None and _passes_now(earlier, verdict):
            passing.append(change)
        elif earlier is not None and change.what:
            others.append(change)
    untimed = why_not_comparable(old, new)
    common = before.keys() & after.keys()
    return Changes(
        newly_failing=tuple(failing),
        newly_passing=tuple(passing),
        changed=tuple(others),
        paces=() if untimed else tuple(paces(before, after)),
        untimed=untimed,
        versions=tuple(_versions(old, new)),
        settings=tuple(_settings(old, new)),
        problems=tuple(problem for problem in _problems(new) if problem not in _problems(old)),
        redefined=tuple(
            name
            for name, case in new.cases.items()
            if name in old.cases and _redefined(old.cases[name], case)
        ),
        only_old=_only(old, new, (key for key in before if key not in common)),
        only_new=_only(new, old, (key for key in after if key not in common)),
        compared=len(common),
    )


def precision_of(verdict: Verdict, dtype: str) -> str | None:
    """The precision that a verdict found, in words; None where it is the dtype's own, or nothing
    was rounded.
    """
    if verdict.precision is None or verdict.precision["formats"] == [dtype]:
        return None
    return " or ".join(verdict.precision["formats"]) or f"{verdict.precision['bits']} bits"


def _by_key(verdicts: Iterable[Verdict]) -> dict[Key, Verdict]:
    return {
        Key(verdict.case, verdict.adapter, verdict.device, verdict.quantity): verdict
        for verdict in verdicts
    }


def _aspects(
    old: Verdict | None, new: Verdict, old_record: Record, new_record: Record
) -> tuple[str, ...]:
    if old is None:
        return ()
    sides = [
        {
            "status": verdict.status,
            "kind": verdict.kind,
            "diagnosis": verdict.mistake,
            "precision": precision_of(verdict, record.cases[verdict.case].get("dtype", "float32")),
        }
        for verdict, record in ((old, old_record), (new, new_record))
    ]
    return tuple(name for name in ASPECTS if sides[0][name] != sides[1][name])


def _fails_now(change: Change) -> bool:
    old, new = change.old, change.new
    if not new.fails:
        return False
    if old is None:
        return new.unexpected
    return not old.fails or (
        new.unexpected and not old.unexpected and bool({*change.what} - {"precision"})
    )


def _passes_now(old: Verdict, new: Verdict) -> bool:
    return new.status == "conforms" and old.fails


def _versions(old: Record, new: Record) -> Iterable[Fact]:
    """Of the adapters that both have: versions, distribution by distribution, and what both tell of
    themselves besides.
    """
    for adapter, versions in new.run["versions"].items():
        if adapter in old.run["versions"]:
            yield from _facts(adapter, old.run["versions"][adapter], versions)
            sides = [side.run["facts"].get(adapter, {}) for side in (old, new)]
            if all(sides):  # an older record has none
                yield from _facts(adapter, *sides)


def _settings(old: Record, new: Record) -> Iterable[Fact]:
    sides: list[dict[str, Any]] = [
        {
            **{name: record.run.get(name) for name in _SETTINGS},
            "cpu": record.run["cpu"].get("model"),
        }
        for record in (old, new)
    ]
    return _facts(None, *sides)


def _facts(adapter: str | None, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[Fact]:
    for name in dict.fromkeys([*new, *old]):
        if old.get(name) != new.get(name):
            sides = [None if side.get(name) is None else str(side[name]) for side in (old, new)]
            yield Fact(adapter=adapter, name=name, old=sides[0], new=sides[1])


def _problems(record: Record) -> list[Mapping[str, str]]:
    return list(record.problems)


def _redefined(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether one name stands for two calls; keys that an older record does not have are not held
    against it.
    """
    return any(_differ(old[name], new[name]) for name in DEFINING if name in old and name in new)


def _differ(old: Any, new: Any) -> bool:
    """Whether two values of a case's line are not the same; of two arrays, as far as both records
    say: recipe, else numbers.
    """
    if not (
        isinstance(old, Mapping) and isinstance(new, Mapping) and "shape" in old and "shape" in new
    ):
        return bool(old != new)
    content_key = next((key for key in ("make", "values") if key in old and key in new), "shape")
    return bool(old["shape"] != new["shape"] or old[content_key] != new[content_key])


def _only(having: Record, lacking: Record, keys: Iterable[Key]) -> Only:
    labels = [entry["label"] for entry in having.run["adapters"]]
    others = {entry["label"] for entry in lacking.run["adapters"]}
    shared = {label for label in labels if label in others}
    return Only(
        cases=tuple(name for name in having.cases if name not in lacking.cases),
        adapters=tuple(label for label in labels if label not in others),
        verdicts=tuple(key for key in keys if key.case in lacking.cases and key.adapter in shared),
    )
