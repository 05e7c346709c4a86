"""The sweep: what it draws, how it shrinks, what it writes, and what it does with engines that are
wrong in one way.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from helpers import CUT, TESTS, command, eventually, miniature, started
from miniatures import Right

from conformance import conventions
from conformance.commands import sweep as sweep_command
from conformance.conventions import Unrepresentable
from conformance.corpus.files import load_cases
from conformance.corpus.shards import Shard
from conformance.corpus.tensors import cotangent_of, tensors_of
from conformance.errors import UsageError
from conformance.geometry import Axis, Geometry, problems
from conformance.oracle import gradient_truths, truth_of
from conformance.sweep import Request, Wish, sweep
from conformance.sweep.attempt import FailureSignature, skeleton
from conformance.sweep.call import MOST_CACHED, Put, SweepCall
from conformance.sweep.draw import Drawer, obstacle
from conformance.sweep.failures import finish
from conformance.sweep.shrink import shrunk, smaller
from conformance.sweep.standby import LostError, Standby
from conformance.sweep.write import case_text, write_case

pytestmark = pytest.mark.slow

ALL = ("float32", "float64", "float16", "bfloat16")


class RightForNone(Right):
    """Right for a batch of none too."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Any:
        if len(x):
            return super().call(x, kernel, bias, native, device)
        geometry = conventions.get("torch").geometry(
            native, size=x.shape[2:], kernel=kernel.shape[2:]
        )
        return np.zeros((0, kernel.shape[1] * geometry.groups, *geometry.out), x.dtype)


class BiasGradientDropped(RightForNone):
    """Right, but for the gradient with respect to the bias, which is zero."""

    def gradients(
        self, x: Any, kernel: Any, bias: Any, native: Any, cotangent: Any, device: Any
    ) -> Any:
        geometry = conventions.get("torch").geometry(
            native, size=x.shape[2:], kernel=kernel.shape[2:]
        )
        truths = gradient_truths(x, kernel, bias, cotangent, geometry, x.dtype.name)
        dx, dkernel = (truths[of].y.astype(x.dtype) for of in ("input", "kernel"))
        return dx, dkernel, None if bias is None else np.zeros_like(bias)


class SaysItsRank(Right):
    """Refuses everything, in other words for every rank."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> None:
        raise RuntimeError("could not create a " + "very " * (x.ndim - 2) + "large primitive")


class WrongFromTheSecondCallOn(Right):
    """Right once in every process, then one too large everywhere."""

    calls = 0

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Any:
        self.calls += 1
        return super().call(x, kernel, bias, native, device) + x.dtype.type(self.calls > 1)


def wished(**wish: Any) -> Wish:
    """Outputs in float32, where nothing else is said."""
    return Wish(**{"dtypes": ("float32",), "gradients": False, **wish})


def drawn(convention: Any = "torch", count: Any = 100, seed: Any = 1, **wish: Any) -> Any:
    drawer = Drawer(seed, convention, wished(**wish))
    return [drawer.draw(number) for number in range(1, count + 1)]


def request(folder: Path, *specs: Any, count: Any = 10, seed: Any = 1, **wish: Any) -> Any:
    return Request(seed=seed, count=count, wish=wished(**wish), specs=specs, folder=folder)


def square(**changes: Any) -> Any:
    """A 2-D call with more of everything than a failure needs."""
    axis = Axis(size=4, kernel=3, stride=2, dilation=2, crop_low=2, crop_high=1)
    fields = {
        "geometry": Geometry(axes=(axis, axis), groups=4),
        "batch": 3,
        "in_per_group": 2,
        "out_per_group": 2,
    }
    return SweepCall(**{**fields, "bias": True, "seed": 77, **changes})


def test_a_seed_draws_the_same_calls_and_another_seed_others() -> None:
    """A failure can be found again from the numbers of the command line."""
    assert drawn(seed=7) == drawn(seed=7)
    assert drawn(seed=7) != drawn(seed=8)


@pytest.mark.parametrize("convention", conventions.NAMES)
def test_what_is_drawn_makes_sense_and_can_be_spelled(convention: Any) -> None:
    """No call is made that an engine of that convention could refuse for its arguments' sake."""
    for call in drawn(convention, 150):
        assert not problems(call.geometry)
        assert not isinstance(conventions.get(convention).native(call.geometry), Unrepresentable)
        assert not call.case.problems()


