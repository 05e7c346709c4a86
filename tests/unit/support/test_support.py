"""What an engine supports: every cell, reason and example comes from verdicts."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from helpers import command, environment

from conformance.commands.support import blocks, named
from conformance.corpus.files import shipped_cases
from conformance.errors import UsageError
from conformance.record.compression import compressed
from conformance.record.record import Record
from conformance.support.features import FEATURES, features_of
from conformance.support.shipped import FILE, serialised, shipped_engines
from conformance.support.table import Cell, EngineSupport, Reason, Share, alike, engines_of
from conformance.support.text import STATES, details, short
from conformance.verdicts.known_reader import load_differences
from conformance.verdicts.verdict import Verdict

Made = Callable[..., Verdict]
AXIS = {"size": 2, "kernel": 1, "stride": 1, "dilation": 1, "crop_low": 0, "crop_high": 0}
GROUPED = "folder/file/grouped"
PLAIN = "folder/file/plain"


def line(name: str, *, groups: int = 1, axis: Any = None, **about: Any) -> dict[str, Any]:
    """A case's line: two channels of two elements under a kernel of one."""
    return {
        "case": name,
        "tags": [],
        "spatial": 1,
        "dtype": "float32",
        "geometry": {"axes": [AXIS | (axis or {})], "groups": groups, "out": [2]},
        "native": None,
        "input": {"shape": [1, 2, 2]},
        "kernel": {"shape": [2, 1, 1]},
        **about,
    }


LINES = {one["case"]: one for one in (line(GROUPED, groups=2), line(PLAIN))}


@pytest.fixture
def support(run_line: dict[str, Any]) -> Callable[..., dict[str, Cell]]:
    """The cells of the engine of these verdicts."""

    def build(*verdicts: Verdict, sources: dict[str, str] | None = None) -> dict[str, Cell]:
        record = Record(run=run_line, cases=LINES, verdicts=verdicts)
        [engine] = engines_of(record, sources or {})
        return dict(engine.cells)

    return build


@pytest.mark.parametrize(
    ("axis", "feature"),
    [
        ({"stride": 2, "dilation": 2}, "dilation with stride"),
        ({"crop_low": 1, "crop_high": 2}, "asymmetric padding"),
        ({"crop_low": 1}, "output_padding"),
        ({"crop_low": -1, "crop_high": -1}, "negative padding, start"),
        ({"crop_high": -1}, "negative padding, end"),
    ],
)
def test_a_feature_of_an_axis(axis: Any, feature: str) -> None:
    """One axis that has it is enough, and the plain case does not have it."""
    assert feature in features_of(line(PLAIN, axis=axis))
    assert feature not in features_of(line(PLAIN))


def test_stride_and_dilation_on_two_axes_are_not_together() -> None:
    """Engines that refuse both refuse them on one axis."""
    axes = [AXIS | {"stride": 2}, AXIS | {"dilation": 2}]
    both = line(PLAIN, spatial=2, geometry={"axes": axes, "groups": 1, "out": [2, 2]})
    assert {"stride", "dilation"} <= features_of(both)
    assert "dilation with stride" not in features_of(both)


def test_an_output_size_is_an_argument() -> None:
    """Whatever the framework calls it; given as None it is not given."""
    for key in ("output_size", "output_shape"):
        assert "output size" in features_of(line(PLAIN, native={"torch": {key: [4]}}))
        assert "output size" not in features_of(line(PLAIN, native={"torch": {key: None}}))


@pytest.mark.parametrize(
    ("statuses", "state", "shown"),
    [
        (("conforms", "conforms"), "works", "✓ 2"),
        (("conforms", "unsupported"), "works in part", "◐ 1"),
        (("conforms", "differs"), "works, but", "~ 1/2"),
        (("raised", "unsupported"), "refuses", "! 0/1"),
        (("raised", "differs"), "fails", "✗ 0/2"),
        (("unsupported", "unsupported"), "unsupported", "–"),
    ],
)
def test_the_state_of_a_cell(
    support: Any, verdict: Made, statuses: Sequence[str], state: str, shown: str
) -> None:
    """What is unsupported is not counted among the checks."""
    cell = support(*(verdict(case=PLAIN, status=status) for status in statuses))["1-D"]
    assert (cell.state, short(cell)) == (state, shown)
    assert state in STATES


