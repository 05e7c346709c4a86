"""The interface of adapters and the exceptions that they raise; an adapter makes exactly one
framework call.

Moving axes, flipping the kernel and spelling arguments is its work; padding, slicing, looping,
casting and clamping are not: it raises `Unsupported` instead, so that what is tested is the
framework and never an emulation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from conformance.conventions.arguments import Native
from conformance.conventions.limits import Asked, unsaid


class Unsupported(Exception):  # noqa: N818 - the design's name, raised like StopIteration
    """Raised by an adapter, or by a callable given to `check`, for what it does not do; the reason
    is a sentence.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Missing(Exception):  # noqa: N818 - it makes the outcome `Unavailable`
    """Raised when an adapter is made and a tool that its calls need is not there; the message says
    which, and how to get it.
    """


@contextmanager
def stage(name: str) -> Iterator[None]:
    """A stage of a chain, as "converting", "loading" or "running": an exception that comes up in it
    is told with it.
    """
    try:
        yield
    except Unsupported:
        raise
    except Exception as error:
        if not hasattr(error, STAGE):  # the innermost says most
            setattr(error, STAGE, name)
        raise


STAGE = "conformance_stage"
"""The attribute of an exception that says at which stage it came up."""


class Adapter(Protocol):
    """One way to ask one engine for a transposed convolution."""

    convention: str
    """Which spelling it speaks: a name of `conformance.conventions.NAMES`."""

    def versions(self) -> Mapping[str, str]:
        """Distribution name -> version, of what computes."""

    def devices(self) -> Sequence[str]:
        """The devices that it can run on, the first being the default: "cpu", "cuda", ..."""

    def call(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Any:
        """The framework's answer, (N, C_out, *out), in any memory layout.

        x is (N, C_in, *spatial), kernel (C_in, C_out / groups, *kernel), bias (C_out,) or None:
        NumPy arrays of the case's dtype. native has every spatial argument one per axis.

        An adapter may have `gradients(x, kernel, bias, native, cotangent, device)` too: one
        differentiation by the framework of that one call. It returns the gradients of sum(output *
        cotangent) with respect to x, kernel and bias (or None), each of its operand's shape.

        And `facts()`: a flat mapping of what decides its results besides versions, as {"onednn":
        True, "isa": "avx2"}.
        """


class PreparedCall:
    """An adapter whose call can be timed: everything is in place before it, and its output is
    awaited.
    """

    def prepare(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Callable[[], Any]:
        """A function that makes the framework's one call on operands already in its own layout and
        memory, and awaits it.
        """
        raise NotImplementedError

    def fetch(self, y: Any) -> Any:
        """The output of the function as a NumPy array (N, C_out, *out)."""
        raise NotImplementedError

    def threads(self) -> int | None:
        """How many threads the framework says that it computes with; None where it tells nobody."""
        return None

    def facts(self) -> Mapping[str, bool | int | float | str]:
        """The facts besides versions that decide results, as the framework itself reports them:
        `where` may ask for them.
        """
        return {}

    def compilations(self) -> Mapping[str, int] | None:
        """How many programs were found compiled so far ("hits") and how many were not ("misses");
        None where nobody counts.
        """
        return None

    def computed_by(self) -> str | None:
        """What computed the last call, as the framework itself says where it placed it: "webgpu:
        SwiftShader Device". None where the device's name says it all.

        A framework that may fall back to another device in silence is asked; where it did, or does
        not tell, `prepare` raises RuntimeError.
        """
        return None

    def release(self) -> None:
        """Give back what the framework keeps of a device's memory for later; called when a call
        will not be made again.
        """
        return

    def call(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Any:
        return self.fetch(self.prepare(x, kernel, bias, native, device)())


def refuse_unsaid(template: str, x: Any, kernel: Any, bias: Any | None, native: Native) -> None:
    """Raises Unsupported where the operator of the engine with that template cannot say a call."""
    asked = Asked(
        native=native,
        kernel=kernel.shape,
        bias=None if bias is None else bias.shape[0],
        dtypes={array.dtype.name for array in (x, kernel, bias) if array is not None},
    )
    reason = unsaid(template, asked)
    if reason is not None:
        raise Unsupported(reason)


def refuse_misfit(bias: Any | None, channels: int) -> None:
    """Where the framework's `+` adds the bias, one of another length would be broadcast or refused
    by that `+`, not by the call.

    Raises Unsupported then: there is no way to ask the framework.
    """
    if bias is not None and bias.shape != (channels,):
        raise Unsupported(
            f"The call has no bias argument, so it cannot be given {bias.shape[0]} numbers for "
            f"{channels} channels."
        )


def refuse_promotion(bias: Any | None, dtype: Any) -> None:
    """Where `+` adds the bias behind a call whose result has this dtype, one of another dtype would
    be promoted, and the output with it.

    Raises Unsupported then.
    """
    if bias is not None and bias.dtype != dtype:
        raise Unsupported(
            f"The bias in {bias.dtype.name} is added behind the call, where + promotes the output."
        )
