"""A layer as a `tf.Module`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.porting.code.spelling import added
from conformance.porting.code.tensorflow import spelled
from conformance.porting.modules.expansion import expanded
from conformance.porting.modules.part import Part

IMPORTS: Sequence[str] = ("import numpy as np", "import tensorflow as tf")


def definition(part: Part) -> Iterator[str]:
    """The class of a layer, whose kernel is written out at every call where it has to be."""
    yield f"class {part.class_name}(tf.Module):"
    yield f"    {part.summary}"
    yield from ("", "    def __init__(self, name=None):", "        super().__init__(name=name)")
    yield f'        self.kernel = tf.Variable(tf.zeros({part.own_kernel_shape}), name="kernel")'
    if part.bias:
        yield f'        self.bias = tf.Variable(tf.zeros({part.channels.c_out}), name="bias")'
    yield from ("", "    def __call__(self, x):", "        w = tf.convert_to_tensor(self.kernel)")
    for line in expanded(
        part, gather="tf.gather", pad="tf.pad", tile="tf.tile", tensor="tf.constant"
    ):
        yield f"        {line}"
    bias = "self.bias" if part.bias else None
    for line in added(spelled(part.spoken), part.plan, part.kernel_layout, pad="tf.pad", bias=bias):
        yield f"        {line}"
    yield from ("", f"    def load(self, {part.parameters}):")
    yield f"        self.kernel.assign({part.kernel_expression})"
    if part.bias:
        yield "        self.bias.assign(array(held, bias))"
    yield "        return self"


def container(parts: Sequence[Part]) -> Iterator[str]:
    """The class that has every layer by its name."""
    yield from ("class Layers(tf.Module):", "    def __init__(self):", "        super().__init__()")
    yield from (f"        self.{part.name} = {part.class_name}()" for part in parts)


def made(part: Part) -> str:
    """The expression of a layer that is new."""
    return f"{part.class_name}()"
