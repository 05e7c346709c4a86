"""The line of a case in a record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.corpus.case import Case, Given, Made
from conformance.corpus.truths import Truths
from conformance.record.case_line import case_line


def test_a_cotangent_that_is_written_out_is_in_the_record(
    a_case: Callable[..., Case], given: Callable[[Any], Given]
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
