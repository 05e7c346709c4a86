"""The reference: the problem's own `Model`, or a plain layer of torch, and what is true of it.

It tells which transposed convolution a call is, makes weights and inputs, and computes a problem
of more than one operation in float64.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from conformance.kernels.arrays import Described
from conformance.kernels.bench.loading import LoadingError, load_module
from conformance.kernels.bench.montecarlo import Trials
from conformance.kernels.bench.tensors import share, tensor_of, tupled

LAYERS = (torch.nn.ConvTranspose1d, torch.nn.ConvTranspose2d, torch.nn.ConvTranspose3d)
_SMALL = 6
"""Of a spatial axis, where it is seen whether a model is its layer and nothing else."""


class ReferenceServer:
    """Answers for a problem file, or for the layer of a rank; `role` has `problem` or `rank`."""

    def __init__(self, role: dict[str, Any]) -> None:
        self._role, self._folder = role, Path(role["folder"])
        self._made = 0
        self._model: torch.nn.Module | None = None
        self._last: list[torch.Tensor] = []

    def do_describe(self) -> dict[str, Any]:
        """What the problem is: its constructor's arguments and its inputs, nothing computed yet.

        Raises LoadingError where the file is no problem.
        """
        path = self._role.get("problem")
        if path is None:
            self._class: Any = LAYERS[self._role["rank"] - 1]
            return {"names": _names(self._class), "values": [], "inputs": []}
        module = load_module(path, "problem")
        for name in ("Model", "get_inputs", "get_init_inputs"):
            if not hasattr(module, name):
                raise LoadingError(f"has no {name}, should have Model, get_inputs, get_init_inputs")
        self._class, self._module = module.Model, module
        values = list(module.get_init_inputs())
        try:
            json.dumps(values)
        except TypeError:
            raise LoadingError("get_init_inputs returns more than numbers and tuples") from None
        with torch.device("meta"):
            inputs = module.get_inputs()
        shapes = [
            {"shape": list(each.shape), "dtype": str(each.dtype).removeprefix("torch.")}
            for each in inputs
            if isinstance(each, torch.Tensor)
        ]
        if len(shapes) != len(inputs):
            raise LoadingError("get_inputs returns more than tensors")
        return {
            "names": _names(self._class),
            "values": values,
            "inputs": shapes,
            "file": str(Path(path).resolve()),
        }

    def do_make(self, values: list[Any], seed: int, dtype: str) -> dict[str, Any]:
        """Construct the model with weights of a seed; the weights, and what layers it has."""
        torch.manual_seed(seed)
        model = self._class(*map(tupled, values))
        model = model.to(getattr(torch, dtype))
        self._model = model
        self._made += 1
        state = [*model.named_parameters(), *model.named_buffers()]
        weights = [
            [name, share(self._folder, f"w{self._made}-{number}", tensor)]
            for number, (name, tensor) in enumerate(state)
            if tensor.is_floating_point()
        ]
        layers = [_layer(name, each) for name, each in model.named_modules() if _is_layer(each)]
        return {"weights": weights, "layers": layers}

    def do_inputs(self, seed: int) -> dict[str, Any]:
        """The problem's own inputs, of a seed."""
        torch.manual_seed(seed)
        return {
            "inputs": [
                share(self._folder, f"x{seed}-{number}", tensor)
                for number, tensor in enumerate(self._module.get_inputs())
            ]
        }

    def do_is_plain(self, shapes: list[list[int]]) -> dict[str, Any]:
        """Whether the model that was made is a transposed convolution and nothing else: bit for
        bit, on a small input.
        """
        assert self._model is not None, "made before it is asked"
        layers = [each for each in self._model.modules() if _is_layer(each)]
        if len(layers) != 1 or len(shapes) != 1:
            return {"plain": False}
        small = [min(2, shapes[0][0]), shapes[0][1], *(min(n, _SMALL) for n in shapes[0][2:])]
        dtype = next(self._model.parameters()).dtype
        x = torch.randn(small, dtype=dtype)
        with torch.no_grad():
            try:
                return {"plain": bool(torch.equal(self._model(x), layers[0](x)))}
            except (RuntimeError, TypeError, AttributeError):
                return {"plain": False}

    def do_shape(self, shapes: list[list[int]]) -> dict[str, Any]:
        """The output's shape where the model takes inputs of these, and the products of a call; it
        raises what the model raises.
        """
        assert self._model is not None, "made before it is asked"
        return _on_meta(self._model, shapes)

    def do_truth(self, inputs: list[Described], samples: int) -> dict[str, Any]:
        """The model in float64, and how far a right one may be from it, measured."""
        assert self._model is not None, "made before it is asked"
        trials = Trials(self._model, [tensor_of(each) for each in inputs])
        y, allowed = trials.truth(samples)
        self._made += 1
        return {
            "y": share(self._folder, f"t{self._made}", y),
            "allowed": share(self._folder, f"a{self._made}", allowed),
        }

    def do_gradients(self, inputs: list[Described], cotangent: Described) -> dict[str, Any]:
        """The gradients of inputs and parameters in float64, and what is allowed of each."""
        assert self._model is not None, "made before it is asked"
        trials = Trials(self._model, [tensor_of(each) for each in inputs])
        gradients = trials.gradients(tensor_of(cotangent).double())
        self._made += 1
        return {
            "gradients": [
                [share(self._folder, f"g{self._made}-{n}-{k}", each) for k, each in enumerate(pair)]
                for n, pair in enumerate(gradients)
            ]
        }

    def do_mistaken(self, inputs: list[Described], outputs: list[Described]) -> dict[str, Any]:
        """What the model makes of other outputs of its transposed convolution: the mistakes that a
        candidate could have made inside.
        """
        assert self._model is not None, "made before it is asked"
        trials = Trials(self._model, [tensor_of(each) for each in inputs])
        self._made += 1
        return {
            "outputs": [
                None if y is None else share(self._folder, f"m{self._made}-{number}", y)
                for number, y in enumerate(map(trials.mistaken, map(tensor_of, outputs)))
            ]
        }

    def do_layer_input(self, inputs: list[Described]) -> dict[str, Any]:
        """What the model gives its only transposed convolution, in float64."""
        assert self._model is not None, "made before it is asked"
        trials = Trials(self._model, [tensor_of(each) for each in inputs])
        self._made += 1
        return {"x": share(self._folder, f"l{self._made}", trials.layer_input())}

    def do_call(self, inputs: list[Described]) -> dict[str, Any]:
        """One call in the weights' own dtype, to be repeated."""
        self._last = [tensor_of(each) for each in inputs]
        self.do_repeat(1)
        return {}

    def do_repeat(self, times: int) -> dict[str, Any]:
        """Make the last call so many times."""
        assert self._model is not None, "made before it is called"
        with torch.no_grad():
            for _ in range(times):
                self._model(*self._last)
        return {}


