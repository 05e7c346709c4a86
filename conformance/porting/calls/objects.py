"""Layers themselves, written as the calls that make them: of torch, Keras and Flax, by what they
are named and without an import of their framework.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from conformance.errors import PortError


def spelled_object(layer: object) -> tuple[str, str]:
    """The call that makes a layer, and its framework; raises PortError for what is none."""
    for kind in type(layer).__mro__:
        package = kind.__module__.partition(".")[0]
        for (framework, name), writer in _WRITERS.items():
            if package == framework and re.fullmatch(name, kind.__name__):
                return writer(layer, kind.__name__)
    what = f"{type(layer).__module__}.{type(layer).__qualname__}"
    raise PortError(
        f"the layer is {what}, should be a transposed convolution of torch, Keras or Flax, or a "
        "call as text"
    )


def _torch(layer: Any, name: str) -> tuple[str, str]:
    lazy = "Lazy" in name and not getattr(layer, "in_channels", 0)
    first = [] if lazy else [layer.in_channels]
    call = _call(
        f"{'Lazy' if lazy else ''}{name.removeprefix('Lazy')}",
        [*first, layer.out_channels],
        kernel_size=layer.kernel_size,
        stride=layer.stride,
        padding=layer.padding,
        output_padding=layer.output_padding,
        dilation=layer.dilation,
        groups=layer.groups,
        bias=layer.bias is not None,
    )
    return _in_normalisation(layer, call), "torch"


def _in_normalisation(layer: Any, call: str) -> str:
    """The call in what normalises the weights: a parametrization, or a hook before the layer."""
    parametrizations = getattr(layer, "parametrizations", {})
    parts = [*parametrizations["weight"]] if "weight" in parametrizations else []
    parts += getattr(layer, "_forward_pre_hooks", {}).values()
    words = {"WeightNorm": "weight_norm", "SpectralNorm": "spectral_norm"}
    for part in parts:
        kind = type(part).__name__.lstrip("_")
        call = f"{words[kind]}({call})" if kind in words else call
    return call


def _keras(layer: Any, name: str) -> tuple[str, str]:
    more = {} if layer.output_padding is None else {"output_padding": layer.output_padding}
    kernel = getattr(layer, "kernel", None) if getattr(layer, "built", False) else None
    axes = len(layer.kernel_size)
    if kernel is not None:
        shape = [None] * axes
        channels = int(kernel.shape[-1])
        first = layer.data_format == "channels_first"
        more["input_shape"] = tuple([channels, *shape] if first else [*shape, channels])
    activation = getattr(layer.activation, "__name__", "linear")
    if activation != "linear":
        more["activation"] = activation
    call = _call(
        name,
        [layer.filters],
        kernel_size=layer.kernel_size,
        strides=layer.strides,
        padding=layer.padding,
        data_format=layer.data_format,
        dilation_rate=layer.dilation_rate,
        use_bias=layer.use_bias,
        **more,
    )
    return call, "keras"


def _flax(layer: Any, name: str) -> tuple[str, str]:
    linen = hasattr(layer, "features")
    channels = {} if linen else {"in_features": layer.in_features}
    channels["features" if linen else "out_features"] = getattr(
        layer, "features" if linen else "out_features"
    )
    if layer.mask is not None:
        raise PortError("the layer has a mask, should have none: multiply the kernel by it first")
    keys = ("kernel_size", "strides", "padding", "kernel_dilation", "use_bias", "transpose_kernel")
    return _call(name, [], **channels, **{key: getattr(layer, key) for key in keys}), "flax"


def _call(name: str, positional: Sequence[Any], **named: Any) -> str:
    """A call with literals; a sequence is written as a tuple whatever it is."""
    words = [repr(_plain(value)) for value in positional]
    words += [f"{key}={_plain(value)!r}" for key, value in named.items()]
    return f"{name}({', '.join(words)})"


def _plain(value: Any) -> Any:
    """A value as numbers, words and tuples of Python's own."""
    if isinstance(value, (str, bool, type(None))):
        return value
    if hasattr(value, "__iter__"):
        return tuple(map(_plain, value))
    return int(value)


_WRITERS: Mapping[tuple[str, str], Callable[[Any, str], tuple[str, str]]] = {
    ("torch", r"(Lazy)?ConvTranspose[123]d"): _torch,
    ("keras", r"Conv[123]DTranspose"): _keras,
    ("tf_keras", r"Conv[123]DTranspose"): _keras,
    ("flax", r"ConvTranspose"): _flax,
}
