"""The sweep of conventions: real frameworks on few random calls, and whether it notices a
convention that is wrong.
"""

from __future__ import annotations

import random
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import helpers
import numpy as np
import pytest
from helpers import CHECKOUT, REQUESTED

from conformance import conventions
from conformance.adapters import REGISTRY
from conformance.conventions import Unrepresentable, normal_form, onnx
from conformance.geometry import Axis, Geometry
from conformance.outcomes import Crashed, Output, Raised, Unsupported

TOOL = CHECKOUT / "tools" / "corpus" / "sweep_conventions.py"
# How many calls of each kind: one adapter of each spelling (flax spells as jax does), fewer where
# every shape is compiled.
ADAPTERS = {"torch": 40, "onnxruntime": 40, "jax-general": 30, "tensorflow": 40, "keras-torch": 40}

pytestmark = pytest.mark.skipif(
    not TOOL.is_file(), reason="the tool is in a checkout or a source distribution, not in a wheel"
)


PARTS = {
    "sweep_conventions": ("sweep",),
    "sweeping.calls": ("Call",),
    "sweeping.draws": ("random_geometry", "random_native"),
    "sweeping.findings": ("expected",),
    "sweeping.judgement": ("judge",),
    "sweeping.known": ("onnxruntime_window",),
    "sweeping.questions": ("calls", "equal_geometries"),
    "sweeping.report": ("report",),
    "sweeping.spellings": ("spellings",),
}


@pytest.fixture(scope="module")
def tool() -> Any:
    """What the tests ask of the modules of the sweep."""
    found = {name: getattr(helpers.tool(part), name) for part in PARTS for name in PARTS[part]}
    return SimpleNamespace(**found)


def agreed(result: Any, part: Any) -> Any:
    return result.counts(part)["agrees"]


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_framework_takes_the_windows_its_convention_predicts(tool: Any, adapter: Any) -> None:
    """What it accepts has the predicted window, what `native` gives it accepts, what is
    Unrepresentable it refuses.
    """
    if adapter not in REQUESTED:
        pytest.skip(f"{adapter} is not requested")
    result = tool.sweep(adapter, ADAPTERS[adapter], 1)
    assert result.failures == [], "\n".join(tool.report(result))
    # a sweep in which everything is refused proves nothing
    assert agreed(result, "native") >= 15
    assert agreed(result, "canonical") >= 4
    everything = REGISTRY[adapter].module.endswith(".jax")
    assert (result.unrepresentable == 0) == everything
    assert (result.counts("other")["refused"] == 0) == everything


@pytest.mark.skipif("onnxruntime" not in REQUESTED, reason="onnxruntime is not requested")
@pytest.mark.parametrize(
    ("function", "wrong", "part", "status"),
    [
        (
            "_begin",
            lambda total, *, upper: total - total // 2 if upper else total // 2,
            "native",
            "differs",
        ),
        ("_pads", lambda axis: "pads must be symmetric", "other", "agrees"),
        (
            "_pads",
            lambda axis: (axis.crop_low, max(axis.crop_high, 0), max(-axis.crop_high, 0)),
            "canonical",
            "refused",
        ),
    ],
    ids=["a wrong window", "wrongly unrepresentable", "wrongly representable"],
)
def test_a_wrong_convention_fails_on_the_real_framework(
    tool: Any, monkeypatch: pytest.MonkeyPatch, function: Any, wrong: Any, part: Any, status: Any
) -> None:
    """The odd element at the wrong end, a window that has a spelling, and one that has none, each
    show as what they are.
    """
    monkeypatch.setattr(onnx, function, wrong)
    failures = tool.sweep("onnxruntime", 20, 1).failures
    assert (part, status) in {(finding.call.part, finding.status) for finding in failures}


@pytest.mark.parametrize("name", conventions.NAMES)
def test_other_spellings_are_predicted_to_take_the_window(tool: Any, name: Any) -> None:
    """Every call that must be refused stands for the very window that the convention calls
    Unrepresentable.
    """
    rng, convention, found = random.Random(1), conventions.get(name), 0
    for _ in range(60):
        geometry = tool.random_geometry(name, rng)
        if not isinstance(convention.native(geometry), Unrepresentable):
            continue
        for native in tool.spellings(name, geometry, rng)[0]:
            assert (
                convention.geometry(native, size=geometry.size, kernel=geometry.kernel) == geometry
            )
            assert normal_form(name, native, geometry.rank) == native
            found += 1
    assert (found > 0) == (name not in ("jax", "flax"))


