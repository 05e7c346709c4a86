"""A case as a complete program in one framework alone: arrays, the one call, and the difference
from the definition.

One template per adapter, filled with the case's data and native arguments; nothing of this suite is
imported by what comes out, so it can be pasted into a bug report. The program of a shape function
says the shape that is claimed and the true one.
"""

from __future__ import annotations

import functools
import math
import pprint
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, UndefinedError

from conformance.adapters import REGISTRY, Entry
from conformance.conventions import Native, Unrepresentable, jax, onnx
from conformance.conventions.limits import Asked, unsaid
from conformance.corpus.case import ArrayLiteral, Case, Filed, Made, Source
from conformance.corpus.files import nearby
from conformance.geometry import Geometry

_BIAS_BEHIND = ("torch_fused", "torch_conv_dx")
"""The templates of torch in which the bias is no argument of the call."""

ROLES = {"x": "input", "w": "kernel", "b": "bias"}
"""What the operands of a program are for the recipes of their arrays."""


def program(
    case: Case, adapter: str, arrays: Mapping[str, str] | None = None
) -> str | Unrepresentable:
    """The source of a program for one adapter of the table, or why its convention has no arguments
    for the case. Its operands are those of the case, or come of the NumPy expressions in `arrays`,
    by ROLES.
    """
    native = case.arguments(REGISTRY[adapter].convention)
    if isinstance(native, Unrepresentable):
        return native
    refusal = refused(adapter, native, case)
    if refusal is not None:
        return refusal
    operands = {"x": case.input, "w": case.kernel, "b": case.bias}
    return rendered(
        adapter,
        case=case,
        native=native,
        arguments=_arguments(native),
        arrays=arrays or {key: array(operands[key], role) for key, role in ROLES.items()},
        shapes={key: source.shape for key, source in operands.items() if source is not None},
        geometry=case.geometry,
        padding=input_padding(case.geometry),
        **fixed(adapter, case),
    )


def refused(adapter: str, native: Native, case: Case) -> Unrepresentable | None:
    """Why this adapter's call does not take arguments that its convention has for the case; or
    None.
    """
    entry, batch = REGISTRY[adapter], case.input.shape[0]
    if entry.node:
        return Unrepresentable(
            reason="Programs are in Python, and this engine computes in a page of a browser."
        )
    if entry.template == "torch_export" and "output_size" in native:
        return Unrepresentable(
            reason="The layer holds output_size against the input's size, which is not told."
        )
    if not entry.takes_groups and native["feature_group_count"] != 1:
        return Unrepresentable(reason="jax.lax.conv_transpose has no argument for groups.")
    if entry.options.get("batched") is False and batch != 1:
        return Unrepresentable(
            reason=f"An unbatched input is (C_in, *spatial), and this case has {batch} of them."
        )
    if entry.template == "jax_conv_dx" and "preferred_element_type" in native:
        return Unrepresentable(reason="A gradient has the dtype of its operand and no other.")
    if entry.template in _BIAS_BEHIND and "bias" in case.other_dtypes:
        return Unrepresentable(reason="The bias is added behind the call, where + promotes.")
    reason = _unsaid(entry, native, case)
    return None if reason is None else Unrepresentable(reason=reason)


def _unsaid(entry: Entry, native: Native, case: Case) -> str | None:
    """Why the engine's operator, or that of an older opset, has no arguments for the call."""
    if entry.options.get("opset") is not None:
        size, kernel = case.input.shape[2:], case.kernel.shape[2:]
        return onnx.unsaid_by_opset(
            entry.options["opset"], native, case.dtype, size=size, kernel=kernel
        )
    roles = [role for role in ROLES.values() if role != "bias" or case.bias is not None]
    asked = Asked(
        native=native,
        kernel=case.kernel.shape,
        bias=None if case.bias is None else case.bias.shape[0],
        dtypes={case.dtype_of(role) for role in roles},
    )
    return unsaid(entry.template, asked)


