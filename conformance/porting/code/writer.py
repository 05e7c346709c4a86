"""A plan as a program that can be pasted and run: how weights are laid out, the call, and what
surrounds it.

Every program has `convert(weight)`, from the layout of the source to that of the target, and
`conv_transpose(x, weight, bias)`, which makes the call; `bias` is there if the layer has one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from conformance.geometry import Geometry
from conformance.porting.code import flax, jax, keras, onnx, tensorflow, torch
from conformance.porting.code.spelling import Spoken
from conformance.porting.code.weights import conversion
from conformance.porting.layer import Channels, Layer
from conformance.porting.layouts import SPATIAL, Layout, kernel_shape, layout_of, words
from conformance.porting.recipes import Plan, whole


class Writer(Protocol):
    """The interface of a module of this package: import lines, the call as one line, and the lines
    that use it.
    """

    IMPORTS: Sequence[str]

    def spelled(self, spoken: Spoken) -> str: ...

    def body(self, call: str, plan: Plan, layout: Layout, bias: bool) -> list[str]: ...


_WRITERS: dict[str, Writer] = {
    "torch": torch,
    "keras": keras,
    "tensorflow": tensorflow,
    "jax": jax,
    "flax": flax,
    "onnx": onnx,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Python source; `x` and `y` are the axes of its input and output, `weight` the shape of the
    kernel that it is given.
    """

    framework: str
    code: str
    x: str
    y: str
    weight: tuple[int, ...]
    call: str
    weights: tuple[str, ...]


def spelled(framework: str, spoken: Spoken) -> str:
    """The call as one line of Python, in the framework's words."""
    return _WRITERS[framework].spelled(spoken)


def source_program(layer: Layer, geometry: Geometry, channels: Channels) -> Program:
    """The call that is ported, as it is written, with every default spelled."""
    return _program(
        layer,
        whole(layer.framework, layer.native, geometry),
        geometry,
        channels,
        layer.layout,
        source=True,
    )


def program(layer: Layer, plan: Plan, geometry: Geometry, channels: Channels) -> Program:
    """The program of a plan, in the layout that the target has if nothing is said."""
    transposed = bool(plan.native.get("transpose_kernel"))
    layout = layout_of(
        plan.target, layer.rank, transpose_kernel=transposed, groups=plan.geometry.groups
    )
    return _program(layer, plan, geometry, channels, layout, source=False)


def _program(
    layer: Layer,
    plan: Plan,
    geometry: Geometry,
    channels: Channels,
    layout: Layout,
    *,
    source: bool,
) -> Program:
    is_general = plan.target == "jax" and (plan.geometry.groups > 1 or (source and layer.general))
    spoken = Spoken(
        native=plan.native,
        geometry=plan.geometry,
        channels=channels,
        bias=layer.bias,
        numbers=layer.dimension_numbers if source else None,
        general=is_general,
        linen=source and layer.linen,
    )
    call = spelled(plan.target, spoken)
    convert, weights = conversion(layer.layout, layout, plan, geometry, channels)
    weight = _weight_shape(layer, geometry, channels)
    lines = [
        *_WRITERS[plan.target].IMPORTS,
        *_convert(layer, plan, layout, geometry, convert),
        *_conv_transpose(layer, layout, _WRITERS[plan.target].body(call, plan, layout, layer.bias)),
        *_example(layer, layout, geometry, channels, weight),
    ]
    return Program(
        framework=plan.target,
        code="\n".join(lines) + "\n",
        x=layout.x,
        y=layout.y,
        weight=weight,
        call=spelled(plan.target, replace(spoken, words=layer.words)),
        weights=weights,
    )


def _weight_shape(layer: Layer, geometry: Geometry, channels: Channels) -> tuple[int, ...]:
    """The shape of the kernel as the layer keeps it."""
    return kernel_shape(
        layer.layout,
        c_in=channels.c_in,
        c_out=channels.c_out,
        kernel=geometry.kernel,
        groups=geometry.groups,
    )


def _convert(
    layer: Layer, plan: Plan, layout: Layout, geometry: Geometry, body: list[str]
) -> Iterable[str]:
    yield from ("", "", "def convert(weight):")
    yield (
        f'    """{layer.framework} keeps it as {_kernel_words(layer.layout, geometry.groups)}'
        f' and {plan.target} as {_kernel_words(layout, plan.geometry.groups)}."""'
    )
    yield from (f"    {line}" for line in body)


def _kernel_words(layout: Layout, groups: int) -> str:
    where = "" if groups == 1 else "output" if layout.groups_in_output else "input"
    return words(layout.kernel, groups=where) + (", flipped" if layout.flipped else "")


def _conv_transpose(layer: Layer, layout: Layout, body: list[str]) -> Iterable[str]:
    yield from ("", "", f"def conv_transpose(x, weight{', bias' if layer.bias else ''}):")
    yield (
        f'    """x {words(layout.x)} to y {words(layout.y)}; the weights are as '
        f'{layer.framework} keeps them."""'
    )
    yield from (f"    {line}" for line in body)


def _example(
    layer: Layer,
    layout: Layout,
    geometry: Geometry,
    channels: Channels,
    weight_shape: Sequence[int],
) -> Iterable[str]:
    sizes = dict(zip(SPATIAL[layer.rank], geometry.size, strict=True))
    x = tuple({"N": channels.batch, "C": channels.c_in, **sizes}[letter] for letter in layout.x)
    yield from ("", "", 'if __name__ == "__main__":')
    yield (
        f'    weight = np.ones({tuple(weight_shape)}, "float32")  # the weights of the '
        f"{layer.framework} layer go here"
    )
    yield f'    x = np.ones({x}, "float32")'
    if layer.bias:
        yield f'    print(conv_transpose(x, weight, np.zeros({channels.c_out}, "float32")).shape)'
    else:
        yield "    print(conv_transpose(x, weight).shape)"
