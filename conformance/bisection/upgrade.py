"""An upgrade from one lock to another, and the mixes between them: some packages of the bad one,
all others of the good one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion

from conformance.environments.pins import Pin

Requires = Mapping[str, Sequence[str]]
"""What each distribution of an environment requires, by canonical name, as metadata spells it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """The packages that are as in the bad lock, and those that have a release of their own."""

    moved: frozenset[str]
    releases: tuple[tuple[str, str], ...] = ()

    def at(self, releases: Mapping[str, str]) -> Mix:
        """The same with these packages in these releases."""
        return replace(self, releases=tuple(sorted(releases.items())))


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """Two environments by the pins of their packages."""

    good: Mapping[str, Pin] = field(default_factory=dict)
    bad: Mapping[str, Pin] = field(default_factory=dict)

    @property
    def differing(self) -> list[str]:
        """The packages that are not the same on both sides, or on one side alone."""
        names = sorted(self.good.keys() | self.bad.keys())
        return [name for name in names if _key(self.good.get(name)) != _key(self.bad.get(name))]

    def pins(self, mix: Mix) -> dict[str, Pin]:
        """The packages of a mix."""
        names = self.good.keys() | self.bad.keys()
        sides = {name: self.bad if name in mix.moved else self.good for name in names}
        pins = {name: sides[name][name] for name in sorted(names) if name in sides[name]}
        return pins | {name: Pin(name=name, version=version) for name, version in mix.releases}

    def step(self, name: str) -> str:
        """The change of a package: `keras 3.15.0 -> 3.14.1`."""
        good, bad = self.good.get(name), self.bad.get(name)
        if good and bad and str(good) == str(bad):
            return f"{name} from another address"
        return f"{name} {good or 'absent'} -> {bad or 'absent'}"

    def couplings(self, good: Requires, bad: Requires) -> dict[str, set[str]]:
        """By package the others that have to be as in the bad lock once it is: where metadata of
        one side says that it does not go with the other side's version.

        `good` and `bad` are what both environments require. A requirement that its own lock breaks
        is not looked at: the lock is what it is.
        """
        needs: dict[str, set[str]] = {name: set() for name in self.differing}
        sides = ((bad, self.bad, self.good, False), (good, self.good, self.bad, True))
        for requires, own, other, reverse in sides:
            for name, requirement in _requirements(requires):
                needed = canonicalize_name(requirement.name)
                if name not in needs or needed not in needs or name == needed:
                    continue
                if meets(own.get(needed), requirement) and not meets(
                    other.get(needed), requirement
                ):
                    first, second = (needed, name) if reverse else (name, needed)
                    needs[first].add(second)
        return needs


def contradictions(name: str, requires: Sequence[str], pins: Mapping[str, Pin]) -> list[str]:
    """What a package requires that these packages do not meet."""
    return [
        f"{needed} (here {pins.get(canonicalize_name(needed.name)) or 'absent'})"
        for _, needed in _requirements({name: requires})
        if not meets(pins.get(canonicalize_name(needed.name)), needed)
    ]


def meets(pin: Pin | None, requirement: Requirement) -> bool:
    """Whether a package is what is required; one from an address is taken for it."""
    if pin is None or pin.version is None:
        return pin is not None
    try:
        return requirement.specifier.contains(pin.version, prereleases=True)
    except InvalidVersion:
        return True


def _requirements(requires: Requires) -> Iterator[tuple[str, Requirement]]:
    """Who requires what here, with the extras by which others require it."""
    read = {name: list(_read(texts)) for name, texts in requires.items()}
    extras: dict[str, set[str]] = {name: {""} for name in read}
    for requirement in (one for several in read.values() for one in several):
        extras.get(canonicalize_name(requirement.name), set()).update(requirement.extras)
    for name, several in read.items():
        for requirement in several:
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": one}) for one in extras[name]):
                yield name, requirement


def _read(texts: Iterable[str]) -> Iterator[Requirement]:
    for text in texts:
        try:
            yield Requirement(text)
        except InvalidRequirement:
            continue  # of a time before the grammar was settled


def _key(pin: Pin | None) -> Any:
    return None if pin is None else pin.is_of
