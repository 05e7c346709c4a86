"""A reader under test: how its inputs are made, and what reading one may come to."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from conformance.errors import ConformanceError

SECONDS_PER_100_KB = 2.0


class Fault(Exception):  # noqa: N818 - it is what is looked for
    """What a reader must not do: raise what is not its own, or take too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """`draw` makes a valid input of a seed and twists it once for each of the numbers; `read`
    reads it and what lies behind, and raises `refusals` alone.
    """

    name: str
    draw: Callable[[random.Random, Sequence[random.Random]], bytes]
    read: Callable[[bytes], None]
    refusals: tuple[type[Exception], ...] = (ConformanceError,)

    def made(self, seed: int, twists: Sequence[int]) -> bytes:
        """The input of a seed, twisted by each of the numbers in turn."""
        return self.draw(random.Random(seed), [random.Random(twist) for twist in twists])

    def accepts(self, content: bytes) -> bool:
        """Whether the reader takes an input, or refuses it in sentences. Raises Fault."""
        begun = time.process_time()
        try:
            self.read(content)
        except self.refusals as error:
            is_accepted = False
            self._check_sentences(error)
        except Exception as error:
            raise Fault(f"{self.name}: {type(error).__name__}: {str(error)[:300]}") from error
        else:
            is_accepted = True
        seconds = time.process_time() - begun
        if seconds > SECONDS_PER_100_KB * max(1.0, len(content) / 1e5):
            raise Fault(f"{self.name}: took {seconds:.1f} s for {len(content)} bytes")
        return is_accepted

    def _check_sentences(self, error: Exception) -> None:
        """A refusal is lines of usual length that nothing in them breaks."""
        lines = error.lines if isinstance(error, ConformanceError) else (str(error),)
        for line in lines:
            if not line.strip() or len(line) > 2000:
                raise Fault(f"{self.name}: tells too much, {len(line)} characters: {line[:300]!r}")
