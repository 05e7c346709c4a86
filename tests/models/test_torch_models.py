"""Models of torch, made here: modules, exported programs and TorchScript."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from conformance.errors import ModelError
from conformance.models import Model

UNET = """
import torch
from torch import nn

class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(8, 4, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, x):
        y = self.down(x).relu()
        return self.norm(self.up(y, output_size=x.shape[-2:])).relu()

def vocoder():
    torch.manual_seed(3)
    return nn.Sequential(
        nn.utils.parametrizations.weight_norm(nn.ConvTranspose1d(4, 3, 4, 2, 1)),
        nn.LeakyReLU(),
        nn.utils.weight_norm(nn.ConvTranspose1d(3, 2, 8, 4, 2)),
    )
"""

OTHERS = """
import torch
from torch import nn

class Functional(nn.Module):
    def __init__(self):
        super().__init__()
        self.kernel, self.other = (nn.Parameter(torch.randn(4, 3, 2, 2)) for _ in range(2))

    def forward(self, x, scale):
        y = nn.functional.conv_transpose2d(x * scale, self.kernel, stride=2, groups=2)
        y = y + nn.functional.conv_transpose2d(x, self.kernel, stride=2, groups=2)
        return y + nn.functional.conv_transpose2d(x, self.other, stride=2, groups=2)

def spectral():
    return nn.utils.parametrizations.spectral_norm(nn.ConvTranspose2d(2, 3, 4, 2, 1))

def half():
    return nn.ConvTranspose1d(2, 3, 4, dtype=torch.bfloat16)
"""

Read = Callable[..., Model]


def test_a_module_without_a_sample_is_listed(module: Any, read: Read) -> None:
    """Its arguments and weights are there, the shapes of its input are not."""
    module(UNET)
    (layer,) = read("made:UNet").layers
    assert (layer.name, layer.operator) == ("up", "torch.nn.ConvTranspose2d")
    assert layer.native["stride"] == [2, 2]
    assert layer.kernel.shape == (8, 4, 3, 3)
    assert (layer.kernel_tensor.name, layer.kernel_tensor.axes) == ("up.weight", "IOHW")
    assert layer.inputs == ()


def test_a_module_on_a_sample_tells_output_size_and_what_follows(
    module: Any, read: Read, holds: Any
) -> None:
    """output_size is kept as it was passed; batch norm and activation stand behind the layer."""
    module(UNET)
    model = read("made:UNet", [(1, 3, 10, 12)], activations=True)
    (layer,) = model.layers
    assert layer.native["output_size"] == [10, 12]
    assert layer.inputs == ((1, 8, 5, 6),)
    assert layer.followed_by == ("batch_norm", "relu")
    assert [a.name for a in model.activations] == [
        "down.convolution", "relu", "up", "norm.batch_norm", "relu_1",
    ]  # fmt: skip
    assert holds(model) == 1


def test_weight_norm_gives_the_effective_weights(module: Any, read: Read, holds: Any) -> None:
    """Both of torch's weight norms; the weights that are read give the output that was recorded."""
    module(UNET)
    model = read("made:vocoder", [(1, 4, 10)], activations=True)
    assert [layer.normalised_by for layer in model.layers] == [("WeightNorm",), ("WeightNorm",)]
    assert [layer.kernel_tensor.name for layer in model.layers] == [None, None]
    assert [layer.inputs for layer in model.layers] == [((1, 4, 10),), ((1, 3, 20),)]
    assert holds(model) == 2
    assert model.outputs["0"].shape == (1, 2, 80)


def test_an_exported_program_brings_its_own_sample(tmp_path: Path, read: Read, holds: Any) -> None:
    """A .pt2 file needs no input; names of modules are kept."""
    net = torch.nn.Sequential(torch.nn.ConvTranspose2d(2, 3, 4, 2, 1), torch.nn.ReLU()).eval()
    path = tmp_path / "net.pt2"
    torch.export.save(torch.export.export(net, (torch.ones(1, 2, 5, 6),)), str(path))
    model = read(path, activations=True)
    (layer,) = model.layers
    assert (layer.name, layer.inputs) == ("0", ((1, 2, 5, 6),))
    np.testing.assert_array_equal(layer.kernel.load(), net[0].weight.detach().numpy())
    assert holds(model) == 1


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_torchscript_is_named_by_its_parameters(tmp_path: Path, read: Read, holds: Any) -> None:
    """Traced code has no modules that could be watched."""
    net = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.ConvTranspose2d(2, 3, 4, 2, 1)).eval()
    path = tmp_path / "net.pt"
    torch.jit.trace(net, torch.ones(1, 2, 5, 6)).save(str(path))
    model = read(path, [(1, 2, 7, 7)], activations=True)
    (layer,) = model.layers
    assert (layer.name, layer.kernel_tensor.name) == ("1", "1.weight")
    assert layer.inputs == ((1, 2, 7, 7),)
    assert holds(model) == 1


