"""Calls of candidates that take and return torch's tensors."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from conformance.kernels.arrays import Described
from conformance.kernels.bench.loading import parameters
from conformance.kernels.bench.operators import operators_of
from conformance.kernels.bench.placing import set_weights
from conformance.kernels.bench.tensors import share, tensor_of, tupled

POISONED = 3
"""Blocks of the output's size that are filled with NaN and given back before a call: memory that
is taken and not written to must not hold what was right before.
"""


class TorchCaller:
    """What all forms have in common. The result of the last call is kept."""

    def __init__(self, candidate: Any, device: str) -> None:
        self._candidate, self._device = candidate, torch.device(device)
        self._result: Any = None
        self._gradients: list[torch.Tensor | None] = []
        self._inputs: list[tuple[torch.Tensor, torch.Tensor]] = []
        self._arguments: dict[str, Any] = {}
        self._due: list[int] = []

    def facts(self) -> dict[str, Any]:
        return {"torch": torch.__version__, "cuda": torch.cuda.is_available()}

    def make(self, **_: Any) -> dict[str, Any]:
        return {}

    def run(self, inputs: Sequence[torch.Tensor], arguments: dict[str, Any]) -> Any:
        """One call. Of every form its own."""
        raise NotImplementedError

    def call(
        self,
        inputs: list[Described],
        arguments: dict[str, Any],
        due: list[int],
        cotangent: Described | None,
    ) -> dict[str, Any]:
        self._arguments = {name: tupled(value) for name, value in arguments.items()}
        self._inputs = [(shared, shared.to(self._device)) for shared in map(tensor_of, inputs)]
        on_device = [tensor for _, tensor in self._inputs]
        self._due = due
        if cotangent is None:
            return self._called(on_device)
        self._differentiate(on_device, tensor_of(cotangent).to(self._device))
        return self._oddities()

    def recall(self) -> dict[str, Any]:
        """The last call again: the same tensors, in which there may be other numbers."""
        for shared, on_device in self._inputs:
            if on_device is not shared:
                on_device.copy_(shared)
        before = self._result  # kept, so that nobody gets its memory while somebody may look at it
        oddities = self._called([tensor for _, tensor in self._inputs])
        return {**oddities, "reused": _memory(before) == _memory(self._result)}

    def _called(self, inputs: Sequence[torch.Tensor]) -> dict[str, Any]:
        self._result, self._gradients = None, []
        self._poison(self._due, inputs)
        with torch.no_grad():
            self._result = self.run(inputs, self._arguments)
        oddities = self._oddities()
        self._show_inputs()
        return oddities

    def _poison(self, due: list[int], inputs: Sequence[torch.Tensor]) -> None:
        dtype = inputs[0].dtype if inputs[0].is_floating_point() else torch.float32
        blocks = [
            torch.full(due, float("nan"), dtype=dtype, device=self._device)
            for _ in range(POISONED if 0 < _size(due) < 1 << 24 else 0)
        ]
        del blocks

    def _differentiate(self, inputs: Sequence[torch.Tensor], cotangent: torch.Tensor) -> None:
        leaves = [each.requires_grad_() for each in self.leaves(inputs)]
        result = self.run(inputs, self._arguments)
        if not isinstance(result, torch.Tensor) or not result.requires_grad:
            raise NotImplementedError("its result has no gradient")
        gradients = torch.autograd.grad(result, leaves, cotangent, allow_unused=True)
        self._result, self._gradients = result.detach(), list(gradients)

    def leaves(self, inputs: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """What gradients are asked for: the operands."""
        return list(inputs)

    def _oddities(self) -> dict[str, Any]:
        """What is strange about the object that was returned."""
        result = self._result
        if isinstance(result, tuple | list) and len(result) == 1:
            self._result = result = result[0]
        if not isinstance(result, torch.Tensor):
            raise TypeError(f"returned {type(result).__name__}, should be a tensor")
        is_plain = type(result) in (torch.Tensor, torch.nn.Parameter)
        return {"plain": is_plain, "type": type(result).__name__, "device": str(result.device)}

    def write(self, folder: Path, name: str, *, late: bool = False) -> dict[str, Any]:
        if late:
            for shared, on_device in self._inputs:
                if on_device is not shared:
                    on_device.copy_(shared)
            if self._device.type == "cuda":
                torch.cuda.synchronize()
        elif self._device.type == "cuda":  # of its own stream alone: what is elsewhere is late
            torch.cuda.current_stream().synchronize()
        answer: dict[str, Any] = {"y": share(folder, name, self._result)}
        if self._gradients:
            answer["gradients"] = [
                None if each is None else share(folder, f"{name}-g{number}", each)
                for number, each in enumerate(self._gradients)
            ]
        return answer

    def _show_inputs(self) -> None:
        """Have the other side see what a call did to its operands on a device."""
        for shared, on_device in self._inputs:
            if on_device is not shared:
                with torch.no_grad():
                    shared.copy_(on_device)

    def repeat(self, times: int) -> None:
        on_device = [tensor for _, tensor in self._inputs]
        result = None
        with torch.no_grad():
            for _ in range(times):
                result = self.run(on_device, self._arguments)
        if self._device.type == "cuda":
            torch.cuda.synchronize()
        if isinstance(result, torch.Tensor) and result.numel():
            result.reshape(-1)[-1].item()  # what is computed when it is looked at is looked at

    def operators(self) -> list[str]:
        """The operators of the last call, made once more."""
        on_device = [tensor for _, tensor in self._inputs]
        return operators_of(lambda: self.run(on_device, self._arguments))


class FunctionCaller(TorchCaller):
    """As torch.nn.functional.conv_transposeNd is called."""

    def run(self, inputs: Sequence[torch.Tensor], arguments: dict[str, Any]) -> Any:
        names = list(parameters(self._candidate))
        if not names:
            return self._candidate(*inputs, **arguments)
        operands = dict(zip(names, inputs, strict=False))
        spelt = {name: value for name, value in arguments.items() if name in names}
        return self._candidate(**operands, **spelt)


class ConvolutionCaller(TorchCaller):
    """As aten.convolution is called."""

    def run(self, inputs: Sequence[torch.Tensor], arguments: dict[str, Any]) -> Any:
        x, w, b = (*inputs, None)[:3]
        a = arguments
        return self._candidate(
            x, w, b, list(a["stride"]), list(a["padding"]), list(a["dilation"]), True,
            list(a["output_padding"]), a["groups"],
        )  # fmt: skip


class OperatorCaller(TorchCaller):
    """Torch's own operator, which the candidate's file has replaced."""

    def run(self, inputs: Sequence[torch.Tensor], arguments: dict[str, Any]) -> Any:
        rank = inputs[0].dim() - 2
        function = getattr(torch.nn.functional, f"conv_transpose{rank}d")
        return function(*inputs, **arguments)


class ModuleCaller(TorchCaller):
    """A torch.nn.Module, made of the arguments of its constructor, with weights of ours."""

    _module: torch.nn.Module | None = None

    def facts(self) -> dict[str, Any]:
        base = inspect.getmro(self._candidate)[1]
        inherits = base.__name__ == "Model" and "forward" not in vars(self._candidate)
        return {**super().facts(), "inherits_forward": inherits}

    def make(self, **what: Any) -> dict[str, Any]:
        values, seed, dtype, weights = (what[k] for k in ("values", "seed", "dtype", "weights"))
        self._module = None
        torch.manual_seed(seed)
        if torch.cuda.is_available():
            torch.cuda.manual_seed(seed)
        module = self._candidate(*map(tupled, values))
        module = module.to(device=self._device, dtype=getattr(torch, dtype))
        unplaced = set_weights(module, [(name, tensor_of(each)) for name, each in weights])
        self._module = module
        has = [[name, list(each.shape)] for name, each in module.named_parameters()]
        return {"unplaced": unplaced, "parameters": has}

    def run(self, inputs: Sequence[torch.Tensor], arguments: dict[str, Any]) -> Any:
        assert self._module is not None, "made before it is called"
        return self._module(*inputs)

    def leaves(self, inputs: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        assert self._module is not None, "made before it is called"
        return [*inputs, *self._module.parameters()]


def _memory(tensor: Any) -> int | None:
    """Where its numbers lie."""
    return int(tensor.untyped_storage().data_ptr()) if tensor.numel() else None


def _size(shape: list[int]) -> int:
    size = 1
    for each in shape:
        size *= each
    return size
