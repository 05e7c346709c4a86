"""The parts that the programs of all frameworks share: how arguments are written, and the lines
round a call.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from conformance.conventions import Native
from conformance.conventions.spelling import SPELLINGS
from conformance.geometry import Geometry
from conformance.porting.layer import Channels
from conformance.porting.layouts import Layout
from conformance.porting.recipes import Pairs, Plan

WHY_PAD = "  # zeros round the input: the window moves by the stride"

_DEFAULTS: dict[str, Any] = {
    "output_padding": None,
    "transpose_kernel": False,
    **{names.groups: 1 for names in SPELLINGS.values() if names.groups is not None},
}
_DILATIONS = {names.dilation for framework, names in SPELLINGS.items() if framework != "jax"}
"""The names of dilation that are left out where it is 1; JAX's general call is seldom written, so
it has everything but the groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One call, to be written in the words of its framework. `numbers` and `general` are JAX's
    dimension_numbers and call, `linen` Flax's other layer, `words` stand for channels.
    """

    native: Native
    geometry: Geometry
    channels: Channels
    bias: bool
    numbers: tuple[str, str, str] | None = None
    general: bool = False
    linen: bool = False
    words: tuple[str | None, str | None] = (None, None)

    @property
    def c_in(self) -> int | str:
        """The input's channels, as words where the call has words."""
        return self.words[0] or self.channels.c_in

    @property
    def c_out(self) -> int | str:
        """The output's channels, as words where the call has words."""
        return self.words[1] or self.channels.c_out

    @property
    def explicit_arguments(self) -> Native:
        """The arguments that are not their defaults."""
        return {
            key: value
            for key, value in self.native.items()
            if not (key in _DEFAULTS and value == _DEFAULTS[key])
            and not (key in _DILATIONS and set(value) == {1})
        }


def keywords(arguments: Native, *, whole: Iterable[str] = ()) -> str:
    """`, key=value` for each; numbers that are all alike as one, but for the keys whose lists are
    to stay.
    """
    parts = (
        f"{key}={_literal(value) if key in whole else short(value)}"
        for key, value in arguments.items()
    )
    return "".join(f", {part}" for part in parts)


def short(value: Any) -> str:
    """A value as Python, numbers that are all alike as one."""
    if (
        isinstance(value, (list, tuple))
        and all(isinstance(entry, int) for entry in value)
        and len(set(value)) == 1
    ):
        return str(value[0])
    return _literal(value)


def _literal(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(_tuple(value)).replace("'", '"')


def _tuple(value: Any) -> Any:
    return tuple(map(_tuple, value)) if isinstance(value, (list, tuple)) else value


def sliced(cut: Pairs, letters: str) -> str:
    """`[index]` that cuts the output's spatial axes, empty where nothing is cut; letters say where
    they are.
    """
    if not any(map(any, cut)):
        return ""
    parts = [f"{low or ''}:{-high if high else ''}" for low, high in _every_axis(cut, letters)]
    return f"[{', '.join(parts).removesuffix(', :')}]"


def padded(pad: Pairs, letters: str, function: str) -> list[str]:
    """The line that pads the input, if anything does, with a function that takes a pair per
    axis.
    """
    if not any(map(any, pad)):
        return []
    return [f"x = {function}(x, {tuple(_every_axis(pad, letters))}){WHY_PAD}"]


def _every_axis(pairs: Pairs, letters: str) -> list[tuple[int, int]]:
    spatial = iter(pairs)
    return [(0, 0) if letter in "NC" else next(spatial) for letter in letters]


def added(call: str, plan: Plan, layout: Layout, *, pad: str, bias: str | None) -> list[str]:
    """Lines round a call that has no bias of its own: pad the input, call, add the bias, return the
    output, cut.
    """
    lines = [
        *padded(plan.pad, layout.x, pad),
        f"y = {call}",
        *([] if bias is None else [f"y = y + {bias}"]),
    ]
    return [*lines, f"return y{sliced(plan.cut, layout.y)}"]
