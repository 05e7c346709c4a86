"""The message that is sent for a request, without anybody who answers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from conformance.corpus.tensors import Array
from conformance.workers import protocol
from conformance.workers.engine import Engine
from conformance.workers.process import Died
from conformance.workers.request import CallRequest, EngineRequest
from conformance.workers.spec import Spec

Message = tuple[dict[str, Any], dict[str, Array]]
"""A header and the arrays whose bytes follow it."""


class _Nobody:
    """Who is asked, keeps the message, and does not answer."""

    waits = True

    def __init__(self) -> None:
        self.message: Message = {}, {}

    def ask(
        self,
        header: Mapping[str, Any],
        tensors: Mapping[str, Array],
        seconds: float,
        most_bytes: int = protocol.MOST_BYTES,
    ) -> Message:
        self.message = dict(header), dict(tensors)
        raise Died("nobody was asked")

    def close(self) -> None:
        return

    def kill(self, grace: float = 0.0) -> None:
        return


class _Silent(Engine):
    """An engine whose process is nobody."""

    def __init__(self) -> None:
        super().__init__(Spec(label="", adapter="", command=()), timeout=0.0)
        self.nobody = self._process = _Nobody()


def message_of(request: EngineRequest) -> Message:
    """The message of a request, which is that of its first repetition."""
    engine = _Silent()
    once = replace(request, repeat=1) if isinstance(request, CallRequest) else request
    once.ask(engine)
    return engine.nobody.message


def conversation_of(message: Message) -> bytes:
    """All that an engine reads which is asked this alone: greeting, request and farewell."""
    requests: list[Message] = [
        ({"do": "hello", "protocol": protocol.VERSION}, {}), message, ({"do": "bye"}, {})
    ]  # fmt: skip
    return b"".join(bytes(part) for one in requests for part in protocol.encode(*one))
