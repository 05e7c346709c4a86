"""A run from cases to the record: the exact verdict of every engine that is wrong on purpose, and a
record that can go on.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers import CUT, EMPTY, GAPS, TESTS, TORCHS_RULE, corpus, foreign, gone, miniature, started

from conformance.corpus.selection import select
from conformance.errors import CaseFileError, FileProblems, RecordError, UsageError
from conformance.record.case_line import corpus_digest
from conformance.record.reader import read_record
from conformance.record.record import RECORD
from conformance.run.plan import Task
from conformance.run.request import Request
from conformance.run.runner import execute

pytestmark = pytest.mark.slow


class Watcher:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.verdicts, self.done, self.counts, self.absent = [], [], {}, {}

    def started(self, counts: Any, absent: Any, run: Any) -> None:
        self.counts, self.absent = dict(counts), dict(absent)

    def verdict(self, verdict: Any) -> None:
        self.verdicts.append(verdict)

    def phase(self, name: Any, done: Any, total: Any) -> None:
        pass

    def finished(self, adapter: Any, seconds: Any) -> None:
        self.done.append(adapter)


def request(folder: Path, root: Any, *specs: Any, **more: Any) -> Any:
    return Request(
        selection=select([str(root)]),
        specs=specs,
        texts_by_label={spec.label: spec.label for spec in specs},
        folder=folder,
        **more,
    )


def run(folder: Path, root: Any, *specs: Any, **more: Any) -> Any:
    return execute(request(folder, root, *specs, **more), Watcher())


def lines(folder: Path) -> Any:
    return [json.loads(line) for line in (folder / RECORD).read_text().splitlines()]


# Per engine: what it makes of `cut`, `gaps` and `empty`, each as (status, what the message or the
# mismatch says). The right values can be had by hand: CS231n's slide has the full output of `cut`,
# and OffByOne begins at its element [2, 2].
REFUSED = ("conforms", "ValueError: the output would be empty")
RIGHT = [("conforms", None), ("conforms", None), REFUSED]


def all_three(status: Any, said: Any) -> Any:
    return [(status, said)] * 3


VERDICTS = {
    "Right": RIGHT,
    "RightInJaxConvention": RIGHT,
    "OffByOne": [
        ("differs", "out[0, 0, 0, 0]=21, should be 3; 16 of 16 elements differ"),
        ("differs", "out[0, 0, 0, 0]=0, should be 5; 5 of 9 elements differ"),
        REFUSED,
    ],
    "BiasDropped": [
        ("differs", "out[0, 0, 0, 0]=2, should be 3; 16 of 16 elements differ"),
        ("conforms", None),
        REFUSED,
    ],
    "OtherDtype": [
        ("differs", "out.dtype=float64, should be float32"),
        ("differs", "out.dtype=float64, should be float32"),
        REFUSED,
    ],
    "OtherShape": [
        ("differs", "out.shape=[1, 1, 4, 3], should be [1, 1, 4, 4]"),
        ("differs", "out.shape=[1, 1, 3, 2], should be [1, 1, 3, 3]"),
        REFUSED,
    ],
    "MakesNaN": [
        ("differs", "out[0, 0, 3, 3]=nan, should be 5; 1 of 16 elements differs"),
        ("differs", "out[0, 0, 2, 2]=nan, should be 20; 1 of 9 elements differs"),
        REFUSED,
    ],
    "Aborts": all_three(
        "crashed", "died by signal 6 (SIGABRT)\nminiature: Check failed: the moon is full\n...\n"
    ),
    "AbortsWithBias": [("crashed", "died by signal 6 (SIGABRT)"), ("conforms", None), REFUSED],
    "Segfaults": all_three("crashed", "died by signal 11 (SIGSEGV)"),
    "ExitsAtOnce": all_three("crashed", "ended with exit code 3 before it answered"),
    "ExitsPolitely": [
        ("raised", "SystemExit: 3"),
        ("raised", "SystemExit: 3"),
        ("conforms", "SystemExit: 3"),
    ],
    "Hangs": all_three("timed-out", "no answer within 1 s"),
    "PrintsFromPython": RIGHT,
    "PrintsFromC": RIGHT,
    "ReadsStdin": RIGHT,
    "Raises": [
        ("raised", "RuntimeError: could not create a primitive"),
        ("raised", "RuntimeError: could not create a primitive"),
        ("conforms", "RuntimeError: could not create a primitive"),
    ],
    "RaisesNotImplementedError": [
        ("unsupported", "NotImplementedError: no kernel for this"),
        ("unsupported", "NotImplementedError: no kernel for this"),
        ("conforms", "NotImplementedError: no kernel for this"),
    ],
    "RaisesUnsupported": all_three("unsupported", "The miniature does nothing at all."),
    "RefusesNothing": [
        ("conforms", None),
        ("conforms", None),
        ("differs", "a result of shape [1, 1, 2, 2], should be refused"),
    ],
    "RunsOutOfMemory": [("raised", "MemoryError: cannot allocate 8 EiB")] * 2,
    "ReturnsList": [
        ("differs", "out.dtype=float64, should be float32"),
        ("differs", "out.dtype=float64, should be float32"),
        REFUSED,
    ],
    "ReturnsObject": [
        (
            "raised",
            (
                "while reading the result TypeError: returned object of dtype object, should be an "
                "array of numbers"
            ),
        ),
        (
            "raised",
            (
                "while reading the result TypeError: returned object of dtype object, should be an "
                "array of numbers"
            ),
        ),
    ],
    "ReturnsFortranOrderAndNegativeZeros": RIGHT,
    "Slow": RIGHT,
    "UnknownConvention": all_three(
        "crashed", "speaks convention 'caffe', should be one of torch, keras"
    ),
    "ClaimsADevice": RIGHT,
    "miniatures_dying:Right": all_three("crashed", "died by signal 6 (SIGABRT)"),
    "miniatures_raising:Right": all_three(
        "raised", "while starting ImportError: libminiature.so.7: cannot open shared object"
    ),
}
FOREIGN = {
    "right": [
        ("conforms", None),
        ("conforms", None),
        ("conforms", "Refused: an output of shape [1, 1, -16, -16]"),
    ],
    "garbage": [("crashed", "answered b'ready.\\n', should be one line of JSON")] * 2,
    "endless-line": [("crashed", "and on, should be one line of JSON")] * 2,
    "wrong-id": [
        ("crashed", "answered request 2, should answer 1"),
        ("crashed", "answered request 3, should answer 2"),
    ],
    "unknown-dtype": [("crashed", "tensor y has dtype 'posit16', should be one of float32")] * 2,
    "no-tensor": [("crashed", "answered outcome 'output', should be output (with a tensor y)")] * 2,
    "unknown-outcome": [("crashed", "answered outcome 'perhaps', should be output")] * 2,
    "dies-half-way": [("crashed", "ended with exit code 0 before it answered")] * 2,
    "grandchild": [("timed-out", "no answer within 1 s, of which its process computed ")] * 2,
    "never-reads": all_three("timed-out", "no answer within 1 s"),
    "hello-raised": all_three("raised", "while starting LinkError: unresolved symbol"),
    "hello-other-protocol": all_three("crashed", "speaks protocol 2, should speak 1"),
}
ALL = {**VERDICTS, **FOREIGN}


@pytest.fixture(scope="module")
def everybody(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One run of every miniature and every foreign engine, and the starts that were written
    down.
    """
    folder = tmp_path_factory.mktemp("everybody")
    log = folder / "log"
    specs = [miniature(name, MINIATURES_LOG=str(log)) for name in VERDICTS] + [
        foreign(name) for name in FOREIGN
    ]
    root = corpus(folder, CUT, GAPS, EMPTY, TORCHS_RULE)
    return run(folder / "out", root, *specs, jobs=2, timeout=1.0), started(log)


