"""A frozen TensorFlow graph: its transposed convolutions, and every tensor of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from conformance.models.results import LayerEntry, Results

_OPERATORS = {
    "Conv2DBackpropInput": "tf.nn.conv2d_transpose",
    "Conv3DBackpropInputV2": "tf.nn.conv3d_transpose",
}
_PLUMBING = {"Const", "Identity", "NoOp", "Placeholder", "ReadVariableOp"}
_BIASES = {"BiasAdd", "Add", "AddV2"}
_AXES = {2: "HW", 3: "DHW"}
_MOST_FUSED = 3
_TENSORS_AT_ONCE = 64


class Graph:
    """The graph of a concrete function without variables."""

    def __init__(self, function: Any, results: Results, *, keep: bool) -> None:
        definition = function.graph.as_graph_def()
        self._wrapped = tf.compat.v1.wrap_function(
            lambda: tf.graph_util.import_graph_def(definition, name=""), []
        )
        self._feeds = [self._wrapped.graph.as_graph_element(t.name) for t in function.inputs]
        self._feed_names = [tensor.op.name for tensor in function.inputs]
        self._outputs = [self._wrapped.graph.as_graph_element(t.name) for t in function.outputs]
        self._results, self._keep = results, keep
        self._constant: dict[str, bool] = {}

    def read(self, samples: Mapping[str, Any]) -> None:
        """Every transposed convolution on a sample, and with `keep` the output of every node."""
        operations = self._wrapped.graph.get_operations()
        convolutions = [op for op in operations if op.type in _OPERATORS]
        self._results.say(f"runs the model: {len(convolutions)} transposed convolutions")
        by_output: dict[str, tuple[int, Any]] = {}
        for op in convolutions:
            bias = self._bias(op)
            last = op if bias is None else bias[0]
            sizes, kernel, x = self._run([op.inputs[0], op.inputs[1], op.inputs[2]], samples)
            added = None if bias is None else self._run([bias[1]], samples)[0]
            self._results.layers.append(self._entry(op, last, sizes, kernel, x, added))
            by_output[last.name] = (len(self._results.layers) - 1, op)
        if self._keep:
            self._record(operations, by_output, samples)

    def _run(self, tensors: Sequence[Any], samples: Mapping[str, Any]) -> list[Any]:
        feeds = [samples.get(name, samples.get(name.split("/")[-1])) for name in self._feed_names]
        pruned = self._wrapped.prune(self._feeds, list(tensors))
        return [tensor.numpy() for tensor in pruned(*map(tf.constant, feeds))]

    def _is_constant(self, tensor: Any) -> bool:
        """Whether a tensor depends on no input of the model."""
        name = tensor.op.name
        if name not in self._constant:
            self._constant[name] = tensor.op.type != "Placeholder" and all(
                self._is_constant(source) for source in tensor.op.inputs
            )
        return self._constant[name]

    def _bias(self, op: Any) -> tuple[Any, Any] | None:
        """(the node that adds a bias, the bias) behind a convolution, if there is one."""
        behind = self._only_user(op)
        if behind is None or behind.type not in _BIASES:
            return None
        other = next((t for t in behind.inputs if t.op.name != op.name), None)
        if other is None or other.shape.rank != 1 or not self._is_constant(other):
            return None
        return behind, other

    def _only_user(self, op: Any) -> Any | None:
        """The only node that uses an output, identities passed over."""
        users = op.outputs[0].consumers() if op.outputs else []
        if len(users) != 1:
            return None
        return self._only_user(users[0]) if users[0].type == "Identity" else users[0]

    def _entry(self, op: Any, last: Any, sizes: Any, kernel: Any, x: Any, bias: Any) -> LayerEntry:
        """The kernel is (*kernel, C_out / groups, C_in), and `sizes` the shape of the output."""
        arguments, native = _arguments(op, sizes, kernel)
        x = x if _is_channels_first(op) else np.moveaxis(x, -1, 1)
        entry = LayerEntry(
            name=op.name,
            operator=_OPERATORS[op.type],
            convention="tensorflow",
            arguments=arguments,
            native=native,
            followed_by=self._followers(last),
            inputs=[list(x.shape)],
        )
        if bias is not None:
            entry.bias = self._results.store(bias)
            entry.bias_tensor = {"name": None, "axes": "O"}
        if self._is_constant(op.inputs[1]):
            entry.kernel = self._results.store(np.moveaxis(kernel, (-1, -2), (0, 1)))
            entry.kernel_tensor = {"name": None, "axes": f"{_AXES[kernel.ndim - 2]}OI"}
            entry.normalised_by = self._makers(op.inputs[1])
        else:
            entry.notes.append("Its kernel is computed while the model runs.")
        return entry

    def _makers(self, tensor: Any) -> list[str]:
        """The operators that make a constant, but for those that pass it on."""
        own = [] if tensor.op.type in _PLUMBING else [tensor.op.type]
        for source in tensor.op.inputs:
            own += self._makers(source)
        return list(dict.fromkeys(own))

    def _followers(self, op: Any) -> list[str]:
        chain: list[str] = []
        behind = self._only_user(op)
        while behind is not None and len(chain) < _MOST_FUSED:
            chain.append(behind.type)
            behind = self._only_user(behind)
        return chain

    def _record(
        self,
        operations: Sequence[Any],
        by_output: Mapping[str, tuple[int, Any]],
        samples: Mapping[str, Any],
    ) -> None:
        with_bias = {op.name for name, (_, op) in by_output.items() if op.name != name}
        wanted = [
            op
            for op in operations
            if op.type not in _PLUMBING
            and op.name not in with_bias
            and op.outputs
            and op.outputs[0].dtype.is_floating
            and not self._is_constant(op.outputs[0])
        ]
        for start in range(0, len(wanted), _TENSORS_AT_ONCE):
            part = wanted[start : start + _TENSORS_AT_ONCE]
            arrays = self._run([op.outputs[0] for op in part], samples)
            for op, array in zip(part, arrays, strict=True):
                self._record_one(op, array, by_output.get(op.name), samples)
        for number, tensor in enumerate(self._outputs):
            array = self._run([tensor], samples)[0]
            self._results.outputs[str(number)] = self._results.store(array)

    def _record_one(
        self, op: Any, array: Any, layer: tuple[int, Any] | None, samples: Mapping[str, Any]
    ) -> None:
        if layer is None:
            self._results.add_activation(op.name, op.type, array)
            return
        index, convolution = layer
        x = self._run([convolution.inputs[2]], samples)[0]
        if not _is_channels_first(convolution):
            x, array = np.moveaxis(x, -1, 1), np.moveaxis(array, -1, 1)
        self._results.add_activation(
            convolution.name, convolution.type, array, layer=index, input=x
        )


def _is_channels_first(op: Any) -> bool:
    return bool(op.get_attr("data_format").startswith(b"NC"))


def _arguments(op: Any, sizes: Any, kernel: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the attributes of a node, the native arguments that they stand for). `sizes` are those of
    the whole output, or the spatial ones alone, which TensorFlow takes too.
    """
    channels_first, rank = _is_channels_first(op), kernel.ndim - 2
    spatial = slice(2, None) if channels_first else slice(1, -1)
    padding: Any = op.get_attr("padding").decode()
    arguments = {
        "strides": [int(n) for n in op.get_attr("strides")],
        "padding": padding,
        "dilations": [int(n) for n in op.get_attr("dilations")],
        "data_format": op.get_attr("data_format").decode(),
        "output_shape": [int(n) for n in sizes],
    }
    if padding == "EXPLICIT":
        pads = [int(n) for n in op.get_attr("explicit_paddings")]
        arguments["explicit_paddings"] = pads
        padding = [list(pair) for pair in zip(pads[::2], pads[1::2], strict=True)][spatial]
    is_whole = len(sizes) > rank
    channels = int(sizes[1 if channels_first else -1]) if is_whole else kernel.shape[-2]
    return arguments, {
        "strides": arguments["strides"][spatial],
        "padding": padding,
        "output_shape": [int(n) for n in (sizes[spatial] if is_whole else sizes)],
        "dilations": arguments["dilations"][spatial],
        "groups": channels // kernel.shape[-2],
    }
