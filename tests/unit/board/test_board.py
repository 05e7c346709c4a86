"""A board of miniature records: what stands where, what is compared, and what a site is made of."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from helpers import command

from conformance.badge import BLUE, GREEN, GREY, RED, svg
from conformance.board.badges import engine_badge
from conformance.board.board import Board, read_board
from conformance.board.chart import trend_svg
from conformance.board.details import calls
from conformance.board.entries import checked
from conformance.board.failures import failures
from conformance.board.names import slug
from conformance.board.pages import support
from conformance.board.site import write_site
from conformance.board.steps import steps
from conformance.errors import RecordError
from conformance.record.compression import compressed
from conformance.record.definition import digest
from conformance.record.reader import read_record
from conformance.record.record import Record
from conformance.record.reduction import reduced
from conformance.record.tally import Tally
from conformance.support.features import FEATURES, features_of
from conformance.verdicts.verdict import STANDINGS, Verdict

VALUES = [[[[1.0, 2.0], [3.0, 4.0]]]]
MADE = {"shape": [1, 1, 2, 2], "values": "integers", "seed": 1}


def case_line(name: str, *, stride: int = 1, groups: int = 1, **about: Any) -> dict[str, Any]:
    """A case's line: one image of 2 x 2 under a kernel of 1 x 1."""
    axis = {
        "size": 2,
        "kernel": 1,
        "stride": stride,
        "dilation": 1,
        "crop_low": 0,
        "crop_high": 0,
    }
    out = [1 + stride] * 2
    return {
        "case": name,
        "summary": f"About {name}.",
        "source": "made up",
        "tags": [],
        "spatial": 2,
        "dtype": "float32",
        "must_fail": False,
        "geometry": {"axes": [axis, axis], "groups": groups, "out": out},
        "native": None,
        "input": {"shape": [1, 1, 2, 2], "values": VALUES, "make": MADE},
        "kernel": {"shape": [1, 1, 1, 1], "values": [[[[2.0]]]]},
        "bias": None,
        "gradients": None,
        "expected": None,
        **about,
    }


@pytest.fixture
def filed(tmp_path: Path, run_line: dict[str, Any]) -> Callable[..., Path]:
    """The compressed file of a record: filed(name, verdicts, lines, version=..., **run)."""

    def write(
        name: str,
        verdicts: Sequence[Verdict],
        lines: Sequence[dict[str, Any]] = (),
        *,
        version: str = "1.0",
        isa: str | None = None,
        **run: Any,
    ) -> Path:
        lines = lines or [case_line(case) for case in {v.case: 0 for v in verdicts}]
        record = Record(
            run={
                **run_line,
                "threads_told": {},
                "allow_unsupported": False,
                "versions": {"engine": {"engine": version}},
                "facts": {"engine": {} if isa is None else {"isa": isa}},
                "adapters": [{**run_line["adapters"][0], "python": None, "convention": None}],
                **run,
            },
            cases={line["case"]: line for line in lines},
            verdicts=tuple(verdicts),
            end={"counts": {}, "duration": 1.0, "problems": [], "unchecked": []},
        )
        path = tmp_path / f"{name}.jsonl.gz"
        path.write_bytes(compressed(record))
        return path

    return write


@pytest.fixture
def board(filed: Callable[..., Path], verdict: Callable[..., Verdict]) -> Board:
    """Two releases, the newer one also on another instruction set, and an earlier record of it."""
    names = [f"folder/file/{word}" for word in ("one", "two", "three", "four")]
    right = [verdict(case=name, status="conforms") for name in names]
    bad = {"kind": "values", "text": "out[0]=1, should be 2"}
    old = [
        verdict(case=names[0], mismatch=bad, known="It is shifted."),
        *right[1:3],
        verdict(case=names[3], status="unsupported"),
    ]
    new = [right[0], verdict(case=names[1], mismatch=bad), *right[2:]]
    lines = [case_line(name) for name in names]
    other = [*lines[:2], case_line(names[2], stride=2), lines[3]]
    day = "2026-01-0{}T00:00:00+00:00"
    return read_board(
        [
            filed("old", old, lines, version="1.9", started=day.format(4)),
            filed("new", new, other, version="1.10", started=day.format(3)),
            filed("before", right, lines, version="1.10", started=day.format(1)),
            filed("held", right, lines, version="1.10", isa="sse41", started=day.format(2)),
        ]
    )


