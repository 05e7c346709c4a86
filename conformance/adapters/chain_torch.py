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
        size = {"output_size": native["output_size"]} if "output_size" in native else {}
        _CONVERT[self.converter](layer, (to_torch(x, "cpu"),), size, str(path))


def _by_onnx(layer: Any, operands: tuple[Any], size: dict[str, Any], path: str) -> None:
    torch.onnx.export(layer, operands, kwargs=size, verbose=False).save(path)


def _by_litert_torch(layer: Any, operands: tuple[Any], size: dict[str, Any], path: str) -> None:
    import litert_torch

    litert_torch.convert(layer, operands, sample_kwargs=size).export(path)


def _by_openvino(layer: Any, operands: tuple[Any], size: dict[str, Any], path: str) -> None:
    import openvino

    exported = torch.export.export(layer, operands, kwargs=size)
    openvino.save_model(openvino.convert_model(exported), path, compress_to_fp16=False)


_CONVERT = {"torch.onnx": _by_onnx, "litert_torch": _by_litert_torch, "openvino": _by_openvino}
