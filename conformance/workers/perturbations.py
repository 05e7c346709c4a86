"""The same call in circumstances that should not matter: a sample alone, other threads, another
memory layout.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from conformance.outcomes import Outcome, Perturbed, TimedOut
from conformance.workers.answers import Greeting
from conformance.workers.engine import MOST_FAILED_STARTS, MOST_LATE, Engine
from conformance.workers.request import CallRequest
from conformance.workers.spec import Spec


class Perturbations:
    """The processes beside one engine: the same adapter under another name for an aspect that
    should not matter.

    A process is started when it is first needed, by the `specs` of its aspect, and given up when it
    does not start, or hangs.
    """

    def __init__(self, specs: Mapping[str, Spec], start: Callable[[Spec], Engine]) -> None:
        self._specs, self._start = specs, start
        self._engines: dict[str, Engine] = {}
        self._late: Counter[str] = Counter()
        self._last_outcomes: dict[str, Outcome] = {}

    def outcomes(self, engine: Engine, request: CallRequest) -> tuple[Perturbed, ...]:
        """The outcomes of the call in every other circumstance."""
        once = replace(request, repeat=1)
        alone = tuple(
            Perturbed(aspect="batch", sample=i, outcome=one.ask(engine))
            for i, one in _samples(once)
            if engine.running
        )
        return alone + tuple(
            Perturbed(aspect=aspect, outcome=self._outcome(aspect, once)) for aspect in self._specs
        )

    def _outcome(self, aspect: str, request: CallRequest) -> Outcome:
        """The outcome of the process of an aspect; what it last came to, once it is given up."""
        last = self._last_outcomes.get(aspect)
        if last is not None:
            return last
        if aspect not in self._engines:
            self._engines[aspect] = self._start(self._specs[aspect])
        engine = self._engines[aspect]
        if not engine.running:
            answer = engine.start()
            if not isinstance(answer, Greeting):
                if engine.failed_starts >= MOST_FAILED_STARTS:
                    self._last_outcomes[aspect] = answer
                return answer
        outcome = request.ask(engine)
        self._late[aspect] = self._late[aspect] + 1 if isinstance(outcome, TimedOut) else 0
        if self._late[aspect] >= MOST_LATE:
            self._last_outcomes[aspect] = outcome
        return outcome


def _samples(request: CallRequest) -> Iterator[tuple[int, CallRequest]]:
    """The first and the last sample of a batch, each alone."""
    batch = request.tensors.x.shape[0]
    for i in {0, batch - 1} if batch > 1 else ():
        tensors = request.tensors._replace(x=request.tensors.x[i : i + 1])
        cotangent = None if request.cotangent is None else request.cotangent[i : i + 1]
        yield i, replace(request, tensors=tensors, cotangent=cotangent)
