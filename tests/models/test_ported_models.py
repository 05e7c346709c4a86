"""Model files of every format come to other frameworks: each layer with its own shapes and bias,
and with the weights of the model, which give what its own framework computes of them.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from conformance.commands import port as command
from conformance.errors import ConformanceError, ModelError, PortError, UsageError
from conformance.models import Model, Sample, read_model
from conformance.porting import layer_file, port_layers, port_model, source_file, tensors_of
from conformance.porting.modules import parts_of

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

TORCH = """
import sys
import torch
from torch import nn

def decoder():
    torch.manual_seed(3)
    return nn.Sequential(
        nn.ConvTranspose2d(4, 6, 3, 2, 1, 1, groups=2),
        nn.ReLU(),
        nn.utils.parametrizations.weight_norm(nn.ConvTranspose2d(6, 2, (4, 3), 2, dilation=2)),
    ).eval()

if __name__ == "__main__":
    folder, x = sys.argv[1], torch.ones(1, 4, 5, 6)
    torch.export.save(torch.export.export(decoder(), (x,)), f"{folder}/decoder.pt2")
    torch.jit.trace(decoder(), x).save(f"{folder}/decoder.pt")
    torch.save({"state_dict": decoder().state_dict()}, f"{folder}/state.pth")
"""
KERAS = """
import sys
import keras, tensorflow as tf

folder = sys.argv[1]
keras.utils.set_random_seed(1)
x = keras.Input((5, 6, 3), name="x")
y = keras.layers.Conv2DTranspose(5, 3, strides=2, padding="same", name="up")(x)
inner = keras.Sequential([keras.layers.Conv2DTranspose(2, 4, strides=2, activation="tanh")])
model = keras.Model(x, inner(y))
model.layers[1].bias.assign([0.5, -0.5, 1.0, 2.0, 0.25])
model.save(f"{folder}/decoder.keras")
model.save(f"{folder}/decoder.h5")
model.export(f"{folder}/decoder", verbose=False)
with open(f"{folder}/decoder.tflite", "wb") as file:
    file.write(tf.lite.TFLiteConverter.from_saved_model(f"{folder}/decoder").convert())
"""
JAX = """
import sys
import jax, jax.export, jax.numpy as jnp
from flax import nnx

class Up(nnx.Module):
    def __init__(self):
        self.up = nnx.ConvTranspose(3, 4, (3, 2), strides=(2, 2), padding="SAME", rngs=nnx.Rngs(0))
        self.up.bias[...] = jnp.arange(4.0)

    def __call__(self, x):
        return self.up(x)

def grouped():
    w = jax.random.normal(jax.random.key(0), (4, 4, 2, 6))
    return lambda x: jax.lax.conv_general_dilated(
        x, w, (1, 1), ((2, 1), (2, 3)), lhs_dilation=(2, 2), feature_group_count=2,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )

if __name__ == "__main__":
    up = Up().up
    shape = jax.ShapeDtypeStruct((1, 5, 6, 3), "float32")
    w, b = up.kernel[...], up.bias[...]
    function = jax.jit(lambda x: jax.lax.conv_transpose(x, w, (2, 2), "SAME"))
    with open(f"{sys.argv[1]}/up.jax", "wb") as file:
        file.write(jax.export.export(function)(shape).serialize())
"""
CODE = {"made_torch": TORCH, "made_keras": KERAS, "made_jax": JAX}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Every file, made by its own framework; and modules that a child can import."""
    path = tmp_path_factory.mktemp("models")
    for name, code in CODE.items():
        (path / f"{name}.py").write_text(code, encoding="utf-8")
        subprocess.run(
            [sys.executable, str(path / f"{name}.py"), str(path)], capture_output=True, check=True
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(path))
        patch.chdir(path)
        yield path


Read = Callable[..., Model]


@pytest.fixture
def read() -> Iterator[Read]:
    models = []

    def read(path: str, shape: Any = None, **options: Any) -> Model:
        inputs = [] if shape is None else [Sample(name=None, shape=shape)]
        models.append(read_model(path, inputs=inputs, activations=True, **options))
        return models[-1]

    yield read
    for model in models:
        model.close()


ACTIVATIONS = {"tanh": np.tanh, None: lambda y: y}


def met(model: Model) -> list[tuple[Any, Any]]:
    """What came into every layer and went out of it, (N, C, *spatial), in the model's own run."""
    entries = [entry for entry in model.activations if entry.layer is not None]
    if entries:
        return [(entry.input.load(), entry.output.load()) for entry in entries]
    (x,), (y,) = [entry.sample for entry in model.inputs], model.outputs.values()
    return [tuple(np.moveaxis(stored.load(), -1, 1) for stored in (x, y))]  # of jax.export