@pytest.mark.parametrize("name", ALL)
def test_every_engine_earns_exactly_its_verdicts(everybody: Any, name: Any) -> None:
    """Wrong in one way, one verdict: the status, and the words that explain it."""
    record, _ = everybody
    by_case = {v.case: v for v in record.verdicts if v.adapter == name}
    for case, (status, said) in zip(
        ("tiny/cut", "tiny/gaps", "tiny/empty"), ALL[name], strict=False
    ):
        verdict = by_case[case]
        text = verdict.mismatch["text"] if verdict.mismatch else verdict.message
        assert verdict.status == status, case
        assert (
            (text is None)
            if said is None
            else text.startswith(said) or (said.startswith("and on") and said in text)
        ), case
        assert (verdict.got is not None) == (status == "differs"), case


def test_a_result_that_cannot_be_sent_is_no_refusal(everybody: Any) -> None:
    """Where nonsense had to be refused, an engine that returned something has not refused it,
    whatever it returned.
    """
    record, _ = everybody
    [verdict] = [
        v for v in record.verdicts if (v.adapter, v.case) == ("ReturnsObject", "tiny/empty")
    ]
    assert verdict.fails


def test_running_out_of_memory_is_no_refusal(everybody: Any) -> None:
    """An engine that tried to compute nonsense until nothing was left has not refused it."""
    record, _ = everybody
    [verdict] = [
        v for v in record.verdicts if (v.adapter, v.case) == ("RunsOutOfMemory", "tiny/empty")
    ]
    assert verdict.fails