def _names(constructor: Any) -> list[str]:
    """The constructor's arguments, in order."""
    return [
        name
        for name, parameter in inspect.signature(constructor).parameters.items()
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]


def _is_layer(module: torch.nn.Module) -> bool:
    return isinstance(module, LAYERS)


def _layer(name: str, module: Any) -> dict[str, Any]:
    """A transposed convolution as data."""
    return {
        "name": name,
        "rank": len(module.kernel_size),
        "in_channels": module.in_channels,
        "out_channels": module.out_channels,
        "kernel_size": list(module.kernel_size),
        "stride": list(module.stride),
        "padding": list(module.padding),
        "output_padding": list(module.output_padding),
        "dilation": list(module.dilation),
        "groups": module.groups,
        "bias": module.bias is not None,
    }


def _on_meta(model: torch.nn.Module, shapes: list[list[int]]) -> dict[str, Any]:
    """The output's shape and the number of products, without one computed."""
    dtype = next(model.parameters()).dtype
    state = {name: each.to("meta") for name, each in model.state_dict().items()}
    inputs = [torch.empty(shape, dtype=dtype, device="meta") for shape in shapes]
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        y = torch.func.functional_call(model, state, tuple(inputs))
    return {"shape": list(y.shape), "products": counter.get_total_flops() // 2}
