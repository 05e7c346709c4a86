"""The kernel of a layer with its groups and its dilation written out, for calls that have neither:
differentiable, so that the layer trains what it keeps and no zeros.
"""

from __future__ import annotations

from collections.abc import Iterator

from conformance.porting.modules.part import Part


def expanded(part: Part, *, gather: str, pad: str, tile: str, tensor: str) -> Iterator[str]:
    """Lines that make `w` of itself, by the functions of a framework; a kernel's axes are (*kernel,
    C_out / groups, C_in).
    """
    rank, groups = part.layer.rank, part.geometry.groups
    if part.plan.insert_zeros:
        for axis, (taps, step) in enumerate(
            zip(part.geometry.kernel, part.geometry.dilation, strict=True)
        ):
            if step > 1:
                index = [
                    tap // step if tap % step == 0 else taps for tap in range(_extent(taps, step))
                ]
                after = [[0, int(other == axis)] for other in range(rank + 2)]
                yield f"w = {gather}({pad}(w, {after}), {index}, axis={axis})  # dilation {step}"
    if part.plan.block_diagonal:
        i, o = part.channels.c_in // groups, part.channels.c_out // groups
        times = (*(1,) * rank, groups, 1)
        yield f'blocks = {tensor}(np.kron(np.eye({groups}), np.ones(({o}, {i}))).astype("float32"))'
        yield f"w = {tile}(w, {times}) * blocks  # {groups} groups on the diagonal"


def _extent(taps: int, step: int) -> int:
    return (taps - 1) * step + 1
