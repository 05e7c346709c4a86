"""The outcomes of a call to an engine: the types that stand between a worker and a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """It returned an array (N, C_out, *out), whatever is in it.

    `seconds` is what the call alone took, `compiled` how many programs it found compiled and how
    many not, and `computed_by` where it placed the call, if it told.
    """

    y: NDArray[Any]
    seconds: float | None = None
    compiled: Mapping[str, int] | None = None
    computed_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gradients:
    """It returned the gradients with respect to input, kernel and bias, each of its operand's
    shape, whatever is in them.
    """

    input: NDArray[Any]
    kernel: NDArray[Any]
    bias: NDArray[Any] | None
    compiled: Mapping[str, int] | None = None
    computed_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """It said that the output has these sizes, None where it does not say; None for all of them
    where it says nothing. `hidden` is what it was not told of the input: "batch", "space".
    """

    sizes: tuple[int | None, ...] | None
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsupported:
    """It, or its convention, does not claim to do this. `raised` names the framework's own
    not-implemented type.
    """

    reason: str
    raised: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """An exception of this type came up: in the call itself, or at another stage, as "while
    starting". `traceback` has the last frames of the engine's own code, if it told.
    """

    type: str
    message: str
    stage: str = ""
    traceback: str = field(default="", compare=False)

    @property
    def in_the_call(self) -> bool:
        """Whether the call itself raised it; a chain's conversion is part of its call."""
        return self.stage in ("", "while converting", "while loading", "while running")

    @property
    def out_of_memory(self) -> bool:
        return self.type.endswith(("MemoryError", "OutOfMemoryError", "ResourceExhaustedError"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Crashed:
    """Its process died, or answered what is no answer; `traceback` has the frames in which it died,
    if it told.
    """

    message: str
    traceback: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedOut:
    """It gave no answer within the time limit, in seconds; `computed` are those of the processor,
    where that is known.
    """

    seconds: float
    message: str = ""
    computed: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """It is not installed, or has no such device."""

    reason: str


def message_of(error: BaseException) -> str:
    """The text of an exception, or its type where telling it fails."""
    try:
        return str(error) or repr(error)
    except Exception:
        return f"{type(error).__name__} (its text cannot be told)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """The outcomes of the same call several times, in order; they end with the first that was no
    array.
    """

    outcomes: tuple[
        Output | Gradients | Unsupported | Raised | Crashed | TimedOut | Unavailable, ...
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """The outcome of a call that was asked in a fresh process, since the one before had answered
    other calls and ended: `first` says how.
    """

    outcome: Outcome
    first: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Perturbed:
    """The outcome of the same call in one circumstance that should not matter.

    The aspect is "batch", and then `sample` was computed alone; "threads", with another number of
    them; or "layout" of memory.
    """

    aspect: str
    outcome: Outcome
    sample: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Varied:
    """The outcome of a call, and those of the same call in other circumstances."""

    outcome: Outcome
    perturbed: tuple[Perturbed, ...]


Outcome = (
    Output
    | Gradients
    | Shape
    | Unsupported
    | Raised
    | Crashed
    | TimedOut
    | Unavailable
    | Repeated
    | Again
    | Varied
)
