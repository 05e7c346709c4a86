"""The GitHub action without GitHub: its scripts, what they tell the runner, and the files that
GitHub reads.
"""

from __future__ import annotations

import re
import runpy
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers import CHECKOUT, CUT, GAPS, command, corpus, environment
from workflows import Job, run_action

from conformance.record.record import Record
from conformance.report import github
from conformance.verdicts.verdict import Verdict

ACTION = yaml.safe_load((CHECKOUT / "action.yml").read_text())
MERGE = yaml.safe_load((CHECKOUT / "action" / "merge" / "action.yml").read_text())
INSTALL = runpy.run_path(str(CHECKOUT / "action" / "install.py"))


def without_installing(folder: Path) -> Path:
    """The actions with nothing to install."""
    root = folder / "action-root"
    shutil.copytree(CHECKOUT / "action", root / "action")
    (root / "action.yml").write_text((CHECKOUT / "action.yml").read_text())
    (root / "action" / "install.py").write_text("")
    return root


def inputs(**given: str) -> dict[str, str]:
    named = {name.replace("_", "-"): text for name, text in given.items()}
    return {"python": sys.executable, **named}


@pytest.fixture
def gate(tmp_path: Path) -> Callable[..., Job]:
    """The action's steps but the installation, on a corpus of two cases."""
    corpus(tmp_path, CUT, GAPS)
    root = without_installing(tmp_path)

    def run(**given: str) -> Job:
        job = Job()
        run_action(job, root, {"cases": "cases", **inputs(**given)}, tmp_path, environment())
        return job

    return run


def test_what_conforms_passes_and_leaves_everything(
    tmp_path: Path, gate: Callable[..., Job]
) -> None:
    """Exit 0, the record and the page as outputs and in the upload, a summary with a table, no
    annotation.
    """
    job = gate(adapters="mine=miniatures:Right")
    assert (job.code, job.errors) == (0, []), job.log
    assert job.outputs == {
        "exit-code": "0",
        "record": "conformance-report/results.jsonl",
        "page": "conformance-report/index.html",
    }
    assert job.uploads == {"conformance": "conformance-report"}
    assert all((tmp_path / job.outputs[name]).is_file() for name in ("record", "page"))
    assert "| adapter | versions | conforms | known | new |" in job.summary
    assert "| mine | miniature 1.0 | 2 |  |  |" in job.summary


def test_what_differs_fails_after_everything_was_told(gate: Callable[..., Job]) -> None:
    """The job ends with 1; the upload, the summary's row and an annotation at the smallest case's
    line come before.
    """
    job = gate(adapters="mine=miniatures:OffByOne")
    assert job.code == 1
    assert (job.outputs["exit-code"], job.uploads) == ("1", {"conformance": "conformance-report"})
    assert (
        r"| mine | tiny/gaps | differs | 2 cases; out\[0, 0, 0, 0\]=0, should be 5; 5 of 9 "
        r"elements differ" in job.summary
    )
    [error] = job.errors
    assert error.startswith(
        "::error file=cases/tiny.yaml,line=13,title=mine (cpu) differs from the oracle in "
        "tiny/gaps::2 cases%0Aout[0, 0, 0, 0]=0"
    )
    assert "%0Areproduce: conformance run cases tiny/gaps -a mine=miniatures:OffByOne" in error


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"gate": "no", "adapters": "miniatures:Right"}, "gate: 'no' is not known, should be true"),
        ({"shard": "3/2", "adapters": "miniatures:Right"}, "--shard 3/2: should be I/N"),
        ({"adapters": "trch"}, "-a trch: unknown adapter trch"),
        ({"cases": "nowhere.yaml", "adapters": "miniatures:Right"}, "nowhere.yaml does not exist"),
        (
            {"adapters": "'open"},
            "adapters: No closing quotation, should be words quoted as for a shell",
        ),
    ],
)
def test_what_cannot_run_is_told_and_exits_2(
    gate: Callable[..., Job], given: dict[str, str], said: str
) -> None:
    """One annotation and a summary with the sentence; nothing to upload."""
    job = gate(**given)
    assert (job.code, job.uploads, job.outputs["record"]) == (2, {}, "")
    [error] = job.errors
    assert said in error
    assert "It could not run" in job.summary


def test_a_record_of_an_earlier_run_is_not_taken_for_this_one(gate: Callable[..., Job]) -> None:
    """What fails to start leaves no outputs, whatever lies in the folder."""
    gate(adapters="miniatures:Right")
    assert gate(adapters="trch").outputs == {"exit-code": "2", "record": "", "page": ""}


