"""Where the models of these tests are made, and how they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.capture.entries import geometry_of
from conformance.models import Model, Sample, read_model
from conformance.oracle import truth_of

ACTIVATIONS = {None: lambda y: y, "relu": lambda y: np.maximum(y, 0), "tanh": np.tanh}


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Writes a module that a child can import: module(code) makes `made.py` importable."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def write(code: str) -> Path:
        path = tmp_path / "made.py"
        path.write_text(code, encoding="utf-8")
        return path

    return write


@pytest.fixture
def read() -> Iterator[Callable[..., Model]]:
    """read_model with shapes alone: read(path, [(1, 3, 8, 8)], activations=True)."""
    models: list[Model] = []

    def read(path: Any, shapes: Any = (), **options: Any) -> Model:
        samples = [Sample(name=None, shape=shape) for shape in shapes]
        models.append(read_model(str(path), inputs=samples, **options))
        return models[-1]

    yield read
    for model in models:
        model.close()


@pytest.fixture
def holds() -> Callable[[Model], int]:
    """Holds the output of every transposed convolution of a run against the oracle, for the input,
    the weights and the arguments that were read; how many there were.
    """

    def hold(model: Model) -> int:
        entries = [entry for entry in model.activations if entry.layer is not None]
        for entry in entries:
            layer, x = model.layers[entry.layer], entry.input.load()
            _, geometry = geometry_of(layer, x.shape)
            bias = None if layer.bias is None else np.asarray(layer.bias.load())
            truth = truth_of(x, layer.kernel.load(), bias, geometry, "float32")
            y = ACTIVATIONS[layer.activation](truth.y)
            assert entry.output.shape == y.shape
            np.testing.assert_allclose(entry.output.load(), y, rtol=1e-4, atol=1e-5)
        return len(entries)

    return hold
