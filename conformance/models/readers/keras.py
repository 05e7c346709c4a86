"""A Keras model, a .keras or .h5 file or an object: its Conv1D/2D/3DTranspose layers."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from conformance.models.guard import no_pickle
from conformance.models.results import LayerEntry, ReadingError, Request, Results, random_input

_KINDS = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)
_AXES = {1: "W", 2: "HW", 3: "DHW"}
_NATIVE = ("strides", "padding", "output_padding", "dilation_rate")
_ARGUMENTS = ("filters", "kernel_size", *_NATIVE, "data_format", "use_bias", "activation")


def read(request: Request, results: Results) -> None:
    """Loaded with safe_mode: a Lambda layer, which is pickled code, is refused."""
    results.say("loads the model")
    try:
        with no_pickle(unsafe=request.unsafe):
            model = keras.saving.load_model(
                request.path, compile=False, safe_mode=not request.unsafe
            )
    except ReadingError:
        raise
    except Exception as error:
        first = next((line for line in str(error).splitlines() if line.strip()), "")
        raise ReadingError(f"cannot be read: {type(error).__name__}: {first}") from None
    read_model(model, request, results)


def read_model(model: Any, request: Request, results: Results) -> None:
    """The layers of a model that has been made."""
    results.versions |= {"keras": keras.__version__, "backend": keras.backend.backend()}
    if request.weights is not None:
        model.load_weights(request.weights)
    layers = dict(_layers(model, ""))
    samples = _samples(model, request, results)
    taken = Counter(weight.path for weight in model.weights)
    for path, layer in layers.items():
        if isinstance(layer, _KINDS) and layer.built:
            results.say(f"{path}: {type(layer).__name__}")
            results.layers.append(_entry(path, layer, taken, results))
    if samples is not None:
        _run(model, layers, samples, request, results)


def _layers(layer: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Path and layer of every layer below one, at any depth."""
    for part in layer._layers:
        inner = f"{path}/{part.name}" if path else part.name
        yield inner, part
        yield from _layers(part, inner)


def _entry(path: str, layer: Any, taken: Counter[str], results: Results) -> LayerEntry:
    """A layer; `taken` has how many variables of the model have each name."""
    kernel = np.asarray(keras.ops.convert_to_numpy(layer.kernel))  # (*kernel, C_out, C_in)
    config = layer.get_config()
    arguments = {key: _plain(config.get(key)) for key in _ARGUMENTS if key in config}
    entry = LayerEntry(
        name=path,
        operator=f"keras.layers.{type(layer).__name__}",
        convention="keras",
        arguments=arguments,
        native={key: arguments[key] for key in _NATIVE if key in arguments},
        kernel=results.store(np.moveaxis(kernel, (-1, -2), (0, 1))),
        kernel_tensor={"name": _name(layer.kernel, taken), "axes": f"{_AXES[kernel.ndim - 2]}OI"},
    )
    if layer.bias is not None:
        entry.bias = results.store(keras.ops.convert_to_numpy(layer.bias))
        entry.bias_tensor = {"name": _name(layer.bias, taken), "axes": "O"}
    if arguments.get("activation") not in (None, "linear"):
        entry.activation = str(arguments["activation"])
    return entry


def _name(variable: Any, taken: Counter[str]) -> str | None:
    """The path of a variable, by which a file has it; None where others have the same, or where it
    is computed of some.
    """
    name = getattr(variable, "path", None)
    return name if name is not None and taken[name] == 1 else None


def _plain(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return [_plain(part) for part in value]
    return value if isinstance(value, (int, float, str, type(None))) else str(value)


def _samples(model: Any, request: Request, results: Results) -> list[Any] | None:
    """An array for every input; None where sizes are open and none are given."""
    tensors = getattr(model, "inputs", None) or []
    names = [tensor.name for tensor in tensors] or [str(n) for n in range(len(request.inputs))]
    asked = request.inputs_of(names)
    samples = []
    for position, name in enumerate(names):
        tensor = tensors[position] if tensors else None
        shape = None if tensor is None else list(tensor.shape)
        dtype = None if tensor is None else str(tensor.dtype)
        if name in asked:
            array = asked[name].numbers(dtype)
        elif shape is not None and None not in shape[1:]:
            array = random_input([shape[0] or 1, *shape[1:]], dtype)
        else:
            array = None
        results.add_input(name, shape, dtype, array)
        samples.append(array)
    if not samples or any(array is None for array in samples):
        if request.activations:
            raise ReadingError("leaves sizes of its inputs open, should be given them (--input)")
        return None
    return samples


def _run(
    model: Any, layers: dict[str, Any], samples: list[Any], request: Request, results: Results
) -> None:
    """Call the model on samples, each of its layers watched."""
    indices = {entry.name: index for index, entry in enumerate(results.layers)}
    for path, layer in layers.items():
        if path in indices or not list(layer._layers):
            _watch(path, layer, indices.get(path), request.activations, results)
    results.say("runs the model")
    arrays = [keras.ops.convert_to_tensor(array) for array in samples]
    takes_list = len(arrays) > 1 and hasattr(model, "inputs")
    arguments = [arrays] if takes_list else arrays
    trains = "training" in inspect.signature(model.call).parameters
    output = model(*arguments, **({"training": False} if trains else {}))
    if request.activations:
        for position, tensor in enumerate(keras.tree.flatten(output)):
            results.outputs[str(position)] = results.store(keras.ops.convert_to_numpy(tensor))


def _watch(path: str, layer: Any, index: int | None, keep: bool, results: Results) -> None:
    """Have the calls of a layer recorded."""
    original = layer.call

    def call(*args: Any, **kwargs: Any) -> Any:
        output = original(*args, **kwargs)
        before, after = None, keras.ops.convert_to_numpy(keras.tree.flatten(output)[0])
        if index is not None:
            before = keras.ops.convert_to_numpy(keras.tree.flatten((args, kwargs))[0])
            if layer.data_format == "channels_last":
                before, after = np.moveaxis(before, -1, 1), np.moveaxis(after, -1, 1)
            results.layers[index].inputs.append(list(before.shape))
        if keep:
            results.add_activation(path, type(layer).__name__, after, layer=index, input=before)
        return output

    layer.call = call
