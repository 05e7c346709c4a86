"""`pytest --conformance-shard I/N`: the tests of one part of the cases that would be tested."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.corpus.shards import Shard
from conformance.errors import UsageError
from conformance.run.plan import Task
from conformance.wording import counted

EMPTIED = "conformance_shard_is_empty"
"""In what a worker tells: whether its shard has left it without a test."""


class Sharding:
    """The hooks that leave out the tests of other shards; what is no test of a case stays."""

    def __init__(self, text: str) -> None:
        try:
            self.shard = Shard.read("--conformance-shard", text)
        except UsageError as error:
            raise pytest.UsageError(str(error)) from None
        self.summary = ""
        self.emptied = False

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Keep the shard of what -k, -m and names have left."""
        tasks = {item: getattr(item, "task", None) for item in items}
        cases = {task.case.name: task.case for task in tasks.values() if isinstance(task, Task)}
        mine = {case.name for case in self.shard.takes(list(cases.values()))}
        others = [
            item
            for item, task in tasks.items()
            if isinstance(task, Task) and task.case.name not in mine
        ]
        self.summary = (
            f"conformance: shard {self.shard} has {len(mine)} of {counted(len(cases), 'case')}"
        )
        if others:
            config.hook.pytest_deselected(items=others)
            left_out = set(others)
            items[:] = [item for item in items if item not in left_out]
            self.emptied = not items

    def pytest_report_collectionfinish(self) -> str:
        return self.summary

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker of pytest-xdist has collected what the controller does not: all do the same."""
        self.emptied = bool(getattr(node, "workeroutput", {}).get(EMPTIED))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A shard of fewer cases than shards may have none: that is no failure."""
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[EMPTIED] = self.emptied
        if self.emptied and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK
