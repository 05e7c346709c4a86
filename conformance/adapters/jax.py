"""JAX: `jax.lax.conv_transpose`, and `jax.lax.conv_general_dilated`, which has groups.

`lax` has no bias argument: bias is added with JAX's own `+` in the result's dtype.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from conformance.adapters import PreparedCall, Unsupported, jaxcache, refuse_misfit
from conformance.conventions import jax as convention

_HAS_CONSISTENT_PADDING = (
    "use_consistent_padding" in inspect.signature(jax.lax.conv_transpose).parameters
)
jaxcache.keep_compiled()
jaxcache.take_precision()
SPATIAL = {1: "H", 2: "HW", 3: "HWD"}


class Jax(PreparedCall):
    """The adapter for `jax.lax.conv_transpose`."""

    convention = "jax"

    def versions(self) -> dict[str, str]:
        return {"jax": jax.__version__, "jaxlib": jax.lib.__version__}

    def devices(self) -> list[str]:
        return ["cpu"] + (["cuda"] if jax.default_backend() == "gpu" else [])

    def threads(self) -> int | None:
        return jaxcache.threads()

    def facts(self) -> dict[str, bool | str]:
        return jaxcache.facts()

    def prepare(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Callable[[], Any]:
        return on_device(device, *self.call_of(x, kernel, bias, native))

    def gradients(
        self,
        x: Any,
        kernel: Any,
        bias: Any | None,
        native: dict[str, Any],
        cotangent: Any,
        device: str,
    ) -> tuple[Any, Any, Any | None]:
        call, operands = self.call_of(x, kernel, bias, native)
        jax_device = jax.devices(device)[0]
        with jax.default_device(jax_device):
            device_operands = [jax.device_put(operand, jax_device) for operand in operands]
            _, pull = jax.vjp(call, *device_operands)
            dx, dkernel, *dbias = pull(jax.device_put(self.above(cotangent), jax_device))
        return (
            self.fetch(dx),
            self.in_kernel_layout(np.asarray(dkernel), native),
            np.asarray(dbias[0]).ravel() if dbias else None,
        )

    def call_of(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any]
    ) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """The call as a function of input, kernel and bias (if there is one) in its own layouts,
        and these.
        """
        if native["feature_group_count"] != 1:
            raise Unsupported(
                "jax.lax.conv_transpose has no argument for groups (documentation of "
                "jax.lax.conv_transpose)."
            )
        if "use_consistent_padding" in native and not _HAS_CONSISTENT_PADDING:
            raise Unsupported(
                f"jax {jax.__version__} has no use_consistent_padding, which came with jax 0.9."
            )
        refuse_misfit(bias, kernel.shape[1])
        axes = SPATIAL[x.ndim - 2]
        arguments = tuples(
            {key: value for key, value in native.items() if key != "feature_group_count"}
        )

        def call(inputs: Any, weights: Any, *added: Any) -> Any:
            y = jax.lax.conv_transpose(
                inputs,
                weights,
                **arguments,
                dimension_numbers=("NC" + axes, "IO" + axes, "NC" + axes),
            )
            return y + added[0] if added else y

        return call, (x, laid_out(kernel, native["transpose_kernel"]), *column(bias, len(axes)))

    def above(self, cotangent: Any) -> Any:
        """The cotangent in the layout of the call's output."""
        return cotangent

    def in_kernel_layout(self, dkernel: Any, native: dict[str, Any]) -> Any:
        """The kernel's gradient in the kernel's own layout."""
        return laid_out(dkernel, native["transpose_kernel"])

    def fetch(self, y: Any) -> Any:
        return np.asarray(y)

    def compilations(self) -> dict[str, int]:
        return jaxcache.compilations()


class JaxGeneral(Jax):
    """`jax.lax.conv_general_dilated`: a correlation of the dilated input with the flipped kernel;
    `compiled`, under `jax.jit`.
    """

    def __init__(self, *, compiled: bool = False) -> None:
        self._compiled = compiled

    def call_of(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any]
    ) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        rank, groups = x.ndim - 2, native["feature_group_count"]
        refuse_misfit(bias, kernel.shape[1] * groups)
        if (
            kernel.shape[0] != x.shape[1] and kernel.shape[0] % groups
        ):  # unchanged, it could be read as another, legal kernel
            raise Unsupported(
                f"A kernel of {kernel.shape[0]} input channels has no layout in {groups} groups."
            )
        axes = SPATIAL[rank]
        geometry = convention.geometry(native, size=x.shape[2:], kernel=kernel.shape[2:])

        def call(inputs: Any, weights: Any, *added: Any) -> Any:
            y = jax.lax.conv_general_dilated(
                inputs,
                weights,
                window_strides=(1,) * rank,
                padding=[tuple(pair) for pair in convention.input_padding(geometry)],
                lhs_dilation=geometry.stride,
                rhs_dilation=geometry.dilation,
                dimension_numbers=("NC" + axes, "IO" + axes, "NC" + axes),
                feature_group_count=groups,
                preferred_element_type=native.get("preferred_element_type"),
            )
            return y + added[0] if added else y

        operands = (x, _grouped(laid_out(kernel, False), groups), *column(bias, rank))
        return jax.jit(call) if self._compiled else call, operands

    def in_kernel_layout(self, dkernel: Any, native: dict[str, Any]) -> Any:
        inside, c_out, *size = dkernel.shape
        groups = native["feature_group_count"]
        parts = np.moveaxis(dkernel.reshape(inside, groups, c_out // groups, *size), 1, 0)
        return laid_out(parts.reshape(groups * inside, c_out // groups, *size), False)


def column(bias: Any | None, rank: int) -> tuple[Any, ...]:
    """The bias with an axis of 1 for every spatial axis, if there is one."""
    return () if bias is None else (bias.reshape(-1, *[1] * rank),)


def on_device(
    device: str, call: Callable[..., Any], operands: tuple[Any, ...]
) -> Callable[[], Any]:
    """The call with its operands on that device's memory; the output is awaited."""
    jax_device = jax.devices(device)[0]
    device_operands = [jax.device_put(operand, jax_device) for operand in operands]

    def run() -> Any:
        with jax.default_device(jax_device):
            return call(*device_operands).block_until_ready()

    return run


def laid_out(kernel: Any, transpose_kernel: bool) -> Any:
    """The kernel as (I, O, *kernel) that the call wants: flipped, or with its channels exchanged if
    the call flips it.
    """
    if transpose_kernel:
        return np.swapaxes(kernel, 0, 1)
    return np.flip(kernel, tuple(range(2, kernel.ndim)))


def _grouped(kernel: Any, groups: int) -> Any:
    """(C_in, C_out / groups, *kernel) -> (C_in / groups, C_out, *kernel): the groups move to the
    output channels.
    """
    c_in, per_group, *size = kernel.shape
    if c_in % groups:  # no such layout: JAX is to refuse it, not this reshape
        return kernel
    parts = kernel.reshape(groups, c_in // groups, per_group, *size)
    return np.moveaxis(parts, 0, 1).reshape(c_in // groups, groups * per_group, *size)


def tuples(arguments: dict[str, Any]) -> dict[str, Any]:
    """Lists as tuples, which is what JAX's own checks expect of strides and padding pairs."""
    return {
        key: tuple(tuple(part) if isinstance(part, list) else part for part in value)
        if isinstance(value, list)
        else value
        for key, value in arguments.items()
    }
