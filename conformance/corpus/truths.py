"""Arrays and truths of cases, computed once for all adapters and kept while there is room.

They are kept in memory alone: engines run as the same user, and could write to a file of truths.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property

from conformance.corpus.case import Case
from conformance.corpus.tensors import Array, Tensors, cotangent_of, dtype_of, tensors_of
from conformance.oracle import GradientTruth, Truth, gradient_truths, truth_of

KEEP_BYTES = 96 * 2**20
LARGE_BYTES = 2**20
"""The most bytes of a case that is kept until the end of a run: a larger one is asked for by all
adapters at about the same time."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """The arrays of a case, and the truth; None where the case must be refused."""

    tensors: Tensors
    truth: Truth | None
    cotangent: Array | None = None

    @cached_property
    def gradient_truths(self) -> dict[str, GradientTruth]:
        """By operand; of a case with a cotangent alone."""
        assert self.truth is not None, "what is refused has no gradients"
        assert self.cotangent is not None, "the case has no cotangent"
        return gradient_truths(*self.tensors, self.cotangent, self.truth.geometry, self.truth.dtype)


def bytes_of(case: Case) -> int:
    """The bytes of the arrays and the truth of a case, with all that is derived from the truth
    counted as if it existed.
    """
    sources = {"input": case.input, "kernel": case.kernel, "bias": case.bias}
    sizes = {key: math.prod(source.shape) for key, source in sources.items() if source is not None}
    operands = sum(sizes.values())
    arrays = sum(size * dtype_of(case.dtype_of(key)).itemsize for key, size in sizes.items())
    if case.must_fail or case.geometry is None:
        return arrays
    truths = 1 if case.gradients is None else 4
    return arrays + 8 * truths * (operands + 5 * math.prod(case.output_shape))


def is_large(case: Case) -> bool:
    return bytes_of(case) > LARGE_BYTES


def prepare(case: Case) -> Prepared:
    """The arrays and the truth of a case."""
    tensors = tensors_of(case)
    if case.must_fail or case.geometry is None:
        return Prepared(tensors=tensors, truth=None)
    return Prepared(
        tensors=tensors,
        truth=truth_of(*tensors, case.geometry, case.dtype),
        cotangent=cotangent_of(case),
    )


class Truths:
    """`prepare`, once per case as long as there is room to keep what was used last. Safe to use
    from several threads.
    """

    def __init__(self, keep_bytes: int = KEEP_BYTES) -> None:
        self._keep_bytes = keep_bytes
        self._prepared: OrderedDict[str, Prepared] = OrderedDict()
        self._bytes: dict[str, int] = {}
        self._making: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def __call__(self, case: Case) -> Prepared:
        with self._lock:
            if case.name in self._prepared:
                self._prepared.move_to_end(case.name)
                return self._prepared[case.name]
            making = self._making.setdefault(case.name, threading.Lock())
        with making:  # who comes second waits for what the first one makes
            with self._lock:
                if case.name in self._prepared:
                    return self._prepared[case.name]
                self._make_room(bytes_of(case))
            prepared = prepare(case)
            with self._lock:
                self._prepared[case.name], self._bytes[case.name] = prepared, bytes_of(case)
                self._making.pop(case.name, None)
        return prepared

    def _make_room(self, size: int) -> None:
        """Let go of what was used longest ago, of large cases first: their turn is over when the
        next one comes.
        """
        while self._prepared and sum(self._bytes.values()) + size > self._keep_bytes:
            name = next(
                (name for name in self._prepared if self._bytes[name] > LARGE_BYTES),
                next(iter(self._prepared)),
            )
            del self._prepared[name], self._bytes[name]
