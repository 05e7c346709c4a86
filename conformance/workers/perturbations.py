"""The same call in circumstances that should not matter: a sample alone, other threads, another
memory layout.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from conformance.outcomes import Perturbed
from conformance.workers.answers import Greeting
from conformance.workers.engine import Engine, Spec
from conformance.workers.request import CallRequest


class Perturbations:
    """The processes beside one engine: the same adapter under another name for an aspect that
    should not matter.

    A process is started when it is first needed, by the `specs` of its aspect.
    """

    def __init__(self, specs: Mapping[str, Spec], start: Callable[[Spec], Engine]) -> None:
        self._specs, self._start = specs, start
        self._engines: dict[str, Engine] = {}

    def outcomes(self, engine: Engine, request: CallRequest) -> tuple[Perturbed, ...]:
        """The outcomes of the call in every other circumstance."""
        once = replace(request, repeat=1)
        alone = tuple(
            Perturbed(aspect="batch", sample=i, outcome=one.ask(engine))
            for i, one in _samples(once)
            if engine.running
        )
        return alone + tuple(
            Perturbed(aspect=aspect, outcome=once.ask(other)) for aspect, other in self._running()
        )

    def _running(self) -> Iterator[tuple[str, Engine]]:
        for aspect, spec in self._specs.items():
            if aspect not in self._engines:
                self._engines[aspect] = self._start(spec)
            engine = self._engines[aspect]
            if engine.running or isinstance(engine.start(), Greeting):
                yield aspect, engine


def _samples(request: CallRequest) -> Iterator[tuple[int, CallRequest]]:
    """The first and the last sample of a batch, each alone."""
    batch = request.tensors.x.shape[0]
    for i in {0, batch - 1} if batch > 1 else ():
        tensors = request.tensors._replace(x=request.tensors.x[i : i + 1])
        cotangent = None if request.cotangent is None else request.cotangent[i : i + 1]
        yield i, replace(request, tensors=tensors, cotangent=cotangent)
