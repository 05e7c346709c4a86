"""The input gradient of JAX's convolution, which is the transposed convolution that every network
trains with.

The convolution whose input is our output and whose output is our input; its gradient with respect
to its input, for our input as cotangent. It has no bias: bias is added with JAX's own `+`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from conformance.adapters import Unsupported, refuse_misfit
from conformance.adapters.jax import SPATIAL, Jax, column, on_device
from conformance.conventions import jax as convention


class JaxConvDx(Jax):
    """One backward pass of one convolution."""

    gradients = None  # type: ignore[assignment]  # it would be the convolution's second derivative

    def prepare(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Callable[[], Any]:
        if "preferred_element_type" in native:
            raise Unsupported(
                "A gradient has the dtype of its operand (documentation of jax.vjp), so nothing "
                "asks for another dtype of the output."
            )
        geometry = convention.geometry(native, size=x.shape[2:], kernel=kernel.shape[2:])
        refuse_misfit(bias, kernel.shape[1] * geometry.groups)
        axes = SPATIAL[x.ndim - 2]
        jax_device = jax.devices(device)[0]

        def convolution(image: Any) -> Any:
            return jax.lax.conv_general_dilated(
                image,
                jax.device_put(
                    kernel, jax_device
                ),  # (C_in, C_out / groups, *kernel): the convolution's output channels come first
                window_strides=geometry.stride,
                padding=geometry.crops,
                rhs_dilation=geometry.dilation,
                dimension_numbers=("NC" + axes, "OI" + axes, "NC" + axes),
                feature_group_count=geometry.groups,
            )

        with jax.default_device(jax_device):
            image = jax.numpy.zeros(
                (x.shape[0], kernel.shape[1] * geometry.groups, *geometry.out), x.dtype
            )
            _, pull = jax.vjp(convolution, image)

        def call(above: Any, *added: Any) -> Any:
            (image_gradient,) = pull(above)
            return image_gradient + added[0] if added else image_gradient

        return on_device(device, call, (np.asarray(x), *column(bias, len(axes))))
