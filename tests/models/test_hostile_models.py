"""Files that a stranger made: one sentence, nothing executed, nothing allocated."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from conformance.errors import ModelError
from conformance.models import read_samples


class Runs:
    """Unpickled, it makes a folder."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.mark),)


def sentence(read: Any, path: Path, *arguments: Any, **options: Any) -> str:
    with pytest.raises(ModelError) as caught:
        read(path, *arguments, **options)
    text = str(caught.value)
    assert text.startswith(str(path))
    assert "\n" not in text
    return text.removeprefix(f"{path} ")


def transposed(weights: Any) -> Any:
    """A model of one ConvTranspose node on an input of 1,2,4,4, with this initializer."""
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], name="up", strides=[2, 2])
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2, 4, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [weights],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def external(location: str, shape: Any = (2, 3, 2, 2), **more: str) -> Any:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=shape)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **more}.items():
        tensor.external_data.add(key=key, value=value)
    return tensor


def test_external_data_is_read_from_the_folder(tmp_path: Path, read: Any) -> None:
    """What is refused below is refused for its place alone."""
    weights = np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2)
    weights.tofile(tmp_path / "w.bin")
    onnx.save(transposed(external("w.bin")), str(tmp_path / "net.onnx"))
    (layer,) = read(tmp_path / "net.onnx").layers
    np.testing.assert_array_equal(layer.kernel.load(), weights)


@pytest.mark.parametrize("location", ["../w.bin", "link.bin", "/etc/hostname", "deep/../../w.bin"])
def test_external_data_outside_the_folder_is_refused(
    tmp_path: Path, read: Any, location: str
) -> None:
    """No way up, no absolute path, no link."""
    folder = tmp_path / "model"
    (folder / "deep").mkdir(parents=True)
    (tmp_path / "w.bin").write_bytes(bytes(96))
    (folder / "link.bin").symlink_to(tmp_path / "w.bin")
    onnx.save(transposed(external(location)), str(folder / "net.onnx"))
    text = sentence(read, folder / "net.onnx")
    assert text == f"keeps w in {location!r}, should keep it in a file of its own folder"


def test_external_data_that_is_too_short_is_refused(tmp_path: Path, read: Any) -> None:
    """Billions of elements are announced, and 96 bytes are there."""
    (tmp_path / "w.bin").write_bytes(bytes(96))
    onnx.save(transposed(external("w.bin", (2, 3, 2**20, 2**20))), str(tmp_path / "net.onnx"))
    assert "announces 26388279066624 bytes of w" in sentence(read, tmp_path / "net.onnx")


def test_an_initializer_that_is_too_short_is_refused(tmp_path: Path, read: Any) -> None:
    """Its raw data holds less than its shape announces."""
    tensor = numpy_helper.from_array(np.ones((2, 3, 2, 2), np.float32), "w")
    tensor.dims[:] = [2, 3, 2**20, 2**20]
    onnx.save(transposed(tensor), str(tmp_path / "net.onnx"))
    assert "has a tensor w that cannot be read" in sentence(read, tmp_path / "net.onnx")


@pytest.mark.parametrize("name", ["net.onnx", "net.pt", "net.pt2", "net.keras", "net.h5"])
@pytest.mark.parametrize("content", [b"", b"\x08\x07\x12", bytes(range(256)) * 8])
def test_what_is_no_model_is_one_sentence(
    tmp_path: Path, read: Any, name: str, content: bytes
) -> None:
    """Empty, cut, or anything else."""
    (tmp_path / name).write_bytes(content)
    text = sentence(read, tmp_path / name, [(1, 2, 4, 4)])
    assert text.startswith(("is no", "cannot be read", "has weights"))


def test_a_truncated_program_is_one_sentence(tmp_path: Path, read: Any) -> None:
    """A .pt2 file of which the end is missing."""
    path = tmp_path / "net.pt2"
    net = torch.nn.ConvTranspose2d(2, 3, 4).eval()
    torch.export.save(torch.export.export(net, (torch.ones(1, 2, 5, 6),)), str(path))
    path.write_bytes(path.read_bytes()[:-200])
    assert sentence(read, path).startswith("cannot be read")


def test_a_pickled_module_is_not_read(tmp_path: Path, read: Any) -> None:
    """torch.save of a whole module is a pickle; so is a plain one of any name."""
    mark = tmp_path / "ran"
    torch.save(Runs(mark), str(tmp_path / "whole.pt"))
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Runs(mark)))
    assert "has weights and no program" in sentence(read, tmp_path / "whole.pt", [(1, 2, 4, 4)])
    assert "is not TorchScript" in sentence(read, tmp_path / "plain.pth", [(1, 2, 4, 4)])
    assert not mark.exists()


