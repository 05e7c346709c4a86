"""PyTorch: `torch.nn.ConvTranspose1d/2d/3d`, whose own layouts are the suite's."""

from __future__ import annotations

import getpass
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from conformance.adapters import Missing, PreparedCall, Unsupported, wants_strict
from conformance.system.processor import isa, onednn_facts

CAPABILITIES = {"default": "sse41", "avx2": "avx2", "avx512": "avx512"}
"""torch's capability of an x86 processor, and the instruction set of its own kernels."""

_LAYERS = {1: torch.nn.ConvTranspose1d, 2: torch.nn.ConvTranspose2d, 3: torch.nn.ConvTranspose3d}


def take_precision() -> None:
    """No TF32 where the suite wants float32: cuDNN's convolutions have it by default.

    By the older switches: torch.compile and torch.export of torch 2.13 read them, and raise once
    `fp32_precision` was set (pytorch/pytorch#179445).
    """
    if wants_strict():
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False


def release() -> None:
    """Give the device's memory back that torch keeps for later, if it has used a device at all."""
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def facts() -> dict[str, bool | str]:
    """Whether oneDNN computes; for which instruction set it, or torch's own kernels, do; which of
    its own torch takes; and the device.

    ONEDNN_MAX_CPU_ISA holds oneDNN alone, so that without it the instruction set is that of torch's
    capability.
    """
    mkldnn = torch.backends.mkldnn
    gpu = {"gpu": torch.cuda.get_device_name()} if torch.cuda.is_available() else {}
    capability = torch.backends.cpu.get_cpu_capability().lower()
    onednn = bool(mkldnn.is_available() and mkldnn.enabled)
    kernels = (
        onednn_facts()
        if onednn
        else {"isa": isa(limit=CAPABILITIES.get(capability)), "processor": isa()}
    )
    return {"onednn": onednn, **kernels, "capability": capability, **gpu}


def _find_compiler() -> None:
    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler) is None and shutil.which("clang++") is None:
        raise Missing(f"torch.compile needs a C++ compiler: there is no {compiler} and no clang++")


def _keep_apart() -> None:
    """A folder for each instruction set: what torch keeps of a graph does not say for which its
    code was made.

    A kernel built for another one leaves elements unwritten, or does not compile
    (docs/findings.md).
    """
    usual = Path(tempfile.gettempdir()) / f"torchinductor_{getpass.getuser()}"
    folder = (
        os.environ.get("CONFORMANCE_CACHE") or os.environ.get("TORCHINDUCTOR_CACHE_DIR") or usual
    )
    capability = torch.backends.cpu.get_cpu_capability().lower()
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(
        Path(folder) / f"torch-{torch.__version__}-{capability}"
    )


take_precision()


