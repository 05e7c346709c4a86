"""The one comment of a pull request that says what came of it: written once, and from then on
replaced.

GitHub's runner names the repository, the event and the address of the API by GITHUB_REPOSITORY,
GITHUB_EVENT_PATH and GITHUB_API_URL; CONFORMANCE_TOKEN is what may write, and CONFORMANCE_COMMENT
the name by which the comment is known again.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conformance.report import github

MOST_BYTES = 60_000
"""Of a comment; GitHub takes 65,536 characters."""

OF_A_PAGE = 100
SECONDS = 30


def write(text: str, environment: Mapping[str, str]) -> str:
    """Write or replace it, and a sentence that says which. Nothing is sent without a token, or if
    the event is of no pull request. Raises OSError and ValueError for what the API does not do.
    """
    token = environment.get("CONFORMANCE_TOKEN", "")
    number = _pull_request(environment)
    if not token or number is None:
        why = "no token was given" if number is not None else "this is no pull request"
        return f"No comment is written: {why}."
    api = environment.get("GITHUB_API_URL") or "https://api.github.com"
    issues = f"{api}/repos/{environment['GITHUB_REPOSITORY']}/issues"
    mark = f"<!-- conformance: {environment.get('CONFORMANCE_COMMENT') or 'conformance'} -->"
    told = github.fitting(text, MOST_BYTES, "a comment holds no more")
    body = {"body": f"{mark}\n{told}"}
    earlier = _earlier(f"{issues}/{number}/comments", mark, token)
    if earlier is None:
        _ask("POST", f"{issues}/{number}/comments", token, body)
        return f"The comment on pull request {number} is written."
    _ask("PATCH", f"{issues}/comments/{earlier}", token, body)
    return f"The comment on pull request {number} is replaced."


def _pull_request(environment: Mapping[str, str]) -> int | None:
    event = environment.get("GITHUB_EVENT_PATH")
    if not event or not Path(event).is_file():
        return None
    told = json.loads(Path(event).read_text(encoding="utf-8")).get("pull_request")
    return None if told is None else int(told["number"])


def _earlier(address: str, mark: str, token: str) -> int | None:
    """The number of the comment that begins with the mark."""
    page = 1
    while comments := _ask("GET", f"{address}?per_page={OF_A_PAGE}&page={page}", token):
        for one in comments:
            if str(one.get("body") or "").startswith(mark):
                return int(one["id"])
        if len(comments) < OF_A_PAGE:
            return None
        page += 1
    return None


def _ask(method: str, address: str, token: str, body: Mapping[str, str] | None = None) -> Any:
    request = urllib.request.Request(
        address,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "Content-Type": "application/json",
            "X-GitHub-Api-Version": "2022-11-28",
        },
    )
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        return json.load(answer)
