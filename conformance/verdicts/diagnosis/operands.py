"""Mistakes about the operands: other kernels, groups, biases and layouts of the input.

Each yields only what could be told from the right call: a mistake that needs two axes, groups or a
bias is left out where there are none.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from conformance.oracle.reference import Float64
from conformance.verdicts.diagnosis.mistake import Call, Mistake


def operand_mistakes(call: Call) -> Iterator[Mistake]:
    """Every mistake about the kernel, the groups, the bias and the input's layout."""
    yield from _kernel_mistakes(call)
    yield from _group_mistakes(call)
    yield from _bias_mistakes(call)
    yield from _layout_mistakes(call)


def _kernel_mistakes(call: Call) -> Iterator[Mistake]:
    w, rank, groups = call.w, call.geometry.rank, call.geometry.groups
    spatial = tuple(range(2, w.ndim))
    if np.prod(w.shape[2:]) > 1:
        text = "the kernel is not flipped: the dilated input is correlated with it (JAX's default)"
        yield Mistake(
            name="kernel-not-flipped", text=text, call=replace(call, w=np.flip(w, spatial))
        )
        for axis in range(rank) if sum(n > 1 for n in w.shape[2:]) > 1 else ():
            text = f"the kernel is not flipped on axis {axis}"
            yield Mistake(
                name="kernel-not-flipped", text=text, call=replace(call, w=np.flip(w, axis + 2))
            )
    for first, second in itertools.combinations(range(rank), 2):
        if w.shape[first + 2] > 1 or w.shape[second + 2] > 1:
            yield from _kernel_transposed(call, first, second)
    inside = w.shape[0] // groups
    if inside == w.shape[1] > 1:
        blocks = w.reshape(groups, inside, inside, *w.shape[2:]).swapaxes(1, 2).reshape(w.shape)
        text = "input and output channels of the kernel are exchanged"
        yield Mistake(name="channels-exchanged", text=text, call=replace(call, w=blocks))
    if w.shape[0] > 1 and w.shape[1] > 1:
        read = np.swapaxes(w.reshape(w.shape[1], w.shape[0], *w.shape[2:]), 0, 1)
        text = "the kernel's memory is read with input and output channels in the other order"
        yield Mistake(name="channels-reinterpreted", text=text, call=replace(call, w=read))
        written = np.swapaxes(w, 0, 1).reshape(w.shape)
        text = "the kernel's memory is written with input and output channels in the other order"
        yield Mistake(name="channels-reinterpreted", text=text, call=replace(call, w=written))
    if w.shape[0] * w.shape[1] > 1 and np.prod(w.shape[2:]) > 1:
        last = np.moveaxis(w, (0, 1), (-1, -2)).reshape(w.shape)
        text = "the kernel's memory is channels last and read as channels first"
        yield Mistake(name="kernel-layout", text=text, call=replace(call, w=last))


def _kernel_transposed(call: Call, first: int, second: int) -> Iterator[Mistake]:
    """Two axes of the kernel exchanged; where they have different lengths, with the output's shape
    or in its memory alone.
    """
    w, text = call.w, f"axes {first} and {second} of the kernel are transposed"
    turned = np.swapaxes(w, first + 2, second + 2)
    sizes = turned.shape[2:]
    moved = replace(call, w=turned).with_axes(
        lambda number, axis: replace(axis, kernel=sizes[number])
    )
    yield Mistake(name="kernel-axes-transposed", text=text, call=moved)
    if turned.shape != w.shape:
        text = f"the kernel's memory is read with axes {first} and {second} transposed"
        yield Mistake(
            name="kernel-axes-transposed", text=text, call=replace(call, w=turned.reshape(w.shape))
        )