def test_spectral_norm_gives_the_effective_weights(module: Any, read: Read, holds: Any) -> None:
    """With a sample and without one: their largest singular value is about 1."""
    module(OTHERS)
    ran, listed = read("made:spectral", [(1, 2, 4, 5)], activations=True), read("made:spectral")
    for layer in (*ran.layers, *listed.layers):
        assert layer.normalised_by == ("SpectralNorm",)
        matrix = layer.kernel.load().transpose(1, 0, 2, 3).reshape(3, -1)
        assert np.linalg.norm(matrix, 2) < 1.5
    assert holds(ran) == 1


def test_a_functional_call_is_a_layer(module: Any, read: Read, holds: Any) -> None:
    """Two calls with one kernel are one layer that is called twice; another kernel is another."""
    module(OTHERS)
    model = read("made:Functional", [(1, 4, 3, 5), (1,)], activations=True)
    layer, other = model.layers
    assert layer.operator == "torch.nn.functional.conv_transpose2d"
    assert (layer.name, other.name) == ("kernel", "other")
    assert layer.kernel_tensor.name == "kernel"
    assert (layer.native["groups"], layer.bias) == (2, None)
    assert layer.inputs == ((1, 4, 3, 5), (1, 4, 3, 5))
    assert [entry.name for entry in model.inputs] == ["x", "scale"]
    assert holds(model) == 3


def test_bfloat16_weights_are_kept(module: Any, read: Read) -> None:
    """Bit for bit, in a dtype that NumPy itself has not."""
    module(OTHERS)
    (layer,) = read("made:half").layers
    assert (layer.kernel.dtype, layer.kernel.load().dtype.name) == ("bfloat16", "bfloat16")
    torch.manual_seed(0)
    weights = torch.nn.ConvTranspose1d(2, 3, 4, dtype=torch.bfloat16).weight
    np.testing.assert_array_equal(
        layer.kernel.load().astype(np.float32), weights.detach().float().numpy()
    )


@pytest.mark.parametrize("name", ["weights.pt", "weights.safetensors"])
def test_weights_from_a_file_are_those_of_the_model(
    module: Any, read: Read, name: str, tmp_path: Path
) -> None:
    """A state dict, or safetensors; names have to fit."""
    path = tmp_path / name
    state = {"0.weight": torch.full((4, 3, 4), 2.0), "0.bias": torch.zeros(3)}
    write = "from torch import nn\ndef net():\n    return nn.Sequential(net2())\n"
    module(write + "def net2():\n    return nn.ConvTranspose1d(4, 3, 4)\n")
    if name.endswith(".pt"):
        torch.save({"state_dict": state}, str(path))
    else:
        save_file(state, str(path))
    (layer,) = read("made:net", weights=str(path)).layers
    assert (layer.kernel.load() == 2).all()
    with pytest.raises(ModelError, match=r"has no weights: .* cannot be loaded: Error\(s\) in"):
        read("made:net2", weights=str(path))


COMPILED = """
import sys
import torch
from torch import nn

class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose2d(2, 3, 3)

    def forward(self, x):
        return self.up(x).relu() + ("torch._dynamo" in sys.modules)

def whole():
    return torch.compile(Plain())

def part():
    model = Plain()
    model.up.compile()
    return model
"""


def test_torch_compile_is_not_imported_for_a_model_that_does_not_use_it(
    module: Any, read: Read
) -> None:
    """Importing it takes longer than all else."""
    module(COMPILED)
    (y,) = read("made:Plain", [(1, 2, 4, 4)], activations=True).outputs.values()
    assert y.load().min() == 0


@pytest.mark.parametrize("name", ["whole", "part"])
def test_a_compiled_model_runs_as_it_is_written(module: Any, read: Read, name: str) -> None:
    """No operator of it is fused with another."""
    module(COMPILED)
    model = read(f"made:{name}", [(1, 2, 4, 4)], activations=True)
    operators = [activation.operator for activation in model.activations]
    assert operators[:2] == ["torch.nn.ConvTranspose2d", "aten::relu"]