def outputs(answers: list[Any], file: str, target: str, xs: list[Any]) -> Any:
    """What the layers of a file of layers make of xs (N, C, *spatial), with the weights of a
    file.
    """
    code = layer_file(answers, "model-snippet", weights=file, prove=False).code
    space: dict[str, Any] = {"__name__": "ported"}
    exec(compile(code, "ported.py", "exec"), space)
    names = [part.name for part in parts_of([subject(one) for one in answers], None)]
    layers = space["load"](file)
    if target == "torch":
        torch = space["torch"]
        tensors = zip(names, map(torch.from_numpy, map(np.array, xs)), strict=True)
        return [getattr(layers, name)(x).detach().numpy() for name, x in tensors]
    if target == "jax":
        last = [np.moveaxis(x, 1, -1) for x in xs]
        ys = [space[name](layers[name], x) for name, x in zip(names, last, strict=True)]
        return [np.moveaxis(np.asarray(y), -1, 1) for y in ys]
    import onnxruntime

    session = onnxruntime.InferenceSession(layers.SerializeToString())
    feeds = {f"{name}_x": np.array(x) for name, x in zip(names, xs, strict=True)}
    return session.run([f"{name}_y" for name in names], feeds)


def subject(answer: Any) -> Any:
    return answer.layer, answer.target, answer.plan, answer.geometry, answer.channels


FORMATS = [
    # (model, shape of its input, targets, whether the proofs run: once a framework)
    ("decoder.pt2", None, ("jax", "onnx"), True),
    ("decoder.pt", (1, 4, 5, 6), ("jax", "onnx"), False),
    ("made_torch:decoder", (1, 4, 7, 5), ("jax", "onnx"), False),
    ("decoder.keras", None, ("torch", "jax"), True),
    ("decoder.h5", None, ("torch", "onnx"), False),
    ("decoder", None, ("torch", "onnx"), True),
    ("decoder.tflite", None, ("torch", "jax"), False),
    ("up.jax", None, ("torch", "onnx"), True),
    ("made_jax:Up", (1, 5, 6, 3), ("torch", "onnx"), False),
    ("made_jax:grouped", (1, 5, 6, 4), ("torch", "onnx"), False),
]


@pytest.mark.parametrize(
    ("name", "shape", "targets", "prove"), FORMATS, ids=[name for name, *_ in FORMATS]
)
def test_a_layer_of_a_model_computes_what_its_own_framework_does(
    folder: Path, read: Read, tmp_path: Path, name: str, shape: Any, targets: Any, prove: bool
) -> None:
    """With the model's weights, on what really came in: bias, groups, dilation, weight norm."""
    model = read(name, shape)
    pairs = met(model)
    file = source_file(model, None)
    assert (file is not None) == name.endswith((".keras", ".h5"))
    if file is None:
        file = str(tmp_path / "weights.safetensors")
        save_file(tensors_of(model), file)
    for target in targets:
        answers = port_layers(model, target, prove=prove)
        assert [answer.kernel for answer in answers] == [one.kernel.shape for one in model.layers]
        assert [answer.input for answer in answers] == [x.shape for x, _ in pairs]
        assert not any("chosen" in note for answer in answers for note in answer.notes)
        if prove:
            assert all(answer.proof.agrees for answer in answers), [one.proof for one in answers]
        ys = outputs(answers, file, target, [x for x, _ in pairs])
        for layer, got, (_, y) in zip(model.layers, ys, pairs, strict=True):
            got = ACTIVATIONS[layer.activation](got)
            np.testing.assert_allclose(got, y, rtol=1e-4, atol=1e-5)


def test_weights_by_a_torch_files_own_names_are_normalised_on_loading(
    folder: Path, read: Read
) -> None:
    """--weights of a callable is the file of the program too, weight norm in its parts, also where
    a checkpoint has its state dict by a name.
    """
    model = read("made_torch:decoder", (1, 4, 5, 6), weights="state.pth")
    assert source_file(model, "state.pth") == "state.pth"
    answers = port_layers(model, "jax", by_name=True, prove=False)
    assert [one.layer.tensors for one in answers] == [
        ("0.weight", "0.bias"), ("2.weight", "2.bias"),
    ]  # fmt: skip
    pairs = met(model)
    for got, (_, y) in zip(
        outputs(answers, "state.pth", "jax", [x for x, _ in pairs]), pairs, strict=True
    ):
        np.testing.assert_allclose(got, y, rtol=1e-4, atol=1e-5)


def test_tensors_have_the_models_own_names_in_its_own_layout(folder: Path, read: Read) -> None:
    """So that a state dict may take their place; weight norm's are the effective ones."""
    with read("decoder.pt2") as model:
        held = tensors_of(model)
        assert list(held) == ["0.weight", "0.bias", "2.weight", "2.bias"]
        np.testing.assert_array_equal(held["2.weight"], model.layers[1].kernel.load())
    with read("decoder") as model:
        shapes = [array.shape for array in tensors_of(model).values()]
        assert shapes == [(3, 3, 5, 3), (5,), (4, 4, 2, 5), (2,)]
    with read("made_jax:Up", (1, 5, 6, 3)) as model:
        assert list(tensors_of(model)) == ["up.kernel", "up.bias"]


