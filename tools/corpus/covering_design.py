"""Writes the covering design of `cases/arithmetic/`: few cases in which the levels of all factors
meet, by pairs and by triples.

    python tools/corpus/covering_design.py [--check] [FOLDER]

`factors.yaml` in that folder says which levels there are and which cannot meet. A row, a level of
every factor, is chosen as in AETG (Cohen, Dalal, Fredman and Patton, IEEE Trans. Softw. Eng. 23(7),
1997): of some candidates, each grown from a tuple that is not covered yet by the level that covers
most, the best one. Then arguments are drawn that have those levels, so that single axes meet new
numbers too. The generator of random numbers starts from a fixed seed: running this again changes
nothing. With `--check` nothing is written, and the exit status is 1 where the files are not what
would be.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations, product
from math import fsum, log2, prod
from pathlib import Path
from typing import Any

from conformance import conventions
from conformance.conventions import Unrepresentable
from conformance.corpus.case import Case, Made, Place
from conformance.corpus.expected import MOST_VALUES, expectation
from conformance.corpus.strict_yaml import read
from conformance.corpus.tensors import tensors_of
from conformance.geometry import from_padding
from conformance.oracle import truth_of

FOLDER = Path(__file__).resolve().parents[2] / "cases" / "arithmetic"
RANKS = {"line": 1, "plane": 2, "volume": 3}
SEED = 5
CANDIDATES, ROUNDS = 6, 20
DRAWS = 400
"""Attempts at arguments of a row's levels."""
ENOUGH = 12
"""Arguments from which the best are taken."""
MANY_PRODUCTS, MOST_PRODUCTS, MOST_OUTPUTS = 20_000, 60_000, 8192
"""Of one case: what is avoided where the levels allow it, and what is never exceeded."""
MOST_WIDE_TERMS = 1024
"""Of one sum of wide integers: 1024 * 8191 * 2 < 2^24, so that float32 holds it."""
COMPILED = {"line": 8, "plane": 52, "volume": 8}
"""How many cases compiled variants run too."""
COMPILED_FACTORS = ("kernel", "stride", "dilation", "groups", "padding", "output_padding", "bias")
"""What chooses code paths; of output_padding, whether there is any."""
WIDTH = 120

Row = dict[str, str]
Pair = tuple[int, int]
Tuple = tuple[tuple[str, str], ...]
"""(factor, level) of two factors or three, in the order of the table."""


