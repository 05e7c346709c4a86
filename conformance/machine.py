"""The machine that a run happens on: platform, CPU model and flags."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import Any

from conformance.differences import Circumstances


def cpu() -> tuple[str, frozenset[str]]:
    """(model, flags) of the processor, as far as the operating system tells without a program of its own."""
    model, flags = platform.processor() or platform.machine(), frozenset[str]()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        first = info.read_text().split("\n\n")[0].splitlines()
        entries = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in first)}
        model = entries.get("model name", model)
        flags = frozenset((entries.get("flags") or entries.get("Features") or "").split())
    return model, flags


def physical_cores() -> int:
    """Cores that this process may use, hyperthreads counted once; at least one."""
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    siblings = {_siblings(number) for number in usable}
    return max(1, len(siblings))


def _siblings(number: int) -> str:
    """The hyperthreads of a core, as Linux lists them; the number itself where that is not told."""
    told = Path(f"/sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list")
    return told.read_text().strip() if told.is_file() else str(number)


def circumstances() -> Circumstances:
    """What the `where` of a known difference is held against."""
    return Circumstances(platform=sys.platform, machine=platform.machine(), cpu_flags=cpu()[1])


def description() -> dict[str, Any]:
    """The machine for a record."""
    model, flags = cpu()
    return {
        "platform": sys.platform,
        "system": f"{platform.system()} {platform.release().partition('-')[0]}, {' '.join(platform.libc_ver())}".strip(", "),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "cpu": {"model": model, "flags": sorted(flags)},
    }
