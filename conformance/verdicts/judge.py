"""From what an engine did to the verdict that the record keeps: compared, diagnosed, and explained
by what is known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from conformance.adapters import OTHER_LAYOUT
from conformance.corpus.case import Case
from conformance.corpus.truths import Truths
from conformance.outcomes import Again, Gradients, Outcome, Output, Perturbed, Repeated, Varied
from conformance.system.machine import Facts, circumstances
from conformance.verdicts.assessment import assess_gradients, assess_output
from conformance.verdicts.claim import assess_shape
from conformance.verdicts.diagnosis import UNEXPLAINED, diagnosed, diagnosed_gradients
from conformance.verdicts.invariance import variation
from conformance.verdicts.known import Difference, explain
from conformance.verdicts.repetition import nondeterminism
from conformance.verdicts.verdict import Verdict
from conformance.verdicts.version_range import Position

MOST_UNEXPLAINED = 50
"""Wrong results of one engine that nothing explains, from which on mistakes are sought briefly: an
engine that is wrong everywhere must not take minutes to say so.
"""


class Judge:
    """Verdicts of one run: `adapters`, `versions` and `facts` are by label."""

    def __init__(
        self,
        truths: Truths,
        known: Sequence[Difference],
        *,
        adapters: Mapping[str, str],
        versions: Mapping[str, Mapping[str, str]],
        facts: Mapping[str, Facts],
    ) -> None:
        self._truths, self._known, self._adapters, self._versions = (
            truths,
            known,
            adapters,
            versions,
        )
        machine = circumstances()
        self._circumstances = {label: replace(machine, facts=its) for label, its in facts.items()}
        self._known_of: dict[tuple[str, str, str], list[Difference]] = {}
        self._unexplained: Counter[str] = Counter()

    def __call__(
        self, case: Case, outcome: Outcome, *, adapter: str, device: str, quantity: str
    ) -> Verdict:
        """The verdict on an outcome of the adapter with that label."""
        subject = {"adapter": adapter, "device": device, "quantity": quantity}
        if isinstance(outcome, Again):
            verdict = self(case, outcome.outcome, **subject)
            text = f"its process had ended after other calls: {outcome.first}"
            return replace(verdict, asked_again=True, message=verdict.message or text)
        if isinstance(outcome, Varied):
            verdict = self(case, outcome.outcome, **subject)
            return self._varied(case, verdict, outcome)
        if isinstance(outcome, Repeated):
            verdicts = [self._judged(case, one, **subject) for one in outcome.outcomes]
            worst = next((verdict for verdict in verdicts if verdict.fails), verdicts[0])
            return self._explained(
                replace(worst, nondeterministic=nondeterminism(outcome.outcomes))
            )
        return self._explained(self._judged(case, outcome, **subject))

    def _judged(
        self, case: Case, outcome: Outcome, *, adapter: str, device: str, quantity: str
    ) -> Verdict:
        if quantity == "shape":
            return assess_shape(case, outcome, adapter=adapter, device=device)
        prepared = self._truths(case)
        if quantity == "gradients":
            verdict = assess_gradients(
                case, prepared.gradient_truths, outcome, adapter=adapter, device=device
            )
            return diagnosed_gradients(verdict, outcome, prepared.gradient_truths)
        verdict = assess_output(case, prepared.truth, outcome, adapter=adapter, device=device)
        briefly = self._unexplained[adapter] >= MOST_UNEXPLAINED
        verdict = diagnosed(verdict, outcome, prepared.truth, briefly=briefly)
        if verdict.status == "differs":
            self._unexplained[adapter] += (verdict.diagnosis or {}).get("name") in UNEXPLAINED
        return verdict

    def is_known_to_crash(self, case: Case, *, adapter: str, device: str, quantity: str) -> bool:
        """Whether a known failure says that the call ends the engine's process."""
        entries = self._known_at(adapter, self._adapters[adapter], device)
        return any(
            e.status == "crashed" and e.quantity == quantity and e.names(case.name) for e in entries
        )

    def _known_at(self, label: str, adapter: str, device: str) -> list[Difference]:
        """The entries that speak of an adapter there; looked for once, since most of all entries
        are of others.
        """
        key = label, adapter, device
        if key not in self._known_of:
            of_adapter = [entry for entry in self._known if entry.is_of(label, adapter)]
            self._known_of[key] = [
                entry
                for entry in of_adapter
                if entry.where_holds(device, self._circumstances[label])
                and entry.position(self._versions[label]) in (Position.WITHIN, Position.BEYOND)
            ]
        return self._known_of[key]

    def _explained(self, verdict: Verdict, adapter: str | None = None) -> Verdict:
        adapter = adapter or self._adapters[verdict.adapter]
        known, versions = (
            self._known_at(verdict.adapter, adapter, verdict.device),
            self._versions[verdict.adapter],
        )
        return explain(
            verdict,
            known,
            adapter=adapter,
            versions=versions,
            circumstances=self._circumstances[verdict.adapter],
        )

    def _varied(self, case: Case, verdict: Verdict, varied: Varied) -> Verdict:
        """The verdict with what changes the result and should not; beyond the bound it differs,
        unless that is known.
        """
        usual = (
            varied.outcome.outcomes[0] if isinstance(varied.outcome, Repeated) else varied.outcome
        )
        prepared = self._truths(case)
        if not isinstance(usual, Output | Gradients) or prepared.truth is None:
            return verdict
        truths = (
            prepared.gradient_truths if isinstance(usual, Gradients) else {"out": prepared.truth}
        )
        by_aspect: dict[str, Any] = {}
        worst: tuple[Perturbed, dict[str, Any]] | None = None
        for perturbed in varied.perturbed:
            apart = variation(usual, perturbed, truths)
            if apart is None:
                continue
            before = by_aspect.get(perturbed.aspect)
            if before is None or (apart["beyond"], apart["largest"] or 0.0) > (
                before["beyond"],
                before["largest"] or 0.0,
            ):
                by_aspect[perturbed.aspect] = apart
            if apart["beyond"] and worst is None:
                worst = perturbed, apart
        verdict = replace(verdict, invariance=by_aspect or None)
        if worst is None or verdict.fails:
            return verdict
        perturbed, apart = worst
        mismatch = {"kind": "invariance", "aspect": perturbed.aspect, "text": apart["text"]}
        differs = replace(verdict, status="differs", mismatch=mismatch, known_problem=None)
        return self._explained(
            replace(differs, known=self._known_perturbed(case, verdict, perturbed))
        )

    def _known_perturbed(self, case: Case, verdict: Verdict, perturbed: Perturbed) -> str | None:
        """The reason of the known failure that says of the variant what it does here; None if
        none does.
        """
        other = self._adapters[verdict.adapter]
        if perturbed.aspect == "layout":
            other = OTHER_LAYOUT[other]
        if perturbed.sample is not None:
            return None
        judged = self._judged(
            case,
            perturbed.outcome,
            adapter=verdict.adapter,
            device=verdict.device,
            quantity=verdict.quantity,
        )
        return self._explained(judged, adapter=other).known
