"""The designs of `cases/arithmetic/` that leave small numbers, `far` and `long`: what they cover is
counted again, in the case files and without their generator.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import combinations, product
from math import isqrt, prod
from typing import Any

import pytest
import test_covering_design as covering
import yaml

from conformance import load_cases
from conformance.corpus.case import Case, Made
from conformance.corpus.truths import prepare
from conformance.geometry import Geometry

RANKS = {"far_line": 1, "far_plane": 2, "far_volume": 3, "long_line": 1, "long_plane": 2}
GROUPS = {1: "one", 2: "two", 3: "three"}
MOST_PRODUCTS = 2_000_000
MOST_OUTPUTS = 550_000

Levels = dict[str, str]

pytestmark = covering.pytestmark


@cache
def cases(design: str) -> tuple[tuple[Case, Levels], ...]:
    """The cases of a design with the levels that their arguments have."""
    path = covering.FOLDER / f"{design}.yaml"
    written = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)["cases"]
    return tuple(
        (case, levels(design, case, entry))
        for case, entry in zip(load_cases(path), written, strict=True)
    )


def levels(design: str, case: Case, written: Mapping[str, Any]) -> Levels:
    """The levels of a case, in the order of the plan."""
    geometry = case.geometry
    assert geometry is not None
    assert isinstance(case.input, Made)
    channels, inside = case.input.shape[1], case.kernel.shape[1]
    found = {
        "dtype": case.dtype,
        "kernel": kernel_level(design, geometry.kernel),
        "stride": size_level(geometry.stride),
        "dilation": "one" if set(geometry.dilation) == {1} else "more",
        "groups": groups_level(geometry.groups, channels // geometry.groups, inside),
        "batch": "one"
        if case.input.shape[0] == 1
        else "few"
        if case.input.shape[0] < 5
        else "many",
        "channels": channels_level(design, channels),
        "outputs": channels_level(design, inside * geometry.groups),
        "padding": padding_level(written.get("padding", 0), geometry),
        "output_padding": "some" if written.get("output_padding", 0) else "none",
        "width": width_level(geometry.out),
        "positions": positions_level(geometry.out),
        "shape": shape_level(geometry.out),
        "bias": "absent" if case.bias is None else "present",
        "values": "normal" if case.input.values == "normal" else "exact",
    }
    return {factor: found[factor] for factor in covering.plan()[design]["factors"]}


def kernel_level(design: str, sizes: Sequence[int]) -> str:
    if max(sizes) > 7:
        return "large"
    return "three" if set(sizes) == {3} and design.startswith("far") else "small"


def size_level(strides: Sequence[int]) -> str:
    return "large" if max(strides) > 4 else "one" if set(strides) == {1} else "small"


def groups_level(groups: int, inside: int, outputs: int) -> str:
    if groups > 1 and inside == 1:
        return "depthwise" if outputs == 1 else "multiplier"
    return "single" if groups > 1 and outputs == 1 else GROUPS[groups]


def channels_level(design: str, channels: int) -> str:
    told = covering.plan()[design]["factors"]["channels"]
    return next(level for level, numbers in told.items() if channels in numbers)


def padding_level(written: Any, geometry: Geometry) -> str:
    per_axis = [written] * geometry.rank if isinstance(written, int) else written
    pads = [pad if isinstance(pad, list) else [pad, pad] for pad in per_axis]
    if min(map(min, pads)) < 0:
        return "appended"
    beyond = [
        any(pad[end] >= axis.extent for pad, axis in zip(pads, geometry.axes, strict=True))
        for end in (0, 1)
    ]
    if any(beyond):
        return "both" if all(beyond) else "start" if beyond[0] else "end"
    return "within" if any(map(any, pads)) else "none"


def width_level(out: Sequence[int]) -> str:
    wide = [32 < length <= 70 for length in out]
    if sum(wide) > 1:
        return "both"
    if not any(wide):
        return "narrow"
    names = {1: ("wide",), 2: ("first", "last"), 3: ("first", "middle", "last")}[len(out)]
    return names[wide.index(True)]


def positions_level(out: Sequence[int]) -> str:
    most = max(out)
    places = prod(out) if shape_level(out) == "square" else most
    return max(
        (level for level in ("256", "2048", "8192", "32768", "65535") if places > int(level)),
        key=int,
        default="none",
    )


def shape_level(out: Sequence[int]) -> str:
    if min(out) > 3 or len(out) == 1:
        return "square"
    return "row" if out[-1] > out[0] else "column"


@cache
def together(design: str) -> frozenset[tuple[tuple[str, str], ...]]:
    """The legal triples of the factors that the plan wants together."""
    wanted = {tuple(chosen) for chosen in covering.plan()[design].get("together", ())}
    return frozenset(
        found
        for found in covering.legal(design, 3)
        if tuple(factor for factor, _ in found) in wanted
    )


def covered(design: str, strength: int) -> Counter[tuple[tuple[str, str], ...]]:
    return Counter(
        found for _, row in cases(design) for found in combinations(row.items(), strength)
    )


@pytest.mark.parametrize("design", RANKS)
def test_every_legal_pair_is_covered(design: str) -> None:
    """Each two levels of two factors that can meet do meet in some case."""
    assert covering.legal(design, 2) - covered(design, 2).keys() == set()


@pytest.mark.parametrize("design", ["far_line", "far_plane", "far_volume", "long_plane"])
def test_triples_that_choose_a_code_path_are_covered(design: str) -> None:
    """Those of the factors that the plan names together, all of them."""
    assert len(together(design)) > 80
    assert together(design) - covered(design, 3).keys() == set()


@pytest.mark.parametrize("design", RANKS)
def test_no_case_has_an_illegal_pair(design: str) -> None:
    """What is covered is legal, and every number of a case is one of its level's."""
    assert covered(design, 2).keys() - covering.legal(design, 2) == set()
    factors = covering.plan()[design]["factors"]
    for case, row in cases(design):
        assert case.geometry is not None
        assert case.geometry.rank == RANKS[design]
        for factor, numbers in (
            ("kernel", case.geometry.kernel),
            ("stride", case.geometry.stride),
            ("dilation", case.geometry.dilation),
        ):
            assert list(numbers) in factors[factor][row[factor]], case.name
        assert case.input.shape[0] in factors["batch"][row["batch"]], case.name


