"""Engines that deploy, each in its own environment: right numbers, where they were computed, and
what is refused in words. One that is not installed is skipped.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import vulkan_environment
from miniatures import scatter

from conformance import conventions
from conformance.adapters import REGISTRY
from conformance.conventions import Unrepresentable
from conformance.corpus.files import load_cases
from conformance.corpus.tensors import Tensors, dtype_of
from conformance.environments.installation import interpreter
from conformance.geometry import Geometry, from_padding
from conformance.oracle import gradient_truths
from conformance.outcomes import Gradients, Output, Unsupported
from conformance.programs import program
from conformance.workers.answers import Greeting
from conformance.workers.engine import Engine, close_all
from conformance.workers.spec import Spec

COMPUTED_BY = {
    "litert": "XNNPACK",
    "litert-builtin": "optimized kernels",
    "litert-reference": "reference kernels",
    "litert-gpu": "webgpu: .+",
    "ncnn": "cpu",
    "mlx": "None",
}
"""What computes the call of two axes, as the engine says it."""

ROWS = list(COMPUTED_BY)

Get = Callable[[str], tuple[Engine, Greeting]]


@pytest.fixture(scope="module")
def engines() -> Iterator[Get]:
    """Starts a row when it is first asked for; skips where it is not installed."""
    started: dict[str, tuple[Engine, Any]] = {}

    def get(name: str) -> tuple[Engine, Greeting]:
        if name not in started:
            spec = Spec.of(name, label=name, python=interpreter(name))
            engine = Engine(spec, timeout=60.0)
            started[name] = engine, engine.start()
        engine, greeting = started[name]
        if not isinstance(greeting, Greeting):
            assert "is not installed" in str(greeting) or "finds no adapter" in str(greeting)
            pytest.skip(str(greeting))
        return engine, greeting

    yield get
    close_all([engine for engine, _ in started.values()])


def window(rank: int = 2, *, dilation: int = 1, groups: int = 1, padding: Any = None) -> Geometry:
    """Kernel 4 or 3 at stride 2: with nothing cut, every convention has arguments for it."""
    return from_padding(
        size=[2 + axis for axis in range(rank)],
        kernel=[4, 3, 2][:rank],
        stride=[2] * rank,
        padding=padding or [(0, 0)] * rank,
        output_padding=[0] * rank,
        dilation=[dilation] * rank,
        groups=groups,
    )


def operands(geometry: Geometry, dtype: str = "float32") -> Tensors:
    """Small integers: one item, four channels in, six out."""
    random = np.random.RandomState(7)
    x = random.randint(-4, 5, (1, 4, *geometry.size)).astype(dtype_of(dtype))
    shape = (4, 6 // geometry.groups, *geometry.kernel)
    kernel = random.randint(-4, 5, shape).astype(dtype_of(dtype))
    return Tensors(x=x, kernel=kernel, bias=random.randint(-4, 5, 6).astype(dtype_of(dtype)))


def ask(started: tuple[Engine, Greeting], geometry: Geometry, tensors: Tensors) -> Any:
    engine, greeting = started
    native = conventions.get(greeting.convention).native(geometry)
    assert not isinstance(native, Unrepresentable), native
    return engine.call(tensors, native, greeting.devices[0])


def assert_exact(outcome: Any, geometry: Geometry, tensors: Tensors) -> None:
    assert isinstance(outcome, Output), outcome
    y = scatter(
        *tensors,
        stride=geometry.stride,
        crops=geometry.crops,
        dilation=geometry.dilation,
        groups=geometry.groups,
    )
    assert outcome.y.dtype == tensors.x.dtype
    assert outcome.y.shape == y.shape
    assert (outcome.y.astype(np.float64) == y).all()


@pytest.mark.parametrize("name", ROWS)
def test_two_axes_are_exact_where_the_row_says(engines: Get, name: str) -> None:
    """Bit for bit on integers, with a bias, and computed by what the row stands for."""
    geometry = window()
    tensors = operands(geometry)
    outcome = ask(engines(name), geometry, tensors)
    assert_exact(outcome, geometry, tensors)
    assert re.fullmatch(COMPUTED_BY[name], str(outcome.computed_by))


@pytest.mark.parametrize("name", ["litert", "litert-builtin", "litert-reference", "ncnn", "mlx"])
def test_three_axes_are_exact(engines: Get, name: str) -> None:
    """With a dilation; in LiteRT it is another operator, which has one."""
    geometry = window(3, dilation=2)
    tensors = operands(geometry)
    assert_exact(ask(engines(name), geometry, tensors), geometry, tensors)


REFUSED = [
    ("litert", window(1), "float32", "two spatial axes"),
    ("litert", window(2, dilation=2), "float32", "no field for dilation"),
    ("litert", window(2, groups=2), "float32", "no field for groups"),
    ("litert", window(2, padding=[(1, 0), (0, 1)]), "float32", "SAME or VALID"),
    ("litert", window(2), "float16", "compute in float32"),
    ("litert-gpu", window(3), "float32", "no CONV_3D_TRANSPOSE"),
    ("ncnn", window(2), "float16", "in float32"),
    ("mlx", window(2, groups=2), "float32", "groups=1"),
    ("mlx", window(2), "float64", "no float64"),
]


@pytest.mark.parametrize(("name", "geometry", "dtype", "words"), REFUSED)
def test_what_an_operator_cannot_say_is_refused_in_words(
    engines: Get, name: str, geometry: Geometry, dtype: str, words: str
) -> None:
    """A sentence that cites the documentation, before the engine is asked."""
    outcome = ask(engines(name), geometry, operands(geometry, dtype))
    assert isinstance(outcome, Unsupported), outcome
    assert words in outcome.reason


@pytest.mark.parametrize(("name", "groups"), [("ncnn", 2), ("mlx", 2)])
def test_groups_on_one_axis_are_exact(engines: Get, name: str, groups: int) -> None:
    """The layouts of their kernels differ, and both differ from the suite's."""
    geometry = window(1, groups=groups)
    tensors = operands(geometry)
    assert_exact(ask(engines(name), geometry, tensors), geometry, tensors)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_narrow_dtypes_of_mlx_are_exact(engines: Get, dtype: str) -> None:
    """Integers that these hold, with the dtype of the question."""
    geometry = window(2)
    tensors = operands(geometry, dtype)
    assert_exact(ask(engines("mlx"), geometry, tensors), geometry, tensors)


