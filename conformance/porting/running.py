"""Programs run in processes of their own, with the frameworks that this interpreter has."""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conformance.models.formats import keras_backend
from conformance.system.process_tree import ProcessTree

TIMEOUT = 300.0
"""The seconds for the start of a process and its first program; each gets 5 more."""

_NEEDS = {
    "torch": ("torch",),
    "keras": ("keras",),
    "tensorflow": ("tensorflow",),
    "jax": ("jax",),
    "flax": ("flax", "jax"),
    "onnx": ("onnx", "onnxruntime"),
}
Array = NDArray[Any]

# Runs programs from stdin, one JSON object a line, and answers a line each on the real stdout;
# frameworks print to stderr.
_CHILD = """
import base64, json, os, sys
import numpy as np

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
for line in sys.stdin:
    asked = json.loads(line)
    given = [
        np.frombuffer(base64.b64decode(data), "float32").reshape(shape).copy()
        for data, shape in asked["arrays"]
    ]
    try:
        names = {"__name__": "ported"}
        exec(compile(asked["code"], "ported.py", "exec"), names)
        y = names["conv_transpose"](*given)
        y = np.asarray(y.detach() if hasattr(y, "detach") else y)
        data = base64.b64encode(np.ascontiguousarray(y).tobytes()).decode()
        said = {"shape": y.shape, "dtype": y.dtype.name, "data": data}
    except Exception as error:
        said = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(said), file=answers, flush=True)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a program gave no array: what was raised, or how its process ended."""

    text: str


def environment(framework: str) -> dict[str, str]:
    """This process's environment, and what the framework needs: oneDNN for TensorFlow's groups, a
    backend for Keras.
    """
    more = {
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "GLOG_minloglevel": "2",
        "JAX_PLATFORMS": "cpu",
        "CUDA_VISIBLE_DEVICES": "",
    }
    more["TF_ENABLE_ONEDNN_OPTS"] = "1"
    if framework == "keras":
        more["KERAS_BACKEND"] = keras_backend() or ""
    return {**os.environ, **more}


def missing(framework: str) -> list[str]:
    """Import packages that a framework's programs need and that are not installed."""
    absent = [name for name in _NEEDS[framework] if not find_spec(name)]
    if (
        framework == "keras"
        and not absent
        and (not keras_backend() or not find_spec(str(keras_backend())))
    ):
        absent.append(keras_backend() or "a backend of Keras")
    return absent


def described(framework: str) -> str:
    """The framework with its version, and Keras's backend."""
    package = {"onnx": "onnxruntime"}.get(framework, framework)
    try:
        number = version(package)
    except Exception:  # installed under another distribution's name, such as tensorflow-cpu
        number = ""
    return f"{package} {number}".strip() + (
        f" on {keras_backend()}" if framework == "keras" else ""
    )


def run_programs(
    framework: str, programs: Sequence[tuple[str, Sequence[Array]]]
) -> list[Array | Failure]:
    """The results of each program's `conv_transpose` for its arrays, all in one process; one that
    dies costs a new process.
    """
    results: list[Array | Failure] = []
    while len(results) < len(programs):
        lines = [_line(code, arrays) for code, arrays in programs[len(results) :]]
        seconds = TIMEOUT + 5 * len(lines)
        process = ProcessTree([sys.executable, "-c", _CHILD], environment(framework))
        written, errors, late = process.communicate(("\n".join(lines) + "\n").encode(), seconds)
        if late:
            whole = written.decode(errors="replace").rpartition("\n")[0]
            results += [_answer(line) for line in whole.splitlines()]
            results.append(Failure(text=f"no answer within {seconds:.0f} s"))
            continue
        answers = [_answer(line) for line in written.decode().splitlines()]
        results += answers
        if len(answers) < len(lines):
            last = [
                line
                for line in errors.decode(errors="replace").splitlines()
                if "Check failed" in line or "Error" in line
            ] or [""]
            results.append(
                Failure(text=f"its process ended with {process.poll()}. {last[-1].strip()}".strip())
            )
    return results


def _line(code: str, arrays: Sequence[Array]) -> str:
    encoded = [
        (base64.b64encode(np.ascontiguousarray(array, "float32").tobytes()).decode(), array.shape)
        for array in arrays
    ]
    return json.dumps({"code": code, "arrays": encoded})


def _answer(line: str) -> Array | Failure:
    answer: Mapping[str, Any] = json.loads(line)
    if "error" in answer:
        return Failure(text=answer["error"])
    return np.frombuffer(base64.b64decode(answer["data"]), answer["dtype"]).reshape(answer["shape"])