@pytest.mark.parametrize("dtype", ALL)
def test_what_is_drawn_is_exact_in_its_dtype(dtype: Any) -> None:
    """The truth computes that it is, where the draw concludes it from the number of terms."""
    for one in drawn(count=80, dtypes=(dtype,), gradients=True):
        assert one.exact
        call = replace(one, put=None)
        assert truth_of(*call.tensors, call.geometry, dtype).exact
        if call.gradients:
            truths = gradient_truths(*call.tensors, call.cotangent, call.geometry, dtype)
            assert all(truth.exact for truth in truths.values())


def test_numbers_get_smaller_where_the_dtype_holds_little() -> None:
    """bfloat16 has calls with numbers of -4 to 4, and longer sums with -1 to 1."""
    assert {call.small for call in drawn(count=200, dtypes=("bfloat16",))} == {True, False}
    assert not any(call.small for call in drawn(count=200))


CORNERS = {
    "stride above the kernel": lambda call: any(a.stride > a.kernel for a in call.geometry.axes),
    "kernel above the output": lambda call: any(a.extent > a.out for a in call.geometry.axes),
    "taps that reach nothing": lambda call: any(
        len(list(a.taps())) < a.kernel for a in call.geometry.axes
    ),
    "outputs of one element": lambda call: set(call.geometry.out) == {1},
    "unequal strides": lambda call: len(set(call.geometry.stride)) > 1,
    "dilation and stride": lambda call: any(a.dilation > 1 < a.stride for a in call.geometry.axes),
    "output padding": lambda call: any(low > high for low, high in call.geometry.crops),
    "depthwise": lambda call: (
        call.geometry.groups > 1 and call.in_per_group == call.out_per_group == 1
    ),
    "depthwise with a multiplier": lambda call: (
        call.geometry.groups > 1 == call.in_per_group < call.out_per_group
    ),
    "groups of several channels": lambda call: call.geometry.groups > 1 < call.in_per_group,
    "a batch of none": lambda call: call.batch == 0,
    "a batch of three": lambda call: call.batch == 3,
    "a vector's width of channels": lambda call: call.in_per_group == 16,
    "one channel more than that": lambda call: call.out_per_group == 17,
    "no bias": lambda call: not call.bias,
    "a size of one and several samples": lambda call: (
        call.batch > 1 and any(a.size == 1 < a.kernel for a in call.geometry.axes)
    ),
    "one channel on both sides": lambda call: (
        call.geometry.groups == call.in_per_group == call.out_per_group == 1
    ),
    "a dilated kernel of one": lambda call: any(
        a.kernel == 1 < a.dilation for a in call.geometry.axes
    ),
    "a crop beyond the kernel's reach": lambda call: any(
        max(a.crop_low, a.crop_high) >= a.extent for a in call.geometry.axes
    ),
    "an axis longer than a register": lambda call: max(call.geometry.size) > 14,
    "a long kernel": lambda call: max(call.geometry.kernel) > 7,
    "a long stride": lambda call: max(call.geometry.stride) > 4,
    "many channels on both sides": lambda call: min(call.x_shape[1], call.y_shape[1]) > 14,
    "NaN in one tap": lambda call: (
        call.put is not None and (call.put.role, call.put.value) == ("kernel", "nan")
    ),
    "infinity in the input": lambda call: (
        call.put is not None and (call.put.role, call.put.value) == ("input", "inf")
    ),
}


@pytest.fixture(scope="module")
def thousand() -> Any:
    return drawn(count=1000)


@pytest.mark.parametrize("corner", CORNERS)
def test_corners_are_drawn(corner: Any, thousand: Any) -> None:
    """A thousand calls have each of them several times."""
    assert sum(map(CORNERS[corner], thousand)) >= 5


def test_zeros_before_the_output_and_a_cut_behind_it_are_drawn() -> None:
    """Where a convention can spell that: JAX's and Flax's."""
    for convention in ("jax", "flax"):
        axes = [axis for call in drawn(convention, 300) for axis in call.geometry.axes]
        assert sum(axis.crop_low < 0 < axis.crop_high for axis in axes) >= 5


def test_float32_is_drawn_most_often_and_every_dtype_sometimes() -> None:
    """Where no dtype is wished for."""
    calls = drawn(count=200, dtypes=Wish().dtypes)
    found = [call.dtype for call in calls]
    assert set(found) == set(ALL)
    assert found.count("float32") > len(found) / 3


