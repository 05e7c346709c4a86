"""The calls for JAX and the layer of Flax on top of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from native.calls import FEWER, WINDOWS, Call, columns, short


def jax_call(
    name: str,
    size: tuple[int, ...],
    kernel: tuple[int, ...],
    section: str = "padding",
    **arguments: Any,
) -> Call:
    """A call of jax.lax.conv_transpose."""
    source = f"JAX documentation, jax.lax.conv_transpose, {section}"
    groups = arguments.get("feature_group_count", 1)
    return Call(
        name=name, source=source, size=size, kernel=kernel, arguments=arguments, groups=groups
    )


def flax_call(
    name: str,
    size: tuple[int, ...],
    kernel: tuple[int, ...],
    section: str = "padding",
    **arguments: Any,
) -> Call:
    """A call of the layer."""
    source = f"Flax documentation, flax.nnx.ConvTranspose, {section}"
    return Call(name=name, source=source, size=size, kernel=kernel, arguments=arguments)


def named_or_paired(call: Any, same: Any, dilation: str) -> Iterator[Call]:
    """Calls that jax.lax.conv_transpose and the layer on top of it have in common; their names for
    dilation differ.
    """
    for padding, windows in (("SAME", same), ("VALID", FEWER)):
        for number, (size, kernel, stride) in enumerate(map(columns, windows)):
            yield call(
                padding.lower(),
                size,
                kernel,
                strides=short(stride),
                padding=padding,
                transpose_kernel=number % 2 == 1,
            )
    for size, kernel, strides, pads, flipped in (
        ((4,), (4,), 2, [[2, 1]], True),
        ((3, 4), (3, 2), 2, [[1, 1], [0, 1]], False),
        ((2, 3), (5, 1), [3, 4], [[4, 0], [0, 2]], True),
        ((2, 2, 3), (3, 2, 4), [2, 1, 2], [[2, 1], [1, -1], [0, 3]], False),
    ):
        yield call(
            "explicit", size, kernel, strides=strides, padding=pads, transpose_kernel=flipped
        )
    yield call("same", (4, 3), (3, 2), dilation, strides=[1, 3], padding="SAME", **{dilation: 2})
    yield call(
        "valid",
        (4, 3),
        (2, 3),
        dilation,
        strides=[2, 1],
        padding="VALID",
        transpose_kernel=True,
        **{dilation: [2, 1]},
    )
    yield call("explicit", (5,), (3,), dilation, strides=2, padding=[[1, 4]], **{dilation: 2})


def jax_consistent() -> Iterator[Call]:
    """Calls with use_consistent_padding, given and not."""
    consistent = "use_consistent_padding"
    for size, kernel, strides, pads, flipped in (
        ((5,), (3,), 2, [[1, 1]], True),
        ((3, 4), (4, 3), [2, 3], [[1, 0], [0, 2]], False),
        ((2, 3, 2), (3, 1, 2), [2, 4, 1], [[1, 1], [0, 0], [0, 1]], True),
    ):
        yield jax_call(
            "consistent", size, kernel, consistent,
            strides=strides, padding=pads, use_consistent_padding=True, transpose_kernel=flipped,
        )  # fmt: skip
    yield jax_call(
        "consistent", (4, 3), (3, 2), consistent,
        strides=1, padding=[[2, 1], [1, 0]], rhs_dilation=2, use_consistent_padding=True,
    )  # fmt: skip
    yield jax_call(
        "consistent-same",
        (4,),
        (4,),
        consistent,
        strides=3,
        padding="SAME",
        use_consistent_padding=True,
    )
    yield jax_call(
        "explicit",
        (3,),
        (3,),
        consistent,
        strides=2,
        padding=[[1, 1]],
        use_consistent_padding=False,
    )


def jax_groups() -> Iterator[Call]:
    """Calls with feature_group_count."""
    yield Call(
        name="groups",
        source="JAX documentation, jax.lax.conv_general_dilated, feature_group_count",
        size=(3, 4),
        kernel=(3, 2),
        arguments={"strides": 2, "padding": "SAME", "feature_group_count": 2},
        groups=2,
    )


def jax_calls() -> Iterator[Call]:
    """All of them, in the order of the file."""
    yield from named_or_paired(jax_call, WINDOWS, "rhs_dilation")
    yield from jax_consistent()
    yield from jax_groups()


def flax_calls() -> Iterator[Call]:
    yield from named_or_paired(flax_call, FEWER, "kernel_dilation")
    yield flax_call("integer", (4,), (3,), strides=2, padding=1)
    yield flax_call("integer", (3, 4), (5, 2), strides=[3, 4], padding=0, transpose_kernel=True)
    yield flax_call("integer", (3, 2), (4, 3), strides=2, padding=[3, 1])
