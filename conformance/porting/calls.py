"""What a call says, in its framework's own words: parsed, never evaluated.

Only literals count. What has no bearing on the result's window, such as an initializer, may be any expression; an operand
may be a name, or its shape as a tuple.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from conformance.conventions import ArgumentError, Native, normal_form
from conformance.conventions.arguments import is_integer
from conformance.porting.layouts import SPATIAL, Layout, layout_of


class PortError(ValueError):
    """What is wrong with a call that is to be ported, and what would be right, in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What one call says. `native` is in normal form; None stands for what the call does not say."""

    framework: str
    text: str
    name: str | None = None
    rank: int
    kernel: tuple[int, ...]
    native: Native
    layout: Layout
    groups: int = 1
    c_in: int | None = None
    c_out: int | None = None
    bias: bool = True
    batch: int | None = None
    size: tuple[int, ...] | None = None
    dimension_numbers: tuple[str, str, str] | None = None
    general: bool = False
    notes: tuple[str, ...] = ()


_TORCH = "in_channels out_channels kernel_size stride padding output_padding groups bias dilation padding_mode device dtype"
_KERAS_TAIL = "activation use_bias kernel_initializer bias_initializer kernel_regularizer bias_regularizer activity_regularizer"
_KERAS_TAIL += " kernel_constraint bias_constraint name dtype trainable input_shape"
_KERAS = "filters kernel_size strides padding output_padding data_format dilation_rate " + _KERAS_TAIL
_KERAS_3D = "filters kernel_size strides padding data_format output_padding dilation_rate " + _KERAS_TAIL
_TENSORFLOW = "input filters output_shape strides padding data_format dilations name"
_JAX = "lhs rhs strides padding rhs_dilation dimension_numbers transpose_kernel precision preferred_element_type"
_GENERAL = "lhs rhs window_strides padding lhs_dilation rhs_dilation dimension_numbers feature_group_count batch_group_count"
_FLAX = "in_features out_features kernel_size strides"

SIGNATURES: dict[tuple[str, str], tuple[str, str]] = {
    **{("torch", f"ConvTranspose{n}d"): (_TORCH, "") for n in (1, 2, 3)},
    **{("keras", f"Conv{n}DTranspose"): (_KERAS_3D if n == 3 else _KERAS, "") for n in (1, 2, 3)},
    **{("tensorflow", f"conv{n}d_transpose"): (_TENSORFLOW, "") for n in (1, 2, 3)},
    ("jax", "conv_transpose"): (_JAX + " use_consistent_padding", ""),
    ("jax", "conv_general_dilated"): (_GENERAL + " precision preferred_element_type out_sharding", ""),
    ("flax", "ConvTranspose"): (
        _FLAX,
        "padding kernel_dilation use_bias mask dtype param_dtype precision kernel_init bias_init transpose_kernel promote_dtype"
        " preferred_element_type rngs kernel_metadata bias_metadata",
    ),
}
"""(framework, function) -> its parameters: by position or by name, and by name alone."""


def read(text: str, framework: str) -> Layer:
    """The layer of a call; raises PortError."""
    if framework == "onnx":
        return from_attributes(_json(text), text=text.strip())
    function, arguments, after = _parsed(text, framework)
    try:
        layer = {"torch": _torch, "keras": _keras, "tensorflow": _tensorflow, "jax": _jax, "flax": _flax}[framework]
        return layer(text.strip(), function, arguments, after)
    except ArgumentError as error:
        raise PortError(f"{function}: {error}") from None


def from_attributes(
    attributes: Mapping[str, Any],
    *,
    text: str,
    name: str | None = None,
    weights: Sequence[int] | None = None,
    bias: bool = True,
    shape: Sequence[int] | None = None,
) -> Layer:
    """The layer of ONNX attributes; `weights` is the shape of W, which may also stand in a JSON object as "W"."""
    left = dict(attributes)
    weights = left.pop("W", weights)
    kernel: Any = left.pop("kernel_shape", None) or (list(weights[2:]) if weights else None)
    if not _sizes(kernel) or not 1 <= len(kernel) <= 3:
        raise PortError(f"kernel_shape is {kernel!r}, should be the kernel's 1, 2 or 3 sizes")
    if weights is not None and (not _sizes(weights) or list(weights[2:]) != list(kernel)):
        raise PortError(f"W has shape {weights!r}, should be (C_in, C_out / group, {', '.join(map(str, kernel))})")
    rank = len(kernel)
    try:
        native = normal_form("onnx", left, rank)
    except ArgumentError as error:
        raise PortError(f"ConvTranspose: {error}") from None
    return Layer(
        framework="onnx",
        text=text,
        name=name,
        rank=rank,
        kernel=tuple(kernel),
        native=native,
        layout=layout_of("onnx", rank),
        groups=native["group"],
        c_in=weights[0] if weights else None,
        c_out=weights[1] * native["group"] if weights else None,
        bias=bias,
        batch=shape[0] if shape else None,
        size=tuple(shape[2:]) if shape else None,
    )


def _json(text: str) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        for key, _ in pairs:
            if sum(key == other for other, _ in pairs) > 1:
                raise PortError(f"{key} is given twice")
        return dict(pairs)

    try:
        found = json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        raise PortError(f"{text.strip()!r} is not JSON ({error}), should be an object of attributes, or an .onnx file") from None
    if not isinstance(found, dict):
        raise PortError(f"{text.strip()} is no object, should be one of attributes, such as " + '{"kernel_shape": [3, 3]}')
    return found


def _parsed(text: str, framework: str) -> tuple[str, dict[str, ast.expr], dict[str, ast.expr]]:
    """The function's last name, its arguments by name, and those of the call on what it returns."""
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise PortError(
            f"{text.strip()!r} is not one Python expression, should be a call such as {_example(framework)}"
        ) from None
    after: dict[str, ast.expr] = {}
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Call):
        after = {keyword.arg or "**": keyword.value for keyword in node.keywords}
        node = node.func
    function = _last_name(node.func) if isinstance(node, ast.Call) else None
    if function is None or not isinstance(node, ast.Call):
        raise PortError(f"{text.strip()!r} is no call by a name, should be one such as {_example(framework)}")
    if (framework, function) not in SIGNATURES:
        theirs = [other for other, name in SIGNATURES if name == function]
        known = ", ".join(name for other, name in SIGNATURES if other == framework)
        hint = f" (that is {theirs[0]}'s)" if theirs else ""
        raise PortError(f"{function} is no transposed convolution of {framework}{hint}, should be one of {known}")
    if set(after) - ({"output_size"} if framework == "torch" else set()):
        raise PortError(f"the call of the layer takes output_size at most, and this has {', '.join(sorted(after))}")
    return function, _bound(function, node, *(part.split() for part in SIGNATURES[framework, function])), after


