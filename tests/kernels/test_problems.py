"""KernelBench's problems as files: a right candidate computes what the model does, a wrong one does
not, and which problems see nothing is written down.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from problems import LEFT_OUT, Problem, candidate, faults, problems, reference, tiny

torch: Any = pytest.importorskip("torch")

ALL = problems()
NOTICED = {
    "shifted-window": 46,
    "kernel-not-flipped": 45,
    "bias-dropped": 22,
    "padding-ignored": 32,
    "groups-ignored": 2,
    "last-channel-left-out": 46,
    "half-precision": 46,
    "left-zero-tail": 35,
    LEFT_OUT: 27,
}
"""At least so many problems notice the fault at tiny shapes."""


def loaded(text: str) -> SimpleNamespace:
    names: dict[str, Any] = {}
    exec(compile(text, "problem", "exec"), names)
    return SimpleNamespace(**names)


def computed(problem: Problem, fault: str | None = None) -> tuple[Any, Any]:
    """The model's result and the candidate's, in float64, of a problem of tiny shapes."""
    given, new = loaded(reference(problem)), loaded(candidate(problem, fault))
    torch.manual_seed(7)
    model = given.Model(*given.get_init_inputs()).double()
    inputs = [values.double() for values in given.get_inputs()]
    other = new.ModelNew(*given.get_init_inputs()).double()
    other.load_state_dict(model.state_dict())
    with torch.no_grad():
        return model(*inputs), other(*inputs)


@pytest.mark.parametrize("problem", ALL, ids=lambda problem: problem.slug)
def test_the_right_candidate_computes_what_the_model_does(problem: Problem) -> None:
    right, result = computed(tiny(problem))
    assert right.shape == result.shape
    torch.testing.assert_close(result, right, atol=1e-10, rtol=0)


@pytest.mark.parametrize("fault", NOTICED)
def test_every_fault_is_noticed_by_problems(fault: str) -> None:
    """By as many as say so above: all that can have it but those whose tail hides it."""
    noticing = []
    for problem in ALL:
        if fault not in faults(problem) or problem.level == 3:
            continue
        right, result = computed(tiny(problem), fault)
        assert right.shape == result.shape
        if (result - right).abs().max() > 1e-6:
            noticing.append(problem.slug)
    assert len(noticing) >= NOTICED[fault]


def test_a_candidate_starts_from_the_numbers_of_the_model() -> None:
    """A check that seeds both and copies no state, as KernelBench's, compares like with like."""
    problem = tiny(next(problem for problem in ALL if problem.slug == "level2-50"))
    given, new = loaded(reference(problem)), loaded(candidate(problem))
    torch.manual_seed(3)
    state = given.Model(*given.get_init_inputs()).state_dict()
    torch.manual_seed(3)
    other = new.ModelNew(*given.get_init_inputs()).state_dict()
    assert list(other) == list(state)
    assert all(torch.equal(other[name], values) for name, values in state.items())


def test_a_fault_that_a_problem_cannot_have_is_refused() -> None:
    with pytest.raises(ValueError, match="level1-57 cannot have the fault 'bias-dropped'"):
        candidate(ALL[0], "bias-dropped")


def test_the_problems_are_those_of_the_benchmark() -> None:
    """Seventeen, thirty and one; what is judged keeps channels and axes of what is published."""
    assert [sum(problem.level == level for problem in ALL) for level in (1, 2, 3)] == [17, 30, 1]
    for problem in ALL:
        assert problem.level > 1 or problem.judged == problem.inputs
        for judged, published in zip(problem.judged, problem.inputs, strict=True):
            assert judged[1] == published[1]
            assert all(a <= b for a, b in zip(judged, published, strict=True))


def test_what_is_unseen_is_a_fault_of_the_problem_and_has_a_reason() -> None:
    for problem in ALL:
        assert set(problem.unseen) <= set(faults(problem))
        assert all(problem.unseen.values())
