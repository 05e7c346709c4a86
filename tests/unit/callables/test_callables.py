"""`conformance.check`: a callable through cases, in this process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import CUT, EMPTY, GAPS, TORCHS_RULE, corpus
from miniatures import scatter

import conformance
from conformance.check_report import MOST_LISTED
from conformance.errors import SelectionError
from conformance.geometry import Axis, Geometry
from conformance.oracle.gradients import gradient_truths
from conformance.verdicts.diagnosis import diagnosed


def kernel(
    x: Any,
    w: Any,
    bias: Any,
    *,
    stride: Any,
    padding: Any,
    output_padding: Any,
    dilation: Any,
    groups: Any,
) -> Any:
    """Right, in the canonical form of `check`."""
    crops = [
        (low, high - extra) for (low, high), extra in zip(padding, output_padding, strict=True)
    ]
    sizes = [
        (n - 1) * s + d * (k - 1) + 1
        for n, s, d, k in zip(x.shape[2:], stride, dilation, w.shape[2:], strict=True)
    ]
    if any(size - sum(crop) < 1 for size, crop in zip(sizes, crops, strict=True)):
        raise ValueError("the output would be empty")
    y = scatter(x, w, bias, stride=stride, crops=crops, dilation=dilation, groups=groups)
    return y.astype(x.dtype)


def without_bias(x: Any, w: Any, bias: Any, **arguments: Any) -> Any:
    return kernel(x, w, None, **arguments)


APPENDED = (
    GAPS.replace("id: gaps", "id: appended")
    + "    padding: [[1, -2], [-1, 2]]\n    output_padding: [0, 1]\n"
)
SLOW = GAPS.replace("id: gaps", "id: slow") + "    tags: [slow]\n"


def test_a_right_callable_is_ok(tmp_path: Path) -> None:
    """Every case conforms, with the callable's name, and the report says so."""
    report = conformance.check(kernel, corpus(tmp_path, CUT, GAPS, EMPTY, APPENDED))
    assert report.ok
    assert [(v.case, v.status, v.adapter) for v in report.verdicts] == [
        (f"tiny/{name}", "conforms", "kernel") for name in ("cut", "gaps", "empty", "appended")
    ]
    assert str(report) == "0 of 4 cases fail"


def test_a_wrong_callable_is_told_where(tmp_path: Path) -> None:
    """The failing case, the place, got and should be; the others conform."""
    report = conformance.check(without_bias, corpus(tmp_path, CUT, GAPS))
    assert not report.ok
    assert [v.status for v in report.verdicts] == ["differs", "conforms"]
    assert "1 of 2 cases fails" in str(report)
    assert "out[0, 0, 0, 0]=2, should be 3; 16 of 16 elements differ" in str(report)


def test_raises_makes_it_one_line_in_a_test_of_ones_own(tmp_path: Path) -> None:
    """AssertionError with the report where something fails, and nothing where nothing does."""
    root = corpus(tmp_path, CUT, GAPS)
    with pytest.raises(AssertionError, match="1 of 2 cases fails"):
        conformance.check(without_bias, root, raises=True)
    assert conformance.check(kernel, root, raises=True).ok


def test_a_kernel_that_is_wrong_everywhere_is_told_once(tmp_path: Path) -> None:
    """One cause, one message, with the smallest case in full; as many are looked at as are told."""
    cases = [CUT.replace("id: cut", f"id: cut-{number}") for number in range(MOST_LISTED + 3)]
    text = str(conformance.check(without_bias, corpus(tmp_path, *cases)))
    assert text.startswith(
        f"{MOST_LISTED + 3} of {MOST_LISTED + 3} cases fail\n{MOST_LISTED + 3} cases:\n"
        "without_bias (cpu) differs"
    )
    assert text.count("differs from the oracle") == 1
    assert text.endswith(
        f"and so do {MOST_LISTED - 1} of the {MOST_LISTED - 1} others that were looked at"
    )


def test_ways_to_fail_beyond_the_most_are_counted(tmp_path: Path) -> None:
    """A terminal is not flooded."""
    names = iter("abcdefghijklmnopqrstuvwxyz")

    def refuses(x: Any, w: Any, bias: Any, **_: Any) -> None:
        raise ValueError(f"{next(names)}: no")

    cases = [CUT.replace("id: cut", f"id: cut-{number}") for number in range(MOST_LISTED + 3)]
    assert str(conformance.check(refuses, corpus(tmp_path, *cases))).endswith("and 3 more causes")


