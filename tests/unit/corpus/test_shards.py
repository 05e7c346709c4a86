"""Shards: every case is in one of them, the same whatever the order, and none has much more work
than another.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from helpers import CUT, GAPS, command, corpus

from conformance.corpus.case import Case
from conformance.corpus.selection import select
from conformance.corpus.shards import Shard, cost, numbers
from conformance.errors import UsageError
from conformance.record.reader import read_record


@pytest.fixture(scope="module")
def shipped() -> tuple[Case, ...]:
    """All shipped cases but the slow ones."""
    return select().cases


def test_every_case_is_in_one_shard(shipped: tuple[Case, ...]) -> None:
    """Together they are the whole, and each keeps its order."""
    shards = [Shard(number=number, of=5).takes(shipped) for number in range(1, 6)]
    names = [[case.name for case in shard] for shard in shards]
    order = [case.name for case in shipped]
    assert sorted(name for shard in names for name in shard) == sorted(order)
    assert all(sorted(shard, key=order.index) == shard for shard in names)


def test_order_does_not_matter(shipped: tuple[Case, ...]) -> None:
    """Of shuffled cases each is in the same shard."""
    shuffled = list(shipped)
    random.Random(1).shuffle(shuffled)
    assert numbers(shuffled, 5) == numbers(shipped, 5)


@pytest.mark.parametrize("of", [2, 5, 16])
def test_no_shard_has_much_more_work(shipped: tuple[Case, ...], of: int) -> None:
    """None is dearer than a fair share, unless by a single case that cannot be parted."""
    shards = [Shard(number=number, of=of).takes(shipped) for number in range(1, of + 1)]
    costs = [sum(map(cost, shard)) for shard in shards]
    assert max(costs) <= max(1.01 * sum(costs) / of, max(map(cost, shipped)))


def test_the_run_line_says_which_cases_and_where(shipped: tuple[Case, ...]) -> None:
    """By name, the place of each in the whole selection."""
    line = Shard(number=2, of=5).line(shipped)
    assert (line["number"], line["of"], line["total"]) == (2, 5, len(shipped))
    assert all(shipped[place].name == name for name, place in line["cases"].items())
    assert set(line["cases"]) == {case.name for case in Shard(number=2, of=5).takes(shipped)}


@pytest.mark.parametrize("text", ["0/5", "6/5", "1", "a/b", "-1/5", "1/5/7", "", "1/0"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    """In one sentence that says what would be one."""
    with pytest.raises(UsageError, match="should be I/N, with I from 1 to N"):
        Shard.read("--shard", text)


@pytest.mark.slow
def test_an_empty_shard_is_an_empty_record_and_exit_0(tmp_path: Path) -> None:
    """Of two cases in three shards one has none: it says so, and its record can be merged."""
    root = corpus(tmp_path, CUT, GAPS)
    codes, sizes = [], []
    for number in (1, 2, 3):
        words = ["--shard", f"{number}/3", "-a", "mine=miniatures:Right", "--jobs", 1]
        done = command("run", root, *words, "-o", f"{number}", cwd=tmp_path)
        codes.append(done.returncode)
        sizes.append(len(read_record(tmp_path / str(number)).verdicts))
    assert codes == [0, 0, 0]
    assert sizes == [1, 1, 0]
    assert "Shard 3/3 has none of the 2 selected cases: there was nothing to run." in done.stdout


@pytest.mark.slow
def test_an_entry_is_held_against_the_whole(tmp_path: Path) -> None:
    """One for a case of another shard is not lost; one that matches nothing is, in each."""
    root = corpus(tmp_path, CUT, GAPS)
    for cases, code in (("tiny/gaps", 0), ("gone", 1)):
        entry = f"- adapter: other\n  cases: [{cases}]\n  versions: {{}}\n  status: differs\n"
        (tmp_path / "known.yaml").write_text(f"{entry}  reason: It is.\n  source: made up\n")
        for number in (1, 2):
            words = ["--shard", f"{number}/2", "-a", "mine=miniatures:Right", "--jobs", 1]
            done = command("run", root, *words, "--known", "known.yaml", "-o", "o", cwd=tmp_path)
            assert done.returncode == code, done.stdout + done.stderr


@pytest.mark.slow
def test_nothing_checked_on_an_adapter_is_for_the_whole_to_say(tmp_path: Path) -> None:
    """A shard of an engine that refuses all passes, though the whole does not; and another shard
    does not go on with its record.
    """
    root = corpus(tmp_path, CUT, GAPS)
    words = [root, "-a", "mine=miniatures:RaisesUnsupported", "-a", "miniatures:Right", "-o", "o"]
    assert command("run", *words, cwd=tmp_path).returncode == 1
    assert command("run", *words, "--shard", "1/2", cwd=tmp_path).returncode == 0
    again = command("run", *words, "--shard", "2/2", "--resume", cwd=tmp_path)
    assert again.returncode == 2
    assert "was begun with other shard" in again.stderr
