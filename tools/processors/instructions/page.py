"""The text of the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.verdicts.known import Difference
from conformance.verdicts.verdict import Verdict
from instructions.explanations import explained

HEAD = """# Processors

What engines compute differently on another instruction set, as the corpus measured it. This page
is made by `python tools/processors/isa.py --page`; do not edit it.

`tox -e isa-NAME` runs the corpus on engines and their variants that are held to one instruction
set by their own switches: `ONEDNN_MAX_CPU_ISA`, `ATEN_CPU_CAPABILITY` and XLA's flag
`xla_cpu_max_isa`. What has no switch runs on an emulated processor (QEMU, *haswell*), on some
engines and a part of the corpus. On a machine that has less than a row needs, the row's last
record in `reports/isa/` is held against the known failures instead.

An engine tells [what it is held to](adapters.md#facts), so a known failure names that and no
processor. Numbers are verdicts, of outputs and gradients.
"""

DIFFERING = """
## What differs

A row is one reason. A dash is where no engine fails so; a blank, where none was asked.

"""

Key = tuple[str, str, str]


def page(rows: Mapping[str, Mapping[str, Any]], known: Sequence[Difference]) -> str:
    """The page of kept files by name."""
    by_row = {name: list(explained(content, known)) for name, content in rows.items()}
    parts = [
        HEAD,
        "\n## What was run\n\n",
        "| name | processor | engines | conform | known | unsupported |\n",
        "|" + " --- |" * 6 + "\n",
    ]
    for name, content in rows.items():
        counts = [
            sum(verdict.status == "conforms" for verdict in by_row[name]),
            sum(verdict.known is not None for verdict in by_row[name]),
            sum(verdict.status == "unsupported" for verdict in by_row[name]),
        ]
        parts.append(
            f"| {name} | {_processor(content)} | {len(content['statuses'])} | "
            f"{' | '.join(map(str, counts))} |\n"
        )
    parts.append(DIFFERING)
    parts.append(
        "| what | engines | case | "
        + " | ".join(rows)
        + " |\n"
        + "|"
        + " --- |" * (3 + len(rows))
        + "\n"
    )
    parts += _differing(by_row)
    return "".join(parts)


def _processor(content: Mapping[str, Any]) -> str:
    facts = content["run"]["facts"]
    levels = {its.get("processor", its.get("isa", "?")) for its in facts.values() if its}
    return ", ".join(sorted(levels))


def _differing(by_row: Mapping[str, Sequence[Verdict]]) -> Iterator[str]:
    """A row for every reason that explains failures on some instruction sets and not on all."""
    attempted, failing = _by_reason(by_row)
    for reason, by_name in failing.items():
        odd = _odd(by_name, attempted)
        if not odd:
            continue
        engines = ", ".join(dict.fromkeys(key[1] for key in odd))
        cells = [
            _cell(set(odd) & by_name.get(name, set()), set(odd) & attempted[name])
            for name in by_row
        ]
        others = len({key[0] for key in odd}) - 1
        cases = f"`{odd[0][0]}`" + (f" and {others} more" if others else "")
        yield f"| {_plain(reason)} | {engines} | {cases} | {' | '.join(cells)} |\n"


def _by_reason(
    by_row: Mapping[str, Sequence[Verdict]],
) -> tuple[dict[str, set[Key]], dict[str, dict[str, set[Key]]]]:
    """The verdicts attempted by row, and those that fail by reason and row."""
    failing: dict[str, dict[str, set[Key]]] = {}
    attempted: dict[str, set[Key]] = {name: set() for name in by_row}
    for name, row in by_row.items():
        for verdict in row:
            key = (verdict.case, verdict.adapter, verdict.quantity)
            attempted[name].add(key)
            if verdict.known is not None:
                failing.setdefault(verdict.known, {}).setdefault(name, set()).add(key)
    return attempted, failing


def _odd(by_name: Mapping[str, set[Key]], attempted: Mapping[str, set[Key]]) -> list[Key]:
    """The verdicts that fail for one reason on some rows, and do not on another that attempted
    them, in order.
    """
    every = set().union(*by_name.values())
    return sorted(
        key
        for key in every
        if any(key in attempted[name] and key not in by_name.get(name, set()) for name in attempted)
    )


def _cell(failing: set[Key], attempted: set[Key]) -> str:
    return "" if not attempted else str(len(failing)) if failing else "–"


def _plain(text: str) -> str:
    return "".join(
        f"\\{letter}" if letter in "|*_`<[" else letter for letter in " ".join(text.split())
    )
