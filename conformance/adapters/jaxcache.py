"""The parts that all adapters on JAX share: the persistent compilation cache with its counts,
threads, and facts.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import jax

from conformance.adapters import wants_strict
from conformance.system.processor import xla_facts

_EVENTS = {
    "/jax/compilation_cache/cache_hits": "hits",
    "/jax/compilation_cache/cache_misses": "misses",
}
_COUNTS: Counter[str] = Counter()


def keep_compiled() -> None:
    """Keep every compiled program in the folder that CONFORMANCE_CACHE names, unless JAX was told
    of a folder already.
    """
    folder = os.environ.get("CONFORMANCE_CACHE")
    if folder and not jax.config.jax_compilation_cache_dir:
        jax.config.update(
            "jax_compilation_cache_dir", str(Path(folder) / f"jaxlib-{jax.lib.__version__}")
        )
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
        # XLA's own caches lie below that folder, and their path is in the key of every program:
        # elsewhere none would be found
        jax.config.update("jax_persistent_cache_enable_xla_caches", "none")
    jax.monitoring.register_event_listener(_count)


def take_precision() -> None:
    """The highest precision of products where the suite wants float32; what it is on the CPU
    anyway.
    """
    if wants_strict():
        jax.config.update("jax_default_matmul_precision", "highest")


def compilations() -> dict[str, int]:
    """How many programs were found in the cache so far ("hits"), and how many had to be compiled
    ("misses").
    """
    return {name: _COUNTS[name] for name in _EVENTS.values()}


def _count(event: str, **_: object) -> None:
    if event in _EVENTS:
        _COUNTS[_EVENTS[event]] += 1


def threads() -> int | None:
    """How many threads XLA's pool on the CPU has, counted by their name; None where no such thing
    is to be seen.
    """
    jax.devices()  # the pool is made with the first of these
    return sum("XLAEigen" in _name(task) for task in Path("/proc/self/task").glob("*")) or None


def _name(task: Path) -> str:
    """The name of a thread; empty of one that has ended since it was listed."""
    try:
        return task.joinpath("comm").read_text()
    except OSError:
        return ""


def facts() -> dict[str, bool | str]:
    """The instruction set that XLA compiles for; the device, if there is one."""
    return xla_facts() | (
        {"gpu": jax.devices()[0].device_kind} if jax.default_backend() == "gpu" else {}
    )
