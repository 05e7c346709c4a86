"""A case of native arguments as text of its YAML file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.corpus.case import Case, Made
from conformance.corpus.expected import expectation
from conformance.corpus.tensors import tensors_of
from conformance.oracle import truth_of
from yaml_lines import wrapped


def entry(case: Case, arguments: dict[str, Any]) -> str:
    """The case as YAML, with the oracle's answer."""
    assert case.native is not None
    assert isinstance(case.input, Made)
    assert isinstance(case.kernel, Made)
    identifier = case.name.rpartition("/")[2]
    lines = [
        f"  - id: {identifier}",
        *wrapped(f"    summary: {quoted(case.summary)}"),
        f"    source: {quoted(case.source)}",
    ]
    if case.spatial != 2:
        lines.append(f"    spatial: {case.spatial}")
    for key, recipe in (("input", case.input), ("kernel", case.kernel)):
        lines.append(f"    {key}: {{shape: {flow(list(recipe.shape))}, values: integers}}")
    if case.bias is not None:
        lines.append("    bias: {values: integers}")
    lines.append(f"    native: {{{case.native[0]}: {flow(arguments)}}}")
    if case.geometry is None:
        return "\n".join([*lines, "    expected: {error: true}"]) + "\n"
    tensors = tensors_of(case)
    expected = expectation(truth_of(*tensors, case.geometry, case.dtype))
    assert expected.shape is not None
    lines += ["    expected:", f"      shape: {flow(list(expected.shape))}"]
    if expected.numbers is not None:
        lines += wrapped(
            "      values: "
            f"{flow(nested([int(number) for number in expected.numbers], expected.shape))}"
        )
    else:
        lines.append(f'      sha256: "{expected.sha256}"')
    return "\n".join(lines) + "\n"


def nested(numbers: list[Any], shape: Sequence[int]) -> list[Any]:
    for size in reversed(shape[1:]):
        numbers = [numbers[start : start + size] for start in range(0, len(numbers), size)]
    return numbers


def flow(value: Any) -> str:
    """YAML's flow style of lists, mappings, numbers, words and truth values."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def quoted(text: str) -> str:
    """The text as a scalar: in quotes where a colon and a blank would end it early."""
    return f'"{text}"' if ": " in text else text
