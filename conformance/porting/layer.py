"""The subject of a port: a call as it has been read, and the sizes that it may leave open."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.conventions import Native
from conformance.porting.layouts import Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One call as it was read. `native` is in normal form; None stands for what the call leaves
    open.

    `words` are the expressions that stand for the input's and the output's channels; `normalised`
    is what normalises the weights; `tensors` are the names of kernel and bias in the model's file;
    `input_words` is the input of a whole model, which may not reach the layer; `general` and
    `linen` tell a framework's calls apart.
    """

    framework: str
    text: str
    name: str | None = None
    rank: int
    kernel: tuple[int, ...]
    native: Native
    layout: Layout
    groups: int = 1
    c_in: int | None = None
    c_out: int | None = None
    bias: bool = True
    batch: int | None = None
    size: tuple[int, ...] | None = None
    dimension_numbers: tuple[str, str, str] | None = None
    general: bool = False
    linen: bool = False
    words: tuple[str | None, str | None] = (None, None)
    normalised: str | None = None
    tensors: tuple[str, str | None] | None = None
    input_words: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Channels:
    """Sizes that a geometry does not have."""

    batch: int
    c_in: int
    c_out: int


def times(numbers: tuple[int, ...]) -> str:
    """Sizes as a person reads them: 1 x 64 x 8 x 8."""
    return " x ".join(map(str, numbers))
