"""KernelBench's problems with transposed convolutions as files of Python, written here from the
facts in `problems.yaml`: one with the class `Model`, as its users have them, and candidates, right
ones and wrong ones, with the class `ModelNew`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

ARGUMENTS = (
    *("in_channels", "out_channels", "kernel_size", "stride", "padding"),
    *("output_padding", "dilation", "groups", "bias"),
)

CALLS = {
    "add": "x + {0}",
    "multiply": "x * {0}",
    "divide": "x / {0}",
    "clamp": "torch.clamp(x, {0}, {1})",
    "relu": "torch.relu(x)",
    "leaky_relu": "F.leaky_relu(x, {0})",
    "gelu": "F.gelu(x)",
    "mish": "F.mish(x)",
    "swish": "x * torch.sigmoid(x)",
    "hardswish": "F.hardswish(x)",
    "sigmoid": "torch.sigmoid(x)",
    "tanh": "torch.tanh(x)",
    "softmax": "torch.softmax(x, {0})",
    "softmax_of_positions": "torch.softmax(x.flatten(2), 2).reshape(x.shape)",
    "subtract_mean": "x - torch.mean(x, {0}, keepdim=True)",
    "add_parameter": "x + self.{0}",
    "subtract_parameter": "x - self.{0}",
    "multiply_parameter": "x * self.{0}",
    "add_input": "x + others[0]",
    "add_kept": "x + {0}",
    "multiply_kept": "x * {0}",
    "concatenate_kept": "torch.cat((x, {0}), 1)",
    "batch_norm": "self.{0}(x)",
    "layer_norm": "self.{0}(x)",
    "group_norm": "self.{0}(x)",
    "block": 'self.{0}["double_conv"](x)',
    "conv": "self.{0}(x)",
    "mean": "torch.mean(x, {0}, keepdim={keep})",
    "sum": "torch.sum(x, {0}, keepdim={keep})",
    "logsumexp": "torch.logsumexp(x, {0}, keepdim={keep})",
    "min": "torch.amin(x, {0}, keepdim={keep})",
    "max": "torch.amax(x, {0}, keepdim={keep})",
    "max_pool": "F.max_pool{rank}d(x, {0})",
    "avg_pool": "F.avg_pool{rank}d(x, {0})",
}
"""What a step does to `x`; `{0}` is its first argument."""

STATE = {
    "batch_norm": "nn.BatchNorm{rank}d({1})",
    "layer_norm": "nn.LayerNorm({1})",
    "group_norm": "nn.GroupNorm({1}, {2})",
    "block": "block({1}, {2})",
    "conv": "nn.Conv{rank}d({1}, {2}, {3})",
}
"""What a step has of its own, under the name that is its first argument."""

SHAPELESS = {
    *("add", "multiply", "divide", "clamp", "relu", "leaky_relu", "gelu", "mish", "swish"),
    *("hardswish", "sigmoid", "tanh", "softmax", "softmax_of_positions", "subtract_mean"),
    *("add_parameter", "subtract_parameter", "multiply_parameter", "add_input", "add_kept"),
    *("multiply_kept", "batch_norm", "layer_norm", "group_norm"),
}
"""Steps whose result has the shape of `x`: without one of them the problem still runs."""

Step = Sequence[Any]
Shape = Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One of them. `blind` says why its result hardly depends on the transposed convolution, or is
    empty; `unseen` says of faults why they change nothing that is larger than the tolerance.
    """

    level: int
    number: int
    name: str
    inputs: Sequence[Shape]
    judged: Sequence[Shape]
    layers: Sequence[dict[str, Any]]
    steps: Sequence[Step]
    blind: str
    unseen: dict[str, str]
    note: str

    @property
    def rank(self) -> int:
        """Spatial axes."""
        return len(self.layers[0]["kernel_size"])

    @property
    def slug(self) -> str:
        """Level and number, as `level2-44`."""
        return f"level{self.level}-{self.number}"


def problems() -> tuple[Problem, ...]:
    """All of them, by level and number."""
    document = yaml.safe_load(Path(__file__).with_name("problems.yaml").read_text(encoding="utf-8"))
    return tuple(map(_problem, document["problems"]))


