"""Sweeps real frameworks with random calls: does each take the window that its convention module
predicts, and no other?

    python tools/corpus/sweep_conventions.py [--count 2000] [--seed 1] [ADAPTER...]

For every adapter (all of the table, unless named), COUNT times each:

- native: a random call in the framework's own arguments, legal or not. Where it is accepted, shape
  and numbers must be the oracle's on the window that `geometry(native)` predicts. Being refused is
  always fine.
- geometry: a random window. Where `native(geometry)` gives arguments, they must be accepted and
  agree. Where it says Unrepresentable, every call in generous ranges that is predicted to take this
  window, documented or not, must be refused.

Operands are integers from -4 to 4, none of them 0, so that agreeing means equal bits. An adapter
runs in its own process: an abort costs one call. Known defects of frameworks are recognised one by
one in `known`; anything else ends in exit code 1.
"""

from __future__ import annotations

import argparse
import itertools
import math
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from conformance import conventions
from conformance.adapters import REGISTRY
from conformance.conventions import Native, Unrepresentable, normal_form
from conformance.corpus.tensors import Tensors
from conformance.geometry import Axis, Geometry
from conformance.oracle import transpose_into_window
from conformance.outcomes import Crashed, Outcome, Output, Raised, Unsupported
from conformance.workers.engine import Engine, Greeting, Spec

GROUPS = {"torch": "groups", "tensorflow": "groups", "jax": "feature_group_count", "onnx": "group"}
STRIDE = {"torch": "stride"}
DILATION = {
    "torch": "dilation",
    "keras": "dilation_rate",
    "jax": "rhs_dilation",
    "flax": "kernel_dilation",
}
_INTEGERS = (-4, -3, -2, -1, 1, 2, 3, 4)
MOST_SPELLINGS = 48
"""Of the other spellings of one window in one way to say padding, at most so many are tried; of
more, those nearest to legal."""

