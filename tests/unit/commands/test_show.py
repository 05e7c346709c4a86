"""`conformance show`: one case, whole, for a person."""

from __future__ import annotations

import pytest

from conformance.commands.show import run
from conformance.errors import SelectionError, UsageError

pytestmark = pytest.mark.slow

SHOWCASE = "textbook/cs231n/two-by-two-to-four-by-four"


def test_a_case_is_shown_with_its_window_overlaps_and_every_spelling(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The full size, the crops, the arrays, the overlap counts and whether they are even,
    all conventions.
    """
    run(SHOWCASE, [], None)
    shown = capsys.readouterr().out
    for part in (
        "full output 5, crops 1 at the start, crops 0 at the end: output 4",
        ".oooo",
        "overlaps on axis 0: 1 2 1 1 (uneven inside",
        "compared: bit for bit",
        "torch      stride=[2, 2], padding=[1, 1], output_padding=[1, 1]",
        "keras      none: ",
        "tensorflow strides=[2, 2], padding=[[1, 0], [1, 0]], output_shape=[4, 4]",
        "jax        strides=[2, 2], padding=[[1, 2], [1, 2]]",
        "onnx       strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1]",
        "[ 8., 20., 12., 14.]",
    ):
        assert part in shown, part


def test_an_even_kernel_is_said_to_be_even(capsys: pytest.CaptureFixture[str]) -> None:
    """Kernel 4 at stride 2 covers every position inside as often."""
    run("networks/dcgan/last", [], None)
    assert "(even inside)" in capsys.readouterr().out


def test_the_program_alone_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """So that it can be sent into a file and run."""
    run(SHOWCASE, [], "torch")
    compile(capsys.readouterr().out, "program", "exec")


@pytest.mark.parametrize(
    ("name", "adapter", "error", "said"),
    [
        (SHOWCASE, "caffe", UsageError, "there is no such adapter, should be one of torch,"),
        (SHOWCASE, "keras-jax", UsageError, "has no program for textbook/cs231n/"),
        ("textbook/cs231n/*", "torch", SelectionError, "should name the one"),
        ("textbook/no-such-case", None, SelectionError, "no such file or case"),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(
    name: str, adapter: str | None, error: type[Exception], said: str
) -> None:
    """What was asked for, and what would be right."""
    with pytest.raises(error, match=said.replace(".", r"\.").replace("*", r"\*")):
        run(name, [], adapter)
