"""`conformance compare`: two models side by side, layer by layer."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance.comparison import ModelComparison, Pair, Reading, compare_models, read_both
from conformance.comparison.results import MEANINGS
from conformance.errors import UsageError
from conformance.models import read_samples
from conformance.wording import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked about two models; `weights` are files, of the source and of the target."""

    inputs: Sequence[str]
    maps: Sequence[str]
    weights: tuple[str | None, str | None]
    unsafe: bool


def run(source: str, target: str, asked: Asked, as_json: bool, output: Path | None) -> None:
    """Compare two models and print what differs; exit code 1 where they are not equivalent."""
    names = read_maps(asked.maps)
    samples = read_samples(asked.inputs)

    def say(path: str, text: str) -> None:
        print(f"{path}: {text}", file=sys.stderr, flush=True)

    reading = Reading(inputs=samples, weights=asked.weights, unsafe=asked.unsafe, say=say)
    with read_both(source, target, reading) as (one, other):
        comparison = compare_models(one, other, names=names, say=lambda text: say("compare", text))
    if as_json:
        print(json.dumps(comparison.content(), indent=1))
    else:
        print("\n".join(lines(comparison)))
    sys.exit(0 if comparison.equivalent else 1)


def read_maps(maps: Sequence[str]) -> Mapping[str, str]:
    """The names of `A=B`, layers of the source first. Raises UsageError."""
    names = {}
    for text in maps:
        one, equals, other = text.partition("=")
        if not (one and equals and other):
            raise UsageError(f"--map {text}: should be A=B, the name of a layer of either model")
        names[one] = other
    return names


def lines(comparison: ModelComparison) -> Iterator[str]:
    """A line for each pair and its findings, the first departure, the outputs, and the result."""
    yield f"A: {comparison.source}"
    yield f"B: {comparison.target}"
    for pair in comparison.pairs:
        yield f"{pair.source.layer} = {pair.target.layer}: {MEANINGS[pair.status]}{measured(pair)}"
        yield from (f"    {finding.text}" for finding in pair.wrong)
        yield from (f"    {note}" for note in pair.notes)
    yield from (finding.text for finding in comparison.alone)
    if comparison.departure is not None:
        yield f"the first tensor that departs: {comparison.departure.text}"
    yield from (output.text for output in comparison.outputs)
    yield from (f"note: {note}" for note in comparison.notes)
    yield summary(comparison)


def measured(pair: Pair) -> str:
    """How far apart what comes in and goes out is, where it is at all."""
    parts = [
        f"{word} by {apart:.2g}"
        for word, apart in (("in", pair.incoming), ("out", pair.outgoing))
        if apart
    ]
    return f" ({', '.join(parts)} of the largest)" if parts else ""


def summary(comparison: ModelComparison) -> str:
    """The result in a sentence."""
    counts = Counter[str](pair.status for pair in comparison.pairs)
    told = ", ".join(f"{counts[status]} {status}" for status in MEANINGS if counts[status])
    layers = counted(len(comparison.pairs), "pair of layers", "pairs of layers")
    result = "equivalent" if comparison.equivalent else "not equivalent"
    return f"{result}: {layers}{': ' + told if told else ''}"