def test_gradients_of_mlx_are_exact(engines: Get) -> None:
    """Of input, kernel and bias, with groups, whose kernel is laid out by hand."""
    engine, greeting = engines("mlx")
    geometry = window(1, groups=2)
    tensors = operands(geometry)
    cotangent = np.random.RandomState(8).randint(-4, 5, (1, 6, *geometry.out)).astype(np.float32)
    native = conventions.get(greeting.convention).native(geometry)
    outcome = engine.gradients(tensors, cotangent, native, "cpu")
    assert isinstance(outcome, Gradients), outcome
    for operand, due in gradient_truths(*tensors, cotangent, geometry, "float32").items():
        got = getattr(outcome, operand)
        assert got.shape == due.y.shape
        assert (got == due.y).all()


def test_ncnn_on_vulkan_is_exact_or_refuses(engines: Get) -> None:
    """Two axes are computed by the driver that is named; one has no Vulkan code."""
    engine, greeting = engines("ncnn")
    if "vulkan" not in greeting.devices:
        pytest.skip("ncnn finds no Vulkan driver")
    outcomes = []
    for rank in (2, 1):
        native = conventions.get(greeting.convention).native(window(rank))
        outcomes.append(engine.call(operands(window(rank)), native, "vulkan"))
    assert_exact(outcomes[0], window(), operands(window()))
    assert outcomes[0].computed_by == f"vulkan: {greeting.facts['gpu']}"
    assert isinstance(outcomes[1], Unsupported), outcomes[1]


def test_a_software_driver_is_told(engines: Get) -> None:
    """What computes on the processor does not pass for a GPU."""
    _, greeting = engines("litert-gpu")
    assert greeting.devices == ("webgpu",)
    assert greeting.facts["software_driver"] is ("SwiftShader" in str(greeting.facts["gpu"]))


CASE = """
format: 1
cases:
  - id: two
    summary: Two axes with a bias.
    source: a test
    input: {shape: [1, 2, 3, 4], values: wide}
    kernel: {shape: [2, 3, 3, 2], values: integers}
    bias: [1, -2, 3]
    stride: [2, 1]
"""


@pytest.mark.parametrize("name", ROWS)
def test_its_program_agrees_with_the_definition(engines: Get, name: str, tmp_path: Path) -> None:
    """It runs in the engine's environment, without the suite, and finds no difference."""
    engines(name)
    (tmp_path / "some.yaml").write_text(CASE)
    (case,) = load_cases(tmp_path / "some.yaml")
    source = program(case, name)
    assert isinstance(source, str), source
    done = subprocess.run(
        [interpreter(name), "-c", source],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **(vulkan_environment() or {})},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "largest difference 0.0 of values up to" in done.stdout


def test_every_engine_with_its_own_environment_is_tested() -> None:
    """A row with packages of its own has a line here."""
    engines = ("litert", "ncnn", "mlx")
    assert set(ROWS) == {name for name in REGISTRY if name.startswith(engines)}
