"""The process in which a framework reads a model: asked once, heard while it works, ended as a
group.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from conformance.errors import ModelError
from conformance.system.interpreter import package_command
from conformance.system.process_tree import ProcessTree

TIMEOUT = 1800.0
"""The most seconds for one model."""
_TAIL_BYTES = 64 * 1024
_QUIET = {"GLOG_minloglevel": "2", "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}


def ask(
    path: str,
    request: Mapping[str, Any],
    folder: Path,
    environment: Mapping[str, str],
    say: Callable[[str], None],
) -> None:
    """Have a model read into `folder`: result.json, and a file for each array. Raises ModelError.

    The process has a session of its own, no input, and what it prints is kept for a message.
    """
    (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
    process = ProcessTree(
        package_command(sys.executable, "conformance.models.child", str(folder)),
        {**_QUIET, **environment},
        stdin=subprocess.DEVNULL,
    )
    tail = bytearray()
    drain = threading.Thread(target=_keep_tail, args=(process.stderr, tail), daemon=True)
    drain.start()
    timer = threading.Timer(TIMEOUT, process.end)
    timer.start()
    try:
        error = _listen(process.stdout, say)
        code = process.wait()
        if error is None and (code or not (folder / "result.json").is_file()):
            late = timer.finished.is_set() and code == -signal.SIGKILL
            error = f"{_end(code, late)}{_last_line(drain, tail)}"
        if error is not None:
            raise ModelError(f"{path} {error}")
    finally:
        timer.cancel()
        process.end()
        drain.join(1.0)
        process.forget()


def _listen(stream: IO[bytes], say: Callable[[str], None]) -> str | None:
    """Pass on what the process says of its progress, until its end; the error, if it tells one."""
    error = None
    for line in stream:
        try:
            message = json.loads(line)
        except ValueError:
            continue
        if isinstance(message, dict) and "error" in message:
            error = _printable(str(message["error"]))
        elif isinstance(message, dict) and "progress" in message:
            say(_printable(str(message["progress"])))
    stream.close()
    return error


def _printable(text: str) -> str:
    """One line without control characters: the text may quote the file."""
    line = " ".join(text.split())
    return "".join(character if character.isprintable() else "?" for character in line)[:1000]


def _end(code: int, late: bool) -> str:
    if late:
        return f"was not read within {TIMEOUT:.0f} s"
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        memory = ", as it does where memory runs out" if code == -signal.SIGKILL else ""
        return f"cannot be read: its framework's process died by {name}{memory}"
    return f"cannot be read: its framework's process ended with exit code {code}"


def _last_line(drain: threading.Thread, tail: bytearray) -> str:
    drain.join(1.0)
    lines = [line.strip() for line in bytes(tail).decode(errors="replace").splitlines()]
    last = next((line for line in reversed(lines) if line), "")
    return f": {_printable(last)}" if last else ""


def _keep_tail(stream: Any, tail: bytearray) -> None:
    with contextlib.suppress(ValueError, OSError):
        while piece := stream.read1(1 << 16):
            tail += piece
            del tail[:-_TAIL_BYTES]
        stream.close()
