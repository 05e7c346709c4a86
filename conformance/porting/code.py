"""A plan as a program that can be pasted and run: how weights are laid out, the call, and what surrounds it.

Every program has `convert(weight)`, from the layout of the source to that of the target, and
`conv_transpose(x, weight, bias)`, which makes the call; `bias` is there if the layer has one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.conventions import Native
from conformance.geometry import Geometry
from conformance.porting.calls import Layer
from conformance.porting.layouts import SPATIAL, Layout, kernel_shape, layout_of, permutation, words
from conformance.porting.recipes import Pairs, Plan

_DEFAULTS: dict[str, Any] = {"output_padding": None, "transpose_kernel": False, "feature_group_count": 1, "groups": 1, "group": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Python source; `x` and `y` are the axes of its input and output, `weight` the shape of the kernel that it is given."""

    framework: str
    code: str
    x: str
    y: str
    weight: tuple[int, ...]
    call: str
    weights: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Channels:
    """Sizes that a geometry does not have."""

    batch: int
    c_in: int
    c_out: int


def source_program(layer: Layer, geometry: Geometry, channels: Channels) -> Program:
    """The call that is ported, as it is written, with every default spelled."""
    nothing = ((0, 0),) * layer.rank
    plan = Plan(target=layer.framework, native=layer.native, geometry=geometry, pad=nothing, cut=nothing)
    return program(layer, plan, geometry, channels, layout=layer.layout)


def program(layer: Layer, plan: Plan, geometry: Geometry, channels: Channels, *, layout: Layout | None = None) -> Program:
    """The program of a plan; without a layout, the one that the target has if nothing is said."""
    source = layout is not None
    if layout is None:
        transposed = bool(plan.native.get("transpose_kernel"))
        layout = layout_of(plan.target, layer.rank, transpose_kernel=transposed, groups=plan.geometry.groups)
    numbers = layer.dimension_numbers if source else None
    general = plan.target == "jax" and (plan.geometry.groups > 1 or (source and layer.general))
    given = kernel_shape(layer.layout, c_in=channels.c_in, c_out=channels.c_out, kernel=geometry.kernel, groups=geometry.groups)
    convert, comments = _convert(layer, plan, layout, channels, geometry)
    call = spelled(plan.target, plan.native, plan.geometry, channels, bias=layer.bias, numbers=numbers, general=general)
    body = _BODIES[plan.target](call, plan, layout, layer, channels)
    bias = ", bias" if layer.bias else ""
    inside = [
        *_imports(plan.target),
        "",
        "",
        "def convert(weight):",
        f'    """{layer.framework} keeps it as {_kernel_words(layer.layout, geometry.groups)}'
        f' and {plan.target} as {_kernel_words(layout, plan.geometry.groups)}."""',
        *(f"    {line}" for line in convert),
        "",
        "",
        f"def conv_transpose(x, weight{bias}):",
        f'    """x {words(layout.x)} to y {words(layout.y)}; the weights are as {layer.framework} keeps them."""',
        *(f"    {line}" for line in body),
        "",
        "",
        *_example(layer, plan, layout, channels, geometry, given),
    ]
    code = "\n".join(inside) + "\n"
    return Program(framework=plan.target, code=code, x=layout.x, y=layout.y, weight=given, call=call, weights=comments)


def _kernel_words(layout: Layout, groups: int) -> str:
    where = "" if groups == 1 else "output" if layout.groups_in_output else "input"
    return words(layout.kernel, groups=where) + (", flipped" if layout.flipped else "")


def _imports(framework: str) -> list[str]:
    match framework:
        case "torch":
            return ["import numpy as np", "import torch"]
        case "keras":
            return ["import keras", "import numpy as np"]
        case "tensorflow":
            return ["import numpy as np", "import tensorflow as tf"]
        case "jax":
            return ["import jax", "import jax.numpy as jnp", "import numpy as np"]
        case "flax":
            return ["import jax.numpy as jnp", "import numpy as np", "from flax import nnx"]
        case _:
            return ["import numpy as np", "import onnxruntime", "from onnx import TensorProto, helper, numpy_helper"]


def _example(
    layer: Layer, plan: Plan, layout: Layout, channels: Channels, geometry: Geometry, given: Sequence[int]
) -> Iterable[str]:
    sizes = dict(zip(SPATIAL[layer.rank], geometry.size, strict=True))
    x = tuple({"N": channels.batch, "C": channels.c_in, **sizes}[letter] for letter in layout.x)
    yield 'if __name__ == "__main__":'
    yield f'    weight = np.ones({tuple(given)}, "float32")  # the weights of the {layer.framework} layer go here'
    yield f'    x = np.ones({x}, "float32")'
    if layer.bias:
        yield f'    print(conv_transpose(x, weight, np.zeros({channels.c_out}, "float32")).shape)'
    else:
        yield "    print(conv_transpose(x, weight).shape)"