def test_an_engine_cannot_speak_to_the_runner(tmp_path: Path, gate: Callable[..., Job]) -> None:
    """What it says in its messages is no command, though it looks like one."""
    (tmp_path / "loud.py").write_text(
        "from miniatures import Right\n\n\nclass Loud(Right):\n    def call(self, *_):\n"
        "        raise ValueError('x\\n::error title=mine::I speak\\n::set-output "
        "name=exit-code::0')\n"
    )
    job = gate(adapters="loud:Loud")
    assert "::error title=mine::I speak" in job.log
    assert job.code == 1
    assert len(job.errors) == 1
    assert not any(line.startswith("::error title=mine") for line in job.errors)


def test_a_baseline_that_was_better_fails(tmp_path: Path, gate: Callable[..., Job]) -> None:
    """What changed is in the summary; a baseline that is not there is exit 2."""
    gate(adapters="mine=miniatures:Right", output="before")
    job = gate(adapters="mine=miniatures:OffByOne", baseline="before")
    assert job.code == 1
    assert "## Since the baseline" in job.summary
    assert "### Newly failing (2)" in job.summary
    assert gate(adapters="mine=miniatures:Right", baseline="before").code == 0
    assert gate(adapters="mine=miniatures:Right", baseline="missing").code == 2


def test_known_differences_and_options_reach_the_run(
    tmp_path: Path, gate: Callable[..., Job]
) -> None:
    """Each as words of a shell; without a name there is no upload."""
    (tmp_path / "my known.yaml").write_text(
        "- adapter: mine\n  cases: [tiny/*]\n  versions: {}\n  status: differs\n  reason: It is "
        "off by one.\n  source: here\n"
    )
    job = gate(
        adapters="mine=miniatures:OffByOne",
        known="'my known.yaml'",
        options="-k cut --timing off",
        artifact="",
    )
    assert (job.code, job.uploads, job.errors) == (0, {}, []), job.log
    assert "| mine | miniature 1.0 | 1 | 1 |  |" in job.summary


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, [str(CHECKOUT)]),
        ({"CONFORMANCE_EXTRAS": "torch, onnx"}, [f"{CHECKOUT}[torch,onnx]"]),
        (
            {"CONFORMANCE_REQUIREMENTS": "'a >= 1' -c constraints.txt"},
            [str(CHECKOUT), "a >= 1", "-c", "constraints.txt"],
        ),
    ],
)
def test_what_is_installed(given: dict[str, str], wanted: list[str]) -> None:
    """The checkout itself with its extras, and the requirements in one call, so that they are
    resolved together.
    """
    assert INSTALL["words"](given) == wanted


