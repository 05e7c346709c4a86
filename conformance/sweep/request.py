"""What a sweep is asked for: the calls to draw, and the engines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance.corpus.shards import Shard
from conformance.sweep.draw import Wish
from conformance.workers.spec import Spec

TIMEOUT = 30.0  # seconds of a call: they are small, and a compiler may be part of one


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The calls to draw, the engines to sweep, and the folder of the failures."""

    seed: int
    count: int
    wish: Wish
    specs: Sequence[Spec]
    folder: Path
    threads: int = 1
    timeout: float = TIMEOUT
    device: str | None = None
    """The device to run on; an engine's first where none is given."""
    indices: Sequence[int] = ()
    """The numbers of the calls to make; the first `count` where there are none."""
    shard: Shard | None = None
    """Of N, the one that makes every N-th of these calls; all of them if there is none."""
    corpora: Sequence[Path] = ()
    """The corpora whose known failures are told and not shrunk."""

    @property
    def numbers(self) -> Sequence[int]:
        numbers = self.indices or range(1, self.count + 1)
        if self.shard is None:
            return numbers
        if isinstance(numbers, range):
            return numbers[self.shard.number - 1 :: self.shard.of]
        return [one for one in numbers if (one - self.shard.number) % self.shard.of == 0]

    def address(self, number: int) -> str:
        """The options with which the command makes this one call again."""
        return " ".join(("--seed", str(self.seed), "--index", str(number), *self.wish.words))
