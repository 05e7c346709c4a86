"""The answer of the process that read a model, as a `Model`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from conformance.models.model import Activation, Input, Layer, Model, StoredArray, Tensor


def model_of(path: str, format: str, folder: TemporaryDirectory[str]) -> Model:
    """The model whose answer a folder holds."""
    answer = json.loads((Path(folder.name) / "result.json").read_text(encoding="utf-8"))
    files = Path(folder.name)
    return Model(
        path=path,
        format=format,
        inputs=tuple(_input(entry, files) for entry in answer["inputs"]),
        layers=tuple(_layer(entry, files) for entry in answer["layers"]),
        activations=tuple(_activation(entry, files) for entry in answer["activations"]),
        outputs={name: _array(entry, files) for name, entry in answer["outputs"].items()},
        versions=answer["versions"],
        notes=tuple(answer["notes"]),
        folder=folder,
    )


def _array(entry: Mapping[str, Any], files: Path) -> StoredArray:
    return StoredArray(
        file=files / f"{int(entry['number'])}.bin",
        dtype=entry["dtype"],
        shape=tuple(entry["shape"]),
    )


def _array_or_none(entry: Mapping[str, Any] | None, files: Path) -> StoredArray | None:
    return None if entry is None else _array(entry, files)


def _input(entry: Mapping[str, Any], files: Path) -> Input:
    return Input(
        name=entry["name"],
        shape=None if entry["shape"] is None else tuple(entry["shape"]),
        dtype=entry["dtype"],
        sample=_array_or_none(entry["sample"], files),
    )


def _activation(entry: Mapping[str, Any], files: Path) -> Activation:
    return Activation(
        name=entry["name"],
        operator=entry["operator"],
        output=_array(entry["output"], files),
        layer=entry["layer"],
        input=_array_or_none(entry["input"], files),
    )


def _layer(entry: Mapping[str, Any], files: Path) -> Layer:
    fields = dict(entry)
    for key in ("kernel", "bias"):
        fields[key] = _array_or_none(entry[key], files)
        tensor = entry[f"{key}_tensor"]
        fields[f"{key}_tensor"] = None if tensor is None else Tensor(**tensor)
    for key in ("normalised_by", "followed_by", "notes"):
        fields[key] = tuple(entry[key])
    fields["inputs"] = tuple(tuple(shape) for shape in entry["inputs"])
    return Layer(**fields)
