"""Limits of the process that reads a model: no pickle, and no more memory than there is."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from conformance.models.results import ReadingError

_CGROUP = Path("/sys/fs/cgroup/memory.max")


@contextmanager
def no_pickle(*, unsafe: bool) -> Iterator[None]:
    """While a file is loaded, a pickle that names a function or a class ends the loading.

    Python's unpickler announces each name before it is looked up (PEP 578); torch's own reader of
    weights, which knows a few harmless names, does not use it. An announcement cannot be switched
    off, so that the hook stays and does nothing afterwards.
    """
    if unsafe:
        yield
        return
    os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = "1"
    is_loading = True

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if is_loading and event == "pickle.find_class":
            name = ".".join(map(str, arguments[:2]))
            raise ReadingError(
                f"holds a pickle that names {name}, and is not read without --unsafe"
            )

    sys.addaudithook(hook)
    try:
        yield
    finally:
        is_loading = False


def limit_memory() -> None:
    """Let this process have the machine's memory and no more: a file that announces billions of
    elements gets a MemoryError, and the machine goes on.
    """
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    with suppress(OSError, ValueError):  # no such limit, or "max"
        limits.append(int(_CGROUP.read_text(encoding="ascii")))
    resource.setrlimit(resource.RLIMIT_DATA, (min(limits), min(limits)))
