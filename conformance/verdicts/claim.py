"""The meaning of a shape that was said before anything was computed: right, wrong or unknown."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.corpus.case import Case
from conformance.outcomes import Outcome, Shape
from conformance.verdicts.assessment import Subject, without_numbers
from conformance.verdicts.verdict import Verdict

Sizes = Sequence[int | None]


def assess_shape(case: Case, outcome: Outcome, *, adapter: str, device: str) -> Verdict:
    """The verdict on the shape that a shape function claims.

    A size that is wrong differs, and so does one that is true of this case alone, where what it
    depends on was hidden. Where none is, but one is unknown that follows from what was told,
    nothing is held against it and nothing is proved: the verdict is `unsupported`, and its mismatch
    has the kind `unknown`.
    """
    subject = Subject(case=case, adapter=adapter, device=device, quantity="shape")
    if not isinstance(outcome, Shape):
        return without_numbers(subject, outcome, due=not case.must_fail)
    if case.must_fail:
        return _not_refused(subject, outcome)
    truth = case.output_shape
    if outcome.sizes is None:
        return _open(subject, "claims nothing about the shape")
    if len(outcome.sizes) != len(truth) or any(
        size not in (None, true) for size, true in zip(outcome.sizes, truth, strict=True)
    ):
        text = f"shape {sizes_text(outcome.sizes)}, should be {sizes_text(truth)}"
        return subject.verdict("differs", mismatch={"kind": "shape", "text": text})
    by_chance = _by_chance(case, outcome)
    if by_chance:
        untold = f"{_axes(by_chance)} had no size that was told"
        text = f"shape {sizes_text(outcome.sizes)}, though {untold}"
        return subject.verdict("differs", mismatch={"kind": "shape", "text": text})
    unknown = _unknown(outcome)
    if not unknown:
        return subject.verdict("conforms")
    return _open(subject, f"claims nothing about {_axes(unknown)}")


def sizes_text(sizes: Sizes) -> str:
    """A shape as a list, with a question mark for what is unknown."""
    return f"[{', '.join('?' if size is None else str(size) for size in sizes)}]"


def _not_refused(subject: Subject, outcome: Shape) -> Verdict:
    """The verdict on a shape where refusal was due; who leaves every spatial size open has neither
    refused nor said what the output would be.
    """
    sizes = outcome.sizes
    if sizes is None:
        return _open(subject, "claims nothing that could be refused: no shape")
    if None in sizes and all(size is None for size in sizes[2:]):
        return _open(subject, f"claims nothing that could be refused: shape {sizes_text(sizes)}")
    text = f"shape {sizes_text(sizes)}, should be refused"
    return subject.verdict("differs", mismatch={"kind": "not-refused", "text": text})


def _open(subject: Subject, text: str) -> Verdict:
    """The verdict on what is left open that follows from what was told."""
    return subject.verdict("unsupported", mismatch={"kind": "unknown", "text": text})


def _axes(axes: Sequence[int]) -> str:
    return f"{'axis' if len(axes) == 1 else 'axes'} {' and '.join(map(str, axes))}"


def _hidden(outcome: Shape, axis: int) -> bool:
    """Whether the size of the input on this axis was not told."""
    return ("batch" in outcome.hidden and axis == 0) or ("space" in outcome.hidden and axis > 1)


def _by_chance(case: Case, outcome: Shape) -> list[int]:
    """The axes with a number that another size of the input would make wrong: every output grows
    with its input, unless the arguments themselves name the output's sizes.
    """
    assert outcome.sizes is not None
    arguments = {} if case.native is None else case.native[1]
    named = not _NAMES_SIZES.isdisjoint(arguments)
    return [
        axis
        for axis, size in enumerate(outcome.sizes)
        if size is not None and _hidden(outcome, axis) and not (axis > 1 and named)
    ]


_NAMES_SIZES = frozenset({"output_shape", "output_size"})
"""The arguments that say which spatial sizes the output has."""


def _unknown(outcome: Shape) -> list[int]:
    """The axes of which nothing is claimed though nothing that decides them was hidden."""
    assert outcome.sizes is not None
    return [
        axis
        for axis, size in enumerate(outcome.sizes)
        if size is None and not _hidden(outcome, axis)
    ]
