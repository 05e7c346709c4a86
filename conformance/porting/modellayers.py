"""Every transposed convolution of a model that its own framework has read, as a layer to port; and
its weights by name, for models whose file a program of layers does not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from conformance import conventions
from conformance.conventions import ArgumentError, Native
from conformance.errors import PortError
from conformance.models import Layer as ModelLayer
from conformance.models import Model, StoredArray
from conformance.porting.layer import Layer
from conformance.porting.layouts import layout_of
from conformance.porting.modules.files import tensor_names
from conformance.porting.operands import Array, stored

_FLOATING = ("float64", "float32", "float16", "bfloat16")


def layers_of(model: Model, *, by_name: bool = False) -> list[Layer]:
    """The transposed convolutions of a model in its order; raises PortError where there is none.

    With `by_name` a program loads the weights from a file of the model's own names, in which
    torch's weight norm has its parts; without, from a file of `tensors_of`, which are effective.
    """
    usable, notes = [], []
    for entry in model.layers:
        reason = _obstacle(entry)
        if reason is None:
            usable.append(entry)
        else:
            notes.append(f"{entry.name} is left out. {reason}")
    if not usable:
        raise PortError(" ".join([f"{model.path} has no transposed convolution to port.", *notes]))
    return [
        _layer(entry, names, by_name=by_name, notes=notes if number == 0 else [])
        for number, (entry, names) in enumerate(zip(usable, _names(usable), strict=True))
    ]


def tensors_of(model: Model) -> dict[str, Array]:
    """The effective weights of every layer by the names that a program of layers loads them by, in
    the order of axes of the source's framework. They end with the model. Raises PortError for
    weights that are no floating-point numbers.
    """
    usable = [entry for entry in model.layers if _obstacle(entry) is None]
    tensors: dict[str, Array] = {}
    for entry, (kernel, bias) in zip(usable, _names(usable), strict=True):
        assert entry.kernel is not None
        if entry.kernel.dtype not in _FLOATING:
            raise PortError(
                f"{entry.name} has weights of {entry.kernel.dtype}, should have floating-point "
                "ones to be loaded into a layer"
            )
        layer = _layer(entry, (kernel, bias), by_name=False, notes=())
        stored_kernel = stored(entry.kernel.load(), layer.layout, layer.groups)
        tensors[kernel] = np.ascontiguousarray(stored_kernel)
        if entry.bias is not None and bias is not None:
            tensors[bias] = np.ascontiguousarray(entry.bias.load())
    return tensors


def source_file(model: Model, weights: str | None) -> str | None:
    """The file from which a program of layers can load a model's weights by their names; None where
    `tensors_of` has to be written to one. `weights` is a file that the user gives.
    """
    is_keras = any(entry.convention == "keras" for entry in model.layers)
    if weights is not None:
        return None if is_keras and model.format == "callable" else weights
    named = all(entry.kernel_tensor and entry.kernel_tensor.name for entry in model.layers)
    return model.path if model.format == "keras" and named else None


def _obstacle(entry: ModelLayer) -> str | None:
    """Why a layer cannot be ported, as a sentence; None where it can."""
    if entry.kernel is None:
        return " ".join(entry.notes) or "Its kernel is not a constant of the model."
    if 0 in entry.kernel.shape:
        return "It has an array without elements."
    return None


def _layer(
    entry: ModelLayer, names: tuple[str, str | None], *, by_name: bool, notes: Sequence[str]
) -> Layer:
    """A layer of a model; `notes` are sentences on others that are told with it."""
    assert entry.kernel is not None
    c_in, c_out, *kernel = entry.kernel.shape
    rank = len(kernel)
    shape = entry.inputs[0] if entry.inputs else None
    size = tuple(shape[2:]) if shape and 0 not in shape[2:] else None
    native = _native(entry, rank, size)
    groups = _groups(native)
    normalised = ", ".join(entry.normalised_by)
    return Layer(
        framework=entry.convention,
        text=_text(entry),
        name=entry.name or None,
        rank=rank,
        kernel=tuple(kernel),
        native=native,
        layout=layout_of(entry.convention, rank, groups=groups),
        groups=groups,
        c_in=c_in,
        c_out=c_out * groups,
        bias=entry.bias is not None,
        batch=(shape[0] or 1) if shape else None,
        size=size,
        general=entry.convention == "jax",
        normalised=normalised if by_name and entry.convention == "torch" and normalised else None,
        tensors=names,
        notes=(*_notes(entry), *notes),
    )


def _native(entry: ModelLayer, rank: int, size: tuple[int, ...] | None) -> Native:
    """The arguments in normal form. TensorFlow's graphs say the output's size at every call: where
    it is the usual one of the padding, it is left out, so that the answer holds for other inputs.
    """
    assert entry.kernel is not None
    try:
        native = conventions.normal_form(entry.convention, entry.native, rank)
    except ArgumentError as error:
        raise PortError(f"{entry.name}: {error}") from None
    if entry.convention == "tensorflow" and size is not None and "output_shape" in native:
        convention = conventions.get(entry.convention)
        usual = {key: value for key, value in native.items() if key != "output_shape"}
        kernel = entry.kernel.shape[2:]
        windows = [convention.geometry(one, size=size, kernel=kernel) for one in (native, usual)]
        return usual if windows[0] == windows[1] else native
    return native


def _groups(native: Native) -> int:
    keys = ("groups", "group", "feature_group_count")
    return next((int(native[key]) for key in keys if key in native), 1)


def _text(entry: ModelLayer) -> str:
    """The layer as a call: its operator with its arguments as the model has them."""
    arguments = (f"{k}={v!r}" for k, v in entry.arguments.items() if v is not None)
    return f"{entry.operator}({', '.join(arguments)})"


def _notes(entry: ModelLayer) -> Iterator[str]:
    assert entry.kernel is not None
    if entry.normalised_by:
        made = ", ".join(entry.normalised_by)
        yield f"{made} makes its weights: those to convert are the effective ones."
    if entry.activation:
        yield (
            f"activation={entry.activation!r} is not part of what is ported: apply it afterwards."
        )
    if entry.arguments.get("data_format") in ("channels_first", "NCHW", "NCDHW"):
        yield (
            "The layer is channels first; the code and the proof are channels last, where every "
            "backend runs."
        )
    dtype = entry.kernel.dtype
    if dtype != "float32":
        yield f"Its weights are {dtype}, which is left to you: the proof is in float32."
    if len(set(entry.inputs)) > 1:
        yield f"It is called with inputs of {len(set(entry.inputs))} shapes: this is the first."
    yield from entry.notes


def _names(entries: Sequence[ModelLayer]) -> list[tuple[str, str | None]]:
    """The names of every layer's kernel and bias: the model's own, or names that are made. Other
    numbers under a name that is taken get a number.
    """
    taken: dict[str, StoredArray] = {}
    names = []
    for entry in entries:
        assert entry.kernel is not None
        has_bias = entry.bias is not None
        kernel, bias = tensor_names(entry.convention, entry.name, bias=has_bias)
        if entry.kernel_tensor and entry.kernel_tensor.name:
            kernel = entry.kernel_tensor.name
        if entry.bias_tensor and entry.bias_tensor.name:
            bias = entry.bias_tensor.name
        kernel = _free(kernel.lstrip("./"), entry.kernel, taken)
        if bias is not None and entry.bias is not None:
            bias = _free(bias.lstrip("./"), entry.bias, taken)
        names.append((kernel, bias))
    return names


def _free(name: str, array: StoredArray, taken: dict[str, StoredArray]) -> str:
    """The name, with a number where another array has it."""
    candidate, number = name, 1
    while candidate in taken and not _is_same(taken[candidate], array):
        number += 1
        candidate = f"{name}_{number}"
    taken.setdefault(candidate, array)
    return candidate


def _is_same(one: StoredArray, other: StoredArray) -> bool:
    return (one.shape, one.dtype) == (other.shape, other.dtype) and np.array_equal(
        one.load().view(np.uint8), other.load().view(np.uint8)
    )
