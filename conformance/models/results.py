"""What a reader is asked, and what it answers: plain data, and arrays in files of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from conformance.wording import instead


class ReadingError(Exception):
    """Why a model cannot be read: what follows the model's name in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedInput:
    """An input that was given: its shape, and its array unless that is to be drawn."""

    name: str | None
    shape: tuple[int, ...]
    array: Any = None

    def numbers(self, dtype: str | None) -> Any:
        """The array; drawn from the standard normal distribution if none was given, zeros for
        whole numbers, which may be indices.
        """
        if self.array is not None:
            return self.array
        return random_input(self.shape, dtype)


def open_sizes(name: str, shape: Sequence[int | None] | None) -> ReadingError:
    """The error of an input of which nobody said how large it is; what is not known is None."""
    known = "?" if shape is None else ",".join(str(size or "?") for size in shape)
    return ReadingError(
        f"leaves sizes of its input {name} open ({known}), should be given them (--input)"
    )


def random_input(shape: Sequence[int], dtype: str | None) -> Any:
    """A sample of a shape that nobody gave numbers for."""
    kind = np.dtype(dtype or "float32")
    if kind.kind != "f":
        return np.zeros(shape, kind)
    return np.random.RandomState(1).standard_normal(tuple(shape)).astype(kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the parent asks."""

    path: str
    reader: str
    inputs: tuple[AskedInput, ...]
    weights: str | None
    activations: bool
    unsafe: bool

    @classmethod
    def of(cls, folder: Path) -> Request:
        """The request that a folder holds."""
        content = json.loads((folder / "request.json").read_text(encoding="utf-8"))
        inputs = tuple(
            AskedInput(
                name=entry["name"],
                shape=tuple(entry["shape"]),
                array=None
                if entry["file"] is None
                else np.load(folder / entry["file"], allow_pickle=False),
            )
            for entry in content.pop("inputs")
        )
        return cls(inputs=inputs, **content)

    def inputs_of(self, names: Sequence[str]) -> dict[str, AskedInput]:
        """What was given for each of a model's inputs, by its name or else its position. Raises
        ReadingError for an input that the model has not, or that is given twice.
        """
        inputs: dict[str, AskedInput] = {}
        for position, asked in enumerate(self.inputs):
            name = asked.name or (
                names[position] if position < len(names) else f"number {position + 1}"
            )
            if name not in names:
                raise ReadingError(f"has no input {name}, {instead(name, names)}")
            if name in inputs:
                raise ReadingError(f"is given its input {name} twice, should be given it once")
            inputs[name] = asked
        return inputs


@dataclass(slots=True, kw_only=True)
class LayerEntry:
    """A layer on its way into result.json; the attributes are those of `models.Layer`."""

    name: str
    operator: str
    convention: str
    arguments: Mapping[str, Any]
    native: Mapping[str, Any]
    kernel: Mapping[str, Any] | None = None
    bias: Mapping[str, Any] | None = None
    kernel_tensor: Mapping[str, Any] | None = None
    bias_tensor: Mapping[str, Any] | None = None
    activation: str | None = None
    normalised_by: list[str] = field(default_factory=list)
    followed_by: list[str] = field(default_factory=list)
    inputs: list[Sequence[int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def content(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


class Results:
    """What a reader has found so far; arrays are written at once, so that memory holds none."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self._folder, self.say = folder, say
        self._arrays = 0
        self.inputs: list[dict[str, Any]] = []
        self.layers: list[LayerEntry] = []
        self.activations: list[dict[str, Any]] = []
        self.outputs: dict[str, Any] = {}
        self.versions: dict[str, str] = {}
        self.notes: list[str] = []

    def store(self, array: Any) -> dict[str, Any]:
        """An array into a file of its own; what stands for it in the answer."""
        array = np.asarray(array)
        little = array.dtype.newbyteorder("<") if array.dtype.kind in "iufc" else array.dtype
        with (self._folder / f"{self._arrays}.bin").open("wb") as file:
            np.ascontiguousarray(array, little).tofile(file)
        self._arrays += 1
        return {
            "number": self._arrays - 1,
            "dtype": array.dtype.name,
            "shape": [int(size) for size in array.shape],
        }

    def load(self, entry: Mapping[str, Any]) -> Any:
        """An array that was stored."""
        return np.fromfile(self._folder / f"{entry['number']}.bin", entry["dtype"]).reshape(
            entry["shape"]
        )

    def add_input(
        self, name: str, shape: Sequence[int | None] | None, dtype: str | None, sample: Any = None
    ) -> None:
        self.inputs.append(
            {
                "name": name,
                "shape": None if shape is None else list(shape),
                "dtype": dtype,
                "sample": None if sample is None else self.store(sample),
            }
        )

    def add_activation(
        self, name: str, operator: str, output: Any, *, layer: int | None = None, input: Any = None
    ) -> None:
        self.activations.append(
            {
                "name": name,
                "operator": operator,
                "output": self.store(output),
                "layer": layer,
                "input": None if input is None else self.store(input),
            }
        )

    def write(self) -> None:
        """The answer, whole."""
        content = {
            "inputs": self.inputs,
            "layers": [layer.content() for layer in self.layers],
            "activations": self.activations,
            "outputs": self.outputs,
            "versions": self.versions,
            "notes": self.notes,
        }
        (self._folder / "result.json").write_text(
            json.dumps(content, allow_nan=False), encoding="utf-8"
        )