def test_a_feature_that_no_case_has_is_empty(support: Any, verdict: Made) -> None:
    """Nothing was asked, and nothing is said."""
    cell = support(verdict(case=PLAIN, status="conforms"))["3-D"]
    assert (cell.state, short(cell)) == ("", "")


def test_what_lacks_a_feature_counts_for_that_alone(support: Any, verdict: Made) -> None:
    """Groups that are never supported say nothing of float32; where they sometimes are, they do."""
    grouped, plain = (verdict(case=name, status="unsupported") for name in (GROUPED, PLAIN))
    right = verdict(case=PLAIN, status="conforms")
    cells = support(grouped, right)
    assert (cells["groups"].state, cells["float32"].state) == ("unsupported", "works")
    cells = support(grouped, verdict(case=GROUPED, status="conforms"), plain)
    assert cells["float32"].unsupported == 2


def test_gradients_count_for_gradients_alone(support: Any, verdict: Made) -> None:
    """A wrong gradient is no wrong output."""
    wrong = verdict(case=GROUPED, quantity="gradients")
    cells = support(wrong, verdict(case=PLAIN, status="conforms"))
    assert cells["gradients"].state == "fails"
    assert [name for name in FEATURES if cells[name].shares] == ["gradients"]


def test_reasons_are_those_of_the_verdicts(support: Any, verdict: Made) -> None:
    """Known ones with their source, new ones by what happened, documented ones without what is of
    one call; failures first, and the shortest name is the example.
    """
    known = {"known": "It is shifted."}
    no_groups = {"status": "unsupported", "message": "It has no groups, and this has 2."}
    cells = support(
        verdict(case=PLAIN, **no_groups),
        verdict(case=PLAIN, **no_groups),
        verdict(case=GROUPED, **known),
        verdict(case=PLAIN, **known),
        verdict(case=PLAIN, status="raised", message="Error 7: no memory"),
        sources={"It is shifted.": "https://example.org/1"},
    )
    shifted = Reason(
        standing="known",
        status="differs",
        text="It is shifted.",
        source="https://example.org/1",
    )
    first, second, third = cells["1-D"].shares
    assert first == Share(reason=shifted, count=2, example=PLAIN)
    assert (second.reason.standing, second.reason.text) == ("new", "raised: Error #: no memory")
    assert (third.reason.text, third.count) == ("It has no groups.", 2)


def test_numbers_that_differ_are_left_out() -> None:
    """Those that do not stay, and so do those inside of words."""
    found = alike(["float16: 1 and 2 of 9", "float16: 3 of 9", "2-D only"])
    assert set(found.values()) == {"float16: n of 9", "2-D only"}


def test_details_name_reason_source_and_case() -> None:
    """Every number of a reason has its text below."""
    reason = Reason(standing="known", status="differs", text="Why.", source="https://example.org")
    cell = Cell(conforms=2, shares=(Share(reason=reason, count=1, example=PLAIN),))
    engine = EngineSupport(
        name="mine", versions={"mine": "1.0"}, place="cpu", date="2026-01-02", cells={"1-D": cell}
    )
    assert list(details(engine)) == [
        "mine: mine 1.0; cpu; 2026-01-02",
        "~ 1-D: 2 of 3 conform",
        f"    1 known failure [1], e.g. {PLAIN}",
        "[1] Why.",
        "    source: https://example.org",
    ]


def test_the_shipped_data_are_read_as_they_were_written() -> None:
    """Nothing is lost on the way."""
    engines = shipped_engines()
    assert serialised(engines) == FILE.read_text(encoding="utf-8")
    assert set(json.loads(serialised(engines))[0]["features"]) <= set(FEATURES)


