"""The rows of shape functions: which engine each belongs to, and how it is asked for a shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeRow:
    """One shape function: the engine that it is a variant of, its module, class and program, and
    what its class is made with.
    """

    engine: str
    module: str
    adapter: str
    template: str
    options: Mapping[str, Any] = field(default_factory=dict)


def _row(engine: str, module: str, adapter: str, template: str = "", **options: Any) -> ShapeRow:
    """A row whose program bears its module's name, if it has none of its own."""
    return ShapeRow(
        engine=engine,
        module=f"conformance.adapters.{module}",
        adapter=adapter,
        template=template or module,
        options=options,
    )


_UNTOLD: Mapping[str, Any] = {"unknown": ("batch", "space")}
_ONNX = ("onnx-reference", "onnx_shape_inference", "OnnxShapeInference")
_ONNXRUNTIME = ("onnxruntime", "onnxruntime_shape", "OnnxRuntimeShape")
_JAX = ("jax", "jax_shape", "JaxEvalShape")
_JAX_GENERAL = ("jax-general", "jax_shape", "JaxEvalShape", "jax_general_shape")
_FLAX = ("flax", "flax_shape", "FlaxEvalShape")
_TENSORFLOW = ("tensorflow", "tensorflow_shape", "TensorFlowStaticShape")


def _keras(backend: str = "tensorflow") -> tuple[str, str, str]:
    return f"keras-{backend}", "keras_shape", "KerasShape"


SHAPE_ROWS: Mapping[str, ShapeRow] = {
    "onnx-shape-inference": _row(*_ONNX),
    "onnx-shape-inference-strict": _row(*_ONNX, strict=True),
    "onnx-shape-inference-dynamic": _row(*_ONNX, strict=True, **_UNTOLD),
    "torch-meta": _row("torch", "torch_shape", "TorchMeta", "torch_meta"),
    "torch-fake": _row("torch", "torch_shape", "TorchFake", "torch_fake"),
    "torch-export-dynamic": _row("torch", "torch_shape", "TorchExportDynamic", "torch_export"),
    "jax-eval-shape": _row(*_JAX),
    "jax-eval-shape-dynamic": _row(*_JAX, **_UNTOLD),
    "jax-general-eval-shape": _row(*_JAX_GENERAL, general=True),
    "jax-general-eval-shape-dynamic": _row(*_JAX_GENERAL, general=True, **_UNTOLD),
    "flax-eval-shape": _row(*_FLAX),
    "flax-eval-shape-dynamic": _row(*_FLAX, **_UNTOLD),
    "tensorflow-static-shape": _row(*_TENSORFLOW),
    "tensorflow-static-shape-batch": _row(*_TENSORFLOW, unknown=("batch",)),
    "tensorflow-static-shape-dynamic": _row(*_TENSORFLOW, **_UNTOLD),
    "keras-compute-output-shape": _row(*_keras()),
    "keras-compute-output-shape-dynamic": _row(*_keras(), **_UNTOLD),
    "keras-symbolic": _row(*_keras(), mode="symbolic"),
    "keras-symbolic-batch": _row(*_keras(), mode="symbolic", unknown=("batch",)),
    "keras-symbolic-dynamic": _row(*_keras(), mode="symbolic", **_UNTOLD),
    "keras-traced": _row(*_keras(), mode="traced"),
    "keras-traced-dynamic": _row(*_keras(), mode="traced", **_UNTOLD),
    "keras-jax-traced": _row(*_keras("jax"), mode="traced"),
    "keras-jax-traced-dynamic": _row(*_keras("jax"), mode="traced", **_UNTOLD),
    "keras-torch-traced": _row(*_keras("torch"), mode="traced"),
    "keras-torch-traced-dynamic": _row(*_keras("torch"), mode="traced", **_UNTOLD),
    "onnxruntime-shape": _row(*_ONNXRUNTIME),
    "onnxruntime-shape-node": _row("onnxruntime", "onnxruntime_shape_node", "OnnxRuntimeShapeNode"),
    "onnxruntime-shape-dynamic": _row(*_ONNXRUNTIME, **_UNTOLD),
}