@pytest.mark.parametrize("convention", ["torch", "jax", "tensorflow"])
def test_a_number_of_a_seed_is_one_call(convention: Any) -> None:
    """Whatever was drawn before it."""
    calls = drawn(convention, 40)
    drawer = Drawer(1, convention, wished())
    assert [drawer.draw(number) for number in (40, 7)] == [calls[39], calls[6]]


def test_only_the_calls_of_the_indices_are_made(tmp_path: Path) -> None:
    """A failure's address makes that call again and no other, and names what was wished for."""
    some = request(tmp_path, miniature("Raises"), count=9, ranks=(1,), dtypes=("float16",))
    (swept,) = sweep(replace(some, indices=(5,)))
    (failure,) = swept.failures.values()
    assert (swept.calls, failure.call) == (1, 5)
    address = "--seed 1 --index 5 --rank 1 --dtype float16 --no-gradients"
    assert some.address(failure.call) == address
    assert load_cases(failure.file)[0].source == f"conformance sweep -a Raises {address}"


def test_what_is_not_finite_stays_in_an_operand_that_shrinks() -> None:
    """It is counted from the start again, leaves where it is not needed, and an empty operand has
    no place for it.
    """
    put = Put(role="input", position=77, value="inf")
    call = square(put=put)
    assert np.isposinf(call.tensors.x).sum() == 1
    assert not replace(call, batch=0).tensors.x.size
    kept = shrunk(call, "torch", lambda one: bool(np.isinf(one.tensors.x).any()))
    assert kept.put == replace(put, position=0)
    assert shrunk(call, "torch", lambda one: one.geometry.groups > 1).put is None


KNOWN = """\
- adapter: "*"
  cases: [one/cut]
  versions: {miniature: ">=0"}
  status: raised
  reason: The miniature creates no primitive.
  source: written for the tests
"""


@pytest.mark.parametrize(("name", "known"), [("Raises", 6), ("test_campaign:SaysItsRank", 0)])
def test_what_is_declared_is_counted_and_not_shrunk(tmp_path: Path, name: Any, known: Any) -> None:
    """A refusal with the words of a declared case has that entry's reason; other words have not."""
    corpus = tmp_path / "cases"
    (corpus / "known_differences").mkdir(parents=True)
    (corpus / "one.yaml").write_text(f"format: 1\ncases:\n{CUT}")
    (corpus / "known_differences" / "all.yaml").write_text(KNOWN)
    engine = miniature(name)
    asked = request(tmp_path, engine, count=6, ranks=(1,))
    (swept,) = sweep(replace(asked, corpora=(corpus,)))
    assert swept.reasons.total() == known
    assert swept.fails == (known == 0)


def test_every_rank_and_dtype_wished_for_is_drawn_and_no_other() -> None:
    """--rank and --dtype choose."""
    found = {
        (call.geometry.rank, call.dtype)
        for call in drawn(count=200, ranks=(1, 3), dtypes=("float64", "float16"))
    }
    assert found == set(itertools.product((1, 3), ("float64", "float16")))


@pytest.mark.parametrize("convention", ["torch", "keras", "jax"])
def test_a_written_case_is_the_call_that_was_made(convention: Any, tmp_path: Path) -> None:
    """Loaded again it has the same window, channels, dtype and numbers, bit for bit."""
    calls = [
        *drawn(convention, 12, dtypes=ALL),
        *drawn(convention, 6, dtypes=("bfloat16",), gradients=True),
    ]
    for number, call in enumerate(calls):
        file = tmp_path / f"{number}.yaml"
        file.write_text(
            case_text(call, identity="one", source="a test", remarks=["something: went wrong"])
        )
        (case,) = load_cases(file)
        assert (case.geometry, case.dtype) == (call.geometry, call.dtype)
        for loaded, made in zip(tensors_of(case), call.tensors, strict=True):
            assert (made is None) == (loaded is None)
            if made is not None:  # compared by bytes, since NaN of bfloat16 is equal to nothing
                assert (loaded.dtype, loaded.shape) == (made.dtype, made.shape)
                assert loaded.tobytes() == made.tobytes()
        if call.gradients:
            np.testing.assert_array_equal(cotangent_of(case), call.cotangent, strict=True)
        else:
            assert case.gradients is None


def test_arrays_longer_than_what_is_kept_are_the_case_s_too() -> None:
    """A long array begins with the numbers of a short one, and both are what the recipe makes."""
    axis = Axis(size=MOST_CACHED + 5, kernel=1)
    call = SweepCall(geometry=Geometry(axes=(axis,)), seed=9)
    np.testing.assert_array_equal(call.tensors.x, tensors_of(call.case).x)
    np.testing.assert_array_equal(
        call.tensors.x[0, 0, :3], replace(call, batch=2).tensors.x[0, 0, :3]
    )


