"""Calls of a function of a C library, whose output lies between guards.

    int NAME(int rank, const int64_t *x, const int64_t *w, const int64_t *y,
             const int64_t *stride, const int64_t *padding, const int64_t *dilation,
             int64_t groups, const float *input, const float *kernel, const float *bias,
             float *output);

`x`, `w` and `y` are shapes of rank + 2 sizes: (N, C_in, *spatial), (C_in, C_out / groups, *kernel)
and (N, C_out, *out). `padding` is what is cut at the low end; the high end follows from `y`. `bias`
may be NULL. It returns 0, or 1 for what it does not do.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import numpy as np

from conformance.corpus.tensors import Array
from conformance.kernels.bench.loading import LoadingError
from conformance.kernels.bench.numpy_caller import NumpyCaller

GUARD = 4096
"""Numbers before and behind the output that must stay what they are."""
UNTOUCHED = np.float32(-8.25e31)
DONE, NOT_DONE = 0, 1


class LibraryCaller(NumpyCaller):
    """Of one function; an output that was not written to is NaN."""

    def __init__(self, path: str, name: str | None) -> None:
        if name is None:
            raise LoadingError("is a library: say which function, as FILE:NAME")
        library = ctypes.CDLL(str(Path(path).resolve()))
        if not hasattr(library, name):
            raise LoadingError(f"has no function {name}")
        self._function = getattr(library, name)
        self._function.restype = ctypes.c_int
        super().__init__(self._function)

    def run(self, inputs: list[Array], arguments: dict[str, Any], due: list[int]) -> Array:
        """One call. Raises NotImplementedError where it returns 1, RuntimeError where that is
        another number, or where it wrote beside its output.
        """
        x, w, b = (*inputs, None)[:3]
        assert x is not None
        assert w is not None
        if x.dtype != np.float32:
            raise NotImplementedError(f"{x.dtype.name}: a C function takes float32")
        room = np.full(int(np.prod(due)) + 2 * GUARD, UNTOUCHED)
        y = room[GUARD:-GUARD].reshape(due)
        y[...] = np.nan
        sizes = [np.array(shape, np.int64) for shape in (x.shape, w.shape, due)]
        axes = [np.array(arguments[key], np.int64) for key in ("stride", "padding", "dilation")]
        code = self._function(
            ctypes.c_int(x.ndim - 2),
            *map(_pointer, [*sizes, *axes]),
            ctypes.c_int64(arguments["groups"]),
            *map(_pointer, [x, w, b, y]),
        )
        if code == NOT_DONE:
            raise NotImplementedError("returned 1")
        if code != DONE:
            raise RuntimeError(f"returned {code}, should be 0, or 1 for what it does not do")
        for side, guard in (("before", room[:GUARD]), ("behind", room[-GUARD:])):
            if (guard != UNTOUCHED).any():
                raise RuntimeError(f"wrote {side} its output")
        return y


def _pointer(array: Array | None) -> ctypes.c_void_p:
    return ctypes.c_void_p(None if array is None else array.ctypes.data)
