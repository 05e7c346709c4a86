"""Values of an ONNX graph that do not depend on its inputs: effective weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
from onnx.reference import ReferenceEvaluator

from conformance.models.readers.onnxfile import array_of

_MOST_DEPTH = 32


class Constants:
    """The constants that one graph sees: its own, and those of the graphs around it."""

    def __init__(self, outer: Constants | None, graph: Any, folder: Path) -> None:
        self._outer, self.folder = outer, folder
        self._tensors = {tensor.name: tensor for tensor in graph.initializer}
        self._nodes = {name: node for node in graph.node for name in node.output if name}

    def value(self, name: str, depth: int = 0) -> tuple[Any, list[str]]:
        """(the array, the operators that make it, the last first); (None, []) for what depends on
        an input.
        """
        if name in self._tensors:
            return array_of(self._tensors[name], self.folder), []
        node = self._nodes.get(name)
        if node is None:
            return (None, []) if self._outer is None else self._outer.value(name, depth)
        if depth > _MOST_DEPTH or any(a.HasField("g") or a.graphs for a in node.attribute):
            return None, []
        values, makers = {}, []
        for source in node.input:
            if not source:
                continue
            array, earlier = self.value(source, depth + 1)
            if array is None:
                return None, []
            values[source] = array
            makers += earlier
        array = _computed(node, values, name)
        own = [] if node.op_type in ("Constant", "Identity") else [node.op_type]
        return array, list(dict.fromkeys([*own, *makers]))


def _computed(node: Any, values: dict[str, Any], name: str) -> Any:
    """One output of a node, by the reference evaluator; None for a node that it does not know."""
    try:
        if node.op_type == "Identity":
            return values[node.input[0]]
        outputs = ReferenceEvaluator(_wrapped(node, values)).run([name], values)
    except Exception:  # an operator that has no reference
        return None
    return outputs[0]


def _wrapped(node: Any, values: dict[str, Any]) -> Any:
    """A model of this node alone."""
    helper = onnx.helper
    inputs = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
        )
        for name, array in values.items()
    ]
    outputs = [onnx.ValueInfoProto(name=name) for name in node.output if name]
    return helper.make_model(helper.make_graph([node], "constant", inputs, outputs))
