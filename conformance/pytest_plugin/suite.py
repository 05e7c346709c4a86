"""`pytest --conformance`: what is collected, and what a verdict is to pytest.

Alone, all selected tests go to the engines at once, and each test waits for its own verdict. Under
pytest-xdist the controller greets the adapters once and tells its workers what they answered; a
worker asks for one test at a time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from conformance.corpus.files import DESIGN, corpus_root, is_beside, nearby, read_cases
from conformance.corpus.known_files import ENDINGS, NAME
from conformance.corpus.selection import SLOW, Selection
from conformance.corpus.strict_yaml import read
from conformance.errors import FileProblems, UsageError
from conformance.printing import on_a_line, text_of
from conformance.pytest_plugin import background
from conformance.pytest_plugin.background import Awaited
from conformance.pytest_plugin.steps import Steps
from conformance.run.plan import Task
from conformance.run.request import Request
from conformance.system.machine import physical_cores
from conformance.verdicts import messages
from conformance.verdicts.facts import explanation
from conformance.verdicts.known_reader import entries_of
from conformance.workers.answers import Greeting
from conformance.workers.specs import read_interpreters, read_specs

_MEANT_BY_PYTEST = ("parametrize", "skip", "skipif", "xfail", "usefixtures", "filterwarnings")
"""The marks that pytest acts on: a tag of that name is no mark."""


class Suite:
    """The hooks of pytest that need engines or cases."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.encoded_answers: dict[str, Any] | None = getattr(config, "workerinput", {}).get(
            "conformance"
        )
        self.known = [_absolute(file) for file in config.getoption("--conformance-known") or ()]
        self._awaited: Awaited | None = None
        self._marks: set[str] = set()
        for file in map(
            str, self.known
        ):  # a test of its own looks whether its entries match a case
            if file not in config.args:
                config.args.append(file)

    def pytest_sessionstart(self) -> None:
        """Greet the adapters, or take the controller's word for what they answered."""
        try:
            answers = (
                None
                if self.encoded_answers is None
                else background.decoded_answers(self.encoded_answers)
            )
            trial = Steps(self._request(), answers)
        except UsageError as error:
            raise pytest.UsageError(str(error)) from None
        self._awaited = Awaited(trial, one_by_one=self.encoded_answers is not None)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """This process is the controller of pytest-xdist: it runs no test itself."""
        self.trial.close()
        node.workerinput["conformance"] = background.encoded_answers(self.trial.answers)

    def pytest_report_header(self) -> list[str]:
        if self._awaited is None:  # pytest --version and its like
            return []
        engines = []
        for label, answer in self.trial.answers.items():
            if label not in self.trial.absent:
                versions = (
                    answer.versions if isinstance(answer, Greeting) else {"does not start": ""}
                )
                names = [f"{name} {version}".strip() for name, version in versions.items()]
                engines.append(f"{label} ({', '.join(names)})")
        absent = f"; not installed: {', '.join(self.trial.absent)}" if self.trial.absent else ""
        return [text_of([f"conformance: {', '.join(engines)}{absent}"])]

    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> pytest.Collector | None:
        """YAML files: those given by name, and in folders those that have a key of a case file."""
        if file_path.suffix not in ENDINGS or file_path.name == DESIGN:
            return None
        argument = self._argument_of(file_path)
        folders = (*file_path.relative_to(argument.parent).parts[:-1], file_path.parent.name)
        if file_path in self.known or NAME in folders or is_beside(file_path, argument):
            return _Declared.from_parent(parent, path=file_path, suite=self)
        if not parent.session.isinitpath(file_path) and not _looks_like_cases(file_path):
            return None
        return _CaseFile.from_parent(
            parent, path=file_path, suite=self, root=corpus_root(file_path, argument)
        )

    def pytest_sessionfinish(self) -> None:
        if self._awaited is not None:
            self.trial.close()

    @property
    def awaited(self) -> Awaited:
        assert self._awaited is not None, "the session has begun"
        return self._awaited

    @property
    def trial(self) -> Steps:
        return self.awaited.trial

    def marks(self, names: Sequence[str]) -> Iterator[pytest.MarkDecorator]:
        """A mark each, known to `--strict-markers`."""
        for name in (text_of([name]) for name in names):
            if name in _MEANT_BY_PYTEST or name.startswith("_"):
                continue
            if name not in self._marks:
                self._marks.add(name)
                self.config.addinivalue_line(
                    "markers", f"{name}: an adapter, a device or a tag of conformance cases"
                )
            yield getattr(pytest.mark, name)

    def _request(self) -> Request:
        option = self.config.getoption
        pythons = option("--conformance-python") or []
        specs, texts_by_label = read_specs(option("--conformance-adapter") or [], pythons)
        return Request(
            selection=Selection(cases=(), loaded=(), roots=()),
            specs=specs,
            texts_by_label=texts_by_label,
            pythons=read_interpreters(pythons, list(texts_by_label)),
            known=[nearby(file) for file in self.known],
            device=option("--conformance-device"),
            jobs=os.cpu_count() or 1 if self.encoded_answers is None else 1,
            timeout=option("--conformance-timeout") or 60.0,
            threads=physical_cores(),
        )

    def _argument_of(self, file: Path) -> Path:
        """The argument of the command line that a file is or lies in."""
        arguments = [_absolute(argument.partition("::")[0]) for argument in self.config.args]
        return next(
            (path for path in arguments if file == path or path in file.parents), file.parent
        )