def _problem(entry: dict[str, Any]) -> Problem:
    layers = entry["layer"] if isinstance(entry["layer"], list) else [entry["layer"]]
    return Problem(
        level=entry["level"],
        number=entry["number"],
        name=entry["name"],
        inputs=entry["inputs"],
        judged=entry.get("judged", entry["inputs"]),
        layers=layers,
        steps=entry.get("steps", [["conv_transpose"]]),
        blind=entry["reason"] if entry.get("blind") else "",
        unseen=entry.get("unseen", {}),
        note=entry.get("note", ""),
    )


def tiny(problem: Problem) -> Problem:
    """The same with two samples and few positions: what a test computes in a moment."""
    least = 16 if problem.level == 3 else 4
    norm = any(step[0] == "layer_norm" for step in problem.steps)
    first = problem.inputs[0]
    last = first[-1] if norm else min(first[-1], 2 * least)
    sizes = [*(min(n, least) for n in first[2:-1]), last]
    shapes = [
        [
            2,
            shape[1],
            *(n * size // of for n, size, of in zip(shape[2:], sizes, first[2:], strict=True)),
        ]
        for shape in problem.inputs
    ]
    return replace(problem, inputs=shapes, judged=shapes)


def reference(problem: Problem, shapes: Sequence[Shape] | None = None) -> str:
    """The text of a file with the class `Model`, whose inputs have those shapes, or else those that
    are judged.
    """
    shapes = problem.judged if shapes is None else shapes
    drawn = ", ".join(f"torch.rand({', '.join(map(str, shape))})" for shape in shapes)
    return "\n".join(
        [
            f'"""KernelBench level {problem.level}, problem {problem.number}: {problem.name}."""',
            *_head(problem),
            *_model("Model", problem, problem.steps, "self.{name}(x)"),
            "",
            "",
            f"def get_inputs():\n    return [{drawn}]",
            "",
            "",
            f"def get_init_inputs():\n    return {_first_arguments(problem)}",
            "",
        ]
    )


def candidate(problem: Problem, fault: str | None = None) -> str:
    """The text of a file with the class `ModelNew`, which computes the transposed convolution by
    other means than the layer, rightly or with that fault. ValueError: the problem cannot have it.
    """
    if fault is not None and fault not in faults(problem):
        raise ValueError(f"{problem.slug} cannot have the fault {fault!r}")
    text = TRANSPOSED.replace("CONTRIBUTIONS", CONTRIBUTIONS[problem.rank].strip())
    for right, wrong in FAULTS.get(fault or "", ()):
        assert text.count(right) == 1, (fault, right)
        text = text.replace(right, wrong)
    left_out = _left_out(problem) if fault == LEFT_OUT else None
    steps = [step for number, step in enumerate(problem.steps) if number != left_out]
    return "\n".join(
        [
            f'"""A candidate for KernelBench level {problem.level}, problem {problem.number}."""',
            *_head(problem),
            text.strip(),
            "",
            "",
            *_model("ModelNew", problem, steps, "transposed(x, self.{name})"),
            "",
        ]
    )


def faults(problem: Problem) -> list[str]:
    """The faults that the problem can have."""

    def has(argument: str, plain: Any) -> bool:
        values = [layer[argument] for layer in problem.layers]
        return any(value != plain for value in values)

    zeros = [0] * problem.rank
    possible = {
        "bias-dropped": has("bias", False),
        "padding-ignored": has("padding", zeros),
        "groups-ignored": has("groups", 1),
    }
    named = [name for name in FAULTS if possible.get(name, True)]
    return [*named, *([LEFT_OUT] if _left_out(problem) is not None else [])]


def _left_out(problem: Problem) -> int | None:
    """The number of the last step after the transposed convolution that can be left out."""
    first = [step[0] for step in problem.steps].index("conv_transpose")
    numbers = [
        number
        for number, step in enumerate(problem.steps)
        if number > first and step[0] in SHAPELESS and not _does_nothing(step)
    ]
    return numbers[-1] if numbers else None


def _does_nothing(step: Step) -> bool:
    return step[0] in ("multiply", "multiply_parameter") and step[-1] == 1.0


def _first_arguments(problem: Problem) -> list[Any]:
    """What the class is made with: the layer's arguments, or nothing where there are several."""
    if len(problem.layers) > 1:
        return []
    layer = problem.layers[0]
    return [tuple(v) if isinstance(v, list) else v for v in map(layer.__getitem__, ARGUMENTS)]


def _head(problem: Problem) -> Iterator[str]:
    yield from ("", "import torch", "from torch import nn")
    yield from ("from torch.nn import functional as F", "", "")
    if any(step[0] == "block" for step in problem.steps):
        yield BLOCK.strip()
        yield from ("", "")


def _model(name: str, problem: Problem, steps: Sequence[Step], transposed: str) -> Iterator[str]:
    rank, layers = problem.rank, list(problem.layers)
    given = ", ".join(["self", *(ARGUMENTS if len(layers) == 1 else ())])
    yield f"class {name}(nn.Module):"
    yield f"    def __init__({given}):"
    yield "        super().__init__()"
    for layer in layers:
        arguments = ", ".join(
            argument if len(layers) == 1 else repr(layer[argument])
            for argument in ARGUMENTS
            if argument not in ("bias", "groups", "dilation")
        )
        rest = ", ".join(
            f"{argument}={argument if len(layers) == 1 else repr(layer[argument])}"
            for argument in ("groups", "bias", "dilation")
        )
        yield f"        self.{layer['name']} = nn.ConvTranspose{rank}d({arguments}, {rest})"
    for step in problem.steps:
        yield from _state(step, rank)
    yield ""
    yield f"    def forward(self, x{', *others' if len(problem.inputs) > 1 else ''}):"
    for kind, *arguments in steps:
        if kind == "conv_transpose":
            yield f"        x = {transposed.format(name=layers.pop(0)['name'])}"
        elif kind == "keep":
            yield f"        {arguments[0]} = x"
        elif kind != "unused_parameter":
            keep = "keepdim" in arguments
            yield f"        x = {CALLS[kind].format(*arguments, rank=rank, keep=keep)}"
    yield "        return x"


def _state(step: Step, rank: int) -> Iterator[str]:
    kind, *arguments = step
    if kind in STATE:
        made = STATE[kind].format(*arguments, rank=rank)
        yield f"        self.{arguments[0]} = {made}"
    elif kind.endswith("_parameter"):
        name, shape, *initial = arguments
        values = f"torch.full({shape}, {initial[0]})" if initial else f"torch.randn({shape})"
        yield f"        self.{name} = nn.Parameter({values})"


BLOCK = '''
def block(inputs, outputs):
    """Two convolutions, each with batch normalisation and the softmax along the last axis."""
    parts = []
    for channels in (inputs, outputs):
        parts.append(nn.Conv2d(channels, outputs, 3, padding=1))
        parts.append(nn.BatchNorm2d(outputs))
        parts.append(nn.Softmax(dim=-1))
    return nn.ModuleDict({"double_conv": nn.Sequential(*parts)})
'''

TRANSPOSED = '''
CONTRIBUTIONS


def transposed(x, layer):
    """What the layer computes, from its weights and arguments."""
    of = x.dtype
    weight, bias, groups = layer.weight, layer.bias, layer.groups
    start = layer.padding
    full = contributions(x, weight, layer.stride, layer.dilation, groups)
    full = F.pad(full, [n for extra in reversed(layer.output_padding) for n in (0, extra + 1)])
    for axis, first in enumerate(start):
        low, extra = layer.padding[axis], layer.output_padding[axis]
        reach = layer.dilation[axis] * (layer.kernel_size[axis] - 1)
        size = (x.shape[axis + 2] - 1) * layer.stride[axis] - 2 * low + reach + extra + 1
        full = full.narrow(axis + 2, first, size)
    result = full.contiguous()
    if bias is not None:
        result = result + bias.reshape(-1, *[1] * len(start))
    return result.to(of)
'''

CONTRIBUTIONS = {
    1: '''
def contributions(x, weight, stride, dilation, groups):
    """Every product, by a convolution over the input with zeros between its values."""
    apart = x.new_zeros(*x.shape[:2], (x.shape[2] - 1) * stride[0] + 1)
    apart[:, :, :: stride[0]] = x
    inside, outside, taps = weight.shape
    kernel = weight.reshape(groups, inside // groups, outside, taps).transpose(1, 2)
    kernel = kernel.reshape(groups * outside, inside // groups, taps).flip(2)
    reach = dilation[0] * (taps - 1)
    return F.conv1d(apart, kernel, padding=reach, dilation=dilation, groups=groups)
''',
    2: '''
def contributions(x, weight, stride, dilation, groups):
    """Every product, by a product of matrices whose columns are folded, a sample at a time."""
    inside, outside, *taps = weight.shape
    kernel = weight.reshape(groups, inside // groups, -1).transpose(1, 2)
    spatial = x.shape[2:]
    full = [(n - 1) * s + d * (k - 1) + 1 for n, s, d, k in zip(spatial, stride, dilation, taps)]
    samples = []
    for sample in x:
        columns = kernel @ sample.reshape(groups, inside // groups, -1)
        columns = columns.reshape(1, -1, columns.shape[2])
        samples.append(F.fold(columns, full, taps, dilation=dilation, stride=stride))
    return torch.cat(samples)
''',
    3: '''
def contributions(x, weight, stride, dilation, groups):
    """Every product, a tap of the kernel at a time."""
    inside, outside, *taps = weight.shape
    spatial = x.shape[2:]
    full = [(n - 1) * s + d * (k - 1) + 1 for n, s, d, k in zip(spatial, stride, dilation, taps)]
    result = x.new_zeros(x.shape[0], groups * outside, *full)
    blocks = x.reshape(x.shape[0], groups, inside // groups, -1)
    kernel = weight.reshape(groups, inside // groups, outside, *taps)
    for tap in [(i, j, k) for i in range(taps[0]) for j in range(taps[1]) for k in range(taps[2])]:
        products = kernel[(..., *tap)].transpose(1, 2) @ blocks
        starts = [t * d for t, d in zip(tap, dilation)]
        places = [slice(t, t + (n - 1) * s + 1, s) for t, n, s in zip(starts, spatial, stride)]
        result[(slice(None), slice(None), *places)] += products.reshape(*result.shape[:2], *spatial)
    return result
''',
}
"""The sums before anything is cut, for one, two and three axes."""

LEFT_OUT = "operation-left-out"
"""The fault outside of the transposed convolution: the last step that can be left out is."""

_OPERANDS = "    weight, bias, groups = layer.weight, layer.bias, layer.groups\n"
FAULTS = {
    "shifted-window": [
        ("    start = layer.padding\n", "    start = [p + 1 for p in layer.padding]\n")
    ],
    "kernel-not-flipped": [
        (_OPERANDS, f"{_OPERANDS}    weight = weight.flip(*range(2, weight.dim()))\n")
    ],
    "bias-dropped": [(_OPERANDS, f"{_OPERANDS}    bias = None\n")],
    "padding-ignored": [
        ("    start = layer.padding\n", "    start = [0 for _ in layer.padding]\n")
    ],
    "groups-ignored": [
        (_OPERANDS, f"{_OPERANDS}    weight, groups = torch.cat([weight] * groups, 1), 1\n")
    ],
    "last-channel-left-out": [
        (
            _OPERANDS,
            f"{_OPERANDS}    x = torch.cat([x[:, :-1], torch.zeros_like(x[:, -1:])], 1)\n",
        )
    ],
    "half-precision": [
        (
            _OPERANDS,
            f"{_OPERANDS}    x, weight = x.half(), weight.half()\n"
            "    bias = None if bias is None else bias.half()\n",
        ),
    ],
    "left-zero-tail": [
        (
            "    return result.to(of)\n",
            "    result = result.clone()\n    result.view(-1)[-7:] = 0\n    return result.to(of)\n",
        )
    ],
}
"""What is another text in a candidate's function, by the fault."""
