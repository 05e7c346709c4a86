"""The generator of the native cases: its output is what is committed, and covers what it says it
covers.
"""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from helpers import CHECKOUT

from conformance.conventions import NAMES
from conformance.corpus.case import Case
from conformance.corpus.files import load_cases

GENERATOR = CHECKOUT / "tools" / "corpus" / "native_cases.py"
FOLDER = CHECKOUT / "cases" / "conventions"

BY_HAND = "atlas.yaml"  # not the generator's: what the atlas shows besides

pytestmark = pytest.mark.skipif(
    not GENERATOR.is_file(), reason="the generator is in a checkout, not in a source distribution"
)


@pytest.fixture(scope="module")
def by_framework() -> dict[str, list[Case]]:
    """The committed native cases of each framework."""
    found = defaultdict(list)
    for case in load_cases(path for path in FOLDER.iterdir() if path.name != BY_HAND):
        assert case.native is not None
        found[case.native[0]].append(case)
    return dict(found)


def values(cases: list[Case], key: str) -> list[Any]:
    """What the cases that must have an output give as one native argument."""
    return [
        case.native[1][key]
        for case in cases
        if case.native and not case.must_fail and key in case.native[1]
    ]


def test_generator_writes_what_is_committed(tmp_path: Path) -> None:
    """Running the generator gives the committed files, byte for byte and no others."""
    subprocess.run([sys.executable, GENERATOR, tmp_path], check=True, cwd=tmp_path)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert written == {
        path.name: path.read_bytes() for path in FOLDER.iterdir() if path.name != BY_HAND
    }


@pytest.mark.parametrize("name", NAMES)
def test_axes_cover_every_demanded_value(by_framework: dict[str, list[Case]], name: str) -> None:
    """Each framework has every kernel, stride, dilation, parity of sizes and rank, and kernels
    shorter than their strides.
    """
    geometries = [case.geometry for case in by_framework[name] if case.geometry]
    axes = [axis for geometry in geometries for axis in geometry.axes]
    assert {axis.kernel for axis in axes} == {1, 2, 3, 4, 5}
    assert {axis.stride for axis in axes} == {1, 2, 3, 4}
    assert {axis.dilation for axis in axes} == {1, 2}
    assert {axis.size % 2 for axis in axes} == {0, 1}
    assert {geometry.rank for geometry in geometries} == {1, 2, 3}
    assert {axis.kernel < axis.stride for axis in axes} == {False, True}


@pytest.mark.parametrize("name", NAMES)
def test_axes_of_a_call_differ(by_framework: dict[str, list[Case]], name: str) -> None:
    """Every input with two spatial axes or more tells exchanged axes apart, by its sizes or its
    kernel.
    """
    alike = [
        case.name
        for case in by_framework[name]
        if case.spatial > 1
        and len(set(zip(case.input.shape[2:], case.kernel.shape[2:], strict=True))) == 1
    ]
    assert alike == []


@pytest.mark.parametrize("name", NAMES)
def test_dilation_meets_a_stride_where_it_may(
    by_framework: dict[str, list[Case]], name: str
) -> None:
    """Every framework but Keras, which rules it out, has one axis with a stride and a dilation
    above 1.
    """
    axes = [axis for case in by_framework[name] if case.geometry for axis in case.geometry.axes]
    assert any(axis.stride > 1 and axis.dilation > 1 for axis in axes) == (name != "keras")


def test_torch_says_padding_in_each_way(by_framework: dict[str, list[Case]]) -> None:
    """PyTorch has padding, output_padding below the stride and below the dilation alone, and
    output_size of every rank.
    """
    cases = by_framework["torch"]
    assert {number for padding in values(cases, "padding") for number in padding} >= {0, 1, 2}
    assert {number for extra in values(cases, "output_padding") for number in extra} >= {0, 1, 2, 3}
    triples = zip(
        *(values(cases, key) for key in ("stride", "output_padding", "dilation")), strict=True
    )
    assert any(
        stride <= extra < dilation
        for triple in triples
        for stride, extra, dilation in zip(*triple, strict=True)
    )
    assert {len(size) for size in values(cases, "output_size")} == {1, 2, 3}
    assert set(values(cases, "groups")) == {1, 2, 3}