PARTS = ("native", "canonical", "other", "equal")
STATUSES = ("agrees", "refused", "differs", "crashed", "known")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call: the arguments in normal form, the window predicted for them, and the operands'
    recipe.

    `part` says why it is made: "native", arguments drawn at random; "canonical", what
    `native(geometry)` gives; "other", a spelling of a window that the convention calls
    Unrepresentable; "equal", the canonical spelling of a window with the same numbers as an
    Unrepresentable one, for a size of 1 does not see its stride nor a kernel of 1 its dilation.
    """

    part: str
    native: Native
    geometry: Geometry
    seed: int

    def tensors(self) -> Tensors:
        """Integers from -4 to 4 without 0, float32, so that no window hides behind zeros; one call
        in four has a bias.
        """
        rng = np.random.RandomState(self.seed)
        groups = self.geometry.groups
        batch, per_group_in, per_group_out = rng.randint(1, 3, 3)
        shapes = (
            (batch, per_group_in * groups, *self.geometry.size),
            (per_group_in * groups, per_group_out, *self.geometry.kernel),
        )
        x, kernel, bias = (
            rng.choice(_INTEGERS, shape).astype(np.float32)
            for shape in (*shapes, (per_group_out * groups,))
        )
        return Tensors(x=x, kernel=kernel, bias=bias if rng.randint(4) == 0 else None)

    def size(self) -> tuple[int, ...]:
        """For choosing the smallest example of several."""
        axes = self.geometry.axes
        return (
            len(axes),
            sum(
                a.size + a.kernel + a.stride + a.dilation + abs(a.crop_low) + abs(a.crop_high)
                for a in axes
            ),
        )

    def text(self) -> str:
        size, kernel = (
            "x".join(map(str, numbers)) for numbers in (self.geometry.size, self.geometry.kernel)
        )
        return (
            f"size {size}, kernel {kernel}, {self.native}: predicted crops "
            f"{self.geometry.crops}, out {self.geometry.out}"
        )


# --- what is drawn
# --------------------------------------------------------------------------------------------------


def random_axes(rng: random.Random) -> list[Axis]:
    """One to three axes without crops; half of all calls have no dilation."""
    dilated = rng.random() < 0.5

    def one() -> Axis:
        dilation = rng.randint(1, 3) if dilated else 1
        return Axis(
            size=rng.randint(1, 5),
            kernel=rng.randint(1, 5),
            stride=rng.randint(1, 4),
            dilation=dilation,
        )

    return [one() for _ in range(rng.choice([1, 1, 2, 2, 2, 3]))]


def random_native(name: str, rng: random.Random) -> tuple[Native, Geometry]:
    """Native arguments in normal form and the window predicted for them; every second call keeps to
    the documentation.
    """
    axes, legal = random_axes(rng), rng.random() < 0.5
    if name == "keras" and legal:
        free = rng.choice(["stride", "dilation"])
        axes = [replace(axis, **{free: 1}) for axis in axes]
    arguments = _PADDINGS[name](axes, rng, legal)
    arguments[STRIDE.get(name, "strides")] = [axis.stride for axis in axes]
    arguments[DILATION.get(name, "dilations")] = [axis.dilation for axis in axes]
    if name in GROUPS:
        arguments[GROUPS[name]] = rng.choice([1, 1, 1, 2])
    native = normal_form(name, arguments, len(axes))
    size, kernel = [axis.size for axis in axes], [axis.kernel for axis in axes]
    return native, conventions.get(name).geometry(native, size=size, kernel=kernel)


def _extras(axes: Sequence[Axis], rng: random.Random, legal: bool, *, dilated: bool) -> list[int]:
    """An output_padding per axis: below the stride (or the dilation), else from -1 to the stride
    and 2.
    """

    def one(axis: Axis) -> int:
        if legal or rng.random() < 0.5:
            return rng.randrange(max(axis.stride, axis.dilation if dilated else 1))
        return rng.randint(-1, max(axis.stride, axis.dilation) + 2)

    return [one(axis) for axis in axes]


def _cut(axis: Axis, rng: random.Random, legal: bool) -> int:
    """What one end loses: at most what leaves an output behind, else from -2 to 4."""
    return (
        rng.randint(0, min(4, (axis.full - 1) // 2))
        if legal or rng.random() < 0.5
        else rng.randint(-2, 4)
    )


def _torch(axes: Sequence[Axis], rng: random.Random, legal: bool) -> Native:
    padding, extras = (
        [_cut(axis, rng, legal) for axis in axes],
        _extras(axes, rng, legal, dilated=True),
    )
    if rng.random() < 0.3:
        sizes = [axis.full - 2 * p + q for axis, p, q in zip(axes, padding, extras, strict=True)]
        return {"padding": padding, "output_size": sizes}
    return {"padding": padding, "output_padding": extras}


def _keras(axes: Sequence[Axis], rng: random.Random, legal: bool) -> Native:
    extras = None if rng.random() < 0.4 else _extras(axes, rng, legal, dilated=False)
    return {"padding": rng.choice(["same", "valid"]), "output_padding": extras}


def _tensorflow(axes: Sequence[Axis], rng: random.Random, legal: bool) -> Native:
    padding = rng.choice(
        ["SAME", "VALID", "explicit"] if len(axes) == 2 or not legal else ["SAME", "VALID"]
    )
    pads = [[_cut(axis, rng, legal), _cut(axis, rng, legal)] for axis in axes]
    arguments: Native = {"padding": pads if padding == "explicit" else padding}
    if rng.random() < 0.7:
        extras = _extras(axes, rng, legal, dilated=False)
        least = {
            "SAME": [(axis.size - 1) * axis.stride + 1 for axis in axes],
            "VALID": [axis.full for axis in axes],
            "explicit": [axis.full - sum(pair) for axis, pair in zip(axes, pads, strict=True)],
        }[padding]
        arguments["output_shape"] = [n + q for n, q in zip(least, extras, strict=True)]
    return arguments


def _jax(axes: Sequence[Axis], rng: random.Random, legal: bool) -> Native:
    arguments = _flax(axes, rng, legal)
    if not isinstance(arguments["padding"], str) and rng.random() < 0.3:
        arguments["use_consistent_padding"] = True
    return arguments


def _flax(axes: Sequence[Axis], rng: random.Random, legal: bool) -> Native:
    pads = [
        [axis.extent - 1 - _cut(axis, rng, legal), axis.extent - 1 - _cut(axis, rng, legal)]
        for axis in axes
    ]
    same = [rng.randint(0, 3)] * len(axes)
    return {
        "padding": rng.choice(["SAME", "VALID", pads, pads, same]),
        "transpose_kernel": rng.random() < 0.5,
    }


def _onnx(axes: Sequence[Axis], rng: random.Random, legal: bool) -> Native:
    begins, ends = ([_cut(axis, rng, legal) for axis in axes] for _ in range(2))
    arguments: Native = {
        "output_padding": _extras(axes, rng, legal, dilated=True)
        if rng.random() < 0.6
        else [0] * len(axes)
    }
    way = rng.choice(["pads", "pads", "symmetric", "auto_pad", "output_shape"])
    if way in ("pads", "symmetric") or rng.random() < 0.2:
        arguments["pads"] = begins + (begins if way == "symmetric" else ends)
    if way == "auto_pad" or (way == "output_shape" and rng.random() < 0.5):
        arguments["auto_pad"] = rng.choice(["SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET"])
    if way == "output_shape":
        low = 0 if legal else -3
        arguments["output_shape"] = [
            max(1, axis.full + q - rng.randint(low, 4))
            for axis, q in zip(axes, arguments["output_padding"], strict=True)
        ]
    return arguments


_PADDINGS = {
    "torch": _torch,
    "keras": _keras,
    "tensorflow": _tensorflow,
    "jax": _jax,
    "flax": _flax,
    "onnx": _onnx,
}


def random_geometry(name: str, rng: random.Random) -> Geometry:
    """A window with an output: any crops, crops that differ by less than a stride, or those of a
    random native call.
    """
    while True:
        if rng.random() < 0.3:
            geometry = random_native(name, rng)[1]
        else:
            near = rng.random() < 0.4
            geometry = Geometry(
                axes=tuple(_cropped(a, rng, near) for a in random_axes(rng)),
                groups=rng.choice([1, 1, 1, 1, 2]),
            )
        if min(geometry.out) >= 1:
            return geometry


def _cropped(axis: Axis, rng: random.Random, near: bool) -> Axis:
    low = rng.randint(0, 4) if near else rng.randint(-2, 4)
    high = low - rng.randint(-1, max(axis.stride, axis.dilation)) if near else rng.randint(-5, 4)
    return replace(axis, crop_low=low, crop_high=high)


# --- every spelling of one window
# -----------------------------------------------------------------------------------


def spellings(name: str, geometry: Geometry, rng: random.Random) -> tuple[list[Native], int]:
    """Calls in normal form that are predicted to take this window, legal or not, and how many there
    were to choose from.

    Axis by axis, so that nothing is missed in the ranges of `_ways`; what the axes have in common
    (the word for the padding) is chosen once for all.
    """
    common: Native = {
        STRIDE.get(name, "strides"): list(geometry.stride),
        DILATION.get(name, "dilations"): list(geometry.dilation),
        **({GROUPS[name]: geometry.groups} if name in GROUPS else {}),
    }
    convention, found, total = conventions.get(name), [], 0
    for shared, options in _ways(name):
        per_axis = [
            [way for way in options(axis) if _takes(name, {**shared, **_joined([way])}, axis)]
            for axis in geometry.axes
        ]
        total += math.prod(map(len, per_axis))
        found += [
            normal_form(name, {**common, **shared, **_joined(ways)}, geometry.rank)
            for ways in _nearest(per_axis, geometry.axes, rng)
        ]
    exact = [
        n
        for n in found
        if convention.geometry(n, size=geometry.size, kernel=geometry.kernel) == geometry
    ]
    if len(exact) < len(found):  # groups are the one thing that axes do not have
        assert name not in GROUPS
        total = 0
    return exact, total


def _nearest(
    per_axis: list[list[Native]], axes: Sequence[Axis], rng: random.Random
) -> list[tuple[Native, ...]]:
    """All combinations of the axes' ways, or of too many those with the fewest strange numbers, and
    some others.
    """

    def strangeness(ways: tuple[Native, ...]) -> tuple[int, float]:
        strange = 0
        for way, axis in zip(ways, axes, strict=True):
            numbers = [
                n for value in way.values() for n in (value if isinstance(value, list) else [value])
            ]
            strange += sum(n < 0 for n in numbers) + (
                way.get("output_padding", 0) >= max(axis.stride, axis.dilation)
            )
        return strange, rng.random()

    ordered = sorted(itertools.product(*per_axis), key=strangeness)
    if len(ordered) <= MOST_SPELLINGS:
        return ordered
    first = MOST_SPELLINGS * 3 // 4
    return ordered[:first] + rng.sample(ordered[first:], MOST_SPELLINGS - first)


def _takes(name: str, arguments: Native, axis: Axis) -> bool:
    """Whether the arguments of one axis are predicted to take its window."""
    plain = {
        STRIDE.get(name, "strides"): axis.stride,
        DILATION.get(name, "dilations"): axis.dilation,
    }
    native = normal_form(name, {**plain, **arguments}, 1)
    return conventions.get(name).geometry(native, size=[axis.size], kernel=[axis.kernel]).axes == (
        axis,
    )


def _joined(ways: Sequence[Native]) -> Native:
    """Arguments of single axes as the arguments of all: lists, and ONNX's pads with all begins
    first.
    """
    joined: Native = {key: [way[key] for way in ways] for key in ways[0] if key != "pads"}
    if "pads" in ways[0]:
        joined["pads"] = [way["pads"][0] for way in ways] + [way["pads"][1] for way in ways]
    return joined


def _ways(name: str) -> Iterator[tuple[Native, Any]]:
    """(arguments that all axes share, a function of an axis that lists arguments for it), in ranges
    beyond what is legal.
    """

    def extras(axis: Axis) -> range:
        return range(-2, max(axis.stride, axis.dilation, -axis.crop_high) + 4)

    def near(number: int) -> range:
        return range(number - 1, number + 2)

    nothing: Native = {}
    match name:
        case "torch":
            yield (
                nothing,
                lambda a: [
                    {"padding": p, "output_padding": q} for p in near(a.crop_low) for q in extras(a)
                ],
            )
            yield (
                nothing,
                lambda a: [
                    {"padding": p, "output_size": n} for p in near(a.crop_low) for n in near(a.out)
                ],
            )
        case "keras":
            for word in ("same", "valid"):
                yield {"padding": word}, lambda a: [{}]
                yield {"padding": word}, lambda a: [{"output_padding": q} for q in extras(a)]
        case "tensorflow":
            for word in ("SAME", "VALID"):
                yield {"padding": word}, lambda a: [{}]
                yield {"padding": word}, lambda a: [{"output_shape": n} for n in near(a.out)]
            yield (
                nothing,
                lambda a: [
                    {"padding": [p, q]} for p in near(a.crop_low) for q in near(a.crop_high)
                ],
            )
            # the window does not depend on the high pad where output_shape is given: those that
            # leave fewer than the stride, and some around them
            yield (
                nothing,
                lambda a: [
                    {"padding": [a.crop_low, a.crop_high + q], "output_shape": a.out}
                    for q in range(-2, a.stride + 3)
                ],
            )
        case "jax" | "flax":
            for word in ("SAME", "VALID"):
                yield {"padding": word}, lambda a: [{}]
            yield (
                nothing,
                lambda a: [
                    {"padding": [p, q]}
                    for p in near(a.extent - 1 - a.crop_low)
                    for q in near(a.extent - 1 - a.crop_high)
                ],
            )
        case "onnx":
            yield (
                nothing,
                lambda a: [
                    {"pads": [b, a.crop_high + q], "output_padding": q}
                    for b in near(a.crop_low)
                    for q in extras(a)
                ],
            )
            for word in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
                yield {"auto_pad": word}, lambda a: [{"output_padding": q} for q in extras(a)]
                yield (
                    {"auto_pad": word},
                    lambda a: [{"output_padding": q, "output_shape": a.out} for q in extras(a)],
                )


def equal_geometries(geometry: Geometry) -> Iterator[Geometry]:
    """Windows of the same numbers: a size of 1 does not see its stride, a kernel of 1 not its
    dilation.
    """
    for stride, dilation in itertools.product([None, *range(1, 7)], [None, 1, 2, 3, 4]):
        axes = tuple(
            replace(
                axis,
                stride=stride if stride and axis.size == 1 else axis.stride,
                dilation=dilation if dilation and axis.kernel == 1 else axis.dilation,
            )
            for axis in geometry.axes
        )
        if axes != geometry.axes:
            yield replace(geometry, axes=axes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nowhere:
    """A window that the convention calls Unrepresentable: how many spellings there are in the
    ranges, and how many are tried.
    """

    there: int
    tried: int


def calls(name: str, count: int, seed: int) -> Iterator[Call | Nowhere]:
    """What is asked of a framework of that convention; a Nowhere stands before the calls that must
    be refused.
    """
    rng, convention = random.Random(f"{seed} {name}"), conventions.get(name)
    for _ in range(count):
        native, geometry = random_native(name, rng)
        yield Call(part="native", native=native, geometry=geometry, seed=rng.randrange(2**32))
    for _ in range(count):
        geometry = random_geometry(name, rng)
        found = convention.native(geometry)
        if not isinstance(found, Unrepresentable):
            yield Call(part="canonical", native=found, geometry=geometry, seed=rng.randrange(2**32))
            continue
        others, total = spellings(name, geometry, rng)
        yield Nowhere(there=total, tried=len(others))
        for native in others:
            yield Call(part="other", native=native, geometry=geometry, seed=rng.randrange(2**32))
        for same in equal_geometries(geometry):
            again = convention.native(same)
            if not isinstance(again, Unrepresentable):
                yield Call(part="equal", native=again, geometry=same, seed=rng.randrange(2**32))
                break


# --- what came of it
# ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One call's status, and what explains it in words that calls with the same cause share."""

    call: Call
    status: str
    cause: str = ""
    detail: str = ""

    @property
    def fails(self) -> bool:
        """Whether the module or the framework is wrong here, and nobody knew."""
        if self.status == "agrees":
            return self.call.part == "other"
        if self.status == "refused":
            return self.call.part == "canonical"
        return self.status in ("differs", "crashed")