def test_nothing_is_left_running(everybody: Any) -> None:
    """After the run every process group of every engine is gone, also of those that hung or were
    killed.
    """
    _, pids = everybody
    assert len(set(pids)) > 30
    assert all(gone(pid) for pid in set(pids))


def test_the_record_is_in_order(everybody: Any, tmp_path: Path) -> None:
    """The run line is first, a case comes once and before its first verdict, the end is last and
    counts what is there.
    """
    run(
        tmp_path,
        corpus(tmp_path, CUT, GAPS, EMPTY),
        miniature("Right"),
        miniature("OffByOne"),
        jobs=2,
    )
    written = lines(tmp_path)
    assert written[0]["type"] == "run"
    assert [entry["type"] for entry in written].count("run") == 1
    seen = set()
    for entry in written[1:-1]:
        if entry["type"] == "case":
            assert entry["case"] not in seen
            seen.add(entry["case"])
        else:
            assert entry["type"] == "verdict"
            assert entry["case"] in seen
    assert written[-1]["type"] == "end"
    assert written[-1]["counts"] == {
        "Right": {"conforms": 3},
        "OffByOne": {"differs": 2, "conforms": 1},
    }


def test_the_run_line_says_what_the_results_depend_on(tmp_path: Path) -> None:
    """Versions, devices, platform, processor, threads, command and the corpus."""
    run(
        tmp_path,
        corpus(tmp_path, CUT),
        miniature("Right"),
        command=["conformance", "run"],
        threads=1,
    )
    head = lines(tmp_path)[0]
    assert head["format"] == 1
    assert head["versions"] == {"Right": {"miniature": "1.0"}}
    assert head["devices"] == {"Right": ["cpu"]}
    assert (head["threads"], head["command"]) == (1, ["conformance", "run"])
    assert {
        "platform",
        "machine",
        "python",
        "cpu",
        "corpus",
        "conformance",
        "started",
    } <= head.keys()


def test_a_native_error_case_runs_on_its_own_convention_only(everybody: Any) -> None:
    """One framework's own rule is nobody else's business: no verdict at all for the others."""
    record, _ = everybody
    asked = {v.adapter: v.status for v in record.verdicts if v.case == "tiny/torchs-rule"}
    assert asked["Right"] == "conforms"
    assert asked["RefusesNothing"] == "differs"
    assert "RightInJaxConvention" not in asked
    assert "right" not in asked


