"""The process of a candidate, or of the reference: a request a line, an answer a line, arrays in
files that both sides map.

What the candidate prints goes to stderr. Nothing here knows what would be right: the truth is
computed elsewhere, after the answer.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, Protocol

from conformance.outcomes import message_of

OURS = str(Path(__file__).resolve().parents[2])
MOST_FRAMES = 5


class Server(Protocol):
    """What answers requests; its method `do_NAME` is given what a request of that name says."""


def main(argument: str) -> None:
    """Serve the requests of stdin until it ends; `argument` says as what."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    faulthandler.enable()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    questions = os.fdopen(os.dup(0), encoding="utf-8")
    os.dup2(2, 1)
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdout = sys.stderr
    server = serve(json.loads(argument))
    for line in questions:
        request = json.loads(line)
        number = request.pop("number")  # of the question: no candidate is told
        answered = {**answer(server, request), "number": number}
        print(json.dumps(answered), file=answers, flush=True)
    os._exit(0)  # taking a framework down takes seconds that nobody needs


def serve(role: dict[str, Any]) -> Server:
    """What answers in the role of a candidate or of the reference."""
    if role["role"] == "reference":
        from conformance.kernels.bench.reference import ReferenceServer

        return ReferenceServer(role)
    from conformance.kernels.bench.candidate import CandidateServer

    return CandidateServer(role)


def answer(server: Server, request: dict[str, Any]) -> dict[str, Any]:
    """The answer to a request; an exception is one."""
    try:
        result: dict[str, Any] = getattr(server, f"do_{request.pop('do')}")(**request)
        return result
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        return {
            "raised": {
                "type": type(error).__name__,
                "message": message_of(error)[:4096],
                "frames": frames_of(error),
                "unsupported": isinstance(error, NotImplementedError)
                or type(error).__name__ == "Unsupported",
            }
        }


def frames_of(error: BaseException) -> list[str]:
    """`FILE:LINE in NAME` of the last frames that are not ours, the innermost last."""
    frames = [
        f"{frame.filename}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(OURS) and not frame.filename.startswith("<frozen")
    ]
    return frames[-MOST_FRAMES:]