# Weights


def _convert(
    layer: Layer, plan: Plan, layout: Layout, channels: Channels, geometry: Geometry
) -> tuple[list[str], tuple[str, ...]]:
    """The body of `convert`, and its steps as sentences."""
    have, rank = layer.layout, layer.rank
    groups = geometry.groups
    lines, said, order, flipped = ["w = np.asarray(weight)"], [], have.kernel, have.flipped
    plain = "IO" + SPATIAL[rank]
    rebuilt = plan.block_diagonal or plan.insert_zeros or have.groups_in_output != layout.groups_in_output

    def move(want: str) -> None:
        nonlocal order
        if order != want:
            lines.append(f"w = w.transpose{permutation(order, want)}  # {words(order)} to {words(want)}")
            said.append(f"move the axes from {words(order)} to {words(want)}")
            order = want

    if rebuilt:
        move(plain)
        sizes = ", ".join(map(str, geometry.kernel))
        if have.groups_in_output:
            lines.append(f"w = w.reshape({channels.c_in // groups}, {groups}, {channels.c_out // groups}, {sizes})")
            lines.append(f"w = w.swapaxes(0, 1).reshape({channels.c_in}, {channels.c_out // groups}, {sizes})")
            said.append("move the groups from the output channels to the input channels")
        if plan.block_diagonal:
            i, o = channels.c_in // groups, channels.c_out // groups
            lines.append(
                f"blocks = np.zeros(({channels.c_in}, {channels.c_out}, {sizes}), w.dtype)  # {groups} groups on the diagonal"
            )
            lines.append(f"for g in range({groups}):")
            lines.append(f"    blocks[g * {i} : (g + 1) * {i}, g * {o} : (g + 1) * {o}] = w[g * {i} : (g + 1) * {i}]")
            lines.append("w = blocks")
            said.append(f"put the {groups} groups on the diagonal of a kernel without groups, zeros elsewhere")
        if plan.insert_zeros:
            extents = ", ".join(map(str, plan.geometry.kernel))
            every = ", ".join(f"::{step}" for step in geometry.dilation)
            lines.append(f"dilated = np.zeros((*w.shape[:2], {extents}), w.dtype)")
            lines.append(f"dilated[:, :, {every}] = w  # dilation {_tuple(geometry.dilation)} as zeros between the taps")
            lines.append("w = dilated")
            said.append("put the dilation's zeros between the taps")
        if layout.groups_in_output:
            extents = ", ".join(map(str, plan.geometry.kernel))
            lines.append(f"w = w.reshape({groups}, {channels.c_in // groups}, {channels.c_out // groups}, {extents})")
            lines.append(f"w = w.swapaxes(0, 1).reshape({channels.c_in // groups}, {channels.c_out}, {extents})")
            said.append("move the groups from the input channels to the output channels")
    if flipped != layout.flipped:
        axes = tuple(order.index(letter) for letter in SPATIAL[rank])
        lines.append(f"w = np.flip(w, {axes})  # one of the two flips kernels, the other does not")
        said.append("flip every spatial axis")
    move(layout.kernel)
    if len(lines) == 1:
        return ["return np.asarray(weight)"], ("they are laid out alike",)
    return [*lines, "return w.copy()"], tuple(said)


# Calls


