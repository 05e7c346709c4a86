"""Models of several operations: the allowance lets every right order of rounding pass, and nothing
that is a mistake.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow


def models() -> dict[str, Any]:
    """Tails that magnify, hide, normalise and sum."""
    from torch import nn
    from torch.nn import functional

    class Tail(nn.Module):
        def __init__(self, tail: Any) -> None:
            super().__init__()
            self.up, self.tail = nn.ConvTranspose2d(6, 8, 3, 2, 1, 1), tail
            self.norm = nn.GroupNorm(2, 8)

        def forward(self, x: Any) -> Any:
            return self.tail(self, self.up(x))

    tails = {
        "gelu": lambda m, y: functional.gelu(y),
        "norm": lambda m, y: m.norm(y),
        "softmax": lambda m, y: y.softmax(1),
        "clamp": lambda m, y: y.clamp(-0.1, 0.1) / 2,
        "mean": lambda m, y: y.mean((2, 3)),
        "divide": lambda m, y: 1 / (1 + y**2) + y.exp(),
    }
    return {name: Tail(tail) for name, tail in tails.items()}


@pytest.mark.parametrize("name", ["gelu", "norm", "softmax", "clamp", "mean", "divide"])
def test_right_orders_pass_and_mistakes_do_not(name: str) -> None:
    """Channels last, one sample after another, and by unfolding; then half precision, results moved
    round by one, which a mean does not see, and a bias that is left out.
    """
    import torch

    from conformance.kernels.bench.montecarlo import Trials

    torch.manual_seed(3)
    model = models()[name]
    x = torch.randn(4, 6, 12, 10)
    y, allowed = Trials(model, [x]).truth(4)
    weight, bias = model.up.weight, model.up.bias

    def worst(other: Any) -> float:
        return float(((other.double() - y).abs() / allowed).max())

    def by_folding(dtype: Any = torch.float32, bias: Any = bias) -> Any:
        columns = torch.einsum("nchw,cokl->noklhw", x.to(dtype), weight.to(dtype))
        columns = columns.flatten(1, 3).flatten(2).float()
        whole = torch.nn.functional.fold(columns, (26, 22), 3, stride=2, padding=0)[..., 1:25, 1:21]
        return model.tail(model, whole + (0 if bias is None else bias[:, None, None]))

    with torch.no_grad():
        assert worst(model(x)) < 0.6
        assert worst(model(x.contiguous(memory_format=torch.channels_last))) < 0.6
        assert worst(torch.cat([model(one[None]) for one in x])) < 0.6
        assert worst(by_folding()) < 0.6
        assert worst(by_folding(torch.bfloat16)) > 2
        assert worst(by_folding(torch.float16)) > 2
        assert (worst(model.tail(model, model.up(x).roll(1, 3))) > 2) is (name != "mean")
        if name != "norm":
            assert worst(by_folding(bias=None)) > 2
    assert np.isfinite(float(allowed.max()))
