"""Texts that a pattern could take the square of their length for, and worse: calls, and names."""

from __future__ import annotations

import json
import time

import pytest
from helpers import tool

CALLS = tool("fuzzing.calls").CALLS
N = 95_000

TEXTS = {
    "word": ("torch", "aten.convolution " + "a." * (N // 2)),
    "shapes": ("torch", "aten.convolution\n" + 'a: "f[' * (N // 7)),
    "blanks": ("torch", f"aten::convolution {' ' * N}x"),
    "brackets": ("torch", "(" * N),
    "signs": ("torch", "-" * N + "1"),
    "sum": ("torch", "1+" * (N // 2) + "1"),
    "dots": ("torch", "a." * (N // 2) + "b"),
    "arguments": ("torch", f"ConvTranspose2d({'1,' * (N // 2)})"),
    "keywords": ("torch", f"ConvTranspose2d(1, 2, {','.join(f'a{n}=1' for n in range(9000))})"),
    "wrapped": ("torch", "f(" * 3000 + "ConvTranspose2d(1, 2, 3)" + ")" * 3000),
    "assigned": ("torch", "a," * 20_000 + "b = " + "1," * 20_000 + "1\nConvTranspose2d(a, b, 3)"),
    "module": ("torch", "ParametrizedConvTranspose1d(\n" + "  (x)\n" * 15_000),
    "lines": ("onnx", 'op_type: "ConvTranspose"' + "\n" * N + "x"),
    "blocks": ("onnx", 'op_type: "ConvTranspose"' + "attribute {" * (N // 11)),
    "before": ("onnx", "a:<>" * 70 + "= ConvTranspose(x, w)"),
    "attributes": ("onnx", f"ConvTranspose[{'a=1,' * (N // 4)}](x, w)"),
    "opened": ("onnx", "ConvTranspose" + "[" * N),
    "properties": ("onnx", "ConvTranspose\n" + ("pads " + " " * 900 + "x y\n") * 100),
    "json": ("onnx", "{" + ",".join(f'"a{n}": 1' for n in range(7000)) + "}"),
    "json-lists": ("onnx", "[" * N),
    "declared": ("onnx", "ConvTranspose(%x, %w)\n" + "%w : " * (N // 5)),
    "comment": ("flax", f"ConvTranspose( #\nx{' ' * N}y"),
    "angles": ("flax", "ConvTranspose( #\n" + "<" * N),
    "too-long": ("keras", "Conv2DTranspose(" + "1" * 10 * N),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_takes_time_like_its_length(name: str) -> None:
    """The reader gives 2 s for 100 kB; the slowest of these took minutes."""
    source, text = TEXTS[name]
    begun = time.process_time()
    CALLS.accepts(json.dumps([text, source, "jax", None]).encode())
    assert time.process_time() - begun < 2.0
