"""The porter: calls are read, every ordered pair computes the same, single calls are found, traps
are named.
"""

from __future__ import annotations

import ast
import itertools
import json
import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance import conventions
from conformance.adapters import REGISTRY
from conformance.commands import port as command
from conformance.conventions import Unrepresentable
from conformance.errors import ConformanceError, PortError
from conformance.geometry import Axis, Geometry
from conformance.porting import calls, port, port_model, recipes, running
from conformance.porting.layer import Channels
from conformance.porting.operands import canonical, integers, oracle, plan_on_oracle, stored

COUNT = min(int(os.environ.get("CONFORMANCE_PORT_COUNT", "6")), 200)
PAIRS = list(itertools.permutations(conventions.NAMES, 2))
TORCH = "ConvTranspose2d(64, 32, 3, stride=2, padding=1, output_padding=1)"

REQUESTED = [
    name
    for name in os.environ.get("CONFORMANCE_TEST_ADAPTERS", "").replace(",", " ").split()
    if name
] or [name for name, entry in REGISTRY.items() if not entry.is_apart]
USED = {
    name: [
        entry
        for adapter, entry in REGISTRY.items()
        if adapter in REQUESTED and entry.module.endswith(f".{name}")
    ]
    for name in conventions.NAMES
}
HERE = [
    name
    for name in conventions.NAMES
    if USED[name] or (name == "onnx" and "onnxruntime" in REQUESTED)
]


# Calls that are drawn


def numbers(rng: Any, low: Any, high: Any, rank: Any) -> Any:
    return [rng.randint(low, high) for _ in range(rank)]


def tuples(values: Any) -> Any:
    return repr(tuple(values))


def pairs(rng: Any, rank: Any, low: Any, high: Any) -> Any:
    return [tuple(numbers(rng, low, high, 2)) for _ in range(rank)]


def drawn(framework: Any, rng: Any) -> Any:
    """A random call in a framework's own words, which it may refuse, and an input for it."""
    rank, groups = rng.choice((1, 2, 2, 2, 3)), rng.choice((1, 1, 2))
    size, kernel = numbers(rng, 1, 5, rank), numbers(rng, 1, 4, rank)
    stride, dilation = (
        numbers(rng, 1, 3, rank),
        numbers(rng, 1, 2, rank) if rng.random() < 0.4 else [1] * rank,
    )
    i, o = rng.randint(1, 2), rng.randint(1, 3)
    c_in, c_out, bias = i * groups, o * groups, rng.random() < 0.6
    shape = [rng.randint(1, 2), c_in, *size]
    match framework:
        case "torch":
            padding = numbers(rng, 0, 3, rank)
            extra = [rng.randrange(max(s, d)) for s, d in zip(stride, dilation, strict=True)]
            text = (
                f"torch.nn.ConvTranspose{rank}d({c_in}, {c_out}, {tuples(kernel)}, "
                f"{tuples(stride)}, {tuples(padding)},"
                f" {tuples(extra)}, {groups}, {bias}, dilation={tuples(dilation)})"
            )
        case "keras":
            if max(stride) > 1:
                dilation = [1] * rank
            extra = rng.choice((None, [rng.randrange(s) for s in stride]))
            text = (
                f"Conv{rank}DTranspose({c_out}, {tuples(kernel)}, strides={tuples(stride)},"
                f' padding="{rng.choice(("same", "valid"))}", output_padding={extra},'
                f" dilation_rate={tuples(dilation)}, use_bias={bias})"
            )
        case "tensorflow":
            word = rng.choice(("SAME", "VALID", "explicit"))
            least = [
                (n - 1) * s + d * (k - 1) + 1
                for n, s, k, d in zip(size, stride, kernel, dilation, strict=True)
            ]
            padding, more, out = repr(word), [rng.randrange(s) for s in stride], "None"
            if word == "explicit":
                chosen = pairs(rng, rank, 0, 2)
                padding = repr([[0, 0], *map(list, chosen), [0, 0]])
                least = [f - a - b for f, (a, b) in zip(least, chosen, strict=True)]
            if word == "SAME":
                least = [(n - 1) * s + 1 for n, s in zip(size, stride, strict=True)]
            if word == "explicit" or groups > 1 or rng.random() < 0.5:
                out = repr([shape[0], *(f + q for f, q in zip(least, more, strict=True)), c_out])
            text = (
                f"tf.nn.conv{rank}d_transpose(x, "
                f"{tuples([*kernel, o if out != 'None' else c_out, c_in])}, {out},"
                f" {tuples(stride)}, {padding}, dilations={tuples(dilation)})"
            )
        case "jax" if groups > 1:
            rhs = (c_out, i, *kernel)
            text = (
                f"lax.conv_general_dilated(x, {tuples(rhs)}, {(1,) * rank}, "
                f"{pairs(rng, rank, -1, 5)},"
                f" lhs_dilation={tuples(stride)}, rhs_dilation={tuples(dilation)}, "
                f"feature_group_count={groups})"
            )
        case "jax":
            padding = rng.choice(("'SAME'", "'VALID'", repr(pairs(rng, rank, -1, 5))))
            spatial = {1: "H", 2: "HW", 3: "HWD"}[rank]
            transposed = rng.random() < 0.3
            inner = [c_out, c_in] if transposed else [c_in, c_out]
            first = f"NC{spatial}", f"IO{spatial}", f"NC{spatial}"
            named, rhs = rng.choice(((None, [*kernel, *inner]), (first, [*inner, *kernel])))
            cuts = not padding.startswith("'") and rng.random() < 0.4
            text = (
                f"jax.lax.conv_transpose(x, {tuples(rhs)}, {tuples(stride)}, {padding}, "
                f"rhs_dilation={tuples(dilation)},"
                f" dimension_numbers={named}, transpose_kernel={transposed}, "
                f"use_consistent_padding={cuts})"
            )
        case "flax":
            padding = rng.choice(("'SAME'", "'VALID'", repr(pairs(rng, rank, -1, 5))))
            text = (
                f"nnx.ConvTranspose({c_in}, {c_out}, {tuples(kernel)}, strides={tuples(stride)}, "
                f"padding={padding},"
                f" kernel_dilation={tuples(dilation)}, transpose_kernel={rng.random() < 0.3}, "
                f"use_bias={bias},"
                " rngs=nnx.Rngs(0))"
            )
        case _:
            attributes = {
                "kernel_shape": kernel,
                "strides": stride,
                "dilations": dilation,
                "group": groups,
            }
            attributes |= {"W": [c_in, o, *kernel]}
            extra = [rng.randrange(max(s, d)) for s, d in zip(stride, dilation, strict=True)]
            match rng.randrange(4):
                case 0:
                    attributes |= {"auto_pad": rng.choice(("SAME_UPPER", "SAME_LOWER", "VALID"))}
                case 1:
                    attributes |= {
                        "output_shape": [n * s for n, s in zip(size, stride, strict=True)]
                    }
                case _:
                    attributes |= {"pads": numbers(rng, 0, 3, 2 * rank), "output_padding": extra}
            text = json.dumps(attributes)
    return text, shape


