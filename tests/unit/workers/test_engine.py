"""One adapter as the suite meets it: every way to fail is an outcome, and the process is there
again for the next call.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import CUT_OUTPUT, ONNX, TESTS, TORCH, foreign, gone, miniature, small, started

from conformance.corpus.tensors import Tensors
from conformance.outcomes import Crashed, Output, Raised, TimedOut, Unavailable, Unsupported
from conformance.workers.answers import Greeting
from conformance.workers.engine import Engine, close_all
from conformance.workers.spec import Spec

pytestmark = pytest.mark.slow


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Any]:
    """Makes engines, and sees to it that none is left."""
    made = []

    def make(spec: Any, timeout: Any = 20.0) -> Any:
        made.append(
            Engine(spec, timeout=timeout, environment={"MINIATURES_LOG": str(tmp_path / "log")})
        )
        return made[-1]

    yield make
    close_all(made, 0.0)
    assert all(gone(pid) for pid in started(tmp_path / "log"))


def native_of(spec: Any) -> Any:
    return ONNX if spec.adapter == "cmd:" else TORCH


def asked(engine: Any, spec: Any, timeout: Any = 20.0) -> Any:
    """The engine, started, and what it makes of the case `cut`."""
    one = engine(spec, timeout)
    assert isinstance(one.start(), Greeting)
    return one, one.call(small(), native_of(spec), "cpu")


def test_a_greeting_is_kept_as_said(engine: Any) -> None:
    """Convention, versions and devices as the engine gives them."""
    one = engine(miniature("ClaimsADevice"))
    assert one.start() == Greeting(
        convention="torch", versions={"miniature": "1.0"}, devices=("cpu", "npu")
    )


@pytest.mark.parametrize("spec", [miniature("Right"), foreign("right")], ids=["python", "foreign"])
def test_a_right_answer_is_an_output_and_the_process_stays(engine: Any, spec: Any) -> None:
    """The second call goes to the same process."""
    one, outcome = asked(engine, spec)
    assert isinstance(outcome, Output)
    assert (outcome.y == CUT_OUTPUT).all()
    assert one.running
    assert isinstance(one.call(small(), native_of(spec), "cpu"), Output)


@pytest.mark.parametrize(
    ("spec", "outcome", "survives"),
    [
        (
            miniature("Raises"),
            Raised(type="RuntimeError", message="could not create a primitive"),
            True,
        ),
        (miniature("ExitsPolitely"), Raised(type="SystemExit", message="3"), True),
        (
            miniature("RunsOutOfMemory"),
            Raised(type="MemoryError", message="cannot allocate 8 EiB"),
            False,
        ),
        (
            miniature("RaisesUnsupported"),
            Unsupported(reason="The miniature does nothing at all."),
            True,
        ),
        (
            miniature("RaisesNotImplementedError"),
            Unsupported(
                reason="NotImplementedError: no kernel for this", raised="NotImplementedError"
            ),
            True,
        ),
        (
            miniature("ExitsAtOnce"),
            Crashed(message="ended with exit code 3 before it answered"),
            False,
        ),
        (foreign("wrong-id"), Crashed(message="answered request 2, should answer 1"), False),
        (
            foreign("no-tensor"),
            Crashed(
                message=(
                    "answered outcome 'output', should be output (with a tensor y), "
                    "unsupported or raised"
                )
            ),
            False,
        ),
        (
            foreign("unknown-outcome"),
            Crashed(
                message=(
                    "answered outcome 'perhaps', should be output (with a tensor y), "
                    "unsupported or raised"
                )
            ),
            False,
        ),
    ],
    ids=lambda value: getattr(value, "label", None),
)
def test_an_outcome_is_exactly_what_the_engine_did(
    engine: Any, spec: Any, outcome: Any, survives: Any
) -> None:
    """Whatever it does has its type; the process is given up where it should not be trusted."""
    one, found = asked(engine, spec)
    frames = getattr(found, "traceback", "")
    assert found == outcome
    assert ("miniatures.py" in frames) is (isinstance(found, Raised) and not found.stage)
    assert one.running is survives


@pytest.mark.parametrize("behaviour", ["garbage", "unknown-dtype", "dies-half-way"])
def test_breaking_the_protocol_is_crashed(engine: Any, behaviour: Any) -> None:
    """No JSON, an unknown dtype, half an answer: all of it is no answer."""
    one, found = asked(engine, foreign(behaviour))
    assert isinstance(found, Crashed)
    assert not one.running


@pytest.mark.parametrize(
    "spec", [miniature("Hangs"), foreign("grandchild")], ids=["python", "foreign"]
)
def test_a_hanging_call_times_out(engine: Any, spec: Any) -> None:
    """The limit of the call is in the outcome, and the process is gone."""
    one, found = asked(engine, spec, timeout=0.4)
    assert isinstance(found, TimedOut)
    assert found.seconds == 0.4
    assert not one.running


def test_not_reading_times_out(engine: Any) -> None:
    """Writing a large tensor to an engine that never reads it is under the limit of the call."""
    one = engine(foreign("never-reads"), timeout=0.4)
    one.start()
    large = np.zeros((1, 1, 1024, 1024), np.float32)
    assert isinstance(one.call(Tensors(x=large, kernel=large, bias=None), ONNX, "cpu"), TimedOut)


def test_after_a_crash_it_can_be_started_again(engine: Any, tmp_path: Path) -> None:
    """A crash costs one call: a new process answers the next."""
    one = engine(miniature("AbortsWithBias"))
    one.start()
    assert isinstance(one.call(small(), TORCH, "cpu"), Crashed)
    assert not one.running
    assert isinstance(one.start(), Greeting)
    assert isinstance(one.call(small(bias=False), TORCH, "cpu"), Output)
    assert len(set(started(tmp_path / "log"))) == 2


@pytest.mark.parametrize(
    ("spec", "kind", "said"),
    [
        (miniature("miniatures_dying:Right", label="dying"), Crashed, "died by signal 6 (SIGABRT)"),
        (miniature("miniatures_raising:Right", label="raising"), Raised, "libminiature.so.7"),
        (
            miniature("UnknownConvention"),
            Crashed,
            "speaks convention 'caffe', should be one of torch, keras",
        ),
        (
            miniature("no_such_module:Right", label="nowhere"),
            Unavailable,
            "there is no module no_such_module",
        ),
        (foreign("hello-unavailable"), Unavailable, "the accelerator is asleep"),
        (foreign("hello-raised"), Raised, "unresolved symbol"),
        (foreign("hello-other-protocol"), Crashed, "speaks protocol 2, should speak 1"),
        (foreign("hello-without-devices"), Crashed, "devices (a list of at least one)"),
    ],
    ids=lambda value: getattr(value, "label", None),
)
def test_a_start_that_fails_says_why(engine: Any, spec: Any, kind: Any, said: Any) -> None:
    """A greeting that is none has the type of what happened, counts as a failed start, and leaves
    no process.
    """
    one = engine(spec)
    outcome = one.start()
    assert isinstance(outcome, kind)
    assert said in str(outcome)
    assert (one.failed_starts, one.running) == (1, False)


def test_raising_while_starting_is_told_apart_from_refusing(engine: Any) -> None:
    """What an import raises must never count as a refusal of nonsense."""
    assert engine(miniature("miniatures_raising:Right")).start().stage == "while starting"


def test_a_program_that_cannot_be_started_is_unavailable(engine: Any) -> None:
    """An interpreter that is not there is no traceback."""
    spec = Spec.of("miniatures:Right", label="nowhere", python="/no/such/python")
    outcome = engine(spec).start()
    assert outcome == Unavailable(
        reason="/no/such/python cannot be started: No such file or directory"
    )


def test_the_environment_of_the_table_reaches_the_child(engine: Any) -> None:
    """Keras fixes its backend at import: the variable must be there before."""
    assert (
        Spec.of("keras-jax", label="k", python=sys.executable).environment["KERAS_BACKEND"] == "jax"
    )
    spec = replace(miniature("Right"), environment={"PYTHONPATH": ""})
    assert isinstance(engine(spec).start(), Unavailable)
    spec = replace(spec, environment={"PYTHONPATH": str(TESTS)})
    assert isinstance(engine(spec).start(), Greeting)


def test_a_framework_that_prints_answers_all_the_same(engine: Any) -> None:
    """Neither Python's nor C's prints get into the protocol."""
    for name in ("PrintsFromPython", "PrintsFromC"):
        _, outcome = asked(engine, miniature(name))
        assert isinstance(outcome, Output)


def test_close_all_lets_go_and_leaves_nothing(engine: Any, tmp_path: Path) -> None:
    """Engines that are idle end by themselves, one that hangs is ended."""
    specs = [miniature("Right"), foreign("right"), foreign("never-reads")]
    engines = [engine(spec) for spec in specs]
    for one in engines:
        one.start()
    groups = [one._process._process.number for one in engines]
    close_all(engines, 0.5)
    assert not any(one.running for one in engines)
    assert all(gone(group) for group in groups)


def test_an_engine_that_is_retired_while_it_starts_leaves_no_process() -> None:
    """Whoever ends all engines finds nothing to end yet: the thread that starts it does."""
    killed = []

    class Process:
        def kill(self, grace: float = 0.0) -> None:
            killed.append(grace)

    class Late(Engine):
        def _open(self) -> Any:
            self.retire()
            return Process()

    engine = Late(miniature("Right"), timeout=1.0)
    assert isinstance(engine.start(), Crashed)
    assert killed == [0.0]
    assert engine._process is None