def test_a_written_case_is_blessed_and_says_what_went_wrong(tmp_path: Path) -> None:
    """It has the oracle's values, and remarks of any form are comments."""
    file = tmp_path / "one.yaml"
    write_case(
        file,
        square(),
        identity="one",
        source="a: 'test'",
        remarks=["first\n- second: {", "x" * 300],
    )
    (case,) = load_cases(file)
    assert case.expected is not None
    assert case.expected.complete
    assert case.source == "a: 'test'"
    assert file.read_text().startswith("# first\n# - second: {\n# xxx")


def test_shrinking_leaves_what_the_failure_needs_and_nothing_else() -> None:
    """A failure of two groups with a stride becomes the smallest call that has both."""
    smallest = shrunk(
        square(), "torch", lambda call: call.geometry.groups >= 2 and call.geometry.stride[1] >= 2
    )
    plain = Axis(size=1, kernel=1)
    assert smallest == SweepCall(
        geometry=Geometry(axes=(plain, replace(plain, stride=2)), groups=2)
    )


def test_shrinking_asks_only_what_can_be_asked() -> None:
    """Every call that is tried is smaller than the last that failed, makes sense and has arguments
    in the convention.
    """
    asked = []

    def fails(call: Any) -> Any:
        asked.append(call)
        return len(asked) % 3 == 0

    first = drawn("keras", 1, seed=4)[0]
    shrunk(first, "keras", fails)
    assert asked
    assert all(obstacle(call, "keras") is None and call.cost < first.cost for call in asked)
    assert len(set(asked)) == len(asked)


def test_shrinking_stops_when_no_more_may_be_asked() -> None:
    """The smallest call so far is what is left."""
    answers = iter([True, None])
    asked = []
    smallest = shrunk(square(), "torch", lambda call: asked.append(call) or next(answers))
    assert smallest == asked[0]


def test_the_window_follows_an_argument_that_shrinks() -> None:
    """Where the padding would no longer be spelled, the nearest that is takes its place."""
    axis = Axis(size=3, kernel=4, stride=2, crop_low=1, crop_high=1)  # Keras: same
    call = SweepCall(geometry=Geometry(axes=(axis,)))
    kernels = {(c.geometry.kernel[0], *c.geometry.crops[0]) for c in smaller(call, "keras")}
    assert (3, 0, 1) in kernels


def test_messages_about_other_sizes_are_the_same_message() -> None:
    """Numbers and lists of them do not tell failures apart; words do."""
    assert skeleton("shape [1, 2, 3] of call 7\nand more") == skeleton("shape [4, 5] of call 12")
    assert skeleton("pads=[[ 0  0]\n [10 10]]") == skeleton("pads=[[0 12]\n [1 1]]")
    assert skeleton("bad shape 1x2x3") == skeleton("bad shape 4x4") != skeleton("bad stride 4x4")


def test_garbage_is_the_same_failure_as_nan() -> None:
    """A result that was never written is NaN in one process and a number in the next; another
    status is another failure.
    """
    nan = FailureSignature(quantity="gradients", status="differs", kind="nonfinite of dkernel")
    assert nan.like(replace(nan, kind="values of dkernel"))
    assert not nan.like(replace(nan, kind="values of dbias"))
    assert not nan.like(replace(nan, status="crashed"))
    assert not nan.like(None)


def test_a_right_engine_has_no_failures(tmp_path: Path) -> None:
    """Every call was made, and nothing was written."""
    (swept,) = sweep(request(tmp_path, miniature("test_campaign:RightForNone"), count=30))
    assert (swept.calls, swept.failures, swept.lost, swept.fails) == (30, {}, 0, False)
    assert not list(tmp_path.iterdir())


def test_an_engine_without_gradients_is_asked_for_them_once(tmp_path: Path) -> None:
    """What it cannot be asked is no call of the sweep."""
    engine = miniature("test_campaign:RightForNone")
    (swept,) = sweep(request(tmp_path, engine, count=30, gradients=True))
    assert (swept.calls, swept.has_gradients, swept.fails) == (30, False, False)


