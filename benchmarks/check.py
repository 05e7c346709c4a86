"""What `conformance.check` takes for kernels that are wrong in every case, against a right one:
ratios within one run.

    python benchmarks/check.py

Rounds in turn, so that a machine that slows down does so for all; the least of each is compared.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import conformance

ROUNDS = 3


def right(x: Any, w: Any, bias: Any, **arguments: Any) -> Any:
    """The oracle in the dtype of x."""
    return conformance.conv_transpose(x, w, bias, **arguments).astype(x.dtype)


def one_more(x: Any, w: Any, bias: Any, **arguments: Any) -> Any:
    """Every element off by one."""
    return right(x, w, bias, **arguments) + np.asarray(1, x.dtype)


def rolled(x: Any, w: Any, bias: Any, **arguments: Any) -> Any:
    """Moved by one along the last axis."""
    return np.roll(right(x, w, bias, **arguments), 1, -1)


def zeros(x: Any, w: Any, bias: Any, **arguments: Any) -> Any:
    """Nothing but zeros."""
    return np.zeros_like(right(x, w, bias, **arguments))


def noise(x: Any, w: Any, bias: Any, **arguments: Any) -> Any:
    """What nothing explains."""
    y = right(x, w, bias, **arguments)
    return (50 * np.random.RandomState(0).standard_normal(y.shape)).astype(x.dtype)


def one_short(x: Any, w: Any, bias: Any, **arguments: Any) -> Any:
    """Another shape."""
    return right(x, w, bias, **arguments)[..., :-1]


def seconds(kernel: Callable[..., Any]) -> float:
    """Of a check of the whole corpus and its report."""
    began = time.perf_counter()
    str(conformance.check(kernel, progress=False))
    return time.perf_counter() - began


def main() -> None:
    kernels = (right, one_more, rolled, zeros, noise, one_short)
    seconds(right)  # truths of large cases are kept from now on
    taken: dict[str, list[float]] = {kernel.__name__: [] for kernel in kernels}
    for _ in range(ROUNDS):
        for kernel in kernels:
            taken[kernel.__name__].append(seconds(kernel))
    least = min(taken["right"])
    for name, rounds in taken.items():
        print(f"{name:10} {min(rounds):5.1f} s, {min(rounds) / least:.2f} times the right one")


if __name__ == "__main__":
    main()
