"""How Flax's call is read: `nnx.ConvTranspose`."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from conformance.conventions import normal_form
from conformance.conventions.arguments import is_integer
from conformance.porting.calls.grammar import Call, Signature
from conformance.porting.layer import Layer
from conformance.porting.layouts import SPATIAL, layout_of

SIGNATURES: Mapping[str, Signature] = {
    "ConvTranspose": Signature(
        positional="in_features out_features kernel_size strides",
        named="padding kernel_dilation use_bias mask dtype param_dtype precision kernel_init"
        " bias_init transpose_kernel promote_dtype preferred_element_type rngs kernel_metadata"
        " bias_metadata features",
        after="inputs",
    ),
}
EXAMPLE = "ConvTranspose(64, 32, (3, 3), strides=2)"


def layer(call: Call) -> Layer:
    if not call.absent("features") or isinstance(
        call.arguments.get("out_features"), (ast.Tuple, ast.List)
    ):
        raise call.wrong(
            "these are the arguments of Flax Linen, should be those of nnx: in_features,"
            " out_features, kernel_size"
        )
    c_in, c_out, size = call.needed("in_features", "out_features", "kernel_size")
    rank = 1 if is_integer(size) else len(size) if isinstance(size, list) else 0
    if rank not in SPATIAL:
        raise call.wrong(
            f"kernel_size is {size!r}, should be one number per spatial axis, 1 to 3 of them"
        )
    if not call.absent("mask"):
        raise call.wrong(
            f"mask is {ast.unparse(call.arguments['mask'])}, should be absent: multiply the kernel"
            " by it first"
        )
    keys = ("strides", "padding", "kernel_dilation", "transpose_kernel")
    native = normal_form("flax", call.native_arguments(*keys), rank)
    x = call.shape("inputs")
    if x is not None and len(x) != rank + 2:
        raise call.wrong(f"inputs has {len(x)} numbers, should have {rank + 2}: (N, *spatial, C)")
    return Layer(
        framework="flax",
        text=call.text,
        rank=rank,
        kernel=call.kernel_size(rank),
        native=native,
        layout=layout_of("flax", rank, transpose_kernel=native["transpose_kernel"]),
        c_in=call.count("in_features", c_in),
        c_out=call.count("out_features", c_out),
        bias=call.flag("use_bias", True),
        batch=x[0] if x else None,
        size=tuple(x[1:-1]) if x else None,
        notes=call.dtype_notes(),
    )