def _last_name(node: ast.expr) -> str | None:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else None


def _bound(function: str, node: ast.Call, positional: list[str], named: list[str]) -> dict[str, ast.expr]:
    """Arguments by name, as Python would bind them."""
    if any(isinstance(argument, ast.Starred) for argument in node.args) or any(k.arg is None for k in node.keywords):
        raise PortError(f"{function} is given unpacked arguments (* or **), should be given each by itself")
    if len(node.args) > len(positional):
        raise PortError(f"{function} is given {len(node.args)} arguments by position, should be at most {len(positional)}")
    bound = dict(zip(positional, node.args, strict=False))
    known = [*positional, *named]
    for keyword in node.keywords:
        name = str(keyword.arg)
        if name in bound:
            raise PortError(f"{function} is given {name} twice")
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"should be one of {', '.join(known)}"
            raise PortError(f"{function} has no argument {name}, {hint}")
        bound[name] = keyword.value
    return bound


def _value(function: str, arguments: Mapping[str, ast.expr], key: str, default: Any = None) -> Any:
    """The literal that an argument has."""
    if key not in arguments:
        return default
    try:
        return _listed(ast.literal_eval(arguments[key]))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise PortError(
            f"{function}: {key} is {ast.unparse(arguments[key])}, should be a literal: nothing is evaluated"
        ) from None


def _listed(value: Any) -> Any:
    return [_listed(entry) for entry in value] if isinstance(value, (list, tuple)) else value


def _needed(function: str, arguments: Mapping[str, ast.expr], *keys: str) -> list[Any]:
    for key in keys:
        if key not in arguments:
            raise PortError(f"{function} needs {key}")
    return [_value(function, arguments, key) for key in keys]


