"""The porter's answer as a layer: its weights from the source's file by name, the same numbers in
graphs of unknown sizes, gradients for what it keeps, and no code that does not run.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.commands import port as command
from conformance.errors import ConformanceError, PortError
from conformance.porting import layer_file, port, port_model
from conformance.porting.modules import ModuleProof, module_code, parts_of, prove_module
from conformance.porting.recipes import Plan

TORCH = (
    "self.up = ConvTranspose2d(4, 3, 3, stride=2, padding=1, output_padding=1)",
    "(grouped): ConvTranspose1d(4, 6, 4, 2, 1, groups=2)",
    "(dilated): ConvTranspose2d(4, 6, 3, 2, 1, groups=2, dilation=2, bias=False)",
    "(solid): ConvTranspose3d(4, 6, (3, 2, 1), 2, (1, 0, 0), groups=2, dilation=(1, 2, 1))",
)
"""Layers that need a cut, a block diagonal, zeros between taps, and all of them in three
dimensions."""


def needed(*packages: str) -> None:
    for package in packages:
        pytest.importorskip(package)


def ports(target: str) -> list[Any]:
    return [port(text, source="torch", target=target, prove=False) for text in TORCH]


def run(code: str, **names: Any) -> dict[str, Any]:
    """The names of a program after it has been executed here, which has its frameworks."""
    space: dict[str, Any] = {"__name__": "ported", **names}
    exec(compile(code, "ported.py", "exec"), space)
    return space


@pytest.mark.parametrize(
    ("target", "backend"),
    [
        ("keras", "tensorflow"),
        ("keras", "jax"),
        ("keras", "torch"),
        ("tensorflow", ""),
        ("jax", ""),
        ("flax", ""),
        ("onnx", ""),
    ],
)
def test_a_layer_is_loaded_computes_what_is_right_and_trains(
    target: str, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four layers in one file, in each framework: bit for bit, traced without sizes where the
    framework traces, and with gradients for every weight.
    """
    needed(target if target != "onnx" else "onnxruntime", *filter(None, [backend]))
    if backend:
        monkeypatch.setenv("KERAS_BACKEND", backend)
    file = layer_file(ports(target), "layer")
    assert file.proof is not None
    assert file.proof.agrees, file.proof.failures


@pytest.mark.parametrize("form", ["layer", "model-snippet"])
def test_a_layer_of_another_source_comes_to_torch(form: str) -> None:
    """Of Keras, JAX and ONNX, by the names that these have for tensors."""
    needed("torch")
    for source, text, name in (
        ("keras", 'Conv2DTranspose(3, 4, strides=2, padding="same")((1, 8, 8, 4))', "up/kernel"),
        ("jax", "lax.conv_transpose(x, (3, 4, 6), (2,), 'SAME')", "up.kernel"),
        ("onnx", '{"W": [4, 3, 3], "group": 2, "strides": [3], "auto_pad": "SAME_UPPER"}', "up."),
    ):
        file = layer_file([port(text, source=source, target="torch", prove=False)], form)
        assert file.proof is not None
        assert file.proof.agrees, file.proof.failures
        assert name in file.code


def test_the_grouped_kernel_that_is_trained_has_no_zeros_of_other_groups() -> None:
    """What is kept has the shape of groups: the zeros of the block diagonal are written at each
    call, and no optimizer reaches them.
    """
    code = layer_file([ports("keras")[1]], prove=False).code
    assert "shape=(4, 3, 4)" in code
    assert "np.kron" in code


def test_weights_are_converted_once_for_all_layers_of_a_kind() -> None:
    """Three layers of one rank share a function; a kernel of another rank needs its own."""
    code = layer_file([ports("keras")[0]] * 3, prove=False).code
    assert code.count("def convert") == 1
    assert code.count("class Up") == 3
    assert layer_file(ports("keras"), prove=False).code.count("def convert") == 3


