"""A layer as a `keras.Layer`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.porting.code.keras import ends, spelled
from conformance.porting.code.spelling import WHY_PAD, keywords
from conformance.porting.modules.expansion import expanded
from conformance.porting.modules.part import Part

IMPORTS: Sequence[str] = ("import keras", "import numpy as np")


def definition(part: Part) -> Iterator[str]:
    """The class of a layer: Keras' own inside, or its function where the kernel is written out."""
    rank = part.layer.rank
    yield '@keras.saving.register_keras_serializable("ported")'
    yield f"class {part.class_name}(keras.layers.Layer):"
    yield f"    {part.summary}"
    yield from ("", "    def __init__(self, **kwargs):", "        super().__init__(**kwargs)")
    if _pads(part):
        yield f"        self.pad = keras.layers.ZeroPadding{rank}D({ends(part.plan.pad)}){WHY_PAD}"
    if not _writes_out(part):
        yield f"        self.conv = {spelled(part.spoken)}"
    if _cuts(part):
        yield f"        self.cut = keras.layers.Cropping{rank}D({ends(part.plan.cut)})"
    yield from _written_out(part) if _writes_out(part) else _own(part)
    yield from ("", f"    def load(self, {part.parameters}):")
    shape = f"({'None, ' * (rank + 1)}{part.channels.c_in})"
    yield from ("        if not self.built:", f"            self.build({shape})")
    values = f"[{part.kernel_expression}{', array(held, bias)' if part.bias else ''}]"
    yield from (f"        self.set_weights({values})", "        return self")


def _own(part: Part) -> Iterator[str]:
    """Methods that build and call Keras' own layer."""
    yield from ("", "    def build(self, input_shape):")
    yield from ("        self.conv.build(input_shape)", "        self.built = True")
    yield from ("", "    def call(self, x):")
    x = "self.pad(x)" if _pads(part) else "x"
    yield (
        f"        return self.cut(self.conv({x}))"
        if _cuts(part)
        else f"        return self.conv({x})"
    )


def _written_out(part: Part) -> Iterator[str]:
    """Methods that keep a kernel of groups, and call Keras' function with it written out."""
    yield from ("", "    def build(self, input_shape):")
    yield f'        self.kernel = self.add_weight(name="kernel", shape={part.own_kernel_shape})'
    if part.bias:
        shape = f"({part.channels.c_out},)"
        more = f'name="bias", shape={shape}, initializer="zeros"'
        yield f"        self.bias = self.add_weight({more})"
    yield from (
        "        self.built = True",
        "",
        "    def call(self, x):",
        "        w = self.kernel",
    )
    ops = "keras.ops."
    for line in expanded(
        part,
        gather=f"{ops}take",
        pad=f"{ops}pad",
        tile=f"{ops}tile",
        tensor=f"{ops}convert_to_tensor",
    ):
        yield f"        {line}"
    x = "self.pad(x)" if _pads(part) else "x"
    arguments = {"data_format": "channels_last", **part.spoken.explicit_arguments}
    yield f"        y = keras.ops.conv_transpose({x}, w{keywords(arguments)})"
    if part.bias:
        yield "        y = y + self.bias"
    yield f"        return {'self.cut(y)' if _cuts(part) else 'y'}"


def _writes_out(part: Part) -> bool:
    return part.plan.block_diagonal or part.plan.insert_zeros


def _pads(part: Part) -> bool:
    return any(map(any, part.plan.pad))


def _cuts(part: Part) -> bool:
    return any(map(any, part.plan.cut))


def container(parts: Sequence[Part]) -> Iterator[str]:
    """The class that has every layer by its name."""
    yield from (
        "class Layers(keras.Model):",
        "    def __init__(self):",
        "        super().__init__()",
    )
    yield from (
        f'        self.{part.name} = {part.class_name}(name="{part.name}")' for part in parts
    )


def made(part: Part) -> str:
    """The expression of a layer that is new."""
    return f'{part.class_name}(name="{part.name}")'
