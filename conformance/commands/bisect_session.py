"""One search between two locks, told as it goes: the ends, mixes, then releases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from conformance.bisection.makers import Mixes
from conformance.bisection.search import boundary
from conformance.bisection.subsets import Changes, Group, Isolated, Search, Space
from conformance.bisection.trial import Skipped, Trial, TrialResult, Trier
from conformance.bisection.upgrade import Mix, Upgrade
from conformance.environments.index import IndexProblem, Release, releases
from conformance.errors import UsageError
from conformance.printing import say
from conformance.wording import counted

MOST_NAMED = 4
NOTHING: Changes = frozenset()


class Session:
    """One search; `names` are those of the good and the bad lock."""

    def __init__(self, trier: Trier[Mix], upgrade: Upgrade, names: tuple[str, str]) -> None:
        self.trier, self.upgrade, self.names = trier, upgrade, names
        self.everything = frozenset(upgrade.differing)
        self.results: dict[Mix, TrialResult] = {}
        self.reported: set[Mix] = set()

    def go(self, maker: Mixes, most: int) -> None:
        """Try both ends, then mixes, then releases, and print what was found. Raises UsageError if
        the ends cannot be told apart.
        """
        self.trier.ahead([Mix(moved=moved) for moved in (NOTHING, self.everything)])
        self.good, self.bad = self._end(NOTHING, 0), self._end(self.everything, 1)
        if self.bad.is_good(self.good):
            raise UsageError(
                f"--bad-lock {self.names[1]}: {self.bad} as --good-lock {self.names[0]}, should "
                "do something else"
            )
        say(f"  {self.names[0]}: good: {self.good}", f"  {self.names[1]}: bad: {self.bad}")
        ends = [maker.of(Mix(moved=moved)).requires for moved in (NOTHING, self.everything)]
        likely = {
            str(canonicalize_name(name)) for name in {**self.good.versions, **self.bad.versions}
        }
        space = Space(self.everything, self.upgrade.couplings(*ends), likely)
        together = [group for group in space.groups(self.everything) if len(group) > 1]
        for group in together:
            say(f"  {', '.join(sorted(group))}: require each other, and move together", flush=True)
        search = Search(space, most=most)
        isolated = self._isolate(search)
        boundaries = [self._releases(group, isolated) for group in isolated.groups]
        self._tell(isolated, space)
        say(*(line for lines in boundaries for line in lines))
        for mix, one in self.results.items():
            if isinstance(one.outcome, Skipped):
                say(f"left out: {self._name(mix)}: {one.outcome.reason}")
        say("", f"{self.names[0]}: {self.good.status}", *self.good.facts)
        say(f"{self.names[1]}: {self.bad.status}", *self.bad.facts)

    def counts_text(self) -> str:
        """How many environments were tried: made, kept from before, or not to be made."""
        results = list(self.results.values())
        made = sum(one.made for one in results)
        failed = sum(isinstance(one.outcome, Skipped) and not one.made for one in results)
        cached = len(results) - made - failed
        return ", ".join(
            [
                f"{counted(len(results), 'environment')}: {made} made",
                *([f"{cached} kept from before"] if cached else []),
                *([f"{failed} left out"] if failed else []),
            ]
        )

    def _end(self, moved: Changes, side: int) -> Trial:
        outcome = self._try(Mix(moved=moved)).outcome
        if isinstance(outcome, Skipped):
            option = ("--good-lock", "--bad-lock")[side]
            raise UsageError(
                f"{option} {self.names[side]}: cannot be judged, should be a lock that can: "
                f"{outcome.reason}"
            )
        return outcome

    def _try(self, mix: Mix) -> TrialResult:
        if mix not in self.results:
            self.results[mix] = self.trier(mix)
        return self.results[mix]

    def _isolate(self, search: Search) -> Isolated:
        steps = search.steps()
        mixes = next(steps)
        try:
            while True:
                self.trier.ahead([Mix(moved=moved) for moved in mixes])
                mixes = steps.send({mix: self._is_bad(mix) for mix in mixes})
        except StopIteration as done:
            isolated: Isolated = done.value
            return isolated

    def _is_bad(self, moved: Changes) -> bool | None:
        """Whether a mix does what the bad end does; None for what does neither."""
        mix = Mix(moved=moved)
        result = self._try(mix)
        outcome = result.outcome
        if isinstance(outcome, Trial) and not outcome.is_good(self.good):
            if outcome.signature == self.bad.signature:
                self._say(mix, f"bad: {outcome}")
                return True
            reason = f"neither as good nor as bad: {outcome}"
            self.results[mix] = TrialResult(
                outcome=Skipped(reason=reason), cached=result.cached, made=result.made
            )
        self._say(mix, f"good: {outcome}" if isinstance(outcome, Trial) else "left out")
        return False if isinstance(outcome, Trial) and outcome.is_good(self.good) else None

    def _releases(self, group: Group, isolated: Isolated) -> list[str]:
        """The release of each package of a group where the answer changes, all else as it was in
        the smallest bad mix; packages that go in step are one.
        """
        lines = []
        steps: dict[tuple[str, str], list[str]] = {}
        for name in sorted(group.changes):
            good, bad = self.upgrade.good.get(name), self.upgrade.bad.get(name)
            if good and bad and good.version and bad.version and good.version != bad.version:
                steps.setdefault((good.version, bad.version), []).append(name)
        for (good_version, bad_version), names in steps.items():
            lines += self._boundary(names, good_version, bad_version, isolated.moved)
        return lines

    def _boundary(
        self, names: Sequence[str], good_version: str, bad_version: str, moved: Changes
    ) -> list[str]:
        try:
            between = _between(names[0], good_version, bad_version)
        except IndexProblem as problem:
            return [f"releases of {names[0]}: {str(problem).removeprefix('--package ')}"]
        if len(between) == 2:
            return []  # the step says it
        older_is_good = Version(good_version) < Version(bad_version)
        end = Mix(moved=moved - frozenset(names))
        if not self._is_within_good(end.moved) and self._answer(end) is False:
            return [f"releases of {', '.join(names)}: not searched, {self._name(end)} is bad too"]

        def as_first(index: int) -> bool | None:
            releases = dict.fromkeys(names, between[index].version)
            # what does not go with its companions of the bad lock may go with those of the good one
            mixes = [Mix(moved=one).at(releases) for one in (moved, frozenset(names))]
            answers = (self._answer(mix) for mix in mixes[: 1 + (moved != frozenset(names))])
            answer = next((one for one in answers if one is not None), None)
            return None if answer is None else answer == older_is_good

        change = boundary(len(between), as_first)
        before, after = ("good", "bad") if older_is_good else ("bad", "good")
        name = ", ".join(names)
        lines = [
            f"last {before} release of {name}: {between[change.before]}",
            f"first {after} release of {name}: {between[change.after]}",
        ]
        if change.unjudged:
            left = ", ".join(between[index].version for index in change.unjudged)
            lines.append(f"between them and not judged: {left}")
        return lines

    def _is_within_good(self, moved: Changes) -> bool:
        """Whether a good mix, as the good lock, has all of these packages of the bad one."""
        return any(
            moved <= mix.moved
            for mix, one in self.results.items()
            if not mix.releases
            and isinstance(one.outcome, Trial)
            and one.outcome.is_good(self.good)
        )

    def _answer(self, mix: Mix) -> bool | None:
        """Whether a mix is good; all else is bad, None where it cannot be judged."""
        outcome = self._try(mix).outcome
        if isinstance(outcome, Skipped):
            self._say(mix, "left out")
            return None
        good = outcome.is_good(self.good)
        self._say(mix, f"{'good' if good else 'bad'}: {outcome}")
        return good

    def _tell(self, isolated: Isolated, space: Space) -> None:
        partly = "what is left, of which less may do"
        say("", f"{'what makes the difference' if isolated.complete else partly}:")
        for number, group in enumerate(isolated.groups):
            steps = self._steps(group.changes)
            why = "without it good" if group.needed else "without it not judged"
            say(f"  and {steps} ({why})" if number else f"  {steps}")
            if len(group.changes) > 1:
                mutual = len(space.groups(group.changes)) == 1
                say(f"    which {'require each other' if mutual else 'could not be told apart'}")
        apart = isolated.moved.difference(*(group.changes for group in isolated.groups))
        required, learned = apart - space.learned, apart & space.learned
        if required:
            say(f"  moved with it, since metadata requires it: {self._steps(required)}")
        if learned:
            say(f"  moved with it, else it cannot be judged: {self._steps(learned)}")

    def _steps(self, names: Iterable[str]) -> str:
        return ", ".join(self.upgrade.step(name) for name in sorted(names))

    def _say(self, mix: Mix, what: str) -> None:
        if mix not in self.reported:
            self.reported.add(mix)
            say(f"  {self._name(mix)}: {what}", flush=True)

    def _name(self, mix: Mix) -> str:
        if mix.releases:
            releases = ", ".join(f"{name} {version}" for name, version in mix.releases)
            others = mix.moved.difference(name for name, _ in mix.releases)
            return f"{releases} and {_few(others)} from {self.names[1]}" if others else releases
        if not mix.moved:
            return self.names[0]
        most = f"{len(mix.moved)} of {len(self.everything)} from {self.names[1]}"
        if len(mix.moved) <= len(self.everything) / 2:
            return f"{most} ({_few(mix.moved)})"
        return f"{most} (all but {_few(self.everything - mix.moved)})"


def _few(names: Iterable[str]) -> str:
    listed = sorted(names)
    shown = ", ".join(listed[:MOST_NAMED])
    return shown if len(listed) <= MOST_NAMED else f"{shown} and {len(listed) - MOST_NAMED} more"


def _between(name: str, one: str, other: str) -> list[Release]:
    """The releases from one version to another, oldest first, both ends among them whatever the
    index has. Raises IndexProblem.
    """
    try:
        low, high = sorted((Version(one), Version(other)))
    except InvalidVersion as error:
        raise IndexProblem(str(error)) from None
    known = {Version(release.version): release for release in releases(name)}
    inner = [
        release
        for version, release in known.items()
        if low.public != version.public != high.public and low < version < high
    ]
    ends = [known.get(version, Release(version=str(version))) for version in (low, high)]
    return [ends[0], *inner, ends[1]]
