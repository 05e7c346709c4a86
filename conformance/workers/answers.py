"""The meaning of an engine's answer: a greeting, or an outcome.

An answer that says something else than the protocol allows is a crash, with what it should say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance import conventions
from conformance.corpus.tensors import Tensors
from conformance.outcomes import (
    Crashed,
    Gradients,
    Outcome,
    Output,
    Raised,
    Shape,
    Unavailable,
    Unsupported,
)
from conformance.printing import MOST_CHARACTERS, printable, shortened
from conformance.system.machine import Facts
from conformance.wording import instead
from conformance.workers import protocol

LONGEST_NAME = 200
SHORTEST_DURATION, LONGEST_DURATION = 1e-10, 1e7
"""Seconds; a clock may also tell 0."""
_MOST_OF_A_KIND = 64  # versions, devices, facts
_MOST_COUNTED = 2**53
QUANTITIES = ("output", "gradients", "shape")
UNKNOWN = ("batch", "space")


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """The greeting of an engine: what it reports of itself."""

    convention: str
    versions: Mapping[str, str]
    devices: tuple[str, ...]
    threads: int | None = None
    """The number of threads that it reports, asked of the framework itself; None where nothing
    tells."""
    facts: Facts = field(default_factory=dict)
    quantities: tuple[str, ...] = ("output", "gradients")
    """What it is asked for: output and gradients, or the output's shape alone."""
    unknown: tuple[str, ...] = ()
    """What a shape function is not told of the input: "batch", "space" or both."""


def greeting_of(answer: Mapping[str, Any]) -> Greeting | Outcome:
    """The greeting that answers "hello", or the outcome that stands for having none."""
    match answer.get("outcome"):
        case "unavailable":
            return Unavailable(reason=readable(answer.get("reason", "no reason given")))
        case "raised":
            return Raised(
                type=readable(answer.get("type", "?"), LONGEST_NAME),
                message=readable(answer.get("message", "")),
                stage="while starting",
                traceback=readable(answer.get("traceback", "")),
            )
    fault = _fault_of_greeting(answer)
    if fault is not None:
        return Crashed(message=fault)
    return Greeting(
        convention=answer["convention"],
        versions={
            readable(name): readable(version) for name, version in answer["versions"].items()
        },
        devices=tuple(map(readable, answer["devices"])),
        threads=_count(answer.get("threads")),
        facts={
            readable(name): readable(fact) if isinstance(fact, str) else fact
            for name, fact in answer.get("facts", {}).items()
        },
        quantities=tuple(answer.get("quantities", ("output", "gradients"))),
        unknown=tuple(answer.get("unknown", ())),
    )


def _fault_of_greeting(answer: Mapping[str, Any]) -> str | None:
    """The fault of a greeting and what it should say, if it has one."""
    version, convention = answer.get("protocol"), answer.get("convention")
    if version != protocol.VERSION:
        return f"speaks protocol {version!r:.80}, should speak {protocol.VERSION}"
    if convention not in list(conventions.NAMES):
        known = instead(convention, conventions.NAMES)
        return f"speaks convention {convention!r:.80}, {known}"
    versions, devices = answer.get("versions"), answer.get("devices")
    if not isinstance(versions, dict) or not isinstance(devices, list) or not devices:
        return "greets without versions (an object) or devices (a list of at least one)"
    facts = answer.get("facts", {})
    if not isinstance(facts, dict) or not all(map(_is_fact, facts.values())):
        return (
            f"greets with facts {facts!r:.80}, should be an object of words, numbers, "
            "true and false"
        )
    if max(len(versions), len(devices), len(facts)) > _MOST_OF_A_KIND:
        return f"greets with more than {_MOST_OF_A_KIND} versions, devices or facts"
    for key, words in (("quantities", QUANTITIES), ("unknown", UNKNOWN)):
        value = answer.get(key, [])
        if (
            not isinstance(value, list)
            or len(value) > len(words)
            or not all(word in words for word in value)
        ):
            return f"greets with {key} {value!r:.80}, should be a list of {', '.join(words)}"
    return None


