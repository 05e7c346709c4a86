"""PyTorch's shape functions: the layer on the device "meta", under `FakeTensorMode`, or exported
with dynamic sizes.
"""

from __future__ import annotations

from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from conformance.adapters import Operand, ShapeFunction, Sizes, Unsupported
from conformance.adapters.torch import Torch


class TorchMeta(ShapeFunction):
    """One call of the layer on tensors that have no memory."""

    convention = "torch"

    def __init__(self) -> None:
        self._torch = Torch()

    def versions(self) -> dict[str, str]:
        return self._torch.versions()

    def devices(self) -> list[str]:
        return ["cpu"]

    def shape(
        self, x: Operand, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Sizes | None:
        layer = self._torch.layer(x, kernel, bias, native, "meta")
        return sizes_of(self._torch.call_of(layer, native)(_empty(x, "meta")))


class TorchFake(TorchMeta):
    """One call of the layer under `FakeTensorMode`, which torch.compile and torch.export trace
    with.
    """

    def shape(
        self, x: Operand, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Sizes | None:
        layer = self._torch.layer(x, kernel, bias, native, device)
        with FakeTensorMode(allow_non_fake_inputs=True):
            return sizes_of(self._torch.call_of(layer, native)(_empty(x, device)))


class TorchExportDynamic(TorchMeta):
    """One `torch.export.export` with batch and spatial sizes dynamic: what is no number in the
    exported program is unknown.
    """

    unknown = ("batch", "space")

    def shape(
        self, x: Operand, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Sizes | None:
        if "output_size" in native:
            raise Unsupported(
                "The layer holds output_size against the input's size, which is not told "
                "(documentation of torch.nn.ConvTranspose2d)."
            )
        layer = self._torch.layer(x, kernel, bias, native, device)
        example = [EXAMPLE_BATCH, int(x.shape[1] or 0), *EXAMPLES[x.ndim - 2]]
        dynamic = dict.fromkeys((0, *range(2, x.ndim)), torch.export.Dim.DYNAMIC)
        program = torch.export.export(
            layer,
            (torch.empty(example, dtype=_dtype(x)),),
            dynamic_shapes={"input": dynamic},
        )
        (result,) = program.graph.find_nodes(op="output")[0].args[0]
        return sizes_of(result.meta["val"])


EXAMPLE_BATCH = 3
EXAMPLES = {1: [8191], 2: [97, 89], 3: [31, 29, 37]}
"""The sizes of an example input by its number of axes, since none is told: any others would do that
have an output.
"""


def sizes_of(y: torch.Tensor) -> Sizes:
    """The sizes that are numbers, None for symbols."""
    return [size if isinstance(size, int) else None for size in y.shape]


def _empty(x: Operand, device: str) -> torch.Tensor:
    return torch.empty([int(size or 0) for size in x.shape], dtype=_dtype(x), device=device)


def _dtype(x: Operand) -> torch.dtype:
    dtype: torch.dtype = getattr(torch, x.dtype.name)
    return dtype