def test_an_extra_that_is_no_name_is_refused(tmp_path: Path) -> None:
    """One sentence as an annotation, exit 2, and nothing is installed."""
    done = subprocess.run(
        [sys.executable, CHECKOUT / "action" / "install.py"],
        env={**environment(), "CONFORMANCE_EXTRAS": "torch];x"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout.startswith("::error title=conformance::extras: 'torch];x' is no name")


def test_annotations_are_ten_at_most(
    run_line: dict[str, Any], verdict: Callable[..., Verdict]
) -> None:
    """One for each way to fail; the last one says how many more there are."""
    names = "abcdefghijklmn"
    found = tuple(
        verdict(case=f"a/b/{name}", status="raised", message=f"{name}: no") for name in names
    )
    record = Record(
        run=run_line, cases={one.case: {} for one in found}, verdicts=found, end={"problems": []}
    )
    lines = list(github.annotation_lines(record))
    assert len(lines) == 10
    assert "and 5 more" in lines[-1]


def test_a_property_cannot_be_left() -> None:
    """Colons, commas, percent signs and ends of lines are escaped as the runner unescapes them."""
    assert (
        github.error("a\n::b%", at="x,y.yaml:3", title="t:u")
        == "::error file=x%2Cy.yaml,line=3,title=t%3Au::a%0A::b%25"
    )


def test_an_annotation_is_one_line_that_shows_what_it_says() -> None:
    """Whatever an engine says: no other command, no escape."""
    line = github.error("\x1b[31m\r\n::set-env::\u202e", title="a\r\n::b")
    assert line == r"::error title=a\r%0A%3A%3Ab::\x1b[31m\r%0A::set-env::\u202e"


def test_a_summary_is_cut_where_github_would_show_nothing(
    run_line: dict[str, Any], verdict: Callable[..., Verdict]
) -> None:
    """Whole lines below the limit, and how many more there are; a smaller one stays whole."""
    text = "\n".join(f"| {number:06} | é |" for number in range(100_000))
    cut = github.fitting(text)
    assert github.MOST_BYTES - 200 < len(cut.encode()) <= github.MOST_BYTES
    kept, _, remark = cut.rstrip().rpartition("\n\n")
    assert text.startswith(kept + "\n")
    left = 100_000 - kept.count("\n") - 1
    assert remark.startswith(f"{left:,} more lines are in the record and on the page")
    assert github.fitting(kept) == kept
    said = verdict(status="raised", message="x" * 2**21)
    record = Record(run=run_line, cases={said.case: {}}, verdicts=(said,), end={"problems": []})
    assert len(github.summary(record)) < 10_000


def test_what_differs_may_be_told_alone(gate: Callable[..., Job]) -> None:
    """`gate: false` passes without a shard too; `true` fails in one."""
    told = gate(adapters="mine=miniatures:OffByOne", gate="false")
    assert (told.code, told.outputs["exit-code"], told.errors) == (0, "0", [])
    assert "differs" in told.summary
    assert gate(adapters="mine=miniatures:OffByOne", shard="1/2", gate="true").code == 1


@pytest.mark.parametrize("action", [ACTION, MERGE], ids=["run", "merge"])
def test_no_input_is_written_into_a_script(action: Any) -> None:
    """Inputs reach the shell through the environment alone: what they hold is never taken for a
    command.
    """
    runs = [step["run"] for step in action["runs"]["steps"] if "run" in step]
    assert len(runs) == 3
    assert not any("${{" in text for text in runs)


@pytest.mark.parametrize("kind", ["inputs", "outputs"])
@pytest.mark.parametrize("number", [0, 1], ids=["run", "merge"])
def test_inputs_and_outputs_are_documented(number: int, kind: str) -> None:
    """The page of the gatekeeper has a row for each, and no other; every one has a description."""
    text = (CHECKOUT / "docs" / "gatekeeper.md").read_text()
    tables = text.split(f"| {kind.removesuffix('s')} |")[1:]
    action = [ACTION, MERGE][number]
    rows = re.findall(r"^\| `([\w-]+)` \|", tables[number].split("\n\n")[0], re.MULTILINE)
    assert rows == list(action[kind])
    assert all(about["description"] for about in action[kind].values())


@pytest.mark.parametrize(
    "path", sorted((CHECKOUT / ".github" / "workflows").glob("*.yml")), ids=lambda path: path.stem
)
def test_a_workflow_names_what_is_there(path: Path) -> None:
    """It uses the action of this repository, where it does not merely publish, with inputs that it
    has, tox environments and scripts that exist.
    """
    jobs = yaml.safe_load(path.read_text())["jobs"]
    steps = [step for job in jobs.values() for step in job["steps"]]
    unknown = [
        set(step["with"]) - set(ACTION["inputs"]) for step in steps if step.get("uses") == "./"
    ]
    assert unknown == ([] if path.stem == "pages" else [set()])
    tox = (CHECKOUT / "tox.ini").read_text()
    for line in "\n".join(step.get("run", "") for step in steps).splitlines():
        for name in re.findall(r"tox -e ([\w,]+)", line):
            assert all(f"[testenv:{one}]" in tox for one in name.split(","))
        for script in re.findall(r"python ([\w/]+\.py)", line):
            assert (CHECKOUT / script).is_file()


def test_the_matrix_is_made_of_tox_environments() -> None:
    """Those that begin as asked, as JSON; none where there is none."""
    pytest.importorskip("tox")
    for word, some in (("regression-", True), ("nothing-", False)):
        done = subprocess.run(
            [sys.executable, CHECKOUT / "tools" / "releases" / "environments.py", word],
            capture_output=True,
            text=True,
            check=True,
        )
        found = yaml.safe_load(done.stdout)
        assert bool(found) == some
        assert all(name.startswith(word) for name in found)


def test_the_hook_lints(tmp_path: Path) -> None:
    """The entry of .pre-commit-hooks.yaml, as it stands, fails on a case without `expected` and
    passes with it.
    """
    [hook] = yaml.safe_load((CHECKOUT / ".pre-commit-hooks.yaml").read_text())
    program, *words = [*shlex.split(hook["entry"]), *hook["args"]]
    assert (program, hook["pass_filenames"]) == ("conformance", False)
    root = corpus(tmp_path, CUT, GAPS)
    assert command(*words, cwd=tmp_path).returncode == 1
    command("bless", root, cwd=tmp_path)
    assert command(*words, cwd=tmp_path).returncode == 0
    assert re.search(hook["files"], "cases/known_differences/mine.yaml")