def test_a_layer_has_the_weights_of_the_torch_file_by_name(tmp_path: Path) -> None:
    """A state dict in a checkpoint: plain weights, and those of both weight norms and both spectral
    norms, which come to the effective ones.
    """
    needed("torch", "jax")
    torch = pytest.importorskip("torch")
    old, new = torch.nn.utils, torch.nn.utils.parametrizations
    texts = {
        "plain": lambda layer: layer,
        "weight_norm": new.weight_norm,
        "old_weight_norm": old.weight_norm,
        "spectral_norm": new.spectral_norm,
        "old_spectral_norm": old.spectral_norm,
    }
    for name, wrapper in texts.items():
        torch.manual_seed(1)
        with pytest.warns() if name == "old_weight_norm" else np.errstate():
            inner = wrapper(torch.nn.ConvTranspose1d(4, 3, 4, 2, 1))
        module = torch.nn.Module()
        module.ups = torch.nn.ModuleList([inner]).eval()
        x = torch.randn(1, 4, 5)
        y = inner(x).detach().numpy()
        path = tmp_path / f"{name}.pt"
        torch.save({"generator": module.state_dict()}, path)
        text = "ConvTranspose1d(4, 3, 4, 2, 1)"
        wrapped = text if name == "plain" else f"{name.removeprefix('old_')}({text})"
        answer = port(wrapped, source="torch", target="jax", prove=False)
        code = layer_file([answer], tensor="generator.ups.0", prove=False).code
        space = run(code)
        got = space["ups_0"](space["load"](str(path)), x.numpy().transpose(0, 2, 1))
        assert np.allclose(np.asarray(got).transpose(0, 2, 1), y, atol=1e-6), name


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Keras, about its variables
def test_a_layer_has_the_weights_of_files_of_other_sources(tmp_path: Path) -> None:
    """A .keras file, a TensorFlow checkpoint, Flax' msgpack, and an .onnx file, by name."""
    needed("keras", "tensorflow", "flax", "onnx")
    space = {source: run(reader(source)) for source in ("keras", "tensorflow", "flax", "onnx")}
    import keras
    import onnx
    import tensorflow as tf
    from flax import serialization
    from onnx import helper, numpy_helper

    kernel = np.arange(24, dtype="float32").reshape(3, 2, 4)
    layer = keras.layers.Conv1DTranspose(2, 3, name="up")
    model = keras.Sequential([keras.Input((8, 4)), layer])
    layer.set_weights([kernel, np.ones(2, "float32")])
    model.save(tmp_path / "m.keras")
    tf.train.Checkpoint(up=tf.Module(), kernel=tf.Variable(kernel)).write(str(tmp_path / "ckpt"))
    (tmp_path / "m.msgpack").write_bytes(
        serialization.msgpack_serialize({"params": {"up": {"kernel": kernel}}})
    )
    graph = helper.make_graph([], "g", [], [], [numpy_helper.from_array(kernel, "up.w")])
    onnx.save(helper.make_model(graph), tmp_path / "m.onnx")
    for source, file, name in (
        ("keras", "m.keras", "up/kernel"),
        ("tensorflow", "ckpt", "kernel"),
        ("flax", "m.msgpack", "params.up.kernel"),
        ("onnx", "m.onnx", "up.w"),
    ):
        held = space[source]["tensors"](str(tmp_path / file))
        assert np.array_equal(held[name], kernel), source


def reader(source: str) -> str:
    """The part of a program that reads a source's file."""
    from conformance.porting.modules.files import reading

    return "import numpy as np\n" + "\n".join(reading(source, normalised=False))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Keras, about its variables
@pytest.mark.parametrize("number", [0, 2])
def test_a_keras_layer_is_saved_loaded_and_trained_in_a_model_of_unknown_sizes(
    tmp_path: Path, number: int
) -> None:
    """One with Keras' own layer inside, and one that writes its kernel out."""
    keras = pytest.importorskip("keras")
    answer = ports("keras")[number]
    held: dict[str, Any] = {"up.weight": np.ones(answer.kernel), "up.bias": np.ones(3)}
    np.savez(tmp_path / "w.npz", **held)
    layer = run(layer_file([answer], tensor="up", prove=False).code)["load"](
        str(tmp_path / "w.npz")
    )
    inputs = keras.Input((None, None, 4))
    model = keras.Model(inputs, layer(inputs))
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    x = np.random.RandomState(1).standard_normal((2, 5, 6, 4)).astype("float32")
    y = keras.ops.convert_to_numpy(model(x))
    assert np.array_equal(y, keras.ops.convert_to_numpy(again(x)))
    before = layer.get_weights()
    model.compile("sgd", "mse")
    model.fit(x, np.zeros_like(y), verbose=0)
    changed = [np.any(old != new) for old, new in zip(before, layer.get_weights(), strict=True)]
    assert changed
    assert all(changed)


