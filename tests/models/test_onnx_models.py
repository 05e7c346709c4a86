"""ONNX files, made here node by node: weights, shapes and activations, wherever a node stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from conformance.comparison import compare_models
from conformance.errors import ModelError

RANDOM = np.random.RandomState(5)
WEIGHTS = RANDOM.randn(3, 2, 4, 4).astype(np.float32)
UP = {"strides": [2, 2], "pads": [1, 1, 1, 1], "kernel_shape": [4, 4]}


def saved(path: Path, nodes: Any, arrays: Any, shape: Any, **more: Any) -> Path:
    """A model of these nodes from x to y, opset 17."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape), *more.pop("inputs", [])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("my", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9, **more), str(path))
    return path


def test_attributes_are_kept_verbatim(tmp_path: Path, read: Any, holds: Any) -> None:
    """And what follows and may be fused."""
    nodes = [
        helper.make_node("ConvTranspose", ["x", "w", "b"], ["c"], name="up", **UP),
        helper.make_node("BatchNormalization", ["c", "s", "b", "b", "s"], ["n"]),
        helper.make_node("LeakyRelu", ["n"], ["y"]),
    ]
    arrays = {"w": WEIGHTS, "b": np.float32([1, -1]), "s": np.float32([1, 2])}
    path = saved(tmp_path / "net.onnx", nodes, arrays, ["n", 3, 5, 6])
    model = read(path, activations=True)
    (layer,) = model.layers
    assert (layer.name, layer.operator, layer.arguments) == ("up", "ConvTranspose", UP)
    assert layer.followed_by == ("BatchNormalization", "LeakyRelu")
    assert (layer.kernel_tensor.name, layer.kernel_tensor.axes) == ("w", "IOHW")
    assert layer.bias.load().tolist() == [1, -1]
    assert model.inputs[0].shape == (None, 3, 5, 6)
    assert [a.operator for a in model.activations] == [
        "ConvTranspose", "BatchNormalization", "LeakyRelu",
    ]  # fmt: skip
    assert holds(model) == 1
    assert list(model.outputs) == ["y"]


def test_weights_that_nodes_compute_are_effective(tmp_path: Path, read: Any, holds: Any) -> None:
    """As exporters write weight norm; the last operator stands first."""
    nodes = [
        helper.make_node("ReduceL2", ["v"], ["norm"], axes=[1, 2, 3]),
        helper.make_node("Div", ["g", "norm"], ["scale"]),
        helper.make_node("Mul", ["v", "scale"], ["w"]),
        helper.make_node("ConvTranspose", ["x", "w"], ["y"], **UP),
    ]
    arrays = {"v": WEIGHTS, "g": np.float32([1, 2, 3]).reshape(3, 1, 1, 1)}
    model = read(saved(tmp_path / "net.onnx", nodes, arrays, [1, 3, 5, 6]), activations=True)
    (layer,) = model.layers
    assert layer.normalised_by == ("Mul", "Div", "ReduceL2")
    assert layer.kernel_tensor.name is None
    norms = np.linalg.norm(layer.kernel.load().reshape(3, -1), axis=1)
    np.testing.assert_allclose(norms, [1, 2, 3], rtol=1e-5)
    assert holds(model) == 1


def test_weights_of_an_input_are_none(tmp_path: Path, read: Any) -> None:
    """They are computed while the model runs, which the layer says."""
    nodes = [helper.make_node("ConvTranspose", ["x", "w"], ["y"], **UP)]
    inputs = [helper.make_tensor_value_info("w", TensorProto.FLOAT, [3, 2, 4, 4])]
    (layer,) = read(saved(tmp_path / "net.onnx", nodes, {}, [1, 3, 5, 6], inputs=inputs)).layers
    assert layer.kernel is None
    assert layer.notes == ("Its kernel w is computed while the model runs.",)


def test_a_node_in_a_local_function_is_found(tmp_path: Path, read: Any, holds: Any) -> None:
    """Functions are written out first, so that the node has the weights of its call."""
    inner = helper.make_node("ConvTranspose", ["a", "b"], ["c"], **UP)
    function = helper.make_function(
        "my", "Up", ["a", "b"], ["c"], [inner], [helper.make_opsetid("", 17)]
    )
    nodes = [helper.make_node("Up", ["x", "w"], ["y"], domain="my")]
    path = saved(tmp_path / "net.onnx", nodes, {"w": WEIGHTS}, [1, 3, 5, 6], functions=[function])
    model = read(path, activations=True)
    np.testing.assert_array_equal(model.layers[0].kernel.load(), WEIGHTS)
    assert holds(model) == 1


