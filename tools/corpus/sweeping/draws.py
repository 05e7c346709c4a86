"""Random arguments and windows."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from conformance import conventions
from conformance.conventions import Native, normal_form
from conformance.geometry import Axis, Geometry
from sweeping.words import DILATION, GROUPS, STRIDE


def random_axes(rng: random.Random) -> list[Axis]:
    """One to three axes without crops; half of all calls have no dilation."""
    dilated = rng.random() < 0.5

    def one() -> Axis:
        dilation = rng.randint(1, 3) if dilated else 1
        return Axis(
            size=rng.randint(1, 5),
            kernel=rng.randint(1, 5),
            stride=rng.randint(1, 4),
            dilation=dilation,
        )

    return [one() for _ in range(rng.choice([1, 1, 2, 2, 2, 3]))]


def random_native(name: str, rng: random.Random) -> tuple[Native, Geometry]:
    """Native arguments in normal form and the window predicted for them; every second call keeps to
    the documentation.
    """
    axes, legal = random_axes(rng), rng.random() < 0.5
    if name == "keras" and legal:
        free = rng.choice(["stride", "dilation"])
        axes = [replace(axis, **{free: 1}) for axis in axes]
    arguments = _PADDINGS[name](axes, rng, legal)
    arguments[STRIDE.get(name, "strides")] = [axis.stride for axis in axes]
    arguments[DILATION.get(name, "dilations")] = [axis.dilation for axis in axes]
    if name in GROUPS:
        arguments[GROUPS[name]] = rng.choice([1, 1, 1, 2])
    native = normal_form(name, arguments, len(axes))
    size, kernel = [axis.size for axis in axes], [axis.kernel for axis in axes]
    return native, conventions.get(name).geometry(native, size=size, kernel=kernel)


def _extras(axes: Sequence[Axis], rng: random.Random, legal: bool, *, dilated: bool) -> list[int]:
    """An output_padding per axis: below the stride (or the dilation), else from -1 to the stride
    and 2.
    """

    def one(axis: Axis) -> int:
        if legal or rng.random() < 0.5:
            return rng.randrange(max(axis.stride, axis.dilation if dilated else 1))
        return rng.randint(-1, max(axis.stride, axis.dilation) + 2)

    return [one(axis) for axis in axes]


def _cut(axis: Axis, rng: random.Random, legal: bool) -> int:
    """The crop of one end: at most what leaves an output behind, else from -2 to 4."""
    return (
        rng.randint(0, min(4, (axis.full - 1) // 2))
        if legal or rng.random() < 0.5
        else rng.randint(-2, 4)
    )


def _torch(axes: Sequence[Axis], rng: random.Random, legal: bool) -> Native:
    padding, extras = (
        [_cut(axis, rng, legal) for axis in axes],
        _extras(axes, rng, legal, dilated=True),
    )
    if rng.random() < 0.3:
        sizes = [axis.full - 2 * p + q for axis, p, q in zip(axes, padding, extras, strict=True)]
        return {"padding": padding, "output_size": sizes}
    return {"padding": padding, "output_padding": extras}


def _keras(axes: Sequence[Axis], rng: random.Random, legal: bool) -> Native:
    extras = None if rng.random() < 0.4 else _extras(axes, rng, legal, dilated=False)
    return {"padding": rng.choice(["same", "valid"]), "output_padding": extras}


def _tensorflow(axes: Sequence[Axis], rng: random.Random, legal: bool) -> Native:
    padding = rng.choice(
        ["SAME", "VALID", "explicit"] if len(axes) == 2 or not legal else ["SAME", "VALID"]
    )
    pads = [[_cut(axis, rng, legal), _cut(axis, rng, legal)] for axis in axes]
    arguments: Native = {"padding": pads if padding == "explicit" else padding}
    if rng.random() < 0.7:
        extras = _extras(axes, rng, legal, dilated=False)
        least = {
            "SAME": [(axis.size - 1) * axis.stride + 1 for axis in axes],
            "VALID": [axis.full for axis in axes],
            "explicit": [axis.full - sum(pair) for axis, pair in zip(axes, pads, strict=True)],
        }[padding]
        arguments["output_shape"] = [n + q for n, q in zip(least, extras, strict=True)]
    return arguments


def _jax(axes: Sequence[Axis], rng: random.Random, legal: bool) -> Native:
    arguments = _flax(axes, rng, legal)
    if not isinstance(arguments["padding"], str) and rng.random() < 0.3:
        arguments["use_consistent_padding"] = True
    return arguments


def _flax(axes: Sequence[Axis], rng: random.Random, legal: bool) -> Native:
    pads = [
        [axis.extent - 1 - _cut(axis, rng, legal), axis.extent - 1 - _cut(axis, rng, legal)]
        for axis in axes
    ]
    same = [rng.randint(0, 3)] * len(axes)
    return {
        "padding": rng.choice(["SAME", "VALID", pads, pads, same]),
        "transpose_kernel": rng.random() < 0.5,
    }


def _onnx(axes: Sequence[Axis], rng: random.Random, legal: bool) -> Native:
    begins, ends = ([_cut(axis, rng, legal) for axis in axes] for _ in range(2))
    arguments: Native = {
        "output_padding": _extras(axes, rng, legal, dilated=True)
        if rng.random() < 0.6
        else [0] * len(axes)
    }
    way = rng.choice(["pads", "pads", "symmetric", "auto_pad", "output_shape"])
    if way in ("pads", "symmetric") or rng.random() < 0.2:
        arguments["pads"] = begins + (begins if way == "symmetric" else ends)
    if way == "auto_pad" or (way == "output_shape" and rng.random() < 0.5):
        arguments["auto_pad"] = rng.choice(["SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET"])
    if way == "output_shape":
        low = 0 if legal else -3
        arguments["output_shape"] = [
            max(1, axis.full + q - rng.randint(low, 4))
            for axis, q in zip(axes, arguments["output_padding"], strict=True)
        ]
    return arguments


_PADDINGS = {
    "torch": _torch,
    "keras": _keras,
    "tensorflow": _tensorflow,
    "jax": _jax,
    "flax": _flax,
    "onnx": _onnx,
}


def random_geometry(name: str, rng: random.Random) -> Geometry:
    """A window with an output: any crops, crops that differ by less than a stride, or those of a
    random native call.
    """
    while True:
        if rng.random() < 0.3:
            geometry = random_native(name, rng)[1]
        else:
            near = rng.random() < 0.4
            geometry = Geometry(
                axes=tuple(_cropped(a, rng, near) for a in random_axes(rng)),
                groups=rng.choice([1, 1, 1, 1, 2]),
            )
        if min(geometry.out) >= 1:
            return geometry


def _cropped(axis: Axis, rng: random.Random, near: bool) -> Axis:
    low = rng.randint(0, 4) if near else rng.randint(-2, 4)
    high = low - rng.randint(-1, max(axis.stride, axis.dilation)) if near else rng.randint(-5, 4)
    return replace(axis, crop_low=low, crop_high=high)
