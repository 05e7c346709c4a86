"""What frameworks' own exporters make of a model is equivalent to it, and says how."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import networks
import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from conformance.comparison import ModelComparison, Reading, compare_models, read_both
from conformance.models import Sample

pytestmark = pytest.mark.filterwarnings("ignore")

KERAS = """
import sys
import keras, numpy as np, tensorflow as tf

folder = sys.argv[1]
keras.utils.set_random_seed(1)
layers = keras.layers


def decoder(epsilon=1e-3, padding="same"):
    x = keras.Input((5, 4, 3), name="x")
    y = layers.Conv2DTranspose(5, 3, strides=2, padding=padding, name="up")(x)
    y = layers.ReLU()(layers.BatchNormalization(epsilon=epsilon, name="norm")(y))
    y = layers.LeakyReLU()(layers.Conv2DTranspose(4, 3, strides=2, padding="same", name="mid")(y))
    return keras.Model(x, layers.Conv2DTranspose(2, 4, 2, activation="tanh", name="last")(y))


def port(weights):
    x = keras.Input((3, 4, 6), name="x")
    y = x
    for number, (kernel, same) in enumerate([("0", "valid"), ("3", "same"), ("6", "same")]):
        w = np.transpose(weights[kernel], (2, 3, 1, 0))
        stride = 1 if number == 0 else 2
        up = layers.Conv2DTranspose(w.shape[2], 4, stride, padding=same, use_bias=False)
        y = up(y)
        up.kernel.assign(w)
        if number < 2:
            norm = layers.BatchNormalization(epsilon=1e-5)
            y = layers.ReLU()(norm(y))
            norm.set_weights(list(weights[f"norm{number}"]))
    return keras.Model(x, layers.Activation("tanh")(y))


model = decoder()
model.get_layer("norm").set_weights([np.random.uniform(0.5, 2, 5) for _ in range(4)])
model.get_layer("up").bias.assign([0.5, -0.5, 1.0, 2.0, 0.25])
model.save(f"{folder}/decoder.keras")
model.export(f"{folder}/decoder", verbose=False)
with open(f"{folder}/decoder.tflite", "wb") as file:
    file.write(tf.lite.TFLiteConverter.from_saved_model(f"{folder}/decoder").convert())
x = keras.Input((6, 4))
y = layers.Conv1DTranspose(3, 8, 4, padding="same", name="first")(x)
vocoder = keras.Model(x, layers.Conv1DTranspose(2, 3, 2, name="second")(layers.LeakyReLU()(y)))
vocoder.save(f"{folder}/vocoder.keras")
vocoder.export(f"{folder}/vocoder", verbose=False)
for name, other in (("epsilon", decoder(epsilon=0.1)), ("valid", decoder(padding="valid"))):
    other.set_weights(model.get_weights())
    other.save(f"{folder}/{name}.keras")
port(np.load(f"{folder}/dcgan.npz")).save(f"{folder}/port.keras")
"""


FLAX = """
import numpy as np
from flax import nnx


class Decoder(nnx.Module):
    def __init__(self):
        rngs = nnx.Rngs(0)
        self.a = nnx.ConvTranspose(3, 5, (4, 4), strides=2, padding="SAME", rngs=rngs)
        self.b = nnx.ConvTranspose(
            5, 2, (3, 3), strides=2, padding="VALID", transpose_kernel=True, rngs=rngs
        )

    def __call__(self, x):
        return self.b(nnx.relu(self.a(x)))


def port(flip):
    import torch

    source = Decoder()
    a, b = torch.nn.ConvTranspose2d(3, 5, 4, 2, 1), torch.nn.ConvTranspose2d(5, 2, 3, 2)
    first = np.asarray(source.a.kernel.get_value()).transpose(2, 3, 0, 1)
    first = np.flip(first, (2, 3)) if flip else first
    second = np.asarray(source.b.kernel.get_value()).transpose(3, 2, 0, 1)
    for layer, kernel, old in ((a, first, source.a), (b, second, source.b)):
        layer.weight.data = torch.tensor(kernel.copy())
        layer.bias.data = torch.tensor(np.array(old.bias.get_value()))
    return torch.nn.Sequential(a, torch.nn.ReLU(), b)


