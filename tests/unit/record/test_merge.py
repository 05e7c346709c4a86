"""Records that are united: shards are the whole again, and what differs, is missing or does not fit
is said.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers import command

from conformance.errors import RecordError
from conformance.record.merge import Merged, merge
from conformance.record.reader import read_record
from conformance.record.record import RECORD, Record
from conformance.verdicts.verdict import Verdict

TIMES = {"timing", "compiled"}
"""Keys of a verdict that are another in every run."""
CASE = "folder/file/one"


@pytest.fixture
def united() -> Callable[..., Merged]:
    """The records r0, r1, ... united."""
    return lambda *records: merge([Path(f"r{at}") for at in range(len(records))], records, [])


@pytest.fixture
def record(run_line: dict[str, Any], verdict: Callable[..., Verdict]) -> Callable[..., Record]:
    """A whole record of an engine on one case, its run line and its verdict otherwise as said."""

    def make(run: dict[str, Any] | None = None, **about: Any) -> Record:
        case = about.get("case", CASE)
        return Record(
            run=run_line | (run or {}),
            cases={case: {"case": case}},
            verdicts=(verdict(**about),),
            end={"counts": {}, "duration": 1.0, "problems": [], "unchecked": []},
        )

    return make


def shard(number: int, of: int, total: int, **cases: int) -> dict[str, Any]:
    """A run line's shard, whose cases are given by name and place."""
    return {"shard": {"number": number, "of": of, "total": total, "cases": cases}}


@pytest.mark.slow
def test_five_shards_are_the_whole(tmp_path: Path) -> None:
    """Cases of the quick subset on two adapters, run at once and in five parts: the same but for
    times, in the same order, and the gate and `diff` read it.
    """
    words = ["--subset", "quick", "-k", "invalid or textbook or conventions", "--jobs", 1]
    words += ["-a", "right=miniatures:Right", "-a", "wrong=miniatures:OffByOne", "--timing", "off"]
    whole = command("run", *words, "-o", "whole", cwd=tmp_path)
    names = [f"shard-{number}" for number in (4, 2, 5, 1, 3)]
    for name in names:
        part = command("run", *words, "--shard", f"{name[-1]}/5", "-o", name, cwd=tmp_path)
        assert part.returncode in (0, 1), part.stderr
    done = command("merge", *names, "-o", "merged", cwd=tmp_path)
    assert done.returncode == whole.returncode == 1
    one, other = (read_record(tmp_path / name) for name in ("whole", "merged"))
    assert len(one.cases) > 20
    assert list(one.cases.items()) == list(other.cases.items())
    assert list(map(timeless, one.verdicts)) == list(map(timeless, other.verdicts))
    others = {"duration", "sha256"}
    ends = [{key: end[key] for key in end.keys() - others} for end in (one.end, other.end)]
    assert ends[0] == ends[1]
    differing = {key for key in one.run if one.run[key] != other.run[key]}
    assert differing <= {"started", "command", "merged"}
    assert {entry["shard"] for entry in other.run["merged"]} == {f"{i}/5" for i in range(1, 6)}
    assert (tmp_path / "merged" / "index.html").exists()
    same = command("diff", "whole", "merged", cwd=tmp_path)
    assert same.returncode == 0
    assert "0 changed otherwise" in same.stdout


def timeless(verdict: Verdict) -> dict[str, Any]:
    """All of a verdict but its times, as JSON has it."""
    keys = set(verdict.__dataclass_fields__) - TIMES
    return json.loads(json.dumps({key: getattr(verdict, key) for key in keys}))


@pytest.mark.slow
def test_what_is_missing_is_said_and_resumed(tmp_path: Path) -> None:
    """Without a shard the record is one that was cut, which a run of the whole goes on with."""
    words = ["textbook/cs231n/*", "-a", "mine=miniatures:Right", "--jobs", 1, "--timing", "off"]
    for number in (1, 3):
        command("run", *words, "--shard", f"{number}/3", "-o", f"{number}", cwd=tmp_path)
    done = command("merge", "1", "3", "-o", "merged", cwd=tmp_path)
    assert done.returncode == 1
    assert "mine (cpu): shards 2/3 are missing, 2 of 7 cases" in done.stdout
    assert read_record(tmp_path / "merged").end is None
    assert command("merge", "merged", "1", "-o", "more", cwd=tmp_path).returncode == 2
    before = (tmp_path / "merged" / RECORD).read_bytes()
    again = command("run", *words, "-o", "merged", "--resume", cwd=tmp_path)
    assert again.returncode == 0, again.stdout + again.stderr
    assert (tmp_path / "merged" / RECORD).read_bytes().startswith(before)
    assert len(read_record(tmp_path / "merged").verdicts) == 7


@pytest.mark.slow
def test_what_was_never_checked_is_said_by_the_whole(tmp_path: Path) -> None:
    """Of an adapter that refuses all no shard says so, and the merged record does; and no record is
    written over one that is read.
    """
    words = ["textbook/cs231n/*", "-a", "mine=miniatures:RaisesUnsupported"]
    words += ["-a", "miniatures:Right", "--timing", "off", "--jobs", 1]
    for number in (1, 2):
        part = command("run", *words, "--shard", f"{number}/2", "-o", f"{number}", cwd=tmp_path)
        assert part.returncode == 0
    done = command("merge", "1", "2", "-o", "merged", cwd=tmp_path)
    assert done.returncode == 1
    assert "mine: nothing was checked: " in done.stdout
    into_itself = command("merge", "1", "2", "-o", "1", cwd=tmp_path)
    assert into_itself.returncode == 2
    assert "is a record that is read, should be another folder" in into_itself.stderr


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("corpus", "f" * 64, "corpus"),
        ("precision", "default", "precision"),
        ("repeat", 9, "number"),
    ],
)
def test_what_does_not_belong_together_is_refused(
    record: Any, united: Any, key: str, value: Any, said: str
) -> None:
    """Another corpus, or other settings."""
    with pytest.raises(RecordError, match=f"r1: has another {said}"):
        united(record(), record({key: value}))


