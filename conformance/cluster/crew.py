"""The workers of a Dask cluster: given pieces of work that they can do, and heard as they end.

Dask schedules, moves what a dead worker was at to another one, and shows all of it on its
dashboard. Engines stay processes of ours beside each worker.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import logging
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from conformance.adapters import REGISTRY
from conformance.cluster.home import here, perform
from conformance.errors import UsageError

if TYPE_CHECKING:
    from distributed import Client, Future

Tag = TypeVar("Tag")

CONNECT_SECONDS = 30
WAIT_SECONDS = 120
"""How long a cluster may take until its first worker is there: it may have to be started."""

IN_FLIGHT = 3
"""Pieces for each thread that are handed out at a time: one at work, and what keeps it busy."""

LOOK_SECONDS = 2.0
"""How often workers that come and go are counted again."""

_LOCAL = re.compile(r"local(?::([1-9][0-9]{0,3}))?")
_ADDRESS = re.compile(r"[a-z]+://\S+|[\w.-]+:\d+")
_NEED = re.compile(r"[A-Za-z][\w.-]*:[\w.+>-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece(Generic[Tag]):
    """A function to call on a worker with arguments, all of which can be pickled; `tag` is the
    caller's, and `engine` the adapter that the worker must have.
    """

    tag: Tag
    function: Callable[..., Any]
    arguments: Sequence[Any] = ()
    engine: str | None = None
    name: str = field(default="")
    """The heading under which the dashboard counts it."""


class Crew:
    """A cluster that is connected; `needs` are the resources that a worker must have for any
    piece.
    """

    def __init__(self, client: Client, needs: Mapping[str, float]) -> None:
        self._client, self._needs = client, dict(needs)
        self._run = secrets.token_hex(4)
        self._numbers = itertools.count()
        self._looked = -LOOK_SECONDS
        self._workers_by_address: Mapping[str, Mapping[str, Any]] = {}

    @property
    def dashboard(self) -> str:
        """The address of Dask's dashboard."""
        return str(self._client.dashboard_link)

    @property
    def threads(self) -> int:
        """The pieces that are done at a time."""
        return sum(worker["nthreads"] for worker in self._workers().values())

    def check(self, engines: Iterable[str]) -> None:
        """Raise UsageError for an engine, or a need, that no worker has."""
        workers = self._workers()
        carried = {name for worker in workers.values() for name in worker.get("resources", {})}
        for engine in engines:
            wanted = self._resources(engine, carried)
            if not any(wanted.keys() <= worker["resources"].keys() for worker in workers.values()):
                has = ", ".join(sorted(carried)) or "nothing"
                raise UsageError(
                    f"--dask: no worker carries {' and '.join(wanted)}, should be one that does: "
                    f"they carry {has}"
                )

    def shared(self, value: Any) -> Future:
        """What many pieces need, sent once: to stand among their arguments. It is made again from
        the scheduler's copy where all workers that had it are gone.
        """
        return self._client.submit(_same, value, key=self._key("kept"), pure=False)

    def results(
        self, pieces: Iterable[Piece[Tag]], until: float | None = None
    ) -> Iterator[tuple[Tag, Any]]:
        """The tag and the result of each piece, as they end; `pieces` is drawn from as there is
        room. Raises what a piece raised, UsageError where workers die of one, and TimeoutError when
        the monotonic clock is at `until`.
        """
        from distributed import as_completed

        waiting, tags = iter(pieces), dict[str, Tag]()
        left = None if until is None else max(0.0, until - time.monotonic())
        running = as_completed(
            loop=self._client.loop, timeout=left, with_results=True, raise_errors=False
        )

        def hand_out() -> None:
            room = IN_FLIGHT * max(1, self.threads) - len(tags)
            for piece in itertools.islice(waiting, max(0, room)):
                future = self._submitted(piece)
                tags[future.key] = piece.tag
                running.add(future)

        hand_out()
        try:
            for future, result in running:
                tag = tags.pop(future.key)
                if future.status != "finished":
                    raise _failure(tag, result)
                future.release()
                hand_out()
                yield tag, result
        finally:
            running.clear()

    def result(self, piece: Piece[Tag]) -> Any:
        """The result of one piece."""
        ((_, result),) = self.results([piece])
        return result

    def everywhere(self, function: Callable[[], None]) -> None:
        """Call a function on every worker, as far as they are there."""
        with contextlib.suppress(OSError, RuntimeError, ValueError):
            self._client.run(function, on_error="ignore")

    def _submitted(self, piece: Piece[Any]) -> Future:
        carried = {name for worker in self._workers().values() for name in worker["resources"]}
        wanted = self._resources(piece.engine, carried)
        return self._client.submit(
            perform,
            here(),
            piece.function,
            *piece.arguments,
            key=self._key(piece.name or piece.function.__name__),
            resources=wanted or None,
            pure=False,
        )

    def _key(self, name: str) -> str:
        """A key of Dask: the dashboard counts by what stands before the number."""
        plain = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")
        return f"{plain}-{self._run}{next(self._numbers):08x}"

    def _resources(self, engine: str | None, carried: Iterable[str]) -> dict[str, float]:
        """What a worker must carry. Where none speaks of engines, each is taken to have all."""
        names = any(name.startswith("engine:") for name in carried)
        return self._needs | ({f"engine:{engine}": 1} if names and engine is not None else {})

    def _workers(self) -> Mapping[str, Mapping[str, Any]]:
        workers: Mapping[str, Mapping[str, Any]] = self._client.scheduler_info(n_workers=-1)[
            "workers"
        ]
        return workers


