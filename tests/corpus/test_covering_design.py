"""The covering design of `cases/arithmetic/`: what it covers is counted again, in the case files
and without its generator.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations, combinations_with_replacement, product
from math import prod
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers import CHECKOUT

from conformance import load_cases
from conformance.corpus.case import Case, Made

GENERATOR = CHECKOUT / "tools" / "corpus" / "covering_design.py"
FOLDER = CHECKOUT / "cases" / "arithmetic"
FILES = {
    "line": ["line.yaml"],
    "plane": ["plane_dense.yaml", "plane_groups.yaml", "plane_depthwise.yaml"],
    "volume": ["volume.yaml"],
}
NAMES = {1: "one", 2: "two", 3: "three", 4: "four"}

Levels = dict[str, str]
Written = Mapping[str, Any]

pytestmark = pytest.mark.skipif(
    not GENERATOR.is_file(), reason="the generator is in a checkout, not in a source distribution"
)


@cache
def plan() -> Any:
    """factors.yaml as any other YAML reader has it."""
    return yaml.load((FOLDER / "factors.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)


@cache
def cases(design: str) -> tuple[tuple[Case, Levels], ...]:
    """The cases of a design with the levels that their arguments have."""
    found = []
    for name in FILES[design]:
        written = yaml.load((FOLDER / name).read_text(encoding="utf-8"), yaml.CSafeLoader)["cases"]
        loaded = load_cases(FOLDER / name)
        found += [(case, levels(case, entry)) for case, entry in zip(loaded, written, strict=True)]
    return tuple(found)


def levels(case: Case, written: Written) -> Levels:
    """The levels of a case, from its arguments alone; padding and output_padding as they are
    written.
    """
    assert case.geometry is not None
    rank, axes = case.spatial, case.geometry.axes
    padding = written.get("padding", 0)
    per_axis = [padding] * rank if isinstance(padding, int) else padding
    pads = [pad if isinstance(pad, list) else [pad, pad] for pad in per_axis]
    given = written.get("output_padding", 0)
    extra = [given] * rank if isinstance(given, int) else given
    assert [(low, high - more) for (low, high), more in zip(pads, extra, strict=True)] == list(
        case.geometry.crops
    )
    extents = [axis.extent for axis in axes]
    channels, groups = case.input.shape[1], case.geometry.groups
    assert isinstance(case.input, Made)
    return {
        "kernel": str(case.kernel.shape[2]) if rank == 1 else kernel_level(case.geometry.kernel),
        "stride": number_level(case.geometry.stride),
        "gaps": "present"
        if any(s > e for s, e in zip(case.geometry.stride, extents, strict=True))
        else "absent",
        "padding": padding_level(pads, extents),
        "output_padding": str(extra[0]) if rank == 1 else output_padding_level(extra),
        "dilation": number_level(case.geometry.dilation),
        "groups": groups_level(groups, channels // groups, case.kernel.shape[1]),
        "batch": NAMES[case.input.shape[0]],
        "channels": {1: "one", 8: "eight", 17: "seventeen", 64: "sixty-four"}.get(
            channels, "odd" if channels % 2 else "none"
        ),
        "input": input_level(case.geometry.size),
        "bias": "absent" if case.bias is None else "present",
        "values": case.input.values,
    }


def kernel_level(sizes: Sequence[int]) -> str:
    if 1 in sizes:
        return "one" if set(sizes) == {1} else "line"
    odd = sum(size % 2 for size in sizes)
    return "even" if odd == 0 else "odd" if odd == len(sizes) else "mixed"


def number_level(numbers: Sequence[int]) -> str:
    return NAMES[numbers[0]] if len(set(numbers)) == 1 else "unequal"


def padding_level(pads: Sequence[Sequence[int]], extents: Sequence[int]) -> str:
    lows, highs = zip(*pads, strict=True)
    if min(lows) < 0 or min(highs) < 0:
        return "prepended" if min(lows) < 0 else "appended"
    if all(low == high for low, high in pads):
        if not any(lows):
            return "none"
        return (
            "beyond"
            if any(low > extent / 2 for low, extent in zip(lows, extents, strict=True))
            else "half"
        )
    if all(low >= high for low, high in pads):
        return "start"
    return "end" if all(low <= high for low, high in pads) else "crossed"


def output_padding_level(extra: Sequence[int]) -> str:
    if not any(extra):
        return "none"
    if len(extra) == 3:
        return "all" if all(extra) else "some"
    return "both" if all(extra) else "first" if extra[0] else "second"


def groups_level(groups: int, inside: int, outputs: int) -> str:
    if groups == 1:
        return "one"
    if inside == 1:
        return "depthwise" if outputs == 1 else "multiplier"
    return NAMES.get(groups, "none") if outputs > 1 else "none"


def input_level(sizes: Sequence[int]) -> str:
    if set(sizes) == {1}:
        return "one"
    if 1 in sizes:
        return "thin" if len(sizes) == 3 else "row" if sizes[0] == 1 else "column"
    return "primes" if set(sizes) <= {2, 3, 5, 7} else "larger"


@cache
def rules(design: str) -> tuple[dict[str, set[str]], ...]:
    """What is illegal: factor to levels, of each combination that the design has levels of."""
    factors = plan()[design]["factors"]
    told = [
        {
            key: set([level] if isinstance(level, str) else level) & factors[key].keys()
            for key, level in rule.items()
            if key != "why"
        }
        for rule in plan()[design]["illegal"]
    ]
    return tuple(rule for rule in told if all(rule.values()))


def completes(row: Levels, bound: Sequence[str], design: str, memory: dict[Any, bool]) -> bool:
    """Whether levels can be chosen for the other factors so that no combination is illegal."""
    key = tuple((factor, row[factor]) for factor in bound if factor in row)
    if key not in memory:
        here = dict(key)
        if any(
            all(here.get(factor) in told for factor, told in rule.items()) for rule in rules(design)
        ):
            memory[key] = False
        else:
            open_factors = [factor for factor in bound if factor not in here]
            memory[key] = not open_factors or any(
                completes(here | {open_factors[0]: level}, bound, design, memory)
                for level in plan()[design]["factors"][open_factors[0]]
            )
    return memory[key]


@cache
def legal(design: str, strength: int) -> frozenset[tuple[tuple[str, str], ...]]:
    """All tuples of (factor, level) that are legal by factors.yaml."""
    factors = plan()[design]["factors"]
    bound = [factor for factor in factors if any(factor in rule for rule in rules(design))]
    memory: dict[Any, bool] = {}
    tuples = (
        tuple(zip(chosen, row, strict=True))
        for chosen in combinations(factors, strength)
        for row in product(*(factors[factor] for factor in chosen))
    )
    return frozenset(found for found in tuples if completes(dict(found), bound, design, memory))


@cache
def covered(design: str, strength: int) -> Counter[tuple[tuple[str, str], ...]]:
    """How many cases have each tuple of levels."""
    return Counter(
        found for _, row in cases(design) for found in combinations(row.items(), strength)
    )


def single_axes(design: str, rule: Mapping[str, set[str]]) -> list[dict[str, int]]:
    """One axis each for all that a rule can tell apart: its kernel, stride, dilation, size, padding
    and output_padding.
    """
    found: dict[Any, dict[str, int]] = {}
    sizes = (1,) if rule.get("input") == {"one"} else (1, 2)
    for k, s, d, n in product(range(1, 8), range(1, 5), range(1, 4), sizes):
        extent = d * (k - 1) + 1
        pads = (
            [(low, high) for low in range(-1, extent) for high in range(-1, extent)]
            if "padding" in rule
            else [(0, 0)]
        )
        extras = range(max(s, d)) if {"output_padding", "input"} & rule.keys() else [0]
        for (low, high), extra in product(pads, extras):
            if "input" in rule and (n - 1) * s + extent - low - high + extra < 1:
                continue
            axis = {
                "k": k,
                "s": s,
                "d": d,
                "n": n,
                "low": low,
                "high": high,
                "q": extra,
                "extent": extent,
            }
            told = axis_levels(axis, design, rule)
            found.setdefault(told, axis)
    return list(found.values())


def axis_levels(
    axis: Mapping[str, int], design: str, rule: Mapping[str, set[str]]
) -> tuple[Any, ...]:
    """What of one axis the factors of the rule depend on."""
    k, low, high = axis["k"], axis["low"], axis["high"]
    sign = (low < 0, high < 0, (low > high) - (low < high), low != 0, 2 * low > axis["extent"])
    parts = {
        "kernel": k if design == "line" else (k == 1, k % 2),
        "stride": axis["s"],
        "gaps": axis["s"] > axis["extent"],
        "padding": sign,
        "output_padding": axis["q"] if design == "line" else axis["q"] > 0,
        "dilation": axis["d"],
        "input": axis["n"],
    }
    return tuple(parts[factor] for factor in rule)


def geometric_levels(
    axes: Sequence[Mapping[str, int]], design: str, rule: Mapping[str, set[str]]
) -> Iterator[tuple[str, str]]:
    """(factor, level) of these axes for the rule's factors."""
    for factor in rule:
        match factor:
            case "kernel":
                sizes = [axis["k"] for axis in axes]
                yield factor, str(sizes[0]) if design == "line" else kernel_level(sizes)
            case "stride" | "dilation":
                yield factor, number_level([axis[factor[0]] for axis in axes])
            case "gaps":
                yield (
                    factor,
                    "present" if any(axis["s"] > axis["extent"] for axis in axes) else "absent",
                )
            case "padding":
                yield (
                    factor,
                    padding_level(
                        [(axis["low"], axis["high"]) for axis in axes],
                        [axis["extent"] for axis in axes],
                    ),
                )
            case "output_padding":
                extra = [axis["q"] for axis in axes]
                yield factor, str(extra[0]) if design == "line" else output_padding_level(extra)
            case "input":
                yield factor, "one" if all(axis["n"] == 1 for axis in axes) else "other"


