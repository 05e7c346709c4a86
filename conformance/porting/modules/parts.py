"""The parts of a file of layers, of ports: each with a name that Python takes, and no two alike."""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence

from conformance.geometry import Geometry
from conformance.porting.layer import Channels, Layer
from conformance.porting.modules.files import tensor_names
from conformance.porting.modules.part import Part, plan_of_layer
from conformance.porting.recipes import Plan

_RESERVED = re.compile(
    "load|tensors|array|effective|flat|layers|named|convert|jax|jnp|np|nnx|keras|torch|tf|onnx"
    "|helper|numpy_helper|build|call|fit|compile|name|weights|save|train|eval|forward|modules"
    "|parameters|summary|input|output|loss|metrics|optimizer|dtype|variables|apply|type|half|float"
    "|double|training|state|trainable|path|kernel|bias|w|x|y|self"
)
"""Names that a program of layers has itself, and attributes that a framework's modules have."""


def parts_of(
    subjects: Sequence[tuple[Layer, str, Plan, Geometry, Channels]], tensor: str | None
) -> list[Part]:
    """A part for each layer, its target, plan, geometry and channels. `tensor` is the layer's name
    in the source's file, where there is one layer.
    """
    names: list[str] = []
    parts = []
    for layer, target, plan, geometry, channels in subjects:
        called = tensor if tensor is not None and len(subjects) == 1 else layer.name
        called = called or _assigned(layer.text)
        name = _python_name(called or "up", names)
        names.append(name)
        own = tensor_names(layer.framework, called or name, bias=layer.bias)
        weight, bias = own if layer.tensors is None or tensor is not None else layer.tensors
        parts.append(
            Part(
                layer=layer,
                target=target,
                plan=plan_of_layer(target, plan, geometry),
                geometry=geometry,
                channels=channels,
                name=name,
                weight=weight,
                bias=bias if layer.bias else None,
            )
        )
    return parts


def _assigned(text: str) -> str | None:
    """The name that a call's text gives its layer: `self.up = `, or `(up): `."""
    match = re.match(r"\s*(?:self\.)?(\w+)\s*(?::[^=(]*)?=(?!=)|\s*\((\w+)\):", text)
    return (match[1] or match[2]) if match else None


def _layer_part(text: str) -> str:
    """The layer in the name of a node of TensorFlow's: LiteRT joins the names of all that it has
    fused, and a graph names the operator behind its layer.
    """
    nodes = text.split(";")
    node = next((part for part in nodes if "conv_transpose" in part), nodes[0])
    return re.sub(r"(?<=[^/])/conv_transpose\w*$", "", node)


def _python_name(text: str, taken: Sequence[str]) -> str:
    """A name made of a text: the last part of a path with its number, or the whole where that is
    taken.
    """
    path = re.split(r"[./]", _layer_part(text).strip("/."))
    last = next((number for number, part in enumerate(reversed(path), 1) if not part.isdigit()), 1)
    for candidate in (
        "_".join(path[-last:]),
        text,
        *(f"{text}_{number}" for number in range(2, 10_000)),
    ):
        name = re.sub(r"\W+", "_", candidate).strip("_").lower()
        name = f"layer_{name}" if not name or name[0].isdigit() else name
        name = f"{name}_layer" if keyword.iskeyword(name) or _RESERVED.fullmatch(name) else name
        # a class is named without underscores
        if name.replace("_", "") not in {other.replace("_", "") for other in taken}:
            return name
    raise AssertionError("there are more names than layers")