def test_keras_has_both_paddings_with_and_without_output_padding(
    by_framework: dict[str, list[Case]],
) -> None:
    """Keras has same and valid, each without output_padding, with 0 and with more."""
    cases = by_framework["keras"]
    extras = [extra and max(extra) > 0 for extra in values(cases, "output_padding")]
    seen = set(zip(values(cases, "padding"), extras, strict=True))
    assert seen >= {
        ("same", None),
        ("valid", None),
        ("same", True),
        ("valid", True),
        ("same", False),
    }


def test_tensorflow_has_every_padding_with_and_without_output_shape(
    by_framework: dict[str, list[Case]],
) -> None:
    """TensorFlow has SAME, VALID and explicit pairs, each with the usual output shape and with
    another.
    """
    cases = [case for case in by_framework["tensorflow"] if case.native and not case.must_fail]
    seen = {
        (padding if isinstance(padding, str) else "explicit", "output_shape" in case.native[1])
        for case, padding in zip(cases, values(cases, "padding"), strict=True)
        if case.native
    }
    assert seen == {
        (padding, given) for padding in ("SAME", "VALID", "explicit") for given in (False, True)
    }


@pytest.mark.parametrize("name", ["jax", "flax"])
def test_jax_and_flax_lay_out_the_kernel_both_ways(
    by_framework: dict[str, list[Case]], name: str
) -> None:
    """SAME, VALID and explicit pairs each occur with transpose_kernel true and false."""
    cases = by_framework[name]
    kinds = [
        padding if isinstance(padding, str) else "explicit" for padding in values(cases, "padding")
    ]
    seen = set(zip(kinds, values(cases, "transpose_kernel"), strict=True))
    assert seen == {
        (kind, flipped) for kind in ("SAME", "VALID", "explicit") for flipped in (False, True)
    }


def test_jax_has_use_consistent_padding(by_framework: dict[str, list[Case]]) -> None:
    """use_consistent_padding is left out, true with pairs and with a name, and false."""
    arguments = [case.native[1] for case in by_framework["jax"] if case.native]
    seen = {
        (native.get("use_consistent_padding"), isinstance(native["padding"], str))
        for native in arguments
    }
    assert seen >= {(None, True), (None, False), (True, True), (True, False), (False, False)}


def test_flax_has_integers_for_padding() -> None:
    """Flax's padding is written as one number and as a number per axis; reading turns both into
    pairs.
    """
    text = (FOLDER / "flax.yaml").read_text(encoding="utf-8")
    assert "padding: 1}" in text
    assert "padding: [3, 1]}" in text


def test_onnx_has_every_auto_pad_alone_and_combined(by_framework: dict[str, list[Case]]) -> None:
    """Each auto_pad occurs alone, with output_shape and with output_padding; pads and output_shape
    also without auto_pad.
    """
    seen = set()
    for case in by_framework["onnx"]:
        if case.native and not case.must_fail:
            native = case.native[1]
            seen.add(
                (native.get("auto_pad"), "output_shape" in native, any(native["output_padding"]))
            )
    kinds = (None, "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")
    assert seen >= {
        (kind, *combined)
        for kind in kinds
        for combined in ((False, False), (True, False), (False, True))
    }
    assert (None, True, True) in seen


def test_rules_of_the_documentation_are_asked_for(by_framework: dict[str, list[Case]]) -> None:
    """Every framework that states which arguments it refuses has cases of it; JAX and Flax state
    none.
    """
    assert {
        name for name, cases in by_framework.items() if any(case.must_fail for case in cases)
    } == set(NAMES) - {"jax", "flax"}


def test_cases_are_few_and_small(by_framework: dict[str, list[Case]]) -> None:
    """At most 200 cases with at most six elements along an axis: a run on ten adapters takes about
    a minute.
    """
    cases = [case for cases in by_framework.values() for case in cases]
    assert len(cases) <= 200
    assert max(n for case in cases for n in case.input.shape[2:]) <= 6
