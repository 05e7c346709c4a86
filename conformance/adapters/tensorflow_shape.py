"""TensorFlow's static shape: that of the output of a traced `tf.function`."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from conformance.adapters import Operand, ShapeFunction, Sizes, refuse_misfit
from conformance.adapters.tensorflow import TensorFlow, call_of


class TensorFlowStaticShape(ShapeFunction):
    """One tracing of the call of `tf.nn`, which is given the output's shape."""

    convention = "tensorflow"

    def versions(self) -> dict[str, str]:
        return TensorFlow().versions()

    def devices(self) -> list[str]:
        return ["cpu"]

    def shape(
        self, x: Operand, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Sizes | None:
        refuse_misfit(bias, kernel.shape[1] * native["groups"])
        batch, c_in, *space = x.shape
        c_in_of_kernel, c_out, *window = kernel.shape
        shapes = [[batch, *space, c_in], [*window, c_out, c_in_of_kernel]]
        shapes += [] if bias is None else [list(bias.shape)]
        specs = [tf.TensorSpec(shape, x.dtype) for shape in shapes]
        traced = tf.function(call_of(x, kernel, native)).get_concrete_function(*specs)
        (said,) = (
            traced.output_shapes
            if isinstance(traced.output_shapes, tuple)
            else (traced.output_shapes,)
        )
        if said.rank is None:
            return None
        first, *inside, last = said.as_list()
        return [first, last, *inside]