@dataclass(frozen=True, kw_only=True)
class Design:
    """One design of factors.yaml: the levels of each factor, and the combinations of them that are
    illegal.
    """

    name: str
    cases: int
    strength: int
    factors: Mapping[str, Mapping[str, Any]]
    illegal: Sequence[Mapping[str, frozenset[str]]]

    @property
    def rank(self) -> int:
        return RANKS[self.name]

    @cached_property
    def parts(self) -> list[tuple[list[str], list[Mapping[str, frozenset[str]]]]]:
        """Factors that combinations tie to each other, with these combinations: each part can be
        completed by itself.
        """
        found: list[tuple[set[str], list[Mapping[str, frozenset[str]]]]] = []
        for rule in self.illegal:
            tied, rules = set(rule), [rule]
            for part in [part for part in found if part[0] & tied]:
                found.remove(part)
                tied, rules = tied | part[0], part[1] + rules
            found.append((tied, rules))
        return [
            ([factor for factor in self.factors if factor in tied], rules) for tied, rules in found
        ]

    @cached_property
    def known(self) -> dict[tuple[int, Tuple], bool]:
        return {}

    def possible(self, row: Row) -> bool:
        """Whether the missing levels can be chosen so that nothing illegal is among them."""
        return all(self._completes(number, row) for number in range(len(self.parts)))

    def _completes(self, number: int, row: Row) -> bool:
        factors, rules = self.parts[number]
        here = {factor: row[factor] for factor in factors if factor in row}
        key = number, tuple(here.items())
        if key not in self.known:
            broken = any(
                all(here.get(factor) in levels for factor, levels in rule.items()) for rule in rules
            )
            missing = next((factor for factor in factors if factor not in here), None)
            self.known[key] = not broken and (
                missing is None
                or any(
                    self._completes(number, here | {missing: level})
                    for level in self.factors[missing]
                )
            )
        return self.known[key]

    def tuples(self, strength: int) -> Iterator[Tuple]:
        """All legal tuples of that many factors."""
        for chosen in combinations(self.factors, strength):
            for levels in product(*(self.factors[factor] for factor in chosen)):
                found = tuple(zip(chosen, levels, strict=True))
                if self.possible(dict(found)):
                    yield found


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The arguments of one case."""

    kernel: Sequence[int]
    stride: Sequence[int]
    dilation: Sequence[int]
    size: Sequence[int]
    padding: Sequence[Pair]
    output_padding: Sequence[int]
    batch: int
    channels: int
    outputs: int
    groups: int

    @property
    def extent(self) -> list[int]:
        return [d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True)]

    @property
    def products(self) -> int:
        return (
            self.batch
            * self.channels
            * self.outputs
            // self.groups
            * prod(self.size)
            * prod(self.kernel)
        )

    def atoms(self) -> set[tuple[Any, ...]]:
        """What single axes have in pairs: the numbers that levels leave open."""
        found: set[tuple[Any, ...]] = set()
        columns = (
            self.size,
            self.kernel,
            self.stride,
            self.dilation,
            self.padding,
            self.output_padding,
        )
        for n, k, s, d, (low, high), extra in zip(*columns, strict=True):
            numbers = {"n": n, "k": k, "s": s, "d": d, "low": low, "high": high, "q": extra}
            found |= set(combinations(numbers.items(), 2)) | {("sdq", s, d, extra)}
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A case of the design with its levels."""

    row: Row
    case: Case
    arguments: Arguments
    compiled: bool = False


def designs(folder: Path) -> list[Design]:
    """The designs of the folder's factors.yaml."""
    found = []
    for name, item in read(folder / "factors.yaml").items(tuple(RANKS)).items():
        table = item.value()
        rules = [
            {
                key: frozenset([told] if isinstance(told, str) else told)
                for key, told in rule.items()
                if key != "why"
            }
            for rule in table.pop("illegal")
        ]
        found.append(Design(name=name, illegal=rules, **table))
    return found


def rows(design: Design, numbers: random.Random, accepted: Any) -> Iterator[Row]:
    """Rows, each the best of a few candidates that `accepted` finds arguments for."""
    missing = dict.fromkeys(
        design.tuples(design.strength)
    )  # a dict keeps its order, a set of words does not
    pairs = dict.fromkeys(design.tuples(2))
    for _ in range(design.cases):
        row = next(filter(accepted, candidates(design, numbers, missing, pairs)))
        for found in of(row, 2):
            pairs.pop(found, None)
        for found in of(row, design.strength):
            missing.pop(found, None)
        yield row


def candidates(
    design: Design, numbers: random.Random, missing: Mapping[Tuple, Any], pairs: Mapping[Tuple, Any]
) -> Iterator[Row]:
    """A few rows, the best first, then as many more where no arguments are found for those."""
    grown_rows: list[Row] = []
    for _ in range(ROUNDS):
        grown_rows = []
        for _ in range(CANDIDATES):
            wanted = list(pairs or missing)
            start = numbers.choice(wanted) if wanted else ()
            grown_rows.append(grown(design, dict(start), numbers, missing, pairs))
        new = [
            5 * len(of(row, 2) & pairs.keys()) + len(of(row, design.strength) & missing.keys())
            for row in grown_rows
        ]
        yield from (
            row for _, row in sorted(zip(new, grown_rows, strict=True), key=lambda pair: -pair[0])
        )
    raise ValueError(
        f"{design.name}: no arguments for any of {grown_rows}; does `illegal` lack a combination?"
    )


