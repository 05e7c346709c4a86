"""The proof: source and target run on the same integers, each in a process of its own, and agree bit for bit, or do not.

Where a framework is not installed, or its engine fails, the oracle stands in for it, and the proof says so.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conformance.geometry import Geometry
from conformance.oracle.reference import transpose_into_window
from conformance.porting.code import Channels, Program
from conformance.porting.layouts import SPATIAL, Layout, permutation
from conformance.porting.recipes import Plan

TIMEOUT = 300.0
"""Seconds for the start of a process and its first program; each gets 5 more."""

_NEEDS = {
    "torch": ("torch",),
    "keras": ("keras",),
    "tensorflow": ("tensorflow",),
    "jax": ("jax",),
    "flax": ("flax", "jax"),
    "onnx": ("onnx", "onnxruntime"),
}
BACKENDS = ("torch", "jax", "tensorflow")
"""Of Keras, in the order in which an installed one is chosen: the quickest to start first."""

Array = NDArray[Any]

# Runs programs from stdin, one JSON object a line, and answers a line each on the real stdout; frameworks print to stderr.
_CHILD = """
import base64, json, os, sys
import numpy as np

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
for line in sys.stdin:
    asked = json.loads(line)
    given = [np.frombuffer(base64.b64decode(data), "float32").reshape(shape).copy() for data, shape in asked["arrays"]]
    try:
        names = {"__name__": "ported"}
        exec(compile(asked["code"], "ported.py", "exec"), names)
        y = names["conv_transpose"](*given)
        y = np.asarray(y.detach() if hasattr(y, "detach") else y)
        said = {"shape": y.shape, "dtype": y.dtype.name, "data": base64.b64encode(np.ascontiguousarray(y).tobytes()).decode()}
    except Exception as error:
        said = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(said), file=answers, flush=True)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a program gave no array: what was raised, or how its process ended."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Whether the target computes what the source does; `by` says which two computed, `notes` why one is the oracle."""

    agrees: bool
    exact: bool
    by: tuple[str, str]
    notes: tuple[str, ...]
    text: str


