"""Shape functions that are wrong in exactly one way, each named for what it says."""

from __future__ import annotations

from typing import Any

from conformance.adapters import ShapeFunction, Sizes


class RightShape(ShapeFunction):
    """The size formula; nothing is refused but an output without elements."""

    convention = "torch"

    def versions(self) -> dict[str, str]:
        return {"miniature": "1.0"}

    def devices(self) -> list[str]:
        return ["cpu"]

    def shape(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Sizes | None:
        names = ("stride", "padding", "dilation", "output_padding")
        per_axis = zip(
            x.shape[2:], kernel.shape[2:], *(native[name] for name in names), strict=True
        )
        sizes = [
            None if n is None else (n - 1) * s - 2 * p + d * (k - 1) + 1 + q
            for n, k, s, p, d, q in per_axis
        ]
        if any(size is not None and size < 1 for size in sizes):
            raise ValueError("the output would be empty")
        return [x.shape[0], kernel.shape[1] * native["groups"], *sizes]


class Dynamic(RightShape):
    """It is told neither the batch nor the spatial sizes."""

    unknown = ("batch", "space")


class BatchByChance(Dynamic):
    """It says a batch of 1 of an input whose batch it was not told."""

    def shape(self, *arguments: Any) -> Sizes | None:
        return [1, *(super().shape(*arguments) or ())[1:]]


class SizesByName(RightShape):
    """It was not told the spatial sizes, and says those that the arguments ask for."""

    unknown = ("space",)

    def shape(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Sizes | None:
        named = native.get("output_size", [7] * len(x.shape[2:]))
        return [x.shape[0], kernel.shape[1] * native["groups"], *named]


class ShortByOne(RightShape):
    """The last axis has one element less."""

    def shape(self, *arguments: Any) -> Sizes | None:
        *others, last = super().shape(*arguments) or ()
        return [*others, None if last is None else last - 1]


class AxisTwoUnknown(RightShape):
    """It does not say how many rows there are."""

    def shape(self, *arguments: Any) -> Sizes | None:
        first, second, _, *others = super().shape(*arguments) or ()
        return [first, second, None, *others]


class NoRank(RightShape):
    """It says nothing at all."""

    def shape(self, *arguments: Any) -> Sizes | None:
        return None


class NeverRefuses(RightShape):
    """It says a shape of whatever it is asked."""

    def shape(self, *arguments: Any) -> Sizes | None:
        return [1, 1, 7, 7]


class Refuses(RightShape):
    """It raises whatever it is asked."""

    def shape(self, *arguments: Any) -> Sizes | None:
        raise ValueError("no")


class Words(RightShape):
    """Its sizes are no numbers."""

    def shape(self, *arguments: Any) -> Any:
        return ["one"]
