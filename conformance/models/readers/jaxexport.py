"""A function that jax.export serialised: the convolutions of a dilated input in its StableHLO."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import jax.export
import numpy as np
from jax.interpreters import mlir
from jaxlib.mlir import ir
from jaxlib.mlir.dialects import stablehlo

from conformance.models.readers.jax import axes_of, kernel_of
from conformance.models.results import (
    LayerEntry,
    ReadingError,
    Request,
    Results,
    open_sizes,
    random_input,
)

_LAYOUT: Mapping[str, Callable[[Any, Any], Any]] = {
    "stablehlo.reverse": lambda op, array: np.flip(array, tuple(_integers(op, "dimensions"))),
    "stablehlo.transpose": lambda op, array: np.transpose(array, _integers(op, "permutation")),
    "stablehlo.reshape": lambda op, array: array.reshape(_shape(op.results[0])),
}
"""What JAX does to weights between a constant and a convolution."""


def read(request: Request, results: Results) -> None:
    """Shapes and weights stand in the program, which is run for its outputs alone."""
    results.versions["jax"] = jax.__version__
    results.say("loads the function")
    try:
        exported = jax.export.deserialize(bytearray(Path(request.path).read_bytes()))
        text = exported.mlir_module()
    except Exception as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise ReadingError(f"is not a function of jax.export: {first}") from None
    with mlir.make_ir_context(), ir.Location.unknown():
        for name, op in _operations(ir.Module.parse(text).operation, ""):
            if op.name == "stablehlo.convolution":
                _convolution(name, op, results)
    arrays = _samples(exported, request, results)
    if request.activations:
        results.notes.append("Of an exported function the outputs are known, and none between.")
        outputs = exported.call(*jax.tree_util.tree_unflatten(exported.in_tree, arrays)[0])
        for number, array in enumerate(jax.tree_util.tree_leaves(outputs)):
            results.outputs[str(number)] = results.store(np.asarray(array))


def _operations(operation: Any, function: str) -> Iterator[tuple[str, Any]]:
    """Every operation with the name of the function that it stands in, at any depth."""
    for region in operation.regions:
        for block in region.blocks:
            for view in block.operations:
                op = view.operation
                name = (
                    ir.StringAttr(op.attributes["sym_name"]).value
                    if "sym_name" in (op.attributes)
                    else function
                )
                yield name, op
                yield from _operations(op, name)


def _convolution(function: str, op: Any, results: Results) -> None:
    """Enter a convolution if its input is dilated: with stride 1 it cannot be told from others."""
    dilation = _integers(op, "lhs_dilation")
    if not dilation or max(dilation) == 1:
        return
    numbers = stablehlo.ConvDimensionNumbers(op.attributes["dimension_numbers"])
    lhs = [
        numbers.input_batch_dimension,
        numbers.input_feature_dimension,
        *numbers.input_spatial_dimensions,
    ]
    rhs = [
        numbers.kernel_output_feature_dimension,
        numbers.kernel_input_feature_dimension,
        *numbers.kernel_spatial_dimensions,
    ]
    arguments, native = _arguments(op, dilation)
    shape = _shape(op.operands[0])
    entry = LayerEntry(
        name=f"{function}.{len(results.layers)}",
        operator="jax.lax.conv_general_dilated",
        convention="jax",
        arguments=arguments,
        native=native,
        inputs=[[shape[axis] for axis in lhs]],
    )
    weights = _constant(op.operands[1])
    if max(entry.arguments["window_strides"]) > 1:
        entry.notes.append("It has window_strides beside its dilation.")
    elif weights is None:
        entry.notes.append("Its kernel is computed while the model runs.")
    else:
        entry.kernel = results.store(
            kernel_of(np.transpose(weights, rhs), native["feature_group_count"])
        )
        entry.kernel_tensor = {"name": None, "axes": axes_of(rhs), "flipped": True}
    results.layers.append(entry)
    results.say(f"{entry.name}: {entry.operator}")


def _arguments(op: Any, dilation: list[int]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the arguments of conv_general_dilated, the native ones of a transposed convolution)."""
    rank = len(dilation)
    pads = np.array(op.attributes["padding"]) if "padding" in op.attributes else np.zeros((rank, 2))
    shared = {
        "padding": [[int(low), int(high)] for low, high in pads],
        "rhs_dilation": _integers(op, "rhs_dilation") or [1] * rank,
        "feature_group_count": ir.IntegerAttr(op.attributes["feature_group_count"]).value,
    }
    strides = _integers(op, "window_strides") or [1] * rank
    return shared | {"lhs_dilation": dilation, "window_strides": strides}, shared | {
        "strides": dilation
    }


def _constant(value: Any) -> Any | None:
    """The numbers of a constant, reversed, transposed and reshaped as the program does it."""
    if not isinstance(value.owner, ir.Operation | ir.OpView):
        return None
    op = value.owner if isinstance(value.owner, ir.Operation) else value.owner.operation
    if op.name == "stablehlo.constant":
        return np.array(ir.DenseElementsAttr(op.attributes["value"]))
    if op.name not in _LAYOUT:
        return None
    array = _constant(op.operands[0])
    return None if array is None else _LAYOUT[op.name](op, array)


def _integers(op: Any, name: str) -> list[int]:
    """An attribute of whole numbers; empty where there is none."""
    return [int(number) for number in op.attributes[name]] if name in op.attributes else []


def _shape(value: Any) -> list[int]:
    """The shape of a value; a size that is symbolic is negative, and makes no case."""
    return [int(size) if size > 0 else 0 for size in ir.RankedTensorType(value.type).shape]


def _samples(exported: Any, request: Request, results: Results) -> list[Any]:
    """An array for every input, given or drawn in the shape of the program."""
    arrays = []
    asked = request.inputs_of([str(number) for number in range(len(exported.in_avals))])
    for number, aval in enumerate(exported.in_avals):
        shape = [size if isinstance(size, int) else None for size in aval.shape]
        if str(number) in asked:
            array = asked[str(number)].numbers(aval.dtype.name)
        elif None in shape:
            raise open_sizes(str(number), shape)
        else:
            array = random_input(aval.shape, aval.dtype.name)
        results.add_input(str(number), shape, aval.dtype.name, array)
        arrays.append(array)
    return arrays