class Torch(PreparedCall):
    """One layer, given its weights, called once.

    `input_memory`, `kernel_memory` and `cotangent_memory` are "contiguous", "channels_last" (the
    channels' stride is 1) or "strided" (every second element of a larger tensor along the last
    axis). Not `batched`, the input is (C_in, *spatial). `compiled` is torch.compile; without
    `onednn`, torch's own kernels compute.
    """

    convention = "torch"

    def __init__(
        self,
        *,
        input_memory: str = "contiguous",
        kernel_memory: str = "contiguous",
        cotangent_memory: str = "contiguous",
        batched: bool = True,
        compiled: bool = False,
        onednn: bool = True,
    ) -> None:
        torch.backends.mkldnn.set_flags(onednn)
        self._input_memory, self._kernel_memory, self._cotangent_memory = (
            input_memory,
            kernel_memory,
            cotangent_memory,
        )
        self._batched, self._compiled = batched, compiled
        if compiled:
            _find_compiler()
            _keep_apart()

    def versions(self) -> dict[str, str]:
        return {"torch": torch.__version__}

    def devices(self) -> list[str]:
        return (
            ["cpu"]
            + (["cuda"] if torch.cuda.is_available() else [])
            + (["mps"] if torch.backends.mps.is_available() else [])
        )

    def threads(self) -> int:
        return torch.get_num_threads()

    def facts(self) -> dict[str, bool | str]:
        return facts()

    def release(self) -> None:
        release()

    def prepare(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> Callable[[], Any]:
        layer, inputs = self.layer(x, kernel, bias, native, device), self._input_tensor(x, device)
        call = self.call_of(layer, native)

        def run() -> torch.Tensor:
            with torch.inference_mode():
                y = call(inputs)
            if device == "cuda":
                torch.cuda.synchronize()
            return y

        return run

    def fetch(self, y: torch.Tensor) -> Any:
        return from_torch(y if self._batched else y[np.newaxis])

    def gradients(
        self,
        x: Any,
        kernel: Any,
        bias: Any | None,
        native: dict[str, Any],
        cotangent: Any,
        device: str,
    ) -> tuple[Any, Any, Any | None]:
        layer, inputs = self.layer(x, kernel, bias, native, device), self._input_tensor(x, device)
        operands = [inputs, layer.weight] + ([] if bias is None else [layer.bias])
        for operand in operands:
            operand.requires_grad_(True)
        above = laid_out(to_torch(cotangent, device), self._cotangent_memory)
        y = self.call_of(layer, native)(inputs)
        gradients = torch.autograd.grad(y, operands, above if self._batched else above[0])
        dx, dkernel, *dbias = (from_torch(gradient.detach()) for gradient in gradients)
        return dx if self._batched else dx[np.newaxis], dkernel, dbias[0] if dbias else None

    def _input_tensor(self, x: Any, device: str) -> torch.Tensor:
        inputs = laid_out(to_torch(x, device), self._input_memory)
        if self._batched:
            return inputs
        if x.shape[0] != 1:
            raise Unsupported(
                f"An unbatched input is (C_in, *spatial), and this case has {x.shape[0]} of them."
            )
        return inputs[0]

    def call_of(
        self, layer: torch.nn.Module, native: dict[str, Any]
    ) -> Callable[[torch.Tensor], torch.Tensor]:
        """The layer as a function of its input alone."""
        size = {"output_size": native["output_size"]} if "output_size" in native else {}
        if not self._compiled:
            return lambda inputs: layer(inputs, **size)
        torch.compiler.reset()  # else the ninth shape is computed without compiling
        compiled = torch.compile(layer, fullgraph=True, dynamic=False)
        return lambda inputs: compiled(inputs, **size)

    def layer(
        self, x: Any, kernel: Any, bias: Any | None, native: dict[str, Any], device: str
    ) -> torch.nn.Module:
        """The layer with its weights in place."""
        arguments = {key: value for key, value in native.items() if key != "output_size"}
        layer = _LAYERS[x.ndim - 2](
            kernel.shape[0],
            kernel.shape[1] * native["groups"],
            kernel.shape[2:],
            **arguments,
            bias=bias is not None,
        )
        layer.weight = torch.nn.Parameter(
            laid_out(to_torch(kernel, device), self._kernel_memory), requires_grad=False
        )
        if bias is not None:
            layer.bias = torch.nn.Parameter(to_torch(bias, device), requires_grad=False)
        return layer


def laid_out(tensor: torch.Tensor, memory: str) -> torch.Tensor:
    """The same tensor with other strides."""
    if memory == "channels_last":
        return tensor.movedim(1, -1).contiguous().movedim(-1, 1)
    if memory == "strided":
        return torch.stack([tensor, torch.full_like(tensor, float("nan"))], dim=-1).flatten(-2)[
            ..., ::2
        ]
    return tensor


def to_torch(array: Any, device: str) -> torch.Tensor:
    """A tensor of the array's dtype; bfloat16, which torch does not read from NumPy, goes by its
    bits.
    """
    array = np.ascontiguousarray(array)
    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16).to(device)
    return torch.from_numpy(array).to(device)


def from_torch(tensor: torch.Tensor) -> Any:
    tensor = tensor.cpu()
    if tensor.dtype == torch.bfloat16:
        import ml_dtypes

        return tensor.contiguous().view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return tensor.numpy()
