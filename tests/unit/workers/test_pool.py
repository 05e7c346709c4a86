"""Many engines at once: the order, the restarts, and what is left when it is over."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from helpers import CUT_OUTPUT, TORCH, eventually, foreign, gone, miniature, small, started

from conformance.outcomes import Crashed, Output, Raised, TimedOut, Unavailable
from conformance.workers.answers import Greeting
from conformance.workers.pool import Pool
from conformance.workers.request import CallRequest

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Task:
    label: str
    number: int
    bias: bool = True


@pytest.fixture
def log(tmp_path: Path) -> Any:
    return tmp_path / "log"


@pytest.fixture
def pool(log: Any) -> Iterator[Any]:
    """Makes pools, closes them, and sees to it that no process is left."""
    made = []

    def make(*specs: Any, jobs: Any = 1, timeout: Any = 20.0) -> Any:
        made.append(
            Pool(specs, jobs=jobs, timeout=timeout, environment={"MINIATURES_LOG": str(log)})
        )
        return made[-1]

    yield make
    for one in made:
        one.close()
    assert all(gone(pid) for pid in started(log))


def run(pool: Any, tasks: Any) -> Any:
    """(label, number, outcome) in the order in which they came."""
    found = []
    by_label = {}
    for task in tasks:
        by_label.setdefault(task.label, []).append(task)
    pool.run(
        by_label,
        lambda task: CallRequest(tensors=small(task.bias), native=TORCH, device="cpu"),
        lambda task, outcome: (task.label, task.number, outcome),
        found.append,
    )
    return found


def test_every_adapter_is_greeted_before_the_first_case(pool: Any, log: Any) -> None:
    """The answers are in the order of the adapters, those of no use among them."""
    one = pool(
        miniature("Right"), miniature("no_such_module:X", label="nowhere"), foreign("right"), jobs=2
    )
    answers = one.greet()
    assert list(answers) == ["Right", "nowhere", "right"]
    assert [type(answer) for answer in answers.values()] == [Greeting, Unavailable, Greeting]


def test_the_process_that_was_greeted_runs_the_cases(pool: Any, log: Any) -> None:
    """Starting a framework costs seconds: it is done once."""
    one = pool(miniature("Right"))
    one.greet()
    run(one, [Task("Right", number) for number in range(3)])
    assert len(started(log)) == 1


def test_with_one_job_everything_is_in_order(pool: Any) -> None:
    """Adapter after adapter, each case by case."""
    one = pool(miniature("Slow"), miniature("Right"))
    one.greet()
    tasks = [Task(label, number) for number in range(3) for label in ("Slow", "Right")]
    came = [(label, number) for label, number, _ in run(one, tasks)]
    assert came == [(label, number) for label in ("Slow", "Right") for number in range(3)]


def test_with_several_jobs_adapters_work_at_once(pool: Any) -> None:
    """Two adapters that sleep do so at the same time, and nothing is lost or done twice."""
    one = pool(miniature("Slow", label="a"), miniature("Slow", label="b"), jobs=2)
    one.greet()
    came = run(one, [Task(label, number) for label in "ab" for number in range(4)])
    labels = [label for label, _, _ in came]
    assert {*labels[:4]} == {"a", "b"}  # not one after the other
    assert sorted((label, number) for label, number, _ in came) == [
        (label, number) for label in "ab" for number in range(4)
    ]
    assert all(isinstance(outcome, Output) for _, _, outcome in came)


def test_a_second_process_is_started_when_the_rest_is_worth_it(pool: Any, log: Any) -> None:
    """One adapter with much work gets several processes, with little it gets one."""
    one = pool(miniature("Slow"), jobs=2)
    one.greet()
    run(one, [Task("Slow", number) for number in range(3)])
    assert len(started(log)) == 1
    run(one, [Task("Slow", number) for number in range(30)])
    assert len(started(log)) == 2


def test_adapters_keep_step_at_what_is_to_be_done_together(pool: Any) -> None:
    """No adapter goes on before all have begun with the first task that they share; each adapter's
    groups stay in order.
    """
    one = pool(
        miniature("Right", label="a"),
        miniature("Right", label="b"),
        miniature("Right", label="c"),
        jobs=2,
    )
    one.greet()
    begun = []
    one.run(
        {label: [Task(label, number) for number in range(6)] for label in "abc"},
        lambda task: begun.append(task) or CallRequest(tensors=small(), native=TORCH, device="cpu"),
        lambda task, outcome: task,
        lambda task: None,
        together=lambda task: task.number in (2, 4),
    )
    assert {(task.label, task.number) for task in begun[:3]} == {("a", 2), ("b", 2), ("c", 2)}
    for label in "abc":
        assert [task.number for task in begun if task.label == label] == [2, 4, 0, 1, 3, 5]


def test_what_comes_first_says_nothing_of_the_rest(pool: Any, log: Any) -> None:
    """Large calls take long; small ones that come behind them are not worth a second process."""
    one = pool(miniature("Right"), jobs=2)
    one.greet()
    one.run(
        {"Right": [Task("Right", number) for number in range(8)]},
        lambda task: (
            (task.number == 0 and time.sleep(1.0))
            or CallRequest(tensors=small(), native=TORCH, device="cpu")
        ),
        lambda task, outcome: time.sleep(0.05),
        lambda task: None,
        together=lambda task: task.number == 0,
    )
    assert len(set(started(log))) == 1


def test_who_is_known_to_be_started_often_has_more_to_do(pool: Any) -> None:
    """Of adapters with as many calls, the one whose calls end its process is not left for the
    end.
    """
    one = pool(*(miniature("Right", label=label) for label in "abcd"), jobs=2)
    one.greet()
    begun = []
    one.run(
        {label: [Task(label, number) for number in range(3)] for label in "abcd"},
        lambda task: (
            begun.append(task.label) or CallRequest(tensors=small(), native=TORCH, device="cpu")
        ),
        lambda task, outcome: task,
        lambda task: None,
        ends=lambda task: task.label == "d",
    )
    assert "d" in begun[:2]
    assert sorted(begun) == sorted("abcd" * 3)


def test_what_is_timed_has_a_process_of_its_own_that_waits_as_the_framework_does(
    pool: Any, log: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Engines that share the machine are told to sleep while they wait; that would slow down what
    is timed.
    """
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    (tmp_path / "waiting.py").write_text(
        "import os\nfrom miniatures import Right\n\n\nclass Waiting(Right):\n"
        "    def call(self, *arguments):\n        open(os.environ['MINIATURES_LOG'] + '.policy', "
        "'a').write("
        "os.environ.get('OMP_WAIT_POLICY', 'its own') + chr(10))\n        return "
        "super().call(*arguments)\n"
    )
    spec = miniature("waiting:Waiting", label="w")
    spec.environment["PYTHONPATH"] += f":{tmp_path}"
    one = pool(spec)
    one.greet()
    run(one, [Task("w", 0)])
    assert isinstance(
        one.time("w", CallRequest(tensors=small(), native=TORCH, device="cpu"), 0.01), list
    )
    policies = log.with_name(log.name + ".policy").read_text().split("\n")[:-1]
    assert policies[0] == "passive"
    assert set(policies[1:]) == {"its own"}
    assert len(set(started(log))) == 2