def test_every_node_of_a_model_is_a_layer_of_one_file(tmp_path: Path) -> None:
    """The file is the program's own: names are the initializers', and the whole is run."""
    needed("onnx", "torch", "onnxruntime")
    path = tmp_path / "decoder.onnx"
    save_decoder(path)
    answers = port_model(str(path), target="torch", prove=False)
    file = layer_file(answers, "model-snippet", weights=str(path), load=True)
    assert file.proof is not None
    assert file.proof.agrees, file.proof.failures
    assert "every name" in file.proof.text
    assert '"up1.weight"' in file.code
    space = run(file.code)
    import onnxruntime
    import torch

    x = np.random.RandomState(1).randint(-3, 4, (1, 4, 5)).astype("float32")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    layers = space["load"](str(path))
    y = layers.up2(layers.up1(torch.as_tensor(x)))
    assert np.array_equal(y.detach().numpy(), session.run(None, {"x": x})[0])


def save_decoder(path: Path) -> None:
    """A model of two layers, the second grouped."""
    import onnx
    from onnx import helper, numpy_helper

    random = np.random.RandomState(2)
    held = {
        "up1.weight": random.randint(-3, 4, (4, 6, 4)),
        "up2.weight": random.randint(-3, 4, (6, 2, 3)),
        "up2.bias": random.randint(-3, 4, 4),
    }
    nodes = [
        helper.make_node(
            "ConvTranspose", ["x", "up1.weight"], ["h"], name="up1", strides=[2], pads=[1, 1]
        ),
        helper.make_node(
            "ConvTranspose", ["h", "up2.weight", "up2.bias"], ["y"], name="up2", group=2
        ),
    ]
    tensors = [numpy_helper.from_array(a.astype("float32"), n) for n, a in held.items()]
    x = helper.make_tensor_value_info("x", 1, [1, 4, "L"])
    y = helper.make_tensor_value_info("y", 1, None)
    graph = helper.make_graph(nodes, "g", [x], [y], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)


def test_a_name_that_the_file_lacks_fails_the_proof(tmp_path: Path) -> None:
    """The file is loaded, and what it has instead is said."""
    needed("torch")
    path = tmp_path / "weights.npz"
    np.savez(path, other=np.zeros(3))
    answer = port('{"W": [4, 3, 3]}', source="onnx", target="torch", prove=False)
    file = layer_file([answer], weights=str(path), load=True)
    assert file.proof is not None
    assert not file.proof.agrees
    assert "there is no tensor up.weight, should be one of other" in file.proof.text


@pytest.mark.parametrize(
    ("old", "new", "failure"),
    [
        ("self.conv(x)", "self.conv(x)[:, :, 1:]", "DIFFERS"),
        ("self.conv(x)", "self.conv(x).detach().requires_grad_()", "gradient does not reach"),
        ("self.conv(x)", "self.con(x)", "does not run: AttributeError"),
    ],
)
def test_a_wrong_layer_is_told(old: str, new: str, failure: str) -> None:
    """One that cuts, one that does not train, and one that does not run."""
    needed("torch")
    one = port('{"W": [4, 3, 3]}', source="onnx", target="torch", prove=False)
    parts = parts_of([(one.layer, one.target, one.plan, one.geometry, one.channels)], None)
    code = module_code(parts, "layer")
    assert old in code
    proof: ModuleProof = prove_module(code.replace(old, new), parts, "layer")
    assert not proof.agrees
    assert failure in proof.text


def test_code_that_does_not_run_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the framework is there and fails at the call and at the way round it, exit 1."""
    needed("torch")
    from conformance.porting import recipes

    def wrong(plan: Plan | str) -> Plan:
        assert isinstance(plan, Plan)
        return replace(plan, native=plan.native | {"stride": [-1]})

    real = recipes.single
    monkeypatch.setattr(recipes, "single", lambda *asked: wrong(real(*asked)))
    monkeypatch.setattr(recipes, "cautious", lambda *asked: wrong(real(*asked)))
    with pytest.raises(SystemExit) as ended:
        command.run('{"W": [4, 3, 3]}', "onnx", "torch", [], True)
    assert ended.value.code == 1
    assert "the code does not run" in capsys.readouterr().out


def test_groups_and_dilation_come_to_tensorflow_by_recipes() -> None:
    """Its CPU has groups with oneDNN alone, and dilation not with explicit padding."""
    grouped = port(TORCH[1], source="torch", target="tensorflow", prove=False)
    assert any("block-diagonal" in step for step in grouped.recipe)
    assert grouped.reason is not None
    assert "oneDNN" in grouped.reason


def test_tensorflow_code_runs_in_graphs_of_unknown_sizes() -> None:
    """The output's size is worked out in the graph."""
    tf = pytest.importorskip("tensorflow")
    answer = port(
        "ConvTranspose1d(8, 4, 16, 8, 4)", source="torch", target="tensorflow", prove=False
    )
    function = run(answer.code)["conv_transpose"]
    weight, bias = np.ones((8, 4, 16), "float32"), np.zeros(4, "float32")
    traced = tf.function(
        lambda x: function(x, weight, bias), input_signature=[tf.TensorSpec([None, None, 8])]
    )
    assert traced(np.ones((2, 5, 8), "float32")).shape == (2, 40, 4)