def test_a_record_that_was_cut_is_refused(record: Any, united: Any) -> None:
    """It lacks what nobody can name."""
    with pytest.raises(RecordError, match="the run was cut after 1 check,"):
        united(record(), replace(record(), end=None))


def test_what_is_told_twice_is_kept_once_or_shown(record: Any, united: Any) -> None:
    """By status, kind, exactness and error; times do not matter."""
    same = united(record(error_over_bound=0.5), record(error_over_bound=0.5))
    assert (len(same.verdicts), same.conflicts) == (1, [])
    other = united(record(error_over_bound=0.5), record(error_over_bound=0.25))
    [((one_file, one), (other_file, another))] = other.conflicts
    assert (one_file, one.error_over_bound) == (Path("r0"), 0.5)
    assert (other_file, another.error_over_bound) == (Path("r1"), 0.25)


def test_releases_and_kinds_of_machines_are_columns(record: Any, united: Any) -> None:
    """The label says what differs, and no more."""
    releases = united(
        record({"versions": {"engine": {"engine": "1.0", "other": "3"}}}),
        record({"versions": {"engine": {"engine": "2.0", "other": "3"}}}),
    )
    assert [one["label"] for one in releases.run["adapters"]] == ["engine@1.0", "engine@2.0"]
    assert {verdict.adapter for verdict in releases.verdicts} == {"engine@1.0", "engine@2.0"}
    assert releases.end["counts"].keys() == {"engine@1.0", "engine@2.0"}
    machines = united(record(), record({"machine": "aarch64"}))
    assert machines.run["adapters"][1]["label"] == "engine@aarch64"


def test_processors_are_columns_only_where_they_tell_the_same(record: Any, united: Any) -> None:
    """Shards of two runners are one column; two runs of the whole are two."""
    epyc, xeon = ({"cpu": {"model": name, "flags": [name, "fma"]}} for name in ("Epyc", "Xeon"))
    parts = united(
        record(epyc | shard(1, 2, 2, one=1), case="one"),
        record(xeon | shard(2, 2, 2, two=0), case="two"),
    )
    assert [one["label"] for one in parts.run["adapters"]] == ["engine"]
    assert [verdict.case for verdict in parts.verdicts] == ["two", "one"]
    assert parts.run["cpu"] == {"model": "Epyc + Xeon", "flags": ["fma"]}
    assert [(one["shard"], one["cpu"]) for one in parts.run["merged"]] == [
        ("1/2", "Epyc"), ("2/2", "Xeon"),
    ]  # fmt: skip
    wholes = united(record(epyc), record(xeon))
    assert [one["label"] for one in wholes.run["adapters"]] == ["engine@Epyc", "engine@Xeon"]


@pytest.mark.parametrize("first", ["silent", "greeted"])
def test_an_engine_that_did_not_start_in_a_shard_is_the_same_column(
    record: Any, united: Any, first: str
) -> None:
    """It has told no release there, whatever the order; of two releases it is neither."""
    silent = record(
        shard(1, 2, 2, one=0) | {"versions": {"engine": {}}, "facts": {"engine": {}}},
        case="one",
        status="crashed",
    )
    greeted = record(shard(2, 2, 2, two=1) | {"facts": {"engine": {"isa": "avx2"}}}, case="two")
    parts = united(*([silent, greeted] if first == "silent" else [greeted, silent]))
    assert [one["label"] for one in parts.run["adapters"]] == ["engine"]
    assert parts.run["versions"] == {"engine": {"engine": "1.0"}}
    assert parts.run["facts"] == {"engine": {"isa": "avx2"}}
    assert [(one.case, one.status) for one in parts.verdicts] == [
        ("one", "crashed"), ("two", "differs"),
    ]  # fmt: skip
    assert parts.end is not None
    other = record(shard(2, 2, 2, two=1) | {"versions": {"engine": {"engine": "2.0"}}}, case="two")
    apart = united(silent, greeted, other)
    assert len(apart.run["adapters"]) == 3


def test_a_shard_that_is_missing_is_named(record: Any, united: Any) -> None:
    """By its column, and there is no end."""
    parts = united(
        record(shard(1, 3, 3, one=1), case="one"), record(shard(3, 3, 3, two=0), case="two")
    )
    assert parts.missing == ["engine (cpu): shards 2/3 are missing, 1 of 3 cases"]
    assert parts.end is None


@pytest.mark.slow
def test_a_contradiction_is_shown_and_nothing_is_written(tmp_path: Path) -> None:
    """The same engine in the same release on the same machine answers otherwise: exit 1, and both
    answers with the record that has them.
    """
    words = ["textbook/cs231n/full-output", "-a", "mine=mine:Mine", "--timing", "off"]
    for name in ("Right", "OffByOne"):
        (tmp_path / "mine.py").write_text(f"from miniatures import {name} as Mine\n")
        command("run", *words, "-o", name, cwd=tmp_path)
    done = command("merge", "Right", "OffByOne", "-o", "merged", cwd=tmp_path)
    assert done.returncode == 1
    told = done.stdout.splitlines()
    assert told[0].startswith("mine (cpu), textbook/cs231n/full-output, output: recorded twice")
    assert "conforms" in told[1]
    assert told[1].endswith("in Right")
    assert "differs, values" in told[2]
    assert told[2].endswith("in OffByOne")
    assert told[3] == "Nothing is written: 1 check is recorded twice and not alike."
    assert not (tmp_path / "merged").exists()
