"""A model as it was read: its inputs, its transposed convolutions, and its activations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

import numpy as np

from conformance.corpus.tensors import Array, dtype_of

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredArray:
    """An array in a file of its own: little-endian bytes in C order, nothing else."""

    file: Path
    dtype: str
    shape: Shape

    def load(self) -> Array:
        """The array, mapped into memory and read-only; it ends with its model's folder."""
        dtype = dtype_of(self.dtype)
        if 0 in self.shape:
            return np.zeros(self.shape, dtype)
        return np.memmap(self.file, dtype=dtype, mode="r", shape=self.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """Where the model itself keeps an array: the name of its parameter, and its axes there.

    `axes` has a letter an axis: I and O for the kernel's input and output channels, D, H and W for
    its spatial axes, as in "HWOI". Where it is `flipped`, its spatial axes run backwards from
    those of `Layer.kernel`, and I and O are those of each group. `name` is None where the array is
    no parameter but computed of some, or where the file has no names.
    """

    name: str | None
    axes: str
    flipped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One transposed convolution of a model.

    - `name`: as the model has it: the path of a module, the name of a node or a layer.
    - `operator`: the framework's own word, such as `torch.nn.ConvTranspose2d` or `ConvTranspose`.
    - `convention`: one of `conformance.conventions.NAMES`.
    - `arguments`: verbatim, in the framework's own names; JSON types.
    - `native`: those of them that `conventions.normal_form` takes.
    - `kernel`: (C_in, C_out / groups, *kernel), the *effective* weights, after weight norm or
      whatever else makes them; None where they are no constant of the model.
    - `bias`: (C_out,), or None.
    - `kernel_tensor`, `bias_tensor`: where the model keeps them.
    - `normalised_by`: what makes the effective weights, nearest to the layer first.
    - `activation`: what the layer itself applies to its output, which every `Activation` of it is
      after; None for nothing.
    - `followed_by`: operators that use its output, and nothing else does, in order: what may be
      fused.
    - `inputs`: the shape (N, C_in, *spatial) of its input at every call of the sample, in order;
      empty where the model was not run.
    - `notes`: sentences on what could not be read.
    """

    name: str
    operator: str
    convention: str
    arguments: Mapping[str, Any]
    native: Mapping[str, Any]
    kernel: StoredArray | None
    bias: StoredArray | None
    kernel_tensor: Tensor | None = None
    bias_tensor: Tensor | None = None
    normalised_by: tuple[str, ...] = ()
    activation: str | None = None
    followed_by: tuple[str, ...] = ()
    inputs: tuple[Shape, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """An input of the model. `shape` has None for a size that the model leaves open; it is None
    where not even the rank is known. `sample` is what the model was run on.
    """

    name: str
    shape: tuple[int | None, ...] | None
    dtype: str | None
    sample: StoredArray | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """The output of one operator or layer in a run, in order of execution.

    `layer` is the index of the transposed convolution in `Model.layers`, else None. Those have
    their `input` too, and both are (N, C, *spatial) whatever the framework's layout; all others
    are as the framework has them.
    """

    name: str
    operator: str
    output: StoredArray
    layer: int | None = None
    input: StoredArray | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What was read of a model. A context manager: its arrays are files that end with it.

    `layers` are in order of execution, or of the file where the model was not run. `activations`
    and `outputs` (by name, as the framework has them) are empty unless they were asked for.
    """

    path: str
    format: str
    inputs: tuple[Input, ...]
    layers: tuple[Layer, ...]
    activations: tuple[Activation, ...]
    outputs: Mapping[str, StoredArray]
    versions: Mapping[str, str]
    notes: tuple[str, ...]
    folder: TemporaryDirectory[str] = field(repr=False, compare=False)

    def close(self) -> None:
        """Remove the files of all arrays."""
        self.folder.cleanup()

    def __enter__(self) -> Model:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