def spelled(
    framework: str,
    native: Native,
    geometry: Geometry,
    channels: Channels,
    *,
    bias: bool,
    numbers: tuple[str, str, str] | None = None,
    general: bool = False,
) -> str:
    """The call as one line of Python, in the framework's words; what is a default is left out, for JAX nothing is."""
    n, kernel = geometry.rank, geometry.kernel
    rest = {
        key: value
        for key, value in native.items()
        if not (key in _DEFAULTS and value == _DEFAULTS[key]) and not (key in ("dilation", "dilations") and set(value) == {1})
    }
    match framework:
        case "torch":
            rest.pop("output_size", None)
            if not any(rest.get("output_padding") or ()):
                rest.pop("output_padding", None)
            rest |= {} if bias else {"bias": False}
            return f"torch.nn.ConvTranspose{n}d({channels.c_in}, {channels.c_out}, {_short(kernel)}{_keywords(rest)})"
        case "keras":
            if set(rest["dilation_rate"]) == {1}:
                del rest["dilation_rate"]
            rest |= {} if bias else {"use_bias": False}
            return f"keras.layers.Conv{n}DTranspose({channels.c_out}, {_short(kernel)}{_keywords(rest)})"
        case "tensorflow":
            rest.pop("output_shape", None)
            rest.pop("groups", None)
            if not isinstance(rest["padding"], str):
                rest["padding"] = [[0, 0], *rest["padding"], [0, 0]]
            shape = [
                f"{_grown(f'x.shape[{i + 1}]', axis.stride, axis.out - axis.size * axis.stride)}"
                for i, axis in enumerate(geometry.axes)
            ]
            sizes = f"[x.shape[0], {', '.join(shape)}, {channels.c_out}]"
            return f"tf.nn.conv{n}d_transpose(x, w, {sizes}{_keywords(rest, whole=('padding',))})"
        case "jax" if general:
            for key in ("transpose_kernel", "use_consistent_padding", "strides"):
                rest.pop(key, None)
            rest = {"padding": rest.pop("padding"), "lhs_dilation": native["strides"], **rest}
            rest["dimension_numbers"] = list(numbers or (f"N{SPATIAL[n]}C", f"{SPATIAL[n]}IO", f"N{SPATIAL[n]}C"))
            return f"jax.lax.conv_general_dilated(x, w, {(1,) * n}{_keywords(rest, whole=tuple(rest))})"
        case "jax":
            rest |= {"dimension_numbers": list(numbers)} if numbers else {}
            if set(rest["rhs_dilation"]) == {1}:
                del rest["rhs_dilation"]
            return f"jax.lax.conv_transpose(x, w{_keywords(rest, whole=tuple(rest))})"
        case "flax":
            if set(rest["kernel_dilation"]) == {1}:
                del rest["kernel_dilation"]
            rest |= {} if bias else {"use_bias": False}
            pairs = _keywords(rest, whole=("padding",))
            return f"nnx.ConvTranspose({channels.c_in}, {channels.c_out}, {tuple(kernel)}{pairs}, rngs=nnx.Rngs(0))"
        case _:
            rest["kernel_shape"] = list(kernel)
            inputs = '["x", "w", "b"]' if bias else '["x", "w"]'
            arguments = ", ".join(f"{key}={value!r}" for key, value in rest.items()).replace("'", '"')
            return f'helper.make_node("ConvTranspose", {inputs}, ["y"], {arguments})'


def _keywords(arguments: Native, *, whole: tuple[str, ...] = ()) -> str:
    """`, key=value` for each; numbers that are all alike as one, but for the keys whose lists are to stay."""
    parts = (f"{key}={_literal(value) if key in whole else _short(value)}" for key, value in arguments.items())
    return "".join(f", {part}" for part in parts)


def _short(value: Any) -> str:
    if isinstance(value, (list, tuple)) and all(isinstance(entry, int) for entry in value) and len(set(value)) == 1:
        return str(value[0])
    return _literal(value)


