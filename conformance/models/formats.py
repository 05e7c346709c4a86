"""The formats of models: how one is known, by which reader it is read, and what that needs."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from conformance.errors import ModelError
from conformance.wording import quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """`needs` are import packages, `extra` the one of this distribution that brings them."""

    reader: str
    needs: tuple[str, ...]
    extra: str
    environment: Mapping[str, str] = field(default_factory=dict)


_TENSORFLOW = {"TF_CPP_MIN_LOG_LEVEL": "2", "TF_ENABLE_ONEDNN_OPTS": "1"}

KERAS_BACKENDS = ("torch", "jax", "tensorflow")
"""The backends of Keras, in the order in which an installed one is chosen: the quickest to start
first."""


def keras_backend() -> str | None:
    """The Keras backend that is used: what KERAS_BACKEND says, else the first that is installed."""
    chosen = os.environ.get("KERAS_BACKEND")
    return chosen or next((name for name in KERAS_BACKENDS if find_spec(name)), None)


FORMATS: Mapping[str, Format] = {
    "onnx": Format(reader="onnx", needs=("onnx", "onnxruntime"), extra="onnx"),
    "exported program": Format(reader="exported", needs=("torch",), extra="torch"),
    "TorchScript": Format(reader="torchscript", needs=("torch",), extra="torch"),
    "keras": Format(reader="keras", needs=("keras",), extra="keras", environment=_TENSORFLOW),
    "SavedModel": Format(
        reader="savedmodel",
        needs=("tensorflow",),
        extra="tensorflow",
        environment=_TENSORFLOW,
    ),
    "LiteRT": Format(
        reader="tflite", needs=("tensorflow",), extra="tensorflow", environment=_TENSORFLOW
    ),
    "jax.export": Format(reader="jaxexport", needs=("jax",), extra="jax"),
    "callable": Format(reader="callable", needs=(), extra="all", environment=_TENSORFLOW),
}
"""The readers by the name of their format."""

_ENDINGS = {
    ".onnx": "onnx",
    ".pt2": "exported program",
    ".pt": "TorchScript",
    ".pth": "TorchScript",
    ".ts": "TorchScript",
    ".keras": "keras",
    ".h5": "keras",
    ".hdf5": "keras",
    ".tflite": "LiteRT",
    ".jax": "jax.export",
    ".jaxexport": "jax.export",
}

_LONGEST_NAME, _LONGEST_PATH = 255, 4095  # bytes; what is longer raises where it is looked for
KNOWN = (
    "a model: an .onnx, .pt2, .pt (TorchScript), .keras, .h5, .tflite or .jax file, the folder of "
    "a SavedModel, or package.module:callable that makes one"
)


def unreadable(text: str) -> str | None:
    """What is wrong with a text that names a file of a kind that is not read; None for others."""
    if re.fullmatch(r"[^\s(){}]+\.[a-z][a-z0-9]{1,10}", text) is None:
        return None
    return f"cannot read {Path(text).suffix} files: {text[:60]!r} should be {KNOWN}"


def is_model(text: str) -> bool:
    """Whether a text names a model, by its ending, as a folder, or as package.module:callable, and
    is no call.
    """
    path = Path(text)
    if _is_too_long(path) or any(character in text for character in "({\n"):
        return False
    return path.suffix.lower() in _ENDINGS or _is_callable(text) or path.is_dir()


def _is_too_long(path: Path) -> bool:
    names = [len(os.fsencode(part)) for part in path.parts]
    return max(names, default=0) > _LONGEST_NAME or sum(names) + len(names) > _LONGEST_PATH


def _is_callable(text: str) -> bool:
    module, colon, name = text.partition(":")
    return (
        bool(colon)
        and name.isidentifier()
        and all(part.isidentifier() for part in module.split("."))
    )


def format_of(model: str) -> str:
    """The name of the format of a path or of package.module:callable. Raises ModelError."""
    path = Path(model)
    if _is_too_long(path):
        raise ModelError(f"{quoted(model)} is too long for a path, should be {KNOWN}")
    if path.suffix.lower() in _ENDINGS:
        if not path.is_file():
            raise ModelError(f"{model} is not a file, should be {KNOWN}")
        return _ENDINGS[path.suffix.lower()]
    if path.is_dir():
        if not (path / "saved_model.pb").is_file():
            raise ModelError(f"{model} is not a SavedModel: it has no saved_model.pb")
        for part in path.rglob("*"):
            if not (part.is_file() or part.is_dir()):
                raise ModelError(f"{model} holds {part.name}, should hold files and folders alone")
        return "SavedModel"
    if _is_callable(model):
        return "callable"
    raise ModelError(f"{model} is not a model of a known format, should be {KNOWN}")
