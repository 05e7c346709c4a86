"""The mistakes of docs/diagnosis.md, made by a candidate: none of them passes.

How many of them pass a public judge's own rule is in docs/audit.md, in the column `kernelbench`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cheats
import numpy as np
import pytest

from conformance.kernels.call import Arguments, KernelCall, numbers, weights
from conformance.kernels.judge import opened
from conformance.kernels.judgements import RAISED, RIGHT, WRONG
from conformance.kernels.options import Options
from conformance.kernels.subject import Subject
from conformance.oracle import Truth, truth_of
from conformance.verdicts.diagnosis import Mistake, made_mistakes

pytestmark = pytest.mark.slow

SEED = 29

MISTAKEN = """
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from conformance.geometry import from_padding
from conformance.oracle import truth_of
from conformance.verdicts.diagnosis import made_mistakes

LEAST = 1e-4


class NotShownError(Exception):
    pass


def shows(y, right):
    if y is None:
        return False
    if y.shape != right.shape:
        return True
    with np.errstate(invalid="ignore"):
        near = np.abs(y - right) <= LEAST * np.nanmax(np.abs(right[np.isfinite(right)]))
    return not (near | (np.isnan(y) & np.isnan(right)) | (y == right)).all()


class ModelNew(torch.nn.Module):
    def __init__(self, *arguments):
        super().__init__()
        self.layer = torch.nn.ConvTranspose2d(
            *arguments[:6], groups=arguments[7], bias=arguments[8], dilation=arguments[6]
        )

    def forward(self, x):
        layer = self.layer
        window = from_padding(
            size=x.shape[2:], kernel=layer.kernel_size, stride=layer.stride,
            padding=[(p, p) for p in layer.padding], output_padding=layer.output_padding,
            dilation=layer.dilation, groups=layer.groups,
        )
        operands = (
            None if each is None else each.detach().numpy().copy()
            for each in (x, layer.weight, layer.bias)
        )
        truth = truth_of(*operands, window, "float32")
        asked = int(Path(__file__).with_name("mistake.txt").read_text())
        y = next(islice(made_mistakes(truth), asked, None)).output()
        if not shows(y, truth.y):
            raise NotShownError
        with np.errstate(over="ignore"):
            y = y.astype(np.float32)
        return torch.from_numpy(np.ascontiguousarray(y))
"""

Values = tuple[object, ...]
CALLS: tuple[tuple[Values, tuple[int, ...], str], ...] = (
    ((4, 6, (3, 2), (2, 3), (1, 0), (1, 0), (1, 2), 2, True), (2, 4, 3, 4), "normal"),
    ((4, 4, 3, 2, 1, 1, 1, 2, True), (3, 4, 4, 4), "normal"),
    ((3, 3, (2, 3), (4, 1), (4, 0), (2, 0), (3, 1), 1, True), (2, 3, 5, 3), "normal"),
    ((4, 6, (3, 2), (2, 3), (1, 0), (1, 0), (1, 2), 2, True), (2, 4, 3, 4), "special"),
    ((4, 6, (3, 2), (2, 3), (1, 0), (1, 0), (1, 2), 2, False), (2, 4, 3, 4), "subnormal"),
)
"""(constructor's arguments, shape of the input, numbers): all arguments unlike, all alike, large
ones, numbers that are not finite, and subnormal ones."""

TOO_SMALL = {
    "result-cut": "in float32 it is an error of less than one unit in the last place, which is "
    "allowed",
}
"""Mistakes that no float32 result shows."""


def call_of(values: Values, shape: tuple[int, ...], kind: str) -> KernelCall:
    return KernelCall(shapes=(shape,), values=values, seed=SEED, numbers=kind)


def truth_like(call: KernelCall) -> Truth:
    """A truth of the same shapes, of which the same mistakes are made."""
    import torch

    assert call.values is not None
    i, o, kernel, stride, padding, extra, dilation, groups, bias = call.values
    layer = torch.nn.ConvTranspose2d(i, o, kernel, stride, padding, extra, groups, bias, dilation)
    per_axis = ("kernel_size", "stride", "padding", "output_padding", "dilation")
    arguments = Arguments(
        in_channels=layer.in_channels, out_channels=layer.out_channels, groups=layer.groups,
        bias=True, **{name: getattr(layer, name) for name in per_axis},
    )  # fmt: skip
    [shape] = call.shapes
    x = numbers(call.numbers, shape, "float32", 1)
    w = weights("normal", arguments.kernel_shape, "float32", 2)
    b = weights("normal", (arguments.out_channels,), "float32", 3) if bias else None
    return truth_of(x, w, b, arguments.geometry(shape[2:]), "float32")


def mistakes_of(call: KernelCall) -> list[Mistake]:
    """The mistakes that are made of it, of other numbers than the candidate's."""
    with np.errstate(all="ignore"):
        return list(made_mistakes(truth_like(call)))


@pytest.fixture(scope="module")
def mistaken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Subject, Path]]:
    folder = tmp_path_factory.mktemp("mistakes")
    problem, file = folder / "problem.py", folder / "candidate.py"
    problem.write_text(cheats.PROBLEM_FILE, encoding="utf-8")
    file.write_text(MISTAKEN, encoding="utf-8")
    with opened(Options(file=file, problem=problem, seed=SEED)) as (subject, _, _):
        yield subject, folder / "mistake.txt"


def test_no_mistake_passes(mistaken: tuple[Subject, Path]) -> None:
    """Each is wrong on every call whose result it changes, and there is one."""
    subject, asked = mistaken
    made, shown = set(), set()
    for each in CALLS:
        call = call_of(*each)
        for number, mistake in enumerate(mistakes_of(call)):
            made.add(mistake.name)
            asked.write_text(str(number), encoding="utf-8")
            judgement = subject.judge(call)
            if judgement.status == RAISED and judgement.text.startswith("NotShownError"):
                continue
            assert judgement.status == WRONG, (mistake.name, mistake.text, judgement)
            shown.add(mistake.name)
    assert made - shown == set(TOO_SMALL)


def test_without_a_mistake_the_same_file_would_pass(mistaken: tuple[Subject, Path]) -> None:
    """So that it is the mistake which is refused."""
    subject, asked = mistaken
    asked.write_text("0", encoding="utf-8")
    candidate = asked.with_name("candidate.py")
    text = candidate.read_text(encoding="utf-8")
    line = "        y = next(islice(made_mistakes(truth), asked, None)).output()\n"
    assert text.count(line) == text.count("        if not shows(y, truth.y):\n") == 1
    right = text.replace(line, "").replace("if not shows(y, truth.y)", "y = truth.y\n        if 0")
    candidate.write_text(right, encoding="utf-8")
    subject.candidate.end()
    subject.candidate.ask("describe")
    for each in CALLS[:3]:
        assert subject.judge(replace(call_of(*each))).status == RIGHT
