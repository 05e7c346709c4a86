"""Who is told while a run goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from conformance.verdicts.verdict import Verdict


class Enough(Exception):  # noqa: N818 - what was asked for, not a fault
    """As many unexpected verdicts came as were to end the run. What was recorded is kept, as after
    Ctrl-C.
    """


class Observer(Protocol):
    """The interface of whoever follows a run."""

    def started(
        self, counts: Mapping[str, int], absent: Mapping[str, str], run: Mapping[str, Any]
    ) -> None:
        """How many verdicts each adapter will get, which adapters do not take part, and why; and
        the record's run line.
        """

    def phase(self, name: str, done: int, total: int) -> None:
        """Called with the name of the work besides the first round of calls, and how much of it is
        done.
        """

    def verdict(self, verdict: Verdict) -> None: ...

    def finished(self, adapter: str, seconds: float) -> None: ...


class Silent(Observer):
    """Tells nobody: whoever asks for the verdicts tells them."""

    def started(
        self, counts: Mapping[str, int], absent: Mapping[str, str], run: Mapping[str, Any]
    ) -> None:
        return None

    def phase(self, name: str, done: int, total: int) -> None:
        return None

    def verdict(self, verdict: Verdict) -> None:
        return None

    def finished(self, adapter: str, seconds: float) -> None:
        return None
