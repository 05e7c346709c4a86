"""Arrays and truths of cases, computed once for all adapters and kept while there is room."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property

from conformance.case import Case
from conformance.oracle import GradientTruth, Truth, gradient_truths, truth_of
from conformance.tensors import Array, Tensors, cotangent_of, tensors_of

KEEP_BYTES = 96 * 2**20


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """The arrays of a case, and the truth; None where the case must be refused."""

    tensors: Tensors
    truth: Truth | None
    cotangent: Array | None = None

    @cached_property
    def gradients(self) -> dict[str, GradientTruth]:
        """By operand; of a case with a cotangent alone."""
        assert self.truth is not None, "what is refused has no gradients"
        assert self.cotangent is not None, "the case has no cotangent"
        return gradient_truths(*self.tensors, self.cotangent, self.truth.geometry, self.truth.dtype)

    @property
    def size(self) -> int:
        """Bytes held, the derived arrays of the truth counted as if they were there."""
        arrays = sum(array.nbytes for array in self.tensors if array is not None)
        truths = 1 if self.cotangent is None else 4
        return arrays if self.truth is None else truths * (3 * arrays + 4 * self.truth.y.nbytes)


def prepare(case: Case) -> Prepared:
    """The arrays and the truth of a case."""
    tensors = tensors_of(case)
    if case.must_fail or case.geometry is None:
        return Prepared(tensors=tensors, truth=None)
    return Prepared(tensors=tensors, truth=truth_of(*tensors, case.geometry, case.dtype), cotangent=cotangent_of(case))


class Truths:
    """`prepare` with a memory of the cases used last. Safe to use from several threads."""

    def __init__(self, keep_bytes: int = KEEP_BYTES) -> None:
        self._keep = keep_bytes
        self._held: OrderedDict[str, Prepared] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, case: Case) -> Prepared:
        with self._lock:
            if case.name in self._held:
                self._held.move_to_end(case.name)
                return self._held[case.name]
        prepared = prepare(case)
        with self._lock:
            self._held[case.name] = prepared
            while len(self._held) > 1 and sum(entry.size for entry in self._held.values()) > self._keep:
                self._held.popitem(last=False)
        return prepared