@dataclass(slots=True, kw_only=True)
class Sweep:
    """What one adapter made of all its calls."""

    adapter: str
    findings: list[Finding] = field(default_factory=list)
    unrepresentable: int = 0
    cut: int = 0
    seconds: float = 0.0

    def counts(self, part: str) -> Counter[str]:
        return Counter(finding.status for finding in self.findings if finding.call.part == part)

    @property
    def failures(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.fails]


def expected(call: Call, tensors: Tensors) -> Any:
    """The oracle on the predicted window; where that has nothing, an array with no elements."""
    out = [max(n, 0) for n in call.geometry.out]
    if 0 in out:
        return np.zeros((len(tensors.x), tensors.kernel.shape[1] * call.geometry.groups, *out))
    bias = None if tensors.bias is None else tensors.bias.astype(np.float64)
    return transpose_into_window(
        tensors.x.astype(np.float64), tensors.kernel.astype(np.float64), bias, call.geometry
    )


def judge(adapter: str, call: Call, tensors: Tensors, outcome: Outcome) -> Finding:
    """The status of a call, and its cause."""
    match outcome:
        case Output(y=y):
            finding = _compared(call, tensors, y)
        case Raised(type=kind, message=message):
            finding = Finding(call=call, status="refused", cause=f"{kind}: {_shortened(message)}")
        case Unsupported(reason=reason):
            finding = Finding(
                call=call, status="refused", cause=f"unsupported: {_shortened(reason)}"
            )
        case Crashed(message=message):
            finding = Finding(
                call=call, status="crashed", cause=_shortened(message), detail=message
            )
        case other:
            finding = Finding(call=call, status="crashed", cause=_shortened(str(other)))
    source = known(adapter, finding, tensors, outcome)
    return finding if source is None else replace(finding, status="known", cause=source)