@pytest.mark.parametrize("design", ["far_line", "far_plane", "far_volume"])
def test_illegal_channels_have_no_numbers(design: str) -> None:
    """Levels of groups and channels are illegal together if and only if no numbers have them."""
    factors = covering.plan()[design]["factors"]
    rules = [rule for rule in covering.rules(design) if "groups" in rule]
    for level, channels, outputs in product(
        factors["groups"], factors["channels"], factors["outputs"]
    ):
        row = {"groups": level, "channels": channels, "outputs": outputs}
        illegal = any(all(row[factor] in told for factor, told in rule.items()) for rule in rules)
        numbers = [
            (c, o, groups)
            for c, o in product(factors["channels"][channels], factors["outputs"][outputs])
            for groups in range(1, c + 1)
            if c % groups == o % groups == 0
            and c * o > 1
            and (groups in GROUPS or 1 in (c // groups, o // groups))
            and groups_level(groups, c // groups, o // groups) == level
            and (level != "multiplier" or o <= 3 * c)
        ]
        assert illegal == (not numbers), row


def test_illegal_widths_have_too_many_numbers() -> None:
    """What the plan leaves out for its number of elements has more than it says."""
    plan = covering.plan()["far_plane"]["factors"]
    (many,) = (
        rule
        for rule in covering.rules("far_plane")
        if rule.get("outputs") == {"many"} and "width" in rule
    )
    assert many["width"] == {"both"}
    assert min(plan["outputs"]["many"]) * 33 * 33 > 200_000
    assert min(plan["outputs"]["sixty-four"]) * 33 * 33 * 3 > 200_000


@pytest.mark.parametrize("design", RANKS)
def test_values_are_what_their_level_says(design: str) -> None:
    """The sums of small integers are exact in the dtype, those of normal numbers are not."""
    for case, row in cases(design):
        truth = prepare(case).truth
        assert truth is not None
        assert truth.exact == (row["values"] == "exact"), case.name


@pytest.mark.parametrize("design", RANKS)
def test_cases_are_small(design: str) -> None:
    """No case has more than two million products or a result of more than 550,000 numbers."""
    for case, _ in cases(design):
        products = (
            case.input.shape[0]
            * case.kernel.shape[1]
            * prod(case.input.shape[1:])
            * prod(case.kernel.shape[2:])
        )
        assert products <= MOST_PRODUCTS, case.name
        assert prod(case.output_shape) <= MOST_OUTPUTS, case.name


@pytest.mark.parametrize("design", RANKS)
def test_every_case_is_guarded(design: str) -> None:
    """Every case says what is expected, with the numbers or a digest of them."""
    assert [
        case.name for case, _ in cases(design) if not (case.expected and case.expected.complete)
    ] == []


def test_squares_are_squares() -> None:
    """Of a long plane that is neither a row nor a column both axes are about as long."""
    for case, row in cases("long_plane"):
        if row["shape"] == "square":
            assert case.geometry is not None
            assert min(case.geometry.out) >= isqrt(int(row["positions"])), case.name
