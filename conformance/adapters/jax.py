"""JAX: `jax.lax.conv_transpose`, and `jax.lax.conv_general_dilated`, which has groups.

`lax` has no bias argument: bias is added with JAX's own `+` in the result's dtype.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

if _threads := os.environ.get("CONFORMANCE_THREADS"):
    os.environ.setdefault("NPROC", _threads)  # the size of XLA's CPU thread pool, read once when the client starts

import jax

from conformance.adapters import Unsupported
from conformance.conventions import jax as convention

_SPATIAL = {1: "H", 2: "HW", 3: "HWD"}


class Jax:
    """`jax.lax.conv_transpose`."""

    convention = "jax"

    def versions(self) -> dict[str, str]:
        return {"jax": jax.__version__, "jaxlib": jax.lib.__version__}

    def devices(self) -> list[str]:
        return ["cpu"] + (["cuda"] if jax.default_backend() == "gpu" else [])

    def call(self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str) -> Any:
        if native["feature_group_count"] != 1:
            raise Unsupported("jax.lax.conv_transpose has no argument for groups (documentation of jax.lax.conv_transpose).")
        arguments = {key: value for key, value in native.items() if key != "feature_group_count"}
        axes = _SPATIAL[x.ndim - 2]
        with jax.default_device(jax.devices(device)[0]):
            y = jax.lax.conv_transpose(
                jax.numpy.asarray(x),
                jax.numpy.asarray(laid_out(kernel, native["transpose_kernel"])),
                **_tuples(arguments),
                dimension_numbers=("NC" + axes, "IO" + axes, "NC" + axes),
            )
            return np.asarray(y if bias is None else y + jax.numpy.asarray(bias).reshape(-1, *[1] * len(axes)))


class JaxGeneral(Jax):
    """`jax.lax.conv_general_dilated`: a correlation of the dilated input with the flipped kernel."""

    def call(self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str) -> Any:
        rank, groups = x.ndim - 2, native["feature_group_count"]
        axes = _SPATIAL[rank]
        geometry = convention.geometry(native, size=x.shape[2:], kernel=kernel.shape[2:])
        with jax.default_device(jax.devices(device)[0]):
            y = jax.lax.conv_general_dilated(
                jax.numpy.asarray(x),
                jax.numpy.asarray(_grouped(laid_out(kernel, False), groups)),
                window_strides=(1,) * rank,
                padding=[tuple(pair) for pair in convention.input_padding(geometry)],
                lhs_dilation=geometry.stride,
                rhs_dilation=geometry.dilation,
                dimension_numbers=("NC" + axes, "IO" + axes, "NC" + axes),
                feature_group_count=groups,
            )
            return np.asarray(y if bias is None else y + jax.numpy.asarray(bias).reshape(-1, *[1] * rank))


def laid_out(kernel: Any, transpose_kernel: bool) -> Any:
    """The kernel as (I, O, *kernel) that the call wants: flipped, or with its channels exchanged if the call flips it."""
    if transpose_kernel:
        return np.swapaxes(kernel, 0, 1)
    return np.flip(kernel, tuple(range(2, kernel.ndim)))


def _grouped(kernel: Any, groups: int) -> Any:
    """(C_in, C_out / groups, *kernel) -> (C_in / groups, C_out, *kernel): the groups move to the output channels."""
    c_in, per_group, *size = kernel.shape
    parts = kernel.reshape(groups, c_in // groups, per_group, *size)
    return np.moveaxis(parts, 0, 1).reshape(c_in // groups, groups * per_group, *size)


def _tuples(arguments: dict[str, Any]) -> dict[str, Any]:
    """Lists as tuples, which is what JAX's own checks expect of strides and padding pairs."""
    return {
        key: tuple(tuple(part) if isinstance(part, list) else part for part in value) if isinstance(value, list) else value
        for key, value in arguments.items()
    }