def _compared(call: Call, tensors: Tensors, y: Any) -> Finding:
    should = expected(call, tensors)
    if y.shape == should.shape and np.array_equal(y, should):
        return Finding(call=call, status="agrees", cause=family(call))
    return Finding(
        call=call,
        status="differs",
        cause=f"{'values' if y.shape == should.shape else 'shape'}: {family(call)}",
        detail=(
            f"got shape {list(y.shape)}, should be {list(should.shape)}; its window: "
            f"{taken(call, tensors, y)}"
        ),
    )


def _shortened(message: str) -> str:
    """The last line that says something, numbers left out, so that messages of one cause are
    one.
    """
    lines = [line for line in message.splitlines() if line.strip()] or [""]
    telling = next(
        (line for line in lines if re.search(r"Check failed|[Ee]rror|should|must|not ", line)),
        lines[0],
    )
    return re.sub(
        r"\s+", " ", re.sub(r"-?\d+", "#", re.sub(r"\[[-\d, ]*\]|\([-\d, ]*\)", "[#]", telling))
    ).strip()[:200]


def family(call: Call) -> str:
    """Which arguments a call uses, without their numbers."""
    words = []
    for key, value in call.native.items():
        if isinstance(value, str):
            words.append(f"{key} {value}")
        elif key in ("pads", "padding", "output_size", "output_shape") or (
            key == "output_padding" and value and any(value)
        ):
            words.append(key)
    axes = call.geometry.axes
    words += ["dilated"] * any(a.dilation > 1 and a.kernel > 1 for a in axes) + ["groups"] * (
        call.geometry.groups > 1
    )
    words += ["extent < stride"] * any(a.extent < a.stride for a in axes)
    return ", ".join(words)


