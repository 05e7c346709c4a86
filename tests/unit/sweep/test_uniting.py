"""Parts of a sweep united: the failures of the whole, byte for byte, and what is no part of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers import command, miniature

from conformance.corpus.files import shipped_cases
from conformance.corpus.shards import Shard
from conformance.errors import ConformanceError, RecordError
from conformance.sweep import Request, Wish, sweep
from conformance.sweep.failures import FILE, finish, read, settled
from conformance.sweep.uniting import unite

pytestmark = pytest.mark.slow

COUNT = 30


def made(folder: Path, name: str = "BiasDropped", shard: str | None = None, **changes: Any) -> Path:
    """A sweep of an engine that fails in several ways, written; its failures.json."""
    folder.mkdir(parents=True)
    wish = Wish(ranks=(1,), dtypes=("float32", "float16"), gradients=name != "BiasDropped")
    request = Request(
        seed=3, count=COUNT, wish=wish, specs=[miniature(name)], folder=folder,
        corpora=(shipped_cases(),), shard=None if shard is None else Shard.read("--shard", shard),
    )  # fmt: skip
    request = replace(request, **changes)
    return finish(request, sweep(request))


def found(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("whole") / "out")


@pytest.fixture(scope="module")
def thirds(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("thirds")
    return [made(folder / str(number), shard=f"{number}/3") for number in (1, 2, 3)]


def test_the_parts_of_any_split_are_the_whole(
    tmp_path: Path, whole: Path, thirds: list[Path]
) -> None:
    """failures.json and every case file, whatever the order of the parts."""
    assert len(read(whole)["engines"][0]["failures"]) >= 2
    files = [thirds[2], thirds[0], thirds[1]]
    done = command("merge", *files, "-o", tmp_path / "merged", cwd=tmp_path)
    assert done.returncode == 1, done.stderr  # as the sweep: it has failures
    assert found(tmp_path / "merged") == found(whole.parent)
    fine = [made(tmp_path / str(number), shard=f"{number}/5") for number in range(1, 6)]
    united = unite(fine, [read(file) for file in fine])
    assert not united.missing
    assert united.content == read(whole)


def test_parts_of_parts_are_united_too(tmp_path: Path, whole: Path, thirds: list[Path]) -> None:
    """What is united of some is a part, and says what is missing."""
    command("merge", *thirds[:2], "-o", tmp_path / "two", cwd=tmp_path)
    two = tmp_path / "two" / FILE
    assert unite([two], [read(two)]).missing == ["BiasDropped: shard 3/3 is missing"]
    files = [two, thirds[2]]
    assert unite(files, [read(file) for file in files]).content == read(whole)


def test_the_same_part_twice_counts_once_if_it_agrees(thirds: list[Path]) -> None:
    """And is refused if it does not."""
    contents = [read(file) for file in thirds]
    once, twice = unite(thirds, contents), unite([*thirds, thirds[0]], [*contents, contents[0]])
    assert twice == once
    other = json.loads(thirds[0].read_text())
    other["engines"][0]["failures"][0]["count"] += 1
    with pytest.raises(RecordError, match="failed otherwise in the same calls"):
        unite([*thirds, thirds[0]], [*contents, other])


def test_other_sweeps_and_overlapping_parts_are_refused(tmp_path: Path, thirds: list[Path]) -> None:
    """In one sentence that names the file."""
    contents = [read(file) for file in thirds]
    with pytest.raises(RecordError, match=r"seed is 4 and 3 in .*should be parts of one sweep"):
        unite(thirds[:2], [contents[0], {**contents[1], "seed": 4}])
    half = made(tmp_path / "half", shard="1/2")
    with pytest.raises(RecordError, match=r"makes calls that .* makes too"):
        unite([thirds[0], half], [contents[0], read(half)])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "it is not JSON"),
        ("[]", "should be a sweep's failures.json"),
        ('{"format": 1}', "conformance: is missing"),
        ('{"format": 2}', "of format 1"),
    ],
)
def test_what_is_no_such_file_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / FILE
    file.write_text(text)
    with pytest.raises(RecordError, match=sentence):
        read(file)
    done = command("merge", tmp_path, "-o", tmp_path / "out", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_every_twisted_value_is_refused(whole: Path, tmp_path: Path) -> None:
    """A value of another type, wherever it stands, is told with its place."""
    file = tmp_path / FILE
    content = read(whole)
    twisted = []
    for key in content:
        twisted.append({**content, key: {"a": object.__name__}})
    engine = content["engines"][0]
    for key in engine:
        if key not in ("versions", "facts", "refused", "redrawn"):
            twisted.append({**content, "engines": [{**engine, key: 1.5}]})
    failure = engine["failures"][0]
    for key in failure:
        twisted.append({**content, "engines": [{**engine, "failures": [{**failure, key: []}]}]})
    twisted.append({**content, "engines": [{**engine, "redrawn": {"why": "often"}}]})
    outside = {**failure, "file": "../../outside.yaml"}
    twisted.append({**content, "engines": [{**engine, "failures": [outside]}]})
    for one in twisted:
        file.write_text(json.dumps(one))
        with pytest.raises(ConformanceError, match="should"):
            unite([file], [read(file)])


def test_two_kinds_that_come_down_to_one_call_have_one_file() -> None:
    """That of the earlier; and later kinds than are written have none."""
    failures = [
        {"call": call, "quantity": "output", "file": f"{call}.yaml", "signature": signature}
        for call, signature in ((9, "a"), (2, "b"), (5, "a"))
    ]
    told = settled({"failures": failures, "known": []})["failures"]
    assert [one["file"] for one in told] == ["2.yaml", "5.yaml", "5.yaml"]
    many = [{**failures[0], "call": call, "signature": str(call)} for call in range(70)]
    told = settled({"failures": many, "known": []})["failures"]
    assert [one["file"] is None for one in told] == [False] * 60 + [True] * 10


def test_records_and_sweeps_are_not_united(tmp_path: Path, thirds: list[Path]) -> None:
    """Nor is a sweep written over itself."""
    (tmp_path / "results.jsonl").write_text("{}\n")
    done = command("merge", thirds[0], tmp_path, "-o", tmp_path / "out", cwd=tmp_path)
    assert (done.returncode, "should be of one kind" in done.stderr) == (2, True)
    done = command("merge", *thirds, "-o", thirds[1].parent, cwd=tmp_path)
    assert (done.returncode, "should be another folder" in done.stderr) == (2, True)