def test_what_a_convention_cannot_spell_is_unsupported_and_not_asked(tmp_path: Path) -> None:
    """An end that loses more than the start has no arguments in torch; the engine is not even
    started anew.
    """
    asymmetric = CUT.replace(
        "padding: 1\n    output_padding: 1", "padding: [[0, 1], [0, 1]]"
    ).replace("id: cut", "id: end")
    record = run(
        tmp_path,
        corpus(tmp_path, asymmetric),
        miniature("Aborts"),
        miniature("RightInJaxConvention"),
    )
    assert [(v.adapter, v.status) for v in record.verdicts] == [
        ("Aborts", "unsupported"),
        ("RightInJaxConvention", "conforms"),
    ]
    assert "torch's padding is symmetric" in record.verdicts[0].message
    assert [(entry["adapter"], entry["reason"]) for entry in record.unchecked] == [
        ("Aborts", record.verdicts[0].message)
    ]
    assert not record.ok


def test_a_second_device_is_run_when_all_are_asked_for(tmp_path: Path) -> None:
    """Every device gets its verdict; one that runs elsewhere says so and has raised."""
    record = run(tmp_path, corpus(tmp_path, CUT), miniature("ClaimsADevice"), device="all")
    assert [(v.device, v.status) for v in record.verdicts] == [
        ("cpu", "conforms"),
        ("npu", "raised"),
    ]
    assert "asked for npu, and this runs on cpu" in record.verdicts[1].message


def test_a_device_that_nobody_has_is_an_error_before_anything_runs(tmp_path: Path) -> None:
    """Asked for by name and not there: said with what is there, and no record is begun."""
    with pytest.raises(UsageError, match="Right has no device npu, should be one of cpu"):
        run(
            tmp_path / "out",
            corpus(tmp_path, CUT),
            miniature("ClaimsADevice"),
            miniature("Right"),
            device="npu",
        )
    assert not (tmp_path / "out").exists()


def test_without_names_an_adapter_lacking_the_device_is_unavailable(tmp_path: Path) -> None:
    """Not asked for by name, it does not fail the run: its verdicts say that there is no such
    device.
    """
    specs = [replace(miniature(name), by_name=False) for name in ("ClaimsADevice", "Right")]
    record = run(tmp_path, corpus(tmp_path, EMPTY), *specs, device="npu")
    assert {v.adapter: v.status for v in record.verdicts} == {
        "ClaimsADevice": "conforms",
        "Right": "unavailable",
    }


def test_an_adapter_asked_for_by_name_and_missing_is_an_error(tmp_path: Path) -> None:
    """It must not be green because nothing ran."""
    with pytest.raises(UsageError, match="there is unavailable: there is no module no_such_module"):
        run(
            tmp_path,
            corpus(tmp_path, CUT),
            miniature("Right"),
            miniature("no_such_module:X", label="there"),
        )


def test_an_adapter_of_the_table_that_is_missing_is_told_and_left_out(tmp_path: Path) -> None:
    """Without names the others run; with nobody left there is nothing to run."""
    missing = replace(miniature("no_such_module:X", label="there"), by_name=False)
    watcher = Watcher()
    record = execute(request(tmp_path, corpus(tmp_path, CUT), miniature("Right"), missing), watcher)
    assert "no_such_module" in watcher.absent["there"]
    assert {v.adapter for v in record.verdicts} == {"Right"}
    with pytest.raises(UsageError, match="no adapter to run: there: "):
        run(tmp_path, corpus(tmp_path, CUT), missing)


def test_a_guard_that_disagrees_stops_the_run_before_it_begins(tmp_path: Path) -> None:
    """A case file whose expected output is not the oracle's is wrong, or the oracle is."""
    wrong = (
        GAPS + "    expected: {shape: [1, 1, 3, 3], values: [[5, 0, 10], [0, 0, 0], [15, 0, 21]]}\n"
    )
    with pytest.raises(
        CaseFileError,
        match=r"tiny\.yaml:\d+: expected\.values: has \(?21\.0\)? at \[0, 0, 2, 2\], should have",
    ):
        run(tmp_path / "out", corpus(tmp_path, wrong), miniature("Right"))
    assert not (tmp_path / "out").exists()