def ported(source: Any, target: Any, count: Any = COUNT) -> Any:
    """So many ports of random calls that make sense, without proofs; the same each time."""
    rng = random.Random(f"{source} {target}")
    found = []
    for _ in range(40 * count):
        text, shape = drawn(source, rng)
        try:
            found.append(
                (shape, port(text, source=source, target=target, input=shape, prove=False))
            )
        except PortError:
            continue
        if len(found) == count:
            return found
    raise AssertionError(f"too few calls of {source} make sense")


@pytest.fixture(scope="module")
def answers() -> Any:
    """(source, target) -> ports, each with the numbers it is tried on and what is right."""
    found = {}
    for source, target in PAIRS:
        found[source, target] = []
        for seed, (shape, one) in enumerate(ported(source, target)):
            layer = calls.read(one.call, source)
            channels = Channels(batch=shape[0], c_in=one.kernel[0], c_out=one.output[1])
            operands = integers(one.geometry, channels, bias=layer.bias, seed=seed)
            found[source, target].append((one, layer, operands, oracle(operands, one.geometry)))
    return found


def order(framework: Any, rank: Any) -> Any:
    spatial = {1: "W", 2: "HW", 3: "DHW"}[rank]
    return "NC" + spatial if framework in ("torch", "onnx") else f"N{spatial}C"


def arrays(layer: Any, operands: Any, groups: Any, x: Any) -> Any:
    moved = operands.x.transpose(
        ["NCDHW".replace("DHW", x.strip("NC")).index(letter) for letter in x]
    )
    return [
        moved,
        stored(operands.w, layer.layout, groups),
        *([] if operands.b is None else [operands.b]),
    ]


@pytest.mark.parametrize("target", HERE)
def test_the_printed_code_of_every_source_computes_what_is_right(target: Any, answers: Any) -> None:
    """What the code returns for weights as the source keeps them is the oracle's output, bit for
    bit, on integers.
    """
    asked, expected = [], []
    for source in conventions.NAMES:
        for one, layer, operands, y in answers.get((source, target), ()):
            x = order(target, one.geometry.rank)
            asked.append((one.code, arrays(layer, operands, one.geometry.groups, x)))
            expected.append((one, x, y))
    assert len(asked) == 5 * COUNT
    for (one, x, y), got in zip(expected, running.run_programs(target, asked), strict=True):
        if (
            isinstance(got, running.Failure)
            and target in ("jax", "flax")
            and "Window dimensions do not match" in got.text
        ):
            again = port(
                one.call, source=one.source, target=target, input=one.input
            )  # XLA aborts, and the porter goes round it
            assert again.recipe, one.call
            assert again.proof.agrees, again.proof
            continue
        assert not isinstance(got, running.Failure), (
            one.source,
            one.call,
            one.input,
            got,
            one.code,
        )
        assert np.array_equal(canonical(got, x), y), (one.source, one.call, one.input, one.code)


def excused(one: Any, layer: Any, got: Any, y: Any) -> Any:
    """Whether a source's own call is one that its engine is known to refuse, or to compute by a
    rule of its own.
    """
    if isinstance(got, running.Failure):
        known = "Window dimensions do not match" in got.text or recipes.refusal(
            one.source, layer.native, one.geometry
        )
        return bool(known) or (
            one.source == "onnx"
            and any(axis.out != 0 and axis.crop_low < 0 for axis in one.geometry.axes)
        )
    short = any(axis.crop_low + axis.crop_high < 0 for axis in one.geometry.axes)
    return (
        one.source == "onnx"
        and short
        and ("auto_pad" in layer.native or "output_shape" in layer.native)
    )