def test_releases_stand_newest_first_each_once_a_place(board: Board) -> None:
    """By version and not by its text; of several records the newest; places by processor and
    instruction set.
    """
    assert [source.name for source in board.sources] == [
        "2026-01-04-old",
        "2026-01-03-new",
        "2026-01-02-held",
        "2026-01-01-before",
    ]
    assert [(one.version, one.place, one.source.date) for one in board.standing["engine"]] == [
        ("1.10", "cpu, Some CPU", "2026-01-03"),
        ("1.10", "cpu, Some CPU, sse41", "2026-01-02"),
        ("1.9", "cpu, Some CPU", "2026-01-04"),
    ]
    assert len(board.entries["engine"]) == 4
    assert board.places == ["cpu, Some CPU", "cpu, Some CPU, sse41"]


def test_counts_are_those_of_the_record(board: Board) -> None:
    """Every verdict falls into one part; together they are what the tally says."""
    by_name = {entry.source.name: entry.counts() for entry in board.entries["engine"]}
    assert by_name["2026-01-04-old"] == Counter(conforms=2, known=1, unsupported=1)
    assert by_name["2026-01-03-new"] == Counter(conforms=3, new=1)
    for entry in board.entries["engine"]:
        tally = Tally(entry.verdicts.values())
        assert sum(entry.counts().values()) == sum(tally.counts["engine"].values())
        assert entry.counts()["new"] == tally.unexpected
        assert checked(entry.counts()) == sum(v.is_checked for v in entry.verdicts.values())


def test_verdicts_are_compared_where_the_call_is_the_same(board: Board) -> None:
    """The third case is another call in the newer release, and is left out."""
    (step,) = steps(board.standing["engine"])
    assert (step.old.version, step.new.version, step.compared) == ("1.9", "1.10", 3)
    short = [[name.rpartition("/")[2] for name, _ in cases] for _, cases in step.lists]
    assert short == [["two"], ["one"], ["four"]]


def test_a_digest_is_of_the_call_and_not_of_what_is_told_of_it() -> None:
    """Values that a recipe makes again may be left out; a number of a written array may not
    change.
    """
    line = case_line("a/b/c")
    assert digest(line) == digest({**line, "case": "x", "summary": "Another.", "tags": ["slow"]})
    record = Record(run={}, cases={"a/b/c": line})
    assert digest(reduced(record, 0).cases["a/b/c"]) == digest(line)
    assert "values" not in reduced(record, 3).cases["a/b/c"]["input"]
    assert "values" in reduced(record, 4).cases["a/b/c"]["input"]
    assert digest(case_line("a/b/c", stride=2)) != digest(line)
    kernel = {"shape": [1, 1, 1, 1], "values": [[[[3.0]]]]}
    assert digest({**line, "kernel": kernel}) != digest(line)


def test_failures_are_told_by_reason(board: Board) -> None:
    """New ones first; where a known reason is published is said."""
    found = failures(board.standing["engine"], {"It is shifted.": "https://example.org/1"})
    assert [(f.is_known, f.text, f.source, f.cases) for f in found] == [
        (False, "differs: values", None, 1),
        (True, "It is shifted.", "https://example.org/1", 1),
    ]


