"""The JSON Schema of a record's lines: what the suite writes validates, and what is no line of a
record does not.
"""

from __future__ import annotations

import json
import math
from dataclasses import fields
from typing import Any

import pytest
from helpers import CHECKOUT, CUT, EMPTY, GAPS, TESTS, corpus
from jsonschema import Draft202012Validator
from schemas import references, schema, undescribed
from typer.testing import CliRunner

from conformance import conventions
from conformance.cli import app
from conformance.corpus.case import DTYPES, KINDS_OF_VALUES
from conformance.record.record import RECORD, strict
from conformance.record.timing import Timing
from conformance.verdicts.verdict import STATUSES, Verdict
from conformance.workers.timing import SLICES

pytestmark = pytest.mark.slow

SCHEMA = schema("record")
PARTS = SCHEMA["$defs"]
VERDICT = PARTS["verdict"]
SINCE_FORMAT_1 = {"computed_by", "stage", "traceback", "check", "sha256", "shard", "merged"}
"""Keys that a record of an older release has not, and is valid without."""
VALIDATOR = Draft202012Validator(SCHEMA)
REFERENCE = CHECKOUT / "reports" / "reference" / RECORD

TIMED = """\
  - id: timed
    summary: A layer with gradients, whose output holds every product alone.
    source: written for the tests
    input: {shape: [2, 1, 3, 3], values: integers}
    kernel: {shape: [1, 1, 2, 2], values: one-hot}
    stride: 2
    gradients: {values: integers}
    tags: [network]
"""


def refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def problems(line: str) -> list[str]:
    """What is wrong with a line, read as strict JSON."""
    content = json.loads(line, parse_constant=refuse)
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(content)]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """The lines, by type, of a run of engines that are right, wrong, dead and late, with all that
    may be asked for.
    """
    folder = tmp_path_factory.mktemp("written")
    root = corpus(folder, CUT, GAPS, EMPTY, TIMED)
    known = root / "known_differences" / "mine.yaml"
    known.parent.mkdir()
    known.write_text(
        "- adapter: wrong\n  cases: [tiny/cut]\n  versions: {miniature: '==0.9'}\n"
        "  status: differs\n  reason: It is shifted.\n  source: made up\n"
        "- adapter: wrong\n  cases: [tiny/empty, gone]\n  versions: {}\n"
        "  status: differs\n  reason: It is shifted.\n  source: made up\n"
    )
    names = {
        "right": "Right",
        "wrong": "OffByOne",
        "placed": "Placed",
        "shape": "OtherShape",
        "dtype": "OtherDtype",
        "nan": "MakesNaN",
        "dead": "Aborts",
        "late": "Hangs",
        "raises": "Raises",
        "unsupported": "RaisesUnsupported",
        "lax": "RefusesNothing",
    }
    words = [part for label, name in names.items() for part in ("-a", f"{label}=miniatures:{name}")]
    options = ["--repeat", "2", "--invariance", "--timing", "quick", "--timeout", "2"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(TESTS))
        done = CliRunner().invoke(app, ["run", str(root), *words, *options, "-o", str(folder)])
    assert done.exit_code == 1, done.output
    found: dict[str, list[dict[str, Any]]] = {}
    for line in (folder / RECORD).read_text(encoding="utf-8").splitlines():
        content = json.loads(line, parse_constant=refuse)
        found.setdefault(content["type"], []).append(content)
    return found


def test_the_schema_is_one() -> None:
    """It is a schema of draft 2020-12, and every reference in it leads to a part of it."""
    Draft202012Validator.check_schema(SCHEMA)
    assert set(references(SCHEMA)) == {f"#/$defs/{name}" for name in PARTS}


def test_every_key_is_described() -> None:
    """Whoever reads the schema alone learns what each key means."""
    assert undescribed(SCHEMA) == []


