"""A failing call as a program of ten lines that needs nothing but the candidate and torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conformance.kernels.call import Arguments, KernelCall

_MODULE = """\
import torch
from {module} import {name}  # run it where that file is

torch.manual_seed({seed})
layer = torch.nn.{layer}
model = {name}({values})
with torch.no_grad():
    for mine, its in zip(model.parameters(), layer.parameters()):
        mine.copy_(its)
    x = torch.randn({x})
    print((model(x) - layer.double()(x.double())).abs().max())  # 0 but for rounding
"""
_FUNCTION = """\
import torch
from {module} import {name}  # run it where that file is

torch.manual_seed({seed})
x, w = torch.randn({x}), torch.randn({w})
b = {b}
arguments = {arguments}
got = {name}({got})
y = torch.nn.functional.conv_transpose{rank}d(x.double(), w.double(), {double}, **arguments)
print((torch.as_tensor(got) - y).abs().max())  # 0 but for rounding
"""
_CALLS = {
    "function": "x, w, b, **arguments",
    "convolution": "x, w, b, {stride}, {padding}, {dilation}, True, {output_padding}, {groups}",
    "numpy": "x.numpy(), w.numpy(), {b}, stride={stride}, padding={pairs}, "
    "output_padding={output_padding}, dilation={dilation}, groups={groups}",
}


def program(file: Path, facts: dict[str, Any], call: KernelCall) -> str | None:
    """The text of the program; None of a form or a call that it has no words for."""
    arguments = call.arguments
    if arguments is None or call.gradients or call.dtype != "float32":
        return None
    head = {"module": file.stem, "name": facts["name"], "seed": call.seed % 1000}
    x = ", ".join(map(str, call.shapes[0]))
    if facts["form"] == "module":
        values = ", ".join(map(_written, call.values or ()))
        return _MODULE.format(**head, layer=arguments, values=values, x=x)
    if facts["form"] not in _CALLS:
        return None
    return _FUNCTION.format(
        **head,
        x=x,
        w=", ".join(map(str, arguments.kernel_shape)),
        b=f"torch.randn({arguments.out_channels})" if arguments.bias else None,
        arguments=arguments.spelt(),
        got=_CALLS[facts["form"]].format(**_spelt(arguments)),
        rank=arguments.rank,
        double="b.double()" if arguments.bias else None,
    )


def _spelt(arguments: Arguments) -> dict[str, Any]:
    return {
        **arguments.per_axis(),
        "pairs": [(p, p) for p in arguments.padding],
        "b": "b.numpy()" if arguments.bias else None,
    }


def _written(value: Any) -> str:
    """A constructor's argument as Python: JSON has made lists of tuples."""
    if isinstance(value, list | tuple):
        inside = ", ".join(map(_written, value))
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    return repr(value)
