"""What an engine is before it is started: how, under which name, and for which cases."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from conformance.adapters import REGISTRY
from conformance.workers.process import node_command, python_command


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """The specification of an engine: the label in the record, the adapter, how its process is
    started, and which of the shipped cases it runs: those with the tag, of names that a glob takes.
    """

    label: str
    adapter: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    tag: str | None = None
    cases: tuple[str, ...] = ("*",)
    is_variant: bool = False
    by_name: bool = True
    python: str = ""
    """The interpreter that was named for it; none if it is whichever has its packages."""
    memory: int = 0
    """The most bytes that its processes may have; 0 is no limit."""
    shown: bool = False
    """Whether what it prints is shown as it comes."""
    last: Spec | None = None
    """The engine that a chain ends with, asked by itself."""

    def takes(self, name: str, tags: Collection[str]) -> bool:
        """Whether it runs a shipped case of that full name."""
        return (self.tag is None or self.tag in tags) and any(
            fnmatchcase(name, pattern) for pattern in self.cases
        )

    @staticmethod
    def of(
        adapter: str,
        *,
        label: str,
        python: str,
        by_name: bool = True,
        words: tuple[str, ...] | None = None,
    ) -> Spec:
        """A registry name or package.module:Class for an interpreter, or the words of a program of
        its own.
        """
        entry = REGISTRY.get(adapter)
        if words is not None:
            command = [*words]
        elif entry is not None and entry.node:
            command = node_command(python, adapter)
        else:
            command = python_command(python, adapter)
        return Spec(
            label=label,
            adapter=adapter,
            command=tuple(command),
            environment={} if entry is None else entry.environment,
            tag=None if entry is None else entry.tag,
            cases=("*",) if entry is None else entry.cases,
            is_variant=entry is not None and entry.variant_of is not None,
            by_name=by_name,
            last=None
            if entry is None or entry.last is None
            else Spec.of(entry.last, label=f"{label}, natively", python=python),
        )
