"""The explanation of kept verdicts by the known failures of today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.record.run_line import circumstances_of
from conformance.verdicts.known import Difference, explain
from conformance.verdicts.verdict import Verdict
from instructions.kept import verdicts


def explained(content: Mapping[str, Any], known: Sequence[Difference]) -> Iterator[Verdict]:
    """The verdicts of a kept file as the known failures of today explain them."""
    run = content["run"]
    adapters = {line["label"]: line["adapter"] for line in run["adapters"]}
    circumstances = {label: circumstances_of(run, label) for label in adapters}
    of_adapter = {
        label: [e for e in known if e.is_of(label, name)] for label, name in adapters.items()
    }
    for verdict in verdicts(content):
        label = verdict.adapter
        yield explain(
            verdict,
            of_adapter[label],
            adapter=adapters[label],
            versions=run["versions"][label],
            circumstances=circumstances[label],
        )


def unexpected(content: Mapping[str, Any], known: Sequence[Difference]) -> list[str]:
    """A line for every verdict of a kept file that the known failures of today do not
    explain.
    """
    return [
        f"{verdict.adapter} {verdict.status} in {verdict.case}, {verdict.quantity}: "
        + (
            f"{verdict.known_problem['entry']}: {verdict.known_problem['problem']}"
            if verdict.known_problem
            else "not known"
        )
        for verdict in explained(content, known)
        if verdict.unexpected
    ]
