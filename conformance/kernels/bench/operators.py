"""Which operators of torch a call comes to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

TRANSPOSED_AT = 6
"""Where aten.convolution says whether it is transposed."""


class _Listening(TorchDispatchMode):  # type: ignore[misc]  # torch has no types for it
    """Writes down what is dispatched."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = str(func.name()).removeprefix("aten::")
        if name == "convolution" and len(args) > TRANSPOSED_AT and args[TRANSPOSED_AT]:
            name = "convolution, transposed"
        self.names.add(name)
        return func(*args, **(kwargs or {}))


def operators_of(call: Callable[[], Any]) -> list[str]:
    """The names of the operators that a call dispatches, sorted."""
    with torch.no_grad(), _Listening() as listener:
        call()
    return sorted(listener.names)
