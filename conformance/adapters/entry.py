"""What is a row of the registry: all there is to an engine besides its module and its program."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row: where the adapter lives, which spelling it speaks, its program, and what it needs.

    - `convention` is a name of `conformance.conventions.NAMES`, `template` that of its program in
      `conformance/programs`.
    - `needs` are import packages, and `extra` brings them, or `packages`: the pinned requirements
      of an environment of its own.
    - An engine in JavaScript has `node` in place of `module`, `adapter` and `needs`: words of the
      program in `conformance/web`, first the library, which names the folder of its package.json.
    - A call without `takes_groups` has no argument for groups.
    - A variant asks the same engine in another way (`options` of its class, another environment)
      and says whose variant it is.
    - With a `tag`, or globs of full names in `cases`, it runs these of the shipped cases alone; of
      all others it runs all.
    - A shape function is one whose `quantities` are "shape" alone. A chain ends with the adapter
      `last`, which is asked natively where the chain is wrong.
    """

    module: str = ""
    adapter: str = ""
    node: tuple[str, ...] = ()
    convention: str
    template: str
    needs: tuple[str, ...] = ()
    extra: str = ""
    packages: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    takes_groups: bool = True
    variant_of: str | None = None
    tag: str | None = None
    cases: tuple[str, ...] = ("*",)
    quantities: tuple[str, ...] = ("output", "gradients")
    last: str | None = None

    @property
    def is_apart(self) -> bool:
        """Whether an environment of its own may bring what it needs."""
        return bool(self.packages or self.node)

    def advice(self, name: str, package: str | None = None) -> str:
        """The line that brings what this row, of that name, needs: all, or one import package."""
        if self.is_apart and (package is None or self._brings(package)):
            return f"conformance engines install '{name}'"
        return f"pip install 'conv-transpose-conformance[{self.extra}]'"

    def _brings(self, package: str) -> bool:
        names = (re.split(r"[\[=<>]", one)[0].replace("-", "_") for one in self.packages)
        return package in names
