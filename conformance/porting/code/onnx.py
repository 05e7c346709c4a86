"""ONNX' programs: a model of one ConvTranspose node, with a Pad before and a Slice behind it where
they are needed.
"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.porting.code.spelling import WHY_PAD, Spoken
from conformance.porting.layouts import Layout
from conformance.porting.recipes import Pairs, Plan

IMPORTS: Sequence[str] = (
    "import numpy as np",
    "import onnxruntime",
    "from onnx import TensorProto, helper, numpy_helper",
)
END = 2**31 - 1  # of a slice that goes to the end

_MODEL = """\
graph = helper.make_graph(
    nodes,
    "conv_transpose",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    [numpy_helper.from_array(array, name) for name, array in held.items()],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8)
providers = ["CPUExecutionProvider"]
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=providers)
return session.run(None, {"x": np.asarray(x)})[0]"""


def spelled(spoken: Spoken) -> str:
    attributes = spoken.explicit_arguments | {"kernel_shape": list(spoken.geometry.kernel)}
    inputs = '["x", "w", "b"]' if spoken.bias else '["x", "w"]'
    arguments = ", ".join(f"{key}={value!r}" for key, value in attributes.items()).replace("'", '"')
    return f'helper.make_node("ConvTranspose", {inputs}, ["y"], {arguments})'


def body(call: str, plan: Plan, layout: Layout, bias: bool) -> list[str]:
    initializers = {"w": "convert(weight)"} | ({"b": "np.asarray(bias)"} if bias else {})
    nodes, more = nodes_of(call, plan)
    items = ", ".join(f'"{name}": {value}' for name, value in (initializers | more).items())
    return [
        f"held = {{{items}}}",
        "nodes = [",
        *(f"    {node}" for node in nodes),
        "]",
        *_MODEL.splitlines(),
    ]


def nodes_of(call: str, plan: Plan) -> tuple[list[str], dict[str, str]]:
    """The nodes of a plan from x to y, a line each, and the arrays besides weights that they hold
    by name.
    """
    before, behind = [], []
    initializers: dict[str, str] = {}
    if any(map(any, plan.pad)):
        before = [f'helper.make_node("Pad", ["x", "pads"], ["padded"]),{WHY_PAD}']
        initializers |= _pads(plan.pad)
        call = call.replace('["x", ', '["padded", ', 1)
    if any(map(any, plan.cut)):
        behind = ['helper.make_node("Slice", ["whole", "starts", "ends", "axes"], ["y"]),']
        initializers |= _slices(plan.cut)
        call = call.replace('["y"]', '["whole"]', 1)
    return [*before, f"{call},", *behind], initializers


def _pads(pad: Pairs) -> dict[str, str]:
    ends = [0, 0, *(low for low, _ in pad), 0, 0, *(high for _, high in pad)]
    return {"pads": f"np.array({ends})"}


def _slices(cut: Pairs) -> dict[str, str]:
    starts, ends = [low for low, _ in cut], [-high if high else END for _, high in cut]
    return {
        "starts": f"np.array({starts})",
        "ends": f"np.array({ends})",
        "axes": f"np.array({list(range(2, len(cut) + 2))})",
    }
