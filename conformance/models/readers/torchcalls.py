"""Every operator that torch dispatches while a model runs: what all of torch's forms of a model
have in common.

A module, a functional call, an exported program and TorchScript all come to
`aten.convolution(..., transposed=True, ...)`, whose arguments have the names of
`torch.nn.ConvTranspose2d` and whose weights are the effective ones.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakIdKeyDictionary

from conformance.models.results import LayerEntry, Results

_CONVOLUTIONS = {"aten::convolution", "aten::_convolution"}
_PLAIN = ("input", "weight", "bias", "stride", "padding", "dilation", "transposed")
_MOST_FUSED = 3
AXES = {1: "W", 2: "HW", 3: "DHW"}


def numbers(tensor: Any) -> Any:
    """A tensor as an array, bfloat16 too."""
    tensor = tensor.detach().to("cpu").contiguous().resolve_conj().resolve_neg()
    if tensor.dtype == torch.bfloat16:
        import ml_dtypes

        return tensor.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return tensor.numpy()


class Recording(TorchDispatchMode):
    """Records transposed convolutions, and with `keep` the output of every operator.

    `path` is the module that runs now, `extra` more arguments of its call, by name.
    """

    def __init__(self, results: Results, parameters: Mapping[str, Any], *, keep: bool) -> None:
        super().__init__()
        self.results, self.keep = results, keep
        self.path = ""
        self.operator: str | None = None
        self.extra: dict[str, Any] = {}
        self.counts: dict[str, int] = {}
        self._indices: dict[tuple[object, ...], int] = {}
        self._names = {tensor.data_ptr(): name for name, tensor in parameters.items()}
        self._made = WeakIdKeyDictionary()  # what is computed of parameters alone: (names, makers)
        self._users = WeakIdKeyDictionary()  # (layer, place in the chain behind it)

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # else the first call imports all of torch.compile, which takes seconds
        return False

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        output = function(*args, **(kwargs or {}))
        name = function._schema.name
        tensors = _flat([*args, *(kwargs or {}).values()])
        first = next(iter(_flat([output])), None)
        if first is not None and not self._follows_parameters(name, tensors, first):
            if name in _CONVOLUTIONS and args[6]:
                self._transposed(function, args, first)
            else:
                self._other(name, tensors, first)
        return output

    def _follows_parameters(self, name: str, tensors: Sequence[Any], output: Any) -> bool:
        """Whether the output is computed of parameters alone, as effective weights are."""
        sources = [self._source(tensor) for tensor in tensors]
        if not sources or None in sources:
            return False
        names = [name for source in sources if source for name in source[0]]
        makers = [maker for source in sources if source for maker in source[1]]
        self._made[output] = (names, [*makers, _word(name)])
        return True

    def _source(self, tensor: Any) -> tuple[list[str], list[str]] | None:
        if tensor in self._made:
            source: tuple[list[str], list[str]] = self._made[tensor]
            return source
        name = self._names.get(tensor.data_ptr()) if tensor.numel() else None
        return None if name is None else ([name], [])

    def _transposed(self, function: Any, args: Sequence[Any], output: Any) -> None:
        call = dict(zip(_PLAIN, args, strict=False))
        call["output_padding"], call["groups"] = args[7], args[8]
        x = call["input"]
        names, makers = self._source(call["weight"]) or ([], [])
        path = self.path or _module_of(names) or (names[0] if len(names) == 1 else "conv_transpose")
        index = self._layer(path, call, names, makers)
        entry = self.results.layers[index]
        entry.inputs.append([int(size) for size in x.shape])
        self._users[output] = (index, 0)
        if self.keep:
            self.results.add_activation(
                entry.name, entry.operator, numbers(output), layer=index, input=numbers(x)
            )

    def _layer(
        self, path: str, call: Mapping[str, Any], names: Sequence[str], makers: Sequence[str]
    ) -> int:
        """The index of the layer, which is entered at its first call with these arguments and
        weights.
        """
        rank = call["weight"].dim() - 2
        native = self._native(call, rank)
        key = (path, repr(native), tuple(names) or call["weight"].data_ptr())
        if key in self._indices:
            return self._indices[key]
        bias = call["bias"]
        bias_names, _ = ([], []) if bias is None else self._source(bias) or ([], [])
        parameter = names[0] if len(names) == 1 and not makers else None
        self.results.layers.append(
            LayerEntry(
                name=self._numbered(path),
                operator=self.operator or f"torch.nn.functional.conv_transpose{rank}d",
                convention="torch",
                arguments=native,
                native=native,
                kernel=self.results.store(numbers(call["weight"])),
                bias=None if bias is None else self.results.store(numbers(bias)),
                kernel_tensor={"name": parameter, "axes": f"IO{AXES[rank]}"},
                bias_tensor=None
                if bias is None
                else {"name": bias_names[0] if len(bias_names) == 1 else None, "axes": "O"},
                normalised_by=list(dict.fromkeys(reversed(makers))),
            )
        )
        self._indices[key] = len(self.results.layers) - 1
        self.results.say(f"{path}: {self.results.layers[-1].operator}")
        return self._indices[key]

    def _native(self, call: Mapping[str, Any], rank: int) -> dict[str, Any]:
        """The arguments of the call, one per spatial axis; output_size as the module was given
        it.
        """
        native: dict[str, Any] = {
            key: _per_axis(call[key], rank)
            for key in ("stride", "padding", "output_padding", "dilation")
        }
        native["groups"] = int(call["groups"])
        if self.extra.get("output_size") is not None:
            native["output_size"] = [int(n) for n in self.extra["output_size"]][-rank:]
            del native["output_padding"]
        return native

    def _other(self, name: str, tensors: Sequence[Any], output: Any) -> None:
        word = _word(name)
        for tensor in tensors:
            index, position = self._users.get(tensor, (None, 0))
            if index is None:
                continue
            chain = self.results.layers[index].followed_by
            if position == len(chain) < _MOST_FUSED:
                chain.append(word)
                self._users[output] = (index, position + 1)
        if self.keep and name.startswith("aten::") and not word.startswith("empty"):
            path = f"{self.path}.{word}" if self.path else word
            self.results.add_activation(self._numbered(path), name, numbers(output))

    def _numbered(self, name: str) -> str:
        """The name, with a number from its second use on."""
        self.counts[name] = self.counts.get(name, 0) + 1
        return name if self.counts[name] == 1 else f"{name}_{self.counts[name] - 1}"


def _word(name: str) -> str:
    """The plain name of an operator: batch_norm for aten::native_batch_norm."""
    word = name.partition("::")[2].removeprefix("_").removesuffix("_interface").rstrip("_")
    return word.removeprefix("native_").removesuffix("_legit_no_training")


def _flat(values: Sequence[Any]) -> list[Any]:
    """The tensors among values and lists of them."""
    tensors = []
    for value in values:
        if isinstance(value, torch.Tensor):
            tensors.append(value)
        elif isinstance(value, (list, tuple)):
            tensors += _flat(value)
    return tensors


def _per_axis(value: Sequence[int], rank: int) -> list[int]:
    numbers = [int(number) for number in value]
    return numbers * rank if len(numbers) == 1 else numbers


def _module_of(names: Sequence[str]) -> str:
    """The path of the module that parameters belong to: the part that their names have in
    common.
    """
    if not names:
        return ""
    parts = [name.split(".")[:-1] for name in names]
    common = []
    for same in zip(*parts, strict=False):
        if len(set(same)) > 1 or same[0] == "parametrizations":
            break
        common.append(same[0])
    return ".".join(common)


def run(
    call: Callable[..., Any],
    names: Sequence[str],
    samples: Sequence[tuple[str | None, Any]],
    recording: Recording,
    results: Results,
) -> None:
    """Call a model on samples, by position or by name, while `recording` looks on."""
    positional = [torch.from_numpy(np.array(array)) for name, array in samples if name is None]
    named = {name: torch.from_numpy(np.array(array)) for name, array in samples if name}
    for (name, array), position in zip(samples, range(len(samples)), strict=True):
        known = name or (names[position] if position < len(names) else str(position))
        results.add_input(known, None, array.dtype.name, array)
    with torch.no_grad(), _as_written(), recording:
        output = call(*positional, **named)
    if recording.keep:
        for position, tensor in enumerate(_outputs(output)):
            results.outputs[str(position)] = results.store(numbers(tensor))


def _as_written() -> AbstractContextManager[Any]:
    """What the model has compiled by torch.compile runs operator by operator."""
    if "torch._dynamo" not in sys.modules:  # nothing is compiled, and importing it takes seconds
        return nullcontext()
    return torch.compiler.set_stance("force_eager")


def _outputs(output: Any) -> list[Any]:
    if isinstance(output, Mapping):
        return _flat(list(output.values()))
    return _flat([output])
