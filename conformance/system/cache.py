"""Where compiled programs are kept between runs, and how an engine's process is told."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from platformdirs import user_cache_path

from conformance.system.machine import cpu_model
from conformance.system.processor import cpu_flags

VARIABLE = "CONFORMANCE_CACHE"


def folder() -> Path:
    """The folder that CONFORMANCE_CACHE names, else one below the user's cache folder.

    It is this processor's own: what was compiled for other instructions must not be loaded.
    Adapters add a level for their framework's version.
    """
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE])
    mark = hashlib.sha256(" ".join([cpu_model(), *sorted(cpu_flags())]).encode()).hexdigest()[:12]
    return user_cache_path("conv-transpose-conformance") / mark


def environment() -> dict[str, str]:
    """The environment variables that an engine's process needs."""
    return {VARIABLE: str(folder())}
