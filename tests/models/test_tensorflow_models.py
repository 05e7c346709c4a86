"""Models of Keras and TensorFlow, made here: .keras, .h5, a SavedModel and a LiteRT file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conformance.errors import ModelError

MAKE = """
import sys
import keras, numpy as np, tensorflow as tf

folder = sys.argv[1]
keras.utils.set_random_seed(1)
x = keras.Input((7, 8, 3), name="x")
y = keras.layers.Conv2DTranspose(5, 3, strides=2, padding="same", name="up")(x)
y = keras.layers.ReLU()(keras.layers.BatchNormalization(name="norm")(y))
inner = keras.Sequential(
    [keras.layers.Conv2DTranspose(2, 4, strides=2, activation="tanh", name="last")], name="head"
)
model = keras.Model(x, inner(y))
model.layers[1].bias.assign([0.5, -0.5, 1.0, 2.0, 0.25])
model.save(f"{folder}/decoder.keras")
model.save(f"{folder}/decoder.h5")
model.export(f"{folder}/decoder", verbose=False)
converter = tf.lite.TFLiteConverter.from_saved_model(f"{folder}/decoder")
with open(f"{folder}/decoder.tflite", "wb") as file:
    file.write(converter.convert())
"""
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One decoder in all its forms, made by TensorFlow in a process of its own."""
    path = tmp_path_factory.mktemp("models")
    subprocess.run([sys.executable, "-c", MAKE, str(path)], capture_output=True, check=True)
    return path


@pytest.mark.parametrize("name", ["decoder.keras", "decoder.h5"])
def test_keras_layers_are_found_at_any_depth(
    folder: Path, name: str, read: Any, holds: Any
) -> None:
    """With their arguments, their activation, and the shapes of the model's own input."""
    model = read(folder / name, activations=True)
    up, last = model.layers
    assert (up.name, up.operator) == ("up", "keras.layers.Conv2DTranspose")
    assert (last.name, last.activation) == ("head/last", "tanh")
    assert up.native == {
        "strides": [2, 2], "padding": "same", "output_padding": None, "dilation_rate": [1, 1],
    }  # fmt: skip
    assert (up.kernel.shape, up.kernel_tensor.axes) == ((3, 5, 3, 3), "HWOI")
    assert up.inputs == ((1, 3, 7, 8),)
    assert [a.name for a in model.activations] == ["up", "norm", "re_lu", "head/last"]
    assert holds(model) == 2
    assert model.outputs["0"].shape == (1, 30, 34, 2)


def test_a_saved_model_gives_its_bias_back_to_the_layer(
    folder: Path, read: Any, holds: Any
) -> None:
    """The node behind the convolution that adds a constant is its bias; output_shape is real."""
    model = read(folder / "decoder", activations=True)
    up, last = model.layers
    assert up.operator == "tf.nn.conv2d_transpose"
    assert up.native["output_shape"] == [14, 16]
    assert up.bias.load().tolist() == [0.5, -0.5, 1.0, 2.0, 0.25]
    assert up.followed_by[-1] == "Relu"
    assert last.native["padding"] == "VALID"
    assert holds(model) == 2


def test_a_litert_file_tells_its_fused_activation(folder: Path, read: Any, holds: Any) -> None:
    """The converter folds batch normalisation into weights and bias, and a ReLU into the layer."""
    model = read(folder / "decoder.tflite", activations=True)
    up, last = model.layers
    assert (up.operator, up.native["strides"]) == ("TRANSPOSE_CONV", [2, 2])
    assert up.kernel_tensor.axes == "OHWI"
    assert up.inputs == ((1, 3, 7, 8),)
    assert last.inputs == ((1, 5, 14, 16),)
    assert holds(model) == 2


def test_a_lambda_layer_is_not_run(tmp_path: Path, read: Any) -> None:
    """safe_mode refuses code that a file brings, in both of Keras's formats."""
    code = """
import sys, keras
model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Lambda(lambda x: print("ran") or x)])
model.save(sys.argv[1] + "/code.keras")
model.save(sys.argv[1] + "/code.h5")
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, check=True)
    for name in ("code.keras", "code.h5"):
        with pytest.raises(ModelError, match=r"cannot be read: .*[Ll]ambda"):
            read(tmp_path / name)


def test_a_graph_that_writes_files_is_refused(tmp_path: Path, read: Any) -> None:
    """The node stands in a function of the SavedModel; it is not run."""
    code = """
import sys, tensorflow as tf
class Writer(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([1, 4], tf.float32, name="x")])
    def __call__(self, x):
        tf.io.write_file(sys.argv[1] + "/written", "x")
        return x
writer = Writer()
tf.saved_model.save(writer, sys.argv[1] + "/m", signatures=writer.__call__)
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, check=True)
    with pytest.raises(ModelError, match="has a node WriteFile, which reads or writes files"):
        read(tmp_path / "m")
    assert not (tmp_path / "written").exists()