@pytest.mark.parametrize("source", HERE)
def test_the_source_program_is_the_call_as_its_framework_means_it(
    source: Any, answers: Any
) -> None:
    """The other side of each proof is right too: the source's call on its own layout gives the
    oracle's output.
    """
    asked, expected = [], []
    for target in conventions.NAMES:
        for one, layer, operands, y in answers.get((source, target), ())[: max(2, COUNT // 3)]:
            asked.append(
                (one.source_code, arrays(layer, operands, one.geometry.groups, layer.layout.x))
            )
            expected.append((one, layer, y))
    right = 0
    for (one, layer, y), got in zip(expected, running.run_programs(source, asked), strict=True):
        if not isinstance(got, running.Failure) and np.array_equal(
            canonical(got, layer.layout.y), y
        ):
            right += 1
        else:
            assert excused(one, layer, got, y), (one.call, one.input, got)
    assert right >= 0.8 * len(asked)


def test_what_is_drawn_needs_every_part_of_a_recipe(answers: Any) -> None:
    """The pairs are not tried on easy calls alone: groups, dilation, padding and cutting all occur,
    and single calls.
    """
    ports = [one for found in answers.values() for one, *_ in found]
    said = " ".join(step for one in ports for step in one.recipe)
    assert all(
        word in said
        for word in ("block-diagonal", "zeros between", "Pad the input", "Cut the output")
    )
    assert 0.2 < sum(not one.recipe for one in ports) / len(ports) < 0.9
    assert {one.geometry.rank for one in ports} == {1, 2, 3}
    assert {one.source for one in ports if one.geometry.groups > 1} == set(conventions.NAMES) - {
        "keras",
        "flax",
    }


def test_a_single_native_call_is_found_wherever_there_is_one(answers: Any) -> None:
    """The convention's own arguments are the answer whenever it has any, and the code is one call
    unless the engine refuses.
    """
    single = 0
    for one in (one for found in answers.values() for one, *_ in found):
        native = conventions.get(one.target).native(one.geometry)
        if isinstance(native, Unrepresentable):
            assert (one.arguments, one.reason) == (None, native.reason)
            assert one.recipe
            continue
        assert one.arguments == native
        refused = recipes.refusal(one.target, native, one.geometry)
        assert (one.reason, bool(one.recipe)) == (refused, refused is not None)
        single += not one.recipe
    assert single


@pytest.mark.parametrize("target", conventions.NAMES)
def test_a_recipe_exists_for_every_window(target: Any) -> None:
    """Whatever is cut or appended at either end, with groups and dilation, in any rank; and its
    call is legal.
    """
    rng = random.Random(target)
    for _ in range(60):
        rank = rng.randint(1, 3)
        axes = tuple(
            Axis(
                size=rng.randint(1, 4),
                kernel=rng.randint(1, 4),
                stride=rng.randint(1, 3),
                dilation=rng.randint(1, 3),
                crop_low=rng.randint(-4, 1),
                crop_high=rng.randint(-6, 1),
            )
            for _ in range(rank)
        )
        geometry = Geometry(axes=axes, groups=rng.randint(1, 2))
        if min(geometry.out) < 1:
            continue
        for plan in (recipes.recipe(target, geometry), recipes.cautious(target, geometry)):
            assert conventions.get(target).native(plan.geometry) == plan.native
            given = integers(geometry, Channels(batch=1, c_in=2, c_out=4), bias=True)
            assert np.array_equal(plan_on_oracle(given, plan, geometry), oracle(given, geometry))


def test_a_kernel_of_a_thousand_taps_has_the_recipe_that_throws_least_away() -> None:
    """As in models of sound: of half a million calls that keep the window, the first that Keras has
    is the cheapest.
    """
    geometry = Geometry(axes=(Axis(size=8, kernel=1025, stride=256, crop_low=512, crop_high=500),))
    plan = recipes.recipe("keras", geometry)
    assert (plan.native["padding"], plan.native["output_padding"], plan.cut) == (
        "same",
        [24],
        ((12, 0),),
    )


# The examples


@pytest.mark.parametrize(
    ("call", "crop", "moved"),
    [
        (TORCH, "Cropping2D(((1, 0), (1, 0)))", "one"),
        ("ConvTranspose2d(4, 2, 9, 4, 4, 3)", "Cropping2D(((4, 1), (4, 1)))", "two"),
    ],
)
def test_torch_to_keras_same_has_the_right_shape_and_the_wrong_numbers(
    call: Any, crop: Any, moved: Any
) -> None:
    """3/2/1/1 and 9/4/4/3: the look-alike is `same`, shifted; the code is `valid` and a crop."""
    one = port(call, source="torch", target="keras", prove=False)
    assert 'padding="same"' in one.look_alike.call
    assert (one.look_alike.differs, one.look_alike.same_shape) == (True, True)
    assert (
        f"has the same shape and the wrong numbers: shifted by {moved} on every axis"
        in one.look_alike.text
    )
    assert one.arguments is None
    assert 'padding="valid"' in one.target_call
    assert crop in one.code
    assert "holds for every input size" in one.holds


@pytest.mark.skipif(not {"torch", "keras"} <= set(HERE), reason="torch or Keras is not requested")
def test_the_proof_runs_both_programs_and_fails_for_wrong_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both agree bit for bit in their own processes; a plan that cuts the other end does not, and
    says so.
    """
    one = port(TORCH, source="torch", target="keras")
    assert one.proof.agrees
    assert one.proof.text.endswith("agree bit for bit on integers, 1 x 32 x 16 x 16.")
    assert [by.split()[0] for by in one.proof.by] == ["torch", "keras"]
    real = recipes.recipe

    def wrong(target: Any, geometry: Any) -> Any:
        return replace(real(target, geometry), cut=((0, 1), (0, 1)))

    monkeypatch.setattr(recipes, "recipe", wrong)
    bad = port(TORCH, source="torch", target="keras")
    assert not bad.proof.agrees
    assert "DIFFER" in bad.proof.text


def test_without_the_frameworks_the_arguments_are_proved_on_the_oracle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is not installed is named, and the target's arguments and recipe are run on the oracle
    instead.
    """
    monkeypatch.setattr(running, "find_spec", lambda name: None)
    one = port(TORCH, source="torch", target="keras")
    assert one.proof.agrees
    assert one.proof.by == ("the oracle", "the oracle with the arguments of the target")
    assert [note.partition(":")[0] for note in one.proof.notes] == [
        "torch is not proved by running it",
        "keras is not proved by running it",
    ]
    real = recipes.recipe
    monkeypatch.setattr(
        recipes, "recipe", lambda *asked: replace(real(*asked), cut=((0, 1), (0, 1)))
    )
    assert not port(TORCH, source="torch", target="keras").proof.agrees


def test_a_program_that_dies_costs_its_own_answer_alone() -> None:
    """A program that ends its process, or raises, fails alone; those before and after it in the
    same list answer.
    """
    good = "import numpy as np\ndef conv_transpose(x): return x + 1"
    dying = "import os\ndef conv_transpose(x): os.abort()"
    raising = "def conv_transpose(x): raise KeyError('no')"
    x = np.ones((2, 1), np.float32)
    first, second, third, fourth = running.run_programs(
        "torch", [(code, [x]) for code in (good, dying, raising, good)]
    )
    assert np.array_equal(first, x + 1)
    assert np.array_equal(fourth, x + 1)
    assert "its process ended with -6" in second.text
    assert third.text == "KeyError: 'no'"


# Reading calls


def facts(layer: Any) -> Any:
    return layer.rank, layer.kernel, layer.c_in, layer.c_out, layer.groups, layer.bias


@pytest.mark.parametrize(
    ("framework", "text", "expected"),
    [
        ("torch", "ConvTranspose1d(4, 6, 3, groups=2, bias=False)", (1, (3,), 4, 6, 2, False)),
        (
            "torch",
            "nn.ConvTranspose2d(4, 6, (3, 2), 2, 1, 1, 2, True, 1)",
            (2, (3, 2), 4, 6, 2, True),
        ),
        (
            "torch",
            "torch.nn.ConvTranspose3d(in_channels=4, out_channels=6, kernel_size=3, device=d)",
            (3, (3,) * 3, 4, 6, 1, True),
        ),
        (
            "torch",
            "F.conv_transpose2d(x, (4, 3, 3, 2), b, 2, groups=2)",
            (2, (3, 2), 4, 6, 2, True),
        ),
        (
            "torch",
            "torch.nn.functional.conv_transpose1d(x, (4, 6, 3), bias=None)",
            (1, (3,), 4, 6, 1, False),
        ),
        ("torch", "nn.LazyConvTranspose2d(6, 3)", (2, (3, 3), None, 6, 1, True)),
        ("torch", "self.up = nn.ConvTranspose1d(4, 6, 3)", (1, (3,), 4, 6, 1, True)),
        ("torch", "nn.ConvTranspose1d(4, 6, 3),", (1, (3,), 4, 6, 1, True)),
        (
            "torch",
            "(0): ConvTranspose1d(4, 6, kernel_size=(3,), stride=(1,))",
            (1, (3,), 4, 6, 1, True),
        ),
        ("keras", "layers.Convolution2DTranspose(6, 3)", (2, (3, 3), None, 6, 1, True)),
        (
            "keras",
            "Conv2DTranspose(32, 3, strides=2, padding='SAME')",
            (2, (3, 3), None, 32, 1, True),
        ),
        (
            "keras",
            "keras.layers.Conv1DTranspose(8, (4,), 2, 'valid', 1, use_bias=False)",
            (1, (4,), None, 8, 1, False),
        ),
        (
            "keras",
            "Conv3DTranspose(8, 2, 2, 'same', 'channels_last', 1)",
            (3, (2, 2, 2), None, 8, 1, True),
        ),
        (
            "tensorflow",
            "tf.nn.conv2d_transpose(x, (3, 3, 8, 4), strides=2)",
            (2, (3, 3), 4, 8, 1, False),
        ),
        (
            "tensorflow",
            "conv2d_transpose(x, (3, 3, 4, 4), (1, 16, 16, 8), [1, 2, 2, 1])",
            (2, (3, 3), 4, 8, 2, False),
        ),
        (
            "jax",
            "jax.lax.conv_transpose(x, (3, 2, 4, 6), (2, 2), 'SAME')",
            (2, (3, 2), 4, 6, 1, False),
        ),
        (
            "jax",
            "lax.conv_transpose(x, (3, 2, 6, 4), (2, 2), 'SAME', transpose_kernel=True)",
            (2, (3, 2), 4, 6, 1, False),
        ),
        (
            "jax",
            "lax.conv_general_dilated(x, (6, 2, 3), (1,), [(2, 2)], (2,), feature_group_count=2)",
            (1, (3,), 4, 6, 2, False),
        ),
        (
            "flax",
            "nnx.ConvTranspose(4, 6, (3, 3), strides=2, rngs=nnx.Rngs(0))",
            (2, (3, 3), 4, 6, 1, True),
        ),
        (
            "flax",
            "nnx.ConvTranspose(4, 6, 3, rngs=rngs, use_bias=False)",
            (1, (3,), 4, 6, 1, False),
        ),
        (
            "onnx",
            '{"kernel_shape": [3, 3], "strides": [2, 2], "group": 2}',
            (2, (3, 3), None, None, 2, True),
        ),
        ("onnx", '{"W": [4, 3, 5], "group": 2}', (1, (5,), 4, 6, 2, True)),
        (
            "onnx",
            "helper.make_node('ConvTranspose', ['x', 'w'], ['y'], kernel_shape=[3], group=2)",
            (1, (3,), None, None, 2, False),
        ),
        ("onnx", "ConvTranspose(kernel_shape=[3, 2])", (2, (3, 2), None, None, 1, True)),
    ],
)
def test_a_call_is_read_as_its_framework_would(framework: Any, text: Any, expected: Any) -> None:
    """Positions, names, prefixes, single numbers, and expressions where they do not matter."""
    assert facts(calls.read(text, framework)) == expected


@pytest.mark.parametrize(
    ("framework", "text", "expected"),
    [
        ("torch", "nn.ConvTranspose2d(4, 6, 3)((2, 4, 5, 7))", (2, 4, (5, 7))),
        ("torch", "nn.LazyConvTranspose1d(6, 3)((2, 4, 5), [9])", (2, 4, (5,))),
        ("torch", "F.conv_transpose1d((2, 4, 5), (4, 6, 3))", (2, 4, (5,))),
        ("keras", "Conv2DTranspose(6, 3)((2, 5, 7, 4))", (2, 4, (5, 7))),
        (
            "keras",
            "Conv2DTranspose(6, 3, data_format='channels_first')((2, 4, 5, 7))",
            (2, 4, (5, 7)),
        ),
        ("keras", "Conv2DTranspose(6, 3, input_shape=(5, 7, 4))", (None, 4, (5, 7))),
        ("keras", "Conv2DTranspose(6, 3, input_shape=(None, None, 4))", (None, 4, None)),
        ("tensorflow", "tf.nn.conv1d_transpose((2, 5, 4), (3, 6, 4), None, 2)", (2, 4, (5,))),
        ("jax", "lax.conv_transpose((2, 5, 4), (3, 4, 6), (2,), 'SAME')", (2, 4, (5,))),
        ("flax", "nnx.ConvTranspose(4, 6, (3, 3), rngs=r)((2, 5, 7, 4))", (2, 4, (5, 7))),
    ],
)
def test_the_shape_of_an_input_may_stand_in_its_place(
    framework: Any, text: Any, expected: Any
) -> None:
    """Batch, channels and size are read where the call, or the call of the layer, has a shape."""
    layer = calls.read(text, framework)
    assert (layer.batch, layer.c_in, layer.size) == expected


@pytest.mark.parametrize("size", ["output_size=[16, 15]", "output_size=(1, 4, 16, 15)", "[16, 15]"])
def test_the_output_size_of_a_torch_layer_is_read_as_torch_does(size: Any) -> None:
    """By name or by position; the whole shape counts with its spatial axes alone."""
    layer = calls.read(f"ConvTranspose2d(4, 4, 3, 2, 1)(x, {size})", "torch")
    assert layer.native["output_size"] == [16, 15]


@pytest.mark.parametrize(
    ("framework", "text", "message"),
    [
        ("torch", "ConvTranspose2d(", "is not one Python expression"),
        ("torch", "ConvTranspose2d", "is not a call by a name"),
        (
            "torch",
            "Conv2DTranspose(32, 3)",
            "is not a transposed convolution of torch (that is keras's)",
        ),
        ("torch", "ConvTranspose2d(1, 2)", "needs kernel_size"),
        (
            "torch",
            "ConvTranspose2d(1, 2, 3, strides=2)",
            "has no argument strides, did you mean stride?",
        ),
        ("torch", "ConvTranspose2d(1, 2, 3, 1, stride=2)", "is given stride twice"),
        ("torch", "ConvTranspose2d(1, 2, 3, stride=2, stride=2)", "is given stride twice"),
        ("torch", "ConvTranspose2d(1, 2, 3, stride=s)", "stride is s, should be a literal"),
        (
            "torch",
            "ConvTranspose2d(1, 2, 3, stride=__import__('os').getpid())",
            "should be a literal: nothing is evaluated",
        ),
        (
            "torch",
            "ConvTranspose2d(1, 2, 3, stride=(2, 2, 2))",
            "stride: has 3 numbers, should have one per spatial axis: 2",
        ),
        (
            "torch",
            "ConvTranspose2d(1, 2, 3, stride=2.0)",
            "stride: is 2.0, should be a whole number",
        ),
        ("torch", "ConvTranspose2d(*args)", "is given unpacked arguments"),
        ("torch", "ConvTranspose2d(1, 2, 3, **more)", "is given unpacked arguments"),
        (
            "torch",
            "ConvTranspose2d(1, 2, (3, 3, 3))",
            "kernel_size is [3, 3, 3], should be a whole number or 2 of them",
        ),
        (
            "torch",
            "ConvTranspose2d(0, 2, 3)",
            "in_channels is 0, should be a whole number of at least 1",
        ),
        ("torch", "ConvTranspose2d(1, 2, 3, bias=1)", "bias is 1, should be True or False"),
        ("torch", "ConvTranspose2d(1, 2, 3, padding_mode='reflect')", "padding_mode is 'reflect'"),
        (
            "torch",
            "ConvTranspose2d(1, 2, 3, stride=2, output_padding=2)",
            "torch refuses this call itself.",
        ),
        ("torch", "ConvTranspose2d(3, 2, 3, groups=2)", "groups: 2 groups of 3 input channels"),
        ("torch", "ConvTranspose2d(2, 3, 3, groups=2)", "2 groups of 3 output channels"),
        ("torch", "ConvTranspose2d(1, 1, 3, stride=0)", "should be at least 1"),
        ("torch", "(lambda: 1)()", "is not a call by a name"),
        ("torch", "a = 1; b = 2", "is not one Python expression"),
        (
            "torch",
            "ConvTranspose2d(1, 2, 3)(x, mode='a')",
            "the call of ConvTranspose2d has no argument mode",
        ),
        ("torch", "ConvTranspose2d(1, 2, 3)((1, 1, 8))", "input has 3 numbers, should have 4"),
        (
            "torch",
            "F.conv_transpose2d(x, w)",
            "the kernel's size is not known, weight should be its shape",
        ),
        ("torch", "F.conv_transpose2d(x, (4, 3, 3))", "weight has 3 axes, should have 4"),
        ("torch", "F.conv_transpose2d(x, (4, 3, 3, 3))(y)", "conv_transpose2d is called twice"),
        (
            "keras",
            "Conv2DTranspose(8, 3, input_shape=(8, 8))",
            "input_shape is [8, 8], should be (*spatial, C)",
        ),
        (
            "keras",
            "Conv2DTranspose(8, 3)((8, 8, 4))",
            "inputs is [8, 8, 4], should be N and then (*spatial, C)",
        ),
        (
            "keras",
            "Conv2DTranspose(8, 3, padding='causal')",
            "padding: is 'causal', should be one of valid, same",
        ),
        (
            "keras",
            "Conv2DTranspose(8, 3, strides=2, dilation_rate=2)",
            "keras refuses this call itself.",
        ),
        ("keras", "Conv2DTranspose(8, 3, groups=2)", "has no argument groups"),
        (
            "tensorflow",
            "tf.nn.conv2d_transpose(x, w, strides=2)",
            "the kernel's size is not known, filters should be its shape",
        ),
        (
            "tensorflow",
            "tf.nn.conv1d_transpose(x, (3, 8, 4), None, 2, [[0, 0], [0, 0], [0, 0]])",
            "conv2d_transpose alone takes",
        ),
        (
            "tensorflow",
            "tf.nn.conv2d_transpose(x, (3, 3, 8, 4), None, 2, [1, 1])",
            "should be 'SAME', 'VALID' or a pair per axis",
        ),
        (
            "torch",
            "ConvTranspose2d(1, 2, 3, stride=99999)",
            "stride is [99999, 99999], should have no number above 65536",
        ),
        (
            "tensorflow",
            "tf.nn.conv2d_transpose(x, (3, 3, 4), strides=2)",
            "filters has 3 axes, should have 4",
        ),
        (
            "tensorflow",
            "tf.nn.conv2d_transpose(x, (3, 3, 8, 4), (1, 16, 16, 9), 2)",
            "output_shape has 9 channels",
        ),
        ("jax", "conv_transpose(x, (3, 3, 4, 8), (2, 2))", "needs padding"),
        (
            "jax",
            "conv_transpose(x, (3, 3, 4, 8), (2, 2), 'SAME', dimension_numbers=('NC', 'IO', 'NC'))",
            "dimension_numbers is",
        ),
        (
            "jax",
            "conv_transpose((1, 8, 8, 5), (3, 3, 4, 8), (2, 2), 'SAME')",
            "lhs has 5 channels, should have the 4",
        ),
        ("flax", "nnx.ConvTranspose(4, 8, (3, 3), padding='CIRCULAR')", "padding: is 'CIRCULAR'"),
        (
            "flax",
            "nnx.ConvTranspose(4, 8, (3, 3), 2, 'SAME')",
            "is given 5 arguments by position, should be at most 4",
        ),
        (
            "flax",
            "nnx.ConvTranspose(4, 6, (3, 3))((1, 4, 8))",
            "inputs has 3 numbers, should have 4",
        ),
        (
            "onnx",
            "make_node('Conv', ['x', 'w'], ['y'])",
            "op_type is 'Conv', should be 'ConvTranspose'",
        ),
        (
            "onnx",
            "make_node('ConvTranspose', ['x', 'w'], ['y'], pad=[1])",
            "has no argument pad, did you mean pads?",
        ),
        ("onnx", '{"W": 3}', "W has shape 3, should be"),
        ("onnx", '{"W": [4, 2]}', "W has shape [4, 2], should be"),
        ("onnx", "[" * 5000, "nested too deeply"),
        ("onnx", "{", "is not JSON"),
        ("onnx", "[3, 3]", "is not an object"),
        ("onnx", '{"strides": [2, 2]}', "kernel_shape is None"),
        ("onnx", '{"kernel_shape": [3], "stride": [2]}', "stride: unknown argument"),
        ("onnx", '{"kernel_shape": [3], "kernel_shape": [4]}', "'kernel_shape' is given twice"),
    ],
)
def test_a_call_that_makes_no_sense_is_one_sentence(
    framework: Any, text: Any, message: Any
) -> None:
    """What is wrong, and what would be right, on one line."""
    target = "torch" if framework != "torch" else "keras"
    with pytest.raises(PortError) as caught:
        port(text, source=framework, target=target, prove=False)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", [[1, 64, 8], [1, 3, 8, 8], [0, 64, 8, 8]])
def test_an_input_that_does_not_fit_the_call_is_refused(given: Any) -> None:
    """The rank, the channels, and sizes of at least 1."""
    with pytest.raises(PortError, match="input"):
        port(TORCH, source="torch", target="keras", input=given, prove=False)


def test_a_proof_that_needs_too_much_memory_is_refused() -> None:
    """The answer itself has no size that is too large."""
    call = "ConvTranspose2d(1, 1, 3, stride=50000)"
    assert port(call, source="torch", target="keras", prove=False).output == (1, 1, 350003, 350003)
    with pytest.raises(
        PortError, match="the output of 1 x 1 x 350003 x 350003 has too many numbers for a proof"
    ):
        port(call, source="torch", target="keras")


def test_an_input_that_leaves_no_output_is_refused() -> None:
    """A chosen input has an output; one that is given may have none, and then the sizes are
    said.
    """
    call = "ConvTranspose2d(1, 1, 3, padding=9)"
    assert min(port(call, source="torch", target="keras", prove=False).output) == 1
    with pytest.raises(PortError, match="padding: the output has -8 elements on axis 0"):
        port(call, source="torch", target="keras", input=[1, 1, 8, 8], prove=False)


def test_source_and_target_are_two_known_frameworks() -> None:
    """A name that is none, and the same twice."""
    with pytest.raises(PortError, match="there is no framework 'caffe'"):
        port(TORCH, source="torch", target="caffe")
    with pytest.raises(PortError, match="both torch"):
        port(TORCH, source="torch", target="torch")


# What is said about it


def test_a_call_for_one_output_size_says_for_which_inputs_it_holds() -> None:
    """output_shape fixes the output, so that the window depends on the input; without it every size
    is right.
    """
    text = "tf.nn.conv2d_transpose(x, (3, 3, 8, 4), (1, 15, 16, 8), 2, 'SAME')"
    one = port(text, source="tensorflow", target="torch", prove=False)
    assert one.input == (1, 4, 8, 8)
    assert "for input sizes of 8 on axis 0 and 8 on axis 1 alone" in one.holds
    free = port(
        "tf.nn.conv2d_transpose(x, (3, 3, 8, 4), strides=2)",
        source="tensorflow",
        target="torch",
        prove=False,
    )
    assert free.holds == "It holds for every input size."


def test_the_length_of_a_sound_may_be_an_output_size() -> None:
    """Sizes of outputs are not among the numbers that have to be small."""
    one = port(
        "tf.nn.conv1d_transpose(x, (16, 1, 8), (1, 480000, 1), 320)",
        source="tensorflow",
        target="torch",
        prove=False,
    )
    assert (one.input, one.output) == ((1, 8, 1500), (1, 1, 480000))


def test_what_was_chosen_is_said() -> None:
    """Channels and the input, where the call has none."""
    one = port('{"kernel_shape": [3, 3], "group": 2}', source="onnx", target="torch", prove=False)
    assert one.kernel == (4, 3, 3, 3)
    assert [note.rpartition(": ")[2] for note in one.notes] == [
        "4 is chosen.",
        "6 is chosen.",
        "1,4,8,8 is chosen.",
    ]


@pytest.mark.parametrize(
    ("source", "text", "target", "words"),
    [
        (
            "torch",
            "ConvTranspose2d(4, 2, 4, 2, 1)",
            "keras",
            "takes the same window: the obvious translation is correct",
        ),
        (
            "torch",
            "ConvTranspose2d(4, 2, 4, 2, 1)",
            "jax",
            "has another shape, 14 x 14 where 16 x 16 is right",
        ),
        (
            "torch",
            "ConvTranspose2d(4, 2, (3, 4), 2, 1)",
            "keras",
            "has another shape, 16 x 16 where 15 x 16",
        ),
        (
            "keras",
            "Conv2DTranspose(4, 3, 2, 'same')",
            "torch",
            "the wrong numbers: shifted by one on every axis",
        ),
        (
            "torch",
            "ConvTranspose2d(4, 2, (3, 4), 2, 1, (1, 0))",
            "tensorflow",
            "shifted by one on axis 0",
        ),
        (
            "keras",
            "Conv2DTranspose(4, 3, 2, 'same')",
            "flax",
            "takes the same window: the obvious translation is correct",
        ),
        (
            "torch",
            "ConvTranspose2d(4, 2, 4, 2, 1, groups=2)",
            "keras",
            "same window, and has no groups where 2 are right",
        ),
        (
            "jax",
            "conv_transpose(x, (3, 3, 4, 8), (2, 2), 'SAME', (2, 2))",
            "keras",
            "takes the same window, and keras refuses it",
        ),
    ],
)
def test_the_trap_is_the_call_that_copies_the_words(
    source: Any, text: Any, target: Any, words: Any
) -> None:
    """Its shape against the right one, and how its window is displaced, in one sentence."""
    one = port(text, source=source, target=target, prove=False)
    assert words in one.look_alike.text
    assert one.look_alike.text.count(". ") == 0


def test_the_kernel_is_flipped_exactly_between_those_that_flip_and_those_that_do_not() -> None:
    """The warning and the flip of the code stand together, and a kernel of one tap needs neither
    the warning.
    """
    for source, target in PAIRS:
        one = next(one for _, one in ported(source, target, 3) if max(one.geometry.kernel) > 1)
        assert ("np.flip" in one.code) == (one.kernel_look_alike is not None), (
            source,
            target,
            one.call,
        )


def test_printed_code_is_python_and_short_enough_to_read() -> None:
    """It parses, defines both functions, and leaves out arguments that are defaults."""
    one = port(TORCH, source="torch", target="flax", prove=False)
    names = {node.name for node in ast.parse(one.code).body if isinstance(node, ast.FunctionDef)}
    assert names == {"convert", "conv_transpose"}
    assert "dilation" not in one.target_call


# Files and the command


@pytest.fixture
def model(tmp_path: Path) -> Any:
    """Two ConvTranspose nodes, the first with its weights' shape alone, the second after a Relu."""
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper
    nodes = [
        helper.make_node(
            "ConvTranspose",
            ["x", "w"],
            ["h"],
            name="up",
            strides=[2, 2],
            pads=[1, 1, 1, 1],
            output_padding=[1, 1],
        ),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node(
            "ConvTranspose", ["r", "v", "b"], ["y"], auto_pad="SAME_UPPER", strides=[2, 2], group=2
        ),
    ]
    held = {
        "w": np.ones((4, 6, 3, 3), "f4"),
        "v": np.ones((6, 2, 3, 3), "f4"),
        "b": np.ones(4, "f4"),
    }
    graph = helper.make_graph(
        nodes,
        "two",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["batch", 4, 5, 6])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)],
        [onnx.numpy_helper.from_array(array, name) for name, array in held.items()],
    )
    path = tmp_path / "two.onnx"
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8), path
    )
    return path


