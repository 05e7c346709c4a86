"""PyTorch for inference: the layer, or a module of the layer and what follows it, compiled with its
weights frozen, or folded by `torch.nn.utils.fusion`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from conformance.adapters.composition import added, normalization
from conformance.adapters.torch import Torch, to_torch

_NORMS = {1: torch.nn.BatchNorm1d, 2: torch.nn.BatchNorm2d, 3: torch.nn.BatchNorm3d}


class TorchFused(Torch):
    """One call of a module in eval mode. `follow` is one of composition.FOLLOWS, or None.

    `frozen`, torch.compile takes the weights as constants, packs and folds them
    (`torch._inductor.config.freezing`); else `fuse_conv_bn_eval` folds the batch normalization.
    """

    gradients = None  # type: ignore[assignment]  # frozen weights have none

    def __init__(self, *, follow: str | None = None, frozen: bool = True) -> None:
        super().__init__(compiled=frozen)
        self._follow, self._frozen = follow, frozen
        if frozen:
            import torch._inductor.config

            torch._inductor.config.freezing = True

    def layer(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> torch.nn.Module:
        match self._follow:
            case None:
                module = super().layer(x, kernel, bias, native, device)
            case "relu":
                negative = super().layer(
                    x, -kernel, None if bias is None else -bias, native, device
                )
                module = _Relus(super().layer(x, kernel, bias, native, device), negative)
            case "add":
                behind = to_torch(added(kernel, bias, native["groups"]), device)
                layer = super().layer(x, kernel, None, native, device)
                module = _Followed(layer, torch.add, per_channel(behind, x.ndim))
            case _:
                module = self._normalized(x, kernel, bias, native, device)
        return module.eval()

    def _normalized(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> torch.nn.Module:
        """The layer, its batch normalization, and what undoes its signs."""
        constants = normalization(kernel, bias, native["groups"])
        layer = super().layer(x, kernel, None, native, device)
        norm = _NORMS[x.ndim - 2](len(constants.signs), eps=0.0, device=device)
        norm.weight, norm.bias = (
            torch.nn.Parameter(to_torch(numbers, device), requires_grad=False)
            for numbers in (constants.scale, constants.shift)
        )
        norm.running_mean = to_torch(constants.mean, device)
        norm.running_var = to_torch(constants.variance, device)
        signs = per_channel(to_torch(constants.signs, device), x.ndim)
        if self._frozen:
            return _Followed(_Followed(layer, lambda y, norm: norm(y), norm), torch.mul, signs)
        fused = torch.nn.utils.fusion.fuse_conv_bn_eval(layer.eval(), norm.eval(), transpose=True)
        return _Followed(fused, torch.mul, signs)


class _Followed(torch.nn.Module):
    """A module, and a function of its output and a constant or a module."""

    def __init__(self, first: torch.nn.Module, then: Callable[..., Any], operand: Any) -> None:
        super().__init__()
        self.first, self.then = first, then
        if isinstance(operand, torch.Tensor):
            self.register_buffer("operand", operand)
        else:
            self.operand = operand

    def forward(self, inputs: torch.Tensor, **size: Any) -> Any:
        return self.then(self.first(inputs, **size), self.operand)


class _Relus(torch.nn.Module):
    """Relu of a layer minus Relu of that layer with the other sign: the layer itself."""

    def __init__(self, positive: torch.nn.Module, negative: torch.nn.Module) -> None:
        super().__init__()
        self.positive, self.negative = positive, negative

    def forward(self, inputs: torch.Tensor, **size: Any) -> Any:
        above, below = self.positive(inputs, **size), self.negative(inputs, **size)
        return torch.relu(above) - torch.relu(below)


def per_channel(numbers: torch.Tensor, rank: int) -> torch.Tensor:
    """(C,) as (C, 1, ...), which broadcasts along axis 1 of a tensor of that rank."""
    return numbers.reshape(-1, *[1] * (rank - 2))
