"""`conformance bisect --package`: which release of a package changed what a case comes to."""

from __future__ import annotations

import time
from collections.abc import Sequence

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from conformance.bisection.distributed import trier_at
from conformance.bisection.makers import Releases
from conformance.bisection.search import boundary
from conformance.bisection.trial import Skipped, Trial, Trier
from conformance.commands.bisect_options import Options
from conformance.commands.run import ended_by_signals
from conformance.environments.index import IndexProblem, Release, releases
from conformance.environments.overlay import Environments
from conformance.errors import UsageError
from conformance.printing import say
from conformance.system import cache
from conformance.wording import counted

MOST_NEAR = 6


def run(options: Options) -> None:
    """Search, and tell the boundary; what cannot be searched is a UsageError."""
    began = time.monotonic()
    package = _name(str(options.package))
    question = options.question()
    folder = cache.folder() / "bisect"
    environments = Environments(folder / "environments", also=options.requirements())
    maker = Releases(package=package, environments=environments)
    trier = Trier(question, maker, folder / "trials", fresh=options.fresh)
    try:
        known = releases(Requirement(package).name)
    except IndexProblem as problem:
        raise UsageError(str(problem)) from None
    ends = {"good": _index_of(known, "good", options), "bad": _index_of(known, "bad", options)}
    if ends["good"] == ends["bad"]:
        raise UsageError(f"--bad {options.bad}: is --good too, should be another release")
    between = known[min(ends.values()) : max(ends.values()) + 1]
    say(
        (
            f"{package} for {question.adapter} in {question.selection.cases[0].name}: "
            f"{counted(len(between), 'release')}"
        ),
        flush=True,
    )
    with ended_by_signals(), trier_at(trier, options.dask, options.needs) as at:
        search = Search(at, between, good_is_older=ends["good"] < ends["bad"])
        search.go()
    cached = f", {search.cached} of them kept from before" if search.cached else ""
    say(f"{counted(len(search.trials), 'release')} tried{cached}, {time.monotonic() - began:.1f} s")


class Search:
    """One search: what is good is what the good end does, and everything else is bad."""

    def __init__(
        self, trier: Trier[str], between: Sequence[Release], *, good_is_older: bool
    ) -> None:
        self.trier, self.between, self.good_is_older = trier, between, good_is_older
        self.trials: dict[int, Trial | Skipped] = {}
        self.cached = 0

    def go(self) -> None:
        """Try both ends, then what is between, and print the boundary. Raises UsageError if the
        ends cannot be told apart.
        """
        last = len(self.between) - 1
        good, bad = (0, last) if self.good_is_older else (last, 0)
        self.trier.ahead([self.between[index].version for index in (good, bad)])
        self.standard = self._end(good, "good")
        other = self._end(bad, "bad")
        if other.is_good(self.standard):
            raise UsageError(
                f"--bad {self.between[bad].version}: {other} as --good "
                f"{self.between[good].version}, should do something else"
            )
        self._say(good)
        self._say(bad)
        change = boundary(len(self.between), self._as_first, self._ahead)
        names = ("last good", "first bad") if self.good_is_older else ("last bad", "first good")
        say(
            "",
            f"{names[0]}:  {self.between[change.before]}",
            f"{names[1]}: {self.between[change.after]}",
        )
        if change.unjudged:
            say(
                "between them and not judged: "
                f"{', '.join(self.between[index].version for index in change.unjudged)}"
            )
        for index, trial in sorted(self.trials.items()):
            if isinstance(trial, Skipped):
                say(f"left out: {self.between[index].version}: {trial.reason}")
        self._explain(change.after if self.good_is_older else change.before)

    def _end(self, index: int, option: str) -> Trial:
        trial = self._trial(index)
        if isinstance(trial, Skipped):
            raise UsageError(
                f"--{option} {self.between[index].version}: cannot be judged, should be a release "
                f"that can: {trial.reason}"
            )
        return trial

    def _trial(self, index: int) -> Trial | Skipped:
        result = self.trier(self.between[index].version)
        self.cached += result.cached
        self.trials[index] = result.outcome
        return self.trials[index]

    def _ahead(self, indices: Sequence[int]) -> None:
        self.trier.ahead([self.between[index].version for index in indices])

    def _as_first(self, index: int) -> bool | None:
        trial = self._trial(index)
        self._say(index)
        return (
            None
            if isinstance(trial, Skipped)
            else trial.is_good(self.standard) == self.good_is_older
        )

    def _say(self, index: int) -> None:
        trial = self.trials[index]
        if isinstance(trial, Skipped):
            say(f"  {self.between[index]}: left out", flush=True)
        else:
            which = "good" if trial.is_good(self.standard) else "bad"
            say(f"  {self.between[index]}: {which}: {trial}", flush=True)

    def _explain(self, index: int) -> None:
        trial = self.trials[index]
        assert isinstance(trial, Trial)
        say("", f"{self.between[index].version}: {trial.status}", *trial.facts)


def _name(text: str) -> str:
    """A distribution's name, with the extras that were given. Raises UsageError for what pip would
    take for an option, a path or a requirement of certain releases.
    """
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        requirement = None
    if requirement is None or requirement.specifier or requirement.url or requirement.marker:
        raise UsageError(
            f"--package {text}: should be the name of a distribution, without a version"
        )
    return str(requirement)


def _index_of(known: Sequence[Release], option: str, options: Options) -> int:
    """Where a release stands in the list. Raises UsageError."""
    text = str(options.good if option == "good" else options.bad)
    versions = [Version(release.version) for release in known]
    try:
        version = Version(text)
    except InvalidVersion:
        raise UsageError(
            f"--{option} {text}: is not a version, should be one as in 1.2.3"
        ) from None
    for index, other in enumerate(versions):
        if other == version or other.public == str(version):
            return index
    near = sorted(
        range(len(known)), key=lambda index: abs(index - sum(other < version for other in versions))
    )[:MOST_NEAR]
    listed = ", ".join(known[index].version for index in sorted(near))
    raise UsageError(
        f"--{option} {text}: is not a release of {options.package} that this interpreter can "
        f"install, should be one as {listed}"
    )