def known(root: Any, **changes: Any) -> None:
    entry = {
        "adapter": "miniatures:OffByOne",
        "cases": ["tiny/cut", "tiny/gaps"],
        "versions": {"miniature": "<2"},
        "status": "differs",
        "kind": "values",
        "reason": "It begins one too late.",
        "source": "written for the tests",
        **changes,
    }
    (root / "known_differences").mkdir(exist_ok=True)
    (root / "known_differences" / "miniature.yaml").write_text(json.dumps([entry]))


def test_a_known_difference_passes_the_gate(tmp_path: Path) -> None:
    """A failure that is declared is known, and the record is in order."""
    root = corpus(tmp_path, CUT, GAPS)
    known(root)
    record = run(tmp_path, root, miniature("OffByOne"))
    assert [v.known for v in record.verdicts] == ["It begins one too late."] * 2
    assert record.ok


@pytest.mark.parametrize(
    ("changes", "name", "said"),
    [
        ({}, "BiasDropped", None),
        (
            {"adapter": "Right"},
            "Right",
            "tiny/cut now conforms, should be differs values as the entry says: it is stale",
        ),
        (
            {"kind": "shape"},
            "OffByOne",
            "tiny/cut is differs values, should be differs shape as the entry says",
        ),
        ({"versions": {"miniature": ">=2"}}, "OffByOne", None),
    ],
    ids=["other adapter", "stale", "other kind", "other version"],
)
def test_a_known_difference_that_does_not_fit_fails_the_gate(
    tmp_path: Path, changes: Any, name: Any, said: Any
) -> None:
    """Stale, or failing in another way, or not spoken of at all: unexpected."""
    root = corpus(tmp_path, CUT, GAPS)
    known(root, **changes)
    record = run(tmp_path, root, miniature(name))
    assert not record.ok
    assert record.verdicts[0].known is None
    problem = record.verdicts[0].known_problem
    assert (problem is None) if said is None else said in problem["problem"]
    if problem:
        assert problem["entry"].endswith("miniature.yaml:1")


def test_a_known_difference_that_matches_no_case_is_in_the_end_line(tmp_path: Path) -> None:
    """It fails the gate although every verdict conforms, and the record alone says why."""
    root = corpus(tmp_path, CUT)
    known(root, cases=["tiny/gone"])
    record = run(tmp_path, root, miniature("Right"))
    assert not record.ok
    [problem] = record.end["problems"]
    assert "tiny/gone matches no case" in problem["problem"]


def test_a_selection_does_not_make_an_entry_lost(tmp_path: Path) -> None:
    """An entry is lost when the corpus lacks its case, not when this run leaves the case out."""
    root = corpus(tmp_path, CUT)
    corpus(tmp_path, GAPS, file="other.yaml")
    known(root, cases=["other/gaps"])
    record = run(tmp_path, root / "tiny.yaml", miniature("Right"))
    assert record.ok


# --- going on with a record that was cut
# ------------------------------------------------------------------------------


@pytest.fixture
def whole(tmp_path: Path) -> Any:
    """The folder of a record of two adapters on three cases, and the corpus."""
    root = corpus(tmp_path, CUT, GAPS, EMPTY)
    run(tmp_path, root, miniature("OffByOne"), miniature("Right"))
    return tmp_path, root


def cut(folder: Path, keep: Any, torn: Any = b"") -> Any:
    """Leave the first `keep` lines, and half a line."""
    path = folder / RECORD
    whole_lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(whole_lines[:keep]) + torn)
    return whole_lines


def go_on(folder: Path, root: Any, **more: Any) -> Any:
    return run(folder, root, miniature("OffByOne"), miniature("Right"), resume=True, **more)


