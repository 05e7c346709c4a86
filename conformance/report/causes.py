"""The new failures of a record for the page: each way to fail once, by its smallest case."""

from __future__ import annotations

from typing import Any

from conformance.record.record import Record
from conformance.record.signatures import extent, groups_of
from conformance.report.plain import anchor
from conformance.verdicts import messages
from conformance.verdicts.facts import explanation
from conformance.verdicts.verdict import Key

MOST_CAUSES = 50
MOST_NAMES = 5
"""The most names of other cases that are listed for a cause; the matrix has all."""


def causes(record: Record) -> list[dict[str, Any]]:
    """The data of each cause for the template: the smallest verdict, words, and the key of its case
    on this page.
    """
    entries = []
    for group in groups_of(record)[:MOST_CAUSES]:
        smallest = group.smallest
        lines = [*messages.about(record.cases[smallest.case]), *explanation(smallest)]
        others = [verdict.case for verdict in group.verdicts[1:]]
        entries.append(
            {
                "smallest": smallest,
                "headline": messages.headline(smallest),
                "told": extent(group),
                "text": "\n".join(
                    [*lines, f"reproduce: {messages.reproduction(smallest, record.run)}"]
                ),
                "on": anchor(smallest).removeprefix(f"{smallest.case}@"),
                "key": Key(smallest.case, smallest.adapter, smallest.device, smallest.quantity),
                "others": others[:MOST_NAMES],
                "more": len(others[MOST_NAMES:]),
            }
        )
    return entries