def test_every_node_of_a_model_is_ported(model: Any) -> None:
    """Names, weights from initializers, inputs from shape inference, and the bias where there is
    one.
    """
    first, second = port_model(str(model), target="torch", prove=False)
    assert (first.name, first.input, first.kernel) == ("up", (1, 4, 5, 6), (4, 6, 3, 3))
    assert (
        first.target_call
        == "torch.nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, bias=False)"
    )
    assert (second.name, second.input, second.output) == ("y", (1, 6, 10, 12), (1, 4, 20, 24))
    assert "groups=2" in second.target_call


def saved(path: Any, nodes: Any, held: Any, shape: Any) -> Any:
    """A model of these nodes with one input x and one output y."""
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)],
        [onnx.numpy_helper.from_array(array, name) for name, array in held.items()],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path
    )
    return str(path)


def test_the_shape_of_a_models_input_reaches_every_node(model: Any) -> None:
    """`input` is the model's: the second node gets what the first makes of it."""
    first, second = port_model(str(model), target="torch", input=[2, 4, 5, 6], prove=False)
    assert (first.input, second.input) == ((2, 4, 5, 6), (2, 6, 10, 12))


@pytest.mark.parametrize("given", [[1, 3, 5, 6], [1, 4, 5], [0, 4, 5, 6], [1, 4, 8, 8]])
def test_a_shape_that_the_model_does_not_take_is_refused(model: Any, given: Any) -> None:
    """What the model says of its input is fixed, but for the sizes that it leaves open; and none is
    below 1.
    """
    with pytest.raises(PortError, match=r"should be \?,4,5,6: the shape of x"):
        port_model(str(model), target="torch", input=given, prove=False)


