"""An engine in the standard library alone that goes wrong at every call with a bias, in the way
that it is told: `faulty_engine.py FAULT`; or `faulty_engine.py by-input`, in the way whose number
in FAULTS is the first element of the input, from 1 on. FAULTS says which status each one earns.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import time
from typing import Any

from foreign_engine import conv_transpose, read_request, write

GREETING = {
    "protocol": 1,
    "convention": "onnx",
    "versions": {"faulty": "1.0"},
    "devices": ["cpu"],
}
_DIGITS = 10**400
_ANNOUNCED = {"name": "y", "dtype": "float32"}

IN_THE_GREETING: dict[str, Any] = {
    "hello-protocol-list": {"protocol": [1]},
    "hello-protocol-text": {"protocol": "1" * 10_000},
    "hello-convention-list": {"convention": ["onnx"]},
    "hello-convention-object": {"convention": {"onnx": 1}},
    "hello-convention-long": {"convention": "o" * 100_000},
    "hello-versions-list": {"versions": ["1.0"]},
    "hello-versions-many": {"versions": {str(i): "1" for i in range(10_000)}},
    "hello-devices-none": {"devices": []},
    "hello-devices-text": {"devices": "cpu"},
    "hello-devices-many": {"devices": [str(i) for i in range(10_000)]},
    "hello-facts-number": {"facts": 5},
    "hello-facts-nested": {"facts": {"isa": {"of": "what"}}},
    "hello-facts-digits": {"facts": {"cores": _DIGITS}},
    "hello-quantities-number": {"quantities": 3},
    "hello-quantities-objects": {"quantities": [{}]},
    "hello-quantities-many": {"quantities": ["output"] * 100_000},
    "hello-unknown-text": {"unknown": "batch"},
}
"""Greetings that are none: every verdict is a crash, and the run goes on."""
HARMLESS_GREETINGS: dict[str, Any] = {
    "hello-threads-digits": {"threads": _DIGITS},
    "hello-threads-text": {"threads": "many"},
    "hello-version-number": {"versions": {"faulty": 1.0}},
    "hello-version-nested": {"versions": {"faulty": [[["1"]]]}},
    "hello-version-long": {"versions": {"faulty": "1" * 100_000}},
    "hello-fact-long": {"facts": {"isa": "\x1b[31m" * 10_000}},
}
"""Greetings with something odd that nothing depends on."""

FAULTS = {
    # beside the answer
    "seconds-digits": "conforms",
    "seconds-negative": "conforms",
    "seconds-huge": "conforms",
    "seconds-text": "conforms",
    "compiled-digits": "conforms",
    "compiled-text": "conforms",
    "placed-long": "conforms",
    "not-a-number": "crashed",
    "infinite": "crashed",
    # the header
    "id-wrong": "crashed",
    "id-true": "crashed",
    "id-missing": "crashed",
    "id-long": "crashed",
    "id-digits": "crashed",
    "outcome-missing": "crashed",
    "outcome-list": "crashed",
    "outcome-long": "crashed",
    "no-json": "crashed",
    "no-object": "crashed",
    "nested": "crashed",
    "digits": "crashed",
    "endless-line": "crashed",
    "half-a-line": "crashed",
    # tensors
    "tensors-text": "crashed",
    "tensors-many": "crashed",
    "tensor-twice": "crashed",
    "tensor-list": "crashed",
    "name-object": "crashed",
    "name-other": "crashed",
    "dtype-list": "crashed",
    "dtype-unknown": "crashed",
    "shape-text": "crashed",
    "shape-float": "crashed",
    "shape-true": "crashed",
    "shape-negative": "crashed",
    "shape-axes": "crashed",
    "shape-empty-beside-huge": "crashed",
    "shape-of-8-GiB": "crashed",
    "shape-of-2-to-the-63": "crashed",
    "shape-without-data": "timed-out",
    "shape-of-another": "differs",
    "dtype-of-another": "differs",
    "bytes-missing": "crashed",
    "bytes-beyond": "conforms",
    "line-beyond": "conforms",
    # refusing
    "raises-long": "raised",
    "raises-escapes": "raised",
    "raises-numbers": "raised",
    "refuses-long": "unsupported",
    # ending
    "exits": "crashed",
    "exits-with-7": "crashed",
    "exits-after": "conforms",
    "exits-soon-after": "conforms",
    "dies-after": "conforms",
    "aborts": "crashed",
    "segfaults": "crashed",
    "divides": "crashed",
    "is-killed": "crashed",
    "kills-its-group": "crashed",
    "kills-its-parent": "crashed",
    "child-holds-the-pipe": "crashed",
    "child-answers": "conforms",
    # waiting
    "hangs": "timed-out",
    "stops": "timed-out",
    "closes-stdout": "crashed",
    "drips": "timed-out",
    # leaving something behind
    "leaves-a-child": "conforms",
    "leaves-a-session": "conforms",
    "leaves-a-daemon": "conforms",
    "floods-stderr": "conforms",
    "ignores-signals": "timed-out",
    # with a limit of memory
    "fills-memory": "crashed",
    "child-fills-memory": "crashed",
}
"""The status that each fault earns the call at which it happens; all other calls conform."""

_HEADERS: dict[str, Any] = {
    "seconds-digits": {"seconds": _DIGITS},
    "seconds-negative": {"seconds": -1},
    "seconds-huge": {"seconds": 1e300},
    "seconds-text": {"seconds": "soon"},
    "compiled-digits": {"compiled": {"hits": _DIGITS, "misses": 0}},
    "compiled-text": {"compiled": "all"},
    "placed-long": {"computed_by": "\x1b]0;" + "p" * 100_000},
    "not-a-number": {"seconds": float("nan")},
    "infinite": {"seconds": float("inf")},
    "id-wrong": {"id": 10_000},
    "id-true": {"id": True},
    "id-missing": {"id": None},
    "id-long": {"id": "1" * 100_000},
    "id-digits": {"id": _DIGITS},
    "outcome-missing": {"outcome": None},
    "outcome-list": {"outcome": ["output"]},
    "outcome-long": {"outcome": "o" * 100_000},
    "tensors-text": {"tensors": "y"},
    "tensors-many": {"tensors": [{**_ANNOUNCED, "shape": [0]}] * 1000},
    "tensor-twice": {"tensors": [{**_ANNOUNCED, "shape": [0]}] * 2},
    "tensor-list": {"tensors": [["y", "float32", [1]]]},
    "name-object": {"tensors": [{"name": {}, "dtype": "float32", "shape": [0]}]},
    "name-other": {"tensors": [{"name": "z", "dtype": "float32", "shape": [0]}]},
    "dtype-list": {"tensors": [{"name": "y", "dtype": ["float32"], "shape": [1]}]},
    "dtype-unknown": {"tensors": [{"name": "y", "dtype": "posit16", "shape": [1]}]},
    "shape-text": {"tensors": [{**_ANNOUNCED, "shape": "4"}]},
    "shape-float": {"tensors": [{**_ANNOUNCED, "shape": [1.0]}]},
    "shape-true": {"tensors": [{**_ANNOUNCED, "shape": [True]}]},
    "shape-negative": {"tensors": [{**_ANNOUNCED, "shape": [-1]}]},
    "shape-axes": {"tensors": [{**_ANNOUNCED, "shape": [1] * 33}]},
    "shape-empty-beside-huge": {"tensors": [{**_ANNOUNCED, "shape": [2**31, 0]}]},
    "shape-of-8-GiB": {"tensors": [{**_ANNOUNCED, "shape": [2**31]}]},
    "shape-of-2-to-the-63": {"tensors": [{**_ANNOUNCED, "shape": [2**63]}]},
    "shape-without-data": {"tensors": [{**_ANNOUNCED, "shape": [1, 1, 40, 40]}]},
    "raises-long": {"outcome": "raised", "type": "T" * 100_000, "message": "m" * 3_000_000},
    "raises-escapes": {"outcome": "raised", "type": "E", "message": "\x1b[2J\n::error::no\u202e"},
    "raises-numbers": {"outcome": "raised", "type": 5, "message": [_DIGITS]},
    "refuses-long": {"outcome": "unsupported", "reason": "r" * 1_000_000},
}
_LINES = {
    "no-json": b"ready.\n",
    "no-object": b"[1, 2]\n",
    "nested": b"[" * 100_000 + b"\n",
    "digits": b'{"id": ' + b"1" * 10_000 + b"}\n",
    "half-a-line": b'{"id": ',
    "endless-line": b"x" * (5 * 2**20),
}


def answer(fault: str, header: dict[str, Any], data: bytes) -> None:
    """Answer a call, in the way of the fault."""
    if fault in _HEADERS:
        header = {**header, **_HEADERS[fault]}
        refused = header["outcome"] in ("raised", "unsupported")
        write({k: v for k, v in header.items() if not (refused and k == "tensors")}, data)
    elif fault in _LINES:
        sys.stdout.buffer.write(_LINES[fault])
        sys.stdout.buffer.flush()
        if fault == "half-a-line":
            os._exit(0)
    elif not any(step(fault, header, data) for step in (_in_the_data, _ending, _waiting, _leaving)):
        assert fault == "right", fault
        write(header, data)


def _in_the_data(fault: str, header: dict[str, Any], data: bytes) -> bool:
    match fault:
        case "shape-of-another":
            write({**header, "tensors": [{**_ANNOUNCED, "shape": [1, 1, 1]}]}, bytes(4))
        case "dtype-of-another":
            write({**header, "tensors": [{**header["tensors"][0], "dtype": "int32"}]}, data)
        case "bytes-missing":
            write(header, data[:-4])
            os._exit(0)
        case "bytes-beyond":
            write(header, data + bytes(100))
        case "line-beyond":
            write(header, data + b'{"id": 1}\n')
        case _:
            return False
    return True


def _ending(fault: str, header: dict[str, Any], data: bytes) -> bool:
    signals = {
        "aborts": signal.SIGABRT,
        "segfaults": signal.SIGSEGV,
        "divides": signal.SIGFPE,
        "is-killed": signal.SIGKILL,
    }
    match fault:
        case "exits" | "exits-with-7":
            os._exit(7 if fault == "exits-with-7" else 0)
        case "exits-after":
            write(header, data)
            os._exit(0)
        case "exits-soon-after":
            write(header, data)
            time.sleep(0.02)
            os._exit(3)
        case "dies-after":
            write(header, data)
            os.kill(os.getpid(), signal.SIGSEGV)
        case "kills-its-group":
            os.killpg(0, signal.SIGKILL)
        case "kills-its-parent":
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(3600)
        case "child-holds-the-pipe":
            if os.fork():
                os.kill(os.getpid(), signal.SIGSEGV)
            time.sleep(3600)
        case "child-answers":
            child = os.fork()
            if not child:
                write(header, data)
                os._exit(0)
            os.waitpid(child, 0)
        case _ if fault in signals:
            os.kill(os.getpid(), signals[fault])
        case _:
            return False
    return True


def _waiting(fault: str, header: dict[str, Any], data: bytes) -> bool:
    match fault:
        case "hangs":
            time.sleep(3600)
        case "stops":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "closes-stdout":
            os.close(1)
            time.sleep(3600)
        case "drips":
            for letter in json.dumps(header).encode():
                sys.stdout.buffer.write(bytes([letter]))
                sys.stdout.buffer.flush()
                time.sleep(1.0)
        case "ignores-signals":
            for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
                signal.signal(number, signal.SIG_IGN)
            time.sleep(3600)
        case _:
            return False
    return True


def _leaving(fault: str, header: dict[str, Any], data: bytes) -> bool:
    # without the pipe of the answers: what holds that is a fault of its own
    sleeping = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(3600)", "left behind"]
    match fault:
        case "leaves-a-child":
            subprocess.Popen(sleeping, stdout=subprocess.DEVNULL)
        case "leaves-a-session":
            subprocess.Popen(sleeping, stdout=subprocess.DEVNULL, start_new_session=True)
        case "leaves-a-daemon" | "leaves-a-daemon-then-kills-its-parent":
            if not os.fork():
                os.setsid()
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
                if not os.fork():
                    os.execv(sleeping[0], sleeping)
                os._exit(0)
            if fault != "leaves-a-daemon":
                time.sleep(0.3)
                os.kill(os.getppid(), signal.SIGKILL)
                time.sleep(3600)
        case "fills-memory" | "child-fills-memory":
            if fault == "fills-memory" or not os.fork():
                held = [bytes(2**20) + b"1" for _ in range(4000)]
                time.sleep(len(held))
            time.sleep(3600)
        case "floods-stderr":
            for _ in range(100):
                sys.stderr.write("\x1b[31m" + "flood " * 20_000 + "\n")
        case _:
            return False
    write(header, data)
    return True


def main() -> None:
    [fault] = sys.argv[1:]
    while True:
        header, tensors = read_request()
        match header["do"]:
            case "hello":
                write({**GREETING, **IN_THE_GREETING.get(fault, HARMLESS_GREETINGS.get(fault, {}))})
            case "call":
                shape, numbers = conv_transpose(tensors, header["native"])
                described = [{"name": "y", "dtype": "float32", "shape": shape}]
                told = {"id": header["id"], "outcome": "output", "tensors": described}
                data = b"".join(map(_bytes, numbers))
                now = fault if "bias" in tensors else "right"
                if fault == "by-input":
                    now = ["right", *FAULTS][int(tensors["x"][1][0])]
                answer("right" if now.startswith("hello-") else now, told, data)
            case "bye":
                return
            case other:
                write({"id": header.get("id"), "outcome": "unsupported", "reason": other})


def _bytes(number: float) -> bytes:
    return struct.pack("<f", number)


if __name__ == "__main__":
    main()
