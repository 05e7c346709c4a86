"""Calls that timed out, asked once more when everything else is done: on a loaded machine they say
nothing of the engine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

from conformance.outcomes import Outcome
from conformance.run.plan import Task
from conformance.verdicts.verdict import Verdict
from conformance.workers.engine import MOST_LATE
from conformance.workers.request import EngineRequest


class Retrial:
    """Verdicts that are to be found again, and how: `call` says what to ask, `ask` asks it alone,
    and `judge` judges.
    """

    def __init__(
        self,
        call: Callable[[Task], EngineRequest | Outcome],
        ask: Callable[[str, EngineRequest], Outcome],
        judge: Callable[[Task, Outcome], Verdict],
    ) -> None:
        self._call, self._ask, self._judge = call, ask, judge
        self._late: list[tuple[Task, Verdict]] = []

    def __len__(self) -> int:
        return len(self._late)

    def takes(self, task: Task, verdict: Verdict) -> bool:
        """Whether the verdict is put off: it timed out, and nothing says that it would."""
        if verdict.status != "timed-out" or not verdict.unexpected:
            return False
        self._late.append((task, verdict))
        return True

    def answers(self) -> Iterator[tuple[Task, Verdict]]:
        """The verdicts of the second attempt, adapter by adapter; each is asked with nothing else
        at work.
        """
        in_a_row: Counter[str] = Counter()
        for task, first in sorted(self._late, key=lambda pair: pair[0].label):
            if in_a_row[task.label] >= MOST_LATE:
                left = (
                    f"{first.message}\nnot asked again: {MOST_LATE} calls in a row timed out twice"
                )
                yield task, replace(first, message=left)
                continue
            request = self._call(task)
            assert isinstance(request, EngineRequest), "what timed out was asked"
            verdict = replace(self._judge(task, self._ask(task.label, request)), asked_again=True)
            if verdict.status == "timed-out":
                in_a_row[task.label] += 1
                verdict = replace(
                    verdict,
                    message=f"{first.message}\nasked again alone, at the end: {verdict.message}",
                )
            else:
                in_a_row[task.label] = 0
            yield task, verdict