def right():
    return port(True)


def unflipped():
    return port(False)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Keras decoder in all its forms, and torch's DCGAN carried over to Keras by hand."""
    path = tmp_path_factory.mktemp("models")
    net = networks.network("dcgan")
    weights = {name: net[int(name)].weight.detach().numpy() for name in ("0", "3", "6")}
    for number, place in enumerate((1, 4)):
        norm = net[place]
        parts = (norm.weight, norm.bias, norm.running_mean, norm.running_var)
        weights[f"norm{number}"] = np.stack([part.detach().numpy() for part in parts])
    np.savez(path / "dcgan.npz", **weights)
    subprocess.run([sys.executable, "-c", KERAS, str(path)], capture_output=True, check=True)
    return path


def compare(source: Path, target: Path) -> ModelComparison:
    with read_both(str(source), str(target), Reading()) as models:
        return compare_models(*models)


def statuses(comparison: ModelComparison) -> set[str]:
    return {pair.status for pair in comparison.pairs}


@pytest.mark.parametrize("name", networks.NETWORKS)
def test_torchs_onnx_exporter_gives_no_false_alarm(name: str, tmp_path: Path) -> None:
    """Layers are matched by their weights, and each is within its bound."""
    comparison = compare(*networks.export(name, tmp_path))
    assert comparison.equivalent
    assert statuses(comparison) <= {"same", "rounding"}
    assert {pair.matched for pair in comparison.pairs} == {"weights"}
    assert all(pair.of_bound < 1 for pair in comparison.pairs)
    assert comparison.departure is None


def test_a_folded_batch_norm_is_said(tmp_path: Path) -> None:
    """torch's exporter folds batch norm into the layer before it; either may be the source."""
    program, file = networks.export("unet", tmp_path)
    comparison = compare(program, file)
    assert comparison.pairs[0].notes == ("norm.batch_norm is folded into the target's layer",)
    back = compare(file, program)
    assert back.equivalent
    assert back.pairs[0].notes == ("norm.batch_norm is folded into the source's layer",)


@pytest.mark.parametrize("name", ["decoder", "decoder.tflite"])
def test_tensorflows_exporters_give_no_false_alarm(folder: Path, name: str) -> None:
    """A SavedModel, and a LiteRT file with batch norm and ReLU fused into its layer."""
    comparison = compare(folder / "decoder.keras", folder / name)
    assert comparison.equivalent
    assert [pair.source.layer for pair in comparison.pairs] == ["up", "mid", "last"]
    assert statuses(comparison) <= {"same", "rounding"}
    notes = [note for pair in comparison.pairs for note in pair.notes]
    assert notes == (["norm is folded into the target's layer"] if "tflite" in name else [])


def test_one_dimension_computed_as_two_is_the_same(folder: Path) -> None:
    """TensorFlow has no operator of one dimension, and puts an axis of one element before it."""
    comparison = compare(folder / "vocoder.keras", folder / "vocoder")
    assert comparison.equivalent
    assert [len(pair.target.kernel_shape) for pair in comparison.pairs] == [4, 4]
    assert [pair.matched for pair in comparison.pairs] == ["weights", "weights"]


def test_a_port_by_hand_is_equivalent_across_layouts(folder: Path, tmp_path: Path) -> None:
    """The sample's channels are moved, and each side's layout of the kernel is named."""
    program, _ = networks.export("dcgan", tmp_path)
    comparison = compare(program, folder / "port.keras")
    assert comparison.equivalent
    pair = comparison.pairs[0]
    assert (pair.source.kernel, pair.target.kernel) == (
        "(C_in, C_out, kH, kW)",
        "(kH, kW, C_out, C_in)",
    )
    assert "(channels last became channels first)" in comparison.outputs[0].text


