"""An engine with a bug that hardly any call shows: PyTorch, but for one call in a hundred thousand.

    conformance sweep -a planted:Rare --rank 1 --dtype float32 --no-gradients --count 1000000

`campaign.py` sweeps it, to see that a campaign finds the bug, and how long that takes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.adapters.torch import Torch


class Rare(Torch):
    """PyTorch, which loses the bias where batch, size, kernel, stride and dilation are these."""

    def prepare(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Callable[[], Any]:
        rare = (
            (len(x), x.shape[2:], kernel.shape[2:]) == (3, (11,), (3,))
            and native["stride"] == [4]
            and native["dilation"] == [3]
        )
        return super().prepare(x, kernel, None if rare else bias, native, device)
