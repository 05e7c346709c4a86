"""What is to be done: who takes part in a run, on which devices, and every verdict that is to be
had.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from conformance.adapters import OTHER_LAYOUT, precision_environment, thread_environment
from conformance.corpus.case import Case
from conformance.corpus.selection import Selection
from conformance.corpus.truths import is_large
from conformance.errors import UsageError
from conformance.outcomes import Outcome, Unavailable
from conformance.system import cache
from conformance.workers.engine import Greeting, Spec

MANY_PRODUCTS = 2**22
"""Of one call, those that are cut off counted; with more an engine may work at it for seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to run, on what, and where the record goes."""

    selection: Selection
    specs: Sequence[Spec]
    asked: Mapping[str, str]
    pythons: Mapping[str, str] = field(default_factory=dict)
    paths: Sequence[str] = ()
    known: Sequence[Path] = ()
    device: str | None = None
    jobs: int = 1
    timeout: float = 60.0
    threads: int = 1
    precision: str = "strict"
    timing: str = "off"
    repeat: int = 1
    invariance: bool = False
    folder: Path = Path("reports/latest")
    resume: bool = False
    maxfail: int | None = None
    allow_unsupported: bool = False
    command: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    case: Case
    label: str
    device: str
    quantity: str

    @property
    def is_costly(self) -> bool:
        """Whether it is of a large case, or of one with many products."""
        return is_large(self.case) or self.case.products > MANY_PRODUCTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The adapters that take part, what each said of itself, its devices and which cases it runs;
    who does not, and why.
    """

    greetings: Mapping[str, Greeting | Outcome]
    devices: Mapping[str, tuple[str, ...]]
    tags: Mapping[str, str | None]
    is_variant: Mapping[str, bool]
    absent: Mapping[str, str]

    def tasks(self, cases: Sequence[Case]) -> dict[str, list[Task]]:
        """Every verdict that is to be had, by adapter."""
        found: dict[str, list[Task]] = {}
        for label, greeting in self.greetings.items():
            concerned = [
                case
                for case in cases
                if (not isinstance(greeting, Greeting) or case.concerns(greeting.convention))
                and (self.tags[label] is None or self.tags[label] in case.tags)
            ]
            found[label] = [
                Task(case=case, label=label, device=device, quantity=quantity)
                for device in self.devices[label]
                for case in concerned
                for quantity in ("output", "gradients")[: 1 if case.gradients is None else 2]
            ]
        return found


def plan_of(request: Request, answers: Mapping[str, Greeting | Outcome]) -> Plan:
    """Who takes part, on which devices. Raises UsageError for what was asked for by name and is not
    there.
    """
    specs = {spec.label: spec for spec in request.specs}
    absent: dict[str, str] = {}
    taking_part: dict[str, Greeting | Outcome] = {}
    for label, answer in answers.items():
        if not isinstance(answer, Unavailable):
            taking_part[label] = answer
        elif specs[label].by_name:
            raise UsageError(f"{label} is unavailable: {answer.reason}")
        else:
            absent[label] = answer.reason
    if not taking_part:
        raise UsageError(
            "no adapter to run: "
            + "; ".join(f"{label}: {reason}" for label, reason in absent.items())
        )
    devices = {label: _devices(request.device, answer) for label, answer in taking_part.items()}
    if request.device not in (None, "all"):
        having = [
            label
            for label, a in taking_part.items()
            if isinstance(a, Greeting) and request.device in a.devices
        ]
        for label in taking_part:
            if label not in having and (specs[label].by_name or not having):
                answer = taking_part[label]
                there = (
                    ", ".join(answer.devices)
                    if isinstance(answer, Greeting)
                    else "none: it did not start"
                )
                raise UsageError(
                    f"{label} has no device {request.device}, should be one of {there}"
                )
    return Plan(
        greetings=taking_part,
        devices=devices,
        tags={label: specs[label].tag for label in taking_part},
        is_variant={
            label: specs[label].is_variant and not specs[label].by_name for label in taking_part
        },
        absent=absent,
    )


def _devices(asked: str | None, answer: Greeting | Outcome) -> tuple[str, ...]:
    if asked not in (None, "all"):
        assert asked is not None
        return (asked,)
    if not isinstance(answer, Greeting):
        return ("cpu",)
    return answer.devices if asked == "all" else answer.devices[:1]


def environment_of(request: Request) -> dict[str, str]:
    """What every engine's process finds in its environment."""
    return {
        **thread_environment(request.threads),
        **precision_environment(request.precision),
        **cache.environment(),
    }


def asides_of(spec: Spec, request: Request) -> dict[str, Spec]:
    """By aspect of what should not matter: how the same adapter is started otherwise."""
    other = 1 if request.threads > 1 else 2
    found = {
        "threads": replace(spec, environment={**spec.environment, **thread_environment(other)})
    }
    if spec.adapter in OTHER_LAYOUT:
        python = request.pythons.get(spec.label, sys.executable)
        found["layout"] = Spec.of(
            OTHER_LAYOUT[spec.adapter], label=OTHER_LAYOUT[spec.adapter], python=python
        )
    return found