def test_support_is_counted_by_feature(
    filed: Callable[..., Path], verdict: Callable[..., Verdict]
) -> None:
    """A case counts for every feature that it has, one on gradients for those alone, invalid input
    apart, and what lacks a feature that is never supported for that alone.
    """
    lines = [
        case_line("a/b/groups", groups=2, native={"torch": {"groups": 2}}),
        case_line(
            "a/b/nan",
            input={"shape": [1, 1, 2, 2], "make": {**MADE, "put": [[[0, 0, 0, 0], "NaN"]]}},
        ),
        case_line("a/b/refused", must_fail=True),
    ]
    verdicts = [
        verdict(case="a/b/groups", status="unsupported"),
        verdict(case="a/b/groups", status="conforms", quantity="gradients"),
        verdict(case="a/b/nan", status="conforms"),
        verdict(case="a/b/refused", status="conforms"),
    ]
    board = read_board([filed("one", verdicts, lines)])
    counts = support(board.standing["engine"][0], board)
    assert counts["groups"] == Counter(unsupported=1)
    assert counts["gradients"] == Counter(conforms=1)
    assert counts["special values"] == Counter(conforms=1)
    assert counts["invalid input rejected"] == Counter(conforms=1)
    assert counts["float32"] == Counter(conforms=1)
    assert set(counts) == set(FEATURES)
    assert features_of(lines[2]) == {"invalid input rejected"}


def test_output_padding_is_an_end_that_is_cut_less() -> None:
    """Whatever the framework calls it."""
    line = case_line("a/b/c")
    axis = {**line["geometry"]["axes"][0], "crop_low": 1}
    words = "output_padding"
    assert words not in features_of(line)
    geometry = {**line["geometry"], "axes": [axis, axis]}
    assert words in features_of({**line, "geometry": geometry})


def test_a_failure_stands_once_with_all_that_it_is_of(board: Board) -> None:
    """The same words of two entries are one detail, other words another."""
    entries = board.entries["engine"]
    found = calls(entries, board.cases)
    assert len(found) == len(board.cases) == 5
    by_name = {call.short: call for call in found.values() if call.short != "three"}
    assert by_name["two"].failing == ["engine"]
    (detail,) = by_name["two"].details.values()
    assert detail.text == "out[0]=1, should be 2"
    assert [entry.source.name for entry in detail.entries] == ["2026-01-03-new"]
    twice = calls([*entries, *entries], board.cases)
    assert [len(call.details) for call in twice.values()] == [
        len(call.details) for call in found.values()
    ]
    assert by_name["one"].geometry.startswith("input 1 × 1 × 2 × 2; kernel 1 × 1 × 1 × 1; float32")


@pytest.mark.parametrize(
    ("about", "message", "color"),
    [
        ({"status": "conforms"}, "1.0: 1 of 1", GREEN),
        ({"known": "It is so."}, "1.0: 0 of 1", BLUE),
        ({}, "1.0: 0 of 1", RED),
        ({"status": "unsupported"}, "1.0: nothing checked", GREY),
    ],
)
def test_a_badge_says_what_the_newest_release_comes_to(
    filed: Callable[..., Path],
    verdict: Callable[..., Verdict],
    about: dict[str, Any],
    message: str,
    color: str,
) -> None:
    """As shields.io takes it, and as a picture that says the same."""
    board = read_board([filed("one", [verdict(**about)])])
    badge = engine_badge("engine", board.standing["engine"])
    assert badge == {"schemaVersion": 1, "label": "engine", "message": message, "color": color}
    assert ElementTree.fromstring(svg(badge)).get("aria-label") == f"engine: {message}"


def test_a_badge_is_of_all_machines_of_the_newest_release(board: Board) -> None:
    """Their counts together, as many machines as there are."""
    badge = engine_badge("engine", board.standing["engine"])
    assert (badge["message"], badge["color"]) == ("1.10: 7 of 8 on 2 machines", RED)


def test_a_trend_has_a_bar_for_each_record(board: Board) -> None:
    """Known failures and new ones are told apart, and each bar says its counts."""
    drawn = ElementTree.fromstring(str(trend_svg("engine", board.entries["engine"])))
    titles = [title.text or "" for title in drawn.iter("title")]
    assert [title[:10] for title in titles] == [f"2026-01-0{day}" for day in (1, 2, 3, 4)]
    assert "0 known and 1 new failures of 4" in titles[2]
    assert [part.get("class") for part in drawn.iter("rect") if part.get("class") != "field"] == [
        "new",
        "known",
    ]


