"""Which verdicts of a run are timed, and how: every adapter in turn, round after round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace

from conformance.outcomes import Outcome
from conformance.record import timing as statistics
from conformance.run.plan import Task
from conformance.run.session import Session
from conformance.verdicts.verdict import Verdict
from conformance.workers import timing
from conformance.workers.answers import readable
from conformance.workers.pool import Pool
from conformance.workers.request import CallRequest


class Measurement:
    """Verdicts that are put off until all comparing is done, and how they are timed then."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._mode = session.request.timing
        self._late: list[Verdict] = []

    def takes(self, verdict: Verdict) -> bool:
        """Whether the verdict is put off; a result that does not conform has no time."""
        session = self._session
        case = session.cases[verdict.case]
        takes = (
            self._mode != "off"
            and verdict.quantity == "output"
            and (self._mode == "full" or not session.plan.is_variant[verdict.adapter])
            and verdict.status == "conforms"
            and timing.TAG in case.tags
            and not case.must_fail
        )
        if takes:
            self._late.append(verdict)
        return takes

    def cases(self) -> list[list[Verdict]]:
        """The verdicts that were put off, case by case in the order of the run."""
        by_case: dict[str, list[Verdict]] = {name: [] for name in self._session.cases}
        for verdict in self._late:
            by_case[verdict.case].append(verdict)
        return list(filter(None, by_case.values()))

    def timed(self, pool: Pool[Task, Verdict], verdicts: Sequence[Verdict]) -> Iterator[Verdict]:
        """The verdicts of one case with their timings."""
        for verdict, rounds in zip(verdicts, self._rounds(pool, verdicts), strict=True):
            if not isinstance(rounds, list):
                yield replace(verdict, message=readable(f"{timing.FAILED}: {rounds}"))
                continue
            key = (verdict.case, verdict.adapter, verdict.device)
            figures = statistics.summarise(
                rounds,
                first=self._session.first_calls.pop(key, None),
                mode=self._mode,
                threads=self._session.request.threads,
            )
            yield replace(verdict, timing=asdict(figures))

    def _rounds(
        self, pool: Pool[Task, Verdict], verdicts: Sequence[Verdict]
    ) -> list[list[list[float]] | Outcome]:
        """The durations of every round of each verdict; or what came instead of a duration."""
        slice_, turns = timing.SLICES[self._mode], timing.ROUNDS[self._mode]
        measured: list[list[list[float]] | Outcome] = [[] for _ in verdicts]
        for _ in range(turns):
            for i, verdict in enumerate(verdicts):
                rounds = measured[i]
                if not isinstance(rounds, list):
                    continue
                if self._mode == "quick" and sum(map(sum, rounds)) > slice_:
                    continue
                durations = pool.time(verdict.adapter, self._request_of(verdict), slice_ / turns)
                if isinstance(durations, list):
                    rounds.append(durations)
                else:
                    measured[i] = durations
        return measured

    def _request_of(self, verdict: Verdict) -> CallRequest:
        request = self._session.call(self._session.task_of(verdict))
        assert isinstance(request, CallRequest), "a verdict that conforms had something to ask"
        return request