@pytest.mark.parametrize("keep", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("torn", [b"", b'{"type":"verdict","case":"tiny/'], ids=["clean", "torn"])
def test_resuming_gives_the_record_that_an_uncut_run_gives(
    whole: Any, keep: Any, torn: Any
) -> None:
    """Wherever it was cut, a torn line or none: what is missing is done, nothing is repeated, there
    is one run line.
    """
    folder, root = whole
    before = lines(folder)
    kept = cut(folder, keep, torn)[:keep]
    record = go_on(folder, root)
    after = lines(folder)
    assert (folder / RECORD).read_bytes().startswith(b"".join(kept))
    assert [entry["type"] for entry in after].count("run") == 1
    assert [(e["type"], e.get("case"), e.get("adapter")) for e in after] == [
        (e["type"], e.get("case"), e.get("adapter")) for e in before
    ]
    assert after[-1]["counts"] == before[-1]["counts"]
    assert record.end is not None


def test_resuming_a_whole_record_runs_nothing(whole: Any) -> None:
    """There is nothing left: no call, and the same verdicts."""
    folder, root = whole
    watcher = Watcher()
    specs = (miniature("OffByOne"), miniature("Right"))
    record = execute(request(folder, root, *specs, resume=True), watcher)
    assert watcher.verdicts == []
    assert len(record.verdicts) == 6
    assert [entry["type"] for entry in lines(folder)].count("end") == 1


def test_the_gate_of_a_resumed_run_covers_the_whole_record(whole: Any) -> None:
    """An unexpected difference before the cut still fails, although all that was done now
    conforms.
    """
    folder, root = whole
    text = lines(folder)
    keep = next(n for n, entry in enumerate(text) if entry.get("adapter") == "Right")
    cut(folder, keep)
    watcher = Watcher()
    record = execute(
        request(folder, root, miniature("OffByOne"), miniature("Right"), resume=True), watcher
    )
    assert {v.status for v in watcher.verdicts} == {"conforms"}
    assert not record.ok


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (
            lambda root: corpus(
                root.parent, CUT.replace("padding: 1", "padding: 0", 1), GAPS, EMPTY
            ),
            "cases",
        ),
        (lambda root: known(root), "cases"),
    ],
    ids=["another case", "another known failure"],
)
def test_resuming_with_another_corpus_is_refused(whole: Any, change: Any, what: Any) -> None:
    """The record speaks of other cases: it is not touched."""
    folder, root = whole
    cut(folder, 4)
    before = (folder / RECORD).read_bytes()
    change(root)
    with pytest.raises(
        UsageError,
        match=f"was begun with other {what}, should be resumed with the same, or run without",
    ):
        go_on(folder, root)
    assert (folder / RECORD).read_bytes() == before


def test_resuming_with_other_versions_is_refused(whole: Any) -> None:
    """Half a record of one version and half of another would be a record of nothing."""
    folder, root = whole
    cut(folder, 4)
    with pytest.raises(UsageError, match="was begun with other versions"):
        run(
            folder,
            root,
            miniature("NewerVersion", label="OffByOne"),
            miniature("Right"),
            resume=True,
        )


def test_resuming_where_nothing_was_begun_begins(tmp_path: Path) -> None:
    """`--resume` in a script need not know whether there was a run before."""
    record = run(tmp_path, corpus(tmp_path, CUT), miniature("Right"), resume=True)
    assert record.ok


def test_resuming_what_is_no_record_is_refused(tmp_path: Path) -> None:
    """A file that is something else is not overwritten."""
    (tmp_path / RECORD).write_text('{"hello": 1}\n')
    with pytest.raises(RecordError, match="is not a line of a record"):
        run(tmp_path, corpus(tmp_path, CUT), miniature("Right"), resume=True)
    assert (tmp_path / RECORD).read_text() == '{"hello": 1}\n'


