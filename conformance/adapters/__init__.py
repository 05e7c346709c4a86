"""The registry of adapters and their variants: a literal table, and what every adapter provides.

An adapter makes exactly one framework call. Moving axes, flipping the kernel and spelling arguments is its work;
padding, slicing, looping, casting and clamping are not: it raises `Unsupported` instead, so that what is tested is the
framework and never an emulation.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

__all__ = [
    "NOT_ALONE",
    "OTHER_LAYOUT",
    "PRECISIONS",
    "REGISTRY",
    "Adapter",
    "Entry",
    "Missing",
    "PreparedCall",
    "Unsupported",
    "precision_environment",
    "refuse_misfit",
    "thread_environment",
    "wants_strict",
]


class Unsupported(Exception):  # noqa: N818 - the design's name, raised like StopIteration
    """Raised by an adapter, or by a callable given to `check`, for what it does not do; the reason is a sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Missing(Exception):  # noqa: N818 - it makes the outcome `Unavailable`
    """Raised when an adapter is made and a tool that its calls need is not there; the message says which, and how to get it."""


class Adapter(Protocol):
    """One way to ask one engine for a transposed convolution."""

    convention: str
    """Which spelling it speaks: a name of `conformance.conventions.NAMES`."""

    def versions(self) -> Mapping[str, str]:
        """Distribution name -> version, of what computes."""

    def devices(self) -> Sequence[str]:
        """What it can run on, the first being the default: "cpu", "cuda", ..."""

    def call(self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str) -> Any:
        """The framework's answer, (N, C_out, *out), in any memory layout.

        x is (N, C_in, *spatial), kernel (C_in, C_out / groups, *kernel), bias (C_out,) or None: NumPy arrays of the case's
        dtype. native has every spatial argument one per axis.

        An adapter may have `gradients(x, kernel, bias, native, cotangent, device)` too: one differentiation by the framework of
        that one call. It returns the gradients of sum(output * cotangent) with respect to x, kernel and bias (or None), each of
        its operand's shape.

        And `facts()`: a flat mapping of what decides its results besides versions, as {"onednn": True, "isa": "avx2"}.
        """


def refuse_misfit(bias: Any | None, channels: int) -> None:
    """Where the framework's `+` adds the bias, one of another length would be broadcast or refused by that `+`, not by the call.

    Raises Unsupported then: there is no way to ask the framework.
    """
    if bias is not None and bias.shape != (channels,):
        raise Unsupported(
            f"The call has no bias argument, so it cannot be given {bias.shape[0]} numbers for {channels} channels."
        )


class PreparedCall:
    """An adapter whose call can be timed: everything is in place before it, and its output is awaited."""

    def prepare(self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str) -> Callable[[], Any]:
        """A function that makes the framework's one call on operands already in its own layout and memory, and awaits it."""
        raise NotImplementedError

    def fetch(self, y: Any) -> Any:
        """What the function returned as a NumPy array (N, C_out, *out)."""
        raise NotImplementedError

    def threads(self) -> int | None:
        """How many threads the framework says that it computes with; None where it tells nobody."""
        return None

    def facts(self) -> Mapping[str, bool | int | float | str]:
        """What decides results besides versions, asked of the framework itself where it tells: `where` may ask for it."""
        return {}

    def compilations(self) -> Mapping[str, int] | None:
        """How many programs were found compiled so far ("hits") and how many were not ("misses"); None where nobody counts."""
        return None

    def release(self) -> None:
        """Give back what the framework keeps of a device's memory for later; called when a call will not be made again."""
        return

    def call(self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str) -> Any:
        return self.fetch(self.prepare(x, kernel, bias, native, device)())


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Where an adapter lives and what it needs: an import package, an extra of ours that brings it, an environment.

    A variant asks the same engine in another way (`options` of its class, another environment) and says whose variant it is; with
    a `tag` it runs only the cases that bear it.
    """

    module: str
    adapter: str
    needs: tuple[str, ...]
    extra: str
    environment: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    variant_of: str | None = None
    tag: str | None = None


_TF = {
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "GLOG_minloglevel": "2",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "TF_ENABLE_ONEDNN_OPTS": "1",
}
"""Quiet; a device's memory taken as it is needed: other engines want some too; and oneDNN said, which TensorFlow takes by itself
only where the processor has AVX-512 VNNI or BF16, or AMX: an engine is to be the same on every machine."""
_JAX = {"JAX_ENABLE_X64": "1", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
"""Without the first JAX turns float64 into float32; float32 stays float32."""


def _keras(backend: str, *needs: str) -> Entry:
    return Entry(
        module="conformance.adapters.keras",
        adapter="Keras",
        needs=("keras", *needs),
        extra=f"keras,{needs[0]}",
        environment={"KERAS_BACKEND": backend, **_TF, **_JAX},
    )


def _variant(
    of: Entry, name: str, *, tag: str | None = None, environment: Mapping[str, str] | None = None, **options: Any
) -> Entry:
    return replace(of, variant_of=name, tag=tag, options=options, environment={**of.environment, **(environment or {})})


_TORCH = Entry(module="conformance.adapters.torch", adapter="Torch", needs=("torch",), extra="torch")
_TENSORFLOW = Entry(
    module="conformance.adapters.tensorflow",
    adapter="TensorFlow",
    needs=("tensorflow",),
    extra="tensorflow",
    environment=_TF,
)
_JAX_GENERAL = Entry(module="conformance.adapters.jax", adapter="JaxGeneral", needs=("jax",), extra="jax", environment=_JAX)
_ONNXRUNTIME = Entry(
    module="conformance.adapters.onnxruntime", adapter="OnnxRuntime", needs=("onnxruntime", "onnx"), extra="onnx"
)


def thread_environment(threads: int) -> dict[str, str]:
    """How a child is told its number of threads: every framework's own variable, and ours for an adapter that needs to be told.

    OpenMP's reaches torch and oneDNN, NPROC is the size of XLA's thread pool on the CPU, OpenBLAS's that of NumPy's products.
    """
    names = ("CONFORMANCE_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "NPROC")
    return dict.fromkeys(names, str(threads))


PRECISIONS = ("strict", "default")
"""Whether float32 is to be float32 in every product, or what a framework does unless it is told (on some devices, TF32)."""


def precision_environment(precision: str) -> dict[str, str]:
    """How a child is told its precision, one of PRECISIONS."""
    return {"CONFORMANCE_PRECISION": precision}


def wants_strict() -> bool:
    """Whether this child was told to compute float32 in float32; else an adapter leaves its framework's settings alone."""
    return os.environ.get("CONFORMANCE_PRECISION", "default") == "strict"


