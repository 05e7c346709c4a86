"""What an engine gets wrong: its failures by the reason that is known, else by the diagnosis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from conformance.board.entries import Asked, Entry
from conformance.record.signatures import Reason, reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One reason: where it is published, and what it concerns, by the number of the entry."""

    is_known: bool
    text: str
    source: str | None
    asked: Mapping[int, Sequence[Asked]]

    @property
    def cases(self) -> int:
        """The number of distinct verdicts over all entries."""
        return len({asked for each in self.asked.values() for asked in each})

    @property
    def everywhere(self) -> list[Asked]:
        """Every case and quantity that it concerns in some entry."""
        return list(dict.fromkeys(asked for each in self.asked.values() for asked in each))


def failures(entries: Sequence[Entry], sources: Mapping[str, str]) -> list[Failure]:
    """What the entries get wrong: new failures first, then what concerns most cases. `sources` has
    where a known reason is published; `asked` names entries by their place in `entries`.
    """
    reasons: dict[Reason, dict[int, list[Asked]]] = {}
    for number, entry in enumerate(entries):
        for asked, verdict in entry.verdicts.items():
            if verdict.unexpected or verdict.known is not None:
                reasons.setdefault(reason(verdict), {}).setdefault(number, []).append(asked)
    made = [
        Failure(
            is_known=is_known, text=text, source=sources.get(text) if is_known else None, asked=by
        )
        for (is_known, text), by in reasons.items()
    ]
    return sorted(made, key=lambda failure: (failure.is_known, min(failure.asked), -failure.cases))
