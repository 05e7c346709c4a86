"""Weights of ours in a module of somebody else's: by name, else by shape."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def set_weights(module: torch.nn.Module, weights: Sequence[tuple[str, torch.Tensor]]) -> list[str]:
    """Copy weights into the parameters and buffers of the same name, else of the same last name,
    else of the same shape, in order; the names of those for which there is none.
    """
    free = dict(module.named_parameters())
    free |= {n: b for n, b in module.named_buffers() if b.is_floating_point()}
    chosen: dict[str, str] = {}
    for suits in (_same_name, _same_last_name, _same_shape):
        for name, weight in weights:
            if name in chosen:
                continue
            for other, parameter in free.items():
                fits = parameter.shape == weight.shape and suits(name, other)
                if fits and other not in chosen.values():
                    chosen[name] = other
                    break
    with torch.no_grad():
        for name, weight in weights:
            if name in chosen:
                free[chosen[name]].copy_(weight)
    return [name for name, _ in weights if name not in chosen]


def _same_name(name: str, other: str) -> bool:
    return name == other


def _same_last_name(name: str, other: str) -> bool:
    return name.rpartition(".")[2] == other.rpartition(".")[2]


def _same_shape(name: str, other: str) -> bool:
    return True
