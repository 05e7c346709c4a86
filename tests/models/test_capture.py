"""`conformance capture`: a model becomes a case file that engines of every framework run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from conformance import load_cases
from conformance.corpus.tensors import tensors_of

GENERATORS = """
import torch
from torch import nn

def dcgan(nz=8, ngf=4):
    torch.manual_seed(1)
    return nn.Sequential(
        nn.ConvTranspose2d(nz, ngf * 8, 4, 1, 0, bias=False), nn.BatchNorm2d(ngf * 8), nn.ReLU(),
        nn.ConvTranspose2d(ngf * 8, ngf * 4, 4, 2, 1, bias=False), nn.ReLU(),
        nn.ConvTranspose2d(ngf * 4, 3, 4, 2, 1, bias=False), nn.Tanh(),
    )

class Vocoder(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(2)
        norm = nn.utils.parametrizations.weight_norm
        self.ups = nn.ModuleList(
            [norm(nn.ConvTranspose1d(8, 4, 16, 8, 4)), norm(nn.ConvTranspose1d(4, 2, 4, 2, 1))]
        )

    def forward(self, mel):
        for up in self.ups:
            mel = up(nn.functional.leaky_relu(mel, 0.1))
        return mel.tanh()
"""

Conformance = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def conformance(tmp_path: Path) -> Conformance:
    """Runs the command in an empty folder that modules are imported from."""

    def run(*words: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "conformance", *map(str, words)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    return run


def test_a_generator_becomes_a_gate(module: Any, conformance: Conformance, tmp_path: Path) -> None:
    """Each layer with its real shapes and its weights; one command then asks two engines."""
    module(GENERATORS)
    done = conformance("capture", "made:dcgan", "-o", "gan.yaml", "--input", "1,8,1,1")
    assert (done.returncode, done.stdout.splitlines()[-2:]) == (
        0,
        ["3 cases in gan.yaml, arrays in gan.safetensors", "conformance run gan.yaml"],
    ), done.stderr
    assert "made:dcgan: 0: torch.nn.ConvTranspose2d" in done.stderr.splitlines()
    cases = load_cases(tmp_path / "gan.yaml")
    assert [case.input.shape for case in cases] == [(1, 8, 1, 1), (1, 32, 4, 4), (1, 16, 8, 8)]
    assert [case.expected.complete for case in cases] == [True] * 3
    arrays = load_file(tmp_path / "gan.safetensors")
    assert sorted(arrays) == ["0.weight", "3.weight", "5.weight"]
    np.testing.assert_array_equal(tensors_of(cases[1]).kernel, arrays["3.weight"])
    run = conformance(
        *("run", "gan.yaml", "-a", "torch", "-a", "onnxruntime", "--timing", "off", "-o", "report")
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Conforms: 6 checks on 3 cases" in run.stdout


def test_weight_norm_is_captured_as_effective_weights(
    module: Any, conformance: Conformance, tmp_path: Path
) -> None:
    """They are no parameter of the model, so that the layer's name is theirs."""
    module(GENERATORS)
    done = conformance("capture", "made:Vocoder", "-o", "voc.yaml", "--input", "1,8,5")
    assert done.returncode == 0, done.stderr
    assert "weights by WeightNorm, before leaky_relu" in done.stdout
    (first, second) = load_cases(tmp_path / "voc.yaml")
    assert (first.name, first.kernel.tensor) == ("voc/ups.0", "ups.0.kernel")
    assert second.input.shape == (1, 4, 40)
    assert "The weights are those of WeightNorm." in first.summary


def test_drawn_integers_are_exact_and_need_no_file(
    module: Any, conformance: Conformance, tmp_path: Path
) -> None:
    """--values integers keeps the shapes and the arguments alone."""
    module(GENERATORS)
    words = ("capture", "made:dcgan", "-o", "gan.yaml", "--input", "1,8,1,1")
    done = conformance(*words, "--values", "integers")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "gan.safetensors").exists()
    cases = load_cases(tmp_path / "gan.yaml")
    assert [case.kernel.values for case in cases] == ["integers"] * 3
    assert cases[0].expected.sha256 is not None


