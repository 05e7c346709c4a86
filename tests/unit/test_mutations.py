"""An oracle with any one term of its arithmetic changed is noticed: every mutation below disagrees
with the definition.

The mutated source is executed as a module in memory; nothing on disk changes. The oracle under test
imports the geometry that was loaded with it, mutated or not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest

import conformance
from conformance.geometry import Axis, Geometry
from conformance.oracle.derivations import scatter

pytestmark = pytest.mark.slow

COMPARISONS = 200
SEED = 20160323
FILES = {
    "conformance.geometry": Path(conformance.__file__).parent / "geometry.py",
    "conformance.oracle.reference": Path(conformance.__file__).parent / "oracle" / "reference.py",
}
G, R = FILES

MUTATIONS = [
    (G, "self.dilation * (self.kernel - 1) + 1", "self.dilation * (self.kernel - 1)"),
    (G, "self.dilation * (self.kernel - 1) + 1", "self.dilation * self.kernel + 1"),
    (G, "self.dilation * (self.kernel - 1) + 1", "(self.kernel - 1) + 1"),
    (G, "(self.size - 1) * self.stride + self.extent", "self.size * self.stride + self.extent"),
    (
        G,
        "(self.size - 1) * self.stride + self.extent",
        "(self.size - 1) * (self.stride + 1) + self.extent",
    ),
    (G, "self.full - self.crop_low - self.crop_high", "self.full + self.crop_low - self.crop_high"),
    (G, "self.full - self.crop_low - self.crop_high", "self.full - self.crop_low + self.crop_high"),
    (G, "for tap in range(self.kernel):", "for tap in range(self.kernel - 1):"),
    (G, "shift = tap * self.dilation - self.crop_low", "shift = tap - self.crop_low"),
    (
        G,
        "shift = tap * self.dilation - self.crop_low",
        "shift = tap * self.dilation + self.crop_low",
    ),
    (G, "shift = tap * self.dilation - self.crop_low", "shift = tap * self.dilation"),
    (G, "first = max(0, -(shift // self.stride))", "first = min(0, -(shift // self.stride))"),
    (G, "first = max(0, -(shift // self.stride))", "first = max(1, -(shift // self.stride))"),
    (G, "first = max(0, -(shift // self.stride))", "first = max(0, -shift // self.stride)"),
    (G, "end = min(self.size, (self.out - 1 - shift) // self.stride + 1)", "end = self.size"),
    (G, "end = min(self.size,", "end = max(self.size,"),
    (G, "(self.out - 1 - shift) // self.stride + 1", "(self.out - 1 - shift) // self.stride"),
    (G, "(self.out - 1 - shift) // self.stride + 1", "(self.out - shift) // self.stride + 1"),
    (G, "if first < end:", "if first + 1 < end:"),
    (G, "start = first * self.stride + shift", "start = first + shift"),
    (G, "start = first * self.stride + shift", "start = first * self.stride"),
    (G, "stop = (end - 1) * self.stride + shift + 1", "stop = (end - 1) * self.stride + shift"),
    (G, "range(start, stop, self.stride)", "range(start, stop, 1)"),
    (G, "crop_high=high - extra", "crop_high=high + extra"),
    (G, "crop_high=high - extra", "crop_high=high"),
    (G, "crop_low=low, crop_high=high", "crop_low=high, crop_high=low"),
    (R, "np.zeros((batch,", "np.ones((batch,"),
    (R, "by_channel.reshape(groups,", "by_channel[::-1].reshape(groups,"),
    (R, "w.reshape(groups, w.shape[0] // groups", "w[::-1].reshape(groups, w.shape[0] // groups"),
    (
        R,
        "y.reshape(batch, groups, w.shape[1], *geometry.out), 0, 2)",
        "y.reshape(batch, groups, w.shape[1], *geometry.out)[:, ::-1], 0, 2)",
    ),
    (R, "part = x[g:h, :, n:m, r:t]", "part = x[: h - g, :, n:m, r:t]"),
    (R, "part = x[g:h, :, n:m, r:t]", "part = x[g:h, :, n:m, : t - r]"),
    (R, "part = x[g:h, :, n:m, r:t]", "part = x[g:h, :, : m - n, r:t]"),
    (R, "weights = w[g:h, :, o:p]", "weights = w[: h - g, :, o:p]"),
    (R, "weights = w[g:h, :, o:p]", "weights = w[g:h, :, : p - o]"),
    (R, "weights = w[g:h, :, o:p]", "weights = w[..., ::-1][g:h, :, o:p]"),
    (R, "np.matmul(np.moveaxis(weights, 1, 2),", "np.matmul(abs(np.moveaxis(weights, 1, 2)),"),
    (R, "            y += bias.reshape(", "            y += 0 * bias.reshape("),
    (R, "            y += bias.reshape(", "            y += 2 * bias.reshape("),
    (R, "            y += bias.reshape(", "            y -= bias.reshape("),
    (R, "            y += bias.reshape(", "            y += (y != 0) * bias.reshape("),
    (R, "slice(n, m), *at)] += products", "slice(n, m), *at)] = products"),
    (R, "slice(n, m), *at)] += products", "slice(n, m), *at)] -= products"),
    (R, "(k for k, _, _ in tap)", "(0 for k, _, _ in tap)"),
    (
        R,
        "max(positions.start, start), min(positions.stop, stop)",
        "positions.start, min(positions.stop, stop)",
    ),
    (
        R,
        "max(positions.start, start), min(positions.stop, stop)",
        "max(positions.start, start), positions.stop",
    ),
    (R, "move = (first - positions.start) * stride", "move = first - positions.start"),
    (R, "range(first - start, last - start)", "range(first, last)"),
    (R, "begin = outputs.start + move", "begin = outputs.start"),
    (
        R,
        "begin + (last - first - 1) * stride + 1, stride)",
        "begin + (last - first) * stride + 1, stride)",
    ),
    (
        R,
        "padding=_pairs(padding, rank)",
        "padding=[(low, low) for low, high in _pairs(padding, rank)]",
    ),
]


class Comparison(NamedTuple):
    """The arguments of a call, what the definition gives, and the memory that the oracle's blocks
    may take.
    """

    x: np.ndarray
    w: np.ndarray
    bias: np.ndarray | None
    arguments: dict[str, Any]
    expected: np.ndarray
    block_bytes: int


def test_unmutated_oracle_agrees_everywhere(comparisons: list[Comparison]) -> None:
    """The oracle as it is, loaded like the mutants, agrees in every comparison."""
    oracle = loaded({})
    assert [number for number, each in enumerate(comparisons) if disagrees(oracle, each)] == []
    assert len(comparisons) == COMPARISONS


@pytest.mark.parametrize(
    ("module", "old", "new"), MUTATIONS, ids=[f"{old} -> {new}" for _, old, new in MUTATIONS]
)
def test_mutation_is_noticed(
    comparisons: list[Comparison], module: str, old: str, new: str
) -> None:
    """An oracle with this one term changed disagrees with the definition somewhere."""
    mutant = loaded({module: (old, new)})
    assert any(disagrees(mutant, each) for each in comparisons)


def test_mutations_are_different() -> None:
    """No mutation is listed twice, and every one changes something."""
    assert len(set(MUTATIONS)) == len(MUTATIONS) >= 10
    assert all(old != new for _, old, new in MUTATIONS)


def loaded(changes: dict[str, tuple[str, str]]) -> ModuleType:
    """The oracle from the sources on disk, one text in each named module replaced, over the
    geometry loaded likewise.
    """
    fresh: dict[str, ModuleType] = {}
    with pytest.MonkeyPatch.context() as patch:
        for name, path in FILES.items():
            source = path.read_text(encoding="utf-8")
            if name in changes:
                old, new = changes[name]
                assert source.count(old) == 1, (
                    f"{path.name} has {old!r} {source.count(old)} times, should have it once"
                )
                source = source.replace(old, new)
            fresh[name] = ModuleType(name)
            patch.setitem(sys.modules, name, fresh[name])
            exec(compile(source, f"mutated {path.name}", "exec"), fresh[name].__dict__)
    oracle = fresh["conformance.oracle.reference"]
    assert oracle.Axis is fresh["conformance.geometry"].Axis, (
        "the oracle should use the geometry loaded with it"
    )
    return oracle


def disagrees(oracle: ModuleType, comparison: Comparison) -> bool:
    """Whether the oracle raises, or gives another shape or another number, than the definition."""
    vars(oracle)["BLOCK_BYTES"] = comparison.block_bytes
    try:
        y = oracle.conv_transpose(
            comparison.x, comparison.w, comparison.bias, **comparison.arguments
        )
    except (ValueError, IndexError, ZeroDivisionError):
        return True
    return not np.array_equal(y, comparison.expected)


@pytest.fixture(scope="module")
def comparisons() -> list[Comparison]:
    return list(drawn(np.random.RandomState(SEED)))


def drawn(random: np.random.RandomState) -> Iterator[Comparison]:
    """Calls on small integers: ranks 1 to 3, groups, dilation, crops of both signs, large and small
    blocks.
    """
    for number in range(COMPARISONS):
        rank = 1 + number % 3
        most = (7, 4, 3)[rank - 1]
        size, kernel = random.randint(1, most + 1, rank), random.randint(1, min(most, 4) + 1, rank)
        stride, dilation = random.randint(1, 4, rank), random.randint(1, 4, rank)
        padding = random.randint(-2, 4, (rank, 2))
        output_padding = random.randint(0, 3, rank)
        crops = padding - np.stack([0 * output_padding, output_padding], axis=1)
        out = (size - 1) * stride + dilation * (kernel - 1) + 1 - crops.sum(axis=1)
        padding[out < 1] = 0
        crops = padding - np.stack([0 * output_padding, output_padding], axis=1)
        groups, batch, per_group_in, per_group_out = random.randint(1, 4), *random.randint(1, 3, 3)
        c_in, c_out = groups * per_group_in, groups * per_group_out
        x = random.randint(-4, 5, (batch, c_in, *size)).astype(np.float64)
        w = random.randint(-4, 5, (c_in, per_group_out, *kernel)).astype(np.float64)
        bias = random.randint(1, 9, c_out).astype(np.float64) if number % 2 else None
        axes = tuple(
            Axis(
                size=int(n),
                kernel=int(k),
                stride=int(s),
                dilation=int(d),
                crop_low=int(low),
                crop_high=int(high),
            )
            for n, k, s, d, (low, high) in zip(size, kernel, stride, dilation, crops, strict=True)
        )
        yield Comparison(
            x=x,
            w=w,
            bias=bias,
            arguments={
                "stride": stride,
                "padding": padding,
                "output_padding": output_padding,
                "dilation": dilation,
                "groups": groups,
            },
            expected=scatter.conv_transpose(x, w, bias, Geometry(axes=axes, groups=groups)),
            block_bytes=(2**26, 8, 256, 2048)[number % 4],
        )
