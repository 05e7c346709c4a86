"""The case of a call."""

from __future__ import annotations

from pathlib import Path

from conformance import conventions
from conformance.corpus.case import Case, Location, Made
from native.calls import Call
from native.wording import identity, summary


def case_of(framework: str, call: Call, number: int, stem: str) -> Case:
    """The case. The number varies what the arguments leave open: two channels or three, a batch of
    two now and then, a bias.
    """
    rank = len(call.size)
    normal = conventions.normal_form(framework, call.arguments, rank)
    convention = conventions.get(framework)
    geometry = (
        None if call.error else convention.geometry(normal, size=call.size, kernel=call.kernel)
    )
    c_in = 2 * call.groups if call.groups > 1 else 2 + number % 2
    bias = Made(shape=(2 * call.groups,), values="integers", seed=3) if number % 3 == 2 else None
    return Case(
        name=f"{stem}/{identity(framework, call)}",
        summary=summary(framework, call, geometry),
        source=call.source,
        spatial=rank,
        input=Made(
            shape=(2 if number % 5 == 4 else 1, c_in, *call.size), values="integers", seed=1
        ),
        kernel=Made(shape=(c_in, 2, *call.kernel), values="integers", seed=2),
        bias=bias,
        dtype="float32",
        geometry=geometry,
        native=(framework, normal),
        must_fail=bool(call.error),
        expected=None,
        tags=(),
        location=Location(file=Path(stem), lines={"": 1}),
    )
