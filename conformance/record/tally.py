"""The tally of a run's verdicts, as they come: counts, and what was not checked at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from conformance.verdicts.verdict import Verdict


class Tally:
    """The counts of verdicts."""

    def __init__(self, verdicts: Iterable[Verdict] = ()) -> None:
        self.counts: dict[str, Counter[str]] = {}
        self.unexpected = 0
        self.unconfirmed = 0
        self._checked: Counter[str] = Counter()
        self._checked_cases: set[str] = set()
        self._reasons: dict[str, Counter[str]] = {}
        self._case_reasons: dict[str, str] = {}
        for verdict in verdicts:
            self.add(verdict)

    def add(self, verdict: Verdict) -> None:
        self.counts.setdefault(verdict.adapter, Counter())[verdict.status] += 1
        self.unexpected += verdict.unexpected
        self.unconfirmed += verdict.known_unconfirmed is not None
        if verdict.is_checked:
            self._checked[verdict.adapter] += 1
            self._checked_cases.add(verdict.case)
        else:
            text = None if verdict.mismatch is None else str(verdict.mismatch["text"])
            reason = verdict.message or text or verdict.status
            self._reasons.setdefault(verdict.adapter, Counter())[reason] += 1
            self._case_reasons.setdefault(verdict.case, f"{verdict.adapter}: {reason}")

    def unchecked(
        self,
        *,
        adapters: Sequence[str],
        named: Sequence[str],
        own_cases: Iterable[str],
        in_shard: bool = False,
    ) -> list[dict[str, str]]:
        """Of which adapters that were asked for by name, and of which cases of one's own, nothing
        was checked, and why.

        `adapters` are all that take part. Where nothing was checked on any of them, the cases are
        not listed besides, unless it is one shard of several.
        """
        idle = [label for label in named if not self._checked[label]]
        entries = [{"adapter": label, "reason": self._why(label)} for label in idle]
        if set(idle) >= set(adapters) and not in_shard:
            return entries
        return entries + [
            {
                "case": case,
                "reason": self._case_reasons.get(case, "it concerns no adapter of the run"),
            }
            for case in own_cases
            if case not in self._checked_cases
        ]

    def _why(self, label: str) -> str:
        reasons = self._reasons.get(label)
        if reasons is None:
            return "none of the cases concerns it"
        ((reason, count),) = reasons.most_common(1)
        others = reasons.total() - count
        return reason + (f" (and {others} for other reasons)" if others else "")