def test_a_wrong_engine_s_failure_is_shrunk_written_and_fails_again(tmp_path: Path) -> None:
    """The file runs as it is, and the command's exit code is 1."""
    folder = tmp_path / "found"
    folder.mkdir()
    asked = request(folder, miniature("BiasDropped"), count=8, ranks=(2,))
    (swept,) = sweep(asked)
    finish(asked, [swept])
    (file,) = {
        failure.file
        for failure in swept.failures.values()
        if failure.kind.signature.status == "differs"
    }
    (case,) = load_cases(file)
    assert (case.input.shape, case.kernel.shape, case.bias is None) == (
        (1, 1, 1, 1),
        (1, 1, 1, 1),
        False,
    )
    assert "bias" in file.read_text().partition("format")[0]
    assert (
        "# reproduce, in the folder of this file:\n"
        f"# conformance run {file.name} -a miniatures:BiasDropped --threads 1\n" in file.read_text()
    )
    assert (
        command(
            "run", file, "-a", "miniatures:BiasDropped", "-o", tmp_path / "record", cwd=tmp_path
        ).returncode
        == 1
    )


def test_a_wrong_gradient_is_written_with_its_cotangent(tmp_path: Path) -> None:
    """It is another failure than a wrong output, says which gradient is wrong, and its file asks
    for it.
    """
    wrong = miniature("test_campaign:BiasGradientDropped")
    (swept,) = sweep(request(tmp_path, wrong, count=6, ranks=(2,), gradients=True))
    assert swept.calls == 6 + sum(
        call.gradients for call in drawn(count=6, ranks=(2,), gradients=True)
    )
    assert {(kind.signature.quantity, kind.signature.kind) for kind in swept.failures} == {
        ("gradients", "values of dbias")
    }
    (case,) = load_cases(tmp_path)
    assert case.gradients is not None
    assert case.kernel.shape == (1, 1, 1, 1)


def test_gradients_of_what_was_refused_are_not_asked_for(tmp_path: Path) -> None:
    """There is nothing to differentiate."""
    (swept,) = sweep(request(tmp_path, miniature("Raises"), count=3, gradients=True))
    assert swept.calls == 3


def test_gradients_that_an_engine_does_not_have_are_no_failure(tmp_path: Path) -> None:
    """Its outputs are looked at all the same."""
    (swept,) = sweep(
        request(tmp_path, miniature("BiasDropped"), count=4, ranks=(1,), gradients=True)
    )
    assert (swept.refused, swept.has_gradients) == ({}, False)
    assert {kind.signature.quantity for kind in swept.failures} == {"output"}


def test_an_engine_that_dies_is_swept_to_the_end(tmp_path: Path) -> None:
    """All calls are made, and what kills it is written as the smallest call that does."""
    (swept,) = sweep(request(tmp_path, miniature("AbortsWithBias"), count=8, ranks=(1,), seed=3))
    crashed = [
        failure for failure in swept.failures.values() if failure.kind.signature.status == "crashed"
    ]
    assert swept.calls == 8
    assert swept.lost >= len(crashed) >= 1
    assert all(load_cases(failure.file)[0].input.shape == (1, 1, 1) for failure in crashed)


def test_failures_of_one_kind_are_counted_and_written_once(tmp_path: Path) -> None:
    """All that raise the same are one failure, whatever their rank and groups."""
    (swept,) = sweep(request(tmp_path, miniature("Raises"), count=20))
    (failure,) = swept.failures.values()
    assert (failure.count, failure.repeats) == (20, True)
    assert len(list(tmp_path.iterdir())) == 1


def test_what_an_engine_does_not_claim_is_no_failure(tmp_path: Path) -> None:
    """It is counted by its reason."""
    (swept,) = sweep(request(tmp_path, miniature("RaisesUnsupported"), count=5))
    assert swept.refused == {"The miniature does nothing at all.": 5}
    assert not swept.fails


def test_a_failure_that_needs_a_past_says_so(tmp_path: Path) -> None:
    """It is written as it was found, since no single call shows it."""
    (swept,) = sweep(
        request(
            tmp_path,
            miniature("test_campaign:WrongFromTheSecondCallOn"),
            count=2,
            ranks=(2,),
            seed=5,
        )
    )
    (failure,) = swept.failures.values()
    assert not failure.repeats
    assert "Not every time: it did not fail again" in failure.file.read_text()
    assert load_cases(failure.file)[0].geometry == drawn(count=2, ranks=(2,), seed=5)[1].geometry


