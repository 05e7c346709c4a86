"""The body of `convert`: a kernel from the layout of one framework to that of another, groups and
dilation written out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from conformance.geometry import Geometry
from conformance.porting.layer import Channels
from conformance.porting.layouts import SPATIAL, Layout, permutation, words
from conformance.porting.recipes import Plan


@dataclass(slots=True, kw_only=True)
class _Conversion:
    """Lines of Python, what they do as sentences, and the order of the axes that they have come
    to.
    """

    order: str
    lines: list[str] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)

    def step(self, sentence: str, *lines: str) -> None:
        self.sentences.append(sentence)
        self.lines += lines

    def move(self, want: str) -> None:
        if self.order != want:
            have, self.order = self.order, want
            line = f"w = w.transpose{permutation(have, want)}  # {words(have)} to {words(want)}"
            self.step(f"move the axes from {words(have)} to {words(want)}", line)


def conversion(
    have: Layout, want: Layout, plan: Plan, geometry: Geometry, channels: Channels
) -> tuple[list[str], tuple[str, ...]]:
    """The body of `convert`, and its steps as sentences. `geometry` is the source's, the plan has
    the target's.
    """
    done = _Conversion(order=have.kernel)
    if plan.block_diagonal or plan.insert_zeros or have.groups_in_output != want.groups_in_output:
        done.move("IO" + SPATIAL[geometry.rank])
        if have.groups_in_output:
            _groups_to_the_input(done, geometry.groups, channels, geometry.kernel)
        if plan.block_diagonal:
            _diagonal(done, geometry.groups, channels, geometry.kernel)
        if plan.insert_zeros:
            _zeros_between_taps(done, geometry.dilation, plan.geometry.kernel)
        if want.groups_in_output:
            _groups_to_the_output(done, geometry.groups, channels, plan.geometry.kernel)
    if have.flipped != want.flipped:
        axes = tuple(done.order.index(letter) for letter in SPATIAL[geometry.rank])
        done.step(
            "flip every spatial axis",
            f"w = np.flip(w, {axes})  # one of the two flips kernels, the other does not",
        )
    done.move(want.kernel)
    if not done.lines:
        return ["return np.asarray(weight)"], ("they are laid out alike",)
    return ["w = np.asarray(weight)", *done.lines, "return w.copy()"], tuple(done.sentences)


def _groups_to_the_input(
    done: _Conversion, groups: int, channels: Channels, kernel: Sequence[int]
) -> None:
    i, o, sizes = channels.c_in // groups, channels.c_out // groups, _listed(kernel)
    done.step(
        "move the groups from the output channels to the input channels",
        f"w = w.reshape({i}, {groups}, {o}, {sizes})",
        f"w = w.swapaxes(0, 1).reshape({channels.c_in}, {o}, {sizes})",
    )


def _groups_to_the_output(
    done: _Conversion, groups: int, channels: Channels, kernel: Sequence[int]
) -> None:
    i, o, sizes = channels.c_in // groups, channels.c_out // groups, _listed(kernel)
    done.step(
        "move the groups from the input channels to the output channels",
        f"w = w.reshape({groups}, {i}, {o}, {sizes})",
        f"w = w.swapaxes(0, 1).reshape({i}, {channels.c_out}, {sizes})",
    )


def _diagonal(done: _Conversion, groups: int, channels: Channels, kernel: Sequence[int]) -> None:
    i, o, shape = (
        channels.c_in // groups,
        channels.c_out // groups,
        f"({channels.c_in}, {channels.c_out}, {_listed(kernel)})",
    )
    done.step(
        f"put the {groups} groups on the diagonal of a kernel without groups, zeros elsewhere",
        f"blocks = np.zeros({shape}, w.dtype)  # {groups} groups on the diagonal",
        f"for g in range({groups}):",
        (
            f"    blocks[g * {i} : (g + 1) * {i}, g * {o} : (g + 1) * {o}] = w[g * {i} : (g + 1) * "
            f"{i}]"
        ),
        "w = blocks",
    )


def _zeros_between_taps(
    done: _Conversion, dilation: tuple[int, ...], kernel: Sequence[int]
) -> None:
    every = ", ".join(f"::{step}" for step in dilation)
    done.step(
        "put the dilation's zeros between the taps",
        f"dilated = np.zeros((*w.shape[:2], {_listed(kernel)}), w.dtype)",
        f"dilated[:, :, {every}] = w  # dilation {dilation} as zeros between the taps",
        "w = dilated",
    )


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
