"""Engines that are wrong in exactly one way, each named for its defect.

They stand on a definition of their own, product by product, so that a fault of the oracle cannot
hide behind them. Every start is written to the file that MINIATURES_LOG names, if it names one.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from conformance import Unsupported
from conformance.adapters import PreparedCall, stage

CHATTER = "miniature: here I stand and chatter\n"
LAST_WORDS = "miniature: this is the end"


def note(what: Any) -> None:
    """A line for the test that watches: what happened, in which process."""
    if log := os.environ.get("MINIATURES_LOG"):
        with Path(log).open("a") as stream:
            stream.write(f"{what} {os.getpid()}\n")


def scatter(
    x: Any, kernel: Any, bias: Any, *, stride: Any, crops: Any, dilation: Any, groups: Any
) -> Any:
    """full[n, o, i * stride + k * dilation] += x[n, c, i] * kernel[c, o, k], then the window, then
    bias; in float64.
    """
    x, kernel = x.astype(np.float64), kernel.astype(np.float64)
    per_group_in, per_group_out = x.shape[1] // groups, kernel.shape[1]
    sizes = [
        (n - 1) * s + d * (k - 1) + 1
        for n, s, d, k in zip(x.shape[2:], stride, dilation, kernel.shape[2:], strict=True)
    ]
    full = np.zeros((x.shape[0], per_group_out * groups, *sizes))
    for group in range(groups):
        inside = slice(group * per_group_in, (group + 1) * per_group_in)
        outside = slice(group * per_group_out, (group + 1) * per_group_out)
        for i in itertools.product(*map(range, x.shape[2:])):
            for k in itertools.product(*map(range, kernel.shape[2:])):
                place = tuple(
                    a * s + b * d for a, s, b, d in zip(i, stride, k, dilation, strict=True)
                )
                full[(slice(None), outside, *place)] += (
                    x[(slice(None), inside, *i)] @ kernel[(inside, slice(None), *k)]
                )
    full = np.pad(full, [(0, 0), (0, 0), *((max(0, -low), max(0, -high)) for low, high in crops)])
    window = [
        slice(max(0, low), size - max(0, high))
        for (low, high), size in zip(crops, full.shape[2:], strict=True)
    ]
    y = full[(slice(None), slice(None), *window)]
    return y if bias is None else y + bias.astype(np.float64).reshape(-1, *[1] * len(sizes))


class Right:
    """Right: in torch's convention, refusing what torch refuses."""

    convention = "torch"

    def __init__(self) -> None:
        note("start")

    def versions(self) -> Any:
        return {"miniature": "1.0"}

    def devices(self) -> Any:
        return ["cpu"]

    def crops(self, native: Any) -> Any:
        return [
            (p, p - q) for p, q in zip(native["padding"], native["output_padding"], strict=True)
        ]

    def refuse_nonsense(self, x: Any, kernel: Any, bias: Any, native: Any) -> None:
        """Raise ValueError for a call that has no output."""
        numbers = [
            *native["stride"],
            *native["dilation"],
            native["groups"],
            *x.shape,
            *kernel.shape,
        ]
        if min(numbers) < 1:
            raise ValueError(f"one of {numbers} is below 1")
        if x.shape[1] != kernel.shape[0] or x.shape[1] % native["groups"]:
            raise ValueError(
                f"{x.shape[1]} channels do not fit the kernel's {kernel.shape[0]} in "
                f"{native['groups']} groups"
            )
        if bias is not None and bias.shape != (kernel.shape[1] * native["groups"],):
            raise ValueError(f"a bias of shape {bias.shape}")
        limits = map(max, native["stride"], native["dilation"])
        if any(q and q >= limit for q, limit in zip(native["output_padding"], limits, strict=True)):
            raise ValueError("output_padding reaches stride and dilation")
        axes = zip(
            x.shape[2:],
            kernel.shape[2:],
            native["stride"],
            native["dilation"],
            self.crops(native),
            strict=True,
        )
        if any((n - 1) * s + d * (k - 1) + 1 - sum(crop) < 1 for n, k, s, d, crop in axes):
            raise ValueError("the output would be empty")

    def right(self, x: Any, kernel: Any, bias: Any, native: Any, shift: Any = 0) -> Any:
        self.refuse_nonsense(x, kernel, bias, native)
        crops = [(low + shift, high - shift) for low, high in self.crops(native)]
        y = scatter(
            x,
            kernel,
            bias,
            stride=native["stride"],
            crops=crops,
            dilation=native["dilation"],
            groups=native["groups"],
        )
        return y.astype(x.dtype)

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Any:
        return self.right(x, kernel, bias, native)


