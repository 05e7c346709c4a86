"""`conformance compare` on a command line: exit codes, JSON, the page, and what is refused."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from conformance.cli.main import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command in this process: (exit code, stdout, stderr)."""

    def run(*words: Any) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["conformance", "compare", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return run


def model(path: Path, *, names: tuple[str, ...] = ("up1", "up2"), **changes: Any) -> Path:
    """Two layers with a ReLU between them; `changes` may replace the kernel `w2` or what stands
    between.
    """
    random = np.random.RandomState(0)
    w1, w2 = random.standard_normal((2, 3, 3, 4, 4)).astype(np.float32)
    arrays = {"w1": w1, "w2": changes.get("w2", w2)}
    nodes = [
        helper.make_node("ConvTranspose", ["x", "w1"], ["a"], names[0], strides=[2, 2]),
        helper.make_node(changes.get("between", "Relu"), ["a"], ["b"], "act"),
        *(
            helper.make_node("ConvTranspose", [at, "w2"], [to], name)
            for name, at, to in zip(names[1:], ["b", "y"], ["y", "z"], strict=False)
        ),
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 3, 4, 5])],
        [helper.make_tensor_value_info(nodes[-1].output[0], onnx.TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


def test_equivalent_models_exit_0(tmp_path: Path, run: Run) -> None:
    """The names of layers do not matter."""
    one = model(tmp_path / "a.onnx")
    other = model(tmp_path / "b.onnx", names=("first", "second"))
    code, out, _ = run(one, other)
    assert code == 0
    assert "up1 = first: every number is the same" in out
    assert out.splitlines()[-1] == "equivalent: 2 pairs of layers: 2 same"


def test_a_wrong_layer_exits_1_and_is_on_the_page(tmp_path: Path, run: Run) -> None:
    """Terminal, JSON and page say the same; names of layers are escaped."""
    one = model(tmp_path / "a.onnx")
    w = numpy_helper.to_array(onnx.load(one).graph.initializer[1])
    other = model(tmp_path / "b.onnx", names=("up1", "<b>up2"), w2=w[:, :, ::-1, ::-1].copy())
    code, out, told = run(one, other, "-o", tmp_path / "page")
    assert code == 1
    assert "the kernel is not flipped" in out
    page = (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    assert f"page: {tmp_path}/page/index.html" in told
    assert "the kernel is not flipped" in page
    assert "&lt;b&gt;up2" in page
    assert "<b>up2" not in page
    assert "<script" not in page
    code, out, _ = run(one, other, "--json")
    content = json.loads(out)
    assert code == 1
    assert not content["equivalent"]
    assert [pair["status"] for pair in content["pairs"]] == ["same", "wrong"]
    assert content["pairs"][1]["wrong"][0]["name"] == "kernel-not-flipped"
    assert content["pairs"][1]["target"]["layer"] == "<b>up2"


def test_another_operator_is_located(tmp_path: Path, run: Run) -> None:
    """No layer is wrong by itself; the first tensor that departs is behind the first layer."""
    one, other = model(tmp_path / "a.onnx"), model(tmp_path / "b.onnx", between="Abs")
    code, out, _ = run(one, other)
    assert code == 1
    assert "up2 = up2: right by itself, and what comes in differs" in out
    assert "the first tensor that departs: act (Relu) differs by" in out
    assert "up1 = up1 still agrees" in out
    assert out.splitlines()[-1] == "not equivalent: 2 pairs of layers: 1 same, 1 inherited"


def test_a_layer_without_its_other_is_told(tmp_path: Path, run: Run) -> None:
    """The target has one layer more."""
    one = model(tmp_path / "a.onnx")
    other = model(tmp_path / "b.onnx", names=("up1", "up2", "up3"))
    code, out, _ = run(one, other)
    assert code == 1
    assert "up3 of the target has no layer like it in the source" in out


def test_map_pairs_layers(tmp_path: Path, run: Run) -> None:
    """What a user pairs is compared, however unlike; a name that is not there is refused."""
    one, other = model(tmp_path / "a.onnx"), model(tmp_path / "b.onnx")
    code, out, _ = run(one, other, "--map", "up1=up2", "--map", "up2=up1")
    assert code == 1
    assert "up1 = up2: wrong here" in out
    assert "    the kernel is that of up2" in out
    code, _, told = run(one, other, "--map", "up9=up1")
    assert code == 2
    assert told.splitlines()[-1] == (
        "conformance: --map: A has no transposed convolution up9, did you mean "
        "up2 or up1? (should be one of up1, up2)"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--map", "up1"], "--map up1: should be A=B, the name of a layer of either model"),
        (["--input", "x"], "--input x: should be whole numbers"),
        (["--input", "1,3,4"], "a.onnx has an input x of 1,3,4,5, and 1,3,4 is given"),
    ],
)
def test_what_cannot_be_asked_is_a_sentence(
    tmp_path: Path, run: Run, words: list[str], message: str
) -> None:
    """And exit code 2."""
    one = model(tmp_path / "a.onnx")
    code, _, told = run(one, one, *words)
    assert code == 2
    assert message in told.splitlines()[-1]


def test_a_page_that_cannot_be_written_is_a_sentence(tmp_path: Path, run: Run) -> None:
    """A file stands where the folder should be."""
    one = model(tmp_path / "a.onnx")
    code, _, told = run(one, one, "-o", one)
    assert code == 2
    assert "index.html cannot be written" in told.splitlines()[-1]


def two_inputs(path: Path, image: str, mask: str, *, swapped: bool = False) -> Path:
    """up(image) - up(mask), with inputs of these names; `swapped`: the mask is the first."""
    w = np.random.RandomState(0).standard_normal((3, 3, 2, 2)).astype(np.float32)
    nodes = [
        helper.make_node("ConvTranspose", [image, "w"], ["a"], "up", strides=[2, 2]),
        helper.make_node("ConvTranspose", [mask, "w"], ["b"], "up_mask", strides=[2, 2]),
        helper.make_node("Sub", ["a", "b"], ["y"], "sub"),
    ]
    names = (mask, image) if swapped else (image, mask)
    graph = helper.make_graph(
        nodes,
        "net",
        [
            helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 3, 4, 5])
            for name in names
        ],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)],
        [numpy_helper.from_array(w, "w")],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


@pytest.mark.parametrize(
    "other", [("image", "mask", True), ("x", "m", False)], ids=["by-name", "in-order"]
)
def test_several_inputs_belong_together_by_name_or_in_order(
    tmp_path: Path, run: Run, other: tuple[str, str, bool]
) -> None:
    """By position a mask would be an image where names say otherwise; without the names there is
    the order alone.
    """
    one = two_inputs(tmp_path / "a.onnx", "image", "mask")
    second = two_inputs(tmp_path / "b.onnx", other[0], other[1], swapped=other[2])
    np.savez(tmp_path / "mask.npz", mask=np.ones((1, 3, 4, 5), np.float32))
    code, out, _ = run(one, second, "--input", tmp_path / "mask.npz")
    assert code == 0, out
    assert "output y: every number is the same" in out
