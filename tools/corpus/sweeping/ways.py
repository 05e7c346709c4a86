"""Arguments of one axis that may take a window, in each way to say padding."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from conformance.conventions import Native
from conformance.geometry import Axis

Ways = Iterator[tuple[Native, Callable[[Axis], list[Native]]]]
"""Arguments that all axes share, with a function of an axis that lists arguments for it."""

NOTHING: Native = {}


def _extras(axis: Axis) -> range:
    return range(-2, max(axis.stride, axis.dilation, -axis.crop_high) + 4)


def _near(number: int) -> range:
    return range(number - 1, number + 2)


def _torch() -> Ways:
    """padding with output_padding or output_size."""
    yield (
        NOTHING,
        lambda a: [
            {"padding": p, "output_padding": q} for p in _near(a.crop_low) for q in _extras(a)
        ],
    )
    yield (
        NOTHING,
        lambda a: [
            {"padding": p, "output_size": n} for p in _near(a.crop_low) for n in _near(a.out)
        ],
    )


def _keras() -> Ways:
    """Each word, alone and with output_padding."""
    for word in ("same", "valid"):
        yield {"padding": word}, lambda a: [{}]
        yield {"padding": word}, lambda a: [{"output_padding": q} for q in _extras(a)]


def _tensorflow() -> Ways:
    """Each word and pairs of pads, alone and with output_shape."""
    for word in ("SAME", "VALID"):
        yield {"padding": word}, lambda a: [{}]
        yield {"padding": word}, lambda a: [{"output_shape": n} for n in _near(a.out)]
    yield (
        NOTHING,
        lambda a: [{"padding": [p, q]} for p in _near(a.crop_low) for q in _near(a.crop_high)],
    )
    # the window does not depend on the high pad where output_shape is given: those that
    # leave fewer than the stride, and some around them
    yield (
        NOTHING,
        lambda a: [
            {"padding": [a.crop_low, a.crop_high + q], "output_shape": a.out}
            for q in range(-2, a.stride + 3)
        ],
    )


def _jax() -> Ways:
    """Each word, and pairs of pads."""
    for word in ("SAME", "VALID"):
        yield {"padding": word}, lambda a: [{}]
    yield (
        NOTHING,
        lambda a: [
            {"padding": [p, q]}
            for p in _near(a.extent - 1 - a.crop_low)
            for q in _near(a.extent - 1 - a.crop_high)
        ],
    )


def _onnx() -> Ways:
    """pads, and auto_pad with and without output_shape."""
    yield (
        NOTHING,
        lambda a: [
            {"pads": [b, a.crop_high + q], "output_padding": q}
            for b in _near(a.crop_low)
            for q in _extras(a)
        ],
    )
    for word in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        yield {"auto_pad": word}, lambda a: [{"output_padding": q} for q in _extras(a)]
        yield (
            {"auto_pad": word},
            lambda a: [{"output_padding": q, "output_shape": a.out} for q in _extras(a)],
        )


WAYS = {
    "torch": _torch,
    "keras": _keras,
    "tensorflow": _tensorflow,
    "jax": _jax,
    "flax": _jax,
    "onnx": _onnx,
}
"""The ways of each convention to say padding, in ranges beyond what is legal."""