@pytest.mark.parametrize("design", FILES)
def test_what_is_illegal_has_no_arguments(design: str) -> None:
    """No arguments whatever have a combination that factors.yaml calls illegal: all that an axis
    can be is tried.
    """
    possible = []
    rank = {"line": 1, "plane": 2, "volume": 3}[design]
    for rule in rules(design):
        if "groups" in rule:
            continue
        axes = single_axes(design, rule)
        # the order of axes counts for output_padding of the plane alone
        choices = (
            product(axes, repeat=rank) if rank == 2 else combinations_with_replacement(axes, rank)
        )
        if any(
            all(level in rule[factor] for factor, level in geometric_levels(chosen, design, rule))
            for chosen in choices
        ):
            possible.append(rule)
    assert possible == []


@pytest.mark.parametrize("design", FILES)
def test_illegal_groups_divide_no_channels(design: str) -> None:
    """No number of channels of an illegal combination is made of such groups."""
    channels = plan()[design]["factors"]["channels"]
    for rule in rules(design):
        if "groups" in rule:
            numbers = [number for level in rule["channels"] for number in channels[level]]
            made = {
                groups_level(groups, number // groups, outputs)
                for number in numbers
                for groups in range(1, number + 1)
                for outputs in (1, 2)
                if number % groups == 0
            }
            assert not made & rule["groups"], rule


def test_illegal_combinations_name_factors_and_levels() -> None:
    """A misspelled level would rule nothing out: every level is one of the design, or for a shared
    list of another.
    """
    known = {
        (factor, level)
        for name in FILES
        for factor, told in plan()[name]["factors"].items()
        for level in told
    }
    for name in FILES:
        for rule in plan()[name]["illegal"]:
            told = [
                (key, [level] if isinstance(level, str) else level)
                for key, level in rule.items()
                if key != "why"
            ]
            assert {(factor, level) for factor, names in told for level in names} <= known
            assert rule["why"]


@pytest.mark.parametrize("design", FILES)
def test_every_level_is_one_of_the_table(design: str) -> None:
    """Every case has, of every factor, a level that factors.yaml lists, and every number of its
    levels.
    """
    factors = plan()[design]["factors"]
    for case, row in cases(design):
        assert list(row) == list(factors)
        assert not [factor for factor, level in row.items() if level not in factors[factor]], (
            case.name
        )
        assert case.geometry is not None
        for factor, numbers in (
            ("kernel", case.geometry.kernel),
            ("stride", case.geometry.stride),
            ("dilation", case.geometry.dilation),
            ("input", case.geometry.size),
        ):
            assert list(numbers) in factors[factor][row[factor]], case.name


@pytest.mark.parametrize("design", FILES)
def test_every_legal_pair_is_covered(design: str) -> None:
    """Each two levels of two factors that can meet do meet in some case."""
    assert legal(design, 2) - covered(design, 2).keys() == set()


def test_legal_triples_of_the_plane_are_covered() -> None:
    """At least 95 percent of the legal triples meet in some case (of the issue's 90)."""
    triples = legal("plane", 3)
    assert len(triples & covered("plane", 3).keys()) >= 0.95 * len(triples)


@pytest.mark.parametrize("design", FILES)
def test_no_case_has_an_illegal_tuple(design: str) -> None:
    """What is covered is legal, so that the share above is one of the same tuples."""
    assert covered(design, 3).keys() - legal(design, 3) == set()


@pytest.mark.parametrize("design", FILES)
def test_every_case_earns_its_place(design: str) -> None:
    """Every case has three levels that meet in no other case."""
    only = covered(design, 3)
    assert [
        case.name
        for case, row in cases(design)
        if min(only[found] for found in combinations(row.items(), 3)) > 1
    ] == []


@pytest.mark.parametrize(("design", "few"), [("line", 2), ("volume", 2), ("plane", 6)])
def test_every_case_has_a_pair_that_few_have(design: str, few: int) -> None:
    """Every case has two levels that meet in at most this many cases."""
    only = covered(design, 2)
    assert [
        case.name
        for case, row in cases(design)
        if min(only[found] for found in combinations(row.items(), 2)) > few
    ] == []


def test_single_axes_meet_every_number() -> None:
    """In the plane every kernel meets every stride, dilation and padding below it at either end, on
    one axis.
    """
    axes = [axis for case, _ in cases("plane") if case.geometry for axis in case.geometry.axes]
    kernels = range(1, 8)
    assert {(axis.kernel, axis.stride) for axis in axes} == set(product(kernels, range(1, 5)))
    assert {(axis.kernel, axis.dilation) for axis in axes} == set(product(kernels, range(1, 4)))
    paddings = {(kernel, padding) for kernel in kernels for padding in range(kernel)}
    assert {(axis.kernel, axis.crop_low) for axis in axes} >= paddings
    assert {(axis.kernel, axis.crop_high) for axis in axes} >= paddings


def test_single_axes_have_every_legal_output_padding() -> None:
    """In the plane every stride and dilation meet every output_padding below the larger of them, on
    one axis.
    """
    seen = set()
    for name in FILES["plane"]:
        entries = yaml.load((FOLDER / name).read_text(encoding="utf-8"), yaml.CSafeLoader)["cases"]
        for entry in entries:
            numbers = [
                entry.get(key, default)
                for key, default in (("stride", 1), ("dilation", 1), ("output_padding", 0))
            ]
            seen |= set(
                zip(
                    *(number if isinstance(number, list) else [number] * 2 for number in numbers),
                    strict=True,
                )
            )
    assert seen == {
        (s, d, extra) for s in range(1, 5) for d in range(1, 4) for extra in range(max(s, d))
    }


@pytest.mark.parametrize("design", FILES)
def test_dilation_with_stride_meets_every_level(design: str) -> None:
    """Every level of the other factors is there with stride and dilation above 1 on one axis,
    unless a rule is against it.
    """
    met = {
        found
        for case, row in cases(design)
        if case.geometry
        and any(axis.stride > 1 and axis.dilation > 1 for axis in case.geometry.axes)
        for found in row.items()
    }
    factors = plan()[design]["factors"]
    every = {(factor, level) for factor in factors for level in factors[factor]}
    assert every - met == {("stride", "one"), ("dilation", "one")}


def test_compiled_cases_cover_pairs_of_code_paths() -> None:
    """The cases of the plane that are tagged `compiled` cover all legal pairs of the factors that
    choose code paths.
    """
    chosen = ("kernel", "stride", "dilation", "groups", "padding", "output_padding", "bias")

    def coarse(level: tuple[str, str]) -> tuple[str, str]:
        factor, name = level
        return factor, "zero" if name == "none" else "some" if factor == "output_padding" else name

    wanted = {
        tuple(map(coarse, found))
        for found in legal("plane", 2)
        if {factor for factor, _ in found} <= set(chosen)
    }
    rows = [
        [coarse((factor, row[factor])) for factor in chosen]
        for case, row in cases("plane")
        if "compiled" in case.tags
    ]
    order = {factor: number for number, factor in enumerate(plan()["plane"]["factors"])}
    seen = {
        found
        for row in rows
        for found in combinations(sorted(row, key=lambda level: order[level[0]]), 2)
    }
    assert wanted - seen == set()


def test_compiled_cases_are_few_and_of_every_rank() -> None:
    """Between 60 and 80 cases are tagged `compiled`, some of them with one axis and with three."""
    counts = {design: sum("compiled" in case.tags for case, _ in cases(design)) for design in FILES}
    assert 60 <= sum(counts.values()) <= 80
    assert min(counts.values()) >= 5


def test_cases_are_small() -> None:
    """No case has more than 60,000 products, and nine of ten have at most 20,000: engines compile
    every one.
    """
    products = sorted(
        case.input.shape[0]
        * case.kernel.shape[1]
        * prod(case.input.shape[1:])
        * prod(case.kernel.shape[2:])
        for design in FILES
        for case, _ in cases(design)
    )
    assert products[-1] <= 60_000
    assert products[len(products) * 9 // 10] <= 20_000


def test_every_case_is_guarded() -> None:
    """Every case says what is expected, with the numbers or a digest of them."""
    assert [
        case.name
        for design in FILES
        for case, _ in cases(design)
        if not (case.expected and case.expected.complete)
    ] == []


def test_generator_writes_what_is_committed() -> None:
    """Running the generator would change none of the files."""
    done = subprocess.run(
        [sys.executable, GENERATOR, "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "10 files are what the design says\n"), done.stderr


def test_check_tells_what_is_out_of_date(tmp_path: Path) -> None:
    """--check names a file that is not what the generator writes, and exits 1; nothing is
    written.
    """
    table = plan()["line"] | {"cases": 3}
    (tmp_path / "factors.yaml").write_text(yaml.safe_dump({"line": table}), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, GENERATOR, "--check", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "line.yaml" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["factors.yaml"]