def _literal(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(_tuple(value)).replace("'", '"')


def _tuple(value: Any) -> Any:
    return tuple(map(_tuple, value)) if isinstance(value, (list, tuple)) else value


def _grown(name: str, stride: int, more: int) -> str:
    """An output size as a function of the input's."""
    product = name if stride == 1 else f"{name} * {stride}"
    return product if more == 0 else f"{product} {'+' if more > 0 else '-'} {abs(more)}"


# What surrounds them


def _sliced(cut: Pairs, letters: str) -> str:
    """An index that cuts the output's spatial axes; letters say where they are."""
    spatial = iter(cut)
    parts = []
    for letter in letters:
        low, high = (0, 0) if letter in "NC" else next(spatial)
        parts.append(f"{low or ''}:{-high if high else ''}")
    return ", ".join(parts).removesuffix(", :") if parts[-1] == ":" else ", ".join(parts)


def _padded(pad: Pairs, letters: str) -> tuple[tuple[int, int], ...]:
    spatial = iter(pad)
    return tuple((0, 0) if letter in "NC" else next(spatial) for letter in letters)


def _around(pad: str, plan: Plan, layout: Layout, call: Iterable[str], *, value: str = "y") -> list[str]:
    """Lines that pad the input if the plan does, make the call, and return the output, cut if the plan says so."""
    lines = []
    if any(map(any, plan.pad)):
        lines.append(f"x = {pad}({'x'}, {_padded(plan.pad, layout.x)})  # zeros round the input: the window moves by the stride")
    lines += call
    if any(map(any, plan.cut)):
        lines.append(f"return {value}[{_sliced(plan.cut, layout.y)}]")
    else:
        lines.append(f"return {value}")
    return lines


def _torch(call: str, plan: Plan, layout: Layout, layer: Layer, channels: Channels) -> list[str]:
    extra = f", output_size={plan.native['output_size']}" if "output_size" in plan.native else ""
    pad = [number for pair in reversed(plan.pad) for number in pair]
    lines = [f"layer = {call}", "with torch.no_grad():", "    layer.weight.copy_(torch.from_numpy(convert(weight)))"]
    lines += ["    layer.bias.copy_(torch.from_numpy(np.asarray(bias)))"] if layer.bias else []
    lines.append("x = torch.as_tensor(x)")
    if any(pad):
        lines.append(f"x = torch.nn.functional.pad(x, {tuple(pad)})  # zeros round the input: the window moves by the stride")
    cut = f"[{_sliced(plan.cut, layout.y)}]" if any(map(any, plan.cut)) else ""
    return [*lines, f"return layer(x{extra}){cut}"]


def _keras(call: str, plan: Plan, layout: Layout, layer: Layer, channels: Channels) -> list[str]:
    weights = "[convert(weight), np.asarray(bias)]" if layer.bias else "[convert(weight)]"
    made = [f"layer = {call}", "layer.build(x.shape)", f"layer.set_weights({weights})"]
    x = ["x = keras.ops.convert_to_tensor(x)"]
    if any(map(any, plan.pad)):
        padding = _short([list(pair) for pair in plan.pad]) if layer.rank > 1 else str(tuple(plan.pad[0]))
        x.append(
            f"x = keras.layers.ZeroPadding{layer.rank}D({padding})(x)  # zeros round the input: the window moves by the stride"
        )
    if any(map(any, plan.cut)):
        cropping = _short([list(pair) for pair in plan.cut]) if layer.rank > 1 else str(tuple(plan.cut[0]))
        return [*x, *made, f"return keras.layers.Cropping{layer.rank}D({cropping})(layer(x))"]
    return [*x, *made, "return layer(x)"]


def _tensorflow(call: str, plan: Plan, layout: Layout, layer: Layer, channels: Channels) -> list[str]:
    made = ["x, w = tf.convert_to_tensor(x), tf.convert_to_tensor(convert(weight))"]
    made += _around("tf.pad", plan, layout, [f"y = {call}", *(["y = y + np.asarray(bias)"] if layer.bias else [])])
    return made


def _jax(call: str, plan: Plan, layout: Layout, layer: Layer, channels: Channels) -> list[str]:
    added = "bias" if layout.y[-1] == "C" else f"jnp.asarray(bias).reshape(-1{', 1' * layer.rank})"
    made = ["x, w = jnp.asarray(x), jnp.asarray(convert(weight))"]
    return made + _around("jnp.pad", plan, layout, [f"y = {call}", *([f"y = y + {added}"] if layer.bias else [])])


def _flax(call: str, plan: Plan, layout: Layout, layer: Layer, channels: Channels) -> list[str]:
    made = [f"layer = {call}", "layer.kernel.set_value(jnp.asarray(convert(weight)))"]
    made += ["layer.bias.set_value(jnp.asarray(bias))"] if layer.bias else []
    return [*made, "x = jnp.asarray(x)", *_around("jnp.pad", plan, layout, [], value="layer(x)")]


def _onnx(call: str, plan: Plan, layout: Layout, layer: Layer, channels: Channels) -> list[str]:
    pads, cuts, axes = any(map(any, plan.pad)), any(map(any, plan.cut)), list(range(2, layer.rank + 2))
    held = ['"w": convert(weight)'] + (['"b": np.asarray(bias)'] if layer.bias else [])
    nodes = []
    if pads:
        ends = [0, 0, *(low for low, _ in plan.pad), 0, 0, *(high for _, high in plan.pad)]
        nodes.append(
            'helper.make_node("Pad", ["x", "pads"], ["padded"]),  # zeros round the input: the window moves by the stride'
        )
        held.append(f'"pads": np.array({ends})')
        call = call.replace('["x", ', '["padded", ', 1)
    if cuts:
        call = call.replace('["y"]', '["whole"]', 1)
    nodes.append(call + ",")
    if cuts:
        nodes.append('helper.make_node("Slice", ["whole", "starts", "ends", "axes"], ["y"]),')
        stops = [-high if high else 2**31 - 1 for _, high in plan.cut]
        held += [f'"starts": np.array({[low for low, _ in plan.cut]})', f'"ends": np.array({stops})', f'"axes": np.array({axes})']
    return [
        "held = {" + ", ".join(held) + "}",
        "nodes = [",
        *(f"    {node}" for node in nodes),
        "]",
        "graph = helper.make_graph(",
        "    nodes,",
        '    "conv_transpose",',
        '    [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],',
        '    [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],',
        "    [numpy_helper.from_array(array, name) for name, array in held.items()],",
        ")",
        'model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8)',
        'session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])',
        'return session.run(None, {"x": np.asarray(x)})[0]',
    ]


_BODIES = {"torch": _torch, "keras": _keras, "tensorflow": _tensorflow, "jax": _jax, "flax": _flax, "onnx": _onnx}