def test_the_canonical_spelling_is_among_all_spellings(tool: Any) -> None:
    """The search for spellings finds the canonical one wherever there is one, so it would find
    others like it.
    """
    rng = random.Random(2)
    for name in conventions.NAMES:
        found = 0
        for _ in range(40):
            geometry = tool.random_geometry(name, rng)
            native = conventions.get(name).native(geometry)
            if geometry.rank > 1 or isinstance(native, Unrepresentable):
                continue
            assert native in tool.spellings(name, geometry, rng)[0], name
            found += 1
        assert found, name


def test_spellings_of_one_window_in_torch(tool: Any) -> None:
    """A start that loses less than the end has two calls in torch, both illegal: a negative
    output_padding or output_size.
    """
    axis = Axis(size=3, kernel=3, stride=2, crop_low=1, crop_high=3)
    found, total = tool.spellings("torch", Geometry(axes=(axis,)), random.Random(1))
    plain = {"stride": [2], "padding": [1], "dilation": [1], "groups": 1}
    assert found == [
        {**plain, "output_padding": [-2]},
        {**plain, "output_padding": [0], "output_size": [3]},
    ]
    assert total == 2


@pytest.mark.parametrize("name", conventions.NAMES)
def test_the_same_seed_asks_the_same(tool: Any, name: Any) -> None:
    """A sweep can be repeated: the calls depend on the convention, the count and the seed alone,
    and another seed asks others.
    """
    first, again, other = (list(tool.calls(name, 10, seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("name", conventions.NAMES)
def test_what_is_drawn_is_legal_and_illegal_and_of_every_kind(tool: Any, name: Any) -> None:
    """Ranks, both signs of both crops, dilation with stride, kernels shorter than strides, and
    groups where there are.
    """
    rng = random.Random(1)
    for draw in (lambda: tool.random_native(name, rng)[1], lambda: tool.random_geometry(name, rng)):
        geometries = [draw() for _ in range(400)]
        axes = [axis for geometry in geometries for axis in geometry.axes]
        assert {geometry.rank for geometry in geometries} == {1, 2, 3}
        assert {axis.kernel for axis in axes} == {axis.size for axis in axes} == {1, 2, 3, 4, 5}
        assert any(axis.stride > 1 and axis.dilation > 1 for axis in axes)
        assert any(axis.extent < axis.stride for axis in axes)
        assert {np.sign(axis.crop_high) for axis in axes} == {-1, 0, 1}
        assert {np.sign(axis.crop_low) for axis in axes} >= {0, 1}
    assert -1 in {np.sign(axis.crop_low) for axis in axes}
    assert {geometry.groups for geometry in geometries} == {1, 2}


@pytest.mark.parametrize(
    ("name", "key", "values"),
    [
        ("keras", "padding", {"same", "valid"}),
        ("tensorflow", "padding", {"SAME", "VALID", list}),
        ("jax", "padding", {"SAME", "VALID", list}),
        ("jax", "use_consistent_padding", {True, None}),
        ("flax", "padding", {"SAME", "VALID", list}),
        ("onnx", "auto_pad", {"SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET", None}),
        ("onnx", "output_shape", {list, None}),
        ("onnx", "pads", {list, None}),
        ("torch", "output_size", {list, None}),
        ("tensorflow", "output_shape", {list, None}),
        ("keras", "output_padding", {list, None}),
    ],
)
def test_every_way_to_say_padding_is_drawn(tool: Any, name: Any, key: Any, values: Any) -> None:
    """Each word, numbers, and leaving it away."""
    rng = random.Random(1)
    drawn = [tool.random_native(name, rng)[0].get(key) for _ in range(200)]
    assert {list if isinstance(value, list) else value for value in drawn} == values


def one_call(tool: Any, name: Any, native: Any, **axis: Any) -> Any:
    """A canonical call on one axis, or on several alike ("rank")."""
    rank = axis.pop("rank", 1)
    plain = {"size": 3, "kernel": 3, **axis}
    full = normal_form(name, native, rank)
    geometry = conventions.get(name).geometry(
        full, size=[plain["size"]] * rank, kernel=[plain["kernel"]] * rank
    )
    return tool.Call(part="canonical", native=full, geometry=geometry, seed=1)


ONEDNN = Raised(
    type="InvalidArgumentError",
    message="Current CPU implementations do not yet support dilation rates larger than 1.",
)
GROUPED = Raised(
    type="InvalidArgumentError",
    message="Gradients for grouped convolutions are not supported on CPU.",
)
DEPTH = Raised(
    type="InvalidArgumentError", message="input and filter must have the same depth: 2 vs 1"
)
RESHAPE = Raised(type="ValueError", message="cannot reshape array of size 8 into shape (1,4)")
TOO_MUCH = Raised(
    type="InvalidArgument",
    message="Computed output shape is inconsistent with input spatial dimensions.",
)
ABORT = Crashed(
    message="died by signal 6 (SIGABRT)\nCheck failed: Window dimensions do not match RHS shape"
)
PRIMITIVE = Raised(
    type="AbortedError", message="could not create a primitive descriptor for the convolution"
)
PADS = {"padding": [[1, 1], [1, 1]]}


@pytest.mark.parametrize(
    ("adapter", "native", "axis", "outcome", "status"),
    [
        ("onnxruntime", {"dilations": 2, "output_padding": 1}, {}, TOO_MUCH, "known"),
        ("onnxruntime", {"strides": 2, "output_padding": 1}, {}, TOO_MUCH, "refused"),
        ("onnxruntime", {"dilations": 2}, {}, TOO_MUCH, "refused"),
        ("onnxruntime", {"dilations": 2, "output_padding": 1}, {}, Raised(type="Fail",
        message="something else"), "refused"),
        ("tensorflow", {**PADS, "dilations": 2}, {"rank": 2}, ONEDNN, "known"),
        ("tensorflow", {"dilations": 2}, {"rank": 2}, ONEDNN, "refused"),
        ("tensorflow", PADS, {"rank": 2}, ONEDNN, "refused"),
        ("tensorflow", {**PADS, "groups": 2}, {"rank": 2}, GROUPED, "known"),
        ("tensorflow", {"groups": 2}, {"rank": 2}, GROUPED, "refused"),
        ("tensorflow", {"groups": 2}, {"rank": 3}, DEPTH, "known"),
        ("tensorflow", {"groups": 2}, {"rank": 2}, DEPTH, "refused"),
        ("keras-tensorflow", {"padding": "same", "output_padding": 0}, {"kernel": 2}, PRIMITIVE,
        "known"),
        ("keras-tensorflow", {"padding": "same", "output_padding": 0}, {"kernel": 3}, PRIMITIVE,
        "refused"),
        ("keras-tensorflow", {"padding": "same"}, {"kernel": 2}, PRIMITIVE, "refused"),
        ("keras-torch", {"padding": "same", "output_padding": 0}, {"kernel": 2}, PRIMITIVE,
        "refused"),
        ("onnx-reference", {"dilations": 2, "output_padding": 1}, {}, RESHAPE, "known"),
        ("onnx-reference", {"group": 2}, {}, RESHAPE, "known"),
        ("onnx-reference", {"strides": 2, "output_padding": 1}, {}, RESHAPE, "refused"),
        ("jax", {"feature_group_count": 2}, {}, Unsupported(reason="no groups"), "known"),
        ("jax", {}, {}, Unsupported(reason="no groups"), "refused"),
        ("jax-general", {"feature_group_count": 2}, {}, Unsupported(reason="no groups"), "refused"),
        ("jax-general", {}, {}, ABORT, "known"),
        ("jax-general", {}, {}, Crashed(message="died by signal 11 (SIGSEGV)"), "crashed"),
        ("torch", {}, {}, ABORT, "crashed"),
    ],
)  # fmt: skip
def test_a_known_defect_is_recognised_and_its_neighbours_are_not(
    tool: Any, adapter: Any, native: Any, axis: Any, outcome: Any, status: Any
) -> None:
    """Each known failure needs its own arguments and its own message; one that lacks either fails
    the sweep.
    """
    call = one_call(tool, adapter_convention(adapter), native, **axis)
    finding = tool.judge(adapter, call, call.tensors(), outcome)
    assert finding.status == status
    assert finding.fails == (status != "known")


def adapter_convention(adapter: Any) -> Any:
    return "onnx" if adapter == "onnxruntime" else adapter.partition("-")[0]


def test_a_total_below_zero_is_known_only_with_the_window_that_onnxruntime_takes(tool: Any) -> None:
    """SAME_UPPER with a kernel shorter than its stride: the short output is known, the same shape
    with other numbers is not.
    """
    call = one_call(tool, "onnx", {"strides": 4, "auto_pad": "SAME_UPPER"}, kernel=2)
    tensors = call.tensors()
    short = tool.expected(tool.onnxruntime_window(call), tensors).astype(np.float32)
    assert short.shape[2:] == (10,)
    assert tool.judge("onnxruntime", call, tensors, Output(y=short)).status == "known"
    assert tool.judge("onnxruntime", call, tensors, Output(y=short + 1)).status == "differs"
    assert tool.judge("torch", call, tensors, Output(y=short)).status == "differs"


@pytest.mark.parametrize(
    ("size", "out", "padding", "fails"),
    [(1, 4, "VALID", False), (1, 2, "VALID", True), (2, 7, "VALID", True), (1, 4, [[0, 1]], True)],
)
def test_tensorflows_short_outputs_are_known_from_a_size_of_one_alone(
    tool: Any, size: Any, out: Any, padding: Any, fails: Any
) -> None:
    """VALID with less than the full output is taken by oneDNN where the size is 1 and less than the
    stride is missing.
    """
    call = one_call(
        tool,
        "tensorflow",
        {"strides": 3, "padding": padding, "output_shape": out},
        size=size,
        kernel=5,
    )
    call = replace(call, part="other")
    finding = tool.judge(
        "tensorflow", call, call.tensors(), Output(y=tool.expected(call, call.tensors()))
    )
    assert (finding.status, finding.fails) == (("agrees", True) if fails else ("known", False))


@pytest.mark.parametrize(
    ("native", "part", "low", "source"),
    [
        ({"strides": 2, "output_shape": [6]}, "native", 0, "4527"),
        ({"strides": 2, "pads": [1, 0], "auto_pad": "SAME_UPPER"}, "native", 1, "pads win"),
        ({"strides": 2, "pads": [0, -1]}, "other", 0, "rules out"),
        (
            {"strides": 2, "auto_pad": "SAME_UPPER", "output_shape": [8]},
            "other",
            -1,
            "halved downwards",
        ),
    ],
)
def test_what_the_reference_evaluator_computes_is_known_by_its_window(
    tool: Any, native: Any, part: Any, low: Any, source: Any
) -> None:
    """Its own window, taken with arguments that explain it, is known; with legal pads it is no
    excuse.
    """
    call = replace(one_call(tool, "onnx", native), part=part)
    tensors = call.tensors()
    if native.get("auto_pad") == "SAME_UPPER" and "pads" in native:
        y = tool.expected(
            one_call(tool, "onnx", {"strides": 2, "pads": native["pads"]}), tensors
        )  # another size, too
    else:
        axis = call.geometry.axes[0]
        moved = replace(axis, crop_low=low, crop_high=axis.full - low - axis.out)
        y = tool.expected(replace(call, geometry=Geometry(axes=(moved,))), tensors)
    finding = tool.judge("onnx-reference", call, tensors, Output(y=y))
    assert finding.status == "known"
    assert source in finding.cause
    assert tool.judge("onnxruntime", call, tensors, Output(y=y)).fails
    plain = one_call(tool, "onnx", {"strides": 2, "pads": [1, 1]})
    assert tool.judge(
        "onnx-reference",
        plain,
        plain.tensors(),
        Output(y=tool.expected(plain, plain.tensors()) + 1),
    ).fails


def test_a_shifted_output_says_which_window_it_is(tool: Any) -> None:
    """A finding that differs names the crops whose numbers came back."""
    call = one_call(tool, "torch", {"stride": 2, "padding": 1, "output_padding": 1}, kernel=3)
    shifted = Geometry(axes=(Axis(size=3, kernel=3, stride=2, crop_low=0, crop_high=1),))
    y = tool.expected(replace(call, geometry=shifted), call.tensors())
    finding = tool.judge("torch", call, call.tensors(), Output(y=y))
    assert (finding.status, finding.fails) == ("differs", True)
    assert finding.detail.endswith("its window: crops ((0, 1),)")


def test_a_window_without_elements_agrees_only_with_an_empty_array(tool: Any) -> None:
    """Where less than nothing is predicted, an array with no elements agrees and one with elements
    does not.
    """
    call = one_call(tool, "torch", {"padding": 4}, kernel=3)
    tensors = call.tensors()
    batch, channels = len(tensors.x), tensors.kernel.shape[1]
    assert call.geometry.out == (-3,)
    assert (
        tool.judge("torch", call, tensors, Output(y=np.zeros((batch, channels, 0)))).status
        == "agrees"
    )
    assert (
        tool.judge("torch", call, tensors, Output(y=np.zeros((batch, channels, 1)))).status
        == "differs"
    )


def test_equal_numbers_by_another_stride_are_reported_apart(tool: Any) -> None:
    """A size of 1 does not see its stride nor a kernel of 1 its dilation; a larger one has no
    equals.
    """
    one = Geometry(
        axes=(
            Axis(size=1, kernel=1, stride=2, dilation=2),
            Axis(size=2, kernel=2, stride=2, dilation=2),
        )
    )
    for same in tool.equal_geometries(one):
        assert same.axes[1] == one.axes[1]
        assert (same.axes[0].full, same.axes[0].out) == (1, 1)
    assert not list(tool.equal_geometries(Geometry(axes=one.axes[1:])))