def test_a_record_is_taken_once_and_names_are_told_apart(
    filed: Callable[..., Path], verdict: Callable[..., Verdict], tmp_path: Path
) -> None:
    """The same file twice is one source; another of its name and day has a part of its digest."""
    one = filed("results", [verdict()])
    other = tmp_path / "results" / one.name
    other.parent.mkdir()
    other.write_bytes(filed("x", [verdict(status="conforms")]).read_bytes())
    one = one.rename(tmp_path / "results.gz")
    names = [source.name for source in read_board([one, one, other]).sources]
    assert len(names) == 2
    assert len(set(names)) == 2


def test_file_names_are_safe_and_never_one_for_two() -> None:
    """A slash, a blank or a step up has a digest behind it."""
    assert slug("torch-2.13.0+cpu") == "torch-2.13.0+cpu"
    texts = ["torch>onnx", "torch<onnx", "torch-onnx", "..", "a/../b", "", "é" * 200]
    names = [slug(text) for text in texts]
    assert len(set(names)) == len(texts)
    assert all(name and name.isascii() and "/" not in name and name[0] != "." for name in names)


def test_a_compressed_record_is_read(
    filed: Callable[..., Path], verdict: Callable[..., Verdict], tmp_path: Path
) -> None:
    """As a file, as the only record of a folder, and not where it was cut or is none."""
    path = filed("one", [verdict()])
    record = read_record(path)
    assert record.verdicts == (verdict(),)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "results.jsonl.gz").write_bytes(path.read_bytes())
    assert read_record(folder) == record
    (folder / "results.jsonl").write_bytes(gzip.decompress(path.read_bytes()))
    assert read_record(folder) == record
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(
        RecordError, match=r"not a whole file of gzip, should be a results\.jsonl\.gz"
    ):
        read_record(path)
    path.write_bytes(b"{}\n")
    with pytest.raises(RecordError, match="not a whole file of gzip"):
        read_record(path)


