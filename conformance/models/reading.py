"""A model is read: its format is chosen, a process asked, and its answer taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from conformance.errors import ModelError
from conformance.models.answer import model_of
from conformance.models.formats import FORMATS, Format, format_of, keras_backend
from conformance.models.model import Model
from conformance.models.process import ask
from conformance.models.samples import Sample

Say = Callable[[str], None]
"""Is told, a sentence at a time, how far the reading has come."""


def read_model(
    path: str,
    *,
    inputs: Sequence[Sample] = (),
    weights: str | None = None,
    activations: bool = False,
    unsafe: bool = False,
    say: Say | None = None,
) -> Model:
    """The transposed convolutions of a model, and with `activations` every tensor of a run.

    `path` is a file or folder, or `package.module:callable` that makes the model (its code runs);
    `weights` is then a file of them: a torch state dict or safetensors. `inputs` say what the model
    is run on; sizes that the model fixes itself need not be given, and numbers that are not given
    are drawn. A model without a sample is read as far as that goes; with `activations` it raises
    ModelError. `unsafe` lets a loader run code that the file holds (pickles, Lambda layers).

    The framework runs in a process of its own. Raises ModelError, one sentence, for what is no
    model, cannot be read, or ends the process.
    """
    name = format_of(path)
    chosen = _installed(path, FORMATS[name])
    _check_weights(path, name, weights)
    folder = TemporaryDirectory(prefix="conformance-model-")
    try:
        request = {
            "path": path if name == "callable" else str(Path(path).absolute()),
            "reader": chosen.reader,
            "inputs": [_sample(sample, Path(folder.name), n) for n, sample in enumerate(inputs)],
            "weights": None if weights is None else str(Path(weights).absolute()),
            "activations": activations,
            "unsafe": unsafe,
        }
        environment = {**chosen.environment, "KERAS_BACKEND": keras_backend() or ""}
        ask(path, request, Path(folder.name), environment, say or (lambda text: None))
        return model_of(path, name, folder)
    except BaseException:
        folder.cleanup()
        raise


def _installed(path: str, chosen: Format) -> Format:
    for package in chosen.needs:
        if find_spec(package) is None:
            raise ModelError(
                f"{path} needs {package}, which is not installed: pip install "
                f"'conv-transpose-conformance[{chosen.extra}]'"
            )
    return chosen


def _check_weights(path: str, name: str, weights: str | None) -> None:
    if weights is not None and name != "callable":
        raise ModelError(
            f"{path} has weights of its own: weights are for a model that a callable makes"
        )
    if weights is not None and not Path(weights).is_file():
        raise ModelError(f"{weights} is not a file, should be one of weights")


def _sample(sample: Sample, folder: Path, number: int) -> Mapping[str, Any]:
    file = None
    if sample.array is not None:
        file = f"sample{number}.npy"
        np.save(folder / file, sample.array, allow_pickle=False)
    return {"name": sample.name, "shape": list(sample.shape), "file": file}
