"""How Flax's calls are read: `nnx.ConvTranspose`, and that of Linen, which has other arguments."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace

from conformance.conventions import normal_form
from conformance.conventions.arguments import is_integer
from conformance.porting.calls.grammar import Call, Signature, shown
from conformance.porting.layer import Layer
from conformance.porting.layouts import SPATIAL, layout_of
from conformance.wording import counted, quoted

_COMMON = (
    "strides padding kernel_dilation use_bias mask dtype param_dtype precision kernel_init"
    " bias_init transpose_kernel promote_dtype preferred_element_type"
)
_LINEN = Signature(positional=f"features kernel_size {_COMMON} parent name", after="inputs")
_NNX = Signature(
    positional="in_features out_features kernel_size strides",
    # what printing adds stands last
    named=f"{_COMMON} rngs kernel_metadata bias_metadata kernel_shape kernel bias",
    after="inputs",
)


def _signature(node: ast.Call, prefix: tuple[str, ...]) -> Signature:
    """Linen's where its `features` are named, a kernel's size is in the second place, or `nn` or
    `linen` stands before a call without nnx' arguments.
    """
    named = {keyword.arg for keyword in node.keywords}
    if "features" in named or isinstance(node.args[1:2] and node.args[1], (ast.Tuple, ast.List)):
        return _LINEN
    is_nnx = "nnx" in prefix or named & {"in_features", "out_features", "rngs"}
    return _LINEN if not is_nnx and prefix[-1:] in (("nn",), ("linen",)) else _NNX


SIGNATURES: Mapping[str, Signature] = {"ConvTranspose": replace(_NNX, variant=_signature)}
EXAMPLE = "ConvTranspose(64, 32, (3, 3), strides=2)"


def layer(call: Call) -> Layer:
    linen = "in_features" not in call.arguments and "features" in call.arguments
    out_key = "features" if linen else "out_features"
    call.require(*([] if linen else ["in_features"]), out_key, "kernel_size")
    c_in, c_in_words = (None, None) if linen else call.channels("in_features")
    c_out, c_out_words = call.channels(out_key)
    size = call.value("kernel_size")
    rank = 1 if is_integer(size) else len(size) if isinstance(size, list) else 0
    if rank not in SPATIAL:
        raise call.wrong(
            f"kernel_size is {quoted(size)}, should be one number per spatial axis, 1 to 3 of them"
        )
    if not call.absent("mask"):
        raise call.wrong(
            f"mask is {shown(call.arguments['mask'])}, should be absent: multiply the kernel"
            " by it first"
        )
    keys = ("strides", "padding", "kernel_dilation", "transpose_kernel")
    native = normal_form("flax", call.native_arguments(*keys), rank)
    x = call.shape("inputs")
    if x is not None and len(x) != rank + 2:
        what = counted(len(x), "number")
        raise call.wrong(f"inputs has {what}, should have {rank + 2}: (N, *spatial, C)")
    return Layer(
        framework="flax",
        text=call.text,
        rank=rank,
        kernel=call.kernel_size(rank),
        native=native,
        layout=layout_of("flax", rank, transpose_kernel=native["transpose_kernel"]),
        c_in=c_in or (x[-1] if x else None),
        c_out=c_out,
        linen=linen,
        words=(c_in_words, c_out_words),
        bias=call.bias("use_bias"),
        batch=x[0] if x else None,
        size=tuple(x[1:-1]) if x else None,
        normalised=call.normalised,
        notes=call.all_notes("use_bias"),
    )
