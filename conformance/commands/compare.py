"""`conformance compare`: two models side by side, layer by layer."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance.comparison import Reading, compare_models, moves_of, read_both
from conformance.comparison.messages import lines
from conformance.comparison.page import write_page
from conformance.errors import UsageError
from conformance.models import read_samples
from conformance.printing import complain, say


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

    def tell(path: str, text: str) -> None:
        complain(f"{path}: {text}")

    reading = Reading(inputs=samples, weights=asked.weights, unsafe=asked.unsafe, say=tell)
    with read_both(source, target, reading) as (one, other):
        comparison = compare_models(
            one,
            other,
            names=names,
            moves=lambda: moves_of(one, source, reading),
            say=lambda text: tell("compare", text),
        )
    if as_json:
        say(*json.dumps(comparison.content(), indent=1).split("\n"))
    else:
        say(*lines(comparison))
    if output is not None:
        complain(f"page: {write_page(comparison, output)}")
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
