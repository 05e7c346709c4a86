"""PyTorch: `torch.nn.ConvTranspose1d/2d/3d`, whose own layouts are the suite's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from conformance.adapters import PreparedCall

_LAYERS = {1: torch.nn.ConvTranspose1d, 2: torch.nn.ConvTranspose2d, 3: torch.nn.ConvTranspose3d}


class Torch(PreparedCall):
    """One layer, given its weights, called once."""

    convention = "torch"

    def versions(self) -> dict[str, str]:
        return {"torch": torch.__version__}

    def devices(self) -> list[str]:
        return ["cpu"] + (["cuda"] if torch.cuda.is_available() else []) + (["mps"] if torch.backends.mps.is_available() else [])

    def prepare(self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str) -> Callable[[], Any]:
        arguments = dict(native)
        size = {"output_size": arguments.pop("output_size")} if "output_size" in arguments else {}
        layer = torch.nn.utils.skip_init(
            _LAYERS[x.ndim - 2],
            kernel.shape[0],
            kernel.shape[1] * native["groups"],
            kernel.shape[2:],
            **arguments,
            bias=bias is not None,
        )
        layer.weight = torch.nn.Parameter(to_torch(kernel, device), requires_grad=False)
        if bias is not None:
            layer.bias = torch.nn.Parameter(to_torch(bias, device), requires_grad=False)
        given = to_torch(x, device)

        def run() -> torch.Tensor:
            with torch.inference_mode():
                y = layer(given, **size)
            if device == "cuda":
                torch.cuda.synchronize()
            return y

        return run

    def fetch(self, y: torch.Tensor) -> Any:
        return from_torch(y)


def to_torch(array: Any, device: str) -> torch.Tensor:
    """A tensor of the array's dtype; bfloat16, which torch does not read from NumPy, goes by its bits."""
    array = np.ascontiguousarray(array)
    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16).to(device)
    return torch.from_numpy(array).to(device)


def from_torch(tensor: torch.Tensor) -> Any:
    tensor = tensor.cpu()
    if tensor.dtype == torch.bfloat16:
        import ml_dtypes

        return tensor.contiguous().view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return tensor.numpy()
