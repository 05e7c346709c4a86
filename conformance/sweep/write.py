"""A failure as a case file: what was asked, what went wrong, and what is right."""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from conformance.corpus.bless import write_expected
from conformance.corpus.case import DEFAULT_SEEDS, Made, Source
from conformance.corpus.files import load_cases
from conformance.errors import RecordError
from conformance.geometry import Geometry, canonical_padding
from conformance.sweep.call import SweepCall
from conformance.system.files import replace_file

WIDTH = 120


def write_case(
    file: Path, call: SweepCall, *, identity: str, source: str, remarks: Iterable[str]
) -> None:
    """Write the file of one case, with its `expected` and the remarks above it. Raises
    RecordError.
    """
    write_text(file, case_text(call, identity=identity, source=source, remarks=remarks))
    write_expected(load_cases(file))


def write_text(file: Path, text: str) -> None:
    """Write one file of a sweep whole. Raises RecordError."""
    try:
        replace_file(file, text)
    except OSError as error:
        raise RecordError(
            f"{file} cannot be written: {error.strerror}, should be a file that can be"
        ) from None


def case_text(call: SweepCall, *, identity: str, source: str, remarks: Iterable[str]) -> str:
    """A case file without `expected`, but for a call to refuse."""
    geometry = call.geometry
    lines = [f"# {line}" for remark in remarks for line in _wrapped(remark)]
    lines += [
        "format: 1",
        "cases:",
        f"  - id: {identity}",
        f"    summary: {_quoted(summary(call))}",
    ]
    lines.append(f"    source: {_quoted(source)}")
    if geometry.rank != 2:
        lines.append(f"    spatial: {geometry.rank}")
    case = call.case
    lines += [
        f"    input: {_array(case.input, 'input')}",
        f"    kernel: {_array(case.kernel, 'kernel')}",
    ]
    if case.bias is not None:
        lines.append(f"    bias: {_recipe(case.bias, 'bias')}")
    lines += [f"    {key}: {value}" for key, value in _arguments(geometry).items()]
    if call.dtype != "float32":
        lines.append(f"    dtype: {call.dtype}")
    if case.gradients is not None:
        lines.append(f"    gradients: {_recipe(case.gradients, 'gradients')}")
    if call.must_fail:
        lines.append("    expected: {error: true}")
    return "\n".join(lines) + "\n"


def summary(call: SweepCall) -> str:
    """The call in one sentence."""
    axes = call.geometry.axes

    def each(name: str) -> str:
        return "x".join(str(getattr(axis, name)) for axis in axes)

    parts = [f"Kernel {each('kernel')} at stride {each('stride')}"]
    if any(axis.dilation > 1 for axis in axes):
        parts.append(f"dilation {each('dilation')}")
    if any(crop for pair in call.geometry.crops for crop in pair):
        cut = ", ".join(f"{low} and {high}" for low, high in call.geometry.crops)
        parts.append(f"crops of {cut}")
    if call.geometry.groups > 1:
        parts.append(f"{call.geometry.groups} groups")
    if call.batch != 1:
        parts.append(f"a batch of {call.batch}")
    if call.put is not None:
        value = {"nan": "NaN", "inf": "infinity", "-inf": "minus infinity"}[call.put.value]
        parts.append(f"{value} in the {call.put.role}")
    if call.must_fail:
        return ", ".join(parts) + f": of {each('size')} nothing is left."
    return ", ".join(parts) + f": {each('size')} becomes {each('out')}."


def _arguments(geometry: Geometry) -> dict[str, str]:
    """The generic arguments that differ from their defaults; symmetric padding where that and
    output_padding say it all.
    """
    crops = geometry.crops
    padding: Sequence[Any]
    if all(low >= max(high, 0) for low, high in crops):
        padding, extra = [low for low, _ in crops], [low - high for low, high in crops]
    else:
        padding, extra = canonical_padding(crops)
    arguments: dict[str, Any] = {
        "stride": geometry.stride,
        "padding": padding,
        "output_padding": extra,
        "dilation": geometry.dilation,
    }
    plain = {"stride": 1, "dilation": 1}
    lines = {
        key: _per_axis(values)
        for key, values in arguments.items()
        if any(value != plain.get(key, 0) for value in values)
    }
    return lines | ({"groups": str(geometry.groups)} if geometry.groups > 1 else {})


def _per_axis(values: Sequence[Any]) -> str:
    """One number where all axes have the same, else a list."""
    alike = all(isinstance(value, int) and value == values[0] for value in values)
    return json.dumps(values[0] if alike else list(values))


def _array(source: Source, role: str) -> str:
    assert isinstance(source, Made), "what is drawn is made by a recipe"
    return f"{{shape: {json.dumps(source.shape)}, {_words(source, role)}}}"


def _recipe(source: Source, role: str) -> str:
    """The same where the shape follows from the rest of the case."""
    assert isinstance(source, Made), "what is drawn is made by a recipe"
    return f"{{{_words(source, role)}}}"


def _words(source: Made, role: str) -> str:
    seed = "" if source.seed == DEFAULT_SEEDS[role] else f", seed: {source.seed}"
    put = "".join(f", put: [[{list(index)}, {_number(value)}]]" for index, value in source.put)
    return f"values: {source.values}{seed}{put}"


def _number(value: float) -> str:
    """A number that is not finite as YAML spells it."""
    return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"


def _quoted(text: str) -> str:
    """A text as YAML's double-quoted style reads it, which JSON's is part of."""
    return json.dumps(text, ensure_ascii=False)


def _wrapped(remark: str) -> list[str]:
    """A remark as the lines of a comment; what an engine said keeps its own line ends."""
    return [
        piece
        for line in remark.splitlines()
        for piece in textwrap.wrap(line, WIDTH, break_long_words=False, break_on_hyphens=False)
        or [""]
    ]