def _count(function: str, key: str, value: Any) -> int:
    if not is_integer(value) or value < 1:
        raise PortError(f"{function}: {key} is {value!r}, should be a whole number of at least 1")
    return int(value)


def _flag(function: str, arguments: Mapping[str, ast.expr], key: str, default: bool) -> bool:
    value = _value(function, arguments, key, default)
    if not isinstance(value, bool):
        raise PortError(f"{function}: {key} is {value!r}, should be True or False")
    return value


def _kernel(function: str, value: Any, rank: int) -> tuple[int, ...]:
    sizes = [value] * rank if is_integer(value) else value
    if not _sizes(sizes) or len(sizes) != rank:
        raise PortError(f"{function}: kernel_size is {value!r}, should be a whole number or {rank} of them, each at least 1")
    return tuple(sizes)


def _sizes(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(is_integer(entry) and entry >= 1 for entry in value) and len(value) > 0


def _shape(function: str, arguments: Mapping[str, ast.expr], key: str) -> list[int] | None:
    """The shape that stands in an operand's place; None for a name or any other expression."""
    node = arguments.get(key)
    if not isinstance(node, (ast.Tuple, ast.List)):
        return None
    found = _value(function, arguments, key)
    if not _sizes(found):
        raise PortError(f"{function}: {key} is {ast.unparse(node)}, should be a shape, or a name")
    return list(found)


def _given(function: str, arguments: Mapping[str, ast.expr], *keys: str, **renamed: str) -> dict[str, Any]:
    """Those of the arguments that are there and not None, under the convention's names."""
    names = {key: key for key in keys} | {theirs: ours for ours, theirs in renamed.items()}
    found = {ours: _value(function, arguments, theirs) for theirs, ours in names.items()}
    return {key: value for key, value in found.items() if value is not None}


def _notes(function: str, arguments: Mapping[str, ast.expr]) -> tuple[str, ...]:
    """What is left to the reader: element types."""
    kinds = [f"{key}={ast.unparse(arguments[key])}" for key in ("dtype", "param_dtype") if key in arguments]
    return (f"{kinds[0]} says nothing about the window, and is left to you: the proof is in float32.",) if kinds else ()


def _torch(text: str, function: str, arguments: dict[str, ast.expr], after: dict[str, ast.expr]) -> Layer:
    rank = int(function[-2])
    c_in, c_out, size = _needed(function, arguments, "in_channels", "out_channels", "kernel_size")
    mode = _value(function, arguments, "padding_mode", "zeros")
    if mode != "zeros":
        raise PortError(f"{function}: padding_mode is {mode!r}, should be 'zeros', the only one that torch takes here")
    given = _given(function, arguments, "stride", "padding", "output_padding", "dilation", "groups")
    native = normal_form("torch", given | _given(function, after, "output_size"), rank)
    return Layer(
        framework="torch",
        text=text,
        rank=rank,
        kernel=_kernel(function, size, rank),
        native=native,
        layout=layout_of("torch", rank),
        groups=_count(function, "groups", native["groups"]),
        c_in=_count(function, "in_channels", c_in),
        c_out=_count(function, "out_channels", c_out),
        bias=_flag(function, arguments, "bias", True),
        notes=_notes(function, arguments),
    )


def _keras(text: str, function: str, arguments: dict[str, ast.expr], after: dict[str, ast.expr]) -> Layer:
    rank = int(function[4])
    filters, size = _needed(function, arguments, "filters", "kernel_size")
    given = _given(function, arguments, "strides", "padding", "output_padding", "dilation_rate")
    if isinstance(given.get("padding"), str):
        given["padding"] = given["padding"].lower()  # Keras takes "SAME" too
    notes = _notes(function, arguments)
    if "activation" in arguments and not (
        isinstance(arguments["activation"], ast.Constant) and arguments["activation"].value is None
    ):
        notes += (f"activation={ast.unparse(arguments['activation'])} is not part of what is ported: apply it afterwards.",)
    form = _value(function, arguments, "data_format")
    if form not in (None, "channels_last", "channels_first"):
        raise PortError(f"{function}: data_format is {form!r}, should be 'channels_last' or 'channels_first'")
    if form == "channels_first":
        notes += ("The layer is channels first; the code and the proof are channels last, where every backend runs.",)
    return Layer(
        framework="keras",
        text=text,
        rank=rank,
        kernel=_kernel(function, size, rank),
        native=normal_form("keras", given, rank),
        layout=layout_of("keras", rank),
        c_out=_count(function, "filters", filters),
        bias=_flag(function, arguments, "use_bias", True),
        notes=notes,
    )


def _tensorflow(text: str, function: str, arguments: dict[str, ast.expr], after: dict[str, ast.expr]) -> Layer:
    rank = int(function[4])
    filters = _operand(function, arguments, "filters", f"({'3, ' * rank}C_out, C_in)")
    if len(filters) != rank + 2:
        raise PortError(f"{function}: filters has {len(filters)} axes, should have {rank + 2}: (*kernel, C_out, C_in)")
    form = _value(function, arguments, "data_format", None)
    if isinstance(form, str) and form.startswith("NC"):
        raise PortError(f"{function}: data_format is {form!r}, should be channels last: TensorFlow's CPU takes no other")
    given = _given(function, arguments, "strides", "padding", "dilations")
    if "strides" not in given:
        raise PortError(f"{function} needs strides")
    for key in ("strides", "dilations"):
        value = given.get(key)
        if isinstance(value, list) and len(value) == rank + 2 and value[0] == value[-1] == 1:
            given[key] = value[1:-1]
    x, y = _shape(function, arguments, "input"), _shape(function, arguments, "output_shape")
    for key, shape in (("input", x), ("output_shape", y)):
        if shape is not None and len(shape) != rank + 2:
            raise PortError(f"{function}: {key} has {len(shape)} numbers, should have {rank + 2}: (N, *spatial, C)")
    if x is not None and x[-1] != filters[-1]:
        raise PortError(f"{function}: the input has {x[-1]} channels and filters {filters[-1]}, should be the same")
    if y is not None:
        given["output_shape"] = y[1:-1]
        if y[-1] % filters[-2] or filters[-1] % (y[-1] // filters[-2]):
            raise PortError(f"{function}: output_shape has {y[-1]} channels, should be groups times the {filters[-2]} of filters")
        given["groups"] = y[-1] // filters[-2]
    native = normal_form("tensorflow", given, rank)
    batch = x[0] if x else y[0] if y else None
    return Layer(
        framework="tensorflow",
        text=text,
        rank=rank,
        kernel=tuple(filters[:rank]),
        native=native,
        layout=layout_of("tensorflow", rank),
        groups=native["groups"],
        c_in=filters[-1],
        c_out=filters[-2] * native["groups"],
        bias=False,
        batch=batch,
        size=tuple(x[1:-1]) if x else None,
    )


def _operand(function: str, arguments: Mapping[str, ast.expr], key: str, example: str) -> list[int]:
    found = _shape(function, arguments, key)
    if found is None:
        raise PortError(f"{function}: the kernel's size is not known, {key} should be its shape, such as {example}")
    return found


def _jax(text: str, function: str, arguments: dict[str, ast.expr], after: dict[str, ast.expr]) -> Layer:
    general = function == "conv_general_dilated"
    rhs = _operand(function, arguments, "rhs", "(3, 3, 64, 32)")
    rank = len(rhs) - 2
    if rank not in SPATIAL:
        raise PortError(f"{function}: rhs has {len(rhs)} axes, should have 3, 4 or 5")
    _needed(function, arguments, "window_strides" if general else "strides", "padding")
    given = _given(function, arguments, "padding", "rhs_dilation")
    if general:
        given |= _given(function, arguments, "feature_group_count", strides="lhs_dilation")
        steps, batches = (_value(function, arguments, key, 1) for key in ("window_strides", "batch_group_count"))
        if steps not in (1, [1] * rank) or batches != 1:
            raise PortError(f"{function}: window_strides and batch_group_count should be 1 in a transposed convolution")
        if isinstance(given["padding"], str):
            raise PortError(f"{function}: padding is {given['padding']!r}, should be pairs: words mean the forward convolution's")
    else:
        given |= _given(function, arguments, "strides", "transpose_kernel", "use_consistent_padding")
    native = normal_form("jax", given, rank)
    numbers = _value(function, arguments, "dimension_numbers")
    layout = _dimensions(function, numbers, rank, general=general, native=native)
    spatial = SPATIAL[rank]
    sizes = dict(zip(layout.kernel, rhs, strict=True))
    groups = _count(function, "feature_group_count", native["feature_group_count"])
    c_in = sizes["I"] * groups if layout.groups_in_output else sizes["I"]
    lhs = _shape(function, arguments, "lhs")
    if lhs is not None and len(lhs) != rank + 2:
        raise PortError(f"{function}: lhs has {len(lhs)} axes, should have as many as rhs: {rank + 2}")
    axes = dict(zip(layout.x, lhs or (), strict=False))
    if axes.get("C", c_in) != c_in:
        raise PortError(f"{function}: lhs has {axes['C']} channels, should have the {c_in} that rhs is for")
    return Layer(
        framework="jax",
        text=text,
        rank=rank,
        kernel=tuple(sizes[letter] for letter in spatial),
        native=native,
        layout=layout,
        groups=groups,
        c_in=c_in,
        c_out=sizes["O"],
        bias=False,
        batch=axes.get("N"),
        size=tuple(axes[letter] for letter in spatial) if axes else None,
        dimension_numbers=tuple(numbers) if numbers else (layout.x, "OI" + spatial, layout.y) if general else None,
        general=general,
    )


def _dimensions(function: str, numbers: Any, rank: int, *, general: bool, native: Native) -> Layout:
    """The layout of dimension_numbers. The kernel's spatial letters, in their order there, are the spatial axes."""
    spatial = SPATIAL[rank]
    if numbers is None:
        orders = ["NC" + spatial, "OI" + spatial, "NC" + spatial] if general else [f"N{spatial}C", spatial + "IO", f"N{spatial}C"]
    elif isinstance(numbers, list) and len(numbers) == 3 and all(isinstance(order, str) for order in numbers):
        theirs = re.sub("[IO]", "", numbers[1])
        expected = [set("NC" + theirs), set("IO" + theirs), set("NC" + theirs)]
        if [set(order) for order in numbers] != expected or any(len(order) != rank + 2 for order in numbers):
            raise PortError(f"{function}: dimension_numbers is {numbers}, should be such as ('NHWC', 'HWIO', 'NHWC')")
        table = str.maketrans(theirs, spatial)
        orders = [order.translate(table) for order in numbers]
    else:
        raise PortError(f"{function}: dimension_numbers is {numbers!r}, should be three strings")
    transposed = native["transpose_kernel"]
    kernel = orders[1].translate(str.maketrans("IO", "OI")) if transposed else orders[1]
    return Layout(
        x=orders[0], kernel=kernel, y=orders[2], flipped=not transposed, groups_in_output=native["feature_group_count"] > 1
    )


def _flax(text: str, function: str, arguments: dict[str, ast.expr], after: dict[str, ast.expr]) -> Layer:
    c_in, c_out, size = _needed(function, arguments, "in_features", "out_features", "kernel_size")
    rank = 1 if is_integer(size) else len(size) if isinstance(size, list) else 0
    if rank not in SPATIAL:
        raise PortError(f"{function}: kernel_size is {size!r}, should be one number per spatial axis, 1 to 3 of them")
    mask = arguments.get("mask")
    if mask is not None and not (isinstance(mask, ast.Constant) and mask.value is None):
        raise PortError(f"{function}: mask is {ast.unparse(mask)}, should be absent: multiply the kernel by it first")
    given = _given(function, arguments, "strides", "padding", "kernel_dilation", "transpose_kernel")
    native = normal_form("flax", given, rank)
    return Layer(
        framework="flax",
        text=text,
        rank=rank,
        kernel=_kernel(function, size, rank),
        native=native,
        layout=layout_of("flax", rank, transpose_kernel=native["transpose_kernel"]),
        c_in=_count(function, "in_features", c_in),
        c_out=_count(function, "out_features", c_out),
        bias=_flag(function, arguments, "use_bias", True),
        notes=_notes(function, arguments),
    )


def _example(framework: str) -> str:
    return {
        "torch": "ConvTranspose2d(64, 32, 3, stride=2, padding=1, output_padding=1)",
        "keras": 'Conv2DTranspose(32, 3, strides=2, padding="same")',
        "tensorflow": 'conv2d_transpose(x, (3, 3, 32, 64), strides=2, padding="SAME")',
        "jax": 'conv_transpose(x, (3, 3, 64, 32), (2, 2), "SAME")',
        "flax": "ConvTranspose(64, 32, (3, 3), strides=2)",
    }[framework]
