"""What the schema of a record's lines cannot say: that shapes fit their values, and that what a
line names is there.

Whatever tells a record may rely on it. Each function raises Wrong.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from conformance.record.schema import Missing, Wrong

MOST_ELEMENTS = 2**40
"""Of an array whose shape stands in a record: no machine that writes one holds more."""

_ARRAYS = ("input", "kernel", "bias", "gradients", "expected")


def check_run(run: Mapping[str, Any]) -> None:
    """Labels are told apart, and each has versions and devices."""
    labels = [entry["label"] for entry in run["adapters"]]
    for label, count in Counter(labels).items():
        if count > 1:
            raise Wrong(label, "the label of one adapter alone").below("adapters")
        for key in ("versions", "devices"):
            if label not in run[key]:
                raise Missing(label).below(key)


def check_case(case: Mapping[str, Any]) -> None:
    """Values fit the shapes, and the geometry its operands."""
    arrays = {key: case[key] for key in _ARRAYS if case.get(key) is not None}
    for key, array in arrays.items():
        try:
            _check_array(array)
        except Wrong as wrong:
            raise wrong.below(key) from None
    for key in ("input", "kernel"):
        if key in arrays and len(arrays[key]["shape"]) < 2:
            raise (
                Wrong(arrays[key]["shape"], "a shape of at least 2 axes").below("shape").below(key)
            )
    if case.get("geometry") is not None:
        for key in ("input", "kernel", "spatial"):
            if key not in case:
                raise Missing(key)
        _check_geometry(case["geometry"], case)


def _check_array(array: Mapping[str, Any]) -> None:
    shape = array["shape"]
    if math.prod(max(size, 1) for size in shape) > MOST_ELEMENTS:
        raise Wrong(shape, f"a shape of at most {MOST_ELEMENTS} elements").below("shape")
    if "values" in array and not _fits(array["values"], shape):
        raise Wrong(array["values"], f"values of the shape {shape}").below("values")
    recipe = array.get("make")
    if recipe is None:
        return
    if recipe["shape"] != shape:
        raise Wrong(recipe["shape"], f"{shape}, as that of the array").below("shape").below("make")
    indices = [index for index, _ in recipe.get("put", ())] + [
        recipe.get("index", [0] * len(shape))
    ]
    for index in indices:
        if len(index) != len(shape):
            raise Wrong(index, f"an index of {len(shape)} axes").below("make")


def _fits(values: Any, shape: Sequence[int]) -> bool:
    """Whether nested lists have the shape; deeper ones are none of numbers."""
    if not shape:
        return not isinstance(values, list)
    if not isinstance(values, list) or len(values) != shape[0]:
        return False
    if len(shape) == 1:
        return list not in map(type, values)
    return all(_fits(entry, shape[1:]) for entry in values)


def _check_geometry(geometry: Mapping[str, Any], case: Mapping[str, Any]) -> None:
    axes, rank = geometry["axes"], case["spatial"]
    sizes = {"axes": len(axes), "out": len(geometry["out"])}
    shapes = {key: case[key]["shape"] for key in ("input", "kernel")}
    sizes |= {key: len(shape) - 2 for key, shape in shapes.items()}
    for key, size in sizes.items():
        if size != rank:
            raise Wrong(size, f"{rank} spatial axes").below(key).below("geometry")
    operands = {"size": shapes["input"][2:], "kernel": shapes["kernel"][2:]}
    for key, shape in operands.items():
        if [axis[key] for axis in axes] != shape:
            raise Wrong(
                [axis[key] for axis in axes], f"{shape}, as the shape of the operand"
            ).below("geometry")


def check_verdict(verdict: Mapping[str, Any], run: Mapping[str, Any], cases: Any) -> None:
    """It is of an adapter, a device and a case of the record; what it shows lies in its array."""
    if verdict["case"] not in cases:
        raise Wrong(verdict["case"], "a case of a line before").below("case")
    devices = run["devices"].get(verdict["adapter"])
    if devices is None:
        raise Wrong(verdict["adapter"], "an adapter of the run line").below("adapter")
    if verdict["device"] not in devices:
        raise Wrong(verdict["device"], f"one of {', '.join(devices)}").below("device")
    mismatch = verdict.get("mismatch") or {}
    if "abs_error" in mismatch and "allowed" not in mismatch:
        raise Missing("allowed").below("mismatch")
    if verdict.get("got") is not None:
        _check_got(verdict["got"], mismatch.get("index"))


def _check_got(got: Mapping[str, Any], index: Sequence[int] | None) -> None:
    """The window lies in the array, and the first mismatch in the window."""
    shape, start = got["shape"], got.get("start", [0] * len(got["shape"]))
    window_shape = shape if "start" not in got else _shape_of(got["values"])
    ends = [first + size for first, size in zip(start, window_shape, strict=False)]
    if len(start) != len(shape) or len(window_shape) != len(shape):
        raise Wrong(start, f"an index of {len(shape)} axes").below("start").below("got")
    empty = 0 in window_shape and 0 not in shape
    if empty or not _fits(got["values"], window_shape) or any(map(int.__gt__, ends, shape)):
        raise Wrong(got["values"], f"values of the shape {shape}").below("values").below("got")
    if 0 in shape or index is None:
        return
    inside = len(index) == len(shape) and all(
        first <= position < end for first, position, end in zip(start, index, ends, strict=True)
    )
    if not inside:
        raise Wrong(index, "an index into `got`").below("index").below("mismatch")


def _shape_of(values: Any) -> list[int]:
    """The shape of nested lists, by the first entry of each."""
    shape = []
    while isinstance(values, list):
        shape.append(len(values))
        values = values[0] if values else None
    return shape