def test_the_limit_is_of_what_is_compressed(
    filed: Callable[..., Path], verdict: Callable[..., Verdict], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small file that holds a large record is refused as a large one is."""
    path = filed("one", [verdict(message="a" * 100_000)])
    monkeypatch.setenv("CONFORMANCE_MAX_RECORD", "50000")
    assert path.stat().st_size < 50_000
    with pytest.raises(RecordError, match="more than 50000 bytes"):
        read_record(path)


def test_a_united_record_has_the_machines_of_its_parts(
    filed: Callable[..., Path], verdict: Callable[..., Verdict], run_line: dict[str, Any]
) -> None:
    """A column is on the processor of the records that it came from, and its engine is the
    adapter's.
    """
    part = {"versions": {"engine": {"engine": "1.0"}}, "facts": {"engine": {}}}
    merged = [
        {**part, "cpu": "A CPU"},
        {**part, "cpu": "B CPU", "versions": {"engine": {"engine": "2.0"}}},
    ]
    shared = {"file": "x", "shard": None, "conformance": "0.1.0", "started": "2026-01-02"}
    shared |= {"platform": "linux", "system": "Linux", "machine": "x86_64", "threads": 1}
    labels = {"engine@1.0": "1.0", "engine@2.0": "2.0"}
    run = {
        "adapters": [
            {
                "label": label,
                "asked": "engine",
                "adapter": "engine",
                "python": None,
                "convention": None,
            }
            for label in labels
        ],
        "versions": {label: {"engine": version} for label, version in labels.items()},
        "facts": {label: {} for label in labels},
        "devices": {label: ["cpu"] for label in labels},
        "merged": [{**shared, **one, "devices": {"engine": ["cpu"]}} for one in merged],
        "cpu": {"model": "A CPU + B CPU", "flags": []},
    }
    verdicts = [verdict(adapter=label, status="conforms") for label in labels]
    board = read_board([filed("united", verdicts, **run)])
    assert [(entry.version, entry.place) for entry in board.standing["engine"]] == [
        ("2.0", "cpu, B CPU"),
        ("1.0", "cpu, A CPU"),
    ]


def test_a_site_is_written_and_its_records_are_records(
    filed: Callable[..., Path], verdict: Callable[..., Verdict], tmp_path: Path
) -> None:
    """The same records make the same files; a download is a record, and a site of downloads is the
    same board.
    """
    paths = [
        filed("one", [verdict(status="conforms")]),
        filed("two", [verdict()], version="2.0", started="2026-02-02T00:00:00+00:00"),
    ]
    folder = tmp_path / "site"
    site = write_site(paths, folder, url="https://example.org/", reports=[paths[1]])
    files = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    assert len(files) == site.files
    assert sum(path.stat().st_size for path in files.values()) == site.size
    contents = {name: path.read_bytes() for name, path in files.items()}
    page = contents[Path("engines/engine.html")].decode()
    link = "[![engine](https://example.org/badges/engine.svg)](https://example.org/engines/engine.html)"
    assert link in page
    assert Path("records/2026-02-02-two/report.html") in files
    record = read_record(folder / "records" / "2026-02-02-two")
    assert record.verdicts == (verdict(),)
    told = json.loads(contents[Path("board.json")])
    [first, second] = told["engines"]["engine"]
    assert (first["versions"], first["counts"]["new"]) == ({"engine": "2.0"}, 1)
    assert second["counts"] == dict.fromkeys(STANDINGS, 0) | {"conforms": 1}
    again = tmp_path / "again"
    write_site(
        [folder / "records" / name for name in ("2026-01-02-one", "2026-02-02-two")],
        again,
        url="https://example.org",
    )
    for name, content in contents.items():
        if name.name not in ("report.html", "index.html") or name.parts[0] != "records":
            assert (again / name).read_bytes() == content, name


def test_hostile_words_stay_words(
    filed: Callable[..., Path], verdict: Callable[..., Verdict], tmp_path: Path
) -> None:
    """Markup in any text of a record is escaped on every page and in the badge, and no name leads
    out of the folder.
    """
    evil = "../../</pre><script>alert(1)</script>\"'{{7*7}}\x1b[31m\u202e"
    name = f"folder/{evil}/one"
    run = {
        "adapters": [
            {"label": "engine", "asked": evil, "adapter": evil, "python": None, "convention": None}
        ],
        "versions": {"engine": {evil: evil}},
        "cpu": {"model": evil, "flags": []},
        "command": [evil],
        "started": evil,
    }
    bad = verdict(case=name, message=evil, mismatch={"kind": "values", "text": evil})
    known = replace(bad, quantity="gradients", known=evil)
    line = case_line(name, summary=evil, source=evil, tags=[evil])
    folder = tmp_path / "deep" / "site"
    write_site([filed("one", [bad, known], [line], **run)], folder)
    assert {path.name for path in tmp_path.iterdir()} == {"deep", "one.jsonl.gz"}
    for path in folder.rglob("*"):
        if path.suffix in (".html", ".svg"):
            text = path.read_text(encoding="utf-8")
            assert "<script>alert" not in text
            assert "\x1b" not in text
            assert "\u202e" not in text
            if path.suffix == ".svg":
                ElementTree.fromstring(text)


@pytest.mark.slow
def test_bad_input_is_one_sentence(
    filed: Callable[..., Path], verdict: Callable[..., Verdict], tmp_path: Path
) -> None:
    """What is no record, a report of what is none of them, and a folder that cannot be one."""
    path = filed("one", [verdict()])
    (tmp_path / "file").write_text("")
    for words, message in (
        (["none", "-o", "site"], "none cannot be read: No such file or directory"),
        ([path, "-o", "site", "--report", "other"], "--report other: should be one of the records"),
        ([path, "-o", "file"], "file cannot be written"),
    ):
        done = command("site", *words, cwd=tmp_path)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert message in done.stderr
    done = command("site", path, "-o", "site", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("1 record, 1 engine, 1 distinct case, 9 files, 0.")
