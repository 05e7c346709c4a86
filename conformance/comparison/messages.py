"""A comparison of two models in lines of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from conformance.comparison.results import MEANINGS, ModelComparison, Pair
from conformance.wording import counted


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
        f"{apart:.2g} {word}"
        for word, apart in (("coming in", pair.incoming), ("going out", pair.outgoing))
        if apart
    ]
    return f" (differs by {', '.join(parts)}, of the largest magnitude)" if parts else ""


def summary(comparison: ModelComparison) -> str:
    """The result in a sentence."""
    counts = Counter[str](pair.status for pair in comparison.pairs)
    counts_text = ", ".join(f"{counts[status]} {status}" for status in MEANINGS if counts[status])
    layers = counted(len(comparison.pairs), "pair of layers", "pairs of layers")
    result = "equivalent" if comparison.equivalent else "not equivalent"
    return f"{result}: {layers}{': ' + counts_text if counts_text else ''}"