def of(row: Row, strength: int) -> set[Tuple]:
    """The tuples of that many factors which a row covers."""
    return set(combinations(row.items(), strength))


def grown(
    design: Design,
    row: Row,
    numbers: random.Random,
    missing: Mapping[Tuple, Any],
    pairs: Mapping[Tuple, Any],
) -> Row:
    """A whole row from a few levels: factor after factor, in random order, the level that covers
    most of what is missing.
    """
    order = {factor: number for number, factor in enumerate(design.factors)}
    for factor in numbers.sample(list(design.factors), len(design.factors)):
        if factor in row:
            continue
        before = [
            (name, row[name])
            for name in design.factors
            if name in row and order[name] < order[factor]
        ]
        after = [
            (name, row[name])
            for name in design.factors
            if name in row and order[name] > order[factor]
        ]
        parts = list(around(before, after, design.strength - 1))
        alone = list(around(before, after, 1))
        levels = [
            level for level in design.factors[factor] if design.possible(row | {factor: level})
        ]
        new = [
            sum((*first, (factor, level), *last) in missing for first, last in parts)
            + 5 * sum((*first, (factor, level), *last) in pairs for first, last in alone)
            for level in levels
        ]
        best = [level for level, count in zip(levels, new, strict=True) if count == max(new)]
        row[factor] = numbers.choice(best)
    return {factor: row[factor] for factor in design.factors}


def around(
    before: Sequence[Any], after: Sequence[Any], count: int
) -> Iterator[tuple[Tuple, Tuple]]:
    """All choices of that many (factor, level), parted where another factor has its place among
    them.
    """
    for first in range(count + 1):
        yield from product(combinations(before, first), combinations(after, count - first))


def arguments_of(
    design: Design, row: Row, numbers: random.Random, seen: Mapping[Any, int]
) -> Arguments | None:
    """Arguments of the row's levels: of a few, those whose axes have most that no other case has;
    None if there are none.
    """
    found = []
    for _ in range(DRAWS):
        drawn = draw(design, row, numbers)
        if drawn is not None:
            found.append(drawn)
            if len(found) == ENOUGH:
                break
    return max(found, key=lambda drawn: worth(drawn, seen), default=None)


def worth(drawn: Arguments, seen: Mapping[Any, int]) -> float:
    """How much a case of these arguments would add; more if it is cheap and its output is small
    enough to be written out.
    """
    geometry = geometry_of(drawn)
    new = fsum(
        1 / (1 + seen[atom]) ** 2 for atom in drawn.atoms()
    )  # fsum: a set has no order, and sum would depend on it
    size = drawn.batch * drawn.outputs * prod(geometry.out)
    met = prod(
        sum(map(bool, axis.overlap())) for axis in geometry.axes
    )  # positions where products land
    return (
        new
        + 2 * spoken(drawn)
        - 4 / met
        - 8 * max(drawn.products / MANY_PRODUCTS - 0.5, 0)
        - log2(max(size / MOST_VALUES, 1))
    )


def spoken(drawn: Arguments) -> bool:
    """Whether torch, whose kernels most compiled variants run, has a word for this window."""
    return not isinstance(conventions.get("torch").native(geometry_of(drawn)), Unrepresentable)


def geometry_of(drawn: Arguments) -> Any:
    return from_padding(
        size=drawn.size,
        kernel=drawn.kernel,
        stride=drawn.stride,
        padding=drawn.padding,
        output_padding=drawn.output_padding,
        dilation=drawn.dilation,
        groups=drawn.groups,
    )


