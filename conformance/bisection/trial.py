"""Trials: the verdict on one case in one environment, kept for the next question."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from conformance.cluster.home import suite_digest
from conformance.corpus.selection import Selection
from conformance.environments.installer import Environment, NotInstalled
from conformance.errors import UsageError
from conformance.record.case_line import corpus_digest
from conformance.record.record import Record
from conformance.run.observer import Silent
from conformance.run.request import Request
from conformance.run.runner import execute
from conformance.system.files import replace_file
from conformance.system.machine import physical_cores
from conformance.verdicts.facts import explanation
from conformance.verdicts.verdict import STATUSES, Verdict
from conformance.workers.specs import read_specs

Key = TypeVar("Key", contravariant=True)
"""What an environment is named by: a release, or a mix of two locks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The result of the case in one environment: status, kind of mismatch and diagnosis as in the
    record, the lines that explain it, and the versions that the engine reported.
    """

    status: str
    kind: str | None
    diagnosis: str | None
    lines: tuple[str, ...]
    versions: Mapping[str, str]

    @property
    def passes(self) -> bool:
        """Whether the gate passes, known failures aside."""
        return not STATUSES[self.status].fails

    @property
    def signature(self) -> tuple[str, str | None, str | None]:
        """The part of a trial that is equal for two releases that do the same."""
        return self.status, self.kind, self.diagnosis

    def is_good(self, standard: Trial) -> bool:
        """Whether this does what the good end does: where that passes, everything that passes; else
        what fails in the same way.
        """
        return self.passes if standard.passes else self.signature == standard.signature

    @property
    def facts(self) -> list[str]:
        """The lines below its status: why, and with which versions."""
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return [*(f"    {line}" for line in self.lines), f"    with {versions}"]

    def __str__(self) -> str:
        why = ", ".join(word for word in (self.kind, self.diagnosis) if word)
        return f"{self.status} ({why})" if why else self.status


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """What cannot be judged, and why."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """What came of one environment: whether it was known from before, and whether the environment
    was made for it.
    """

    outcome: Trial | Skipped
    cached: bool
    made: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One case on one adapter. `selection` has the one case."""

    adapter: str
    selection: Selection
    device: str | None = None
    timeout: float = 60.0


class Maker(Protocol[Key]):
    """Makes environments, and finds again what it made."""

    def name(self, key: Key) -> str:
        """A name that has a mark of all that is in the environment."""

    def has(self, key: Key) -> bool:
        """Whether it is there."""

    def of(self, key: Key) -> Environment:
        """The environment, made if it is not there. Raises NotInstalled."""

    def versions(self, key: Key) -> Mapping[str, str]:
        """By canonical name the versions that the engine must not contradict."""


class Trier(Generic[Key]):
    """Tries environments; trials are kept below `folder`, and what is kept is not tried again
    unless `fresh`. It can be pickled, so that another process may try.
    """

    def __init__(
        self, question: Question, maker: Maker[Key], folder: Path, *, fresh: bool = False
    ) -> None:
        self.question, self.maker, self.folder, self.fresh = question, maker, folder, fresh
        (spec,), _ = read_specs([question.adapter], [])
        if spec.adapter.startswith("cmd:"):
            raise UsageError(f"-a {question.adapter}: is a program, should be an adapter in Python")
        self.label = spec.label

    def __call__(self, key: Key) -> TrialResult:
        """The trial of the case in this environment. What cannot be judged is not kept: a network
        may be back the next time.
        """
        path = self.folder / f"{self._mark(key)}.json"
        if not self.fresh and (before := _read(path)) is not None:
            return TrialResult(outcome=before, cached=True, made=False)
        there = self.maker.has(key)
        try:
            environment = self.maker.of(key)
        except NotInstalled as problem:
            reason = f"cannot be installed: {problem}"
            made = not there and self.maker.has(key)
            return TrialResult(outcome=Skipped(reason=reason), cached=False, made=made)
        trial = self._try(environment.python, key)
        if isinstance(trial, Trial):
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, json.dumps(asdict(trial)))
        return TrialResult(outcome=trial, cached=False, made=not there)

    def ahead(self, keys: Sequence[Key]) -> None:
        """Be told what may be asked next, the likeliest first; here one is tried after another."""

    def _mark(self, key: Key) -> str:
        """Everything that a trial depends on."""
        question = self.question
        parts = (
            self.maker.name(key),
            corpus_digest(question.selection.cases, ()),
            question.adapter,
            question.device,
            question.timeout,
            suite_digest(),
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]

    def _try(self, python: str, key: Key) -> Trial | Skipped:
        question = self.question
        specs, texts_by_label = read_specs([question.adapter], [f"{self.label}={python}"])
        with tempfile.TemporaryDirectory() as folder:
            request = Request(
                selection=replace(question.selection, roots=()),  # known failures do not apply
                specs=specs,
                texts_by_label=texts_by_label,
                device=question.device,
                timeout=question.timeout,
                threads=physical_cores(),
                folder=Path(folder),
            )
            try:
                record = execute(request, Silent())
            except UsageError as problem:
                return Skipped(reason=str(problem))
        return self._read(record, self.maker.versions(key))

    def _read(self, record: Record, expected: Mapping[str, str]) -> Trial | Skipped:
        """The trial of a record; of several verdicts (a gradient's besides the output's) the first
        that fails.
        """
        verdict = next((one for one in record.verdicts if one.fails), record.verdicts[0])
        versions = record.run["versions"][self.label]
        if not versions:
            return Skipped(reason=f"does not start: {_first(verdict)}")
        for name, greeted in versions.items():
            wanted = expected.get(canonicalize_name(name))
            if wanted is not None and not _same(greeted, wanted):
                return Skipped(
                    reason=(
                        f"the engine has {name} {greeted}, so that something else on its path "
                        f"hides {wanted}"
                    )
                )
        return Trial(
            status=verdict.status,
            kind=verdict.kind,
            diagnosis=verdict.mistake,
            lines=tuple(explanation(verdict)),
            versions=dict(versions),
        )


def _read(path: Path) -> Trial | None:
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        return Trial(**{**fields, "lines": tuple(fields["lines"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None  # nothing kept, or by another version of this file


def _first(verdict: Verdict) -> str:
    lines = [line for line in (verdict.message or "").splitlines() if line.strip()]
    return lines[0].removeprefix("while starting ") if lines else verdict.status


def _same(greeted: str, version: str) -> bool:
    """Equal versions, whatever local part (as +cpu) the wheel has."""
    try:
        return Version(greeted).public == Version(version).public
    except InvalidVersion:
        return greeted == version
