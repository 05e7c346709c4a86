"""ONNX files and samples that a stranger made, as `port` and `capture` read them: one sentence."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from conformance import porting
from conformance.errors import ModelError, PortError, UsageError
from conformance.models import read_model, read_samples

WEIGHTS = numpy_helper.from_array(np.ones((4, 4, 3, 3), "float32"), "w")


def saved(path: Path, nodes: Any, shape: Any = (1, 4, 8, 8), weights: Any = WEIGHTS) -> str:
    """A file with these nodes on an input of that shape."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [weights],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path
    )
    return str(path)


def transposed() -> Any:
    return helper.make_node("ConvTranspose", ["x", "w"], ["y"], name="up")


def port_error(path: str) -> str:
    with pytest.raises(PortError) as caught:
        porting.port_model(path, target="torch", prove=False)
    return str(caught.value)


def many(path: Path) -> str:
    return saved(path, [transposed()] * 20_000)


def pipe(path: Path) -> str:
    os.mkfifo(path)
    return str(path)


def device(path: Path) -> str:
    path.symlink_to("/dev/zero")
    return str(path)


def without_value(path: Path) -> str:
    node = transposed()
    node.attribute.add()
    return saved(path, [node])


def cut(path: Path) -> str:
    saved(path, [transposed()])
    path.write_bytes(path.read_bytes()[:-40])
    return str(path)


def huge(path: Path) -> str:
    return saved(path, [transposed()], (2**40, 4, 2**40, 8))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (many, "MODEL has 20000 ConvTranspose nodes, should have 1 to 1000"),
        (pipe, "MODEL cannot be read: it is a pipe or a device, no regular file"),
        (device, "MODEL cannot be read: it is a pipe or a device, no regular file"),
        (without_value, "up: an attribute is a graph or a tensor, should be numbers or a word"),
        (cut, "MODEL is not an ONNX model: "),
        (
            huge,
            "input is [1099511627776, 4, 1099511627776, 8] and the output has 4 channels, should "
            "have no number above 2147483647",
        ),
    ],
)
def test_port_refuses_in_one_sentence(
    tmp_path: Path, make: Callable[[Path], str], told: str
) -> None:
    """What is wrong with the file or its node."""
    path = tmp_path / "m.onnx"
    text = port_error(make(path))
    assert text.startswith(told.replace("MODEL", str(path)))
    assert "\n" not in text


def test_attributes_that_hold_nothing_and_constants_without_outputs_are_passed(
    tmp_path: Path,
) -> None:
    """A Constant that nobody can use does not keep the node from being read."""
    lonely = helper.make_node("Constant", [], [], value=WEIGHTS)
    path = saved(tmp_path / "m.onnx", [lonely, transposed()])
    assert len(porting.port_model(path, target="torch", prove=False)) == 1


def test_capture_refuses_too_many_nodes_and_odd_attributes(tmp_path: Path) -> None:
    """The reader in its own process has the same limits."""
    path = tmp_path / "m.onnx"
    for make, told in (
        (many, "has 20000 ConvTranspose nodes, should have at most 1000"),
        (without_value, "has a node up whose attribute is of a type that ConvTranspose has not"),
    ):
        with pytest.raises(ModelError) as caught:
            read_model(make(path))
        assert str(caught.value) == f"{path} {told}"


def test_a_layer_that_no_case_can_hold_is_left_out(tmp_path: Path) -> None:
    """It is told which of its arrays is too large, instead of a case file that is refused."""
    from conformance.capture import capture

    path = saved(tmp_path / "m.onnx", [transposed()], (2**20, 4, 2**20, 8))
    with (
        read_model(path) as model,
        pytest.raises(ModelError, match=r"An array of it has \d+ elements"),
    ):
        capture(model, tmp_path / "m.yaml")
    assert not (tmp_path / "m.yaml").exists()


def test_samples_are_files_of_bounded_size(tmp_path: Path) -> None:
    """A pipe is not waited for, and an archive is not unpacked beyond what an array may have."""
    os.mkfifo(tmp_path / "x.npy")
    with pytest.raises(UsageError, match="cannot be read: it is not a regular file"):
        read_samples([str(tmp_path / "x.npy")])
    bomb = tmp_path / "x.npz"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            with archive.open(f"a{number}.npy", "w", force_zip64=True) as entry:
                for _ in range(800):
                    entry.write(b"\0" * 2**20)
    assert bomb.stat().st_size < 4 * 2**20
    with pytest.raises(UsageError, match="cannot be read: it has 2516582400 bytes"):
        read_samples([str(bomb)])
    with pytest.raises(UsageError) as caught:
        read_samples(["9" * 5000])
    assert len(str(caught.value)) < 300


def test_weights_and_the_parts_of_a_saved_model_are_files(tmp_path: Path) -> None:
    """Neither is read where it is a pipe."""
    os.mkfifo(tmp_path / "w.pt")
    with pytest.raises(ModelError, match="is not a file, should be one of weights"):
        read_model("package:model", weights=str(tmp_path / "w.pt"))
    folder = tmp_path / "saved"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"")
    os.mkfifo(folder / "variables" / "pipe")
    with pytest.raises(ModelError, match="holds pipe, should hold files and folders alone"):
        read_model(str(folder))


def test_a_name_without_end_is_no_model(tmp_path: Path) -> None:
    """The system refuses to look for it."""
    with pytest.raises(ModelError, match="is too long for a path"):
        read_model("9" * 5000)
