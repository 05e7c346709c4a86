"""The packages of a whole environment: one version of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from conformance.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One package in one version, or from one address, with the digests that its file may have."""

    name: str
    version: str | None = None
    url: str | None = None
    hashes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.version if self.version is not None else "the file of its address"

    @property
    def requirement(self) -> str:
        """The requirement that brings it."""
        return f"{self.name} @ {self.url}" if self.url else f"{self.name}=={self.version}"

    @property
    def is_of(self) -> tuple[str, Any]:
        """Equal for two pins that bring the same."""
        try:
            return self.url or "", Version(self.version) if self.version else None
        except InvalidVersion:
            return self.url or "", self.version


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """The pins of a file by canonical name, and what of it is not looked at, in a sentence each."""

    path: Path
    pins: dict[str, Pin] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def add(self, pin: Pin, where: str) -> None:
        """Raises UsageError if the package is there in another version."""
        before = self.pins.get(pin.name)
        if before is not None and before.is_of != pin.is_of:
            raise UsageError(
                f"{where}: {pin.name}: is {pin} and {before}, should be in one version here"
            )
        self.pins[pin.name] = pin
