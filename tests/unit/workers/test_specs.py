"""What `-a` and `--python` mean."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from conformance.adapters import REGISTRY
from conformance.errors import UsageError
from conformance.workers.process import python_command
from conformance.workers.specs import read_specs


def parsed(*adapters: Any, python: Any = ()) -> Any:
    found, asked = read_specs(list(adapters), list(python))
    return found, asked


def test_nothing_asked_is_the_whole_table_and_nobody_by_name() -> None:
    """All of the registry that are no variants, in its order; what is missing of it does not fail a
    run.
    """
    found, asked = parsed()
    adapters = [name for name, entry in REGISTRY.items() if entry.variant_of is None]
    assert [spec.label for spec in found] == [spec.adapter for spec in found] == adapters
    assert not any(spec.by_name for spec in found)
    assert asked == {name: name for name in adapters}


def test_variants_come_with_the_adapters_that_take_part() -> None:
    """Without adapters all of them, else those of the adapters named, and none of them by name."""
    everything, _ = read_specs([], [], variants=True)
    assert {spec.label for spec in everything} == set(REGISTRY)
    found, _ = read_specs(["jax-general"], [], variants=True)
    assert [(spec.label, spec.by_name, spec.is_variant) for spec in found] == [
        ("jax-general", True, False),
        ("jax-conv-dx", False, True),
        ("jax-jit", False, True),
        ("jax-general-eval-shape", False, True),
        ("jax-general-eval-shape-dynamic", False, True),
    ]


@pytest.mark.parametrize(
    ("text", "label", "adapter"),
    [
        ("torch", "torch", "torch"),
        ("old=torch", "old", "torch"),
        ("old-1.2=keras-jax", "old-1.2", "keras-jax"),
        ("pkg.module:Class", "pkg.module:Class", "pkg.module:Class"),
        ("mine=pkg.module:Class", "mine", "pkg.module:Class"),
        ("cmd:python3 --mode=fast", "cmd:python3 --mode=fast", "cmd:python3 --mode=fast"),
        ("mine=cmd:python3 --mode=fast", "mine", "cmd:python3 --mode=fast"),
        ("mine=cmd:python3 a:b=c", "mine", "cmd:python3 a:b=c"),
    ],
)
def test_a_label_is_what_precedes_an_equals_sign_before_any_colon_or_blank(
    text: Any, label: Any, adapter: Any
) -> None:
    """Without one, the text given is the label; the text as typed is kept for the command that
    shows it again.
    """
    [spec], asked = parsed(text)
    assert (spec.label, spec.adapter, spec.by_name) == (label, adapter, True)
    assert asked == {label: text}


def test_one_adapter_can_run_twice_under_two_labels() -> None:
    """A new and an old version of a framework in one run."""
    found, _ = parsed("old=torch", "torch", python=[f"old={shutil.which('env')}"])
    assert [spec.label for spec in found] == ["old", "torch"]
    assert found[0].command == tuple(python_command(shutil.which("env"), "torch"))
    assert found[1].command == tuple(python_command(sys.executable, "torch"))


@pytest.mark.parametrize(
    "texts", [("torch", "torch"), ("a=torch", "a=jax"), ("torch", "torch=jax")]
)
def test_equal_labels_are_an_error(texts: Any) -> None:
    """Two adapters of one name could not be told apart in the record."""
    with pytest.raises(UsageError, match="given twice, should have labels that differ"):
        parsed(*texts)


@pytest.mark.parametrize(
    "text",
    [
        "pytorch",
        "a=b=torch",
        "Torch",
        "module:",
        ":Class",
        "module:Class()",
        "",
        "=torch",
        "a =torch",
        "module:Class:more",
    ],
)
def test_an_unknown_adapter_is_an_error_that_lists_the_known(text: Any) -> None:
    """What is none of the three forms is refused, with what would be right."""
    with pytest.raises(
        UsageError, match=r"unknown adapter .*, .*should be one of torch, keras-tensorflow"
    ):
        parsed(text)


def test_a_program_that_is_not_executable_is_said_to_be(tmp_path: Path) -> None:
    """It is there: what is missing is a bit of its mode, or its interpreter's name."""
    file = tmp_path / "engine.c"
    file.write_text("")
    with pytest.raises(UsageError, match=r"engine.c' is not executable, should be made so"):
        parsed(f"cmd:{file}")


def test_a_program_is_split_as_a_shell_would_but_never_given_to_one() -> None:
    """Quotes group words; dollar signs, globs and semicolons are letters."""
    [spec], _ = parsed("cmd:python3 'two words' $HOME *.py ; true")
    assert list(spec.command) == ["python3", "two words", "$HOME", "*.py", ";", "true"]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("cmd:no-such-program --fast", "there is no program 'no-such-program'"),
        ("cmd:./no-such-file", "there is no program './no-such-file'"),
        ("cmd:", "there is no program ''"),
        ("cmd:python3 'open", "No closing quotation"),
    ],
)
def test_a_program_that_is_not_there_is_an_error(text: Any, wrong: Any) -> None:
    """It is found out before anything runs."""
    with pytest.raises(UsageError) as caught:
        parsed(text)
    assert wrong in str(caught.value)


def test_the_interpreter_of_an_adapter_is_given_by_its_label() -> None:
    """An equals sign in a label's adapter does not confuse the path."""
    true = shutil.which("true")
    found, _ = parsed("torch", "x=pkg.mod:Class", python=[f"x={true}", f"torch={sys.executable}"])
    assert [spec.command[0] for spec in found] == [sys.executable, true]


@pytest.mark.parametrize(
    ("python", "wrong"),
    [
        ("jax=/bin/true", "should be ADAPTER=PATH with an adapter of this run: torch"),
        ("/usr/bin/python3", "should be ADAPTER=PATH"),
        (
            "torch=/no/such/python",
            "'/no/such/python' is not a program, should be the path of a Python interpreter",
        ),
        ("torch=", "is not a program"),
    ],
)
def test_an_interpreter_that_is_wrong_is_an_error(python: Any, wrong: Any) -> None:
    """For an adapter that does not run, or a path that is not a program."""
    with pytest.raises(UsageError) as caught:
        parsed("torch", python=[python])
    assert wrong in str(caught.value)


def test_the_environment_of_the_table_is_taken() -> None:
    """The three Kerases differ by their environment alone."""
    found, _ = parsed("keras-tensorflow", "keras-jax", "keras-torch")
    assert [spec.environment["KERAS_BACKEND"] for spec in found] == ["tensorflow", "jax", "torch"]
