"""Chains that begin with `torch.nn.ConvTranspose1d/2d/3d`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from conformance.adapters.chain import Chain
from conformance.adapters.torch import Torch, to_torch


class TorchChain(Chain):
    """A layer in evaluation mode, by `torch.onnx.export`, `litert_torch.convert` or
    `openvino.convert_model`; the size that it is called with is part of the model.
    """

    convention = "torch"
    framework = ("torch",)

    def layer(self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any]) -> Any:
        return Torch().layer(x, kernel, bias, native, "cpu").eval()

    def convert(self, layer: Any, x: Any, native: dict[str, Any], path: Path) -> None:
        size = native.get("output_size")
        model = layer if size is None else _Sized(layer, size).eval()
        _CONVERT[self.converter](model, (to_torch(x, "cpu"),), str(path))


class _Sized(torch.nn.Module):
    """The layer, called with its output_size: converters take tensors as arguments alone."""

    def __init__(self, layer: torch.nn.Module, size: list[int]) -> None:
        super().__init__()
        self.layer, self.size = layer, size

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x, output_size=self.size)


def _by_onnx(model: Any, operands: tuple[Any], path: str) -> None:
    torch.onnx.export(model, operands, verbose=False).save(path)


def _by_litert_torch(model: Any, operands: tuple[Any], path: str) -> None:
    import litert_torch

    litert_torch.convert(model, operands).export(path)


def _by_openvino(model: Any, operands: tuple[Any], path: str) -> None:
    import openvino

    exported = torch.export.export(model, operands)
    openvino.save_model(openvino.convert_model(exported), path, compress_to_fp16=False)


_CONVERT = {"torch.onnx": _by_onnx, "litert_torch": _by_litert_torch, "openvino": _by_openvino}