def conformance(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "conformance", "port", *words],
        cwd=cwd, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


def test_the_command_writes_weights_beside_the_program(folder: Path) -> None:
    """Which loads them by name, alone; and writes over nothing that another program wrote."""
    words = ("decoder.pt2", "--to", "jax", "--as", "layer", "-o", "up.py")
    done = conformance(*words, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "torch 0: torch.nn.ConvTranspose2d(stride=[2, 2]" in done.stdout
    assert "note: weight_norm makes its weights: those to convert are the effective" in done.stdout
    assert "up.safetensors has every name, in its shape." in done.stdout
    assert "weights written: up.safetensors\nwritten: up.py" in done.stdout
    assert "decoder.pt2: loads the program" in done.stderr
    assert list(load_file(folder / "up.safetensors")) == [
        "0.bias", "0.weight", "2.bias", "2.weight",
    ]  # fmt: skip
    run = subprocess.run(
        [sys.executable, "up.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert run.stdout.strip() == "(1, 10, 12, 6)", run.stderr
    np.savez(folder / "mine.npz", w=np.ones(1))
    save_file({"w": np.ones(1)}, folder / "mine.safetensors")
    written = command.Written(form="layer", output=Path("mine.py"))
    with pytest.raises(UsageError, match=r"mine.safetensors beside it was not written by conf"):
        command.run("decoder.pt2", None, "jax", [], False, written)
    assert list(load_file(folder / "mine.safetensors")) == ["w"]


def test_without_a_file_it_is_said_where_the_weights_would_go(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the terminal there is nothing that the program could load."""
    command.run("decoder.pt2", "torch", "jax", [], False, command.Written(form="layer"))
    printed = capsys.readouterr().out
    assert "weights: a program cannot load them from decoder.pt2 by name; with -o FILE" in printed
    assert 'load("decoder.safetensors")' in printed
    assert not (folder / "decoder.safetensors").exists()


@pytest.mark.parametrize(
    ("call", "source", "target", "inputs", "words"),
    [
        ("decoder.pt2", "keras", "jax", [], r"decoder.pt2 is of torch, should be given with that"),
        ("decoder.pt2", None, "torch", [], "source and target are both torch"),
        ("decoder.pt2", None, "mxnet", [], "there is no framework 'mxnet'"),
        ("decoder.pt", None, "jax", [], r"should be given an input \(--input\)"),
        ("none.pt2", None, "jax", [], r"none.pt2 is not a file, should be a model"),
        ("state.pth", None, "jax", [], "should be given as package.module:callable"),
        ("made_torch.py", None, "jax", [], "cannot read .py files: 'made_torch.py'"),
        ("ConvTranspose2d(4, 2, 3)", None, "jax", [], "should be given with --from"),
        ("ConvTranspose2d(4, 2, 3)", "torch", "jax", ["1,4,5,5"] * 2, "should be given once"),
    ],
)
def test_what_cannot_be_asked_of_a_model_is_one_sentence(
    folder: Path, call: str, source: Any, target: str, inputs: Any, words: str
) -> None:
    """What, where, and what instead."""
    with pytest.raises(ConformanceError, match=words) as error:
        command.run(call, source, target, inputs, False)
    assert len(error.value.lines) == 1


def test_a_model_without_a_layer_to_port_says_which_it_leaves_out(
    folder: Path, tmp_path: Path
) -> None:
    """A kernel that is an input has no numbers and no shape; beside others it is a note."""
    (folder / "computed.py").write_text(
        "import torch\nfrom torch import nn\n\nclass Computed(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n"
        "        self.up = nn.ConvTranspose1d(2, 3, 4)\n\n"
        "    def forward(self, x):\n        return self.up(x)\n\n"
        "class Nothing(nn.Module):\n    def forward(self, x):\n        return x\n",
        encoding="utf-8",
    )
    (answer,) = port_model("computed:Computed", target="jax", input=[1, 2, 9], prove=False)
    assert (answer.name, answer.input, answer.kernel) == ("up", (1, 2, 9), (2, 3, 4))
    (answer,) = port_model("computed:Computed", target="jax", prove=False)
    assert answer.input == (1, 2, 8)
    assert "No input is given: 1,2,8 is chosen." in answer.notes
    with pytest.raises(PortError, match="computed:Nothing has no transposed convolution to port"):
        port_model("computed:Nothing", target="jax", input=[1, 2, 9], prove=False)
    with pytest.raises(ModelError, match="cannot be imported"):
        port_model("absent:Model", target="jax", prove=False)
