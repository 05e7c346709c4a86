"""What engines support, feature by feature: how many checks conform, and why the others do not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from conformance.record.hardware import hardware
from conformance.record.record import Record
from conformance.record.signatures import reason
from conformance.support.features import FEATURES, GRADIENTS, features_of
from conformance.verdicts.verdict import Verdict, standing

_NUMBERS = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:(?: and |, )-?\d+(?:\.\d+)?)*(?![\w-])")
_OF_ONE_CALL = re.compile(r",? and this has .*")
"""What adapters say of the very call, behind what the documentation says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why checks do not conform: their standing and status, the known failure's reason, the
    documentation's, or what happened; `source` says where a known one is published.
    """

    standing: str
    status: str
    text: str
    source: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many checks of a cell one reason is of, and the full name of a case among them."""

    reason: Reason
    count: int
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A feature on an engine: how many checks conform, and the others by reason."""

    conforms: int
    shares: tuple[Share, ...]

    @property
    def checked(self) -> int:
        """How many checks were made: those of unsupported calls could not be."""
        return self.conforms + sum(
            share.count for share in self.shares if share.reason.standing != "unsupported"
        )

    @property
    def unsupported(self) -> int:
        return sum(share.count for share in self.shares if share.reason.standing == "unsupported")

    @property
    def state(self) -> str:
        """One of `text.STATES`; empty where no case has the feature."""
        if not self.checked:
            return "unsupported" if self.unsupported else ""
        if self.conforms == self.checked:
            return "works in part" if self.unsupported else "works"
        if self.conforms:
            return "works, but"
        statuses = {share.reason.status for share in self.shares} - {"unsupported"}
        return "refuses" if statuses == {"raised"} else "fails"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSupport:
    """An engine in the release and the place of one record: a cell for every feature."""

    name: str
    versions: Mapping[str, str]
    place: str
    date: str
    cells: Mapping[str, Cell]

    @property
    def reasons(self) -> list[Reason]:
        """Every reason of a cell, the first that is met first."""
        shares = (share for cell in self.cells.values() for share in cell.shares)
        return list(dict.fromkeys(share.reason for share in shares))


def engines_of(record: Record, sources: Mapping[str, str]) -> list[EngineSupport]:
    """Every adapter of a record on each of its devices; `sources` has where the reasons of known
    failures are published.
    """
    features = {case: features_of(line) for case, line in record.cases.items()}
    columns: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in record.verdicts:
        columns.setdefault((verdict.adapter, verdict.device), []).append(verdict)
    return [
        EngineSupport(
            name=label if device == "cpu" else f"{label} ({device})",
            versions=record.run["versions"].get(label, {}),
            place=hardware(record, label, device),
            date=str(record.run["started"])[:10],
            cells=_cells(verdicts, features, sources),
        )
        for (label, device), verdicts in columns.items()
    ]


def by_feature(
    verdicts: Iterable[Verdict], features: Mapping[str, frozenset[str]]
) -> dict[str, list[Verdict]]:
    """The verdicts that count for each feature; `features` are those of a case, by its full name.

    A verdict on gradients counts for gradients alone. Where an engine supports a feature in no
    case, the unsupported cases that have it count for no other feature: they say nothing of it.
    """
    counting: dict[str, list[Verdict]] = {feature: [] for feature in FEATURES}
    for verdict in verdicts:
        for feature in _features(verdict, features):
            counting[feature].append(verdict)
    never = {
        feature
        for feature, those in counting.items()
        if those and not any(verdict.is_checked for verdict in those)
    }
    return {
        feature: those
        if feature in never
        else [one for one in those if one.is_checked or not never & _features(one, features)]
        for feature, those in counting.items()
    }


def _features(verdict: Verdict, features: Mapping[str, frozenset[str]]) -> frozenset[str]:
    return frozenset([GRADIENTS]) if verdict.quantity == "gradients" else features[verdict.case]


def _cells(
    verdicts: Sequence[Verdict],
    features: Mapping[str, frozenset[str]],
    sources: Mapping[str, str],
) -> dict[str, Cell]:
    unsupported = [verdict for verdict in verdicts if standing(verdict) == "unsupported"]
    texts = alike([_documented(verdict) for verdict in unsupported])

    def reason_of(verdict: Verdict) -> Reason:
        stands = standing(verdict)
        if stands == "unsupported":
            text, source = texts[_documented(verdict)], None
        else:
            is_known, text = reason(verdict)
            source = sources.get(text) if is_known else None
        return Reason(standing=stands, status=verdict.status, text=text, source=source)

    return {
        feature: _cell(those, reason_of)
        for feature, those in by_feature(verdicts, features).items()
    }


def _cell(verdicts: Sequence[Verdict], reason_of: Callable[[Verdict], Reason]) -> Cell:
    """The cell of these verdicts: failures before what is unsupported, the most frequent first; of
    the cases of a reason the one of the shortest name is the example.
    """
    cases: dict[Reason, list[str]] = {}
    for verdict in verdicts:
        if standing(verdict) != "conforms":
            cases.setdefault(reason_of(verdict), []).append(verdict.case)
    shares = (
        Share(reason=why, count=len(names), example=min(names, key=lambda name: (len(name), name)))
        for why, names in cases.items()
    )
    return Cell(
        conforms=len(verdicts) - sum(map(len, cases.values())),
        shares=tuple(sorted(shares, key=_order)),
    )


def _order(share: Share) -> tuple[bool, int]:
    return share.reason.standing == "unsupported", -share.count


def _documented(verdict: Verdict) -> str:
    """Why a call is unsupported, without what is said of that call alone."""
    line = (verdict.message or verdict.status).strip().partition("\n")[0]
    return _OF_ONE_CALL.sub(".", line)


def alike(messages: Iterable[str]) -> dict[str, str]:
    """Message -> the same with "n" for every number, or list of numbers, in which messages that
    are otherwise the same differ.
    """
    groups: dict[str, set[str]] = {}
    for message in messages:
        groups.setdefault(_NUMBERS.sub("\0", message), set()).add(message)
    return {message: _common(group) for group in groups.values() for message in group}


def _common(group: set[str]) -> str:
    """One text for messages that differ in numbers alone."""
    numbers = [set(column) for column in zip(*map(_NUMBERS.findall, group), strict=True)]
    shown = iter(column.pop() if len(column) == 1 else "n" for column in numbers)
    return _NUMBERS.sub(lambda _: next(shown), next(iter(group)))
