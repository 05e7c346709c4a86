"""A layer as a `torch.nn.Module`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.porting.code.spelling import WHY_PAD, sliced
from conformance.porting.code.torch import spelled
from conformance.porting.modules.part import Part

IMPORTS: Sequence[str] = ("import numpy as np", "import torch")


def definition(part: Part) -> Iterator[str]:
    """The class of a layer."""
    yield f"class {part.class_name}(torch.nn.Module):"
    yield f"    {part.summary}"
    yield from ("", "    def __init__(self):", "        super().__init__()")
    yield f"        self.conv = {spelled(part.spoken)}"
    yield from ("", "    def forward(self, x):")
    pad = tuple(
        number for pair in reversed(part.plan.pad) for number in pair
    )  # the last axis first
    if any(pad):
        yield f"        x = torch.nn.functional.pad(x, {pad}){WHY_PAD}"
    sizes = part.plan.native.get("output_size")
    size = "" if sizes is None else f", output_size={sizes}"
    yield f"        return self.conv(x{size}){sliced(part.plan.cut, part.kernel_layout.y)}"
    yield from ("", f"    def load(self, {part.parameters}):", "        with torch.no_grad():")
    yield f"            self.conv.weight.copy_(torch.from_numpy({part.kernel_expression}))"
    if part.bias:
        yield "            self.conv.bias.copy_(torch.from_numpy(array(held, bias)))"
    yield "        return self"


def container(parts: Sequence[Part]) -> Iterator[str]:
    """The class that has every layer by its name."""
    yield from ("class Layers(torch.nn.Module):", "    def __init__(self):")
    yield "        super().__init__()"
    yield from (f"        self.{part.name} = {part.class_name}()" for part in parts)


def made(part: Part) -> str:
    """The expression of a layer that is new."""
    return f"{part.class_name}()"