def test_what_is_wrong_is_explained_when_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A diagnosis takes far longer than a call: none is made before somebody looks at it, and then
    once.
    """
    from conformance import callables

    made = []
    monkeypatch.setattr(
        callables,
        "diagnosed",
        lambda verdict, *rest: made.append(verdict.case) or diagnosed(verdict, *rest),
    )
    report = conformance.check(without_bias, corpus(tmp_path, CUT), progress=False)
    assert (report.ok, made) == (False, [])
    [verdict] = report.verdicts
    assert verdict.diagnosis["name"] == "bias-dropped"
    assert verdict.diagnosis is verdict.diagnosis
    assert verdict.precision is None
    assert made == ["tiny/cut"]
    assert replace(verdict, adapter="other").diagnosis == verdict.diagnosis


def test_progress_is_told_on_standard_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first failure when it happens, and from time to time how far it is; nothing if it is not
    wanted.
    """
    from conformance import callables

    monkeypatch.setattr(callables, "SILENCE", 0.0)
    cases = [CUT.replace("id: cut", f"id: cut-{number}") for number in range(3)]
    conformance.check(without_bias, corpus(tmp_path, *cases))
    told = capsys.readouterr().err
    assert (
        told.count(
            "without_bias (cpu) differs from the oracle in tiny/cut-0: out[0, 0, 0, 0]=2, should "
            "be 3; "
        )
        == 1
    )
    assert "3 of 3 cases, 3 fail" in told
    conformance.check(without_bias, corpus(tmp_path, *cases), progress=False)
    assert capsys.readouterr().err == ""


def test_several_paths_and_names_are_taken(tmp_path: Path) -> None:
    """A list of what one is; anything else is one sentence."""
    root = corpus(tmp_path, CUT, GAPS)
    report = conformance.check(without_bias, [root, "tiny/c*", "tiny/gaps"], progress=False)
    assert [verdict.case for verdict in report.verdicts] == ["tiny/cut", "tiny/gaps"]
    with pytest.raises(
        SelectionError,
        match="cases is 3, should be a path, a full name or a glob of them, or a list of those",
    ):
        conformance.check(without_bias, 3)


def test_the_canonical_form(tmp_path: Path) -> None:
    """Pairs whose high end is never negative, its negative part as output_padding, a negative low
    crop as a negative pad.
    """
    asked = []

    def listen(x: Any, w: Any, bias: Any, **arguments: Any) -> None:
        asked.append((x.dtype.name, bias, arguments))
        raise conformance.Unsupported("It only listens.")

    conformance.check(listen, corpus(tmp_path, APPENDED))
    assert asked == [
        (
            "float32",
            None,
            {
                "stride": (2, 2),
                "padding": ((1, 0), (-1, 1)),
                "output_padding": (2, 0),
                "dilation": (1, 1),
                "groups": 1,
            },
        )
    ]
    assert all(type(low) is int for low, _ in asked[0][2]["padding"])


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (conformance.Unsupported("No bias."), "unsupported", "No bias."),
        (NotImplementedError("later"), "unsupported", "later"),
        (NotImplementedError(), "unsupported", "NotImplementedError"),
        (RuntimeError("boom"), "raised", "RuntimeError: boom"),
    ],
)
def test_what_it_raises_is_an_outcome(tmp_path: Path, error: Any, status: Any, said: Any) -> None:
    """What a callable does not do passes, what goes wrong fails."""

    def fail(*_: Any, **__: Any) -> None:
        raise error

    [verdict] = conformance.check(fail, corpus(tmp_path, CUT)).verdicts
    assert (verdict.status, verdict.message) == (status, said)
    where = verdict.traceback or ""
    assert ("in fail" in where) is (status == "raised")
    assert "callables.py" not in where.replace("test_callables.py", "")


def test_error_cases_must_raise(tmp_path: Path) -> None:
    """A callable that answers nonsense differs."""

    def zeros(x: Any, w: Any, bias: Any, **arguments: Any) -> Any:
        return np.zeros((1, 1, 2, 2), np.float32)

    [verdict] = conformance.check(zeros, corpus(tmp_path, EMPTY)).verdicts
    assert (verdict.status, verdict.mismatch["kind"]) == ("differs", "not-refused")


def test_native_error_cases_and_slow_ones_are_left_out(tmp_path: Path) -> None:
    """One framework's rule has no geometry to ask for, and slow cases are for those who ask."""
    report = conformance.check(kernel, corpus(tmp_path, GAPS, TORCHS_RULE, SLOW))
    assert [verdict.case for verdict in report.verdicts] == ["tiny/gaps"]


def test_a_list_is_compared_by_its_own_dtype(tmp_path: Path) -> None:
    """Nested lists of Python floats are float64, which is not what was asked."""

    def as_list(*operands: Any, **arguments: Any) -> Any:
        return kernel(*operands, **arguments).tolist()

    [verdict] = conformance.check(as_list, corpus(tmp_path, CUT)).verdicts
    assert verdict.mismatch["text"] == "out.dtype=float64, should be float32"


