"""The line of a case in a record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.corpus.case import ArrayLiteral, Case, Made
from conformance.corpus.traits import traits_of, traits_of_line
from conformance.corpus.truths import Truths
from conformance.record.case_line import case_from, case_line


def test_a_cotangent_that_is_written_out_is_in_the_record(
    a_case: Callable[..., Case], given: Callable[[Any], ArrayLiteral]
) -> None:
    """Its numbers stand there; one that is made has its recipe beside them."""
    written = [[[[1.0, 0.0], [0.5, -2.0]]]]
    sources = {"input": given([[[[3.0]]]]), "kernel": given([[[[1.0, 2.0], [3.0, 4.0]]]])}
    window = a_case(input=Made(shape=(1, 1, 1, 1), values="ones", seed=1)).geometry
    line = case_line(a_case(**sources, geometry=window, gradients=given(written)), Truths())
    assert line["gradients"] == {"shape": [1, 1, 2, 2], "values": written}
    made = Made(shape=(1, 1, 2, 2), values="ones", seed=4)
    line = case_line(a_case(**sources, geometry=window, gradients=made), Truths())
    assert line["gradients"]["make"]["values"] == "ones"
    assert line["gradients"]["values"] == [[[[1.0, 1.0], [1.0, 1.0]]]]


def test_dtypes_of_operands_come_back_from_the_record(a_case: Callable[..., Case]) -> None:
    """An operand's line has its dtype where that is not the output's; the case of the line has it
    again, and the traits of both are the same.
    """
    case = a_case(other_dtypes={"kernel": "float16"}, dtype="float64")
    line = case_line(case, Truths())
    assert line["dtype"] == "float64"
    assert "dtype" not in line["input"]
    assert line["kernel"]["dtype"] == "float16"
    again = case_from(line)
    assert again is not None
    assert (again.dtype, again.other_dtypes) == ("float64", {"kernel": "float16"})
    assert traits_of(case) == traits_of_line(line)
    assert "operands of two dtypes" in traits_of(case)
    assert "operands of two dtypes" not in traits_of(a_case())


def test_a_line_with_an_unknown_dtype_of_an_operand_is_no_case(
    a_case: Callable[..., Case],
) -> None:
    line = case_line(a_case(other_dtypes={"kernel": "float16"}), Truths())
    line["kernel"]["dtype"] = "float8"
    assert case_from(line) is None