def readable(value: Any, longest: int = MOST_CHARACTERS) -> str:
    """The text of an engine as a terminal, a file and a page can hold it."""
    return printable(shortened(str(value), longest))


def duration(value: Any) -> float | None:
    """Seconds, if it is a number of them that a process can have taken."""
    return (
        float(value)
        if isinstance(value, int | float)
        and not isinstance(value, bool)
        and (value == 0 or SHORTEST_DURATION <= value <= LONGEST_DURATION)
        else None
    )


def _is_fact(value: Any) -> bool:
    """Whether it is a word, a truth value or a number that a page and a file can hold."""
    if isinstance(value, bool | str):
        return True
    return isinstance(value, int | float) and abs(value) <= _MOST_COUNTED


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value <= _MOST_COUNTED else None


def counts(value: Any) -> dict[str, int] | None:
    """{"hits", "misses"}, if that is what an engine told."""
    if not isinstance(value, dict) or set(value) != {"hits", "misses"}:
        return None
    return (
        {key: int(count) for key, count in value.items()}
        if all(_count(count) is not None for count in value.values())
        else None
    )


def _placement(answer: Mapping[str, Any]) -> str | None:
    """What computed it, if that is what an engine told."""
    placement = answer.get("computed_by")
    return readable(placement, LONGEST_NAME) if isinstance(placement, str) else None


def gradients_of(answer: Mapping[str, Any], arrays: Mapping[str, Any], tensors: Tensors) -> Outcome:
    required = {"dx", "dkernel"} | ({"dbias"} if tensors.bias is not None else set())
    if not required <= set(arrays):
        return Crashed(
            message=f"answered gradients of {sorted(arrays)}, should be {sorted(required)}"
        )
    bias = arrays["dbias"] if tensors.bias is not None else None
    return Gradients(
        input=arrays["dx"],
        kernel=arrays["dkernel"],
        bias=bias,
        compiled=counts(answer.get("compiled")),
        computed_by=_placement(answer),
    )


def shape_of(answer: Mapping[str, Any], hidden: tuple[str, ...]) -> Outcome:
    """The shape that was answered by who was not told what is `hidden`."""
    sizes = answer.get("shape")
    if sizes is None and "shape" in answer:
        return Shape(sizes=None, hidden=hidden)
    if (
        not isinstance(sizes, list)
        or len(sizes) > protocol.MOST_AXES
        or not all(size is None or _is_size(size) for size in sizes)
    ):
        return Crashed(
            message=f"answered shape {sizes!r:.80}, should be a list of whole numbers and null"
        )
    return Shape(sizes=tuple(sizes), hidden=hidden)


def _is_size(value: Any) -> bool:
    # beyond 64 bits, since a claim of 2^64 + 3 is an answer, and wrong
    return type(value) is int and abs(value) < 2**128


def outcome_of(answer: Mapping[str, Any], arrays: Mapping[str, Any]) -> Outcome:
    match answer.get("outcome"):
        case "output" if "y" in arrays:
            return Output(
                y=arrays["y"],
                seconds=duration(answer.get("seconds")),
                compiled=counts(answer.get("compiled")),
                computed_by=_placement(answer),
            )
        case "unsupported":
            raised = answer.get("type")
            return Unsupported(
                reason=readable(answer.get("reason", "")),
                raised=None if raised is None else readable(raised, LONGEST_NAME),
            )
        case "raised":
            stage = readable(answer.get("stage", ""), LONGEST_NAME)
            return Raised(
                type=readable(answer.get("type", "?"), LONGEST_NAME),
                message=readable(answer.get("message", "")),
                stage=stage,
                traceback=readable(answer.get("traceback", "")),
            )
        case other:
            return Crashed(
                message=(
                    f"answered outcome {other!r:.80}, should be output (with a tensor y), "
                    "unsupported or raised"
                )
            )