def environment(framework: str) -> dict[str, str]:
    """This process's environment, and what the framework needs: for Keras an installed backend."""
    more = {"TF_CPP_MIN_LOG_LEVEL": "2", "GLOG_minloglevel": "2", "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}
    if framework == "keras":
        more["KERAS_BACKEND"] = backend() or ""
    return {**os.environ, **more}


def backend() -> str | None:
    """The Keras backend that is used: what KERAS_BACKEND says, else the first that is installed."""
    asked = os.environ.get("KERAS_BACKEND")
    return asked or next((name for name in BACKENDS if find_spec(name)), None)


def missing(framework: str) -> list[str]:
    """Import packages that a framework's programs need and that are not installed."""
    found = [name for name in _NEEDS[framework] if not find_spec(name)]
    if framework == "keras" and not found and (not backend() or not find_spec(str(backend()))):
        found.append(backend() or "a backend of Keras")
    return found


def described(framework: str) -> str:
    """The framework with its version, and Keras's backend."""
    package = {"onnx": "onnxruntime"}.get(framework, framework)
    try:
        number = version(package)
    except Exception:  # installed under another distribution's name, such as tensorflow-cpu
        number = ""
    return f"{package} {number}".strip() + (f" on {backend()}" if framework == "keras" else "")


def run_programs(framework: str, asked: Sequence[tuple[str, Sequence[Array]]]) -> list[Array | Failure]:
    """What each program's `conv_transpose` returns for its arrays, all in one process; one that dies costs a new process."""
    results: list[Array | Failure] = []
    while len(results) < len(asked):
        lines = [_line(code, arrays) for code, arrays in asked[len(results) :]]
        try:
            done = subprocess.run(
                [sys.executable, "-c", _CHILD],
                input="\n".join(lines) + "\n",
                env=environment(framework),
                capture_output=True,
                text=True,
                timeout=TIMEOUT + 5 * len(lines),
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            written: Any = error.stdout or b""  # bytes, whatever `text` says
            whole = (written if isinstance(written, str) else written.decode()).rpartition("\n")[0]
            results += [_answer(line) for line in whole.splitlines()]
            results.append(Failure(text=f"no answer within {error.timeout:.0f} s"))
            continue
        answers = [_answer(line) for line in done.stdout.splitlines()]
        results += answers
        if len(answers) < len(lines):
            last = [line for line in done.stderr.splitlines() if "Check failed" in line or "Error" in line] or [""]
            results.append(Failure(text=f"its process ended with {done.returncode}. {last[-1].strip()}".strip()))
    return results


def _line(code: str, arrays: Sequence[Array]) -> str:
    given = [(base64.b64encode(np.ascontiguousarray(array, "float32").tobytes()).decode(), array.shape) for array in arrays]
    return json.dumps({"code": code, "arrays": given})


def _answer(line: str) -> Array | Failure:
    said: Mapping[str, Any] = json.loads(line)
    if "error" in said:
        return Failure(text=said["error"])
    return np.frombuffer(base64.b64decode(said["data"]), said["dtype"]).reshape(said["shape"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Operands in one framework-free form: x (N, C_in, *spatial), w (C_in, C_out / groups, *kernel), b (C_out,) or None."""

    x: Array
    w: Array
    b: Array | None

    def given(self, program: Program, layout: Layout, groups: int) -> list[Array]:
        """The arrays that a program takes: x in its order, the kernel in the source's layout."""
        x = self.x.transpose(permutation("NC" + SPATIAL[self.x.ndim - 2], program.x))
        return [x, stored(self.w, layout, groups), *([] if self.b is None else [self.b])]


def integers(geometry: Geometry, channels: Channels, *, bias: bool, seed: int = 1) -> Numbers:
    """Integers in [-4, 4] whose sums float32 holds exactly: smaller ones where a sum has very many terms."""
    random = np.random.RandomState(seed)
    terms = channels.c_in // geometry.groups * int(np.prod(geometry.kernel))
    most = 4 if terms * 16 + 4 <= 2**24 else 1
    shape = (channels.c_in, channels.c_out // geometry.groups, *geometry.kernel)
    x = random.randint(-most, most + 1, (channels.batch, channels.c_in, *geometry.size))
    w = random.randint(-most, most + 1, shape)
    return Numbers(x=x, w=w, b=random.randint(-most, most + 1, channels.c_out) if bias else None)


def stored(w: Array, layout: Layout, groups: int) -> Array:
    """The transposed convolution's own kernel as a layout keeps it."""
    rank = w.ndim - 2
    if layout.flipped:
        w = np.flip(w, tuple(range(2, w.ndim)))
    if layout.groups_in_output:
        c_in, c_out, *size = w.shape
        w = w.reshape(groups, c_in // groups, c_out, *size).swapaxes(0, 1).reshape(c_in // groups, groups * c_out, *size)
    return w.transpose(permutation("IO" + SPATIAL[rank], layout.kernel))


def canonical(y: Array, order: str) -> Array:
    """An output as (N, C_out, *out)."""
    return y.transpose(permutation(order, "NC" + SPATIAL[y.ndim - 2])) if y.ndim == len(order) else y


def oracle(numbers: Numbers, geometry: Geometry) -> Array:
    """What is right."""
    b = None if numbers.b is None else np.asarray(numbers.b, np.float64)
    return transpose_into_window(np.asarray(numbers.x, np.float64), np.asarray(numbers.w, np.float64), b, geometry)


def plan_on_oracle(numbers: Numbers, plan: Plan, geometry: Geometry) -> Array:
    """A plan with the oracle in place of the target's call, whose window is read from its arguments by the convention."""
    from conformance import conventions

    x = np.pad(numbers.x, [(0, 0), (0, 0), *plan.pad])
    w, groups = numbers.w, geometry.groups
    if plan.block_diagonal:
        i, o = w.shape[0] // groups, w.shape[1]
        blocks = np.zeros((w.shape[0], o * groups, *w.shape[2:]), w.dtype)
        for g in range(groups):
            blocks[g * i : (g + 1) * i, g * o : (g + 1) * o] = w[g * i : (g + 1) * i]
        w = blocks
    if plan.insert_zeros:
        dilated = np.zeros((*w.shape[:2], *plan.geometry.kernel), w.dtype)
        dilated[(slice(None), slice(None), *(slice(None, None, step) for step in geometry.dilation))] = w
        w = dilated
    called = conventions.get(plan.target).geometry(plan.native, size=plan.geometry.size, kernel=plan.geometry.kernel)
    y = oracle(Numbers(x=x, w=w, b=numbers.b), called)
    return y[(slice(None), slice(None), *(slice(low, n - high) for (low, high), n in zip(plan.cut, y.shape[2:], strict=True)))]
