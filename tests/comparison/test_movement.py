"""Models that enlarge rounding are equivalent to themselves, and to nothing that has a mistake."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from conformance.comparison import ModelComparison, Reading, compare_models, moves_of, read_both
from conformance.comparison.movement import FACTOR, MOST, allowed, rounded_samples
from conformance.comparison.tensors import difference
from conformance.models import Input, Model, Sample

pytestmark = pytest.mark.slow


def write(
    path: Path,
    *,
    last: Sequence[tuple[str, float | None]],
    between: float = 1.0,
    scale: float = 1.0,
) -> Path:
    """up1, a factor, up2, and operators behind: each with a constant, or with none."""
    random = np.random.RandomState(0)
    w1, w2 = random.standard_normal((2, 3, 3, 4, 4)).astype(np.float32) / 8
    arrays = {"w1": w1, "w2": w2 * np.float32(scale), "f": np.float32(between)}
    nodes = [
        helper.make_node("ConvTranspose", ["x", "w1"], ["a"], "up1", strides=[2, 2]),
        helper.make_node("Mul", ["a", "f"], ["b"], "between"),
        helper.make_node("ConvTranspose", ["b", "w2"], ["t0"], "up2"),
    ]
    for number, (operator, constant) in enumerate(last):
        names = [f"t{number}"]
        if constant is not None:
            arrays[f"c{number}"] = np.float32(constant)
            names.append(f"c{number}")
        axis = {"axis": 1} if operator == "ArgMax" else {}
        nodes.append(helper.make_node(operator, names, [f"t{number + 1}"], f"last{number}", **axis))
    is_index = last[-1][0] == "ArgMax"
    kind = TensorProto.INT64 if is_index else TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 24, 25])],
        [helper.make_tensor_value_info(nodes[-1].output[0], kind, None)],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


def compare(source: Path, target: Path, *, moves: bool = True) -> ModelComparison:
    reading = Reading()
    with read_both(str(source), str(target), reading) as (one, other):
        asked: Any = {"moves": lambda: moves_of(one, str(source), reading)} if moves else {}
        return compare_models(one, other, **asked)


CHAOS = [("Mul", 1e5), ("Sin", None)]
SAME_CHAOS = [("Mul", 1e3), ("Mul", 1e2), ("Sin", None)]


def test_rounding_that_a_model_enlarges_is_no_difference(tmp_path: Path) -> None:
    """The sine of large numbers has no digit that rounding leaves: a flat limit calls a model
    another that only multiplies in two steps.
    """
    one = write(tmp_path / "a.onnx", last=CHAOS)
    other = write(tmp_path / "b.onnx", last=SAME_CHAOS)
    assert not compare(one, other, moves=False).equivalent
    comparison = compare(one, other)
    assert comparison.equivalent
    (output,) = comparison.outputs
    assert 2**-13 < output.difference <= FACTOR * output.movement
    assert output.text.endswith(
        f"; the source itself moves by {output.movement:.2g} when its input is rounded otherwise"
    )
    assert comparison.content()["outputs"][0]["movement"] == output.movement


@pytest.mark.parametrize(
    ("changes", "statuses"),
    [
        ({"last": [("Mul", 1.0001e5), ("Sin", None)]}, ["same", "same"]),
        ({"last": [("Mul", 1e5), ("Cos", None)]}, ["same", "same"]),
        # of as little effect as rounding on the output, and of more before the next layer
        ({"last": CHAOS, "between": 1.001}, ["same", "inherited"]),
        ({"last": CHAOS, "scale": 1.00001}, ["same", "wrong"]),
    ],
)
def test_a_mistake_is_no_rounding(tmp_path: Path, changes: Any, statuses: list[str]) -> None:
    """Of another operator, behind the layers and between them, and of a layer."""
    one = write(tmp_path / "a.onnx", last=CHAOS)
    comparison = compare(one, write(tmp_path / "b.onnx", **changes))
    assert not comparison.equivalent
    assert [pair.status for pair in comparison.pairs] == statuses


def test_what_comes_into_a_layer_tells_a_mistake_that_the_output_hides(tmp_path: Path) -> None:
    """A sigmoid's tail is a few units of rounding large: a change before the second layer that the
    flat limit and the output allow is no rounding of the source.
    """
    tail: Any = [("Mul", 1e-2), ("Sub", 13.0), ("Sigmoid", None)]
    one = write(tmp_path / "a.onnx", last=tail)
    comparison = compare(one, write(tmp_path / "b.onnx", last=tail, between=1.0001))
    (output,) = comparison.outputs
    assert 2**-13 < output.difference <= allowed(output.movement, np.zeros(1, np.float32))
    assert not comparison.equivalent
    assert [pair.status for pair in comparison.pairs] == ["same", "rounding"]
    assert output.text.endswith("otherwise, which does not explain what comes into up2")


def test_labels_are_compared_one_by_one(tmp_path: Path) -> None:
    """Of an argmax between equals few flip; another argmax is another."""
    one = write(tmp_path / "a.onnx", last=[("Mul", 1.0), ("ArgMax", None)])
    assert compare(one, write(tmp_path / "b.onnx", last=[("ArgMax", None)])).equivalent
    comparison = compare(one, write(tmp_path / "c.onnx", last=[("Neg", None), ("ArgMax", None)]))
    assert not comparison.equivalent
    assert "% of its numbers differ; the source itself moves by" in comparison.outputs[0].text


def test_whole_numbers_differ_by_how_many_they_are() -> None:
    """A label is not nearly another."""
    a, b = np.array([1, 2, 3, 400]), np.array([1, 2, 3, 4])
    assert difference(a, b) == 0.25
    assert difference(a, a) == 0
    assert difference(a.astype("f4"), b.astype("f4")) == pytest.approx(0.99)


class Stored:
    """An array as a model has it."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def load(self) -> Any:
        return self.array


def read(*arrays: Any) -> Model:
    inputs = [
        Input(name=str(n), shape=None, dtype=None, sample=Stored(array))
        for n, array in enumerate(arrays)
    ]
    return Model(
        path="", format="", inputs=tuple(inputs), layers=(), activations=(), outputs={},
        versions={}, notes=(), folder=None,
    )  # fmt: skip


def test_every_number_is_moved_by_one_unit_in_its_last_place() -> None:
    """Up or down; what is not finite, and whole numbers, stay."""
    x = np.array([1.0, -3.0, 0.0, np.inf, np.nan] * 20, np.float32)
    samples: list[Sample] = rounded_samples(read(x, np.arange(3)), by_name=False)
    moved = samples[0].array
    assert moved.dtype == np.float32
    finite = np.isfinite(x)
    assert set(np.unique(moved[x == 1.0])) == {
        np.nextafter(np.float32(1), np.float32(end)) for end in (0, 2)
    }
    assert (moved[finite] != x[finite]).all()
    np.testing.assert_array_equal(moved[~finite], x[~finite])
    np.testing.assert_array_equal(samples[1].array, np.arange(3))
    assert [sample.name for sample in rounded_samples(read(x), by_name=True)] == ["0"]
    assert rounded_samples(read(np.arange(3)), by_name=False) is None


def test_a_movement_allows_no_other_numbers() -> None:
    """However far the source moves; and never less than the flat limit."""
    x = np.zeros(1, np.float32)
    assert allowed(None, x) == allowed(0.0, x) == 2**-13
    assert allowed(0.01, x) == FACTOR * 0.01
    assert allowed(1.0, x) == allowed(float("inf"), x) == MOST