def test_the_schema_has_the_keys_of_the_code() -> None:
    """A verdict has the attributes of a Verdict and no other key; what is one of a few words is one
    of the code's.
    """
    keys = {"type", "check", *(field.name for field in fields(Verdict))}
    assert set(VERDICT["properties"]) == keys
    assert keys - set(VERDICT["required"]) == SINCE_FORMAT_1 - {"sha256", "shard", "merged"}
    timing = VERDICT["properties"]["timing"]
    assert set(timing["properties"]) == {field.name for field in fields(Timing)}
    assert set(timing["required"]) == set(timing["properties"])
    assert PARTS["status"]["enum"] == list(STATUSES)
    assert PARTS["dtype"]["enum"] == list(DTYPES)
    assert PARTS["convention"]["enum"] == list(conventions.NAMES)
    assert PARTS["run"]["properties"]["timing"]["enum"] == list(SLICES)
    kinds = PARTS["array"]["properties"]["make"]["properties"]["values"]["enum"]
    assert kinds == list(KINDS_OF_VALUES)


@pytest.mark.slow
@pytest.mark.skipif(not REFERENCE.is_file(), reason="a source distribution has no reports")
def test_the_committed_record_validates() -> None:
    """Each line of it."""
    lines = REFERENCE.read_text(encoding="utf-8").splitlines()
    assert len(lines) > 10_000
    assert [
        (number, found) for number, line in enumerate(lines, 1) if (found := problems(line))
    ] == []


def test_a_record_that_is_written_now_validates(written: dict[str, list[dict[str, Any]]]) -> None:
    """Whatever the engines did, every key of a line is in the schema, and all but a few of a
    verdict have been more than null.
    """
    assert set(written) == {"run", "case", "verdict", "end"}
    for kind, lines in written.items():
        for line in lines:
            assert problems(json.dumps(line)) == []
            assert set(line) == set(PARTS[kind]["properties"])
            assert set(line) - set(PARTS[kind]["required"]) <= SINCE_FORMAT_1
    verdicts = written["verdict"]
    assert {line["status"] for line in verdicts} == set(STATUSES) - {"unavailable"}
    told = {key for line in verdicts for key, value in line.items() if value is not None}
    assert set(VERDICT["properties"]) - told <= {
        "known", "known_unconfirmed", "mended", "asked_again", "precision", "compiled",
        "nondeterministic", "invariance", "stage",
    }  # fmt: skip
    [end] = written["end"]
    assert end["problems"]


@pytest.mark.parametrize("kind", ["run", "case", "verdict", "end"])
def test_a_line_without_one_of_its_keys_does_not_validate(
    written: dict[str, list[dict[str, Any]]], kind: str
) -> None:
    """None can be left out, but what older releases did not write."""
    line = written[kind][0]
    for key in set(line) - SINCE_FORMAT_1:
        assert problems(json.dumps({name: line[name] for name in line if name != key})), key


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "perhaps"},
        {"status": None},
        {"quantity": "hessian"},
        {"type": "judgement"},
        {"exact": 1},
        {"error_over_bound": "nan"},
        {"mismatch": {"text": "It is wrong."}},
        {"mismatch": {"kind": "colour", "text": "It is wrong."}},
        {"known_problem": {"entry": "a.yaml:1", "problem": "stale", "more": 1}},
        {"diagnosis": {"name": "shifted", "text": "", "share": 1.5, "also": []}},
        {"compiled": {"hits": 1}},
        {"got": {"shape": [1], "values": ["one"]}},
        {"invariance": {"weather": {}}},
        {"colour": "blue"},
    ],
    ids=str,
)
def test_what_no_verdict_says_does_not_validate(
    written: dict[str, list[dict[str, Any]]], changes: dict[str, Any]
) -> None:
    """A word or a key that the suite does not know, and a value of another type."""
    line = written["verdict"][0]
    assert problems(json.dumps(line)) == []
    assert problems(json.dumps({**line, **changes}))


def test_nan_is_a_string(written: dict[str, list[dict[str, Any]]]) -> None:
    """The name of NaN validates; the number that JSON does not have is not read at all."""
    line = {**written["verdict"][0], "error_over_bound": math.nan}
    assert problems(json.dumps(strict(line))) == []
    with pytest.raises(ValueError, match="NaN is no JSON"):
        problems(json.dumps(line))


@pytest.mark.parametrize("kind", ["run", "case", "end"])
def test_what_a_later_version_adds_validates(
    written: dict[str, list[dict[str, Any]]], kind: str
) -> None:
    """Whoever reads lines of this format must bear keys that are not known yet."""
    assert problems(json.dumps({**written[kind][0], "later": 1})) == []
