"""Whose code a call runs, and which functions it has put in the place of others."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

TRANSPOSED = ("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
"""The functions of torch that are what is judged."""

WATCHED = {
    "torch": ("allclose", "equal", "isclose", "eq", "manual_seed", "rand", "randn"),
    "torch.testing": ("assert_close",),
    "torch.cuda": ("synchronize", "Event", "Stream", "current_stream"),
    "numpy": ("allclose", "isclose", "array_equal"),
    "time": ("time", "perf_counter", "monotonic", "time_ns", "perf_counter_ns", "process_time"),
}
"""Functions that other judges compare or measure with, by module."""
OF_TENSORS = (
    *("__eq__", "__sub__", "eq", "equal", "allclose", "isclose", "all", "abs", "max", "sub"),
    *("copy_", "detach", "item", "to", "cpu", "numpy"),
)
"""Likewise, and by which a tensor is read."""


def ran(call: Callable[[], Any]) -> tuple[set[str], set[str]]:
    """(files, functions): whose code a call runs, in threads too that it starts, and which of
    torch's functions of transposed convolution it calls.
    """
    files: set[str] = set()
    functions: set[str] = set()
    known = [getattr(sys.modules.get("torch"), name, None) for name in TRANSPOSED]

    def hear(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            files.add(frame.f_code.co_filename)
        elif event == "c_call" and argument in known:  # no extension's function of such a name
            functions.add(argument.__name__)

    threading.setprofile(hear)
    sys.setprofile(hear)
    try:
        call()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return files, functions


def replaced() -> list[str]:
    """The names of watched functions that stand for somebody else's."""
    names = [
        f"{module}.{name}"
        for module, names in WATCHED.items()
        if module in sys.modules
        for name in _foreign(sys.modules[module], names, module)
    ]
    torch = sys.modules.get("torch")
    if torch is not None:
        names += [f"Tensor.{name}" for name in _foreign(torch.Tensor, OF_TENSORS, "torch")]
    return sorted(names)


def _foreign(holder: Any, names: tuple[str, ...], module: str) -> Iterator[str]:
    owner = module.partition(".")[0]
    home = str(Path(getattr(sys.modules[owner], "__file__", None) or sys.base_prefix).parent)
    for name in names:
        value = getattr(holder, name, None)
        code = getattr(value, "__code__", None)
        if code is not None:
            if owner == "time" or not code.co_filename.startswith(home):
                yield name
        elif isinstance(value, type) and value.__module__.partition(".")[0] != owner:
            yield name