def test_a_node_in_a_branch_sees_the_weights_around_it(tmp_path: Path, read: Any) -> None:
    """The weights are those of the outer graph, the shape comes from inference."""
    branches = {
        name: helper.make_graph(
            [node], name, [], [helper.make_tensor_value_info("inner", TensorProto.FLOAT, None)]
        )
        for name, node in (
            ("then_branch", helper.make_node("ConvTranspose", ["x", "w"], ["inner"], **UP)),
            ("else_branch", helper.make_node("Identity", ["x"], ["inner"])),
        )
    }
    nodes = [helper.make_node("If", ["c"], ["y"], name="choice", **branches)]
    path = saved(tmp_path / "net.onnx", nodes, {"w": WEIGHTS, "c": np.array(True)}, [1, 3, 5, 6])
    model = read(path, activations=True)
    (layer,) = model.layers
    np.testing.assert_array_equal(layer.kernel.load(), WEIGHTS)
    assert layer.inputs == ((1, 3, 5, 6),)
    assert [a.name for a in model.activations] == ["choice"]


@pytest.mark.parametrize(("shapes", "inputs"), [([(1, 3, 8)], ((1, 3, 5),)), ([], ())])
def test_a_size_that_follows_from_data_is_what_a_run_gives(
    tmp_path: Path, read: Any, shapes: Any, inputs: Any
) -> None:
    """Inference cannot know it; without a sample nobody does."""
    keep = np.array([True, False, True, True, False, True, True, False])
    nodes = [
        helper.make_node("Compress", ["x", "keep"], ["few"], axis=2),
        helper.make_node("ConvTranspose", ["few", "w"], ["y"], strides=[4], pads=[2, 2]),
    ]
    path = saved(tmp_path / "net.onnx", nodes, {"w": WEIGHTS[..., 0], "keep": keep}, ["n", 3, "l"])
    (layer,) = read(path, shapes).layers
    assert layer.inputs == inputs


def test_activations_need_sizes(tmp_path: Path, read: Any) -> None:
    """The sentence says which are open."""
    nodes = [helper.make_node("ConvTranspose", ["x", "w"], ["y"], **UP)]
    path = saved(tmp_path / "net.onnx", nodes, {"w": WEIGHTS}, ["n", 3, "h", "w_"])
    with pytest.raises(ModelError, match=r"leaves sizes of its input x open \(1,3,\?,\?\)"):
        read(path, activations=True)
    with pytest.raises(ModelError, match=r"has an input x of \?,3,\?,\?, and 1,4,5,6 is given"):
        read(path, [(1, 4, 5, 6)])


def test_in_float16_a_layer_is_asked_alone(tmp_path: Path, read: Any) -> None:
    """ONNX Runtime hands float32 on to the next node, so that a layer in the whole model does not
    get the float16 that is asked for; the model is nonetheless the same as itself.
    """
    half = {
        "w": (RANDOM.randn(32, 32, 4, 4) / 16).astype(np.float16),
        "b": RANDOM.randn(32).astype(np.float16),
    }
    nodes = [
        helper.make_node("Cast", ["x"], ["x0"], to=TensorProto.FLOAT16),
        helper.make_node("ConvTranspose", ["x0", "w", "b"], ["x1"], name="up0", **UP),
        helper.make_node("LeakyRelu", ["x1"], ["x2"]),
        helper.make_node("ConvTranspose", ["x2", "w", "b"], ["x3"], name="up1", **UP),
        helper.make_node("Cast", ["x3"], ["y"], to=TensorProto.FLOAT),
    ]
    path = saved(tmp_path / "net.onnx", nodes, half, [1, 32, 5, 6])
    comparison = compare_models(*(read(path, activations=True) for _ in range(2)))
    assert [(pair.status, pair.wrong) for pair in comparison.pairs] == [("same", ())] * 2
    assert all(pair.of_bound <= 1 for pair in comparison.pairs)