def _group_mistakes(call: Call) -> Iterator[Mistake]:
    groups = call.geometry.groups
    if groups == 1:
        return
    c_in, per_group = call.w.shape[:2]
    inside = c_in // groups
    plain = replace(call.geometry, groups=1)
    dense = np.concatenate([call.w] * groups, axis=1)
    text = "groups are ignored: every output channel sums over all input channels"
    yield Mistake(name="groups-ignored", text=text, call=replace(call, w=dense, geometry=plain))
    bias = None if call.bias is None else call.bias[:per_group]
    text = "groups are ignored: there are as many output channels as one group has"
    yield Mistake(name="groups-ignored", text=text, call=replace(call, bias=bias, geometry=plain))
    if inside > 1:
        text = "input channels are dealt to the groups one by one instead of in blocks"
        for shape in ((inside, groups), (groups, inside)):
            order = np.arange(c_in).reshape(shape).T.ravel()
            yield Mistake(
                name="input-channels-interleaved", text=text, call=replace(call, x=call.x[:, order])
            )
            if not np.array_equal(order[order], np.arange(c_in)) or inside != groups:
                text = (
                    "the kernel's input channels are dealt to the groups one by one instead of in "
                    "blocks"
                )
                yield Mistake(
                    name="input-channels-interleaved",
                    text=text,
                    call=replace(call, w=call.w[order]),
                )
    first = np.concatenate([call.w[:inside]] * groups)
    text = "the first group's kernel is used for all groups"
    yield Mistake(name="first-kernel-for-all", text=text, call=replace(call, w=first))
    if call.bias is not None:
        text = "the first group's bias is used for all groups"
        yield Mistake(
            name="first-bias-for-all",
            text=text,
            call=replace(call, bias=np.tile(call.bias[:per_group], groups)),
        )


def _bias_mistakes(call: Call) -> Iterator[Mistake]:
    if call.bias is None:
        return
    bias, groups = call.bias, call.geometry.groups
    yield Mistake(name="bias-dropped", text="the bias is dropped", call=replace(call, bias=None))
    yield Mistake(
        name="bias-twice", text="the bias is added twice", call=replace(call, bias=2 * bias)
    )
    if len(bias) == 1:
        return
    yield Mistake(
        name="bias-reversed",
        text="the bias is permuted: reversed",
        call=replace(call, bias=bias[::-1]),
    )
    for shift in range(1, len(bias)) if len(bias) <= 8 else (1, -1):
        text = f"the bias is permuted: moved on by {shift}"
        yield Mistake(name="bias-rolled", text=text, call=replace(call, bias=np.roll(bias, shift)))
    for shape in ((groups, -1), (-1, groups)) if 1 < groups < len(bias) else ():
        text = "the bias is permuted: interleaved across the groups"
        yield Mistake(
            name="bias-interleaved",
            text=text,
            call=replace(call, bias=bias.reshape(shape).T.ravel()),
        )


def permuted_bias(call: Call, got: Float64, without_bias: Float64) -> Mistake | None:
    """The order of the bias in which it is found in `got` (N, C_out, *out), if that is a
    permutation of it.
    """
    if call.bias is None or len(call.bias) < 2 or got.shape != without_bias.shape or not got.size:
        return None
    with np.errstate(invalid="ignore"):
        offsets = np.median((got - without_bias).reshape(len(got), len(call.bias), -1), axis=(0, 2))
    if not np.isfinite(offsets).all() or not np.isfinite(call.bias).all():
        return None
    order = np.empty(len(offsets), int)
    order[np.argsort(offsets, kind="stable")] = np.argsort(call.bias, kind="stable")
    if np.array_equal(call.bias[order], call.bias):
        return None
    text = f"the bias is permuted: {order.tolist()}" if len(order) <= 16 else "the bias is permuted"
    return Mistake(name="bias-permuted", text=text, call=replace(call, bias=call.bias[order]))


def _layout_mistakes(call: Call) -> Iterator[Mistake]:
    x = call.x
    if x.shape[1] > 1 and np.prod(x.shape[2:]) > 1:
        read = np.moveaxis(x, 1, -1).reshape(x.shape)
        text = "the input is channels last and read as channels first"
        yield Mistake(name="input-layout", text=text, call=replace(call, x=read))
        other = np.moveaxis(x.reshape(x.shape[0], *x.shape[2:], x.shape[1]), -1, 1)
        text = "the input is channels first and read as channels last"
        yield Mistake(name="input-layout-reversed", text=text, call=replace(call, x=other))
    for first, second in itertools.combinations(range(2, x.ndim), 2):
        if x.shape[first] > 1 or x.shape[second] > 1:
            text = f"the input's memory is read with axes {first - 2} and {second - 2} transposed"
            turned = np.swapaxes(x, first, second)
            yield Mistake(
                name="input-axes-transposed",
                text=text,
                call=replace(call, x=turned.reshape(x.shape)),
            )
    if x.shape[0] > 1:
        text = "the first input of the batch is used for all"
        yield Mistake(
            name="input-repeated", text=text, call=replace(call, x=np.repeat(x[:1], len(x), 0))
        )
