"""The levels of the factors of each design, and which of them can meet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product
from pathlib import Path
from typing import Any

from conformance.corpus.strict_yaml import read

RANKS = {"line": 1, "plane": 2, "volume": 3}
RANKS |= {f"far_{name}": rank for name, rank in RANKS.items()} | {"long_line": 1, "long_plane": 2}
"""Spatial axes of each design. The `far` ones leave the small numbers of the others, in all
dtypes; the `long` ones have outputs of many positions."""

Row = dict[str, str]

Tuple = tuple[tuple[str, str], ...]
"""(factor, level) of two factors or three, in the order of the table."""


@dataclass(frozen=True, kw_only=True)
class Design:
    """One design of factors.yaml: the levels of each factor, and the combinations of them that are
    illegal.
    """

    name: str
    cases: int
    strength: int
    factors: Mapping[str, Mapping[str, Any]]
    illegal: Sequence[Mapping[str, frozenset[str]]]
    together: Sequence[Sequence[str]] = ()
    """The factors of which triples are covered; all if there are none."""

    @property
    def is_far(self) -> bool:
        return "dtype" in self.factors

    @property
    def rank(self) -> int:
        return RANKS[self.name]

    @cached_property
    def parts(self) -> list[tuple[list[str], list[Mapping[str, frozenset[str]]]]]:
        """Factors that combinations tie to each other, with these combinations: each part can be
        completed by itself.
        """
        parts: list[tuple[set[str], list[Mapping[str, frozenset[str]]]]] = []
        for rule in self.illegal:
            tied, rules = set(rule), [rule]
            for part in [part for part in parts if part[0] & tied]:
                parts.remove(part)
                tied, rules = tied | part[0], part[1] + rules
            parts.append((tied, rules))
        return [
            ([factor for factor in self.factors if factor in tied], rules) for tied, rules in parts
        ]

    @cached_property
    def known(self) -> dict[tuple[int, Tuple], bool]:
        return {}

    def possible(self, row: Row) -> bool:
        """Whether the missing levels can be chosen so that nothing illegal is among them."""
        return all(self._completes(number, row) for number in range(len(self.parts)))

    def _completes(self, number: int, row: Row) -> bool:
        factors, rules = self.parts[number]
        chosen = {factor: row[factor] for factor in factors if factor in row}
        key = number, tuple(chosen.items())
        if key not in self.known:
            broken = any(
                all(chosen.get(factor) in levels for factor, levels in rule.items())
                for rule in rules
            )
            missing = next((factor for factor in factors if factor not in chosen), None)
            self.known[key] = not broken and (
                missing is None
                or any(
                    self._completes(number, chosen | {missing: level})
                    for level in self.factors[missing]
                )
            )
        return self.known[key]

    def tuples(self, strength: int) -> Iterator[Tuple]:
        """All legal tuples of that many factors."""
        for chosen in combinations(self.factors, strength):
            if strength > 2 and self.together and list(chosen) not in self.together:
                continue
            for levels in product(*(self.factors[factor] for factor in chosen)):
                combination = tuple(zip(chosen, levels, strict=True))
                if self.possible(dict(combination)):
                    yield combination


def designs(folder: Path) -> list[Design]:
    """The designs of the folder's factors.yaml."""
    loaded = []
    for name, item in read(folder / "factors.yaml").items(tuple(RANKS)).items():
        table = item.value()
        rules = [
            {
                key: frozenset([levels] if isinstance(levels, str) else levels)
                for key, levels in rule.items()
                if key != "why"
            }
            for rule in table.pop("illegal")
        ]
        loaded.append(Design(name=name, illegal=rules, **table))
    return loaded