NOT_ALONE = {"OMP_WAIT_POLICY": "passive"}
"""For processes that share the machine: an OpenMP thread that has nothing to do sleeps, and leaves its core to another engine."""


_ONE_THREAD = thread_environment(1)

COMPILED = "compiled"
"""The tag of the cases that suffice where every shape costs a second of compiling."""

REGISTRY: Mapping[str, Entry] = {
    "torch": _TORCH,
    "keras-tensorflow": _keras("tensorflow", "tensorflow"),
    "keras-jax": _keras("jax", "jax"),
    "keras-torch": _keras("torch", "torch"),
    "tensorflow": _TENSORFLOW,
    "jax": Entry(module="conformance.adapters.jax", adapter="Jax", needs=("jax",), extra="jax", environment=_JAX),
    "jax-general": _JAX_GENERAL,
    "flax": Entry(module="conformance.adapters.flax", adapter="Flax", needs=("flax", "jax"), extra="flax", environment=_JAX),
    "onnxruntime": _ONNXRUNTIME,
    "onnx-reference": Entry(module="conformance.adapters.onnx_reference", adapter="OnnxReference", needs=("onnx",), extra="onnx"),
    "torch-compile": _variant(_TORCH, "torch", tag=COMPILED, compiled=True),
    "torch-channels-last": _variant(_TORCH, "torch", input_memory="channels_last", kernel_memory="channels_last"),
    "torch-channels-last-input": _variant(_TORCH, "torch", input_memory="channels_last"),
    "torch-channels-last-kernel": _variant(_TORCH, "torch", kernel_memory="channels_last"),
    "torch-strided": _variant(_TORCH, "torch", input_memory="strided", kernel_memory="strided", cotangent_memory="strided"),
    "torch-without-onednn": _variant(_TORCH, "torch", onednn=False),
    "torch-one-thread": _variant(_TORCH, "torch", environment=_ONE_THREAD),
    "torch-conv-dx": replace(_TORCH, module="conformance.adapters.torch_conv_dx", adapter="TorchConvDx", variant_of="torch"),
    "torch-unbatched": _variant(_TORCH, "torch", batched=False),
    "torch-onnx": Entry(
        module="conformance.adapters.torch_onnx",
        adapter="TorchOnnx",
        needs=("torch", "onnxscript", "onnxruntime", "onnx"),
        extra="torch,onnx,export",
        variant_of="torch",
        tag=COMPILED,
    ),
    "keras-torch-channels-first": replace(
        _keras("torch", "torch"), variant_of="keras-torch", options={"data_format": "channels_first"}
    ),
    "keras-jax-channels-first": replace(_keras("jax", "jax"), variant_of="keras-jax", options={"data_format": "channels_first"}),
    "tensorflow-conv-dx": replace(
        _TENSORFLOW, module="conformance.adapters.tensorflow_conv_dx", adapter="TensorFlowConvDx", variant_of="tensorflow"
    ),
    "tensorflow-without-onednn": _variant(_TENSORFLOW, "tensorflow", environment={"TF_ENABLE_ONEDNN_OPTS": "0"}),
    "tensorflow-xla": _variant(_TENSORFLOW, "tensorflow", compiled=True),
    "jax-conv-dx": replace(
        _JAX_GENERAL, module="conformance.adapters.jax_conv_dx", adapter="JaxConvDx", variant_of="jax-general"
    ),
    "jax-jit": _variant(_JAX_GENERAL, "jax-general", compiled=True),
    "onnxruntime-unoptimized": _variant(_ONNXRUNTIME, "onnxruntime", optimized=False),
    "onnxruntime-initializer": _variant(_ONNXRUNTIME, "onnxruntime", initializers=True),
    "onnxruntime-newest-opset": _variant(_ONNXRUNTIME, "onnxruntime", opset=22),
}

OTHER_LAYOUT: Mapping[str, str] = {
    "torch": "torch-channels-last",
    "keras-torch": "keras-torch-channels-first",
    "keras-jax": "keras-jax-channels-first",
}
"""By adapter: the variant that differs in the memory layout alone."""