def test_sizes_that_a_model_leaves_open_are_chosen(tmp_path: Path) -> None:
    """Channels come from the weights, whose element type is said to be left to the user."""
    helper = pytest.importorskip("onnx").helper
    nodes = [helper.make_node("ConvTranspose", ["x", "w"], ["y"])]
    path = saved(
        tmp_path / "open.onnx", nodes, {"w": np.ones((4, 6, 3, 3), "f2")}, ["n", 4, "h", "w"]
    )
    (one,) = port_model(path, target="torch", prove=False)
    assert one.input == (1, 4, 8, 8)
    assert one.notes == (
        "No input is given: 1,4,8,8 is chosen.",
        "Its weights are float16, which is left to you: the proof is in float32.",
    )


def test_nodes_in_the_branches_of_a_model_are_ported(tmp_path: Path) -> None:
    """Every ConvTranspose node is listed, not those of the outer graph alone."""
    helper = pytest.importorskip("onnx").helper
    branches = {}
    for branch, node in (
        ("then_branch", helper.make_node("ConvTranspose", ["x", "w"], ["inner"], name="up")),
        ("else_branch", helper.make_node("Identity", ["x"], ["inner"])),
    ):
        branches[branch] = helper.make_graph(
            [node], branch, [], [helper.make_tensor_value_info("inner", 1, None)]
        )
    nodes = [helper.make_node("If", ["c"], ["y"], **branches)]
    path = saved(
        tmp_path / "if.onnx", nodes, {"w": np.ones((4, 6, 3), "f4"), "c": np.array(True)}, [1, 4, 5]
    )
    assert [(one.name, one.input) for one in port_model(path, target="torch", prove=False)] == [
        ("up", (1, 4, 5))
    ]


