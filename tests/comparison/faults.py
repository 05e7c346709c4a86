"""Faults as porting leaves them, each planted in one layer of an exported model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import onnx
from onnx import numpy_helper

Arrays = dict[str, Any]


@dataclass(slots=True)
class Planted:
    """One node on its way to a fault: `w` and `b` are the target's own, `sources` has (kernel,
    bias) of every layer of the source.
    """

    w: Any
    b: Any
    attributes: dict[str, Any]
    sources: list[tuple[Any, Any]]
    number: int


@dataclass(frozen=True, slots=True)
class Fault:
    """`layer` is the source's name of the layer, `number` its place; `names` are what it may be
    called.
    """

    title: str
    network: str
    layer: str
    number: int
    plant: Callable[[Planted], None]
    names: frozenset[str]


def _weights(change: Callable[[Any], Any]) -> Callable[[Planted], None]:
    def plant(node: Planted) -> None:
        node.w = change(node.w)

    return plant


def _bias(change: Callable[[Planted], Any]) -> Callable[[Planted], None]:
    def plant(node: Planted) -> None:
        node.b = change(node)

    return plant


def _attributes(**values: Any) -> Callable[[Planted], None]:
    def plant(node: Planted) -> None:
        node.attributes |= values

    return plant


def _both(*plants: Callable[[Planted], None]) -> Callable[[Planted], None]:
    def plant(node: Planted) -> None:
        for each in plants:
            each(node)

    return plant


def _scaled(axis: int, channel: int, by: float) -> Callable[[Any], Any]:
    def change(w: Any) -> Any:
        w = w.copy()
        np.moveaxis(w, axis, 0)[channel] *= by
        return w

    return change


def _one_weight(w: Any) -> Any:
    w = w.copy()
    w[1, 2, 0, 1] += 0.25
    return w


def _rounded(dtype: Any) -> Callable[[Any], Any]:
    return lambda w: w.astype(dtype).astype(np.float32)


def _quantised(w: Any) -> Any:
    step = abs(w).max() / 127
    return (np.round(w / step) * step).astype(np.float32)


def _batch_norm_on_inputs(node: Planted) -> None:
    w, _ = node.sources[node.number]
    s = (node.w / w)[0, :, 0, 0]
    node.w = w * s.reshape(-1, 1, 1, 1)


def _batch_norm_left_from_bias(node: Planted) -> None:
    node.b = node.sources[node.number][1]


def _first_group(w: Any) -> Any:
    return np.concatenate([w[: len(w) // 2]] * 2)


def _last_to_first(w: Any) -> Any:
    return np.moveaxis(w, (0, 1), (-1, -2)).reshape(w.shape)


def _reinterpreted(w: Any) -> Any:
    return np.swapaxes(w.reshape(w.shape[1], w.shape[0], *w.shape[2:]), 0, 1)


def _without_norm(w: Any) -> Any:
    return w / np.linalg.norm(w.reshape(len(w), -1), axis=1).reshape(-1, 1, 1)


def _kernel_of(number: int) -> Callable[[Planted], None]:
    def plant(node: Planted) -> None:
        node.w = node.sources[number][0]

    return plant


FAULTS = [
    Fault(title, network, layer, number, plant, frozenset(names.split()))
    for title, network, layer, number, plant, names in [
        ("kernel unflipped", "mixed", "3", 1, _weights(lambda w: w[:, :, ::-1, ::-1]),
         "kernel-not-flipped"),
        ("kernel unflipped on one axis", "mixed", "5", 2, _weights(lambda w: w[:, :, ::-1]),
         "kernel-not-flipped"),
        ("window shifted by one", "mixed", "7", 3, _attributes(pads=[0, 0, 2, 2]),
         "shifted-window"),
        ("window shifted on one axis", "unet", "up1", 1, _attributes(pads=[0, 1, 2, 1]),
         "shifted-window ends-swapped output-padding-at-start"),
        ("channels exchanged", "mixed", "3", 1, _weights(lambda w: w.swapaxes(0, 1)),
         "channels-exchanged"),
        ("channels in the other order in memory", "mixed", "9", 4, _weights(_reinterpreted),
         "channels-reinterpreted"),
        ("kernel's memory channels last", "pix2pix", "up2", 0, _weights(_last_to_first),
         "kernel-layout"),
        ("one output channel's scale", "mixed", "9", 4, _weights(_scaled(1, 3, 2.0)),
         "output-channels-scaled"),
        ("one input channel's scale", "mixed", "5", 2, _weights(_scaled(0, 2, 0.5)),
         "input-channels-scaled"),
        ("BN folded on the wrong axis", "mixed", "0", 0, _batch_norm_on_inputs,
         "batch-norm-on-wrong-axis"),
        ("BN folded into the kernel and not the bias", "mixed", "0", 0,
         _batch_norm_left_from_bias, "batch-norm-offsets"),
        ("BN folded on the wrong axis, no bias", "dcgan", "0", 0, _batch_norm_on_inputs,
         "batch-norm-on-wrong-axis"),
        ("bias of another layer", "mixed", "3", 1, _bias(lambda node: node.sources[4][1]),
         "bias-of-another-layer"),
        ("bias dropped", "mixed", "5", 2, _bias(lambda node: node.b * 0), "bias-dropped"),
        ("bias twice", "mixed", "9", 4, _bias(lambda node: node.b * 2), "bias-twice"),
        ("bias reversed", "mixed", "7", 3, _bias(lambda node: node.b[::-1]), "bias-reversed"),
        ("stride of another axis", "mixed", "3", 1, _attributes(strides=[1, 2]),
         "strides-swapped"),
        ("missing output_padding", "mixed", "0", 0, _attributes(output_padding=[0, 0]),
         "output-padding-ignored"),
        ("output_padding at the start", "mixed", "0", 0,
         _attributes(output_padding=[0, 0], pads=[0, 0, 1, 1]),
         "output-padding-at-start ends-swapped"),
        ("padding ignored", "hifigan", "5", 1, _attributes(pads=[0, 0]), "padding-ignored"),
        ("dilation ignored", "mixed", "5", 2, _attributes(dilations=[1, 1]), "dilation-ignored"),
        ("float16 weights", "mixed", "5", 2, _weights(_rounded(np.float16)), "kernel-rounded"),
        ("bfloat16 weights", "mixed", "9", 4, _weights(_rounded(ml_dtypes.bfloat16)),
         "kernel-rounded"),
        ("weights of 8 bits", "mixed", "7", 3, _weights(_quantised), "kernel-quantised"),
        ("kernel transposed", "mixed", "3", 1, _weights(lambda w: w.swapaxes(2, 3)),
         "kernel-axes-transposed"),
        ("first group's kernel for all", "mixed", "7", 3, _weights(_first_group),
         "first-kernel-for-all"),
        ("groups dealt in turn", "mixed", "7", 3, _weights(lambda w: w[[0, 2, 1, 3]]),
         "input-channels-interleaved input-channels-permuted"),
        ("output channels in another order", "mixed", "9", 4,
         _weights(lambda w: w[:, [1, 0, 2, 4, 5, 3]]), "output-channels-permuted"),
        ("input channels in another order", "mixed", "5", 2,
         _weights(lambda w: w[[2, 1, 0, 3, 5, 4]]), "input-channels-permuted"),
        ("kernel of another layer", "mixed", "3", 1, _kernel_of(0), "kernel-of-another-layer"),
        ("weight norm left out", "hifigan", "2", 0, _weights(_without_norm),
         "input-channels-scaled"),
        ("kernel scaled", "mixed", "3", 1, _weights(lambda w: w * 0.5), "kernel-scaled"),
        ("one weight changed", "mixed", "9", 4, _weights(_one_weight), "weights-changed"),
        ("kernel unflipped and window shifted", "dcgan", "6", 2,
         _both(_weights(lambda w: w[:, :, ::-1, ::-1]), _attributes(pads=[2, 2, 0, 0])),
         "kernel-not-flipped"),
    ]
]  # fmt: skip


def plant(fault: Fault, right: Path, sources: list[tuple[Any, Any]], file: Path) -> None:
    """Write the right .onnx with a fault in it."""
    model = onnx.load(right)
    nodes = [node for node in model.graph.node if node.op_type == "ConvTranspose"]
    node = nodes[fault.number]
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    planted = Planted(
        w=numpy_helper.to_array(tensors[node.input[1]]),
        b=numpy_helper.to_array(tensors[node.input[2]]) if len(node.input) > 2 else None,
        attributes={a.name: onnx.helper.get_attribute_value(a) for a in node.attribute},
        sources=sources,
        number=fault.number,
    )
    fault.plant(planted)
    _store(model, node, 1, planted.w, "planted.w")
    if planted.b is not None:
        _store(model, node, 2, planted.b, "planted.b")
    del node.attribute[:]
    node.attribute.extend(
        onnx.helper.make_attribute(name, value) for name, value in planted.attributes.items()
    )
    del model.graph.value_info[:]  # shapes may be others now
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    onnx.save(model, file)


def _store(model: Any, node: Any, place: int, array: Any, name: str) -> None:
    model.graph.initializer.append(
        numpy_helper.from_array(np.ascontiguousarray(array, np.float32), name)
    )
    node.input[place] = name
