"""The input gradient of PyTorch's convolution, which is the transposed convolution that every
network trains with.

The convolution whose input is our output and whose output is our input; its gradient with respect
to its input, for our input as cotangent. It has no bias: bias is added with PyTorch's own `+`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from conformance.adapters import Unsupported, refuse_misfit, refuse_promotion
from conformance.adapters.torch import Torch, to_torch
from conformance.conventions import torch as convention

_CONVOLUTIONS = {
    1: torch.nn.functional.conv1d,
    2: torch.nn.functional.conv2d,
    3: torch.nn.functional.conv3d,
}


class TorchConvDx(Torch):
    """One backward pass of one convolution."""

    gradients = None  # type: ignore[assignment]  # it would be the convolution's second derivative

    def prepare(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Callable[[], Any]:
        geometry = convention.geometry(native, size=x.shape[2:], kernel=kernel.shape[2:])
        refuse_misfit(bias, kernel.shape[1] * native["groups"])
        refuse_promotion(bias, x.dtype)
        shape = (x.shape[0], kernel.shape[1] * native["groups"], *geometry.out)
        arguments = {key: native[key] for key in ("stride", "padding", "dilation", "groups")}
        image = torch.zeros(
            shape, dtype=to_torch(x, device).dtype, device=device, requires_grad=True
        )
        y = _CONVOLUTIONS[x.ndim - 2](image, to_torch(kernel, device), **arguments)
        if tuple(y.shape[2:]) != x.shape[2:]:
            raise Unsupported(
                "output_padding from the stride on: the convolution of such an output has more "
                "elements than the input."
            )
        above = to_torch(x, device)
        added = None if bias is None else to_torch(bias, device).reshape(-1, *[1] * (x.ndim - 2))

        def run() -> torch.Tensor:
            (image_gradient,) = torch.autograd.grad(y, image, above, retain_graph=True)
            return image_gradient if added is None else image_gradient + added

        return run