def taken(call: Call, tensors: Tensors, y: Any) -> str:
    """The crops of the window whose numbers these are, as far as one is found."""
    axes = call.geometry.axes
    if len(y.shape) != 2 + len(axes) or 0 in y.shape:
        return "empty"
    for lows in itertools.product(*(range(-axis.stride - 4, axis.full) for axis in axes)):
        moved = tuple(
            replace(axis, crop_low=low, crop_high=axis.full - low - out)
            for axis, low, out in zip(axes, lows, y.shape[2:], strict=True)
        )
        other = replace(call, geometry=replace(call.geometry, axes=moved))
        if np.array_equal(expected(other, tensors), y):
            return f"crops {other.geometry.crops}"
    return "of no crops"


def known(adapter: str, finding: Finding, tensors: Tensors, outcome: Outcome) -> str | None:
    """The source that tells of this failure, or None: precise conditions, so that a failure next to
    a known one is seen.
    """
    if not finding.fails:
        return None
    native, axes, message = finding.call.native, finding.call.geometry.axes, finding.cause
    dilated = any(axis.dilation > 1 for axis in axes)
    match adapter, finding.status:
        case "onnxruntime", "refused":
            extras = zip(axes, native["output_padding"], strict=True)
            if (
                any(axis.stride <= extra < axis.dilation for axis, extra in extras)
                and "inconsistent with input" in message
            ):
                return "stride <= output_padding < dilation is refused: microsoft/onnxruntime#14208"
        case "onnxruntime", "differs":
            other = _onnxruntime_window(finding.call)
            if (
                other is not None
                and isinstance(outcome, Output)
                and np.array_equal(outcome.y, expected(other, tensors))
            ):
                return (
                    "a total padding below 0 is taken for 0: "
                    "cases/known_differences/conventions.yaml, measured with 1.31.1"
                )
        case "tensorflow", "refused":
            explicit = not isinstance(native["padding"], str)
            if explicit and dilated and "do not yet support dilation rates" in message:
                return (
                    "dilation with explicit padding does not go to oneDNN: "
                    "tensorflow/tensorflow#28264"
                )
            if (
                explicit
                and native["groups"] > 1
                and "Gradients for grouped convolutions are not supported" in message
            ):
                return (
                    "groups with explicit padding do not go to oneDNN: measured with "
                    "tensorflow 2.21.0"
                )
            if (
                native["groups"] > 1
                and len(axes) == 3
                and "input and filter must have the same depth" in message
            ):
                return (
                    "tf.nn.conv3d_transpose has no groups on the CPU: measured with tensorflow "
                    "2.21.0"
                )
        case "tensorflow", "agrees":
            # (L - extent) / stride + 1 is 1 for L - extent > -stride where division truncates;
            # TensorFlow's own kernels refuse it
            outside = [axis for axis in axes if not axis.full <= axis.out < axis.full + axis.stride]
            if native["padding"] == "VALID" and all(
                a.size == 1 and a.full - a.stride < a.out < a.full for a in outside
            ):
                return (
                    "oneDNN takes VALID with an output shorter than the kernel from a size of "
                    "1: measured with tensorflow 2.21.0"
                )
        case "jax", "refused":
            if native["feature_group_count"] > 1 and isinstance(outcome, Unsupported):
                return "jax.lax.conv_transpose has no groups: conformance/adapters/jax.py"
        case "onnx-reference", _:
            return _known_of_the_reference(finding, tensors, outcome)
        case (("jax" | "jax-general" | "flax" | "keras-jax"), "crashed"):
            if "Window dimensions do not match RHS shape" in message:
                return "abort in XLA's algebraic simplifier: cases/known_differences/jax.yaml"
        case "keras-tensorflow", "refused":
            extras = zip(axes, native["output_padding"] or [], strict=False)
            if native["padding"] == "same" and any(
                axis.extent % 2 == 0 and extra == 0 for axis, extra in extras
            ):
                return (
                    "same, an even kernel and output_padding 0: "
                    "cases/known_differences/tensorflow.yaml"
                )
    return None


