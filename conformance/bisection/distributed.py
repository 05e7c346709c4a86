"""Trials on the workers of a cluster, as many at a time as it has threads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from conformance.bisection.trial import Key, TrialResult, Trier
from conformance.cluster import Crew, Piece, crew_at, refuse_needs


class CrewTrier(Trier[Key]):
    """Tries on a crew what another one would try here, and what may be asked next besides.

    Workers make environments below the same folder as here: on one machine, or in a file system
    that all of them have.
    """

    def __init__(self, trier: Trier[Key], crew: Crew) -> None:
        super().__init__(trier.question, trier.maker, trier.folder, fresh=trier.fresh)
        self._trier, self._crew = trier, crew
        self._answers: dict[Key, TrialResult] = {}

    def __call__(self, key: Key) -> TrialResult:
        self.ahead([key])
        return self._answers[key]

    def ahead(self, keys: Sequence[Key]) -> None:
        """Try the first of these, and others beside it while there are threads."""
        if not keys or keys[0] in self._answers:
            return
        new = [key for key in keys if key not in self._answers][: self._crew.threads]
        pieces = [
            Piece(tag=key, function=_try, arguments=[self._trier, key], name="trial")
            for key in dict.fromkeys(new)
        ]
        self._answers.update(self._crew.results(pieces))


def _try(trier: Trier[Key], key: Key) -> TrialResult:
    """A trial, on a worker."""
    return trier(key)


@contextmanager
def trier_at(trier: Trier[Key], where: str | None, needs: Sequence[str]) -> Iterator[Trier[Key]]:
    """The trier itself, or one on a cluster. Raises UsageError."""
    if where is None:
        refuse_needs(needs)
        yield trier
        return
    with crew_at(where, needs) as crew:
        yield CrewTrier(trier, crew)
