"""Networks as porters have them, small: made in torch, exported by torch's own exporters."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

SAMPLES = {
    "unet": (1, 3, 13, 16),
    "dcgan": (2, 6, 3, 4),
    "pix2pix": (1, 3, 16, 16),
    "hifigan": (1, 6, 9),
    "mixed": (1, 6, 4, 5),
}


class UNet(nn.Module):  # type: ignore[misc]
    """Sizes of any parity: output_size says which."""

    def __init__(self) -> None:
        super().__init__()
        self.down1, self.down2 = nn.Conv2d(3, 6, 3, 2, 1), nn.Conv2d(6, 6, 3, 2, 1)
        self.up2, self.norm = nn.ConvTranspose2d(6, 6, 3, 2, 1), nn.BatchNorm2d(6)
        self.up1 = nn.ConvTranspose2d(12, 3, 3, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        a = self.down1(x).relu()
        b = self.down2(a).relu()
        c = self.norm(self.up2(b, output_size=a.shape[-2:])).relu()
        return self.up1(torch.cat([a, c], 1), output_size=x.shape[-2:]).tanh()


class Pix2Pix(nn.Module):  # type: ignore[misc]
    """Two levels of skips, kernels of 4, instance norms as pix2pix's generators have them."""

    def __init__(self) -> None:
        super().__init__()
        self.down1, self.down2 = nn.Conv2d(3, 4, 4, 2, 1), nn.Conv2d(4, 8, 4, 2, 1)
        self.up2, self.norm = nn.ConvTranspose2d(8, 4, 4, 2, 1, bias=False), nn.InstanceNorm2d(4)
        self.up1 = nn.ConvTranspose2d(8, 3, 4, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        a = self.down1(x)
        b = self.norm(self.up2(self.down2(nn.functional.leaky_relu(a, 0.2)).relu()))
        return self.up1(torch.cat([a, b], 1).relu()).tanh()


def dcgan() -> nn.Module:
    return nn.Sequential(
        nn.ConvTranspose2d(6, 6, 4, 1, 0, bias=False),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.ConvTranspose2d(6, 4, 4, 2, 1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.ConvTranspose2d(4, 3, 4, 2, 1, bias=False),
        nn.Tanh(),
    )


def hifigan() -> nn.Module:
    """Upsampling with weight norm, a residual block behind each."""
    return nn.Sequential(
        weight_norm(nn.Conv1d(6, 8, 7, padding=3)),
        nn.LeakyReLU(0.1),
        weight_norm(nn.ConvTranspose1d(8, 4, 8, 4, 2)),
        weight_norm(nn.Conv1d(4, 4, 3, padding=1)),
        nn.LeakyReLU(0.1),
        weight_norm(nn.ConvTranspose1d(4, 4, 5, 3, 1)),
        nn.Conv1d(4, 1, 7, padding=3),
        nn.Tanh(),
    )


def mixed() -> nn.Module:
    """A layer for every argument: the one that faults are planted in."""
    return nn.Sequential(
        nn.ConvTranspose2d(6, 6, 3, 2, 1, output_padding=1),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.ConvTranspose2d(6, 6, 3, (2, 1), 1),
        nn.LeakyReLU(0.2),
        nn.ConvTranspose2d(6, 4, 3, 1, 2, dilation=2),
        nn.LeakyReLU(0.2),
        nn.ConvTranspose2d(4, 4, 4, 2, 1, groups=2),
        nn.LeakyReLU(0.2),
        nn.ConvTranspose2d(4, 6, (3, 4), (1, 2), (1, 1)),
    )


NETWORKS = {
    "unet": UNet,
    "dcgan": dcgan,
    "pix2pix": Pix2Pix,
    "hifigan": hifigan,
    "mixed": mixed,
}


def network(name: str) -> nn.Module:
    """A network in evaluation mode; its normalisations have seen something."""
    torch.manual_seed(4)
    net = NETWORKS[name]()
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):
            with torch.no_grad():
                part.running_mean.uniform_(-1, 1)
                part.running_var.uniform_(0.5, 2)
                part.weight.uniform_(0.5, 2)
                part.bias.uniform_(-1, 1)
    return net.eval()


def export(name: str, folder: Path) -> tuple[Path, Path]:
    """(.pt2, .onnx) of a network, by torch.export and torch.onnx."""
    net, x = network(name), torch.randn(SAMPLES[name])
    program, onnx = folder / f"{name}.pt2", folder / f"{name}.onnx"
    torch.export.save(torch.export.export(net, (x,)), str(program))
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        torch.onnx.export(net, (x,), str(onnx), dynamo=True, external_data=False)
    return program, onnx
