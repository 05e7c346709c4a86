"""The oracle against other ways to the same numbers, interleaved: `python benchmarks/oracle.py
[ROUNDS]`.

PyTorch's float64 kernel on the CPU, SciPy's FFT convolution of the input with zeros between, and,
from 16 channels up, the ONNX reference evaluator in float64. Absolute times drift on a shared
machine; what is printed per shape is the median of the rounds' ratios, and over all the geometric
mean. All get as many threads as OMP_NUM_THREADS says, two if it is not set.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

THREADS = int(os.environ.setdefault("OMP_NUM_THREADS", "2"))
os.environ.setdefault("OPENBLAS_NUM_THREADS", str(THREADS))

import numpy as np  # noqa: E402 - BLAS reads its number of threads when it is loaded
import scipy.signal  # noqa: E402
import torch  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

import conformance  # noqa: E402
from conformance.adapters.onnxmodel import one_node_model  # noqa: E402
from conformance.conventions import Unrepresentable, onnx  # noqa: E402
from conformance.corpus.files import load_cases, shipped_cases  # noqa: E402
from conformance.geometry import Axis, Geometry  # noqa: E402

SHAPES = [  # N, C_in, size, C_out, kernel, stride, padding
    (1, 16, 16, 8, 3, 2, 1),
    (1, 256, 14, 128, 4, 2, 1),
    (4, 512, 4, 256, 4, 2, 1),
    (4, 128, 16, 64, 4, 2, 1),
    (1, 512, 14, 256, 2, 2, 0),
    (1, 21, 16, 21, 64, 32, 16),
]
FROM_CHANNELS = 16
SLOW = 2e8  # products above which the ONNX reference evaluator takes minutes
ENOUGH = 3.0  # seconds of one way, after which no further round of it is made


def shapes() -> list[tuple[str, Geometry, tuple[int, ...], tuple[int, ...]]]:
    """(name, geometry, shape of x, shape of w): the shapes above, and all layers of networks that
    are not slow.
    """
    found: list[tuple[str, Geometry, tuple[int, ...], tuple[int, ...]]] = []
    for batch, c_in, size, c_out, kernel, stride, padding in SHAPES:
        axis = Axis(size=size, kernel=kernel, stride=stride, crop_low=padding, crop_high=padding)
        name = f"{batch}x{c_in}x{size}x{size} to {c_out}, {kernel}/{stride}/{padding}"
        found.append(
            (
                name,
                Geometry(axes=(axis, axis)),
                (batch, c_in, size, size),
                (c_in, c_out, kernel, kernel),
            )
        )
    for case in load_cases(shipped_cases() / "networks"):
        if case.geometry is not None and "slow" not in case.tags and "twin" not in case.tags:
            found.append(
                (
                    case.name.removeprefix("networks/"),
                    case.geometry,
                    case.input.shape,
                    case.kernel.shape,
                )
            )
    return found


def ways(geometry: Geometry, x: Any, w: Any) -> dict[str, Callable[[], Any]]:
    """Functions of nothing that compute the same."""
    found = {
        "oracle": by_oracle(geometry, x, w),
        "torch": by_torch(geometry, x, w) if torch_has(geometry) else None,
        "scipy": (lambda: by_scipy(x, w, geometry)) if scipy_has(geometry) else None,
        "onnx-reference": by_reference(geometry, x, w),
    }
    return {name: run for name, run in found.items() if run is not None}


def arguments_of(geometry: Geometry) -> dict[str, Any]:
    """What torch and the oracle call by the same names."""
    return {
        "stride": geometry.stride,
        "dilation": geometry.dilation,
        "groups": geometry.groups,
    }


def by_oracle(geometry: Geometry, x: Any, w: Any) -> Callable[[], Any]:
    padding = [(low, max(high, 0)) for low, high in geometry.crops]
    extra = [max(-high, 0) for _, high in geometry.crops]
    arguments = arguments_of(geometry)
    return lambda: conformance.conv_transpose(
        x, w, padding=padding, output_padding=extra, **arguments
    )


def torch_has(geometry: Geometry) -> bool:
    """Whether each axis loses as much at its start as at its end, but for an output_padding."""
    return all(
        0 <= low - high < max(a.stride, a.dilation)
        for (low, high), a in zip(geometry.crops, geometry.axes, strict=True)
    )


def by_torch(geometry: Geometry, x: Any, w: Any) -> Callable[[], Any]:
    given, weights = torch.from_numpy(x), torch.from_numpy(w)
    call = {1: torch.conv_transpose1d, 2: torch.conv_transpose2d, 3: torch.conv_transpose3d}[
        geometry.rank
    ]
    lows = [low for low, _ in geometry.crops]
    back = [low - high for low, high in geometry.crops]
    arguments = arguments_of(geometry)
    return lambda: call(given, weights, padding=lows, output_padding=back, **arguments)


def by_reference(geometry: Geometry, x: Any, w: Any) -> Callable[[], Any] | None:
    """The ONNX reference evaluator; None where it has no words for it, or its time says nothing."""
    native = onnx.native(geometry)
    products = x.size * w.shape[1] * float(np.prod(w.shape[2:]))
    if (
        x.shape[1] < FROM_CHANNELS
        or products > SLOW
        or geometry.groups > 1
        or isinstance(native, Unrepresentable)
    ):
        return None
    evaluator = ReferenceEvaluator(one_node_model(x, w, None, native, opset=11, initializers=False))
    return lambda: evaluator.run(None, {"x": x, "w": w})


def scipy_has(geometry: Geometry) -> bool:
    """Whether there are neither groups nor dilation nor zeros to add."""
    return (
        geometry.groups == 1
        and geometry.dilation == (1,) * geometry.rank
        and min(map(min, geometry.crops)) >= 0
    )


def by_scipy(x: Any, w: Any, geometry: Geometry) -> Any:
    """Zeros between the elements of the input, an FFT convolution per pair of channels, a sum over
    the input's, the window.
    """
    spread = np.zeros((*x.shape[:2], *[(a.size - 1) * a.stride + 1 for a in geometry.axes]))
    every: tuple[Any, ...] = (..., *(slice(None, None, a.stride) for a in geometry.axes))
    spread[every] = x
    axes = tuple(range(2, x.ndim))
    full = sum(
        scipy.signal.fftconvolve(spread[:, c, None], w[None, c], axes=axes)
        for c in range(x.shape[1])
    )
    return full[
        (
            ...,
            *[slice(low, full.shape[2 + i] - high) for i, (low, high) in enumerate(geometry.crops)],
        )
    ]


def seconds(made: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """What each way took, one of each per round; a slow one takes part in the first rounds
    alone.
    """
    found: dict[str, list[float]] = {name: [] for name in made}
    for number in range(rounds + 1):  # one to warm up
        for name, run in made.items():
            if sum(found[name]) > ENOUGH:
                continue
            start = time.perf_counter()
            run()
            taken = time.perf_counter() - start
            if number or taken > ENOUGH:
                found[name].append(taken)
    return found


def main() -> None:
    torch.set_num_threads(THREADS)
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 11
    ratios: dict[str, list[float]] = {}
    print(f"{'':44} {'oracle':>10}   other / oracle")
    for name, geometry, of_x, of_w in shapes():
        random = np.random.RandomState(0)
        found = seconds(
            ways(geometry, random.standard_normal(of_x), random.standard_normal(of_w)), rounds
        )
        own = found.pop("oracle")
        told = []
        for other, taken in found.items():
            ratio = float(
                np.median([theirs / ours for theirs, ours in zip(taken, own, strict=False)])
            )
            ratios.setdefault(other, []).append(ratio)
            told.append(f"{other} {ratio:.2f}")
        print(f"{name:44} {np.median(own) * 1e3:7.2f} ms   {', '.join(told)}", flush=True)
    for other, of_shapes in ratios.items():
        mean, least = float(np.exp(np.mean(np.log(of_shapes)))), min(of_shapes)
        print(
            f"{other}: {mean:.2f} times the oracle's time (geometric mean of {len(of_shapes)} "
            f"shapes, least {least:.2f})"
        )
    print(f"{THREADS} threads, {rounds} rounds")


if __name__ == "__main__":
    main()
