"""The command line of `conformance bisect`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from conformance.bisection.trial import Question
from conformance.corpus.selection import Selection, select
from conformance.errors import SelectionError, UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Releases of a package, or two locks: a package, a good and a bad release, or a good and a bad
    lock.
    """

    adapter: str
    case: str
    package: str | None = None
    good: str | None = None
    bad: str | None = None
    good_lock: Path | None = None
    bad_lock: Path | None = None
    mixes: int | None = None
    paths: list[str] = field(default_factory=list)
    also: list[str] = field(default_factory=list)
    device: str | None = None
    timeout: float
    fresh: bool
    dask: str | None = None
    needs: list[str] = field(default_factory=list)

    def locks(self) -> tuple[Path, Path] | None:
        """The two locks, None for releases of a package. Raises UsageError for what is neither."""
        releases = {"--package": self.package, "--good": self.good, "--bad": self.bad}
        locks = {"--good-lock": self.good_lock, "--bad-lock": self.bad_lock}
        named = [name for name, value in locks.items() if value is not None]
        if not named:
            _check_whole(releases, "--good-lock and --bad-lock")
            if self.mixes is not None:
                raise UsageError("--mixes: is of two locks, and there is no --good-lock")
            return None
        if both := [name for name, value in releases.items() if value is not None]:
            raise UsageError(
                f"{both[0]}: is of releases, and {named[0]} of locks, should be one or the other"
            )
        _check_whole(locks, "--package, --good and --bad")
        assert self.good_lock is not None
        assert self.bad_lock is not None
        return self.good_lock, self.bad_lock

    def question(self) -> Question:
        """What is asked of every environment. Raises SelectionError."""
        return Question(
            adapter=self.adapter,
            selection=_one(self.case, self.paths),
            device=self.device,
            timeout=self.timeout,
        )

    def requirements(self) -> list[str]:
        """What every environment has besides. Raises UsageError."""
        return [_requirement(text) for text in self.also]


def _check_whole(options: Mapping[str, object], others: str) -> None:
    missing = [name for name, value in options.items() if value is None]
    if missing:
        words = list(options)
        raise UsageError(
            f"{' and '.join(missing)}: missing, should be {', '.join(words[:-1])} and {words[-1]}, "
            f"or {others}"
        )


def _one(name: str, paths: Sequence[str]) -> Selection:
    """The selection of one case. Raises SelectionError."""
    selection = select([*paths, name], slow=True)
    if len(selection.cases) > 1:
        raise SelectionError(f"--case {name}: names {len(selection.cases)} cases, should name one")
    return selection


def _requirement(text: str) -> str:
    try:
        return str(Requirement(text))
    except InvalidRequirement:
        raise UsageError(f"--with {text}: should be a requirement, as in numpy<2.3") from None
