"""The recipe in the target: one call if it has the arguments, else the shortest way round with the
calls it has.

Four things help, each exact: cut the output of a call that keeps more; pad the input, which moves
the window by the stride for each zero and leaves the bias to the call; write dilation as a kernel
with zeros between its taps; write groups as a block-diagonal kernel. The conventions say which
calls there are, and are asked about each candidate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from heapq import merge
from itertools import islice, product

from conformance import conventions
from conformance.conventions import Native, Unrepresentable
from conformance.geometry import Axis, Geometry

Pairs = tuple[tuple[int, int], ...]
MOST_OPTIONS = 12  # of one axis that are tried together with those of the others
MOST_ASKED = (
    2**17
)  # calls for one axis: a second or so, which only kernels of a thousand taps come to


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One call of the target, and what surrounds it. `geometry` is the call's own."""

    target: str
    native: Native
    geometry: Geometry
    pad: Pairs
    cut: Pairs
    block_diagonal: bool = False
    insert_zeros: bool = False

    @property
    def single(self) -> bool:
        """Whether the call is all."""
        return not (
            any(map(any, self.pad))
            or any(map(any, self.cut))
            or self.block_diagonal
            or self.insert_zeros
        )

    @property
    def cost(self) -> tuple[int, int]:
        """The key by which recipes are compared: steps, weighed by what they cost to run, then
        elements thrown away.
        """
        weight = (
            2 * any(map(any, self.cut))
            + 3 * any(map(any, self.pad))
            + 4 * self.insert_zeros
            + 6 * self.block_diagonal
        )
        return weight, sum(map(sum, self.cut)) + sum(map(sum, self.pad))

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps before and after the call, a sentence each; empty if the call is all."""
        sentences = []
        if self.block_diagonal:
            sentences.append("Write the groups as one block-diagonal kernel.")
        if self.insert_zeros:
            sentences.append("Write the dilation as a kernel with zeros between its taps.")
        if any(map(any, self.pad)):
            sentences.append(
                f"Pad the input with zeros first, {_ends(self.pad)}: the bias then reaches what "
                "is appended."
            )
        if any(map(any, self.cut)):
            sentences.append(f"Cut the output afterwards, {_ends(self.cut)}.")
        return tuple(sentences)


def _ends(pairs: Pairs) -> str:
    return ", ".join(
        f"{low} and {high} on axis {axis}" for axis, (low, high) in enumerate(pairs) if low or high
    )


def single(target: str, geometry: Geometry) -> Plan | str:
    """The one call that means this geometry, or why there is none."""
    native = conventions.get(target).native(geometry)
    if isinstance(native, Unrepresentable):
        return native.reason
    return whole(target, native, geometry)


def whole(target: str, native: Native, geometry: Geometry) -> Plan:
    """The plan of a call that is all."""
    nothing = ((0, 0),) * geometry.rank
    return Plan(target=target, native=native, geometry=geometry, pad=nothing, cut=nothing)


def recipe(target: str, geometry: Geometry) -> Plan:
    """The cheapest plan whose call the target has and its engine runs; there is always one."""
    return min(
        (plan for changed in _kernels(geometry) for plan in _first(_plans(target, *changed))),
        key=lambda plan: plan.cost,
    )


def cautious(target: str, geometry: Geometry) -> Plan:
    """The recipe whose call cuts nothing: for engines that fail at a call which they should
    take.
    """
    plans = []
    for changed, block, insert in _kernels(geometry):
        options = [_uncut(axis) for axis in changed.axes]
        plan = _joined(target, changed, options, block=block, insert=insert)
        plans += [plan] if plan else []
    return min(plans, key=lambda plan: plan.cost)


def refusal(target: str, native: Native, geometry: Geometry) -> str | None:
    """Why the engine refuses, on the CPU, a call that its documentation allows; None where no such
    defect is known.
    """
    if target == "onnx":
        for axis, extra in zip(geometry.axes, native["output_padding"], strict=True):
            if axis.stride <= extra < axis.dilation:
                return (
                    "ONNX Runtime refuses an output_padding of the stride or more, even below "
                    "the dilation (onnxruntime#14208)"
                )
    if target == "tensorflow":
        explicit = not isinstance(native["padding"], str)
        if explicit and max(geometry.dilation) > 1:
            return (
                "TensorFlow refuses dilation together with explicit padding on the CPU "
                "(tensorflow#28264)"
            )
        if geometry.groups > 1:
            return "TensorFlow has groups on the GPU, and on the CPU not without oneDNN"
    return None


def _kernels(geometry: Geometry) -> Iterator[tuple[Geometry, bool, bool]]:
    """The geometry with its kernel as it is, with groups as a block diagonal, with dilation as
    zeros, and with both.
    """
    plain = tuple(axis.undilated() for axis in geometry.axes)
    for block, insert in product((False, True), repeat=2):
        if block <= (geometry.groups > 1) and insert <= (max(geometry.dilation) > 1):
            axes = plain if insert else geometry.axes
            yield Geometry(axes=axes, groups=1 if block else geometry.groups), block, insert


@dataclass(frozen=True, slots=True, kw_only=True)
class _Option:
    """One way to give an axis its window: the call's axis, zeros round the input, elements cut from
    the output.
    """

    axis: Axis
    pad: tuple[int, int]
    cut: tuple[int, int]

    @property
    def cost(self) -> tuple[int, int]:
        return any(self.pad), sum(self.pad) + sum(self.cut)


def _plans(target: str, geometry: Geometry, block: bool, insert: bool) -> Iterator[Plan]:
    """Plans for one kernel, best first."""
    options = []
    for axis in geometry.axes:
        candidates = islice(_options(axis), MOST_ASKED)
        legal = (
            option
            for option in candidates
            if _legal(target, (option.axis,) * geometry.rank, geometry.groups)
        )
        options.append([*islice(legal, MOST_OPTIONS), _uncut(axis)])
    together = sorted(
        product(*options),
        key=lambda some: [sum(parts) for parts in zip(*(o.cost for o in some), strict=True)],
    )
    for some in together:
        plan = _joined(target, geometry, list(some), block=block, insert=insert)
        if plan:
            yield plan


def _options(axis: Axis) -> Iterator[_Option]:
    """Calls that keep at least this axis' window, cheapest first; the input is padded only where
    that has a negative crop.
    """
    reach = max(axis.stride, axis.dilation)
    low, high = axis.zeros_for_appended
    pads = product(sorted({0, low}), sorted({0, high}))
    return merge(
        *(_cuts(axis.padded(*pad), pad, reach) for pad in pads), key=lambda option: option.cost
    )


def _cuts(window: Axis, pad: tuple[int, int], reach: int) -> Iterator[_Option]:
    """Calls that crop no more than the window of a padded axis, and append up to `reach`; those
    that keep least come first.
    """
    most_low, most_high = window.crop_low, window.crop_high + reach
    for total in range(most_low + most_high + 1 if min(most_low, most_high) >= 0 else 0):
        for low in range(min(total, most_low), max(0, total - most_high) - 1, -1):
            yield _option(window, pad, most_low - low, window.crop_high - (total - low))


def _uncut(axis: Axis) -> _Option:
    """The full output of the input, padded where zeros are to be there, and the cut that leaves the
    window.
    """
    pad = axis.zeros_for_appended
    return _option(axis.padded(*pad), pad, 0, 0)


def _option(window: Axis, pad: tuple[int, int], first: int, last: int) -> _Option:
    """The call that crops `first` and `last`, and the cut that leaves the window of an axis that
    has been padded.
    """
    call = replace(window, crop_low=first, crop_high=last)
    return _Option(axis=call, pad=pad, cut=(window.crop_low - first, window.crop_high - last))


def _joined(
    target: str, geometry: Geometry, options: list[_Option], *, block: bool, insert: bool
) -> Plan | None:
    """The plan of one option per axis, if the target has one call for them all."""
    native = _legal(target, tuple(option.axis for option in options), geometry.groups)
    if native is None:
        return None
    return Plan(
        target=target,
        native=native,
        geometry=Geometry(axes=tuple(option.axis for option in options), groups=geometry.groups),
        pad=tuple(option.pad for option in options),
        cut=tuple(option.cut for option in options),
        block_diagonal=block,
        insert_zeros=insert,
    )


def _legal(target: str, axes: tuple[Axis, ...], groups: int) -> Native | None:
    geometry = Geometry(axes=axes, groups=groups)
    native = conventions.get(target).native(geometry)
    if isinstance(native, Unrepresentable) or refusal(target, native, geometry):
        return None
    return native


def _first(plans: Iterator[Plan]) -> Iterator[Plan]:
    return islice(plans, 1)
