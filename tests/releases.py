"""Releases of a distribution that is nobody's, as wheels in a folder: an engine that is right,
wrong, or does not start.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

RIGHT = "def shifted(y):\n    return y\n"
WRONG = "import numpy as np\n\n\ndef shifted(y):\n    return np.roll(y, 1, -1)\n"
BROKEN = "raise RuntimeError('built for another machine')\n"
ADAPTER = """
from importlib.metadata import version

import conformance
import tinyengine


class Tiny:
    convention = "torch"

    def versions(self):
        return {"Tiny.Engine": version("tiny-engine")}

    def devices(self):
        return ["cpu"]

    def call(self, x, kernel, bias, native, device):
        return tinyengine.shifted(
            conformance.conv_transpose(x, kernel, bias, **native)
        ).astype(x.dtype)
"""


def wheel(
    folder: Path,
    version: Any,
    source: Any,
    requires: Any = (),
    name: Any = "tiny_engine",
    module: Any = "tinyengine",
) -> Any:
    """Write a wheel of one module."""
    info = f"{name}-{version}.dist-info"
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {version}",
        *(f"Requires-Dist: {one}" for one in requires),
    ]
    files = {
        f"{module}.py": source,
        f"{info}/METADATA": "\n".join(lines) + "\n",
        f"{info}/WHEEL": (
            "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        ),
    }
    record = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(inside, text)
    return path