def test_what_somebody_wrote_is_not_overwritten(
    module: Any, conformance: Conformance, tmp_path: Path
) -> None:
    """A capture may be made again; any other file is kept."""
    module(GENERATORS)
    words = ("capture", "made:Vocoder", "-o", "mine.yaml", "--input", "1,8,5")
    assert [conformance(*words).returncode for _ in range(2)] == [0, 0]
    (tmp_path / "mine.yaml").write_text("format: 1\ncases: []\n", encoding="utf-8")
    done = conformance(*words)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        2,
        "conformance: --output mine.yaml: is there and was not captured, should be a new file",
    )


def test_a_folder_is_made_and_files_have_the_mode_of_new_ones(
    module: Any, conformance: Conformance, tmp_path: Path
) -> None:
    """Whoever may read the case file may read its arrays; one that is there keeps its mode."""
    module(GENERATORS)
    words = ("capture", "made:dcgan", "-o", "cases/deep/gan.yaml", "--input", "1,8,1,1")
    done = conformance(*words)
    assert done.returncode == 0, done.stderr
    files = [tmp_path / "cases" / "deep" / f"gan.{ending}" for ending in ("yaml", "safetensors")]
    (new := tmp_path / "new").touch()
    assert [file.stat().st_mode for file in files] == [new.stat().st_mode] * 2
    for file in files:
        file.chmod(0o640)
    assert conformance(*words).returncode == 0
    assert [file.stat().st_mode & 0o777 for file in files] == [0o640] * 2
    assert sorted(files[0].parent.iterdir()) == sorted(files)


def test_an_output_that_cannot_be_is_refused_before_the_model_is_read(
    module: Any, conformance: Conformance, tmp_path: Path
) -> None:
    """Reading a model may take minutes; and weights that lie beside are somebody's own."""
    module(GENERATORS)
    (tmp_path / "gan.safetensors").write_bytes(b"somebody's weights")
    words = ("capture", "made:dcgan", "--input", "1,8,1,1", "-o")
    for output, sentence in {
        "gan.yaml": "--output gan.yaml: gan.safetensors beside it was not captured, should be a "
        "file of another name",
        "made.py/gan.yaml": f"--output made.py/gan.yaml: {tmp_path / 'made.py'} is not a folder, "
        "should be one",
        "gan.txt": "--output gan.txt: should be a case file that ends in .yaml",
    }.items():
        done = conformance(*words, output)
        assert (done.returncode, done.stderr) == (2, f"conformance: {sentence}\n")
    assert (tmp_path / "gan.safetensors").read_bytes() == b"somebody's weights"
    assert conformance(*words, "gan.yaml", "--values", "integers").returncode == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["made:dcgan"], "Give the shape of the model's input (--input)."),
        (["made:nothing"], "module made has no nothing"),
        (["nowhere:dcgan"], "cannot be imported: No module named 'nowhere'"),
        (["net.bin"], "is not a model of a known format"),
        (["net.onnx"], "is not a file"),
        (["made:dcgan", "--input", "1,8,0"], "should be whole numbers of at least 1"),
        (["made:dcgan", "--values", "ones"], "should be integers"),
        (["made:Vocoder", "--input", "1,9,5"], "RuntimeError: Given transposed=1"),
    ],
)
def test_what_cannot_be_captured_is_one_sentence(
    module: Any, conformance: Conformance, words: list[str], sentence: str
) -> None:
    """Exit 2, no traceback, nothing written."""
    path = module(GENERATORS)
    done = conformance("capture", *words, "-o", "out.yaml")
    assert done.returncode == 2
    assert sentence in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not path.with_name("out.yaml").exists()
