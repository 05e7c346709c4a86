"""A torch.nn.Module: its layers as modules have them, or as a run on a sample shows them."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import torch
from torch.nn.modules.conv import _ConvTransposeNd

from conformance.models.guard import no_pickle
from conformance.models.readers.torchcalls import AXES, Recording, numbers, run
from conformance.models.results import LayerEntry, ReadingError, Request, Results


def read_module(module: Any, request: Request, results: Results) -> None:
    """The transposed convolutions of a module in evaluation mode."""
    results.versions["torch"] = torch.__version__
    if request.weights is not None:
        with no_pickle(unsafe=request.unsafe):
            load_weights(module, request.weights, unsafe=request.unsafe)
    module.eval()
    if not request.inputs:
        if request.activations:
            raise ReadingError("has no sizes of its own, should be given an input (--input)")
        _list(module, results)
        return
    samples = [(entry.name, entry.numbers(None)) for entry in request.inputs]
    parameters = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    recording = Recording(results, parameters, keep=request.activations)
    handles = _watch(module, recording)
    try:
        run(module, list(inspect.signature(module.forward).parameters), samples, recording, results)
    finally:
        for handle in handles:
            handle.remove()


def load_weights(module: Any, path: str, *, unsafe: bool) -> None:
    """A state dict, read with weights_only unless it is `unsafe`, or safetensors, into a module
    that has its names.
    """
    if not Path(path).is_file():
        raise ReadingError(f"has no weights: {path} is not a file")
    try:
        if path.endswith(".safetensors"):
            from safetensors.torch import load_file

            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=not unsafe)
        if set(state) & {"state_dict", "model_state_dict"}:
            state = state.get("state_dict", state.get("model_state_dict"))
        module.load_state_dict(state)
    except Exception as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ReadingError(f"has no weights: {path} cannot be loaded: {first}") from None


def _list(module: Any, results: Results) -> None:
    """Every transposed convolution among the modules; nothing is run."""
    for path, part in module.named_modules():
        if not isinstance(part, _ConvTransposeNd):
            continue
        rank = len(part.kernel_size)
        native = {
            "stride": list(part.stride),
            "padding": list(part.padding),
            "output_padding": list(part.output_padding),
            "dilation": list(part.dilation),
            "groups": part.groups,
        }
        prefix = f"{path}." if path else ""
        results.layers.append(
            LayerEntry(
                name=path,
                operator=operator_of(part),
                convention="torch",
                arguments=native,
                native=native,
                kernel=results.store(numbers(part.weight)),
                bias=None if part.bias is None else results.store(numbers(part.bias)),
                kernel_tensor={
                    "name": f"{prefix}weight" if "weight" in part._parameters else None,
                    "axes": f"IO{AXES[rank]}",
                },
                bias_tensor=None if part.bias is None else {"name": f"{prefix}bias", "axes": "O"},
                normalised_by=normalisations(part),
            )
        )


def operator_of(module: Any) -> str:
    """The public name of the class of torch.nn that a module is of, parametrised or derived."""
    for base in type(module).__mro__:
        if base.__module__.startswith("torch.nn.modules."):
            return f"torch.nn.{base.__name__}"
    return type(module).__name__


def normalisations(module: Any) -> list[str]:
    """What makes the effective weights: the classes of parametrizations, and of older hooks."""
    makers = [
        type(part).__name__.lstrip("_")
        for part in getattr(getattr(module, "parametrizations", None), "weight", [])
    ]
    hooks = module._forward_pre_hooks.values()
    return makers + [
        type(hook).__name__ for hook in hooks if getattr(hook, "name", None) == "weight"
    ]


def _watch(module: Any, recording: Recording) -> list[Any]:
    """Hooks by which the recording knows the module that runs, and the arguments of its call."""
    stack: list[tuple[str, str | None, dict[str, Any]]] = []
    handles = []

    def enter(path: str) -> Any:
        def hook(part: Any, args: Any, kwargs: Any) -> None:
            stack.append((recording.path, recording.operator, recording.extra))
            is_layer = isinstance(part, _ConvTransposeNd)
            recording.path = path
            recording.operator = operator_of(part) if is_layer else None
            size = kwargs.get("output_size", args[1] if len(args) > 1 else None)
            recording.extra = {"output_size": size} if is_layer else {}

        return hook

    def leave(part: Any, args: Any, output: Any) -> None:
        if isinstance(part, _ConvTransposeNd) and recording.results.layers:
            makers = normalisations(part)
            if makers:
                recording.results.layers[-1].normalised_by = makers
        recording.path, recording.operator, recording.extra = stack.pop()

    for path, part in module.named_modules():
        if isinstance(part, torch.jit.ScriptModule):
            continue
        handles.append(part.register_forward_pre_hook(enter(path), with_kwargs=True))
        handles.append(part.register_forward_hook(leave))
    return handles
