"""A case as a program in one framework alone."""

from __future__ import annotations

import ast
import dataclasses
import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from helpers import CHECKOUT

from conformance.adapters import REGISTRY
from conformance.conventions import Unrepresentable
from conformance.corpus.case import ArrayLiteral, Case, Made
from conformance.corpus.files import load_cases, shipped_cases
from conformance.corpus.tensors import tensors_of
from conformance.programs import array, program

PROGRAMS = [
    name
    for name, entry in REGISTRY.items()
    # those of packages of their own are in test_deployed.py
    if "output" in entry.quantities and not entry.is_apart
]
SHAPE_PROGRAMS = [name for name, entry in REGISTRY.items() if entry.quantities == ("shape",)]
CASES = """
format: 1
cases:
  - id: one
    summary: One axis.
    source: a test
    spatial: 1
    input: {shape: [2, 3, 5], values: integers}
    kernel: {shape: [3, 2, 4], values: integers}
    bias: [1, -2]
    stride: 2
  - id: two
    summary: |
      Two axes, and a summary of two lines:
      import nothing
    source: a test
    input: {shape: [1, 2, 3, 4], values: wide}
    kernel: {shape: [2, 3, 3, 2], values: integers}
    stride: [2, 1]
  - id: three
    summary: Three axes.
    source: a test
    spatial: 3
    input: {shape: [1, 2, 2, 3, 2], values: integers}
    kernel: {shape: [2, 2, 2, 3, 2], values: integers}
    stride: [1, 2, 2]
  - id: refused
    summary: Stride 0.
    source: a test
    input: [[1, 2], [3, 4]]
    kernel: [[1, 2], [3, 4]]
    stride: 0
    expected: {error: true}
  - id: refused-by-torch
    summary: A rule of torch's own.
    source: a test
    input: [[1, 2], [3, 4]]
    kernel: [[1, 2], [3, 4]]
    native: {torch: {stride: 2, output_padding: 2}}
    expected: {error: true}
  - id: grouped
    summary: Two groups.
    source: a test
    input: {shape: [1, 4, 2, 3], values: integers}
    kernel: {shape: [4, 2, 3, 2], values: integers}
    stride: 2
    groups: 2
"""


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    file = tmp_path_factory.mktemp("programs") / "some.yaml"
    file.write_text(CASES)
    return {case.name.rpartition("/")[2]: case for case in load_cases(file)}