def draw(design: Design, row: Row, numbers: random.Random) -> Arguments | None:
    """One attempt at arguments of the row's levels."""
    kernel, stride, dilation, size = (
        numbers.choice(design.factors[factor][row[factor]])
        for factor in ("kernel", "stride", "dilation", "input")
    )
    extent = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    gaps = any(s > e for s, e in zip(stride, extent, strict=True))
    if gaps != (row["gaps"] == "present"):
        return None
    most = [max(s, d) - 1 for s, d in zip(stride, dilation, strict=True)]
    extra = [
        numbers.choice((0, numbers.randint(0, limit)))
        if design.rank > 1
        else numbers.randint(0, limit)
        for limit in most
    ]
    if OUTPUT_PADDING[row["output_padding"]] != given_back(extra):
        return None
    padding = [padding_of(row["padding"], e, numbers) for e in extent]
    if kind_of_padding(padding, extent) != row["padding"]:
        return None
    channels = numbers.choice(design.factors["channels"][row["channels"]])
    groups = {"one": 1, "two": 2, "three": 3}.get(row["groups"], channels)
    if channels % groups or (row["groups"] in ("two", "three") and channels <= groups):
        return None
    outputs = [n for n in OUTPUTS_PER_GROUP[row["groups"]] if channels > 1 or n > 1]
    drawn = Arguments(
        kernel=kernel,
        stride=stride,
        dilation=dilation,
        size=size,
        padding=padding,
        output_padding=extra,
        batch=design.factors["batch"][row["batch"]][0],
        channels=channels,
        outputs=groups * numbers.choice(outputs),
        groups=groups,
    )
    geometry = geometry_of(drawn)
    out = geometry.out
    if min(out) < 1 or not all(
        any(axis.overlap()) for axis in geometry.axes
    ):  # an output of zeros notices little
        return None
    small = (
        drawn.products <= MOST_PRODUCTS and drawn.batch * drawn.outputs * prod(out) <= MOST_OUTPUTS
    )
    narrow = row["values"] != "wide" or channels // groups * prod(kernel) + 1 <= MOST_WIDE_TERMS
    return drawn if small and narrow else None


OUTPUTS_PER_GROUP = {
    "one": (1, 2, 2, 3, 3, 4, 5, 8, 17, 64),
    "two": (2, 3),
    "three": (2, 3),
    "depthwise": (1,),
    "multiplier": (2, 3),
}
# level of output_padding -> the axes that have some, or for one axis the number
OUTPUT_PADDING: dict[str, Any] = {
    "none": 0,
    "first": (0,),
    "second": (1,),
    "both": (0, 1),
    "some": "some",
    "all": "all",
}
OUTPUT_PADDING |= {str(number): number for number in range(4)}


def given_back(extra: Sequence[int]) -> Any:
    """What OUTPUT_PADDING has for the level of these numbers."""
    axes = tuple(axis for axis, number in enumerate(extra) if number)
    if len(extra) == 1 or not axes:
        return extra[0]
    if len(extra) == 2:
        return axes
    return "all" if len(axes) == len(extra) else "some"


