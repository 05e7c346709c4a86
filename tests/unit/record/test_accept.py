"""`--known` and `--accept`: differences of one's own, as strict as the shipped ones, and written
where a person explains them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import CUT, GAPS, command, corpus

from conformance.corpus.strict_yaml import parse
from conformance.errors import RecordError
from conformance.record.accept import accept, entries
from conformance.record.reader import read_record
from conformance.record.record import Record
from conformance.verdicts.known_reader import entries_of, unexplained
from conformance.verdicts.verdict import Verdict

pytestmark = pytest.mark.slow

KNOWN = """- adapter: mine
  cases: [tiny/*]
  versions: {miniature: "==1.*"}
  status: differs
  reason: It is off by one.
  source: written for the tests
"""


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Any]:
    """`conformance run` of an engine that is off by one on two cases."""
    root = corpus(tmp_path, CUT, GAPS)

    def go(*words: Any, adapter: str = "OffByOne") -> Any:
        return command(
            "run",
            root,
            "-a",
            f"mine=miniatures:{adapter}",
            "-o",
            "out",
            "--jobs",
            1,
            *words,
            cwd=tmp_path,
        )

    return go


def test_a_file_of_ones_own_explains(tmp_path: Path, run: Callable[..., Any]) -> None:
    """It need not lie in the corpus; several may be given, and the record has the reason and the
    files.
    """
    (tmp_path / "known.yaml").write_text(KNOWN)
    (tmp_path / "none.yaml").write_text("[]\n")
    done = run("--known", "none.yaml", "--known", "known.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    record = read_record(tmp_path / "out")
    assert {verdict.known for verdict in record.verdicts} == {"It is off by one."}
    assert record.run["known"] == ["none.yaml", "known.yaml"]


@pytest.mark.parametrize(
    ("words", "adapter", "said"),
    [
        (
            KNOWN,
            "Right",
            (
                "known.yaml:1: mine on tiny/gaps now conforms, should be differs as the entry "
                "says: "
                "it is stale"
            ),
        ),
        (
            KNOWN.replace("differs", "raised"),
            "OffByOne",
            "known.yaml:1: mine on tiny/gaps is differs",
        ),
        (
            KNOWN.replace("tiny/*", "tiny/*, tiny/gone"),
            "OffByOne",
            "known.yaml:1: tiny/gone matches no case of the corpus",
        ),
    ],
)
def test_ones_own_are_as_strict(
    tmp_path: Path, run: Callable[..., Any], words: str, adapter: str, said: str
) -> None:
    """Stale, unfitting and lost entries are exit 1, and named by file and line."""
    (tmp_path / "known.yaml").write_text(words)
    done = run("--known", "known.yaml", adapter=adapter)
    assert done.returncode == 1
    assert said in done.stdout


def test_the_command_that_shows_it_again_knows_the_file(
    tmp_path: Path, run: Callable[..., Any]
) -> None:
    """Without it the entry that does not fit would not speak."""
    (tmp_path / "known.yaml").write_text(KNOWN)
    assert "--known known.yaml" in run("--known", "known.yaml", adapter="Right").stdout


def test_a_file_that_is_not_there_is_exit_2(run: Callable[..., Any]) -> None:
    """One sentence, before anything runs."""
    done = run("--known", "none.yaml")
    assert done.returncode == 2
    assert done.stderr == (
        "none.yaml:1: (file): cannot be read: No such file or directory, should be a YAML file "
        "in UTF-8\n"
    )


def test_what_is_accepted_passes_from_then_on(tmp_path: Path, run: Callable[..., Any]) -> None:
    """Written once, read by the next run; a second --accept has nothing to add."""
    first = run("--accept", "known.yaml")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "Accepted 2 differences in known.yaml." in first.stdout
    text = (tmp_path / "known.yaml").read_text()
    assert run("--known", "known.yaml").returncode == 0
    assert "Accepted 0 differences" in run("--accept", "known.yaml").stdout
    assert (tmp_path / "known.yaml").read_text() == text


def test_lint_insists_on_the_reasons(tmp_path: Path, run: Callable[..., Any]) -> None:
    """An accepted entry has neither reason nor source: two findings, until a person gives them."""
    run("--accept", "known.yaml")
    root = tmp_path / "cases"
    command("bless", root, cwd=tmp_path)
    done = command("lint", root, "--known", "known.yaml", cwd=tmp_path)
    assert done.returncode == 1
    assert "known.yaml:2: reason: is empty, should say what the engine does" in done.stdout
    assert "known.yaml:2: source: is empty" in done.stdout
    text = (tmp_path / "known.yaml").read_text().replace('""', "made up")
    (tmp_path / "known.yaml").write_text(text)
    assert command("lint", root, "--known", "known.yaml", cwd=tmp_path).returncode == 0


def test_what_no_longer_fits_cannot_be_accepted(tmp_path: Path, run: Callable[..., Any]) -> None:
    """An entry that is stale stays a failure: a person has to remove it."""
    (tmp_path / "known.yaml").write_text(KNOWN)
    done = run("--accept", "known.yaml", adapter="Right")
    assert done.returncode == 1
    assert "2 checks do not fit an entry that speaks of them" in done.stdout


def test_verdicts_that_fail_alike_share_an_entry(verdict: Callable[..., Verdict]) -> None:
    """Another kind, device or quantity is another entry; versions hold from the present one on."""
    found = [
        verdict(case="a/b/c"),
        verdict(case="a/b/d"),
        verdict(case="a/b/c", quantity="gradients"),
        verdict(
            case="a/b/c",
            device="npu",
            mismatch={"kind": "shape"},
            diagnosis={"name": "other-window"},
        ),
    ]
    text = entries(found, {"engine": {"engine": "1.2+cpu", "odd": "of my own"}})
    first, gradients, npu = entries_of(parse(Path("known.yaml"), text), None)
    assert (first.cases, gradients.quantity) == (("a/b/c", "a/b/d"), "gradients")
    assert (npu.where, npu.kind, npu.diagnosis) == ({"device": ("npu",)}, "shape", "other-window")
    assert {name: str(specifier) for name, specifier in first.versions.items()} == {
        "engine": "==1.2"
    }
    assert len(unexplained([first, gradients, npu])) == 6


@pytest.mark.parametrize("name", ["true", "cmd:'a b' --c", "[x]*", "1e5", 'say "so"', "ü: #"])
def test_any_label_is_read_again(verdict: Callable[..., Verdict], name: str) -> None:
    """What would be another value or other YAML is quoted."""
    [entry] = entries_of(parse(Path("known.yaml"), entries([verdict(adapter=name)], {})), None)
    assert entry.adapters == (name,)


def test_what_is_there_stays(
    tmp_path: Path, run_line: dict[str, Any], verdict: Callable[..., Verdict]
) -> None:
    """Entries and comments of the file are kept to the byte; a file that is no block list is left
    alone and told.
    """
    record = Record(
        run=run_line, cases={"folder/file/one": {}}, verdicts=(verdict(),), end={"problems": []}
    )
    file = tmp_path / "known.yaml"
    file.write_text("# mine\n" + KNOWN)
    assert accept(record, file) == (1, 0)
    assert file.read_text().startswith("# mine\n" + KNOWN + "\n- adapter: engine\n")
    file.write_text("[]\n")
    with pytest.raises(RecordError, match="should be a list whose entries begin with a dash"):
        accept(record, file)
    assert file.read_text() == "[]\n"