def _known_of_the_reference(finding: Finding, tensors: Tensors, outcome: Outcome) -> str | None:
    """The same for ONNX's ReferenceEvaluator, which checks nothing and has groups wrong."""
    call, native, axes = finding.call, finding.call.native, finding.call.geometry.axes
    extras = native["output_padding"]
    if not isinstance(outcome, Output):
        if any(
            axis.stride <= extra < axis.dilation for axis, extra in zip(axes, extras, strict=True)
        ):
            return (
                "stride <= output_padding < dilation is refused: "
                "cases/known_differences/conventions.yaml, onnx 1.23.2"
            )
        return "groups: onnx/onnx#8446" if native["group"] > 1 else None
    bounds = [max(axis.stride, axis.dilation) for axis in axes]
    if min(native.get("pads", [0]) + extras) < 0 or any(
        q >= bound for q, bound in zip(extras, bounds, strict=True)
    ):
        return (
            "it computes what the specification rules out: "
            "cases/known_differences/conventions.yaml, onnx 1.23.2"
        )
    named = native.get("auto_pad", "").startswith("SAME")
    if "pads" in native and named and _has(call, native["pads"], tensors, outcome):
        return (
            "pads win over auto_pad, which the specification rules out together: measured with "
            "onnx 1.23.2"
        )
    if (
        "output_shape" in native
        and not named
        and _has(call, native.get("pads", [0] * len(axes)), tensors, outcome)
    ):
        return "output_shape without SAME_* starts at the pads, 0 without any: onnx/onnx#4527"
    if (
        named
        and any(axis.full + extra < axis.out for axis, extra in zip(axes, extras, strict=True))
        and call.part == "other"
    ):
        return (
            "a total padding below 0 is halved downwards, which the specification does not "
            "say: measured with onnx 1.23.2"
        )
    if tensors.bias is not None and native["group"] > 1:
        first = np.tile(tensors.bias[: tensors.kernel.shape[1]], native["group"])
        if np.array_equal(expected(call, tensors._replace(bias=first)), outcome.y):
            return "every group gets the bias of the first: onnx/onnx#8446"
    return None


