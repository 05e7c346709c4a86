"""Who takes part in a run, on which devices, and every verdict that is to be had."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from conformance.adapters import OTHER_LAYOUT, precision_environment, thread_environment
from conformance.corpus.case import Case
from conformance.corpus.files import is_shipped
from conformance.corpus.truths import is_large
from conformance.errors import UsageError
from conformance.outcomes import Outcome, Unavailable
from conformance.run.request import Request
from conformance.system import cache
from conformance.wording import instead
from conformance.workers.answers import Greeting
from conformance.workers.spec import Spec

MANY_PRODUCTS = 2**22
"""The products of one call, those that are cut off counted, above which an engine may work at it
for seconds."""

Answers = Mapping[str, Greeting | Outcome]
"""The answers by label: an adapter's greeting, or why there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One verdict that is to be had."""

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

    greetings: Answers
    devices: Mapping[str, tuple[str, ...]]
    specs: Mapping[str, Spec]
    is_variant: Mapping[str, bool]
    absent: Mapping[str, str]

    def tasks(self, cases: Sequence[Case]) -> dict[str, list[Task]]:
        """Every verdict that is to be had, by adapter."""
        return {
            label: [
                Task(case=case, label=label, device=device, quantity=quantity)
                for device in self.devices[label]
                for case in self._cases_of(label, cases)
                for quantity in self._quantities_of(label)
                if quantity != "gradients" or case.gradients is not None
            ]
            for label in self.greetings
        }

    def _quantities_of(self, label: str) -> tuple[str, ...]:
        """What an adapter is asked for; of one that did not start nobody knows, so what most
        are.
        """
        greeting = self.greetings[label]
        return greeting.quantities if isinstance(greeting, Greeting) else ("output", "gradients")

    def _cases_of(self, label: str, cases: Sequence[Case]) -> list[Case]:
        """The cases that concern an adapter; of one that did not start nobody knows, so all."""
        greeting, spec = self.greetings[label], self.specs[label]
        return [
            case
            for case in cases
            if (not isinstance(greeting, Greeting) or case.concerns(greeting.convention))
            and (not is_shipped(case) or spec.takes(case.name, case.tags))
        ]


def plan_of(request: Request, answers: Answers) -> Plan:
    """Who takes part, on which devices.

    Raises UsageError for what was asked for by name and is not there.
    """
    specs = {spec.label: spec for spec in request.specs}
    absent = {
        label: answer.reason for label, answer in answers.items() if isinstance(answer, Unavailable)
    }
    for label, reason in absent.items():
        if specs[label].by_name:
            raise UsageError(f"{label} is unavailable: {reason}")
    present = {label: answer for label, answer in answers.items() if label not in absent}
    if not present:
        reasons = "; ".join(f"{label}: {reason}" for label, reason in absent.items())
        raise UsageError(f"no adapter to run: {reasons}")
    _check_device(request.device, present, specs)
    return Plan(
        greetings=present,
        devices={label: _devices(request.device, answer) for label, answer in present.items()},
        specs={label: specs[label] for label in present},
        is_variant={
            label: specs[label].is_variant and not specs[label].by_name for label in present
        },
        absent=absent,
    )


def _check_device(device: str | None, present: Answers, specs: Mapping[str, Spec]) -> None:
    """Raise UsageError where no adapter has the device, or one that was named has not."""
    if device in (None, "all"):
        return
    devices = {
        label: answer.devices if isinstance(answer, Greeting) else ()
        for label, answer in present.items()
    }
    nowhere = all(device not in names for names in devices.values())
    for label, names in devices.items():
        if device not in names and (specs[label].by_name or nowhere):
            if not names:
                raise UsageError(f"{label} has no device {device}: it did not start")
            raise UsageError(f"{label} has no device {device}, {instead(device, names)}")


def _devices(device: str | None, answer: Greeting | Outcome) -> tuple[str, ...]:
    if device is not None and device != "all":
        return (device,)
    if not isinstance(answer, Greeting):
        return ("cpu",)
    return answer.devices if device == "all" else answer.devices[:1]


def environment_of(request: Request) -> dict[str, str]:
    """The environment variables of every engine's process."""
    return {
        **thread_environment(request.threads),
        **precision_environment(request.precision),
        **cache.environment(),
    }


def perturbations_of(spec: Spec, request: Request) -> dict[str, Spec]:
    """By aspect of what should not matter: how the same adapter is started otherwise."""
    threads = thread_environment(1 if request.threads > 1 else 2)
    perturbed = {"threads": replace(spec, environment={**spec.environment, **threads})}
    if spec.adapter in OTHER_LAYOUT:
        python = request.pythons.get(spec.label, sys.executable)
        other = OTHER_LAYOUT[spec.adapter]
        layout = Spec.of(other, label=other, python=python)
        layout = replace(layout, memory=spec.memory, shown=spec.shown)
        perturbed["layout"] = layout if request.sandbox is None else request.sandbox.around(layout)
    return perturbed