def executed(*programs: str) -> str:
    """What the programs print, each complete in itself, run one after the other in one fresh
    process.
    """
    code = (
        "import json, sys\nfor source in json.load(sys.stdin): exec(compile(source, 'p', "
        "'exec'), {'__name__': '__main__'})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(programs),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def wanted_of(adapter: str, cases: dict[str, Case]) -> list[Case]:
    """One, two and three axes, as far as the adapter's call has them."""
    wanted = [cases[name] for name in ("one", "two", "three")]
    if adapter == "torch-unbatched":
        assert isinstance(program(wanted[0], adapter), Unrepresentable)
        wanted[0] = dataclasses.replace(
            wanted[0], input=dataclasses.replace(wanted[0].input, shape=(1, 3, 5))
        )
    if adapter == "torch-compile-frozen-batch-norm":  # docs/findings.md, 41: as many in as out
        del wanted[2]
    return wanted


def of_one_process() -> list[list[str]]:
    """The adapters whose programs import the same and set the same for a whole process."""
    groups: dict[Any, list[str]] = {}
    for name in PROGRAMS:
        entry = REGISTRY[name]
        shared = (entry.needs, tuple(entry.environment.items()), "-frozen" in name)
        groups.setdefault(shared, []).append(name)
    return list(groups.values())


@pytest.mark.parametrize("adapters", of_one_process(), ids=lambda adapters: adapters[0])
def test_the_program_of_every_adapter_and_rank_agrees_with_the_definition(
    adapters: list[str], cases: dict[str, Case]
) -> None:
    """Each runs in that framework alone and finds no difference on integers; those that a process
    can hold run in one.
    """
    wanted = [(adapter, case) for adapter in adapters for case in wanted_of(adapter, cases)]
    sources = [program(case, adapter) for adapter, case in wanted]
    assert all(isinstance(source, str) for source in sources)
    printed = executed(*map(str, sources))
    right = printed.count("largest difference 0.0 of values up to")
    assert right == len(wanted), printed


@pytest.mark.parametrize("engine", sorted({str(REGISTRY[a].variant_of) for a in SHAPE_PROGRAMS}))
def test_the_programs_of_its_shape_functions_say_both_shapes(
    engine: str, cases: dict[str, Case]
) -> None:
    """What is claimed of every rank, None for what it was not told, and what is true; an engine's
    run in one process.
    """
    adapters = [name for name in SHAPE_PROGRAMS if REGISTRY[name].variant_of == engine]
    wanted = [(name, cases[rank]) for name in adapters for rank in ("one", "two", "three")]
    lines = executed(*(str(program(case, name)) for name, case in wanted)).splitlines()
    told = [line for line in lines if line.startswith("claimed shape ")]
    for (name, case), line in zip(wanted, told, strict=True):
        claimed, expected = map(
            ast.literal_eval, line.removeprefix("claimed shape ").split(" should be ")
        )
        assert tuple(expected) == case.output_shape
        unknown = REGISTRY[name].options.get("unknown", ())
        if name == "torch-export-dynamic":
            unknown = ("batch", "space")
        hidden = {0} if "batch" in unknown else set()
        hidden |= set(range(2, len(expected))) if "space" in unknown else set()
        assert claimed == [
            None if axis in hidden else size for axis, size in enumerate(case.output_shape)
        ]


@pytest.mark.parametrize("adapter", [*PROGRAMS, *SHAPE_PROGRAMS])
def test_a_program_imports_nothing_of_the_suite(adapter: str, cases: dict[str, Case]) -> None:
    """It can be pasted into a bug report."""
    tree = ast.parse(str(program(cases["two"], adapter)))
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert "numpy" in imported
    assert not any("conformance" in name for name in imported)


def test_a_program_of_a_wrong_call_says_that_it_was_not_refused(cases: dict[str, Case]) -> None:
    """A rule of one framework's own has no definition to compare with, and its program ends in the
    framework's own error.
    """
    source = program(cases["refused-by-torch"], "torch")
    assert isinstance(source, str)
    assert "not refused" in source
    assert "expected" not in source


@pytest.fixture(scope="module")
def refused() -> list[Case]:
    """The cases of the corpus that have no window."""
    return [case for case in load_cases([shipped_cases()]) if case.geometry is None]


@pytest.mark.parametrize("adapter", [*PROGRAMS, *SHAPE_PROGRAMS])
def test_no_case_of_the_corpus_breaks_a_template(adapter: str, refused: list[Case]) -> None:
    """A refused case has no window, and some calls need one: that is a reason, not a traceback."""
    programs = [program(case, adapter) for case in refused]
    assert all(
        isinstance(source, Unrepresentable) or "not refused" in source for source in programs
    )
    assert refused


def test_a_shape_that_should_be_refused_is_told_so(cases: dict[str, Case]) -> None:
    """Also of arguments that have a window."""
    source = str(program(cases["refused"], "torch-meta"))
    assert 'print("not refused: claimed shape", claimed)' in source
    assert "should be" not in source
    assert executed(source).startswith("not refused: claimed shape [1, 1, 2, 2]")


@pytest.mark.parametrize("adapter", ["onnxruntime", "onnx-reference"])
def test_what_a_case_says_of_its_kernel_is_said_in_the_program(
    adapter: str, cases: dict[str, Case]
) -> None:
    """ONNX's kernel_shape is an attribute of the node, as the case has it."""
    native = ("onnx", {"strides": [2, 2], "kernel_shape": list(cases["two"].kernel.shape[2:])})
    case = dataclasses.replace(cases["two"], native=native)
    assert f"kernel_shape={native[1]['kernel_shape']}" in str(program(case, adapter))


def test_what_a_convention_cannot_spell_has_no_program(cases: dict[str, Case]) -> None:
    """The reason is the convention's."""
    assert isinstance(program(cases["grouped"], "keras-torch"), Unrepresentable)
    assert isinstance(program(cases["grouped"], "jax"), Unrepresentable)


def test_the_conventions_are_those_that_the_adapters_declare() -> None:
    """A row is read without importing a framework: it is held against the adapters' source."""
    for entry in (entry for entry in REGISTRY.values() if entry.module and not entry.variant_of):
        file = CHECKOUT / (entry.module.replace(".", "/") + ".py")
        classes = {
            node.name: node
            for node in ast.parse(file.read_text()).body
            if isinstance(node, ast.ClassDef)
        }
        node = classes[entry.adapter]
        declared = [
            _declared(node),
            *(
                _declared(classes[str(getattr(base, "id", None))])
                for base in node.bases
                if getattr(base, "id", None) in classes
            ),
        ]
        assert next(name for name in declared if name) == entry.convention


def _declared(node: ast.ClassDef) -> str | None:
    for part in node.body:
        if isinstance(part, ast.Assign) and getattr(part.targets[0], "id", None) == "convention":
            return str(ast.literal_eval(part.value))
    return None


@pytest.mark.parametrize(
    "values", ["integers", "signs", "wide", "normal", "ones", "arange", "one-hot"]
)
@pytest.mark.parametrize("role", ["input", "kernel"])
def test_an_array_is_the_same_in_a_program_as_in_a_run(
    values: str, role: str, cases: dict[str, Case]
) -> None:
    """Every recipe, with numbers put into it, evaluates to the case's own array."""
    put = (((0, 1, 2, 0), -0.0), ((1, 0, 0, 1), float("inf")), ((1, 1, 2, 1), float("nan")))
    made = Made(shape=(2, 2, 3, 2), values=values, seed=5, put=put)
    case = dataclasses.replace(cases["two"], **{role: made}, dtype="float64")
    tensor = tensors_of(case)[0 if role == "input" else 1]
    evaluated = eval(array(made, role), {"np": np})
    assert np.array_equal(evaluated, tensor, equal_nan=True)
    assert np.array_equal(np.signbit(evaluated), np.signbit(tensor))


def test_numbers_written_out_are_the_same_in_a_program() -> None:
    """NaN and infinities have no literal in Python, and are there all the same."""
    given = ArrayLiteral(shape=(1, 1, 2, 2), numbers=(1.5, float("nan"), float("-inf"), -0.0))
    evaluated = eval(array(given, "input"), {"np": np})
    assert np.array_equal(evaluated, np.array([[[[1.5, np.nan], [-np.inf, -0.0]]]]), equal_nan=True)
    assert np.signbit(evaluated[0, 0, 1, 1])
