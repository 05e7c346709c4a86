"""The rows of chains: the engine that each begins with, its converter, the runtime at its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from conformance.adapters.pins import PINS


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainRow:
    """One chain: the row of the engine that it begins with, and what is beside that.

    `packages` bring what no extra brings; `extras` are those besides the engine's own.
    `module` has the class and bears the name of the program, `options` are what the class is made
    with: `converter`, the `ending` of the file that it writes, and the `runtime` that reads it, by
    the name of its own row.
    """

    engine: str
    module: str
    adapter: str
    options: Mapping[str, str]
    needs: tuple[str, ...]
    packages: tuple[str, ...]
    extras: tuple[str, ...]


CHAIN_CASES = ("textbook/*", "arithmetic/first/*", "conventions/*")
"""The shipped cases that a chain runs, since every conversion costs a second."""

_NEEDS = {"litert": "ai_edge_litert", "torch.onnx": "onnxscript onnx"}
_EXTRAS = {"torch.onnx": "onnx,export", "onnxruntime": "onnx", "tensorflow": "tensorflow"}
_ENDINGS = {"litert": ".tflite", "openvino": ".xml", "onnxruntime": ".onnx", "tract": ".onnx"}
_FIRST = {
    "torch": ("torch", "TorchChain"),
    "keras-tensorflow": ("keras", "KerasChain"),
    "tensorflow": ("tensorflow", "TensorFlowChain"),
    "jax": ("jax", "JaxChain"),
}


def _row(
    engine: str, converter: str, runtime: str, *, ending: str = "", needs: str = ""
) -> ChainRow:
    """A row; its packages are those of the converter and of the runtime."""
    name, adapter = _FIRST[engine]
    imports = [_NEEDS.get(one, one) for one in (needs, runtime)]
    return ChainRow(
        engine=engine,
        module=f"chain_{name}",
        adapter=adapter,
        options={
            "converter": converter,
            "ending": ending or _ENDINGS[runtime],
            "runtime": runtime,
        },
        needs=tuple(" ".join(imports).split()),
        packages=(*PINS.get(needs, ()), *PINS[runtime]),
        extras=tuple(_EXTRAS[one] for one in (needs, runtime) if one in _EXTRAS),
    )


CHAIN_ROWS: Mapping[str, ChainRow] = {
    "torch>onnx>openvino": _row(
        "torch", "torch.onnx", "openvino", ending=".onnx", needs="torch.onnx"
    ),
    "torch>onnx>tract": _row("torch", "torch.onnx", "tract", needs="torch.onnx"),
    "torch>openvino": _row("torch", "openvino", "openvino"),
    "torch>litert": _row("torch", "litert_torch", "litert", needs="litert_torch"),
    "keras>onnx>onnxruntime": _row("keras-tensorflow", "tf2onnx", "onnxruntime", needs="tf2onnx"),
    "keras>litert": _row("keras-tensorflow", "tf.lite", "litert"),
    "keras>openvino": _row("keras-tensorflow", "openvino", "openvino"),
    "tensorflow>onnx>onnxruntime": _row("tensorflow", "tf2onnx", "onnxruntime", needs="tf2onnx"),
    "tensorflow>litert": _row("tensorflow", "tf.lite", "litert"),
    "jax>litert": _row("jax", "jax2tf", "litert", needs="tensorflow"),
}
"""The rows by their names: the frameworks and formats that a model passes."""
