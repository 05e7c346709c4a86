"""The shape functions of the table: a right shape, what is not told, and what each is known to say
wrongly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from helpers import CHECKOUT, SHAPE_FUNCTIONS, command, tool

from conformance import conventions
from conformance.adapters import REGISTRY
from conformance.geometry import Geometry, from_padding
from conformance.outcomes import Raised, Shape
from conformance.record.reader import read_record
from conformance.workers.answers import Greeting
from conformance.workers.engine import Engine
from conformance.workers.request import ShapeRequest
from conformance.workers.specs import read_specs

pytestmark = pytest.mark.slow

SIZES = {1: (5,), 2: (5, 4), 3: (3, 4, 2)}


ALIKE = re.compile(r"(keras|flax|jax-general|tensorflow).*-dynamic|.*-strict")
"""Functions that ask the same code as another of the table, with sizes hidden as a third has them:
they are in the run that asks all of them.
"""


@pytest.fixture(
    scope="module", params=[name for name in SHAPE_FUNCTIONS if not ALIKE.fullmatch(name)]
)
def engine(request: pytest.FixtureRequest) -> Iterator[tuple[Engine, Greeting]]:
    """A process of every shape function that is not like two others, greeted."""
    (spec,), _ = read_specs([request.param], [])
    found = Engine(spec, timeout=120)
    greeting = found.start()
    assert isinstance(greeting, Greeting), greeting
    yield found, greeting
    found.kill()


def asked(
    engine: tuple[Engine, Greeting], geometry: Geometry, *, bias: bool = True, channels: int = 2
) -> Any:
    """What it says of two items of two channels under a kernel to three channels."""
    process, greeting = engine
    native = conventions.get(greeting.convention).native(geometry)
    shapes = {"x": (2, channels, *geometry.size), "kernel": (2, 3, *geometry.kernel)}
    request = ShapeRequest(
        shapes=shapes | ({"bias": (3,)} if bias else {}),
        dtypes=dict.fromkeys(("x", "kernel", "bias"), "float32"),
        native=native,  # type: ignore[arg-type]
        device="cpu",
        hidden=greeting.unknown,
    )
    return request.ask(process)


def window(rank: int) -> Geometry:
    """Kernels of three, strides of two, nothing cut: a window of every convention."""
    return from_padding(
        size=SIZES[rank],
        kernel=[3] * rank,
        stride=[2] * rank,
        padding=[(0, 0)] * rank,
        output_padding=[0] * rank,
        dilation=[1] * rank,
        groups=1,
    )


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("bias", [True, False])
def test_the_shape_of_every_rank_is_right(
    engine: tuple[Engine, Greeting], rank: int, bias: bool
) -> None:
    """Batch, channels and every axis; None is for what was hidden alone."""
    geometry = window(rank)
    said = asked(engine, geometry, bias=bias)
    assert isinstance(said, Shape), said
    truth = (2, 3, *geometry.out)
    hidden = {
        *([0] if "batch" in engine[1].unknown else []),
        *(range(2, 2 + rank) if "space" in engine[1].unknown else []),
    }
    assert said.sizes is not None
    assert [size for axis, size in enumerate(said.sizes) if axis not in hidden] == [
        size for axis, size in enumerate(truth) if axis not in hidden
    ]
    assert all(said.sizes[axis] in (None, truth[axis]) for axis in hidden)


def test_it_is_asked_for_the_shape_alone(engine: tuple[Engine, Greeting]) -> None:
    """Its greeting says so, and its row of the registry."""
    process, greeting = engine
    assert greeting.quantities == ("shape",)
    assert REGISTRY[process.spec.adapter].quantities == ("shape",)
    assert REGISTRY[process.spec.adapter].variant_of


def test_a_large_output_takes_no_memory(engine: tuple[Engine, Greeting]) -> None:
    """Sixteen gigabytes would be the output's; nothing is computed."""
    if engine[0].spec.adapter == "onnxruntime-shape-node":
        pytest.skip("its session runs, on an input of 8 GiB")
    geometry = from_padding(
        size=[2**15, 2**14],
        kernel=[2, 2],
        stride=[2, 2],
        padding=[(0, 0)] * 2,
        output_padding=[0, 0],
        dilation=[1, 1],
        groups=1,
    )
    said = asked(engine, geometry)
    assert isinstance(said, Shape | Raised), said
    if isinstance(said, Shape):
        assert said.sizes is not None
        assert all(
            size in (None, true)
            for size, true in zip(said.sizes, (2, 3, 2**16, 2**15), strict=True)
        )
    assert np.prod((2, 3, 2**16, 2**15), dtype=float) * 4 > 2**34


WHERE_SOMEBODY_REFUSES = ("invalid/*", "edge/*", "conventions/*")
REFERENCE = CHECKOUT / "reports" / "reference"


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """What all of them say in one run, each beside its engine's answer in the committed record."""
    folder = tmp_path_factory.mktemp("said")
    named = [word for name in SHAPE_FUNCTIONS for word in ("-a", name)]
    words = ("run", *WHERE_SOMEBODY_REFUSES, *named, "--timing", "off", "-o", folder)
    done = command(*words, cwd=CHECKOUT, timeout=600)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    return list(tool("legality").answers([read_record(REFERENCE), read_record(folder)]))


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the record is in a checkout")
@pytest.mark.parametrize("name", SHAPE_FUNCTIONS)
def test_whoever_is_wrong_about_what_is_legal_is_declared(name: str, answers: list[Any]) -> None:
    """Its engine computes what has a shape and refuses what has none, as the committed record says;
    else a known failure of one of the two says why.
    """
    pairs = [pair for pair in answers if pair.function == name]
    assert len(pairs) > 100
    assert [pair for pair in pairs if pair.disagree and not pair.known] == []
