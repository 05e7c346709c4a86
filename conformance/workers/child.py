"""The engine's side, in Python: loads one adapter, answers requests on the process's own stdin and
stdout.

A framework sees neither: its stdin is /dev/null and what it prints goes to stderr.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
import time
from io import BufferedReader
from typing import BinaryIO

from conformance.adapters import REGISTRY
from conformance.workers import protocol
from conformance.workers.server import Server


class Pipe:
    """A blocking stream as a protocol source."""

    def __init__(self, stream: BufferedReader) -> None:
        self.stream = stream

    def line(self, limit: int) -> bytes:
        line = self.stream.readline(limit)
        if not line:
            raise EOFError
        return line

    def fill(self, buffer: memoryview) -> None:
        if self.stream.readinto(buffer) < len(buffer):  # a buffered reader waits for all of it
            raise EOFError


def main(spec: str) -> None:
    """Serve the adapter `spec` (a name of the registry, or package.module:Class) until told to
    stop.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    requests, answers = _take_over_streams()
    faulthandler.enable(file=2)  # the frames in which a signal ends it
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    server = Server(spec)
    while True:
        try:
            header, tensors = protocol.decode(requests)
        except EOFError:
            return
        if header.get("do") == "bye":
            if spec in REGISTRY:
                # taking a framework down, program by program, takes seconds that nobody needs
                os._exit(0)
            return
        answer, results = server.answer(header, tensors)
        for part in protocol.encode(answer, results):
            answers.write(part)
        answers.flush()


def _end_with_parent(parent: int) -> None:
    """A parent that was killed cannot end its children: one that is busy sees it here."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os.killpg(0, signal.SIGKILL)


def _take_over_streams() -> tuple[Pipe, BinaryIO]:
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return Pipe(requests), answers
