"""The framework's side: reads one model and writes what it holds into a folder.

What a framework prints goes to stderr; the process's own stdout carries progress, a JSON object a
line.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path

from conformance.models.guard import limit_memory
from conformance.models.results import ReadingError, Request, Results

READERS = "conformance.models.readers"


def main(folder: str) -> None:
    """Read the model of `request.json` in a folder; exit code 1 where that fails, once it is
    told.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    limit_memory()
    request = Request.of(Path(folder))

    def tell(kind: str, text: str) -> None:
        print(json.dumps({kind: text}), file=answers, flush=True)

    results = Results(Path(folder), lambda text: tell("progress", text))
    try:
        importlib.import_module(f"{READERS}.{request.reader}").read(request, results)
        results.write()
    except ReadingError as error:
        tell("error", str(error))
        os._exit(1)
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        tell("error", _sentence(error))
        os._exit(1)
    os._exit(0)  # taking a framework down takes seconds that nobody needs


def _sentence(error: BaseException) -> str:
    """An exception as the end of a sentence; what a reader said itself may be its cause."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ReadingError):
        cause = cause.__cause__ or cause.__context__
    if cause is not None:
        return str(cause)
    first = next((line for line in str(error).splitlines() if line.strip()), "")
    return f"cannot be read: {type(error).__name__}: {first}".rstrip(": ")


def _end_with_parent(parent: int) -> None:
    """A parent that was killed cannot end its children."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os.killpg(0, signal.SIGKILL)
