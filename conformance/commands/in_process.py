"""`conformance run --in-process`: what can be asked in the command's own process, and what
cannot.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from conformance.adapters import REGISTRY
from conformance.corpus.case import Case
from conformance.errors import UsageError
from conformance.wording import counted
from conformance.workers.spec import Spec

INSIDE = "docs/implementer.md says how to see inside"


def check(specs: Sequence[Spec], cases: Sequence[Case], others: Mapping[str, object]) -> None:
    """Raise UsageError unless there is one case for one adapter that can be loaded here, and no
    option that is about another process: `others` has the values of those by name.
    """
    if len(specs) != 1:
        raise UsageError(f"--in-process: {len(specs)} engines are asked for, should be one, by -a")
    if len(cases) != 1:
        raise UsageError(
            f"--in-process: {counted(len(cases), 'case')} are selected, should be the full name "
            "of one"
        )
    for option, value in others.items():
        if value:
            raise UsageError(
                f"--in-process: {option} is about another process, and there is none: should be "
                "given without it"
            )
    _check_is_loadable(specs[0])


def _check_is_loadable(spec: Spec) -> None:
    """Raise UsageError for an engine that is another process whatever starts it."""
    entry = REGISTRY.get(spec.adapter)
    if spec.adapter.startswith("cmd:") or (entry is not None and entry.node):
        raise UsageError(
            f"--in-process: {spec.label} is a program, which is another process whoever starts it: "
            f"-s shows what it prints and its process id, for `gdb -p` ({INSIDE})"
        )
    if spec.command[0] != sys.executable:
        raise UsageError(
            f"--in-process: {spec.label} has an interpreter of its own, {spec.command[0]}, and "
            f"cannot be loaded here: -s shows what it prints and its process id ({INSIDE})"
        )
