"""The stage of a chain that made a wrong result: its last runtime is asked the same case natively.

Where that runtime conforms, the fault is in what the conversion wrote; where it does not, it is the
runtime's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from conformance.conventions import Unrepresentable
from conformance.outcomes import Outcome, Unavailable, Unsupported
from conformance.run.session import Session
from conformance.verdicts.assessment import assess_output
from conformance.verdicts.verdict import Verdict
from conformance.workers.answers import Greeting
from conformance.workers.engine import Engine
from conformance.workers.request import CallRequest
from conformance.workers.spec import Spec


class Blame:
    """Wrong results of chains, which are put off until all comparing is done.

    `specs` are the engines of the run; `environment` is that of their processes.
    """

    def __init__(
        self, session: Session, specs: Sequence[Spec], environment: Mapping[str, str]
    ) -> None:
        self._session, self._environment = session, environment
        self._last = {spec.label: spec.last for spec in specs if spec.last is not None}
        self._late: list[Verdict] = []
        self._greeting: Greeting | None = None

    def __len__(self) -> int:
        return len(self._late)

    def takes(self, verdict: Verdict) -> bool:
        """Whether the verdict is put off."""
        takes = (
            verdict.status == "differs"
            and verdict.adapter in self._last
            and verdict.stage is None  # else a worker knows it already
        )
        if takes:
            self._late.append(verdict)
        return takes

    def verdicts(self) -> Iterator[Verdict]:
        """The verdicts that were put off, with the stage that is to blame; one engine at a time."""
        for label, spec in self._last.items():
            of_label = [verdict for verdict in self._late if verdict.adapter == label]
            if not of_label:
                continue
            self._greeting = None
            engine = Engine(
                spec, timeout=self._session.request.timeout, environment=self._environment
            )
            try:
                for verdict in of_label:
                    yield replace(verdict, stage=self._stage(engine, verdict))
            finally:
                engine.kill()

    def _stage(self, engine: Engine, verdict: Verdict) -> dict[str, str | None]:
        """The name of the stage, None where nobody knows, and why."""
        name, case = engine.spec.adapter, self._session.cases[verdict.case]
        outcome = self._outcome(engine, verdict)
        natively = assess_output(
            case, self._session.truths(case).truth, outcome, adapter=name, device="cpu"
        )
        if not natively.is_checked:
            why = (natively.message or "").partition("\n")[0]
            return {"name": None, "text": f"{name} cannot be asked this case natively: {why}"}
        if natively.fails:
            return {
                "name": "running",
                "text": f"{name} itself does not conform on this case ({natively.status})",
            }
        return {
            "name": "converting",
            "text": f"{name} itself conforms on this case: what was converted is not the call",
        }

    def _outcome(self, engine: Engine, verdict: Verdict) -> Outcome:
        """What the runtime itself makes of a case."""
        if self._greeting is None or not engine.running:
            greeting = engine.start()
            if not isinstance(greeting, Greeting):
                return greeting
            self._greeting = greeting
        if "cpu" not in self._greeting.devices:
            return Unavailable(reason="it has no device cpu")
        case = self._session.cases[verdict.case]
        native = case.arguments(self._greeting.convention)
        if isinstance(native, Unrepresentable):
            return Unsupported(reason=native.reason)
        tensors = self._session.truths(case).tensors
        return CallRequest(tensors=tensors, native=native, device="cpu").ask(engine)
