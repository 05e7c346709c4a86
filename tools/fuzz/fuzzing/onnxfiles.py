"""ONNX files with transposed convolutions, as a stranger's exporter may have written them."""

from __future__ import annotations

import functools
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from conformance import porting
from conformance.errors import PortError
from fuzzing.reader import Reader
from fuzzing.trees import NUMBERS, WORDS, bytes_twisted

_NUMBERS = [number for number in NUMBERS if isinstance(number, int) and abs(number) < 2**63]
_SMALL = (1, 2, 3, 4, 8)


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="conformance-fuzz-")


def _node(**attributes: Any) -> Any:
    from onnx import helper

    return helper.make_node("ConvTranspose", ["x", "w"], ["y"], name="up", **attributes)


def _model(nodes: Any, weight: Any, **more: Any) -> bytes:
    """A model of these nodes from x, of open batch, to y, with one weight."""
    from onnx import helper

    shape: list[Any] = ["N", 4, *[8] * (len(weight.dims) - 2)]
    x, y = (helper.make_tensor_value_info(name, 1, shape) for name in "xy")
    del y.type.tensor_type.shape.dim[:]
    graph = helper.make_graph(nodes, "g", [x], [y], [weight])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("my", 1)]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=9, **more)
    return bytes(made.SerializeToString())


@functools.cache
def _seeds() -> list[bytes]:
    """Models of one node, of two, of a branch, and of a local function."""
    from onnx import helper, numpy_helper

    weights = [
        numpy_helper.from_array(np.ones((4, 6, *kernel), "float32"), "w")
        for kernel in ((3,), (3, 3), (4, 2), (2, 2, 2))
    ]
    relu = helper.make_node("Relu", ["y"], ["z"])
    inner = helper.make_graph([_node(strides=[2, 2])], "then", [], [])
    branch = helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
    body = helper.make_node("ConvTranspose", ["a", "b"], ["c"], strides=[2, 2], pads=[1] * 4)
    opsets = [helper.make_opsetid("", 17)]
    up = helper.make_function("my", "Up", ["a", "b"], ["c"], [body], opsets)
    call = helper.make_node("Up", ["x", "w"], ["y"], domain="my")
    constant = helper.make_node("Constant", [], ["w"], value=weights[1])
    padded = _node(strides=[2, 2], pads=[1] * 4, output_padding=[1, 1])
    return [
        _model([_node(strides=[2], pads=[1, 1])], weights[0]),
        _model([padded, relu], weights[1]),
        _model([_node(auto_pad="SAME_UPPER", strides=[2, 3], dilations=[1, 1])], weights[2]),
        _model([_node(output_shape=[16, 16, 16], strides=[2, 2, 2])], weights[3]),
        _model([_node(group=2, kernel_shape=[3, 3])], weights[1]),
        _model([branch], weights[1]),
        _model([call], weights[1], functions=[up]),
        _model([constant, _node()], weights[0]),
    ]


def _draw(draw: random.Random, twists: Sequence[random.Random]) -> bytes:
    import onnx

    content = draw.choice(_seeds())
    in_bytes = [twist for twist in twists if twist.random() < 0.2]
    model = onnx.load_model_from_string(content)
    for twist in twists:
        if twist not in in_bytes:
            _twist(model, twist)
    content = model.SerializeToString()
    for twist in in_bytes:
        content = bytes_twisted(content, twist)
    return content


def _twist(model: Any, draw: random.Random) -> None:
    """One change of a node, of an attribute, of a shape or of a tensor."""
    graph = model.graph
    nodes = [*graph.node, *(node for function in model.functions for node in function.node)]
    node = draw.choice(nodes) if nodes else graph.node.add()
    number = draw.choice(_SMALL if draw.random() < 0.7 else _NUMBERS)
    tensors = list(graph.initializer) or [graph.initializer.add()]
    match draw.randrange(12):
        case 0 | 1 | 2 if node.attribute:
            _twist_attribute(draw.choice(node.attribute), number, draw)
        case 3 if node.attribute:
            del node.attribute[draw.randrange(len(node.attribute))]
        case 4:
            node.attribute.add().CopyFrom(_attribute(number, draw))
        case 5 if node.input:
            node.input[draw.randrange(len(node.input))] = draw.choice(["x", "w", "", *WORDS[:6]])
        case 6:
            node.op_type = draw.choice(["ConvTranspose", "ConvTranspose", "Identity", ""])
        case 7 if graph.input and graph.input[0].type.tensor_type.shape.dim:
            draw.choice(graph.input[0].type.tensor_type.shape.dim).dim_value = number
        case 8:
            tensor = draw.choice(tensors)
            tensor.dims[:] = [draw.choice([*_SMALL, number]) for _ in tensor.dims] or [number]
        case 9:
            draw.choice(tensors).data_type = draw.choice([0, 1, 7, 10, 11, 16, 99])
        case 10:
            nodes_to_be = draw.choice([1, 2, 1500])
            for _ in range(nodes_to_be):
                graph.node.add().CopyFrom(node)
        case _:
            node.name = draw.choice(WORDS)


def _twist_attribute(attribute: Any, number: int, draw: random.Random) -> None:
    if attribute.ints:
        attribute.ints[draw.randrange(len(attribute.ints))] = number
    elif attribute.s:
        attribute.s = draw.choice([b"VALID", b"SAME_LOWER", b"SAME_UPPER", b"\xff", b"NOTSET"])
    else:
        attribute.i = number
    if draw.random() < 0.1:
        attribute.type = draw.choice([0, 1, 2, 3, 4, 5, 6, 7, 11])


def _attribute(number: int, draw: random.Random) -> Any:
    from onnx import helper

    name = draw.choice(
        ["strides", "pads", "dilations", "group", "auto_pad", "kernel_shape", "", "é"]
    )
    value = draw.choice([number, [number] * draw.choice([1, 2, 4]), "SAME_UPPER", 1.5])
    return helper.make_attribute(name, value)


def _read(content: bytes) -> None:
    file = Path(_folder().name) / "model.onnx"
    file.write_bytes(content)
    porting.port_model(str(file), target="torch", prove=False)


ONNX = Reader(name="onnx", draw=_draw, read=_read, refusals=(PortError,))
