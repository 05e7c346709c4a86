"""The report of a check: a verdict for every call, explained when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from conformance.corpus.case import Case
from conformance.corpus.traits import traits_of
from conformance.printing import text_of
from conformance.record import signatures
from conformance.verdicts import messages
from conformance.verdicts.facts import explanation
from conformance.verdicts.verdict import Verdict
from conformance.wording import counted, part

MOST_LISTED = 12
"""Failures that a report explains: a diagnosis takes far longer than the call that it is of."""


def _late(name: str) -> Any:
    """A field of a lazy verdict that is explained before it is read."""

    def read(lazy: LazyVerdict) -> Any:
        lazy._look()
        return getattr(lazy, name)

    return property(read, lambda lazy, value: object.__setattr__(lazy, name, value))


class LazyVerdict(Verdict):
    """A verdict on a wrong result that is explained when somebody asks for its diagnosis or its
    precision, once.
    """

    __slots__ = ("_diagnosis", "_explain", "_precision")

    _diagnosis: dict[str, Any] | None
    _precision: dict[str, Any] | None
    _explain: Callable[[], Verdict] | None

    @staticmethod
    def of(verdict: Verdict, explain: Callable[[], Verdict]) -> LazyVerdict:
        lazy = LazyVerdict(
            **{entry.name: getattr(verdict, entry.name) for entry in fields(Verdict)}
        )
        object.__setattr__(lazy, "_explain", explain)
        return lazy

    def _look(self) -> None:
        explain = getattr(self, "_explain", None)  # a copy has none, but what was found
        if explain is not None:
            whole = explain()
            object.__setattr__(self, "_diagnosis", whole.diagnosis)
            object.__setattr__(self, "_precision", whole.precision)
            object.__setattr__(self, "_explain", None)

    diagnosis = _late("_diagnosis")
    precision = _late("_precision")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The verdicts of a check, one per case and quantity; the attributes of a verdict are the keys
    of the record's verdict line.

    The `diagnosis` and the `precision` of one that differs are found when they are asked for.
    """

    verdicts: tuple[Verdict, ...]
    _cases: dict[str, Case] = field(default_factory=dict, repr=False)

    @property
    def ok(self) -> bool:
        """Whether nothing fails. Known failures do not apply."""
        return not any(verdict.fails for verdict in self.verdicts)

    def __str__(self) -> str:
        failing = [verdict for verdict in self.verdicts if verdict.fails]
        lines = [part(len(failing), len(self.verdicts), "case", "fail")]
        groups = self._groups(failing)
        share = max(1, MOST_LISTED // max(1, len(groups)))
        for group in groups[:MOST_LISTED]:
            lines += _cause(group, share, self._cases)
        if len(groups) > MOST_LISTED:
            lines.append(f"and {counted(len(groups) - MOST_LISTED, 'more cause')}")
        return text_of(lines)

    def _groups(self, failing: Sequence[Verdict]) -> list[signatures.Group]:
        traits = {name: traits_of(case) for name, case in self._cases.items()}
        passing = (verdict for verdict in self.verdicts if verdict.status == "conforms")
        return signatures.grouped(
            failing,
            passing,
            traits.__getitem__,
            lambda name: self._cases[name].products,
            _signature,
        )


def _signature(verdict: Verdict) -> signatures.Signature:
    """How a verdict fails, without its diagnosis."""
    message = None if verdict.message is None else verdict.message.partition("\n")[0]
    return (
        verdict.adapter,
        verdict.quantity,
        verdict.status,
        verdict.kind,
        signatures.without_numbers(message or ""),
    )


def _cause(group: signatures.Group, share: int, cases: dict[str, Case]) -> Iterator[str]:
    """A group's smallest cases by diagnosis, as many as are looked at; the others are counted."""
    words = signatures.extent(group)
    if words:
        yield words + ":"
    by_name: dict[str | None, list[Verdict]] = {}
    for verdict in group.verdicts[:share]:
        by_name.setdefault(verdict.mistake, []).append(verdict)
    for alike in by_name.values():
        case = cases[alike[0].case]
        yield messages.headline(alike[0]) + ":"
        yield from (
            f"    {line}"
            for line in messages.about({"summary": case.summary, "source": case.source})
        )
        yield from (f"    {line}" for line in explanation(alike[0]))
        if len(alike) > 1:
            yield (
                f"    and so do {len(alike) - 1} of the {min(share, len(group.verdicts)) - 1} "
                "others that were looked at"
            )