def test_every_known_reason_is_that_of_a_known_difference() -> None:
    """With its source, as the files in cases/known_differences have them now; nothing is new."""
    sources = {entry.reason: entry.source for entry in load_differences([shipped_cases()])}
    reasons = [reason for engine in shipped_engines() for reason in engine.reasons]
    known = [reason for reason in reasons if reason.standing == "known"]
    assert known
    assert all(sources[reason.text] == reason.source for reason in known)
    assert {reason.standing for reason in reasons} == {"known", "unsupported"}


@pytest.mark.parametrize("width", [20, 80, 200])
def test_blocks_have_every_engine_once(width: int) -> None:
    """However narrow the terminal is; a wide one has them side by side."""
    engines = shipped_engines()
    found = list(blocks(engines, width))
    assert [engine for block in found for engine in block] == engines
    assert (len(found) == 1) is (width == 200)


def test_a_name_or_the_beginning_of_some() -> None:
    """A whole name is that engine alone."""
    engines = shipped_engines()
    assert [one.name for one in named("jax", engines)] == ["jax"]
    assert [one.name for one in named("keras", engines)] == [
        "keras-tensorflow",
        "keras-jax",
        "keras-torch",
    ]
    with pytest.raises(UsageError, match="--record RECORD counts"):
        named("litert", engines, shipped=True)


def test_the_overview_fits_80_columns(tmp_path: Path) -> None:
    """Every engine and feature is there, and no line of the table is broken, even where less is
    said to be there than a pipe has.
    """
    done = command("support", cwd=tmp_path, env=environment() | {"COLUMNS": "40"})
    assert (done.returncode, done.stderr) == (0, "")
    table, _, rest = done.stdout.partition("✓  works")
    lines = table.splitlines()
    assert max(map(len, lines)) <= 80
    width = max(map(len, FEATURES))
    labels = [row[:width].strip() for row in lines]
    for feature in FEATURES:
        assert labels.count(feature) == labels.count("feature") > 0
        found = " ".join(row[width:] for row in lines if row[:width].strip() == feature)
        shown = " ".join(short(one.cells[feature]) for one in shipped_engines())
        assert found.split() == shown.split()
    assert all(f"{one.name}: " in rest for one in shipped_engines())


def test_one_engine_says_why(tmp_path: Path) -> None:
    """All that is known of it."""
    done = command("support", "keras-torch", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    [engine] = named("keras-torch", shipped_engines())
    assert done.stdout.splitlines() == list(details(engine))
    assert "Keras's transposed convolutions have no groups." in done.stdout


def test_an_unknown_engine_is_one_sentence(tmp_path: Path) -> None:
    """With the name that was meant."""
    done = command("support", "keras-toch", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        "conformance: unknown engine keras-toch: did you mean keras-torch"
    )
    assert len(done.stderr.splitlines()) == 1


def test_a_record_of_ones_own(tmp_path: Path, run_line: dict[str, Any], verdict: Made) -> None:
    """Its engines in place of the shipped ones, with reasons of the shipped known failures."""
    entry = load_differences([shipped_cases()])[0]
    run = {
        **run_line,
        "threads_told": {},
        "allow_unsupported": False,
        "adapters": [{**run_line["adapters"][0], "python": None, "convention": None}],
    }
    about = {"summary": "One.", "source": "made up", "must_fail": False, "bias": None}
    record = Record(
        run=run,
        cases={PLAIN: line(PLAIN) | about | {"gradients": None, "expected": None}},
        verdicts=(verdict(case=PLAIN, known=entry.reason),),
        end={"counts": {}, "duration": 1.0, "problems": [], "unchecked": []},
    )
    (tmp_path / "mine.jsonl.gz").write_bytes(compressed(record))
    done = command("support", "engine", "--record", "mine.jsonl.gz", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "✗ float32: 0 of 1 conform" in done.stdout
    assert f"[1] {entry.reason}\n    source: {entry.source}\n" in done.stdout
