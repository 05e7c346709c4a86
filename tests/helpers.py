"""What several test modules need: corpora written on the spot, specs of miniatures, the command in
a process, processes gone.
"""

from __future__ import annotations

import importlib
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from conformance.adapters import REGISTRY
from conformance.corpus.tensors import Tensors
from conformance.system import vulkan
from conformance.workers.spec import Spec

TESTS = Path(__file__).resolve().parent
CHECKOUT = TESTS.parent

NAMED = [
    name for name in re.split(r"[,\s]+", os.environ.get("CONFORMANCE_TEST_ADAPTERS", "")) if name
] or [name for name, entry in REGISTRY.items() if not entry.is_apart]
SHAPE_FUNCTIONS = [
    name for name in NAMED if name in REGISTRY and REGISTRY[name].quantities == ("shape",)
]
"""Those of them that are asked for a shape alone."""
REQUESTED = [name for name in NAMED if name not in SHAPE_FUNCTIONS]
"""The adapters that must be there and compute: of what CONFORMANCE_TEST_ADAPTERS names, blanks or
commas between, or of all of the table but those with an environment of their own."""

TORCH = {
    "stride": [2, 2],
    "padding": [1, 1],
    "output_padding": [1, 1],
    "dilation": [1, 1],
    "groups": 1,
}
ONNX = {
    "strides": [2, 2],
    "pads": [1, 1, 1, 1],
    "output_padding": [1, 1],
    "dilations": [1, 1],
    "group": 1,
}

CUT = """\
  - id: cut
    summary: The first row and column of the full output are cut, and every element gets the bias.
    source: written for the tests
    input: [[1, 2], [3, 4]]
    kernel: [[1, 2, 3], [2, 2, 1], [3, 2, 1]]
    bias: [1]
    stride: 2
    padding: 1
    output_padding: 1
"""
GAPS = """\
  - id: gaps
    summary: A kernel smaller than the stride leaves zeros between the products.
    source: written for the tests
    input: [[1, 2], [3, 4]]
    kernel: [[5]]
    stride: 2
"""
EMPTY = """\
  - id: empty
    summary: The padding cuts more than there is.
    source: written for the tests
    input: [[1, 2], [3, 4]]
    kernel: [[1]]
    padding: 9
    expected: {error: true}
"""
TORCHS_RULE = """\
  - id: torchs-rule
    summary: Torch wants output_padding below stride or dilation.
    source: documentation of torch.nn.ConvTranspose2d
    input: [[1, 2], [3, 4]]
    kernel: [[1]]
    native: {torch: {stride: 2, output_padding: 2}}
    expected: {error: true}
"""


def corpus(folder: Path, *cases: Any, file: Any = "tiny.yaml") -> Any:
    """The folder of a corpus with these cases in one file."""
    root = folder / "cases"
    root.mkdir(parents=True, exist_ok=True)
    (root / file).write_text("format: 1\ncases:\n" + "\n".join(cases), encoding="utf-8")
    return root


def miniature(name: Any, *, label: Any = None, **environment: Any) -> Any:
    """The spec of a miniature, or of any module:Class in this folder or below."""
    adapter = name if ":" in name else f"miniatures:{name}"
    spec = Spec.of(adapter, label=label or name, python=sys.executable)
    folders = {TESTS, *(file.parent for file in TESTS.rglob(f"{adapter.partition(':')[0]}.py"))}
    path = os.pathsep.join(map(str, sorted(folders)))
    return replace(spec, environment={"PYTHONPATH": path, **environment})


def foreign_words(behaviour: Any) -> Any:
    return (sys.executable, str(TESTS / "foreign_engine.py"), behaviour)


def foreign(behaviour: Any) -> Any:
    """The spec of the foreign engine with that behaviour."""
    return Spec.of("cmd:", label=behaviour, python=sys.executable, words=foreign_words(behaviour))


def foreign_argument(behaviour: Any) -> Any:
    """The same for `-a`."""
    return "cmd:" + shlex.join(foreign_words(behaviour))


def small(bias: Any = True) -> Any:
    """The arrays of the case `cut`, with or without its bias."""
    x = np.array([[[[1, 2], [3, 4]]]], np.float32)
    kernel = np.array([[[[1, 2, 3], [2, 2, 1], [3, 2, 1]]]], np.float32)
    return Tensors(x=x, kernel=kernel, bias=np.ones(1, np.float32) if bias else None)


CUT_OUTPUT = np.array([[[[3, 6, 5, 3], [9, 21, 13, 15], [7, 12, 9, 5], [7, 16, 9, 5]]]], np.float32)


def environment(**more: Any) -> Any:
    """This process's environment with the miniatures importable."""
    return {**os.environ, "PYTHONPATH": str(TESTS), "COLUMNS": "200", **more}


def limited(size: int, what: str = "FSIZE") -> list[str]:
    """What starts Python with files, or another resource of setrlimit(2), of at most `size` bytes.

    `preexec_fn` would do it too, but forks, which is an error once JAX has run in this process.
    """
    start = (
        "import os, resource, sys\n"
        f"resource.setrlimit(resource.RLIMIT_{what}, ({size}, {size}))\n"
        "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    )
    return [sys.executable, "-c", start]


def command(
    *words: Any, cwd: Any, largest_file: int | None = None, timeout: float = 120, **options: Any
) -> Any:
    """`python -m conformance` in a process of its own, its output as text."""
    python = [sys.executable] if largest_file is None else limited(largest_file)
    return subprocess.run(
        [*python, "-m", "conformance", *map(str, words)],
        cwd=cwd,
        env=options.pop("env", None) or environment(),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        **options,
    )


def members(group: Any) -> Any:
    """The processes of a group that still run; zombies are none."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = entry.read_text().rpartition(")")[2].split()[:3]
        except (OSError, ValueError):
            continue
        if int(its_group) == group and state not in "ZX":
            found.append(int(entry.parent.name))
    return found


def gone(group: Any, seconds: Any = 5.0) -> Any:
    """Whether the process group has no running member, at the latest after so many seconds."""
    return eventually(lambda: not members(group), seconds)


def eventually(holds: Any, seconds: Any = 20.0) -> Any:
    """Whether it comes to hold within so many seconds."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def started(log: Any) -> Any:
    """The process ids that the miniatures wrote down, in order of their starts."""
    return [int(line.split()[1]) for line in log.read_text().splitlines()] if log.exists() else []


def tool(name: str) -> ModuleType:
    """A module of `tools/` by its dotted name within its folder, as the tools themselves import
    it.
    """
    (file,) = CHECKOUT.glob(f"tools/*/{name.replace('.', '/')}.py")
    folder = str(file.parents[name.count(".")])
    sys.path.insert(0, folder)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(folder)


def vulkan_environment() -> dict[str, str] | None:
    """The variables by which a program finds SwiftShader; None where it is not installed."""
    manifest = next((path for path in vulkan.SWIFTSHADER if Path(path).is_file()), None)
    if manifest is None:
        return None
    return dict.fromkeys(vulkan.VARIABLES, manifest) | {"XDG_RUNTIME_DIR": tempfile.gettempdir()}