def test_a_crash_costs_its_own_case(pool: Any, log: Any) -> None:
    """The others of the same adapter get their answers from a new process; the one that died after
    another's answer was asked in a new one too, before it is charged.
    """
    one = pool(miniature("AbortsWithBias"))
    one.greet()
    came = run(one, [Task("AbortsWithBias", number, bias=number == 1) for number in range(4)])
    assert [type(outcome) for _, _, outcome in came] == [Output, Crashed, Output, Output]
    assert (came[3][2].y == CUT_OUTPUT - 1).all()
    assert len(started(log)) == 3


def test_a_time_out_costs_its_own_case(pool: Any, log: Any) -> None:
    """Every case of an engine that hangs is a time-out of its own."""
    one = pool(miniature("Hangs"), miniature("Right"), jobs=2, timeout=0.4)
    one.greet()
    came = run(one, [Task(label, number) for label in ("Hangs", "Right") for number in range(2)])
    by_label = {
        label: [type(o) for name, _, o in came if name == label] for label in ("Hangs", "Right")
    }
    assert by_label == {"Hangs": [TimedOut] * 2, "Right": [Output] * 2}


def test_a_process_that_dies_while_it_is_looked_at_stops_no_run(pool: Any) -> None:
    """It answers for the call that is put to it, and that is put again to a fresh one."""

    class Dying:
        looks = 0

        @property
        def running(self) -> bool:
            self.looks += 1
            return self.looks == 1

    assert pool()._restart(None, Dying()) is None


@pytest.mark.parametrize(
    ("module", "kind"), [("miniatures_dying", Crashed), ("miniatures_raising", Raised)]
)
def test_after_two_failed_starts_there_is_no_third(
    pool: Any, log: Any, module: Any, kind: Any
) -> None:
    """The remaining cases get the verdict of the start, without another one."""
    one = pool(miniature(f"{module}:Right", label="broken"))
    answers = one.greet()
    assert isinstance(answers["broken"], kind)
    came = run(one, [Task("broken", number) for number in range(5)])
    assert [outcome for _, _, outcome in came] == [answers["broken"]] * 5
    assert len(started(log)) == 2


