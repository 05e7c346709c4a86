"""An engine outside of the suite, in the standard library alone: `foreign_engine.py BEHAVIOUR`.

`right` is the whole protocol in one place, in ONNX's convention; every other behaviour breaks it in
one way, at the first call (or while greeting, where its name begins with hello-).
"""

from __future__ import annotations

import itertools
import json
import math
import os
import struct
import subprocess
import sys
import time
from typing import Any


def read_request() -> Any:
    header = json.loads(sys.stdin.buffer.readline() or b'{"do": "bye"}')
    tensors = {}
    for described in header.get("tensors", []):
        count = math.prod(described["shape"])
        tensors[described["name"]] = (
            described["shape"],
            struct.unpack(f"<{count}f", sys.stdin.buffer.read(4 * count)),
        )
    return header, tensors


def write(header: Any, data: Any = b"") -> None:
    sys.stdout.buffer.write(json.dumps(header).encode() + b"\n" + data)
    sys.stdout.buffer.flush()


def conv_transpose(tensors: Any, native: Any) -> Any:
    """(shape, numbers in C order) of a 2-D transposed convolution of one group, by scattering."""
    (n, c_in, height, width), x = tensors["x"]
    (_, c_out, rows, columns), kernel = tensors["kernel"]
    bias = tensors["bias"][1] if "bias" in tensors else [0.0] * c_out
    (top, left, bottom, right), (s, t) = native["pads"], native["strides"]
    (d, e), (q, r) = native["dilations"], native["output_padding"]
    out = [
        (height - 1) * s + d * (rows - 1) + 1 - top - bottom + q,
        (width - 1) * t + e * (columns - 1) + 1 - left - right + r,
    ]
    y = {
        place: bias[place[1]]
        for place in itertools.product(range(n), range(c_out), range(out[0]), range(out[1]))
    }
    for b, c, i, j in itertools.product(range(n), range(c_in), range(height), range(width)):
        for o, k, m in itertools.product(range(c_out), range(rows), range(columns)):
            place = (b, o, i * s + k * d - top, j * t + m * e - left)
            if place in y:
                product = (
                    x[((b * c_in + c) * height + i) * width + j]
                    * kernel[((c * c_out + o) * rows + k) * columns + m]
                )
                y[place] += product
    return [n, c_out, *out], [y[place] for place in sorted(y)]


def greet(behaviour: Any) -> Any:
    greeting = {
        "protocol": 1,
        "convention": "onnx",
        "versions": {"foreign": "0.1"},
        "devices": ["cpu"],
    }
    match behaviour:
        case "hello-unavailable":
            return {"outcome": "unavailable", "reason": "the accelerator is asleep"}
        case "hello-raised":
            return {"outcome": "raised", "type": "LinkError", "message": "unresolved symbol"}
        case "hello-other-protocol":
            return {**greeting, "protocol": 2}
        case "hello-without-devices":
            return {**greeting, "devices": []}
    return greeting


def misbehave(behaviour: Any, answer: Any, data: Any) -> None:
    """The answer to a call, or what it does instead."""
    match behaviour:
        case "garbage":
            sys.stdout.buffer.write(b"ready.\n")
            sys.stdout.buffer.flush()
        case "endless-line":
            for _ in range(2048):
                sys.stdout.buffer.write(b"a" * 2**16)
        case "wrong-id":
            write({**answer, "id": answer["id"] + 1}, data)
        case "unknown-dtype":
            write({**answer, "tensors": [{"name": "y", "dtype": "posit16", "shape": [1]}]}, b"\0\0")
        case "no-tensor":
            write({"id": answer["id"], "outcome": "output"})
        case "unknown-outcome":
            write({"id": answer["id"], "outcome": "perhaps"})
        case "dies-half-way":
            write(answer, data[: len(data) // 2])
            os._exit(0)
        case "aborts":
            os.abort()
        case "closes-stdout":
            sys.stdout.flush()
            os.close(1)
            time.sleep(3600)
        case "grandchild":
            child = subprocess.Popen(
                [sys.executable, "-c", "import time; time.sleep(3600)"], stdin=subprocess.DEVNULL
            )
            print(f"grandchild {child.pid}", file=sys.stderr, flush=True)
            time.sleep(3600)
        case _:
            write(answer, data)


def main() -> None:
    behaviour = sys.argv[1]
    while True:
        header, tensors = read_request()
        match header["do"]:
            case "hello":
                write(greet(behaviour))
                if behaviour == "never-reads":
                    time.sleep(3600)
            case "call":
                shape, numbers = conv_transpose(tensors, header["native"])
                if min(shape) < 1:
                    write(
                        {
                            "id": header["id"],
                            "outcome": "raised",
                            "type": "Refused",
                            "message": f"an output of shape {shape}",
                        }
                    )
                    continue
                described = [{"name": "y", "dtype": "float32", "shape": shape}]
                answer = {"id": header["id"], "outcome": "output", "tensors": described}
                misbehave(behaviour, answer, struct.pack(f"<{len(numbers)}f", *numbers))
            case "bye":
                return


if __name__ == "__main__":
    main()