def test_an_engine_that_does_not_start_is_a_usage_error(tmp_path: Path) -> None:
    """Before anything runs, in one sentence."""
    with pytest.raises(
        UsageError, match=r"^UnknownConvention does not start: speaks convention 'caffe'"
    ):
        sweep(request(tmp_path, miniature("UnknownConvention")))


def test_the_spare_process_takes_over(tmp_path: Path) -> None:
    """It was started before it was needed, and another is started then."""
    log = tmp_path / "log"
    standby = Standby(miniature("Right", MINIATURES_LOG=str(log)), timeout=5.0, environment={})
    try:
        standby.start()
        assert eventually(lambda: len(started(log)) == 2)
        standby.renew()
        assert standby.ready().running
        assert eventually(lambda: len(started(log)) == 3)
        assert standby.lost == 0
    finally:
        standby.close()


def test_an_engine_that_starts_no_more_is_given_up(tmp_path: Path) -> None:
    """Two failed starts are enough."""
    standby = Standby(miniature("Right"), timeout=5.0, environment={})
    try:
        standby.start()
        standby.spec = miniature("UnknownConvention")
        standby.renew()  # the spare was started before
        with pytest.raises(LostError, match="does not start any more"):
            standby.renew()
    finally:
        standby.close()


def options(tmp_path: Path, **changes: Any) -> Any:
    fields = {
        "seed": 1,
        "count": 3,
        "ranks": [1],
        "dtypes": [],
        "gradients": False,
        "pythons": [],
        "threads": 1,
        "output": tmp_path / "out",
    }
    return sweep_command.Options(**{"adapters": ["miniatures:Right"], **fields, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dtypes": ["int8"]}, "--dtype int8: should be one of float32"),
        ({"adapters": []}, "-a: is missing"),
    ],
)
def test_bad_usage_is_one_sentence(tmp_path: Path, changes: Any, message: Any) -> None:
    """Nothing was started, and no folder made."""
    with pytest.raises(UsageError, match=message):
        sweep_command.run(options(tmp_path, **changes))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("name", "code"), [("RaisesUnsupported", 0), ("Raises", 1)])
def test_the_exit_code_says_whether_anything_failed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: Any,
    code: Any,
) -> None:
    """1 with a failure, 0 without, and the report tells how many calls there were."""
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    with pytest.raises(typer.Exit) as ending:
        sweep_command.run(options(tmp_path, adapters=[f"miniatures:{name}"]))
    assert ending.value.exit_code == code
    assert f"miniatures:{name}: 3 calls" in capsys.readouterr().out


def test_an_engine_that_hangs_is_given_up(tmp_path: Path) -> None:
    """Nothing waits for ever: what times out call after call is told, and the sweep ends."""
    [swept] = sweep(replace(request(tmp_path, miniature("Hangs"), count=200), timeout=0.1))
    assert "hangs" in (swept.stop_reason or "")
    assert swept.fails
    assert swept.calls < 50


def test_a_device_that_is_not_there_is_said(tmp_path: Path) -> None:
    """Before anything runs, with those that are."""
    with pytest.raises(UsageError, match="Right has no device moon, should be one of cpu"):
        sweep(replace(request(tmp_path, miniature("Right"), count=1), device="moon"))


@pytest.mark.parametrize("of", [1, 2, 5])
def test_the_shards_of_any_split_make_all_calls_once(tmp_path: Path, of: int) -> None:
    """Of the first hundred numbers, and of those that are named."""
    whole = Request(seed=1, count=100, wish=Wish(), specs=(), folder=tmp_path)
    for request in (whole, replace(whole, indices=[3, 1, 8, 20, 21])):
        shards = [Shard(number=number, of=of) for number in range(1, of + 1)]
        parts = [list(replace(request, shard=shard).numbers) for shard in shards]
        assert sorted(number for part in parts for number in part) == sorted(request.numbers)


def test_a_shard_of_a_sweep_makes_its_calls_alone(tmp_path: Path) -> None:
    """Its failures have the addresses that they have in the whole."""
    words = ["sweep", "-a", "mine=miniatures:OffByOne", "--count", 6, "--no-gradients", "--rank", 1]
    done = command(*words, "--shard", "2/3", "-o", "found", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "mine: 2 calls" in done.stdout
    told = {int(word) for word in re.findall(r"--index (\d+)", done.stdout)}
    assert told
    assert told <= {2, 5}
    refused = command(*words, "--shard", "4/3", "-o", "found", cwd=tmp_path)
    assert refused.returncode == 2