def fixed(adapter: str, case: Case) -> dict[str, Any]:
    """The values of a template that depend on the adapter, the dtypes and the number of spatial
    axes alone.
    """
    entry = REGISTRY[adapter]
    dtypes = {key: case.dtype_of(role) for key, role in ROLES.items()}
    return {
        "backend": entry.environment.get("KERAS_BACKEND"),
        "onednn": entry.environment.get("TF_ENABLE_ONEDNN_OPTS"),
        "options": entry.options,
        "dtypes": dtypes,
        "numpy": {
            key: "ml_dtypes.bfloat16" if dtype == "bfloat16" else f"np.{dtype}"
            for key, dtype in dtypes.items()
        },
        "rank": case.spatial,
    }


def rendered(adapter: str, **filling: Any) -> str | Unrepresentable:
    """The adapter's template with this filling; it has no program for a case without the window
    that its call needs.
    """
    try:
        return template(f"{REGISTRY[adapter].template}.py.j2").render(**filling)
    except UndefinedError:
        return Unrepresentable(
            reason="The call needs the shape of the output, and the case has none."
        )


@functools.cache
def template(name: str) -> Template:
    """A template of this folder."""
    environment = Environment(
        loader=PackageLoader("conformance.programs", ""),
        autoescape=False,  # what comes out is Python, not HTML
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(name)


def array(source: Source | None, role: str) -> str:
    """A NumPy expression for an array, in float64; "None" where there is none."""
    if source is None:
        return "None"
    if isinstance(source, ArrayLiteral):
        return (
            f"np.array({_nested([_literal(n) for n in source.numbers], source.shape)}, dtype=float)"
        )
    return _loaded(source) if isinstance(source, Filed) else _made(source, role)


def _loaded(source: Filed) -> str:
    path = str(nearby(source.folder / source.file))
    load = '__import__("safetensors.numpy").numpy.load_file'
    return f"{load}({path!r})[{source.tensor!r}].astype(float)"


def _made(source: Made, role: str) -> str:
    shape = source.shape
    generator = f"np.random.RandomState({source.seed})"
    match source.values:
        case "integers":
            expression = f"{generator}.randint(-4, 5, {shape}).astype(float)"
        case "signs":
            expression = f"{generator}.randint(-1, 2, {shape}).astype(float)"
        case "wide" if role == "input":
            expression = (
                f"(lambda r: (2.0 * r.randint(2048, 4096, {shape}) + 1) * (1 - 2 * "
                f"r.randint(0, 2, {shape})))({generator})"
            )
        case "wide":
            expression = f"{generator}.randint(-2, 3, {shape}).astype(float)"
        case "normal":
            expression = f"np.round({generator}.standard_normal({shape}) * 2**12) / 2**12"
        case "ones":
            expression = f"np.ones({shape})"
        case "arange":
            expression = f"np.arange(1.0, {_count(shape)} + 1).reshape({shape})"
        case _:
            expression = f"np.zeros({shape})"
    puts = [*source.put]
    if source.values == "one-hot":
        puts.insert(0, (source.index or tuple(n // 2 for n in shape), 1.0))
    for index, number in puts:
        flat = sum(i * _count(shape[axis + 1 :]) for axis, i in enumerate(index))
        expression = f"(lambda a: (a.put({flat}, {_literal(number)}), a)[1])({expression})"
    return expression


def _literal(number: float) -> str:
    return repr(number) if math.isfinite(number) else f"float('{number!r}')"


def _arguments(native: Native) -> dict[str, str]:
    """Native arguments as Python source, lists as tuples where they hold one entry per axis."""
    return {
        key: pprint.pformat(_tuples(value), width=120, compact=True)
        for key, value in native.items()
    }


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def input_padding(geometry: Geometry | None) -> list[tuple[int, int]]:
    """The padding argument of `jax.lax.conv_general_dilated`."""
    return [] if geometry is None else [(low, high) for low, high in jax.input_padding(geometry)]


def _count(shape: tuple[int, ...]) -> int:
    count = 1
    for n in shape:
        count *= n
    return count


def _nested(items: list[str], shape: tuple[int, ...]) -> str:
    for size in reversed(shape):
        items = (
            [f"[{', '.join(items[start : start + size])}]" for start in range(0, len(items), size)]
            if size
            else ["[]"]
        )
    return items[0] if items else "[]"
