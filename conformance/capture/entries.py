"""A transposed convolution of a model as an entry of a case file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from conformance import conventions
from conformance.conventions import ArgumentError, Native
from conformance.corpus.case import DTYPES, Shape, products
from conformance.corpus.limits import MOST_PRODUCTS, shape_problem
from conformance.corpus.tensors import Array
from conformance.geometry import Geometry
from conformance.models import Layer, StoredArray

MOST_ELEMENTS = 256
"""The most elements of an array that is written out in a case file."""


@dataclass(slots=True, kw_only=True)
class Arrays:
    """The arrays that a case file keeps in a file beside it, by the name of their tensor."""

    file: str
    tensors: dict[str, StoredArray] = field(default_factory=dict)

    def add(self, name: str, array: StoredArray) -> str:
        """What a case says of the array. One that is there already is not kept twice."""
        for known, other in self.tensors.items():
            if other == array:
                return f"{{file: {json.dumps(self.file)}, tensor: {json.dumps(known)}}}"
        while name in self.tensors:
            name += "'"
        self.tensors[name] = array
        return f"{{file: {json.dumps(self.file)}, tensor: {json.dumps(name)}}}"


def obstacle(layer: Layer) -> str | None:
    """Why a layer makes no case, as the end of a sentence; None where it does."""
    if layer.kernel is None:
        return " ".join(layer.notes) or "Its kernel is not a constant of the model."
    if layer.kernel.dtype not in DTYPES:
        return f"Its kernel is {layer.kernel.dtype}, and a case is one of {', '.join(DTYPES)}."
    if not 3 <= len(layer.kernel.shape) <= 5:
        return f"Its kernel has {len(layer.kernel.shape) - 2} spatial axes, and a case 1, 2 or 3."
    if not layer.inputs:
        return "The shape of its input is not known."
    if any(min(shape) < 1 for shape in (*layer.inputs, layer.kernel.shape)):
        return "It has an array without elements."
    for shape in (*layer.inputs, layer.kernel.shape):
        problem = shape_problem(shape)
        if problem is not None:
            return f"An array of it {problem}."
    if max(products(shape, layer.kernel.shape) for shape in layer.inputs) > MOST_PRODUCTS:
        return f"It makes more than {MOST_PRODUCTS} products."
    return None


def geometry_of(layer: Layer, shape: Shape) -> tuple[Native, Geometry]:
    """The native arguments in normal form and the window, for an input (N, C_in, *spatial).

    Raises ValueError for arguments that a convention does not know.
    """
    assert layer.kernel is not None
    rank = len(shape) - 2
    try:
        native = conventions.normal_form(layer.convention, layer.native, rank)
    except ArgumentError as error:
        raise ValueError(str(error)) from None
    convention = conventions.get(layer.convention)
    return native, convention.geometry(native, size=shape[2:], kernel=layer.kernel.shape[2:])


def entry(
    layer: Layer, shape: Shape, *, identity: str, source: str, integers: bool, arrays: Arrays
) -> Iterator[str]:
    """The lines of one case: a layer on an input (N, C_in, *spatial)."""
    assert layer.kernel is not None
    native, geometry = geometry_of(layer, shape)
    outputs = layer.kernel.shape[1] * geometry.groups
    values = "integers" if integers else "normal"
    yield f"  - id: {json.dumps(identity)}"
    yield f"    summary: {json.dumps(_summary(layer, shape, geometry))}"
    yield f"    source: {json.dumps(source)}"
    if geometry.rank != 2:
        yield f"    spatial: {geometry.rank}"
    yield f"    input: {{shape: {json.dumps(list(shape))}, values: {values}}}"
    if integers:
        yield f"    kernel: {{shape: {json.dumps(list(layer.kernel.shape))}, values: integers}}"
    else:
        yield f"    kernel: {_array(layer.kernel, _tensor(layer, 'kernel'), arrays)}"
    if layer.bias is not None:
        bias = "{values: integers}"
        yield (
            f"    bias: {bias if integers else _array(layer.bias, _tensor(layer, 'bias'), arrays)}"
        )
    yield f"    native: {{{layer.convention}: {json.dumps(native)}}}"
    if layer.kernel.dtype != "float32":
        yield f"    dtype: {layer.kernel.dtype}"
    yield f"    expected: {{shape: {json.dumps([shape[0], outputs, *geometry.out])}}}"
    yield "    tags: [network]"


def _summary(layer: Layer, shape: Shape, geometry: Geometry) -> str:
    assert layer.kernel is not None
    outputs = layer.kernel.shape[1] * geometry.groups
    made = f" The weights are those of {', '.join(layer.normalised_by)}." * bool(
        layer.normalised_by
    )
    return (
        f"{layer.operator} from {shape[1]} to {outputs} channels, kernel {_times(geometry.kernel)}:"
        f" {_times(shape[2:])} becomes {_times(geometry.out)}.{made}"
    )


def _tensor(layer: Layer, role: str) -> str:
    """The name that the model itself has for an array, else one of the layer's."""
    tensor = layer.kernel_tensor if role == "kernel" else layer.bias_tensor
    return (tensor.name if tensor else None) or f"{layer.name}.{role}"


def _times(sizes: Sequence[int]) -> str:
    return "x".join(map(str, sizes))


def _array(stored: StoredArray, name: str, arrays: Arrays) -> str:
    """An array written out if it is small, else by its place in the file beside."""
    if np.prod(stored.shape) > MOST_ELEMENTS:
        return arrays.add(name, stored)
    return _nested(stored.load())


def _nested(array: Array) -> str:
    if array.ndim:
        return f"[{', '.join(_nested(part) for part in array)}]"
    return _number(array)


def _number(value: Any) -> str:
    """The shortest decimal that rounds to the number in its own dtype."""
    number = float(value)
    if np.isnan(number):
        return ".nan"
    if np.isinf(number):
        return ".inf" if number > 0 else "-.inf"
    return repr(float(str(value[()]))) if value.dtype.kind == "f" else repr(number)
