"""A function of JAX, a Flax module among them: its convolutions of a dilated input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.extend.core import Literal

from conformance.models.results import LayerEntry, ReadingError, Request, Results

_AXES = {1: "W", 2: "HW", 3: "DHW"}
_LAYOUT = {"rev", "transpose", "reshape", "convert_element_type", "copy", "copy_p"}
_CALLS = {"pjit", "jit", "closed_call", "custom_jvp_call", "custom_vjp_call", "remat", "checkpoint"}
_INSIDE = ("jaxpr", "call_jaxpr", "fun_jaxpr")


def read_model(model: Any, request: Request, results: Results) -> None:
    """What a callable made: a function of arrays, an nnx.Module, or a Linen module and its
    variables.
    """
    results.versions["jax"] = jax.__version__
    if not request.inputs:
        raise ReadingError("is a function of JAX, which has no shapes: should be given an input")
    function, parameters = _function(model)
    arrays = [np.asarray(entry.numbers(None)) for entry in request.inputs]
    for number, array in enumerate(arrays):
        results.add_input(str(number), None, array.dtype.name, array)
    closed = jax.make_jaxpr(function)(*arrays)
    results.say("runs the model")
    run = _Run(results, parameters, keep=request.activations)
    outputs = run.evaluate(closed.jaxpr, closed.consts, arrays, set(), "")
    if request.activations:
        for number, array in enumerate(outputs):
            results.outputs[str(number)] = results.store(np.asarray(array))


def _function(model: Any) -> tuple[Any, dict[int, str]]:
    """The function, and the names of its parameters by the address of their numbers."""
    if isinstance(model, tuple) and len(model) == 2 and hasattr(model[0], "apply"):
        module, variables = model
        return (lambda *arrays: module.apply(variables, *arrays)), _names(variables)
    if any(base.__module__.startswith("flax.nnx") for base in type(model).__mro__):
        from flax import nnx

        model.eval()
        return model, _names(nnx.state(model).to_pure_dict())
    return model, {}


def _names(tree: Any) -> dict[int, str]:
    names = {}
    for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]:
        if isinstance(leaf, jax.Array) and not jax.dtypes.issubdtype(
            leaf.dtype, jax.dtypes.prng_key
        ):
            parts = [str(getattr(key, "key", getattr(key, "name", key))) for key in path]
            names[leaf.unsafe_buffer_pointer()] = ".".join(p for p in parts if p != "params")
    return names


class _Run:
    """One evaluation, equation by equation. A value is traced back to what made it of constants
    alone.
    """

    def __init__(self, results: Results, parameters: dict[int, str], *, keep: bool) -> None:
        self._results, self._parameters, self._keep = results, parameters, keep
        self._counts: dict[str, int] = {}
        self._last: tuple[int | None, Any, int] = (None, None, 0)  # (layer, its output, C's axis)

    def evaluate(
        self, jaxpr: Any, consts: Sequence[Any], args: Sequence[Any], constant: set[int], path: str
    ) -> list[Any]:
        """The outputs of a jaxpr; `constant` has the places of arguments that depend on no
        input.
        """
        values: dict[Any, Any] = dict(zip(jaxpr.constvars, consts, strict=True))
        origins: dict[Any, list[str]] = {var: [] for var in jaxpr.constvars}
        for position, (var, value) in enumerate(zip(jaxpr.invars, args, strict=True)):
            values[var] = value
            if position in constant:
                origins[var] = []
        for equation in jaxpr.eqns:
            inputs = [_value(values, var) for var in equation.invars]
            known = [
                [] if isinstance(var, Literal) else origins.get(var) for var in equation.invars
            ]
            outputs = self._apply(equation, inputs, known, path)
            for var, value in zip(equation.outvars, outputs, strict=True):
                values[var] = value
                if all(origin is not None for origin in known):
                    makers = [maker for origin in known for maker in origin or []]
                    own = [] if equation.primitive.name in _CALLS else [equation.primitive.name]
                    origins[var] = [*makers, *own]
        return [_value(values, var) for var in jaxpr.outvars]

    def _apply(
        self, equation: Any, inputs: list[Any], known: Sequence[Any], path: str
    ) -> list[Any]:
        name = equation.primitive.name
        scope = str(equation.source_info.name_stack)
        path = "/".join(part for part in (path, scope) if part)
        inner = next((equation.params[key] for key in _INSIDE if key in equation.params), None)
        if name in _CALLS and inner is not None:
            jaxpr, consts = (inner.jaxpr, inner.consts) if hasattr(inner, "consts") else (inner, ())
            constant = {position for position, origin in enumerate(known) if origin is not None}
            return self.evaluate(jaxpr, consts, inputs, constant, path)
        bound = equation.primitive.get_bind_params(equation.params)
        functions, params = bound if isinstance(bound, tuple) else ((), bound)  # before jax 0.10
        answer = equation.primitive.bind(*functions, *inputs, **params)
        outputs = list(answer) if equation.primitive.multiple_results else [answer]
        if name == "conv_general_dilated" and max(equation.params["lhs_dilation"]) > 1:
            self._transposed(equation.params, inputs, known[1], outputs[0], path)
        elif name == "add" and self._is_bias(inputs, known, outputs[0]):
            pass
        elif self._keep and any(origin is None for origin in known):
            label = self._numbered(f"{path}/{name}" if path else name)
            self._results.add_activation(label, name, np.asarray(outputs[0]))
        return outputs

    def _is_bias(self, inputs: Sequence[Any], known: Sequence[Any], output: Any) -> bool:
        """Whether a sum adds a bias to the output of the convolution before it, which gets it."""
        index, before, channel_axis = self._last
        position = next(
            (position for position, value in enumerate(inputs) if value is before), None
        )
        if index is None or position is None or known[1 - position] is None:
            return False
        added = np.asarray(inputs[1 - position])
        if added.size != before.shape[channel_axis] or added.shape[channel_axis] != added.size:
            return False
        entry = self._results.layers[index]
        parameter = self._parameters.get(_address(inputs[1 - position]))
        entry.bias = self._results.store(added.reshape(-1))
        entry.bias_tensor = {"name": parameter, "axes": "O"}
        self._last = (None, None, 0)
        if self._keep:
            y = np.moveaxis(np.asarray(output), channel_axis, 1)
            self._results.activations[-1]["output"] = self._results.store(y)
        return True

    def _transposed(
        self, params: Any, inputs: Sequence[Any], makers: Any, output: Any, path: str
    ) -> None:
        numbers = params["dimension_numbers"]
        x = np.transpose(np.asarray(inputs[0]), numbers.lhs_spec)
        parameter = self._parameters.get(_address(inputs[1]))
        label = parameter.rpartition(".")[0] if parameter else path
        arguments, native = _arguments(params)
        entry = LayerEntry(
            name=label or self._numbered("conv_general_dilated"),
            operator="jax.lax.conv_general_dilated",
            convention="jax",
            arguments=arguments,
            native=native,
            inputs=[list(x.shape)],
        )
        if max(params["window_strides"]) > 1 or params["batch_group_count"] > 1:
            entry.notes.append("It has window_strides or a batch_group_count beside its dilation.")
        elif makers is None:
            entry.notes.append("Its kernel is computed while the model runs.")
        else:
            weights = np.transpose(np.asarray(inputs[1]), numbers.rhs_spec)
            entry.kernel = self._results.store(kernel_of(weights, params["feature_group_count"]))
            axes = axes_of(numbers.rhs_spec)
            entry.kernel_tensor = {"name": parameter, "axes": axes, "flipped": True}
            entry.normalised_by = [m for m in dict.fromkeys(makers) if m not in _LAYOUT]
        self._results.layers.append(entry)
        self._last = (len(self._results.layers) - 1, output, numbers.out_spec[1])
        self._results.say(f"{entry.name}: {entry.operator}")
        if self._keep:
            y = np.transpose(np.asarray(output), numbers.out_spec)
            index = len(self._results.layers) - 1
            self._results.add_activation(entry.name, entry.operator, y, layer=index, input=x)

    def _numbered(self, name: str) -> str:
        self._counts[name] = self._counts.get(name, 0) + 1
        return name if self._counts[name] == 1 else f"{name}_{self._counts[name] - 1}"


def _arguments(params: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the arguments of conv_general_dilated, the native ones of a transposed convolution)."""
    arguments = {
        key: [int(number) for number in params[key]]
        for key in ("window_strides", "lhs_dilation", "rhs_dilation")
    }
    padding = [[int(low), int(high)] for low, high in params["padding"]]
    groups = int(params["feature_group_count"])
    return arguments | {"padding": padding, "feature_group_count": groups}, {
        "strides": arguments["lhs_dilation"],
        "padding": padding,
        "rhs_dilation": arguments["rhs_dilation"],
        "feature_group_count": groups,
    }


def axes_of(spec: Sequence[int]) -> str:
    """The axes of weights as they are laid out: HWIO for a specification (3, 2, 0, 1)."""
    letters = dict(zip(spec, f"OI{_AXES[len(spec) - 2]}", strict=True))
    return "".join(letters[axis] for axis in range(len(spec)))


def _value(values: dict[Any, Any], var: Any) -> Any:
    return var.val if isinstance(var, Literal) else values[var]


def _address(value: Any) -> int:
    return int(value.unsafe_buffer_pointer()) if isinstance(value, jax.Array) else 0


def kernel_of(weights: Any, groups: int) -> Any:
    """(C_in, C_out / groups, *kernel) of what is slid over the dilated input, (C_out, C_in /
    groups, *kernel): the channels of each group exchanged, the spatial axes turned round.
    """
    c_out, c_in, *sizes = weights.shape
    turned = np.flip(weights, tuple(range(2, weights.ndim)))
    grouped = turned.reshape(groups, c_out // groups, c_in, *sizes)
    return np.swapaxes(grouped, 1, 2).reshape(groups * c_in, c_out // groups, *sizes)
