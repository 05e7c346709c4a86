"""TensorFlow's static shape: that of the output of a traced `tf.function`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from conformance.adapters import Operand, ShapeFunction, Sizes, refuse_misfit
from conformance.adapters.tensorflow import TensorFlow, call_for, call_of
from conformance.conventions import tensorflow as convention


class TensorFlowStaticShape(ShapeFunction):
    """One tracing of the call of `tf.nn`, which is given the output's shape.

    Where that depends on what is `unknown`, it is given as a tensor: the batch is the input's, by
    `tf.shape`; spatial sizes are an argument of the function.
    """

    convention = "tensorflow"

    def __init__(self, *, unknown: tuple[str, ...] = ()) -> None:
        self.unknown = unknown

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
        if "space" in self.unknown:
            specs = [tf.TensorSpec([len(space)], tf.int32), *specs]
        call = self._call_of(x, kernel, native)
        outputs = tf.function(call).get_concrete_function(*specs).output_shapes
        (sizes,) = outputs if isinstance(outputs, tuple) else (outputs,)
        if sizes.rank is None:
            return None
        first, *inside, last = sizes.as_list()
        return [first, last, *inside]

    def _call_of(self, x: Operand, kernel: Any, native: dict[str, Any]) -> Callable[..., Any]:
        """The call, which takes the output's spatial sizes first where they are not known."""
        channels = kernel.shape[1] * native["groups"]
        if "space" in self.unknown:
            return lambda out, inputs, *others: call_for(
                tf.concat([tf.shape(inputs)[:1], out, [channels]], 0), native
            )(inputs, *others)
        if "batch" in self.unknown:
            space = x.example().shape[2:]
            out = convention.geometry(native, size=space, kernel=kernel.shape[2:]).out
            return lambda inputs, *others: call_for([tf.shape(inputs)[0], *out, channels], native)(
                inputs, *others
            )
        return call_of(x, kernel, native)
