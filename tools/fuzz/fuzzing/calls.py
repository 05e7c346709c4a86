"""Calls that are to be ported, made of calls that are."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from typing import Any

from conformance import conventions, porting
from conformance.errors import PortError
from fuzzing.reader import Reader
from fuzzing.trees import NUMBERS, WORDS, text_twisted

SEEDS: tuple[tuple[str, str], ...] = (
    ("torch", "ConvTranspose2d(64, 32, 3, stride=2, padding=1, output_padding=1)"),
    ("torch", "nn.ConvTranspose1d(4, 6, 3, groups=2, bias=False)"),
    ("torch", "nn.ConvTranspose3d(2, 3, (3, 2, 1), stride=(2, 2, 2), dilation=2)(x)"),
    ("torch", "(up): ConvTranspose2d(2, 3, kernel_size=(3, 2), stride=(2, 2))"),
    ("torch", "weight_norm(nn.ConvTranspose1d(512, 256, 16, 8, padding=(16 - 8) // 2))"),
    ("torch", "k, s = 4, 2\nup = nn.ConvTranspose2d(nz, ngf * 8, k, s, 1, bias=False)"),
    ("torch", "F.conv_transpose2d((1, 4, 8, 8), (4, 6, 3, 3), None, 2, 1, 1)"),
    ("torch", "torch.ops.aten.convolution(x, (4, 3, 3), b, [2], [1], [1], True, [0], 1)"),
    ("torch", "nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(8, 4, 4, 2, 1).to('cpu'))"),
    ("torch", "ConvTranspose2d(4, 4, 3, 2, 1)(x, output_size=(16, 16))"),
    ("torch", "LazyConvTranspose2d(8, math.ceil(5 / 2), stride=2 ** 1)"),
    ("keras", "Conv2DTranspose(32, 3, strides=2, padding='same', output_padding=1)"),
    ("keras", "keras.layers.Conv1DTranspose(8, 4, 2, 'valid')"),
    ("keras", "layers.Conv3DTranspose(4, (3, 3, 2), (2, 2, 1), 'same', activation='relu')"),
    ("keras", "Convolution2DTranspose(8, (3, 5), dilation_rate=2, padding='valid')"),
    ("tensorflow", "tf.nn.conv2d_transpose(x, (3, 3, 4, 8), (1, 16, 16, 4), 2, 'SAME')"),
    ("tensorflow", "tf.nn.conv1d_transpose((1, 8, 4), (3, 6, 4), (1, 16, 6), 2)"),
    ("tensorflow", "tf.layers.conv2d_transpose(x, 64, 5, strides=2, padding='same')"),
    ("jax", "jax.lax.conv_transpose(x, (3, 2, 4, 6), (2, 2), 'SAME')"),
    ("jax", "lax.conv_transpose((2, 5, 4), (3, 6, 4), (2,), [(1, 2)], transpose_kernel=True)"),
    ("jax", "lax.conv_general_dilated((1, 4, 8), (6, 4, 3), (1,), [(2, 1)], lhs_dilation=(2,))"),
    ("flax", "nnx.ConvTranspose(8, 4, (3, 3), strides=2, padding='SAME', rngs=r)"),
    ("flax", "nn.ConvTranspose(features=64, kernel_size=(4, 4), strides=(2, 2))"),
    ("onnx", '{"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 0, 0], "group": 1}'),
    ("onnx", '{"W": [4, 3, 3], "auto_pad": "SAME_UPPER", "output_shape": [16]}'),
    ("onnx", "helper.make_node('ConvTranspose', ['x', 'w'], ['y'], kernel_shape=[3], group=2)"),
    ("onnx", "%y = ConvTranspose[kernel_shape = [3, 3], strides = [2, 2]](%x, %w)"),
    ("onnx", "y = ConvTranspose <strides = [2, 2], kernel_shape = [4, 4]> (x, w, b)"),
    (
        "onnx",
        'input: "x" input: "w" output: "y" op_type: "ConvTranspose" '
        'attribute { name: "kernel_shape" ints: 3 ints: 3 type: INTS }',
    ),
    ("onnx", "ConvTranspose\nkernel_shape: 3, 3\nstrides: 2, 2\npads: 1, 1, 1, 1"),
)
_NUMBER = re.compile(r"(?<![\w.])\d+")
_SIZES = (1, 2, 3, 4, 5, 7, 8, 16)


def _draw(draw: random.Random, twists: Sequence[random.Random]) -> bytes:
    source, text = draw.choice(SEEDS)
    target = draw.choice([name for name in conventions.NAMES if name != source])
    shape: Any = None
    for twist in twists:
        match twist.randrange(10):
            case 0 | 1:
                text = text_twisted(text, twist)
            case 2:
                text = _grafted(text, twist)
            case 3:
                rank = twist.choice([3, 4, 4, 5])
                shape = [twist.choice(_SIZES) for _ in range(rank)]
                if twist.random() < 0.2:
                    shape[twist.randrange(rank)] = twist.choice(NUMBERS[:18])
            case _:
                text = _renumbered(text, twist)
    return json.dumps([text, source, target, shape]).encode()


def _renumbered(text: str, draw: random.Random) -> str:
    """The text with another number in the place of one."""
    places = list(_NUMBER.finditer(text))
    if not places:
        return text
    place = draw.choice(places)
    number = draw.choice(_SIZES if draw.random() < 0.85 else NUMBERS[:19])
    return f"{text[: place.start()]}{number}{text[place.end() :]}"


def _grafted(text: str, draw: random.Random) -> str:
    """The text with a keyword, a nesting or an arithmetic that another has."""
    _, other = draw.choice(SEEDS)
    keywords = [
        *re.findall(r"\w+=[^,()]+|\([^()]*\)|'\w+'|\w+ // \w+", other),
        "1+" * draw.choice([1, 50, 5000]) + "1",
        "-" * draw.choice([1, 2000]) + "1",
        "(" * draw.choice([1, 90, 300]),
        "0x" + "f" * draw.choice([2, 5000]),
        "9 ** 9 ** 9",
        "[0] * 10 ** 9",
        f"{draw.choice(WORDS)!r}",
    ]
    places = [place.start() for place in re.finditer(r"[(,=]", text)] or [0]
    start = draw.choice(places) + 1
    return f"{text[:start]} {draw.choice(keywords)}, {text[start:]}"


def _read(content: bytes) -> None:
    text, source, target, shape = json.loads(content)
    porting.port(text, source=source, target=target, input=shape, prove=False)


CALLS = Reader(name="calls", draw=_draw, read=_read, refusals=(PortError,))