def test_what_is_not_there_is_asked_once(pool: Any, tmp_path: Path) -> None:
    """A missing module does not come by asking again."""
    one = pool(foreign("hello-unavailable"))
    began = time.monotonic()
    assert isinstance(one.greet()["hello-unavailable"], Unavailable)
    assert time.monotonic() - began < 20
    assert [engine.failed_starts for engine in one._engines] == [1]


def test_a_start_that_fails_later_on_ends_it_too(pool: Any, log: Any, tmp_path: Path) -> None:
    """An engine that crashes and then cannot be started twice leaves the verdict of the start to
    the rest.
    """
    (tmp_path / "fragile.py").write_text(
        "import os\nfrom pathlib import Path\nfrom miniatures import Aborts, note\nnote('start')\n"
        "gone = Path(__file__).with_suffix('.gone')\n"
        "if gone.exists():\n    raise ImportError('used up')\n"
        "gone.touch()\n"
    )
    spec = miniature("fragile:Aborts")
    spec.environment["PYTHONPATH"] += f":{tmp_path}"
    one = pool(spec)
    one.greet()
    came = [
        outcome
        for _, _, outcome in run(one, [Task("fragile:Aborts", number) for number in range(4)])
    ]
    assert isinstance(came[0], Crashed)
    assert came[1:] == [Raised(type="ImportError", message="used up", stage="while starting")] * 3
    assert started(log)[0] == started(log)[1]  # the module and its class: one process
    assert len(started(log)) == 4


def test_every_result_is_handed_on_whatever_it_is(pool: Any) -> None:
    """None is a result too, and no sign of the end."""
    one = pool(miniature("Right"), jobs=2)
    one.greet()
    found = []
    one.run(
        {"Right": [Task("Right", number) for number in range(5)]},
        lambda task: CallRequest(tensors=small(), native=TORCH, device="cpu"),
        lambda task, outcome: None,
        found.append,
    )
    assert found == [None] * 5


def test_results_come_in_the_thread_of_the_caller(pool: Any) -> None:
    """The record has one writer."""
    one = pool(miniature("Right"), jobs=2)
    one.greet()
    threads = set()
    one.run(
        {"Right": [Task("Right", 0)]},
        lambda task: CallRequest(tensors=small(), native=TORCH, device="cpu"),
        lambda task, outcome: outcome,
        lambda result: threads.add(threading.get_ident()),
    )
    assert threads == {threading.get_ident()}


def test_what_need_not_be_asked_does_not_reach_the_engine(pool: Any, log: Any) -> None:
    """An outcome instead of arguments is handed on as it is."""
    one = pool(miniature("Aborts"))
    one.greet()
    found = []
    outcome = Unavailable(reason="no such device")
    one.run(
        {"Aborts": [Task("Aborts", 0)]},
        lambda task: outcome,
        lambda task, outcome: outcome,
        found.append,
    )
    assert found == [outcome]
    assert len(started(log)) == 1


@pytest.mark.parametrize("where", ["call", "judge", "handle"])
def test_a_fault_of_ours_is_not_lost_in_a_thread(pool: Any, where: Any) -> None:
    """What our own code raises comes out of `run`."""

    def fail(*_: Any) -> None:
        raise ZeroDivisionError(where)

    steps = {
        "call": lambda task: CallRequest(tensors=small(), native=TORCH, device="cpu"),
        "judge": lambda task, outcome: outcome,
        "handle": lambda result: None,
    }
    one = pool(miniature("Right"), jobs=2)
    one.greet()
    with pytest.raises(ZeroDivisionError, match=where):
        one.run({"Right": [Task("Right", 0)]}, **{**steps, where: fail})


def test_closing_while_it_works_leaves_nothing(pool: Any, log: Any) -> None:
    """Ctrl-C in the middle of a call: every group is gone at once, the hanging one too."""
    one = pool(miniature("Hangs"), miniature("Right"), jobs=2)
    one.greet()
    thread = threading.Thread(
        target=run, args=(one, [Task(label, n) for label in ("Hangs", "Right") for n in range(3)])
    )
    thread.start()
    assert eventually(lambda: one._schedule.lanes["Hangs"].busy == 1)
    began = time.monotonic()
    one.close()
    thread.join(10)
    assert not thread.is_alive()
    assert time.monotonic() - began < 5
    assert len(started(log)) == 2
    assert all(gone(pid) for pid in started(log))