class RightInJaxConvention(Right):
    """Right, asked in another convention: pairs that pad the dilated input."""

    convention = "jax"

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Any:
        extents = [
            d * (k - 1) + 1 for d, k in zip(native["rhs_dilation"], kernel.shape[2:], strict=True)
        ]
        crops = [
            (e - 1 - low, e - 1 - high)
            for e, (low, high) in zip(extents, native["padding"], strict=True)
        ]
        if any(
            (n - 1) * s + e - sum(c) < 1
            for n, s, e, c in zip(x.shape[2:], native["strides"], extents, crops, strict=True)
        ):
            raise ValueError("the output would be empty")
        return scatter(
            x,
            kernel,
            bias,
            stride=native["strides"],
            crops=crops,
            dilation=native["rhs_dilation"],
            groups=native["feature_group_count"],
        ).astype(x.dtype)


class Placed(PreparedCall, Right):
    """Says where it placed the call: on a GPU API whose driver computes on the processor."""

    def devices(self) -> Any:
        return ["webgpu"]

    def facts(self) -> Any:
        return {"gpu": "SwiftShader Device", "software_driver": True}

    def prepare(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Any:
        return lambda: Right.call(self, x, kernel, bias, native, device)

    def fetch(self, y: Any) -> Any:
        return y

    def computed_by(self) -> str:
        return "webgpu: SwiftShader Device"


class FailsAtAStage(Right):
    """A chain that gets as far as the stage that STAGE names."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Any:
        with stage(os.environ["STAGE"]):
            raise ValueError("it cannot be had")


class OffByOne(Right):
    """Takes the window one position later."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Any:
        return self.right(x, kernel, bias, native, shift=1)


class RarelyWrong(Right):
    """One too large everywhere, for three samples and a kernel of 5."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Any:
        rare = (len(x), kernel.shape[-1]) == (3, 5)
        return super().call(x, kernel, bias, native, device) + x.dtype.type(rare)


class BiasDropped(Right):
    """Forgets the bias."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Any:
        return self.right(x, kernel, None, native)


class OtherDtype(Right):
    """Answers in float64, whatever it was given."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Any:
        return self.right(x, kernel, bias, native).astype(np.float64)


class OtherShape(Right):
    """Loses the last element of the last axis."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Any:
        return self.right(x, kernel, bias, native)[..., :-1]


class MakesNaN(Right):
    """Makes the last element NaN."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Any:
        y = self.right(x, kernel, bias, native)
        y[(-1,) * y.ndim] = np.nan
        return y


class Aborts(Right):
    """Says why, with a stack trace below it, and aborts the process."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> None:
        frames = "".join(f"    @ 0x{number:04x} frame\n" for number in range(30))
        os.write(2, f"miniature: Check failed: the moon is full\n{frames}{LAST_WORDS}\n".encode())
        os.abort()


class AbortsWithBias(Right):
    """Aborts the process where there is a bias, and is right without one."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Any:
        if bias is not None:
            os.abort()
        return self.right(x, kernel, bias, native)


class Segfaults(Right):
    """Reads where nothing is."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Any:
        return ctypes.string_at(0)


class DifferentiatesToZero(Right):
    """Right, with gradients that are zero everywhere."""

    def gradients(
        self, x: Any, kernel: Any, bias: Any, native: Any, cotangent: Any, device: Any
    ) -> Any:
        return x * 0, kernel * 0, None if bias is None else bias * 0


class Stops(Right):
    """Right, with a breakpoint in its call, before which it prints in bold letters."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Any:
        print("\x1b[1mhere\x1b[0m", threading.current_thread() is threading.main_thread())
        breakpoint()
        x[...] += 0
        return self.right(x, kernel, bias, native)


class DividesByZero(Right):
    """Dies by SIGFPE, as native code that divides a whole number by 0 does."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> None:
        signal.raise_signal(signal.SIGFPE)


class RaisesDeep(Right):
    """Raises below seven functions of its own."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> None:
        self.descend(7)

    def descend(self, depth: int) -> None:
        if not depth:
            raise ValueError("the bottom")
        self.descend(depth - 1)


class ExitsAtOnce(Right):
    """Ends the process without a word, with exit code 3."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> None:
        os._exit(3)


class ExitsPolitely(Right):
    """Calls sys.exit, as command line programs do."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> None:
        sys.exit(3)


class Hangs(Right):
    """Never answers."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> None:
        while True:
            time.sleep(3600)


class HangsOnce(Right):
    """Does not answer the first call that any process of it gets: MINIATURES_LOG remembers. As on a
    machine that was busy.
    """

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Any:
        log = Path(os.environ["MINIATURES_LOG"])
        if "hung" not in log.read_text():
            note("hung")
            time.sleep(3600)
        return self.right(x, kernel, bias, native)


class Computes(Right):
    """Never answers, and is never idle."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> None:
        while True:
            pass


class PrintsFromPython(Right):
    """Right, and prints to stdout."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Any:
        print(CHATTER, end="", flush=True)
        return self.right(x, kernel, bias, native)


class PrintsFromC(Right):
    """Right, and writes to file descriptor 1 as C code does."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Any:
        os.write(1, CHATTER.encode())
        return self.right(x, kernel, bias, native)


class ReadsStdin(Right):
    """Right, if both of its stdins are at their end; raises what it read if not."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Any:
        found = os.read(0, 100) + sys.stdin.read(100).encode()
        if found:
            raise RuntimeError(f"read {found!r} from stdin")
        return self.right(x, kernel, bias, native)


class Raises(Right):
    """Raises an exception, whatever it is asked."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> None:
        raise RuntimeError("could not create a primitive")


class RaisesNotImplementedError(Right):
    """Raises Python's own not-implemented type."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> None:
        raise NotImplementedError("no kernel for this")


class RaisesUnsupported(Right):
    """Says that it does not do this."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> None:
        raise Unsupported("The miniature does nothing at all.")


class RefusesNothing(Right):
    """Answers nonsense with zeros."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Any:
        try:
            return self.right(x, kernel, bias, native)
        except ValueError:
            return np.zeros((1, 1, 2, 2), x.dtype)


class RunsOutOfMemory(Right):
    """Raises MemoryError."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> None:
        raise MemoryError("cannot allocate 8 EiB")


class ReturnsList(Right):
    """Answers with nested lists."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Any:
        return self.right(x, kernel, bias, native).tolist()


class ReturnsObject(Right):
    """Answers with something that is no array."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Any:
        return object()


class ReturnsFortranOrderAndNegativeZeros(Right):
    """Right: the memory layout is free, and -0.0 is 0.0."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Any:
        y = self.right(x, kernel, bias, native)
        return np.asfortranarray(np.where(y == 0, -y.dtype.type(0), y))


class Slow(Right):
    """Right, after a while."""

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Any:
        time.sleep(0.2)
        return self.right(x, kernel, bias, native)


class UnknownConvention(Right):
    """Speaks a convention that nobody knows."""

    convention = "caffe"


class ClaimsADevice(Right):
    """Claims a device beside the CPU, and raises because it finds itself elsewhere when asked to
    run there.
    """

    def devices(self) -> Any:
        return ["cpu", "npu"]

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Any:
        if device != "cpu":
            raise RuntimeError(f"asked for {device}, and this runs on cpu")
        return self.right(x, kernel, bias, native)


class NewerVersion(Right):
    """Right, in version 2.0."""

    def versions(self) -> Any:
        return {"miniature": "2.0"}


class WithoutConvention:
    """Says nowhere whose arguments it takes."""

    def versions(self) -> Any:
        return {}

    def devices(self) -> Any:
        return ["cpu"]

    def call(self, x: Any, kernel: Any, bias: Any, native: Any, device: Any) -> Any:
        return x


class OfTwoOperands(Right):
    """Takes none of the other arguments."""

    def call(self, x: Any, kernel: Any) -> Any:  # type: ignore[override]
        return x