def test_what_is_no_array_of_numbers_fails_and_does_not_break_the_check(tmp_path: Path) -> None:
    """None, text, ragged lists: the other cases still get their verdicts."""
    for nonsense in (None, "nothing", [[1], [2, 3]], object()):
        report = conformance.check(
            lambda *_, answer=nonsense, **__: answer, corpus(tmp_path, CUT, GAPS)
        )
        assert all(verdict.fails for verdict in report.verdicts)
        assert len(report.verdicts) == 2


def test_cases_can_be_names_of_the_shipped_corpus() -> None:
    """A glob of full names, and a full name."""
    some = conformance.check(kernel, "textbook/cs231n/*")
    assert some.ok
    assert len(some.verdicts) > 1
    one = conformance.check(kernel, cases="textbook/cs231n/two-by-two-to-four-by-four", raises=True)
    assert [verdict.case for verdict in one.verdicts] == [
        "textbook/cs231n/two-by-two-to-four-by-four"
    ]


def test_a_case_file_that_is_wrong_is_an_error(tmp_path: Path) -> None:
    """A guard that disagrees is no verdict on the callable."""
    with pytest.raises(conformance.CaseFileError, match=r"expected\.shape"):
        conformance.check(kernel, corpus(tmp_path, CUT + "    expected: {shape: [1, 1, 4, 5]}\n"))


DIFFERENTIATED = GAPS.replace("id: gaps", "id: differentiated") + (
    "    gradients: {values: integers}\n"
)


def gradients(
    x: Any, w: Any, bias: Any, cotangent: Any, *, groups: Any, **arguments: Any
) -> tuple[Any, Any, Any]:
    """Right, of the oracle's own: what is tested is how they are asked for."""
    crops = [
        (low, high - extra)
        for (low, high), extra in zip(
            arguments["padding"], arguments["output_padding"], strict=True
        )
    ]
    axes = tuple(
        Axis(size=n, kernel=k, stride=s, dilation=d, crop_low=low, crop_high=high)
        for n, k, s, d, (low, high) in zip(
            x.shape[2:], w.shape[2:], arguments["stride"], arguments["dilation"], crops, strict=True
        )
    )
    geometry = Geometry(axes=axes, groups=groups)
    truths = gradient_truths(x, w, bias, cotangent, geometry, "float32")
    made = {name: truth.y.astype(x.dtype) for name, truth in truths.items()}
    return made["input"], made["kernel"], made.get("bias")


class Layer:
    """A kernel that has its gradients."""

    forward = staticmethod(kernel)
    gradients = staticmethod(gradients)


@pytest.mark.parametrize("asked", [(kernel, gradients), Layer(), Layer])
def test_gradients_are_asked_for_where_a_callable_has_them(asked: Any, tmp_path: Path) -> None:
    """Of a pair, or an object with both; in cases that have a cotangent."""
    report = conformance.check(asked, corpus(tmp_path, DIFFERENTIATED, GAPS), progress=False)
    assert report.ok, str(report)
    assert [(v.case.rpartition("/")[2], v.quantity) for v in report.verdicts] == [
        ("differentiated", "output"),
        ("differentiated", "gradients"),
        ("gaps", "output"),
    ]


def test_a_wrong_gradient_is_named(tmp_path: Path) -> None:
    """The kernel's, not flipped."""

    def flipped(*operands: Any, **arguments: Any) -> tuple[Any, Any, Any]:
        dx, dw, db = gradients(*operands, **arguments)
        return dx, np.flip(dw, tuple(range(2, dw.ndim))), db

    case = corpus(tmp_path, DIFFERENTIATED.replace("[[5]]", "[[5, 6], [7, 9]]"))
    report = conformance.check((kernel, flipped), case, progress=False)
    assert not report.ok
    assert "dkernel: the kernel is not flipped" in str(report)


def test_gradients_that_are_no_three_arrays_raise(tmp_path: Path) -> None:
    """A verdict, and no traceback."""
    report = conformance.check(
        (kernel, lambda *_, **__: 3), corpus(tmp_path, DIFFERENTIATED), progress=False
    )
    assert [v.status for v in report.verdicts] == ["conforms", "raised"]


def test_a_callable_of_other_arguments_is_refused_once() -> None:
    """Instead of the same TypeError for every case."""
    with pytest.raises(SelectionError, match=r"kernel takes \(x\), should take \(x, w, bias, \*"):
        conformance.check(lambda x: x)
    with pytest.raises(SelectionError, match=r"gradients takes .*should take .* bias, cotangent"):
        conformance.check((kernel, lambda x: x))


@pytest.mark.parametrize("nothing", [3, (kernel, 4), (kernel, kernel, kernel)])
def test_what_cannot_be_called_is_refused(nothing: Any, tmp_path: Path) -> None:
    """With a sentence that says what can."""
    with pytest.raises(SelectionError, match="should be a callable, a pair of callables"):
        conformance.check(nothing, corpus(tmp_path, GAPS))
