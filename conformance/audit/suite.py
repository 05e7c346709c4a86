"""The configurations of public test suites: what each calls, with which numbers, and what passes.

A file of `suites/` is a suite: facts of its published tests, alike configurations once. What of
its arrays is listed there is used as it is; what is random there is drawn here from the same
distribution, with fixed seeds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from math import prod, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from conformance.audit.rules import Rule, rule_of
from conformance.corpus.case import DEFAULT_SEEDS, Shape, products
from conformance.corpus.tensors import dtype_of
from conformance.geometry import Axis, Geometry
from conformance.oracle import Truth, truth_of
from conformance.oracle.reference import Float64

FOLDER = Path(__file__).parent / "suites"
ROLES = {"x": "input", "w": "kernel", "b": "bias"}
FAN = "fan"
"""PyTorch's default for a kernel: uniform, up to 1 / sqrt(C_out / groups * taps)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """One call of a suite: x (N, C_in, *spatial), w (C_in, C_out / groups, *kernel), whether there
    is a bias, and its window; `tests` of the suite have it, and nothing else that matters here.
    """

    x: Shape
    w: Shape
    bias: bool
    geometry: Geometry
    dtype: str
    values: Mapping[str, Any]
    rule: Rule
    activation: str | None
    tests: int

    @property
    def products(self) -> int:
        """Products of one call."""
        return products(self.x, self.w)

    def truth(self) -> Truth:
        """What is true of the call, with numbers as the suite has them."""
        shapes = {"x": self.x, "w": self.w, "b": (self.w[1] * self.geometry.groups,)}
        dtype = dtype_of(self.dtype)
        arrays = {
            role: _array(self.values[role], shape, DEFAULT_SEEDS[ROLES[role]]).astype(dtype)
            for role, shape in shapes.items()
            if role != "b" or self.bias
        }
        bias = arrays.get("b")
        return truth_of(arrays["x"], arrays["w"], bias, self.geometry, self.dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A public test suite. `refused` of its tests are calls that must be refused: there is no
    result in which a mistake could show. `passes` is its comparison in words.
    """

    slug: str
    name: str
    source: str
    passes: str
    values: Any
    refused: int
    configurations: tuple[Configuration, ...]

    @property
    def tests(self) -> int:
        """Its tests of calls that have a result."""
        return sum(configuration.tests for configuration in self.configurations)

    @property
    def numbers(self) -> str:
        """What its arrays hold, in words."""
        if self.values is None:
            return "listed"
        by_role = isinstance(self.values, dict) and set(self.values) <= set(ROLES)
        values = self.values.values() if by_role else [self.values]
        return "; ".join(map(_in_words, values))


@cache
def suites() -> tuple[Suite, ...]:
    """All that are known, by name of the file."""
    return tuple(_suite(path) for path in sorted(FOLDER.glob("*.yaml")))


def _suite(path: Path) -> Suite:
    spelt = _spelt(path)
    return Suite(
        slug=path.stem,
        name=spelt["name"],
        source="https://github.com/{repository}/blob/{commit}/{path}".format_map(spelt),
        passes=spelt.get("passes", str(rule_of(spelt["rule"]))),
        values=spelt.get("values"),
        refused=spelt.get("refused", 0),
        configurations=tuple(_configurations(spelt)),
    )


def _spelt(path: Path) -> dict[str, Any]:
    """A suite's file; `configurations` may be the name of a suite that has the same calls."""
    spelt: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    if isinstance(spelt["configurations"], str):
        same = _spelt(path.with_stem(spelt["configurations"]))
        spelt["configurations"] = same["configurations"]
    return spelt


def _configurations(spelt: Mapping[str, Any]) -> Iterator[Configuration]:
    for entry in spelt["configurations"]:
        values = entry.get("values", spelt.get("values"))
        by_role = isinstance(values, dict) and set(values) <= set(ROLES)
        yield Configuration(
            x=tuple(entry["x"]),
            w=tuple(entry["w"]),
            bias=entry.get("bias", False),
            geometry=_geometry(entry),
            dtype=entry.get("dtype", spelt["dtype"]),
            values=values if by_role else dict.fromkeys(ROLES, values),
            rule=rule_of(entry.get("rule", spelt["rule"])),
            activation=entry.get("activation"),
            tests=entry.get("tests", 1),
        )


def _geometry(entry: Mapping[str, Any]) -> Geometry:
    """The window; `padding` is the low ends, then the high ones."""
    size, kernel = entry["x"][2:], entry["w"][2:]
    rank = len(size)
    ones, zeros = [1] * rank, [0] * rank
    padding = entry.get("padding", zeros * 2)
    columns = (
        size,
        kernel,
        entry.get("stride", ones),
        entry.get("dilation", ones),
        padding[:rank],
        padding[rank:],
        entry.get("output_padding", zeros),
    )
    axes = (
        Axis(size=n, kernel=k, stride=s, dilation=d, crop_low=low, crop_high=high - extra)
        for n, k, s, d, low, high, extra in zip(*columns, strict=True)
    )
    return Geometry(axes=tuple(axes), groups=entry.get("groups", 1))


def _in_words(values: Any) -> str:
    if isinstance(values, str):
        return "uniform within 1 / sqrt(fan)" if values == FAN else values
    if "uniform" in values:
        low, high = values["uniform"]
        return f"uniform in [{low}, {high})"
    return "normal"


def _array(values: Any, shape: Shape, seed: int) -> Float64:
    """Listed numbers, ones, or what is drawn: `uniform: [low, high]`, `normal: deviation`, FAN."""
    if values == "ones":
        return np.ones(shape)
    if isinstance(values, list):
        return np.array(values, np.float64).reshape(shape)
    if values == FAN:
        reach = 1 / sqrt(prod(shape[1:]))
        values = {"uniform": [-reach, reach]}
    random = np.random.RandomState(seed)
    if "uniform" in values:
        low, high = map(float, values["uniform"])
        return np.asarray(random.uniform(low, high, shape), np.float64)
    return np.asarray(float(values["normal"]) * random.standard_normal(shape), np.float64)
