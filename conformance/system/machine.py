"""The machine that a run happens on: platform, processor, and what `where` of a known failure is
held against.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.system.processor import cpu_flags

Facts = Mapping[str, bool | int | float | str]
"""The facts of an engine that decide its results, as {"onednn": true, "isa": "avx2"}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """The machine that the suite runs on, and the facts of one engine on it: what `where` is held
    against.
    """

    platform: str
    machine: str
    cpu_flags: frozenset[str]
    facts: Facts = field(default_factory=dict)


def cpu_model() -> str:
    """The processor's name, as far as the operating system tells it without a program of its
    own.
    """
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def physical_cores() -> int:
    """Cores that this process may use, hyperthreads counted once; at least one."""
    usable = (
        os.sched_getaffinity(0)
        if hasattr(os, "sched_getaffinity")
        else set(range(os.cpu_count() or 1))
    )
    siblings = {_siblings(number) for number in usable}
    return max(1, len(siblings))


def _siblings(number: int) -> str:
    """The hyperthreads of a core, as Linux lists them; the number itself where that is not told."""
    file = Path(f"/sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list")
    return file.read_text().strip() if file.is_file() else str(number)


def circumstances() -> Circumstances:
    """Those of this machine, no engine asked."""
    return Circumstances(platform=sys.platform, machine=platform.machine(), cpu_flags=cpu_flags())


def description() -> dict[str, Any]:
    """The machine for a record."""
    return {
        "platform": sys.platform,
        "system": (
            f"{platform.system()} {platform.release().partition('-')[0]}, "
            f"{' '.join(platform.libc_ver())}"
        ).strip(", "),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "cpu": {"model": cpu_model(), "flags": sorted(cpu_flags())},
    }
