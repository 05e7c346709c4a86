"""Can I use a feature on an engine of this record? The table that the page opens with, and what its
search answers from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from conformance.conventions.answers import ANSWERS, QUESTIONS
from conformance.record.record import Record
from conformance.report.matrix import Column
from conformance.support.features import ALIASES, FAMILIES, FEATURES, MEANINGS
from conformance.support.shipped import sources_of
from conformance.support.table import Cell, EngineSupport, Reason, engines_of
from conformance.support.text import STATES, long, short

POOR = 0.8
"""The share of passing checks below which a cell stands out of those that all but pass."""

_EMPTY = Cell(conforms=0, shares=())


def address(**parts: str) -> str:
    """The fragment of the page that shows what these say; `state.js` reads it."""
    return "#" + urlencode(parts, errors="replace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A feature, its meaning, and its cell on every column of the page."""

    feature: str
    meaning: str
    cells: tuple[Cell, ...]


class CanUse:
    """What every column of a page supports."""

    def __init__(self, record: Record, columns: Sequence[Column]) -> None:
        by_name = {engine.name: engine for engine in engines_of(record, sources_of(record))}
        self.columns = columns
        self._engines: list[EngineSupport | None] = [
            by_name.get(column.title) for column in columns
        ]

    def lines(self) -> list[Line]:
        """The features that some case of the record has."""
        lines = []
        for feature in FEATURES:
            cells = tuple(
                _EMPTY if engine is None else engine.cells[feature] for engine in self._engines
            )
            if any(cell.state for cell in cells):
                lines.append(Line(feature=feature, meaning=MEANINGS[feature], cells=cells))
        return lines

    def data(self) -> dict[str, Any]:
        """What the search answers from: features with their aliases and families, states, every
        column's cells with their reasons, and the answers of every convention.
        """
        return {
            "features": [
                [feature, MEANINGS[feature], list(ALIASES.get(feature, ()))] for feature in FEATURES
            ],
            "families": [
                [words, [FEATURES.index(feature) for feature in features]]
                for words, features in FAMILIES.items()
            ],
            "states": {
                name: {"sign": state.sign, "meaning": state.meaning}
                for name, state in STATES.items()
            },
            "engines": [_engine(engine) for engine in self._engines],
            "questions": dict(QUESTIONS),
            "conventions": {name: asdict(answers) for name, answers in ANSWERS.items()},
        }

    @staticmethod
    def short(cell: Cell) -> str:
        """The cell as the table has it."""
        return short(cell)

    @staticmethod
    def style(cell: Cell) -> str:
        """The classes of a cell."""
        name = cell.state.replace(",", "").replace(" ", "-") or "none"
        is_poor = cell.state == "works, but" and cell.conforms < POOR * cell.checked
        return f"{name} poor" if is_poor else name

    @staticmethod
    def words(line: Line, column: Column, cell: Cell) -> str:
        """The cell for who cannot see the table."""
        return f"{line.feature} on {column.title}: {long(cell)}"

    @staticmethod
    def address(line: Line, column: Column | None = None) -> str:
        """The fragment of the page that opens a cell, or a feature on all columns."""
        if column is None:
            return address(feature=line.feature)
        return address(feature=line.feature, adapter=column.key)


def _engine(engine: EngineSupport | None) -> dict[str, Any] | None:
    if engine is None:
        return None
    numbers = {reason: number for number, reason in enumerate(engine.reasons)}
    return {
        "reasons": [
            [reason.standing, reason.text, *([reason.source] if reason.source else [])]
            for reason in numbers
        ],
        "cells": {
            FEATURES.index(feature): _cell(cell, numbers)
            for feature, cell in engine.cells.items()
            if cell.state
        },
    }


def _cell(cell: Cell, numbers: Mapping[Reason, int]) -> list[Any]:
    return [
        cell.state,
        cell.conforms,
        cell.checked,
        cell.unsupported,
        [[numbers[share.reason], share.count, share.example] for share in cell.shares],
    ]