def test_flax_flips_one_kernel_and_not_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """transpose_kernel decides; a port that knows is equivalent, one that copies is told."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "carried.py").write_text(FLAX, encoding="utf-8")
    reading = Reading(inputs=[Sample(name=None, shape=(1, 5, 6, 3))])
    with read_both("carried:Decoder", "carried:right", reading) as models:
        comparison = compare_models(*models)
        assert comparison.equivalent
        assert statuses(comparison) <= {"same", "rounding"}
    with read_both("carried:Decoder", "carried:unflipped", reading) as models:
        first, second = compare_models(*models).pairs
        assert (first.status, first.wrong[0].name) == ("wrong", "kernel-not-flipped")
        assert second.status == "inherited"


def test_another_padding_in_keras_is_named(folder: Path) -> None:
    """ "valid" instead of "same": the layer is wrong, those behind inherit another size."""
    comparison = compare(folder / "decoder.keras", folder / "valid.keras")
    first, *others = comparison.pairs
    assert (first.status, first.wrong[0].name) == ("wrong", "padding-ignored")
    assert {pair.status for pair in others} == {"inherited"}


def test_another_epsilon_is_located_and_no_layer_is_blamed(folder: Path) -> None:
    """What is not a transposed convolution is located alone: the first tensor that departs."""
    comparison = compare(folder / "decoder.keras", folder / "epsilon.keras")
    assert not comparison.equivalent
    assert [pair.status for pair in comparison.pairs] == ["same", "inherited", "inherited"]
    assert (comparison.departure.source, comparison.departure.target) == ("norm", "norm")
    assert "up = up still agrees" in comparison.departure.text


def test_channels_in_another_order_throughout_are_reordered_only(tmp_path: Path) -> None:
    """A permutation that the next layer undoes changes nothing."""
    _, right = networks.export("mixed", tmp_path)
    model = onnx.load(right)
    nodes = [node for node in model.graph.node if node.op_type == "ConvTranspose"]
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    order = [3, 1, 0, 2, 5, 4]
    for node, place, axis in ((nodes[1], 1, 1), (nodes[1], 2, 0), (nodes[2], 1, 0)):
        tensor = tensors[node.input[place]]
        moved = np.take(numpy_helper.to_array(tensor), order, axis)
        tensor.CopyFrom(numpy_helper.from_array(moved, tensor.name))
    onnx.save(model, tmp_path / "moved.onnx")
    comparison = compare(right, tmp_path / "moved.onnx")
    assert comparison.equivalent
    assert [pair.status for pair in comparison.pairs][1:3] == ["reordered", "reordered"]
    assert "[3, 1, 0, 2, 5, 4]" in comparison.pairs[1].notes[0]


def test_groups_written_out_as_zeros_are_the_same(tmp_path: Path) -> None:
    """What exporters do whose target has no groups."""
    _, right = networks.export("mixed", tmp_path)
    model = onnx.load(right)
    node = [node for node in model.graph.node if node.op_type == "ConvTranspose"][3]
    tensor = next(t for t in model.graph.initializer if t.name == node.input[1])
    w = numpy_helper.to_array(tensor)
    dense = np.zeros((4, 4, 4, 4), np.float32)
    dense[:2, :2], dense[2:, 2:] = w[:2], w[2:]
    tensor.CopyFrom(numpy_helper.from_array(dense, tensor.name))
    next(a for a in node.attribute if a.name == "group").i = 1
    onnx.save(model, tmp_path / "dense.onnx")
    comparison = compare(right, tmp_path / "dense.onnx")
    assert comparison.equivalent
    assert comparison.pairs[3].wrong == ()


def test_a_model_of_half_the_bits_is_rounded_and_not_wrong(tmp_path: Path) -> None:
    """Its dtype says so, unlike weights that are rounded and kept as float32."""
    net, x = torch.nn.ConvTranspose2d(3, 4, 4, 2, 1), torch.randn(1, 3, 5, 5)
    torch.export.save(torch.export.export(net, (x,)), str(tmp_path / "net.pt2"))
    arrays = [net.weight.detach().numpy(), net.bias.detach().numpy()]
    names = ["w", "b"]
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node("Cast", ["x"], ["h"], to=onnx.TensorProto.FLOAT16),
            onnx.helper.make_node(
                "ConvTranspose", ["h", *names], ["y"], "up", strides=[2, 2], pads=[1, 1, 1, 1]
            ),
        ],
        "net",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 3, 5, 5])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT16, None)],
        [
            numpy_helper.from_array(a.astype(np.float16), n)
            for a, n in zip(arrays, names, strict=True)
        ],
    )
    opset = [onnx.helper.make_opsetid("", 17)]
    half = onnx.helper.make_model(graph, opset_imports=opset, ir_version=8)
    onnx.save(half, tmp_path / "half.onnx")
    comparison = compare(tmp_path / "net.pt2", tmp_path / "half.onnx")
    assert comparison.equivalent
    (pair,) = comparison.pairs
    assert pair.status == "rounding"
    assert pair.notes[-1] == "the source's weights are float32, the target's float16"


def test_a_source_without_shapes_runs_on_the_targets_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module has no input of its own, and its export has."""
    monkeypatch.setenv("PYTHONPATH", str(Path(networks.__file__).parent))
    _, file = networks.export("hifigan", tmp_path)
    weights = tmp_path / "weights.pth"
    torch.save(networks.network("hifigan").state_dict(), weights)
    reading = Reading(weights=(str(weights), None))
    with read_both("networks:hifigan", str(file), reading) as (source, target):
        assert source.format == "callable"
        comparison = compare_models(source, target)
    assert comparison.equivalent
    assert comparison.pairs[0].target.input_shape == (1, 8, 9)