def padding_of(level: str, extent: int, numbers: random.Random) -> Pair:
    """What one axis of that level may have."""
    match level:
        case "none":
            return 0, 0
        case "half":
            low = high = numbers.randint(0, extent // 2)
        case "beyond":
            low = high = numbers.randint(0, extent - 1)
        case "prepended":
            low, high = (
                numbers.randint(-3, min(extent - 1, 1)),
                numbers.randint(-2, min(extent - 1, 2)),
            )
        case "appended":
            low, high = (
                numbers.randint(0, min(extent - 1, 2)),
                numbers.randint(-3, min(extent - 1, 1)),
            )
        case _:  # start, end, crossed
            reverse = level == "start" or (level == "crossed" and numbers.random() < 0.5)
            low, high = sorted(
                (numbers.randint(0, extent - 1), numbers.randint(0, extent - 1)), reverse=reverse
            )
    return low, high


def kind_of_padding(padding: Sequence[Pair], extent: Sequence[int]) -> str:
    """The level of the padding of all axes; `crossed` is none of volume's."""
    if any(low < 0 for low, _ in padding):
        return "prepended"
    if any(high < 0 for _, high in padding):
        return "appended"
    directions = {(low > high) - (low < high) for low, high in padding} - {0}
    if len(directions) == 2:
        return "crossed"
    if directions:
        return "start" if 1 in directions else "end"
    if any(2 * low > e for (low, _), e in zip(padding, extent, strict=True)):
        return "beyond"
    return "half" if any(low for low, _ in padding) else "none"


def entries(design: Design) -> list[Entry]:
    """The cases of a design, in the order of their files."""
    numbers = random.Random(f"{design.name} {SEED}")
    seen: Counter[Any] = Counter()
    found: list[Entry] = []
    last: list[Arguments] = []

    def accepted(row: Row) -> bool:
        drawn = arguments_of(design, row, numbers, seen)
        last[:] = [] if drawn is None else [drawn]
        return drawn is not None

    for row in rows(design, numbers, accepted):
        drawn = last[0]
        seen.update(drawn.atoms())
        found.append(Entry(row=row, case=case_of(design, row, drawn), arguments=drawn))
    names = [entry.case.name for entry in found]
    if len(set(names)) < len(names):
        raise ValueError(
            f"{sorted(name for name in names if names.count(name) > 1)} are there twice"
        )
    chosen = compiled(design, found)
    marked = [replace(entry, compiled=number in chosen) for number, entry in enumerate(found)]
    return sorted(
        marked, key=lambda entry: (entry.arguments.kernel, entry.arguments.stride, entry.case.name)
    )


def compiled(design: Design, found: Sequence[Entry]) -> set[int]:
    """Numbers of cases that cover, few as they are, every pair of the factors that choose code
    paths, then triples.
    """
    coarse = []
    for entry in found:
        row = {factor: entry.row[factor] for factor in COMPILED_FACTORS}
        coarse.append(
            row | {"output_padding": "zero" if row["output_padding"] in ("none", "0") else "some"}
        )
    covered: set[Tuple] = set()
    chosen: set[int] = set()
    while len(chosen) < min(COMPILED[design.name], len(found)):
        # ties go to what torch can spell, and to what is cheap
        best = max(
            (number for number in range(len(found)) if number not in chosen),
            key=lambda number: (
                len(of(coarse[number], 2) - covered),
                len(of(coarse[number], 3) - covered) + 4 * spoken(found[number].arguments),
                -found[number].arguments.products,
            ),
        )
        chosen.add(best)
        covered |= of(coarse[best], 2) | of(coarse[best], 3)
    return chosen


def case_of(design: Design, row: Row, drawn: Arguments) -> Case:
    values = row["values"]
    # wide integers have a bias of small ones: with wide's own, from -2 to 2, one that is missing
    # shows less often
    bias = Made(shape=(drawn.outputs,), values="integers" if values == "wide" else values, seed=3)
    return Case(
        name=identity(row, drawn),
        summary=summary(row, drawn),
        source="design of the suite",
        spatial=design.rank,
        input=Made(shape=(drawn.batch, drawn.channels, *drawn.size), values=values, seed=1),
        kernel=Made(
            shape=(drawn.channels, drawn.outputs // drawn.groups, *drawn.kernel),
            values=values,
            seed=2,
        ),
        bias=bias if row["bias"] == "present" else None,
        dtype="float32",
        geometry=geometry_of(drawn),
        native=None,
        must_fail=False,
        expected=None,
        tags=(),
        place=Place(file=Path(design.name), lines={"": 1}),
    )


def identity(row: Row, drawn: Arguments) -> str:
    """k(ernel), s(tride), p(adding), q for output_padding, d(ilation), i(nput), c(hannels),
    g(roups), n for the batch.

    What all axes share stands once, but for kernel and input. Defaults are left out, and so are
    small integers and no bias.
    """
    pads = [str(low) if low == high else f"{low}_{high}" for low, high in drawn.padding]
    parts = ["k" + "x".join(map(str, drawn.kernel)), "s" + alike(drawn.stride)]
    parts += ["p" + alike(pads)] if row["padding"] != "none" else []
    parts += ["q" + alike(drawn.output_padding)] if any(drawn.output_padding) else []
    parts += ["d" + alike(drawn.dilation)] if row["dilation"] != "one" else []
    parts += ["i" + "x".join(map(str, drawn.size)), f"c{drawn.channels}to{drawn.outputs}"]
    parts += [f"g{drawn.groups}"] if drawn.groups > 1 else []
    parts += [f"n{drawn.batch}"] if drawn.batch > 1 else []
    parts += ["bias"] if row["bias"] == "present" else []
    parts += [row["values"]] if row["values"] != "integers" else []
    return "-".join(parts)


def alike(values: Sequence[Any]) -> str:
    return "x".join(map(str, values)) if len(set(values)) > 1 else str(values[0])


def short(values: Sequence[Any]) -> Any:
    """One value where all axes have the same, as the case format allows."""
    return values[0] if len(set(values)) == 1 else list(values)


KERNELS = {
    "one": "a kernel of 1",
    "even": "an even kernel",
    "odd": "an odd kernel",
    "mixed": "a kernel of even and odd sizes",
}
KERNELS |= {"line": "a kernel of 1 along some axis"}
PADDINGS = {
    "half": "padding of at most half the kernel",
    "beyond": "padding of more than half the kernel",
    "start": "more padding at the start",
    "end": "more padding at the end",
    "crossed": "more padding at the start of one axis and at the end of the other",
    "prepended": "zeros prepended by negative padding",
    "appended": "zeros appended by negative padding",
}


def summary(row: Row, drawn: Arguments) -> str:
    """What is, in a sentence of the levels that are not plain."""
    stride = "unequal strides" if row["stride"] == "unequal" else f"stride {drawn.stride[0]}"
    parts = [stride + " with gaps" * (row["gaps"] == "present"), PADDINGS.get(row["padding"])]
    if any(drawn.output_padding):
        parts.append(f"output_padding {alike(drawn.output_padding)}")
    if row["dilation"] != "one":
        parts.append(
            "unequal dilations" if row["dilation"] == "unequal" else f"dilation {drawn.dilation[0]}"
        )
    match row["groups"]:
        case "two" | "three" as number:
            parts.append(f"{number} groups")
        case "depthwise":
            parts.append("one group per channel")
        case "multiplier":
            parts.append(f"{drawn.outputs // drawn.groups} output channels per input channel")
    told = [part for part in parts if part]
    kernel = KERNELS.get(row["kernel"], f"a kernel of {row['kernel']}")
    listed = ", ".join(told[:-1]) + " and " + told[-1] if len(told) > 1 else told[0]
    return f"{kernel[0].upper()}{kernel[1:]} meets {listed}."


def text_of(entry: Entry) -> str:
    """The case as YAML, with the oracle's answer."""
    case, drawn = entry.case, entry.arguments
    assert isinstance(case.input, Made)
    assert isinstance(case.kernel, Made)
    assert case.geometry is not None
    lines = [
        f"  - id: {case.name}",
        *wrapped(f"    summary: {case.summary}"),
        f"    source: {case.source}",
    ]
    if case.spatial != 2:
        lines.append(f"    spatial: {case.spatial}")
    for key, made in (("input", case.input), ("kernel", case.kernel)):
        lines.append(f"    {key}: {{shape: {list(made.shape)}, values: {made.values}}}")
    if isinstance(case.bias, Made):
        lines.append(f"    bias: {{values: {case.bias.values}}}")
    symmetric = all(low == high for low, high in drawn.padding)
    padding = (
        short([low for low, _ in drawn.padding])
        if symmetric
        else [list(pair) for pair in drawn.padding]
    )
    for key, value, default in (
        ("stride", short(drawn.stride), 1),
        ("padding", padding, 0),
        ("output_padding", short(drawn.output_padding), 0),
        ("dilation", short(drawn.dilation), 1),
        ("groups", drawn.groups, 1),
    ):
        if value != default:
            lines.append(f"    {key}: {value}")
    if entry.compiled or case.spatial != 2:  # what chooses a code path forward chooses one backward
        lines.append(
            "    gradients: {values: "
            f"{'normal' if case.input.values == 'normal' else 'integers'}}}"
        )
    if entry.compiled:
        lines.append("    tags: [compiled]")
    expected = expectation(truth_of(*tensors_of(case), case.geometry, case.dtype))
    assert expected.shape is not None
    lines += ["    expected:", f"      shape: {list(expected.shape)}"]
    if expected.numbers is not None:
        lines += wrapped(
            "      values: "
            f"{nested([plain(number) for number in expected.numbers], expected.shape)}"
        )
    elif expected.sha256 is not None:
        lines.append(f'      sha256: "{expected.sha256}"')
    else:
        assert expected.sum_abs is not None
        lines.append(f"      sum_abs: {plain(expected.sum_abs)}")
    return "\n".join(lines) + "\n"


def plain(number: float) -> str:
    """Multiples of 2^-24, as all sums of `normal` are: they are exact in float64, so every machine
    writes the same digits.
    """
    return str(int(number)) if number.is_integer() else repr(number)


def nested(numbers: list[str], shape: Sequence[int]) -> str:
    for size in reversed(shape):
        numbers = [
            f"[{', '.join(numbers[start : start + size])}]"
            for start in range(0, len(numbers), size)
        ]
    return numbers[0]


def wrapped(line: str) -> list[str]:
    """The line broken at blanks, its rest further in; YAML reads such a break as a blank."""
    lines = []
    while len(line) > WIDTH:
        cut = line.rindex(" ", 0, WIDTH)
        lines.append(line[:cut])
        line = " " * 8 + line[cut + 1 :]
    return [*lines, line]


HEADER = """\
# {title}
# Written by `python tools/corpus/covering_design.py` from factors.yaml: change that, not this
# file.
format: 1
cases:
"""
TITLES = {
    "plane_dense": "Two spatial axes, one group: the covering design's cases.",
    "plane_groups": "Two spatial axes, two groups or three: the covering design's cases.",
    "plane_depthwise": (
        "Two spatial axes, every channel a group, with and without a multiplier: "
        "the covering design's cases."
    ),
    "line": "One spatial axis: a covering design of pairs.",
    "volume": "Three spatial axes: a covering design of pairs.",
}
PLANES = {
    "one": "dense",
    "two": "groups",
    "three": "groups",
    "depthwise": "depthwise",
    "multiplier": "depthwise",
}


def stem_of(design: Design, entry: Entry) -> str:
    return f"plane_{PLANES[entry.row['groups']]}" if design.name == "plane" else design.name


def files(folder: Path) -> dict[str, str]:
    """File names and texts of the whole design of that folder."""
    members: dict[str, list[str]] = {stem: [] for stem in TITLES}
    for design in designs(folder):
        for entry in entries(design):
            members[stem_of(design, entry)].append(text_of(entry))
    return {
        f"{stem}.yaml": HEADER.format(title=TITLES[stem]) + "\n".join(texts)
        for stem, texts in members.items()
    }


def stale(folder: Path, written: Mapping[str, str]) -> Iterable[str]:
    """Names of files in the folder that are not what is written."""
    for name, text in written.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            yield name


def main(arguments: Sequence[str]) -> int:
    folder = Path(next((word for word in arguments if not word.startswith("-")), FOLDER))
    written = files(folder)
    if "--check" in arguments:
        old = list(stale(folder, written))
        print(
            f"out of date: {', '.join(old)}"
            if old
            else f"{len(written)} files are what the design says"
        )
        return bool(old)
    for name, text in written.items():
        (folder / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
