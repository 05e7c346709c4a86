"""The cases of a board: each distinct call once, and of it each distinct failure once, with all the
entries that it is of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.board.entries import Entry, Named
from conformance.printing import shortened
from conformance.verdicts.facts import explanation, summary
from conformance.verdicts.verdict import Verdict, standing

MOST_CHARACTERS = 700
"""The most of what explains a failure: the record has all of it, and where in the engine's code,
which is another line in each release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """A failure, in words, of all `entries` where it is the same."""

    status: str
    quantity: str
    standing: str
    summary: str
    text: str
    entries: list[Entry] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A case as one call: its digest and line, how its verdicts stand, and its failures."""

    digest: str
    name: str
    line: Mapping[str, Any]
    standings: Counter[str] = field(default_factory=Counter)
    details: dict[tuple[str, ...], Detail] = field(default_factory=dict)

    @property
    def file(self) -> str:
        return self.name.rpartition("/")[0]

    @property
    def short(self) -> str:
        return self.name.rpartition("/")[2]

    @property
    def failing(self) -> list[str]:
        """The engines that fail it."""
        return list(
            dict.fromkeys(
                entry.engine for detail in self.details.values() for entry in detail.entries
            )
        )

    def add(self, entry: Entry, quantity: str, verdict: Verdict) -> None:
        """Count a verdict, and keep it where it is a failure."""
        stands = standing(verdict)
        self.standings[stands] += 1
        if stands in ("known", "new"):
            lines = explanation(replace(verdict, traceback=None))
            text = shortened("\n".join(lines), MOST_CHARACTERS)
            key = (quantity, verdict.status, stands, text)
            detail = self.details.setdefault(
                key,
                Detail(
                    status=verdict.status,
                    quantity=quantity,
                    standing=stands,
                    summary=summary(verdict),
                    text=text,
                ),
            )
            detail.entries.append(entry)

    @property
    def geometry(self) -> str:
        """The call in a line: shapes, dtype and window."""
        words = [
            f"{key} {' × '.join(map(str, self.line[key]['shape']))}"
            for key in ("input", "kernel", "bias")
            if self.line.get(key) is not None
        ]
        words.append(str(self.line.get("dtype", "")))
        geometry = self.line.get("geometry")
        if geometry is not None:
            for name, keys in _WINDOW.items():
                words.append(f"{name} {', '.join(_of_axes(geometry['axes'], keys))}")
            words.append(f"groups {geometry['groups']}")
        for framework, arguments in (self.line.get("native") or {}).items():
            words += [framework, *(f"{key}={value}" for key, value in arguments.items())]
        return "; ".join(word for word in words if word)


_WINDOW = {
    "stride": ("stride",),
    "dilation": ("dilation",),
    "crop": ("crop_low", "crop_high"),
}


def _of_axes(axes: Iterable[Mapping[str, int]], keys: Sequence[str]) -> list[str]:
    return ["/".join(str(axis[key]) for key in keys) for axis in axes]


def calls(entries: Iterable[Entry], cases: Mapping[Named, Mapping[str, Any]]) -> dict[Named, Call]:
    """Every case that an entry was asked."""
    by_name: dict[Named, Call] = {}
    for entry in entries:
        for (name, quantity), verdict in entry.verdicts.items():
            key = name, entry.source.digests[name]
            call = by_name.setdefault(key, Call(digest=key[1], name=name, line=cases[key]))
            call.add(entry, quantity, verdict)
    return by_name


def by_file(asked: Iterable[Call]) -> dict[str, list[Call]]:
    """The calls of each case file, in the order in which they came."""
    files: dict[str, list[Call]] = {}
    for call in asked:
        files.setdefault(call.file, []).append(call)
    return dict(sorted(files.items()))