class _CaseFile(pytest.File):
    """A YAML file of cases: a test for every case, adapter, device and quantity."""

    def __init__(self, *, suite: Suite, root: Path, **node_arguments: Any) -> None:
        super().__init__(**node_arguments)
        self.suite, self.root = suite, root

    def collect(self) -> Iterator[pytest.Item]:
        try:
            cases = read_cases(nearby(self.path), self.root)
        except FileProblems as error:
            raise self.CollectError(text_of(error.lines)) from None
        taken = self.suite.awaited.add(cases, self.root)
        if taken:
            raise self.CollectError(text_of(taken))
        slow = self.config.getoption("--conformance-slow")
        chosen = [case for case in cases if slow or SLOW not in case.tags]
        for task in self.suite.trial.tasks(chosen):
            yield _Case.from_parent(self, name=self._name(task), suite=self.suite, task=task)

    def _name(self, task: Task) -> str:
        devices = self.suite.trial.devices[task.label]
        about = [
            task.label,
            *([task.device] if len(devices) > 1 else []),
            *([task.quantity] if task.quantity != "output" else []),
        ]
        return on_a_line(f"{task.case.name.removeprefix(self._prefix)}[{'-'.join(about)}]")

    @property
    def _prefix(self) -> str:
        return self.path.resolve().relative_to(self.root).with_suffix("").as_posix() + "/"

    def to_run_again(self) -> Path:
        """The path by which `conformance run` finds the same corpus."""
        return nearby(self.path if corpus_root(self.path, self.path) == self.root else self.root)


class _Case(pytest.Item):
    """One case on one adapter."""

    parent: _CaseFile

    def __init__(self, *, suite: Suite, task: Task, **node_arguments: Any) -> None:
        super().__init__(**node_arguments)
        self.suite, self.task = suite, task
        self.extra_keyword_matches.add(task.case.name)
        for mark in suite.marks((task.label, task.device, *task.case.tags)):
            self.add_marker(mark)

    def runtest(self) -> None:
        """Passes, or says as pytest does that it is known (strictly), that it is skipped, or that
        it fails.
        """
        verdict = self.suite.awaited.verdict(self.task, self._everything)
        self.user_properties += [
            ("case", verdict.case),
            ("adapter", verdict.adapter),
            ("status", verdict.status),
        ]
        if verdict.diagnosis is not None:
            self.user_properties.append(("diagnosis", verdict.diagnosis["name"]))
        if verdict.known is not None:
            note = verdict.known_unconfirmed
            unconfirmed = f" (unconfirmed {note['text']})" if note else ""
            pytest.xfail(text_of([verdict.known + unconfirmed]))
        if verdict.fails or verdict.unexpected:
            strict = "" if verdict.fails else "[XPASS(strict)] "
            line = {**self.suite.trial.line, "paths": [str(self.parent.to_run_again())]}
            pytest.fail(strict + messages.message(verdict, line), pytrace=False)
        if verdict.status != "conforms":
            pytest.skip(text_of([" ".join([f"{verdict.status}:", *explanation(verdict)])]))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The text of a failure: problems of a file, and known ones, without a traceback, which
        takes pytest long and explains nothing here.
        """
        if isinstance(excinfo.value, FileProblems):
            return text_of(excinfo.value.lines)
        if isinstance(excinfo.value, pytest.xfail.Exception):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.task.case.location.lines[""] - 1, self.name

    def _everything(self) -> list[Task]:
        return [item.task for item in self.session.items if isinstance(item, _Case)]


class _Declared(pytest.File):
    """A file of known failures: a test that each of its entries still matches a case."""

    def __init__(self, *, suite: Suite, **node_arguments: Any) -> None:
        super().__init__(**node_arguments)
        self.suite = suite

    def collect(self) -> Iterator[pytest.Item]:
        try:
            entries_of(read(nearby(self.path)), None)
        except FileProblems as error:
            raise self.CollectError(text_of(error.lines)) from None
        yield _Matches.from_parent(self, name="every-entry-matches-a-case", suite=self.suite)


class _Matches(pytest.Item):
    """Whether every entry of a file of known failures names a case of its corpus."""

    def __init__(self, *, suite: Suite, **node_arguments: Any) -> None:
        super().__init__(**node_arguments)
        self.suite = suite

    def runtest(self) -> None:
        self.suite.awaited.settle()
        lost = [
            one
            for one in self.suite.trial.lost
            if _absolute(one["entry"].rpartition(":")[0]) == self.path
        ]
        if lost:
            pytest.fail(text_of(f"{one['entry']}: {one['problem']}" for one in lost), pytrace=False)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, self.name


def _absolute(path: str | Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - as pytest writes paths: links stay as they are


def _looks_like_cases(file: Path) -> bool:
    """Whether a YAML file has a key of a case file at its left margin."""
    try:
        with file.open(encoding="utf-8") as stream:
            return any(line.startswith(("format:", "cases:")) for line in stream)
    except (OSError, UnicodeDecodeError):
        return False