def test_weights_that_do_not_fit_the_models_input_are_one_sentence(tmp_path: Path) -> None:
    """Named by the node that has them."""
    helper = pytest.importorskip("onnx").helper
    nodes = [helper.make_node("ConvTranspose", ["x", "w"], ["y"])]
    path = saved(tmp_path / "misfit.onnx", nodes, {"w": np.ones((4, 6, 3), "f4")}, ["n", 5, 8])
    with pytest.raises(PortError, match=r"^y: its input of \?,5,8 does not fit weights of 4,6,3$"):
        port_model(path, target="torch", prove=False)


def test_a_file_that_is_no_model_is_one_sentence(tmp_path: Path) -> None:
    """Missing, or something else."""
    pytest.importorskip("onnx")
    with pytest.raises(PortError, match="cannot be read"):
        port_model(str(tmp_path / "none.onnx"), target="torch")
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    with pytest.raises(PortError, match=r"is not an ONNX model|has no ConvTranspose"):
        port_model(str(tmp_path / "bad.onnx"), target="torch")


def test_the_command_prints_the_call_the_trap_and_the_code(
    capsys: pytest.CaptureFixture[str], model: Any
) -> None:
    """Without a proof nothing is run; a file prints all its nodes."""
    command.run(TORCH, "torch", "keras", ["1,64,8,8"], False)
    printed = capsys.readouterr().out
    assert 'keras: keras.layers.Conv2DTranspose(32, 3, strides=2, padding="valid")' in printed
    assert "look-alike call: The call that looks the same" in printed
    assert "Cropping2D(((1, 0), (1, 0)))" in printed
    command.run(str(model), "onnx", "jax", [], False)
    assert capsys.readouterr().out.count("def conv_transpose") == 2


def test_what_a_user_did_wrong_is_told_in_a_sentence() -> None:
    """An input that is no numbers, and a call that cannot be read: exit 2, no traceback."""
    with pytest.raises(ConformanceError, match="should be whole numbers"):
        command.run(TORCH, "torch", "keras", ["1,x"], False)
    with pytest.raises(ConformanceError, match="has no argument strides"):
        command.run("ConvTranspose2d(1, 2, 3, strides=2)", "torch", "keras", [], False)
    with pytest.raises(ConformanceError, match="is an ONNX file, should be given with --from onnx"):
        command.run("model.onnx", "torch", "keras", [], False)


def test_importing_the_porter_imports_no_framework() -> None:
    """Calls are parsed and answered where none is installed."""
    code = "import conformance.porting, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert not {name.split(".")[0] for name in done.stdout.split()} & {
        "torch",
        "keras",
        "tensorflow",
        "jax",
        "flax",
        "onnx",
    }
