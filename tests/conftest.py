"""What several test modules share: a corpus in a folder, cases built in memory, and the truth of a call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from conformance.case import Case, Given, Made, Place
from conformance.geometry import Geometry, from_padding
from conformance.oracle import Truth, truth_of
from conformance.tensors import dtype_of
from conformance.verdict import Verdict

# Shared machines stall now and then, which says nothing about the code: no example has a time limit of its own.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


@pytest.fixture
def corpus(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes a file of a corpus: corpus("textbook/first.yaml", text) -> its path, below a folder named `cases`."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / "cases" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def a_case() -> Callable[..., Case]:
    """Builds a case in memory: 2-D, kernel 2x2, stride 2 and integers, unless told otherwise."""

    def build(**changes: Any) -> Case:
        x = changes.get("input", Made(shape=(1, 2, 3, 3), values="integers", seed=1))
        kernel = changes.get("kernel", Made(shape=(2, 3, 2, 2), values="integers", seed=2))
        rank = len(x.shape) - 2
        fields = {
            "name": "folder/file/one",
            "summary": "One case.",
            "source": "made up",
            "spatial": rank,
            "input": x,
            "kernel": kernel,
            "bias": None,
            "dtype": "float32",
            "geometry": from_padding(
                size=x.shape[2:],
                kernel=kernel.shape[2:],
                stride=[2] * rank,
                padding=[(0, 0)] * rank,
                output_padding=[0] * rank,
                dilation=[1] * rank,
            ),
            "native": None,
            "must_fail": False,
            "expected": None,
            "tags": (),
            "place": Place(file=Path("cases/folder/file.yaml"), lines={"": 3, "expected": 9, "expected.shape": 10}),
        }
        return Case(**{**fields, **changes})

    return build


@pytest.fixture
def given() -> Callable[[Any], Given]:
    """An array written out, of anything that NumPy makes an array of."""

    def build(values: Any) -> Given:
        array = np.asarray(values, np.float64)
        return Given(shape=array.shape, numbers=tuple(array.ravel().tolist()))

    return build


@pytest.fixture
def truth() -> Callable[..., Truth]:
    """The truth of a call whose operands are rounded to the dtype first; window arguments as in `conv_transpose`."""

    def build(
        x: Any, kernel: Any, bias: Any = None, *, dtype: str = "float32", geometry: Geometry | None = None, **window: Any
    ) -> Truth:
        operands = [
            None if array is None else np.asarray(array, np.float64).astype(dtype_of(dtype)) for array in (x, kernel, bias)
        ]
        rank = operands[0].ndim - 2

        def each(key: str, default: int) -> Sequence[int]:
            return [window.get(key, default)] * rank

        if geometry is None:
            geometry = from_padding(
                size=operands[0].shape[2:],
                kernel=operands[1].shape[2:],
                stride=each("stride", 1),
                padding=[(p, p) for p in each("padding", 0)],
                output_padding=each("output_padding", 0),
                dilation=each("dilation", 1),
                groups=window.get("groups", 1),
            )
        return truth_of(*operands, geometry, dtype)

    return build


@pytest.fixture
def verdict() -> Callable[..., Verdict]:
    """A verdict of `engine` on `folder/file/one`: it differs in its values, unless told otherwise."""

    def build(**changes: Any) -> Verdict:
        fields: dict[str, Any] = {
            "case": "folder/file/one",
            "adapter": "engine",
            "device": "cpu",
            "quantity": "output",
            "status": "differs",
            "exact": True,
            "error_over_bound": None,
        }
        return Verdict(**{**fields, **changes})

    return build


@pytest.fixture
def run_line() -> dict[str, Any]:
    """The first line of a record of one adapter on one device, without its type."""
    return {
        "format": 1,
        "conformance": "0.1.0",
        "started": "2026-01-02T03:04:05+00:00",
        "platform": "linux",
        "system": "Linux-6",
        "machine": "x86_64",
        "python": "3.11.9",
        "cpu": {"model": "Some CPU", "flags": ["avx2"]},
        "threads": 1,
        "timing": "off",
        "repeat": 1,
        "timeout": 60.0,
        "command": ["conformance", "run", "-a", "engine"],
        "paths": [],
        "known": [],
        "corpus": "0123456789abcdef" * 4,
        "adapters": [{"label": "engine", "asked": "engine", "adapter": "engine"}],
        "versions": {"engine": {"engine": "1.0"}},
        "devices": {"engine": ["cpu"]},
        "absent": {},
    }
