"""What a reader of models is asked: which sample is which input's."""

from __future__ import annotations

import pytest

from conformance.models.results import AskedInput, ReadingError, Request, open_sizes


def request(*names: str | None) -> Request:
    """A request with a sample of another shape for each name."""
    inputs = tuple(AskedInput(name=name, shape=(1, size)) for size, name in enumerate(names))
    return Request(
        path="m", reader="r", inputs=inputs, weights=None, activations=False, unsafe=False
    )


def test_a_sample_is_its_inputs_by_name_or_else_by_position() -> None:
    """A name counts wherever it stands."""
    by_name = request("b", "a").inputs_of(["a", "b"])
    assert {name: asked.shape for name, asked in by_name.items()} == {"b": (1, 0), "a": (1, 1)}
    by_position = request(None, None).inputs_of(["a", "b"])
    assert {name: asked.shape for name, asked in by_position.items()} == {"a": (1, 0), "b": (1, 1)}


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (("c",), "has no input c, should be one of a, b"),
        ((None, None, None), "has no input number 3, should be one of a, b"),
        ((None, "a"), "is given its input a twice, should be given it once"),
    ],
)
def test_a_sample_that_belongs_nowhere_is_a_sentence(
    names: tuple[str | None, ...], sentence: str
) -> None:
    """None is left out in silence."""
    with pytest.raises(ReadingError, match=sentence):
        request(*names).inputs_of(["a", "b"])


def test_an_input_of_open_sizes_says_what_is_known() -> None:
    """A question mark for each size that is not."""
    assert "input x open (1,?,8)" in str(open_sizes("x", [1, None, 8]))
    assert "input x open (?)" in str(open_sizes("x", None))
