"""Where the models of these tests are made, and how they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.models import Model, Sample, read_model


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
