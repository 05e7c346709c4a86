"""How torch's calls are read: the layers `ConvTranspose1d`, `2d`, `3d`, their lazy forms, the
functions, and aten's.
"""

from __future__ import annotations

from collections.abc import Mapping

from conformance.conventions import normal_form
from conformance.porting.calls.grammar import Call, Signature
from conformance.porting.layer import Layer
from conformance.porting.layouts import layout_of
from conformance.wording import counted, quoted

_LAYER_ARGUMENTS = (
    "out_channels kernel_size stride padding output_padding groups bias dilation padding_mode "
    "device dtype"
)
_FUNCTION = "input weight bias stride padding output_padding groups dilation"
_CONVOLUTION = "input weight bias stride padding dilation transposed output_padding groups"

SIGNATURES: Mapping[str, Signature] = {
    **{
        f"ConvTranspose{n}d": Signature(
            positional=f"in_channels {_LAYER_ARGUMENTS}", after="input output_size"
        )
        for n in (1, 2, 3)
    },
    **{
        f"LazyConvTranspose{n}d": Signature(positional=_LAYER_ARGUMENTS, after="input output_size")
        for n in (1, 2, 3)
    },
    **{f"conv_transpose{n}d": Signature(positional=_FUNCTION) for n in (1, 2, 3)},
    "convolution": Signature(positional=_CONVOLUTION),
    "_convolution": Signature(
        positional=f"{_CONVOLUTION} benchmark deterministic cudnn_enabled allow_tf32"
    ),
}
EXAMPLE = "ConvTranspose2d(64, 32, 3, stride=2, padding=1, output_padding=1)"


def layer(call: Call) -> Layer:
    if call.function.endswith("convolution"):
        return _aten(call)
    return _function(call) if call.function.startswith("conv") else _module(call)


def _module(call: Call) -> Layer:
    rank = int(call.function[-2])
    lazy = call.function.startswith("Lazy")
    call.require(*([] if lazy else ["in_channels"]), "out_channels", "kernel_size")
    c_in, c_in_words = (None, None) if lazy else call.channels("in_channels")
    c_out, c_out_words = call.channels("out_channels")
    mode = call.value("padding_mode", "zeros")
    if mode != "zeros":
        raise call.wrong(
            f"padding_mode is {quoted(mode)}, should be 'zeros', the only one that torch takes here"
        )
    arguments = call.native_arguments(
        "stride", "padding", "output_padding", "dilation", "groups", "output_size"
    )
    size = arguments.get("output_size")
    if isinstance(size, list) and len(size) == rank + 2:
        arguments["output_size"] = size[
            2:
        ]  # torch takes the whole shape too, and looks at the spatial axes alone
    native = normal_form("torch", arguments, rank)
    x = _input(call, rank)
    return Layer(
        framework="torch",
        text=call.text,
        rank=rank,
        kernel=call.kernel_size(rank),
        native=native,
        layout=layout_of("torch", rank),
        groups=call.count("groups", native["groups"]),
        c_in=c_in or (x[1] if x else None),
        c_out=c_out,
        words=(c_in_words, c_out_words),
        bias=call.bias("bias"),
        batch=x[0] if x else None,
        size=tuple(x[2:]) if x else None,
        normalised=call.normalised,
        notes=call.all_notes("bias"),
    )


def _aten(call: Call) -> Layer:
    """aten.convolution, whose rank its weight says, and which is a transposed one if it says so."""
    call.require("weight", "stride", "padding", "dilation", "transposed", "output_padding")
    if not call.flag("transposed", False):
        raise call.wrong("transposed is False, should be True: this is a convolution")
    weight = call.operand("weight", "(C_in, C_out / groups, 3, 3)")
    if not 3 <= len(weight) <= 5:
        raise call.wrong(
            f"weight has {counted(len(weight), 'axis', 'axes')}, should have 3, 4 or 5"
        )
    return _function(call, len(weight) - 2)


def _function(call: Call, rank: int | None = None) -> Layer:
    rank = rank or int(call.function[-2])
    weight = call.operand("weight", f"(C_in, C_out / groups{', 3' * rank})")
    if len(weight) != rank + 2:
        raise call.wrong(
            f"weight has {counted(len(weight), 'axis', 'axes')}, "
            f"should have {rank + 2}: (C_in, C_out / groups, "
            "*kernel)"
        )
    native = normal_form(
        "torch",
        call.native_arguments("stride", "padding", "output_padding", "dilation", "groups"),
        rank,
    )
    groups = call.count("groups", native["groups"])
    x = _input(call, rank)
    return Layer(
        framework="torch",
        text=call.text,
        rank=rank,
        kernel=tuple(weight[2:]),
        native=native,
        layout=layout_of("torch", rank),
        groups=groups,
        c_in=weight[0],
        c_out=weight[1] * groups,
        bias=not call.absent("bias"),
        batch=x[0] if x else None,
        size=tuple(x[2:]) if x else None,
        notes=call.all_notes(),
    )


def _input(call: Call, rank: int) -> list[int] | None:
    x = call.shape("input")
    if x is not None and len(x) != rank + 2:
        raise call.wrong(
            f"input has {counted(len(x), 'number')}, should have {rank + 2}: (N, C, *spatial)"
        )
    return x
