"""Two models that were run on the same sample, compared layer by layer and as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from conformance.comparison.calls import LayerCall, calls_of
from conformance.comparison.folding import affine_behind
from conformance.comparison.judging import Context, Judged, judge
from conformance.comparison.kernels import Order
from conformance.comparison.matching import Match, match
from conformance.comparison.results import Finding, ModelComparison, Pair
from conformance.comparison.whole import departure, outputs_of
from conformance.corpus.case import DTYPES
from conformance.models import Model

Say = Callable[[str], None]


def compare_models(
    source: Model,
    target: Model,
    *,
    names: Mapping[str, str] | None = None,
    say: Say = lambda text: None,
) -> ModelComparison:
    """What of the target is not the source. Both were read with their activations, on the same
    sample; `names` pairs layers, those of the source first.

    Raises UsageError for a name that no layer has, ModelError for a layer that makes no sense.
    """
    mine, theirs = list(calls_of(source)), list(calls_of(target))
    matches, left, unasked = match(mine, theirs, names or {})
    judged = []
    for number, pair in enumerate(matches, 1):
        say(f"{pair.source.name} and {pair.target.name}: {number} of {len(matches)}")
        judged.append(judge(pair, _context(pair, mine, source, target)))
    outputs = tuple(outputs_of(source, target))
    agrees = bool(outputs) and all(output.agrees for output in outputs)
    return ModelComparison(
        source=_described(source),
        target=_described(target),
        pairs=tuple(_pairs(judged, agrees)),
        alone=tuple(_alone(left, unasked)),
        departure=None if agrees else departure(source, target),
        outputs=outputs,
        notes=(*_notes(source), *_notes(target)),
    )


def _context(pair: Match, mine: Sequence[LayerCall], source: Model, target: Model) -> Context:
    others = [call for call in mine if call.layer is not pair.source.layer]
    return Context(
        others=others,
        biases={call.name: bias for call in others if (bias := call.bias) is not None},
        behind_source=affine_behind(pair.source, source.activations),
        behind_target=affine_behind(pair.target, target.activations),
    )


def _pairs(judged: Sequence[Judged], agrees: bool) -> Iterator[Pair]:
    """The pairs; channels in another order that nothing undoes are wrong."""
    for place, entry in enumerate(judged):
        related, pair = entry.relation, entry.pair
        if agrees or related.kind != "reordered" or pair.status == "wrong":
            yield pair
            continue
        before = any(_is_moved(other.relation.outputs) for other in judged[:place])
        behind = any(_is_moved(other.relation.inputs) for other in judged[place + 1 :])
        undone = (before or not _is_moved(related.inputs)) and (
            behind or not _is_moved(related.outputs)
        )
        yield pair if undone else replace(pair, status="wrong", wrong=related.findings)


def _is_moved(order: Order | None) -> bool:
    return order is not None and not np.array_equal(order, np.arange(len(order)))


def _alone(left: Sequence[LayerCall], unasked: Sequence[LayerCall]) -> Iterator[Finding]:
    for calls, which, other in ((left, "source", "target"), (unasked, "target", "source")):
        for call in calls:
            text = f"{call.name} of the {which} has no layer like it in the {other}"
            yield Finding(name=f"{which}-alone", text=text)


def _described(model: Model) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in model.versions.items())
    return f"{model.path} ({model.format}, {versions})"


def _notes(model: Model) -> Iterator[str]:
    yield from (f"{model.path}: {note}" for note in model.notes)
    for layer in model.layers:
        if layer.kernel is not None and layer.kernel.dtype not in DTYPES:
            yield f"{model.path}: {layer.name}: its {layer.kernel.dtype} kernel is not compared"
        yield from (f"{model.path}: {layer.name}: {note}" for note in layer.notes)
