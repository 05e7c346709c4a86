"""An adapter in Python as who answers requests: whatever it does becomes an answer."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from conformance.adapters import (
    STAGE,
    Adapter,
    Missing,
    Operand,
    PreparedCall,
    ShapeFunction,
    Unsupported,
)
from conformance.corpus.tensors import dtype_of, numeric_array
from conformance.outcomes import message_of
from conformance.workers import protocol, timing
from conformance.workers.frames import frames_of
from conformance.workers.loader import Absent, load

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_NOT_IMPLEMENTED = {"NotImplementedError", "NotImplemented", "UnimplementedError"}

Answer = tuple[dict[str, Any], dict[str, Any]]
"""A header and the arrays that follow it."""


class Server:
    """The adapter `spec` (a name of the registry, or package.module:Class), loaded when it is
    greeted.
    """

    def __init__(self, spec: str) -> None:
        self._spec = spec
        self._adapter: Adapter | None = None
        self._asked: dict[str, Callable[[Adapter, dict[str, Any], dict[str, Any]], Answer]] = {
            "call": _call, "gradients": _gradients, "shape": _shape, "time": _Timed(),
        }  # fmt: skip

    def answer(self, header: dict[str, Any], tensors: dict[str, Any]) -> Answer:
        """The answer to any request but "bye"."""
        answer: dict[str, Any]
        results: dict[str, Any] = {}
        match header.get("do"):
            case "hello":
                self._adapter, answer = _hello(self._spec)
            case "call" | "gradients" | "shape" | "time" as what if self._adapter is not None:
                answer, results = _guarded(self._asked[what], self._adapter, header, tensors)
            case other:
                text = f"This engine does not answer {other!r}."
                answer = {"outcome": "unsupported", "reason": text}
        if "id" in header:
            answer["id"] = header["id"]
        return answer, results


def _hello(spec: str) -> tuple[Adapter | None, dict[str, Any]]:
    try:
        adapter = load(spec)
        answer = {
            "protocol": protocol.VERSION,
            "convention": adapter.convention,
            "versions": {str(name): str(version) for name, version in adapter.versions().items()},
            "devices": [str(device) for device in adapter.devices()],
        }
        if isinstance(adapter, PreparedCall):
            answer["threads"] = adapter.threads()
        tell_facts = getattr(adapter, "facts", None)
        if tell_facts is not None:
            answer["facts"] = dict(tell_facts())
        if isinstance(adapter, ShapeFunction):
            answer |= {"quantities": [*adapter.quantities], "unknown": [*adapter.unknown]}
        json.dumps(answer)
    except (Absent, Missing) as error:
        return None, {"outcome": "unavailable", "reason": str(error)}
    except (Exception, SystemExit) as error:
        return None, _raised(error)
    return adapter, answer


def _guarded(
    answer: Callable[[Adapter, dict[str, Any], dict[str, Any]], Answer],
    adapter: Adapter,
    header: dict[str, Any],
    tensors: dict[str, Any],
) -> Answer:
    """The answer, or the exception that came up as one."""
    try:
        return answer(adapter, header, tensors)
    except Unsupported as error:
        return {"outcome": "unsupported", "reason": error.reason}, {}
    except (Exception, SystemExit) as error:
        return _raised(error), {}


def _call(adapter: Adapter, header: dict[str, Any], tensors: dict[str, Any]) -> Answer:
    before = _compilations(adapter)
    run, fetch = _prepared(adapter, header, tensors)
    began = time.perf_counter()
    y = run()
    answer = {"outcome": "output", "seconds": time.perf_counter() - began}
    answer |= _call_report(adapter, before)
    try:
        return answer, {"y": numeric_array(fetch(y))}
    except Exception as error:  # the call itself went through: this refuses nothing
        return {**_raised(error), "outcome": "raised", "stage": "while reading the result"}, {}
    finally:
        del run, y
        _release(adapter)


def _gradients(adapter: Adapter, header: dict[str, Any], tensors: dict[str, Any]) -> Answer:
    differentiate = getattr(adapter, "gradients", None)
    if differentiate is None:
        raise Unsupported(protocol.NO_GRADIENTS)
    before = _compilations(adapter)
    gradients = differentiate(
        tensors["x"],
        tensors["kernel"],
        tensors.get("bias"),
        header["native"],
        tensors["cotangent"],
        header["device"],
    )
    answer: dict[str, Any] = {"outcome": "gradients", **_call_report(adapter, before)}
    try:
        arrays = zip(("dx", "dkernel", "dbias"), gradients, strict=True)
        return answer, {name: numeric_array(array) for name, array in arrays if array is not None}
    except Exception as error:  # the differentiation itself went through
        return {**_raised(error), "outcome": "raised", "stage": "while reading the gradients"}, {}


def _call_report(adapter: Adapter, before: Mapping[str, int] | None) -> dict[str, Any]:
    """What the framework tells of the call that it has made: how many programs it compiled since
    `before`, and where it placed the call.
    """
    answer: dict[str, Any] = {}
    if before is not None:
        after = _compilations(adapter) or {}
        answer["compiled"] = {name: after.get(name, 0) - count for name, count in before.items()}
    placement = adapter.computed_by() if isinstance(adapter, PreparedCall) else None
    return answer if placement is None else {**answer, "computed_by": placement}


def _shape(adapter: Adapter, header: dict[str, Any], tensors: dict[str, Any]) -> Answer:
    if not isinstance(adapter, ShapeFunction):
        raise Unsupported("This adapter is not a shape function.")
    operands = {
        operand["name"]: Operand(shape=tuple(operand["shape"]), dtype=dtype_of(operand["dtype"]))
        for operand in header["operands"]
    }
    bias = operands["bias"].zeros() if "bias" in operands else None
    sizes = adapter.shape(
        operands["x"], operands["kernel"].zeros(), bias, header["native"], header["device"]
    )
    claimed = None if sizes is None else [None if size is None else int(size) for size in sizes]
    return {"outcome": "shape", "shape": claimed}, {}


def _release(adapter: Adapter) -> None:
    if isinstance(adapter, PreparedCall):
        adapter.release()


def _compilations(adapter: Adapter) -> Mapping[str, int] | None:
    return adapter.compilations() if isinstance(adapter, PreparedCall) else None


class _Timed:
    """The last call that was timed: its next turn does not prepare it again."""

    def __init__(self) -> None:
        self._arguments: tuple[Any, ...] = ()
        self._tensors: dict[str, Any] = {}
        self._run: Callable[[], Any] | None = None

    def __call__(self, adapter: Adapter, header: dict[str, Any], tensors: dict[str, Any]) -> Answer:
        arguments = (header["native"], header["device"])
        if self._run is None or arguments != self._arguments or not _same(tensors, self._tensors):
            self._run = None  # before the next operands take memory of their own
            _release(adapter)
            self._arguments, self._tensors, (self._run, _) = (
                arguments,
                tensors,
                _prepared(adapter, header, tensors),
            )
        return {"outcome": "timing", "calls": timing.measure(self._run, header["seconds"])}, {}


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether the same tensors hold the same bits."""
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype
        and one[name].shape == other[name].shape
        and np.array_equal(
            one[name].reshape(-1).view(np.uint8), other[name].reshape(-1).view(np.uint8)
        )
        for name in one
    )


def _prepared(
    adapter: Adapter, header: dict[str, Any], tensors: dict[str, Any]
) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    """The call as a function of nothing, and what makes an array of its result; without `prepare`,
    `call` as a whole.
    """
    arguments = (
        tensors["x"],
        tensors["kernel"],
        tensors.get("bias"),
        header["native"],
        header["device"],
    )
    if isinstance(adapter, PreparedCall):
        return adapter.prepare(*arguments), adapter.fetch
    return lambda: adapter.call(*arguments), lambda y: y


def _raised(error: BaseException) -> dict[str, Any]:
    """An exception as an answer; a framework's own not-implemented type is `unsupported`."""
    names = {base.__name__ for base in type(error).__mro__}
    message = _COLOURS.sub("", message_of(error))
    if names & _NOT_IMPLEMENTED:
        return {
            "outcome": "unsupported",
            "reason": f"{type(error).__name__}: {message}",
            "type": type(error).__name__,
        }
    answer = {"outcome": "raised", "type": type(error).__name__, "message": message}
    if frames := frames_of(error):
        answer["traceback"] = frames
    at = getattr(error, STAGE, None)
    return answer if at is None else {**answer, "stage": f"while {at}"}
