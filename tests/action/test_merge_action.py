"""The action that merges: the jobs of a matrix, their records in folders as a download leaves them,
and one gate; a local server in the place of GitHub's API.
"""

from __future__ import annotations

import json
import runpy
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from helpers import CHECKOUT, CUT, GAPS, corpus, environment
from test_action import MERGE, inputs, without_installing
from workflows import Job, run_action

from conformance.record.reader import read_record

pytestmark = pytest.mark.slow

OF = 3
"""Of the two cases, so that one shard is empty."""


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Job]]:
    """Three jobs of a wrong engine, and what each has uploaded, in a folder of its name."""
    folder = tmp_path_factory.mktemp("matrix")
    corpus(folder, CUT, GAPS)
    root = without_installing(folder)
    jobs = []
    for number in range(1, OF + 1):
        job = Job()
        asked = inputs(cases="cases", adapters="mine=miniatures:OffByOne", shard=f"{number}/{OF}")
        run_action(job, root, asked, folder, environment())
        [(name, uploaded)] = job.uploads.items()
        (folder / uploaded).rename(folder / name)
        jobs.append(job)
    return folder, jobs


@pytest.fixture
def merged(matrix: tuple[Path, list[Job]], tmp_path: Path) -> Callable[..., Job]:
    """The action's steps in a copy of that folder, without some of the uploads."""

    def run(*, without: tuple[str, ...] = (), **given: str) -> Job:
        folder = tmp_path / "job"
        shutil.copytree(matrix[0], folder, dirs_exist_ok=True)
        for name in without:
            shutil.rmtree(folder / name)
        variables = {name: given.pop(name) for name in [*given] if name not in MERGE["inputs"]}
        job = Job()
        root = folder / "action-root" / "action" / "merge"
        run_action(job, root, inputs(**given), folder, environment(**variables))
        return job

    return run


def test_shards_tell_and_do_not_gate(matrix: tuple[Path, list[Job]]) -> None:
    """Each passes with a summary, whatever differs; the annotations are the merge's."""
    _, jobs = matrix
    assert [(job.code, job.errors) for job in jobs] == [(0, [])] * OF, jobs[0].log
    assert [[*job.uploads] for job in jobs] == [
        [f"conformance-{number}-of-{OF}"] for number in range(1, OF + 1)
    ]
    assert sum("| mine | tiny/" in job.summary for job in jobs) == 2


def test_the_whole_gates_once(merged: Callable[..., Job], tmp_path: Path) -> None:
    """As a run of the whole would: one annotation at the smallest case, one table, exit 1 after
    the upload of record, page and JUnit XML.
    """
    job = merged()
    assert (job.code, job.outputs["exit-code"]) == (1, "1"), job.log
    [error] = job.errors
    assert error.startswith("::error file=cases/tiny.yaml,line=13,title=mine (cpu) differs")
    assert "| mine | miniature 1.0 | 2 |  | 2 |" in job.summary
    assert job.uploads == {"conformance": "conformance-report"}
    record, page, junit = (
        tmp_path / "job" / job.outputs[name] for name in ("record", "page", "junit")
    )
    assert page.is_file()
    assert read_record(record).end is not None
    assert len(ElementTree.parse(junit).findall("testsuite/testcase/failure")) == 2
    assert "No comment is written: this is no pull request." in job.log


def test_a_shard_that_is_missing_fails_and_is_named(merged: Callable[..., Job]) -> None:
    """A job that was killed has uploaded nothing; what the others found is told all the same."""
    job = merged(without=(f"conformance-1-of-{OF}",))
    assert job.code == 1
    assert f"mine (cpu): shards 1/{OF} are missing, 1 of 2 cases" in job.errors[0]
    assert f"shards 1/{OF} are missing" in job.summary
    assert len(job.errors) == 2
    assert job.uploads == {"conformance": "conformance-report"}


def test_nothing_to_unite_is_exit_2(merged: Callable[..., Job]) -> None:
    """One sentence; nothing to upload."""
    job = merged(records="elsewhere-*")
    assert (job.code, job.uploads, job.outputs["record"]) == (2, {}, "")
    assert "records: elsewhere-* has no results.jsonl" in job.errors[0]
    assert "It could not run" in job.summary