def test_the_command_writes_a_program_that_runs(tmp_path: Path) -> None:
    """`--as layer -o FILE`; it loads the file that it was told of, by the name in it."""
    needed("torch")
    held: dict[str, Any] = {"dec.up.weight": np.ones((4, 3, 3)), "dec.up.bias": np.ones(3)}
    np.savez(tmp_path / "w.npz", **held)
    script = tmp_path / "up.py"
    words = ["port", "--from", "onnx", "--to", "torch", '{"W": [4, 3, 3]}', "--as", "layer"]
    words += ["--weights", str(tmp_path / "w.npz"), "--tensor", "dec.up", "-o", str(script)]
    told = subprocess.run(
        [sys.executable, "-m", "conformance", *words], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr
    assert f"written: {script}" in told.stdout
    assert "agree bit for bit" in told.stdout
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "torch.Size([1, 3, 10])", done.stderr


def test_what_cannot_be_asked_of_a_form_is_told_in_a_sentence(tmp_path: Path) -> None:
    """A form that there is none of, weights of a call, and several calls in one file."""
    call = '{"W": [4, 3, 3]}'
    with pytest.raises(ConformanceError, match="should be one of call, layer, model-snippet"):
        command.run(call, "onnx", "torch", [], False, command.Written(form="class"))
    with pytest.raises(ConformanceError, match="should stand with --as layer"):
        command.run(call, "onnx", "torch", [], False, command.Written(weights="m.pt"))
    answer = port(call, source="onnx", target="torch", prove=False)
    with pytest.raises(PortError, match="should be one of layer, model-snippet"):
        layer_file([answer], "call")
    if importlib.util.find_spec("onnx"):
        save_decoder(tmp_path / "m.onnx")
        written = command.Written(output=tmp_path / "m.py")
        with pytest.raises(ConformanceError, match="should be one file of layers"):
            command.run(str(tmp_path / "m.onnx"), "onnx", "torch", [], False, written)


def test_a_layer_of_channels_that_nobody_said_is_refused() -> None:
    """Two channels would be chosen for a program that shows a call; no file has weights of them."""
    call = "Conv2DTranspose(3, 4)"
    with pytest.raises(PortError, match="a layer has numbers of channels"):
        layer_file([port(call, source="keras", target="torch", prove=False)], prove=False)
    given = port(call, source="keras", target="torch", input=[1, 7, 8, 8], prove=False)
    assert "ConvTranspose2d(7, 3, 4" in layer_file([given], prove=False).code
    with pytest.raises(PortError, match="one source and one target"):
        layer_file([given, ports("jax")[0]], prove=False)


def test_names_of_layers_are_names_of_python_and_differ() -> None:
    """Paths of modules, numbers, words of Python and of the program itself."""
    one = port('{"W": [4, 3, 3]}', source="onnx", target="torch", prove=False)
    names = ("dec.ups.0", "dec.ups.0", "ups0", "up/ConvTranspose", "class", "load", "0", "Über-x")
    parts = parts_of(
        [
            (replace(one.layer, name=name), "torch", one.plan, one.geometry, one.channels)
            for name in names
        ],
        None,
    )
    assert len({part.class_name for part in parts}) == len(names)
    assert all(part.name.isidentifier() for part in parts)
    compile(module_code(parts, "model-snippet"), "ported.py", "exec")


@pytest.mark.parametrize(
    ("node", "name"),
    [
        ("StatefulPartitionedCall/net_1/up_1/conv_transpose", "up_1"),
        ("net/relu/Relu;net/norm/mul;net/up/conv_transpose1;net/norm/Rsqrt2", "up"),
        ("conv_transpose", "conv_transpose"),
        ("net/other;net/up", "other"),
    ],
)
def test_a_node_of_tensorflow_is_named_by_its_layer(node: str, name: str) -> None:
    """LiteRT joins what it has fused, and a graph ends in the operator."""
    one = port('{"W": [4, 3, 3]}', source="onnx", target="torch", prove=False)
    layer = replace(one.layer, name=node)
    (part,) = parts_of([(layer, "torch", one.plan, one.geometry, one.channels)], None)
    assert part.name == name