def _has(call: Call, lows: Sequence[int], tensors: Tensors, outcome: Output) -> bool:
    """Whether the output is that of the window of its own size that begins at the first of
    `lows`.
    """
    sizes = outcome.y.shape[2:]
    axes = tuple(
        replace(axis, crop_low=low, crop_high=axis.full - low - out)
        for axis, low, out in zip(call.geometry.axes, lows, sizes, strict=False)
    )
    return np.array_equal(
        expected(replace(call, geometry=replace(call.geometry, axes=axes)), tensors), outcome.y
    )


def _onnxruntime_window(call: Call) -> Call | None:
    """The window that ONNX Runtime takes where a total padding is below 0: nothing prepended, and
    SAME_* appends nothing.
    """
    native, axes = call.native, []
    if "output_shape" not in native and not native.get("auto_pad", "").startswith("SAME"):
        return None
    for axis, extra in zip(call.geometry.axes, native["output_padding"], strict=True):
        if axis.full + extra < axis.out:
            out = axis.out if "output_shape" in native else axis.full + extra
            axis = replace(axis, crop_low=0, crop_high=axis.full - out)
        axes.append(axis)
    return replace(call, geometry=replace(call.geometry, axes=tuple(axes)))


def sweep(adapter: str, count: int, seed: int) -> Sweep:
    """Ask one adapter everything; raises RuntimeError where it does not start."""
    began = time.monotonic()
    engine = Engine(Spec.of(adapter, label=adapter, python=sys.executable), timeout=60.0)
    result = Sweep(adapter=adapter)
    try:
        greeting = engine.start()
        if not isinstance(greeting, Greeting):
            raise RuntimeError(f"{adapter} does not start: {greeting}")
        for call in calls(greeting.convention, count, seed):
            if isinstance(call, Nowhere):
                result.unrepresentable += 1
                result.cut += call.there > call.tried
                continue
            if not engine.running and not isinstance(again := engine.start(), Greeting):
                raise RuntimeError(f"{adapter} does not start again: {again}")
            tensors = call.tensors()
            outcome = engine.call(tensors, call.native, greeting.devices[0])
            result.findings.append(judge(adapter, call, tensors, outcome))
    finally:
        engine.kill()
    result.seconds = time.monotonic() - began
    return result


