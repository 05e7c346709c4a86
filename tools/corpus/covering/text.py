"""A case of a design as text of its YAML file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from conformance.corpus.bless import gradient_entries
from conformance.corpus.case import DEFAULT_SEEDS, Case, Made
from conformance.corpus.expected import expectation
from conformance.corpus.truths import Prepared, prepare
from covering.arguments import Arguments
from covering.entry import Entry
from yaml_lines import wrapped


def text_of(entry: Entry) -> str:
    """The case as YAML, with the oracle's answer."""
    case = entry.case
    assert isinstance(case.input, Made)
    assert isinstance(case.kernel, Made)
    lines = [
        f"  - id: {case.name}",
        *wrapped(f"    summary: {case.summary}"),
        f"    source: {case.source}",
    ]
    if case.spatial != 2:
        lines.append(f"    spatial: {case.spatial}")
    for key, recipe in (("input", case.input), ("kernel", case.kernel)):
        lines.append(f"    {key}: {{shape: {list(recipe.shape)}, values: {recipe.values}}}")
    if isinstance(case.bias, Made):
        lines.append(f"    bias: {{values: {case.bias.values}}}")
    if case.dtype != "float32":
        lines.append(f"    dtype: {case.dtype}")
    lines += window_lines(entry.arguments)
    if entry.compiled or entry.gradients:  # what chooses a code path forward chooses one backward
        values = "normal" if case.input.values == "normal" else "integers"
        lines.append(f"    gradients: {{values: {values}}}")
        case = replace(
            case,
            gradients=Made(shape=case.output_shape, values=values, seed=DEFAULT_SEEDS["gradients"]),
        )
    if entry.compiled:
        lines.append("    tags: [compiled]")
    return "\n".join([*lines, *expected_lines(case)]) + "\n"


def window_lines(drawn: Arguments) -> Iterator[str]:
    """Lines of the arguments that are not the format's defaults."""
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
            yield f"    {key}: {value}"


def expected_lines(case: Case) -> list[str]:
    """The lines of `expected` from the oracle: the shape, and the numbers, their digest or their
    sum; the same of the gradients.
    """
    prepared = prepare(case)
    assert prepared.truth is not None
    expected = expectation(prepared.truth)
    assert expected.shape is not None
    lines = ["    expected:", f"      shape: {list(expected.shape)}"]
    if expected.numbers is not None:
        numbers = nested([plain(number) for number in expected.numbers], expected.shape)
        lines += wrapped(f"      values: {numbers}")
    elif expected.sha256 is not None:
        lines.append(f'      sha256: "{expected.sha256}"')
    else:
        assert expected.sum_abs is not None
        lines.append(f"      sum_abs: {plain(expected.sum_abs)}")
    return lines + (gradient_lines(case, prepared) if case.gradients is not None else [])


def gradient_lines(case: Case, prepared: Prepared) -> list[str]:
    """The lines of `expected.gradients`, as `conformance bless` writes them."""
    assert prepared.truth is not None
    guards = expectation(prepared.truth, prepared.gradient_truths).gradients
    assert guards is not None
    lines = ["      gradients:"]
    for of, guard in gradient_entries(case, guards).items():
        lines += wrapped(f"        {of}: {guard}", 10)
    return lines


def short(values: Sequence[Any]) -> Any:
    """One value where all axes have the same, as the case format allows."""
    return values[0] if len(set(values)) == 1 else list(values)


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
