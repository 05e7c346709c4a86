"""The calls of a model's transposed convolutions: a layer that is called twice is two of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from conformance.capture.entries import geometry_of
from conformance.comparison.results import Side
from conformance.corpus.case import DTYPES
from conformance.corpus.tensors import Array
from conformance.geometry import Geometry
from conformance.models import Activation, Layer, Model, StoredArray
from conformance.oracle.reference import Float64
from conformance.porting.layouts import words


@dataclass(frozen=True, kw_only=True)
class LayerCall:
    """One call of a transposed convolution; `activation` is None where the model did not run it,
    and `position` is that of the activation among all of the run.
    """

    layer: Layer
    activation: Activation | None
    position: int | None

    @property
    def name(self) -> str:
        return self.layer.name

    @cached_property
    def dropped(self) -> tuple[int, ...]:
        """Spatial axes of one element in kernel, input and output: a layer of one dimension that is
        computed as one of two has them.
        """
        if self.activation is None or self.activation.input is None or self.layer.kernel is None:
            return ()
        shapes = (self.layer.kernel, self.activation.input, self.activation.output)
        sizes = list(zip(*(stored.shape[2:] for stored in shapes), strict=True))
        axes = tuple(axis for axis, lengths in enumerate(sizes) if set(lengths) == {1})
        return axes if len(axes) < len(sizes) else axes[1:]

    def _load(self, stored: StoredArray | None) -> Array | None:
        if stored is None:
            return None
        return np.squeeze(stored.load(), tuple(axis + 2 for axis in self.dropped))

    @property
    def x(self) -> Array | None:
        """(N, C_in, *spatial), what came in."""
        return None if self.activation is None else self._load(self.activation.input)

    @property
    def y(self) -> Array | None:
        """(N, C_out, *out), what went out, after the layer's own activation."""
        return None if self.activation is None else self._load(self.activation.output)

    @property
    def kernel(self) -> Float64:
        """(C_in, C_out / groups, *kernel), effective."""
        kernel = self._load(self.layer.kernel)
        assert kernel is not None
        return kernel.astype(np.float64)

    @property
    def kernel_shape(self) -> tuple[int, ...]:
        """(C_in, C_out / groups, *kernel)"""
        assert self.layer.kernel is not None
        return self._without_dropped(self.layer.kernel.shape)

    @property
    def corner(self) -> Float64:
        """The kernel's first channels, at most 16 x 16 of them: little to read of a large file."""
        kernel = self._load(self.layer.kernel)
        assert kernel is not None
        return kernel[:16, :16].astype(np.float64)

    def _without_dropped(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(n for axis, n in enumerate(shape) if axis - 2 not in self.dropped)

    @property
    def bias(self) -> Float64 | None:
        """(C_out,)"""
        return None if self.layer.bias is None else self.layer.bias.load().astype(np.float64)

    @property
    def dtype(self) -> str:
        assert self.layer.kernel is not None
        return self.layer.kernel.dtype

    def input_shape(self) -> tuple[int, ...] | None:
        """(N, C_in, *spatial), of the run or as it was inferred."""
        if self.activation is not None and self.activation.input is not None:
            return self._without_dropped(self.activation.input.shape)
        return self.layer.inputs[0] if self.layer.inputs else None

    def geometry(self, shape: tuple[int, ...]) -> Geometry:
        """The window for an input (N, C_in, *spatial). Raises ValueError for arguments that have
        none.
        """
        whole = list(shape)
        for axis in self.dropped:
            whole.insert(axis + 2, 1)
        geometry = geometry_of(self.layer, tuple(whole))[1]
        axes = (axis for number, axis in enumerate(geometry.axes) if number not in self.dropped)
        return replace(geometry, axes=tuple(axes))


def calls_of(model: Model) -> Iterator[LayerCall]:
    """The calls of all layers that have weights, in order of execution; those that were not run
    come last.
    """
    seen = set()
    for position, activation in enumerate(model.activations):
        if activation.layer is not None and _is_usable(model.layers[activation.layer]):
            seen.add(activation.layer)
            yield LayerCall(
                layer=model.layers[activation.layer], activation=activation, position=position
            )
    for index, layer in enumerate(model.layers):
        if index not in seen and _is_usable(layer):
            yield LayerCall(layer=layer, activation=None, position=None)


def _is_usable(layer: Layer) -> bool:
    return layer.kernel is not None and layer.kernel.dtype in DTYPES and 0 not in layer.kernel.shape


def side(call: LayerCall) -> Side:
    """A call in words."""
    shape, layer = call.input_shape(), call.layer
    assert layer.kernel is not None
    return Side(
        layer=layer.name,
        operator=layer.operator,
        arguments=dict(layer.native),
        kernel=layout_words(layer),
        kernel_shape=layer.kernel.shape,
        input_shape=shape,
        output_shape=None if call.activation is None else call.activation.output.shape,
        window=() if shape is None else _window(call, shape),
    )


def layout_words(layer: Layer) -> str:
    """How the model keeps the kernel: "(C_in, C_out / groups, kH, kW), flipped"."""
    tensor = layer.kernel_tensor
    axes = "" if tensor is None else tensor.axes
    if "I" not in axes or "O" not in axes:
        return "an order of axes of its own"
    grouped = layer.native.get("groups", layer.native.get("group", 1)) != 1
    return words(axes, groups="input" if grouped else "") + (
        ", flipped" if tensor is not None and tensor.flipped else ""
    )


def _window(call: LayerCall, shape: tuple[int, ...]) -> tuple[str, ...]:
    try:
        geometry = call.geometry(shape)
    except ValueError as error:
        return (str(error),)
    return tuple(
        f"axis {number}: {axis.size} inputs, kernel {axis.kernel}, stride {axis.stride}, dilation "
        f"{axis.dilation}: [{axis.crop_low}, {axis.full - axis.crop_high}) of {axis.full}"
        for number, axis in enumerate(geometry.axes)
    )


def undilated_singletons(geometry: Geometry) -> Geometry:
    """The same window with no dilation where a kernel has one tap, and no stride where there is one
    input: neither can be told there.
    """
    axes = []
    for axis in geometry.axes:
        dilation = axis.dilation if axis.kernel > 1 else 1
        plain = replace(axis, dilation=dilation, stride=axis.stride if axis.size > 1 else 1)
        axes.append(replace(plain, crop_high=plain.full - plain.crop_low - axis.out))
    return replace(geometry, axes=tuple(axes))
