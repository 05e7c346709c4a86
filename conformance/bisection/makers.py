"""What is tried: releases of one distribution before the parent's packages, and mixes of two
locks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from conformance.bisection.upgrade import Mix, Upgrade, contradictions
from conformance.environments.complete import CompleteEnvironments
from conformance.environments.installer import Environment, NotInstalled
from conformance.environments.overlay import Environments
from conformance.environments.pins import Pin


@dataclass(frozen=True, slots=True, kw_only=True)
class Releases:
    """Releases of a distribution, which may be named with extras."""

    package: str
    environments: Environments

    def name(self, key: str) -> str:
        """The folder of a release."""
        return self.environments.name(self.package, key)

    def has(self, key: str) -> bool:
        """Whether it is there."""
        return self.environments.has(self.package, key)

    def of(self, key: str) -> Environment:
        """The environment of a release. Raises NotInstalled."""
        return self.environments.of(self.package, key)

    def versions(self, key: str) -> Mapping[str, str]:
        """The release."""
        return {canonicalize_name(Requirement(self.package).name): key}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixes:
    """Mixes of the packages of two locks."""

    upgrade: Upgrade
    environments: CompleteEnvironments

    def name(self, key: Mix) -> str:
        """The folder of a mix."""
        return self.environments.name(self.upgrade.pins(key))

    def has(self, key: Mix) -> bool:
        """Whether it is there."""
        return self.environments.has(self.upgrade.pins(key))

    def of(self, key: Mix) -> Environment:
        """The environment of a mix. Raises NotInstalled, too where a release of its own requires
        what the others are not.
        """
        environment = self.environments.of(self.upgrade.pins(key))
        there = {name: Pin(name=name, version=one) for name, one in environment.installed.items()}
        for name, release in key.releases:
            if lacking := contradictions(name, environment.requires.get(name, ()), there):
                raise NotInstalled(f"{name} {release} requires {', '.join(lacking)}")
        return environment

    def versions(self, key: Mix) -> Mapping[str, str]:
        """What the locks say."""
        also = {canonicalize_name(Requirement(text).name) for text in self.environments.also}
        pins = self.upgrade.pins(key)
        return {
            name: pin.version
            for name, pin in pins.items()
            if pin.version is not None and name not in also
        }