@contextlib.contextmanager
def crew_at(where: str, needs: Sequence[str] = ()) -> Iterator[Crew]:
    """The crew of `local`, `local:N`, an address, or a scheduler file. Raises UsageError where
    that is none, or has no workers.
    """
    read = dict.fromkeys(needs, 1.0)
    for need in needs:
        if not _NEED.fullmatch(need):
            raise UsageError(f"--needs {need}: should be KIND:NAME, as gpu:h100 or isa:avx512")
    if importlib.util.find_spec("distributed") is None:
        raise UsageError(
            f"--dask {where}: Dask is not installed, should be: "
            "pip install 'conv-transpose-conformance[dask]'"
        )
    local = _LOCAL.fullmatch(where)
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(
            _local(int(local[1] or os.cpu_count() or 1)) if local else _remote(where)
        )
        yield Crew(client, read)


@contextlib.contextmanager
def _local(workers: int) -> Iterator[Client]:
    """A cluster of this machine: a worker is a process of one thread, as the pool's threads are."""
    import dask
    from distributed import Client, LocalCluster

    settings = {
        "distributed.nanny.pre-spawn-environ": {},  # engines get what they get without Dask
        "distributed.scheduler.allowed-failures": 5,
        # each server wakes for itself 50 times a second, on the cores that engines need
        "distributed.admin.tick.interval": "1s",
        "distributed.admin.system-monitor.interval": "2s",
        "distributed.worker.profile.enabled": False,  # looks at threads that wait, every 10 ms
    }
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            memory_limit=0,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@contextlib.contextmanager
def _remote(where: str) -> Iterator[Client]:
    from distributed import Client

    file = Path(where)
    if file.is_file():
        words = {"scheduler_file": str(file)}
    elif _ADDRESS.fullmatch(where) and not where.startswith("local:"):
        words = {"address": where if "://" in where else f"tcp://{where}"}
    else:
        raise UsageError(
            f"--dask {where}: should be local, local:N, the address of a scheduler as "
            "tcp://host:8786, or its file"
        )
    try:
        client = Client(**words, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        why = str(error).partition("\n")[0][:200]
        raise UsageError(
            f"--dask {where}: cannot be reached ({why}), should be a scheduler that runs"
        ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=WAIT_SECONDS)
        except TimeoutError:
            raise UsageError(
                f"--dask {where}: has no worker after {WAIT_SECONDS} s, should have one"
            ) from None
        yield client


def _failure(tag: Any, result: Any) -> BaseException:
    """What a piece without a result raised, in words where it is about the cluster."""
    from asyncio import CancelledError

    from distributed import KilledWorker

    error = result[1] if isinstance(result, tuple) else result
    if isinstance(error, KilledWorker):
        return UsageError(
            f"--dask: several workers died one after the other at {tag}, the last was "
            f"{error.last_worker.address}: should be pieces that workers outlive; what came before "
            "is kept"
        )
    if isinstance(error, CancelledError):
        return UsageError("--dask: the scheduler is gone, should stay; what came before is kept")
    assert isinstance(error, BaseException), "a failed piece has an exception"
    return error


def refuse_needs(needs: Sequence[str]) -> None:
    """Raise UsageError where there are needs and no cluster."""
    if needs:
        raise UsageError(f"--needs {needs[0]}: is for --dask, should come with it")


def refuse_sandbox(where: str | None, *, sandbox: bool) -> None:
    """Raise UsageError for a sandbox elsewhere: what it hides are the folders of this machine."""
    if sandbox and where is not None and not _LOCAL.fullmatch(where):
        raise UsageError(
            f"--sandbox: hides files of this machine, should be without --dask {where}, or with "
            "--dask local"
        )


def _same(value: Any) -> Any:
    return value


def engine_name(adapter: str, label: str) -> str:
    """The engine that a worker carries as `engine:NAME`: the adapter of the table whose variant it
    is, or the label of one's own.
    """
    entry = REGISTRY.get(adapter)
    return label if entry is None else entry.variant_of or adapter
