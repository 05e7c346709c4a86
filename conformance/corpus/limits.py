"""The most that a file of cases, or of known failures, may hold: every limit of their readers.

A file may come from a stranger: each limit is held before what it limits is built, and is said in
the sentence that refuses. docs/case-format.md has them in a table.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

MOST_BYTES = 2**24
"""Of one file."""
MOST_VALUES = 2**20
"""Of one file: scalars, lists and mappings, an alias counted as what it stands for."""
DEEPEST = 50
"""Lists and mappings inside of one another."""
MOST_LISTED = 100
"""Problems of one file that are told."""
LONGEST_TEXT = 4096
"""Characters of a summary, a source, a reason and their likes."""
LONGEST_NAME = 200
"""Characters of an id, a tag, and other words that a table shows."""
MOST_ELEMENTS = 2**28
"""Of one array: two GiB in float64."""
MOST_EMPTY = 2**16
"""Elements that an array without any would have if its empty axes were of 1: as nested lists it is
as many lists."""
MOST_PRODUCTS = 2**40
"""Of one call: the oracle takes the better part of an hour for them."""
LARGEST_ARGUMENT = 2**64
"""The magnitude of a whole number among the arguments: frameworks are asked for more than their
64 bits."""


def shape_problem(shape: Sequence[int]) -> str | None:
    """Why no array of this shape is made, as the end of a sentence; None where one is."""
    elements = math.prod(shape)
    if elements > MOST_ELEMENTS:
        return f"has {elements} elements, should have at most {MOST_ELEMENTS}"
    if not elements and math.prod(max(n, 1) for n in shape) > MOST_EMPTY:
        return (
            f"has no elements, and axes that come to {math.prod(max(n, 1) for n in shape)}, should "
            f"come to at most {MOST_EMPTY} without the empty ones"
        )
    return None
