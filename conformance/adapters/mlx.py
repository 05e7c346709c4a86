"""MLX: `mlx.core.conv_transpose1d/2d/3d`, channels last.

They have no bias argument: bias is added with MLX's own `+`, as `mlx.nn.ConvTranspose2d` does.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import mlx.core as mx
import numpy as np

from conformance.adapters import PreparedCall, refuse_misfit, refuse_promotion, refuse_unsaid
from conformance.system.processor import isa

_CALLS = {1: mx.conv_transpose1d, 2: mx.conv_transpose2d, 3: mx.conv_transpose3d}


class Mlx(PreparedCall):
    """One call of the function for that many axes, evaluated at once."""

    convention = "torch"

    def versions(self) -> dict[str, str]:
        return {"mlx": version("mlx")}

    def devices(self) -> list[str]:
        gpus = ["metal", "cuda"] if hasattr(mx, "cuda") else ["metal"]  # the module is new in 0.29
        return ["cpu"] + [device for device in gpus if getattr(mx, device).is_available()]

    def facts(self) -> dict[str, bool | str]:
        return {"isa": isa()}

    def prepare(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Callable[[], Any]:
        call, operands = self._call_of(x, kernel, bias, native, device)

        def run() -> Any:
            y = call(*operands)
            mx.eval(y)  # nothing is computed before
            return y

        return run

    def gradients(
        self,
        x: Any,
        kernel: Any,
        bias: Any | None,
        native: dict[str, Any],
        cotangent: Any,
        device: str,
    ) -> tuple[Any, Any, Any | None]:
        call, operands = self._call_of(x, kernel, bias, native, device)
        above = mx.array(np.moveaxis(cotangent, 1, -1))
        _, (dx, dkernel, *dbias) = mx.vjp(call, operands, [above])
        mx.eval(dx, dkernel, *dbias)
        # the kernel is (C_out, *kernel, C_in / groups); the suite's (C_in, C_out / groups, *kernel)
        groups = native["groups"]
        moved = np.moveaxis(_from_mlx(dkernel), -1, 0)
        c_in, c_out, *taps = moved.shape
        moved = moved.reshape(c_in, groups, c_out // groups, *taps).swapaxes(0, 1)
        moved = moved.reshape(c_in * groups, c_out // groups, *taps)
        return np.moveaxis(_from_mlx(dx), -1, 1), moved, _from_mlx(dbias[0]) if dbias else None

    def _call_of(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> tuple[Callable[..., Any], list[Any]]:
        """The call as a function of input, kernel and bias (if there is one), and these."""
        refuse_unsaid("mlx", x, kernel, bias, native)
        groups = native["groups"]
        refuse_misfit(bias, kernel.shape[1] * groups)
        refuse_promotion(bias, np.result_type(x, kernel))
        mx.set_default_device(mx.cpu if device == "cpu" else mx.gpu)
        c_in, c_out, *taps = kernel.shape
        grouped = kernel.reshape(groups, c_in // groups, c_out, *taps).swapaxes(0, 1)
        weights = np.moveaxis(grouped.reshape(c_in // groups, groups * c_out, *taps), 0, -1)
        added = [] if bias is None else [mx.array(bias)]
        operands = [mx.array(np.moveaxis(x, 1, -1)), mx.array(weights), *added]
        mx.eval(operands)
        arguments = {
            key: native[key][0] if x.ndim == 3 else tuple(native[key])
            for key in ("stride", "padding", "dilation", "output_padding")
        }

        def call(inputs: Any, weights: Any, *added: Any) -> Any:
            y = _CALLS[x.ndim - 2](inputs, weights, **arguments, groups=groups)
            return y + added[0] if added else y

        return call, operands

    def fetch(self, y: Any) -> Any:
        return np.moveaxis(_from_mlx(y), -1, 1)


def _from_mlx(array: Any) -> Any:
    if array.dtype == mx.bfloat16:  # which NumPy's buffers do not name
        import ml_dtypes

        return np.array(array.view(mx.uint16)).view(ml_dtypes.bfloat16)
    return np.array(array)
