"""What to do in the target: one call if it has the arguments, else the shortest way round with the calls it has.

Four things help, each exact: cut the output of a call that keeps more; pad the input, which moves the window by the stride
for each zero and leaves the bias to the call; write dilation as a kernel with zeros between its taps; write groups as a
block-diagonal kernel. The conventions say which calls there are, and are asked about each candidate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice, product

from conformance import conventions
from conformance.conventions import Native, Unrepresentable
from conformance.geometry import Axis, Geometry

Pairs = tuple[tuple[int, int], ...]
MOST_OPTIONS = 12  # of one axis that are tried together with those of the others


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
        return not (any(map(any, self.pad)) or any(map(any, self.cut)) or self.block_diagonal or self.insert_zeros)

    @property
    def cost(self) -> tuple[int, int]:
        """What makes one recipe shorter than another: steps, weighed by what they cost to run, then elements thrown away."""
        steps = 2 * any(map(any, self.cut)) + 3 * any(map(any, self.pad)) + 4 * self.insert_zeros + 6 * self.block_diagonal
        return steps, sum(map(sum, self.cut)) + sum(map(sum, self.pad))


def single(target: str, geometry: Geometry) -> Plan | str:
    """The one call that means this geometry, or why there is none."""
    native = conventions.get(target).native(geometry)
    if isinstance(native, Unrepresentable):
        return native.reason
    nothing = ((0, 0),) * geometry.rank
    return Plan(target=target, native=native, geometry=geometry, pad=nothing, cut=nothing)


def recipe(target: str, geometry: Geometry) -> Plan:
    """The cheapest plan whose call the target has and its engine runs; there is always one."""
    return min((plan for changed in _kernels(geometry) for plan in _first(_plans(target, *changed))), key=lambda plan: plan.cost)


def cautious(target: str, geometry: Geometry) -> Plan:
    """The recipe whose call cuts nothing: for engines that fail at a call which they should take."""
    found = []
    for changed, block, insert in _kernels(geometry):
        options = [_uncut(axis) for axis in changed.axes]
        plan = _joined(target, changed, options, block=block, insert=insert)
        found += [plan] if plan else []
    return min(found, key=lambda plan: plan.cost)


def refusal(target: str, native: Native, geometry: Geometry) -> str | None:
    """Why the engine refuses, on the CPU, a call that its documentation allows; None where no such defect is known."""
    if target == "onnx":
        for axis, extra in zip(geometry.axes, native["output_padding"], strict=True):
            if axis.stride <= extra < axis.dilation:
                return "ONNX Runtime refuses an output_padding of the stride or more, even below the dilation (onnxruntime#14208)"
    if target == "tensorflow":
        explicit = not isinstance(native["padding"], str)
        if explicit and max(geometry.dilation) > 1:
            return "TensorFlow refuses dilation together with explicit padding on the CPU (tensorflow#28264)"
        if geometry.groups > 1 and (explicit or geometry.rank == 3):
            return "TensorFlow refuses groups with explicit padding, and in 3-D, on the CPU"
    return None


def _kernels(geometry: Geometry) -> Iterator[tuple[Geometry, bool, bool]]:
    """The geometry with its kernel as it is, with groups as a block diagonal, with dilation as zeros, and with both."""
    plain = tuple(replace(axis, kernel=axis.extent, dilation=1) for axis in geometry.axes)
    for block, insert in product((False, True), repeat=2):
        if block <= (geometry.groups > 1) and insert <= (max(geometry.dilation) > 1):
            axes = plain if insert else geometry.axes
            yield Geometry(axes=axes, groups=1 if block else geometry.groups), block, insert


@dataclass(frozen=True, slots=True, kw_only=True)
class _Option:
    """One way to give an axis its window: the call's axis, zeros round the input, elements cut from the output."""

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
        legal = [option for option in _options(axis) if _legal(target, (option.axis,) * geometry.rank, geometry.groups)]
        legal.sort(key=lambda option: option.cost)
        options.append([*legal[:MOST_OPTIONS], _uncut(axis)])
    together = sorted(product(*options), key=lambda some: [sum(parts) for parts in zip(*(o.cost for o in some), strict=True)])
    for some in together:
        plan = _joined(target, geometry, list(some), block=block, insert=insert)
        if plan:
            yield plan


def _options(axis: Axis) -> Iterator[_Option]:
    """Calls that keep at least this axis' window; the input is padded only where that has a negative crop."""
    reach = max(axis.stride, axis.dilation)
    for a, b in product({0, _zeros(axis.crop_low, axis.stride)}, {0, _zeros(axis.crop_high, axis.stride)}):
        size = axis.size + a + b
        low, high = axis.crop_low + a * axis.stride, axis.crop_high + b * axis.stride
        for first, last in product(range(low + 1), range(-reach, high + 1)):
            changed = replace(axis, size=size, crop_low=first, crop_high=last)
            yield _Option(axis=changed, pad=(a, b), cut=(low - first, high - last))


def _uncut(axis: Axis) -> _Option:
    """The full output of the input, padded where zeros are to be there, and the cut that leaves the window."""
    a, b = _zeros(axis.crop_low, axis.stride), _zeros(axis.crop_high, axis.stride)
    whole = replace(axis, size=axis.size + a + b, crop_low=0, crop_high=0)
    return _Option(axis=whole, pad=(a, b), cut=(axis.crop_low + a * axis.stride, axis.crop_high + b * axis.stride))


def _zeros(crop: int, stride: int) -> int:
    """How many zeros before or behind the input make up for a negative crop: each moves the window by the stride."""
    return -(crop // stride) if crop < 0 else 0


def _joined(target: str, geometry: Geometry, options: list[_Option], *, block: bool, insert: bool) -> Plan | None:
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
