"""A layer as nodes of ONNX, in a model whose sizes are open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.porting.code.onnx import nodes_of, spelled
from conformance.porting.modules.part import Part

IMPORTS: Sequence[str] = (
    "import numpy as np",
    "import onnx",
    "from onnx import TensorProto, helper, numpy_helper",
)


def definition(part: Part) -> Iterator[str]:
    """The function that makes a layer's nodes, and the arrays that they hold by name."""
    first = {"w": part.kernel_expression} | ({"b": "array(held, bias)"} if part.bias else {})
    nodes, more = nodes_of(spelled(part.spoken), part.plan)
    yield f"def {part.name}({part.parameters}):"
    yield f"    {part.summary}"
    yield "    arrays = {"
    for name, value in [*first.items(), *more.items()]:
        yield f'        "{name}": {value},'
    yield from ("    }", "    nodes = [", *(f"        {node}" for node in nodes), "    ]")
    yield f'    return named(nodes, arrays, "{part.name}")'


NAMED = '''\
def named(nodes, arrays, prefix):
    """Nodes and initializers with every name after a prefix: layers may share a graph."""
    for node in nodes:
        node.name = f"{prefix}_{node.op_type}"
        for names in (node.input, node.output):
            names[:] = [f"{prefix}_{name}" for name in names]
    held = [numpy_helper.from_array(value, f"{prefix}_{name}") for name, value in arrays.items()]
    return nodes, held'''

_MODEL = '''\
def load(path):
    """An ONNX model of every layer, from NAME_x to NAME_y, with its weights from the file."""
    held = tensors(path)
    nodes, arrays, inputs, outputs = [], [], [], []
    for layer, axes in {layers}:
        more = layer(held)
        nodes, arrays = nodes + more[0], arrays + more[1]
        for values, end in ((inputs, "x"), (outputs, "y")):
            shape = ["N", axes[0 if end == "x" else 1], *axes[2]]
            name = f"{{layer.__name__}}_{{end}}"
            values.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    graph = helper.make_graph(nodes, "layers", inputs, outputs, arrays)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8)'''


def loading(parts: Sequence[Part]) -> Iterator[str]:
    """The function that makes a model of every layer."""
    layers = ", ".join(
        f"({part.name}, ({part.channels.c_in}, {part.channels.c_out}, {[None] * part.layer.rank}))"
        for part in parts
    )
    yield from _MODEL.format(layers=f"[{layers}]").splitlines()