def report(result: Sweep) -> Iterator[str]:
    """The table, and each distinct cause with its smallest example."""
    yield (
        f"{result.adapter}: {len(result.findings)} calls in {result.seconds:.0f} s; "
        f"{result.unrepresentable} windows unrepresentable ({result.cut} with more spellings than "
        "were tried)"
    )
    yield "  " + "".join(f"{title:>10}" for title in ("", *STATUSES))
    for part in PARTS:
        counts = result.counts(part)
        yield "  " + f"{part:>10}" + "".join(f"{counts[status]:>10}" for status in STATUSES)
    causes: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in result.findings:
        if finding.status != "agrees" or finding.fails:
            causes.setdefault((finding.status, finding.call.part, finding.cause), []).append(
                finding
            )
    for (status, part, cause), found in sorted(
        causes.items(), key=lambda entry: (not entry[1][0].fails, entry[0])
    ):
        yield f"  {'FAILS ' if found[0].fails else ''}{part} {status} {len(found)} times: {cause}"
        least = min(found, key=lambda finding: finding.call.size())
        if status != "refused" or least.fails:
            yield f"      {least.call.text()}"
            yield from (f"      {line}" for line in least.detail.splitlines())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "adapters",
        nargs="*",
        metavar="ADAPTER",
        help=f"of {', '.join(REGISTRY)}; all of them if none is named",
    )
    options = parser.parse_args()
    failures = 0
    for adapter in options.adapters or REGISTRY:
        result = sweep(adapter, options.count, options.seed)
        failures += len(result.failures)
        print("\n".join(report(result)), flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