def test_a_batch_norm_that_has_learnt_nothing_is_folded_too(tmp_path: Path) -> None:
    """Its factor is 1 / sqrt(1 + eps), which is no rounding of the weights."""
    up, x = torch.nn.ConvTranspose2d(3, 4, 4, 2, 1), torch.randn(1, 3, 4, 4)
    net = torch.nn.Sequential(up, torch.nn.BatchNorm2d(4), torch.nn.ReLU()).eval()
    torch.export.save(torch.export.export(net, (x,)), str(tmp_path / "net.pt2"))
    torch.onnx.export(net, (x,), str(tmp_path / "net.onnx"), dynamo=True, external_data=False)
    comparison = compare(tmp_path / "net.pt2", tmp_path / "net.onnx")
    assert comparison.equivalent
    assert comparison.pairs[0].notes == ("1.batch_norm is folded into the target's layer",)


def test_layers_that_are_called_twice_are_compared_at_each_call(tmp_path: Path) -> None:
    """One module, two nodes of its export."""
    up = torch.nn.ConvTranspose2d(3, 3, 4, 2, 1)
    net, x = torch.nn.Sequential(up, torch.nn.ReLU(), up).eval(), torch.randn(1, 3, 4, 4)
    torch.export.save(torch.export.export(net, (x,)), str(tmp_path / "net.pt2"))
    torch.onnx.export(net, (x,), str(tmp_path / "net.onnx"), dynamo=True, external_data=False)
    comparison = compare(tmp_path / "net.pt2", tmp_path / "net.onnx")
    assert comparison.equivalent
    assert [pair.target.input_shape for pair in comparison.pairs] == [(1, 3, 4, 4), (1, 3, 8, 8)]


def test_a_sample_of_ones_own_is_what_both_meet(tmp_path: Path) -> None:
    """The numbers of a file reach both models."""
    program, file = networks.export("pix2pix", tmp_path)
    x = np.full((1, 3, 16, 16), 0.5, np.float32)
    sample = Sample(name=None, shape=x.shape, array=x)
    with read_both(str(program), str(file), Reading(inputs=[sample])) as models:
        for model in models:
            np.testing.assert_array_equal(model.inputs[0].sample.load(), x)
