"""Shared arrays as tensors of torch, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from conformance.kernels import arrays
from conformance.kernels.arrays import Described


def tensor_of(described: Described) -> torch.Tensor:
    """The tensor over a shared array: no copy, so that writing to it is seen on the other side."""
    flat = torch.from_numpy(arrays.raw(described))
    dtype: torch.dtype = getattr(torch, described["dtype"])
    return flat.view(dtype).reshape(described["shape"])


def share(folder: Path, name: str, tensor: torch.Tensor) -> Described:
    """A tensor's numbers, as a shared array of its own."""
    described = {
        "file": str(folder / name),
        "shape": list(tensor.shape),
        "dtype": str(tensor.dtype).removeprefix("torch."),
    }
    arrays.allot(described)
    if tensor.numel():
        with torch.no_grad():
            tensor_of(described).copy_(tensor.detach())
    return described


def tupled(value: Any) -> Any:
    """A value of a message as it was written: JSON has made lists of tuples."""
    if isinstance(value, list):
        return tuple(tupled(each) for each in value)
    return value