def test_every_line_is_whole_at_every_moment(tmp_path: Path) -> None:
    """Whoever reads the record while it is written sees whole lines: the observer does, after each
    verdict.
    """
    seen = []

    class Reader(Watcher):
        def verdict(self, verdict: Any) -> None:
            record = read_record(tmp_path / RECORD)
            seen.append((len(record.verdicts), record.verdicts[-1].case, record.end))
            assert (tmp_path / RECORD).read_bytes().endswith(b"\n")

    execute(request(tmp_path, corpus(tmp_path, CUT, GAPS), miniature("Right")), Reader())
    assert seen == [(1, "tiny/cut", None), (2, "tiny/gaps", None)]


def test_the_observer_is_told_once_per_adapter(tmp_path: Path) -> None:
    """How many verdicts each will get, and when each has finished."""
    watcher = Watcher()
    specs = (miniature("Right"), miniature("RightInJaxConvention"))
    execute(request(tmp_path, corpus(tmp_path, CUT, TORCHS_RULE), *specs), watcher)
    assert watcher.counts == {"Right": 2, "RightInJaxConvention": 1}
    assert watcher.done == ["Right", "RightInJaxConvention"]


def test_threads_reach_the_child(tmp_path: Path) -> None:
    """The number of threads is an environment variable of the child."""
    (tmp_path / "counting.py").write_text(
        "import os\nfrom miniatures import Right\n\n\nclass Counting(Right):\n"
        "    def versions(self):\n        return {'threads': os.environ['CONFORMANCE_THREADS'] + "
        "os.environ['OMP_NUM_THREADS']}\n"
    )
    spec = miniature("counting:Counting", label="c")
    spec.environment["PYTHONPATH"] = f"{TESTS}:{tmp_path}"
    record = run(tmp_path, corpus(tmp_path, CUT), spec, threads=3)
    assert record.run["versions"] == {"c": {"threads": "33"}}


@pytest.mark.parametrize("precision", ["strict", "default"])
def test_precision_reaches_the_child_and_the_record(tmp_path: Path, precision: Any) -> None:
    """Whether float32 is to be computed in float32 is said to every child, and kept in the run
    line.
    """
    (tmp_path / "precise.py").write_text(
        "import os\nfrom miniatures import Right\n\n\nclass Precise(Right):\n"
        "    def versions(self):\n        return {'precision': "
        "os.environ['CONFORMANCE_PRECISION']}\n"
    )
    spec = miniature("precise:Precise", label="p")
    spec.environment["PYTHONPATH"] = f"{TESTS}:{tmp_path}"
    record = run(tmp_path, corpus(tmp_path, CUT), spec, precision=precision)
    assert record.run["versions"] == {"p": {"precision": precision}}
    assert record.run["precision"] == precision


def test_a_broken_file_of_known_differences_stops_the_run(tmp_path: Path) -> None:
    """The gate does not guess what an entry means."""
    root = corpus(tmp_path, CUT)
    known(root, status="conforms")
    with pytest.raises(
        FileProblems, match=r"miniature\.yaml:1: status: is 'conforms', should be one of differs"
    ):
        run(tmp_path / "out", root, miniature("Right"))


def test_the_digest_of_a_corpus_does_not_depend_on_where_it_lies(tmp_path: Path) -> None:
    """The same cases in another folder are the same corpus; another number is another."""
    selections = [
        select([str(corpus(tmp_path / name, text))])
        for name, text in (("a", CUT), ("b", CUT), ("c", GAPS))
    ]
    digests = [corpus_digest(selection.cases, []) for selection in selections]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    ("name", "costly"),
    [
        ("arithmetic/first/stride-larger-than-kernel", False),
        ("numerics/reductions/one-axis", True),
        ("networks/sam/first", True),
    ],
)
def test_large_cases_and_those_of_many_products_are_costly(name: Any, costly: Any) -> None:
    """4,200 inputs of 4,100 taps take no room, and the ONNX reference evaluator longer than any
    layer of a network.
    """
    [case] = select([name]).cases
    assert Task(case=case, label="any", device="cpu", quantity="output").is_costly is costly
