"""`conformance bisect --good-lock`: which package of an upgrade changed what a case comes to, and
which of its releases.
"""

from __future__ import annotations

import time
from pathlib import Path

from conformance.bisection.distributed import trier_at
from conformance.bisection.makers import Mixes
from conformance.bisection.trial import Trier
from conformance.bisection.upgrade import Upgrade
from conformance.commands.bisect_options import Options
from conformance.commands.bisect_session import Session
from conformance.commands.run import ended_by_signals
from conformance.environments.complete import SUITE, CompleteEnvironments
from conformance.environments.locks import read_lock
from conformance.errors import UsageError
from conformance.printing import say
from conformance.system import cache
from conformance.wording import counted, duration

MOST_MIXES = 40


def run(options: Options, good: Path, bad: Path) -> None:
    """Search, and tell what was found; what cannot be searched is a UsageError."""
    began = time.monotonic()
    question = options.question()
    locks = (read_lock(good), read_lock(bad))
    for lock in locks:
        lock.pins.pop(SUITE, None)
        for sentence in lock.left_out:
            say(f"not looked at: {sentence}")
    upgrade = Upgrade(good=locks[0].pins, bad=locks[1].pins)
    count = len(upgrade.differing)
    if not count:
        raise UsageError(f"--bad-lock {bad}: has the packages of --good-lock {good}, should differ")
    folder = cache.folder() / "bisect"
    maker = Mixes(
        upgrade=upgrade,
        environments=CompleteEnvironments(
            folder=folder / "environments", also=tuple(options.requirements())
        ),
    )
    trier = Trier(question, maker, folder / "trials", fresh=options.fresh)
    alone = len(upgrade.good.keys() ^ upgrade.bad.keys())
    say(
        (
            f"{options.adapter} in {question.selection.cases[0].name}: {count} of "
            f"{counted(len(upgrade.good.keys() | upgrade.bad.keys()), 'package')} differ between "
            f"{good} and {bad}" + (f", {alone} of them in one alone" if alone else "")
        ),
        flush=True,
    )
    paths = (str(good), str(bad))
    names = (good.name, bad.name) if good.name != bad.name else paths
    with ended_by_signals(), trier_at(trier, options.dask, options.needs) as at:
        session = Session(at, upgrade, names)
        session.go(maker, options.mixes or MOST_MIXES)
    say("", f"{session.counts_text()}; {duration(time.monotonic() - began)}")