def test_a_pickle_inside_a_program_is_not_run(tmp_path: Path, read: Any) -> None:
    """Weights of a .pt2 file may be pickles: the configuration says so, and torch believes it."""
    mark, path = tmp_path / "ran", tmp_path / "net.pt2"
    net = torch.nn.ConvTranspose2d(2, 3, 4).eval()
    torch.export.save(torch.export.export(net, (torch.ones(1, 2, 5, 6),)), str(path))
    buffer = io.BytesIO()
    torch.save(Runs(mark), buffer)
    _replace(path, "weight_0", buffer.getvalue())
    text = sentence(read, path)
    assert "posix.mkdir" in text or "Weights only load failed" in text
    assert not mark.exists()
    with pytest.raises(ModelError):
        read(path, unsafe=True)
    assert mark.exists(), "the pickle would have run: it was kept from that"


def _replace(path: Path, name: str, content: bytes) -> None:
    """Put other bytes in the place of one weight of an archive, and have it read as a pickle."""
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for member, data in members.items():
            if member.endswith(f"/{name}"):
                data = content
            if member.endswith("weights_config.json"):
                data = data.replace(b'"use_pickle": false', b'"use_pickle": true')
                data = data.replace(b'"use_pickle":false', b'"use_pickle":true')
                assert b"true" in data
            archive.writestr(member, data)


def test_pickled_weights_are_not_run(module: Callable[[str], Path], read: Any) -> None:
    """A state dict is read with weights_only."""
    path = module("from torch import nn\ndef net():\n    return nn.ConvTranspose2d(2, 3, 4)\n")
    mark = path.with_name("ran")
    torch.save({"weight": Runs(mark)}, str(path.with_name("weights.pt")))
    with pytest.raises(ModelError, match=r"has no weights: .*weights\.pt cannot be loaded"):
        read("made:net", weights=str(path.with_name("weights.pt")))
    assert not mark.exists()


def test_a_sample_is_no_pickle(tmp_path: Path) -> None:
    """NumPy's own files may hold objects."""
    mark = tmp_path / "ran"
    np.save(tmp_path / "x.npy", np.array([Runs(mark)], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"--input .*x.npy: cannot be read"):
        read_samples([str(tmp_path / "x.npy")])
    assert not mark.exists()


def test_memory_has_a_limit(module: Callable[[str], Path], read: Any) -> None:
    """A layer that would need more than the machine has is a sentence, and no machine dies."""
    module("from torch import nn\ndef net():\n    return nn.ConvTranspose2d(2**22, 2**22, 4)\n")
    with pytest.raises(ModelError, match=r"made:net cannot be read: RuntimeError: .*memory"):
        read("made:net")


def test_a_process_that_dies_is_one_sentence(module: Callable[[str], Path], read: Any) -> None:
    """With what it said last, whatever it printed before."""
    module(
        "import os, sys\n"
        "def net():\n"
        '    print(\'{"progress": "printed"}\')\n'
        "    print('out of luck', file=sys.stderr, flush=True)\n"
        "    os.abort()\n"
    )
    said: list[str] = []
    with pytest.raises(ModelError) as caught:
        read("made:net", say=said.append)
    assert str(caught.value) == (
        "made:net cannot be read: its framework's process died by SIGABRT: out of luck"
    )
    assert said == ["calls made:net"]


def test_what_a_model_needs_and_is_not_installed_is_told(
    tmp_path: Path, read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the extra that brings it."""
    (tmp_path / "net.onnx").write_bytes(b"")
    monkeypatch.setattr("conformance.models.reading.find_spec", lambda name: None)
    text = sentence(read, tmp_path / "net.onnx")
    assert text.startswith("needs onnx, which is not installed: pip install ")
    assert text.endswith("'conv-transpose-conformance[onnx]'")


def test_nothing_of_a_model_stays_behind(
    module: Callable[[str], Path], read: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither after it was closed nor after it could not be read."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    module("from torch import nn\ndef net():\n    return nn.ConvTranspose2d(2, 3, 4)\n")
    with read("made:net") as model:
        assert model.layers[0].kernel.file.is_file()
    with pytest.raises(ModelError):
        read("made:none")
    assert list((tmp_path / "temporary").iterdir()) == []