def test_a_baseline_is_compared_with_the_whole(merged: Callable[..., Job]) -> None:
    """No shard can say what is worse than a record of all cases."""
    merged(output="before")
    job = merged(baseline="before")
    assert job.code == 1  # for what differs, and not for what has changed
    assert "## Since the baseline" in job.summary
    assert "No worse: of 2 checks" in job.summary


class Api(BaseHTTPRequestHandler):
    """As much of GitHub's API as comments need: two pages of them, and what was asked."""

    comments: list[dict[str, Any]]
    asked: list[tuple[str, str]]
    status = 200

    def _answer(self, what: Any) -> None:
        body = json.dumps(what).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _hear(self) -> str:
        self.asked.append((self.command, self.path))
        assert self.headers["Authorization"] == "Bearer secret"
        size = int(self.headers.get("Content-Length", 0))
        return str(json.loads(self.rfile.read(size))["body"]) if size else ""

    def do_GET(self) -> None:
        self._hear()
        page = int(self.path.rpartition("page=")[2])
        self._answer(self.comments[100 * (page - 1) : 100 * page])

    def do_POST(self) -> None:
        self.comments.append({"id": 1000 + len(self.comments), "body": self._hear()})
        self._answer(self.comments[-1])

    def do_PATCH(self) -> None:
        number = int(self.path.rpartition("/")[2])
        [comment] = [one for one in self.comments if one["id"] == number]
        comment["body"] = self._hear()
        self._answer(comment)

    def log_message(self, *_: Any) -> None:
        """Nothing on standard error."""


@pytest.fixture
def api(tmp_path: Path) -> Iterator[tuple[type[Api], dict[str, str]]]:
    """A server with a hundred comments of others, and the environment of a pull request's job."""
    (tmp_path / "event.json").write_text(json.dumps({"pull_request": {"number": 7}}))

    class Own(Api):
        comments = [{"id": number, "body": "looks good"} for number in range(100)]
        asked: list[tuple[str, str]] = []

    server = ThreadingHTTPServer(("127.0.0.1", 0), Own)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    variables = {
        "GITHUB_API_URL": f"http://127.0.0.1:{server.server_port}",
        "GITHUB_REPOSITORY": "owner/name",
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "no_proxy": "127.0.0.1",
    }
    yield Own, variables
    server.shutdown()
    thread.join()
    server.server_close()


def test_one_comment_is_written_and_then_replaced(
    api: tuple[type[Api], dict[str, str]], tmp_path: Path
) -> None:
    """Found again by its mark on whatever page it is; another name has another comment, and
    without a token nothing is asked.
    """
    server, variables = api
    write = runpy.run_path(str(CHECKOUT / "action" / "comment.py"))["write"]
    asked = variables | {"CONFORMANCE_TOKEN": "secret"}
    address = "/repos/owner/name/issues"
    assert write("first", asked) == "The comment on pull request 7 is written."
    assert server.asked == [
        ("GET", f"{address}/7/comments?per_page=100&page=1"),
        ("GET", f"{address}/7/comments?per_page=100&page=2"),
        ("POST", f"{address}/7/comments"),
    ]
    assert write("second", asked) == "The comment on pull request 7 is replaced."
    assert server.asked[-1] == ("PATCH", f"{address}/comments/1100")
    assert server.comments[100]["body"] == "<!-- conformance: conformance -->\nsecond"
    write("x\n" * 100_000, asked | {"CONFORMANCE_COMMENT": "torch"})
    assert len(server.comments) == 102
    assert len(server.comments[101]["body"]) < 65_536
    assert "a comment holds no more" in server.comments[101]["body"]
    before = len(server.asked)
    assert write("third", variables) == "No comment is written: no token was given."
    (tmp_path / "event.json").write_text("{}")
    assert write("third", asked) == "No comment is written: this is no pull request."
    assert len(server.asked) == before


def test_the_action_comments_and_goes_on_where_it_may_not(
    merged: Callable[..., Job], api: tuple[type[Api], dict[str, str]]
) -> None:
    """The summary is the comment; that it is refused is a warning."""
    server, variables = api
    job = merged(token="secret", **variables)
    assert job.code == 1
    assert server.comments[100]["body"].startswith("<!-- conformance: conformance -->\n## Does not")
    assert server.comments[100]["body"].endswith(job.summary.rstrip())
    server.status = 403
    job = merged(token="secret", **variables)
    assert job.code == 1
    assert "::warning title=conformance::the comment could not be written" in job.log
    assert len(job.errors) == 1
