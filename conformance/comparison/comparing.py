"""Two models that were run on the same sample, compared layer by layer and as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from conformance.comparison.calls import LayerCall, calls_of
from conformance.comparison.folding import affine_behind
from conformance.comparison.judgement import Context, Judged, judge
from conformance.comparison.kernels import Order
from conformance.comparison.matching import Match, match
from conformance.comparison.movement import Movement, allowed, explained
from conformance.comparison.results import Finding, ModelComparison, OutputPair, Pair, Status
from conformance.comparison.whole import departure, outputs_of
from conformance.corpus.case import DTYPES
from conformance.models import Model

Say = Callable[[str], None]


def compare_models(
    source: Model,
    target: Model,
    *,
    names: Mapping[str, str] | None = None,
    moves: Callable[[], Movement | None] = lambda: None,
    say: Say = lambda text: None,
) -> ModelComparison:
    """What of the target is not the source. Both were read with their activations, on the same
    sample; `names` pairs layers, those of the source first. `moves` measures how far the source
    itself moves when its input is rounded otherwise: it is called where no layer is wrong and an
    output differs by more than a flat limit.

    Raises UsageError for a name that no layer has, ModelError for a layer that makes no sense.
    """
    mine, theirs = list(calls_of(source)), list(calls_of(target))
    matches, left, unasked = match(mine, theirs, names or {})
    judged = []
    for number, pair in enumerate(matches, 1):
        say(f"{pair.source.name} and {pair.target.name}: {number} of {len(matches)}")
        judged.append(judge(pair, _context(pair, mine, source, target)))
    outputs, own = tuple(outputs_of(source, target)), None
    if _may_be_rounding(judged, matches, outputs):
        own = moves()
        judged = [_with_movement(one, pair, own) for one, pair in zip(judged, matches, strict=True)]
        outputs = tuple(outputs_of(source, target, own, reached=_reached(judged, matches, own)))
    agrees = bool(outputs) and all(output.agrees for output in outputs)
    return ModelComparison(
        source=_described(source),
        target=_described(target),
        pairs=tuple(_pairs(judged, agrees)),
        alone=tuple(_alone(left, unasked)),
        departure=None if agrees else departure(source, target, own),
        outputs=outputs,
        notes=(*_notes(source), *_notes(target)),
    )


def _may_be_rounding(
    judged: Sequence[Judged], matches: Sequence[Match], outputs: Sequence[OutputPair]
) -> bool:
    """Whether something differs, and all that does has its shape and is no layer's mistake, nor
    that of fewer bits, which no rounding of the source explains.
    """
    apart = [output.difference for output in outputs if not output.agrees]
    is_wrong = any(entry.pair.status == "wrong" for entry in judged)
    same_bits = all(pair.source.dtype == pair.target.dtype for pair in matches)
    is_known = all(difference is not None for difference in apart)
    return bool(apart) and is_known and same_bits and not is_wrong


def _with_movement(entry: Judged, pair: Match, own: Movement | None) -> Judged:
    """A layer into which no more comes than the source's own movement there inherits nothing."""
    position, x = pair.source.position, pair.source.x
    if own is None or position is None or x is None or position >= len(own.incoming):
        return entry
    incoming = entry.pair.incoming
    if entry.pair.status != "inherited" or incoming is None:
        return entry
    if incoming > allowed(own.incoming[position], x):
        return entry
    status: Status = "reordered" if entry.relation.kind == "reordered" else "rounding"
    return replace(entry, pair=replace(entry.pair, status=status))


def _reached(
    judged: Sequence[Judged], matches: Sequence[Match], own: Movement | None
) -> str | None:
    """The first layer into which more comes than the source's own movement there, by the name that
    the source has for it: a mistake before it is no rounding, however little it does.
    """
    for entry, pair in zip(judged, matches, strict=True):
        position, incoming = pair.source.position, entry.pair.incoming
        if own is None or position is None or position >= len(own.incoming):
            continue
        most = explained(own.incoming[position])
        if incoming is None or (most is not None and incoming > most):
            return pair.source.name
    return None


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
    for position, entry in enumerate(judged):
        related, pair = entry.relation, entry.pair
        if agrees or related.kind != "reordered" or pair.status == "wrong":
            yield pair
            continue
        before = any(_is_moved(other.relation.outputs) for other in judged[:position])
        behind = any(_is_moved(other.relation.inputs) for other in judged[position + 1 :])
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
