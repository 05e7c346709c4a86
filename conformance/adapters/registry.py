"""The registry of adapters and their variants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from conformance.adapters.chain_registry import CHAIN_CASES, CHAIN_ROWS, ChainRow
from conformance.adapters.entry import Entry
from conformance.adapters.environment import JAXS, TENSORFLOWS, thread_environment
from conformance.adapters.pins import PINS
from conformance.adapters.runtime_registry import RUNTIME_ROWS, RuntimeRow
from conformance.adapters.shape_registry import SHAPE_ROWS, ShapeRow
from conformance.adapters.web_registry import WEB_ROWS, WebRow


def _entry(
    name: str, adapter: str, convention: str, *, needs: str, extra: str = "", **fields: Any
) -> Entry:
    """A row whose module and program bear one name; `needs` are words, and the first is the
    extra.
    """
    packages = tuple(needs.split())
    return Entry(
        module=f"conformance.adapters.{name}",
        adapter=adapter,
        convention=convention,
        needs=packages,
        extra=extra or packages[0],
        **{"template": name, **fields},
    )


def _variant(of: Entry, name: str, *, tag: str | None = None, **options: Any) -> Entry:
    """The same call with other options of the adapter's class."""
    return replace(of, variant_of=name, tag=tag, options=options)


def _web(row: WebRow) -> Entry:
    """A library that computes in a page of Chromium, with one of its backends."""
    return Entry(**asdict(row), template=row.node[0].replace("-", "_"))


def _other_call(of: Entry, name: str, module: str, adapter: str, **fields: Any) -> Entry:
    """The same engine asked by another of its functions: a variant with a module and a program of
    its own.
    """
    return replace(
        of,
        module=f"conformance.adapters.{module}",
        adapter=adapter,
        template=module,
        variant_of=name,
        **fields,
    )


def _fused(of: Entry, name: str, adapter: str, *, tag: str | None = None, **options: Any) -> Entry:
    """The call and what follows it, for an optimizer to fuse: for inference alone."""
    fields = {"tag": tag, "options": options, "quantities": ("output",)}
    return _other_call(of, name, f"{name}_fused", adapter, **fields)


def _elsewhere(of: Entry, name: str, environment: Mapping[str, str]) -> Entry:
    """The same call in a process with another environment."""
    return replace(of, variant_of=name, environment={**of.environment, **environment})


def _shape_function(of: Entry, row: ShapeRow) -> Entry:
    """The same engine asked for the output's shape before it computes."""
    return replace(
        of,
        module=row.module,
        adapter=row.adapter,
        template=row.template,
        variant_of=row.engine,
        options=row.options,
        quantities=("shape",),
    )


def _runtime(row: RuntimeRow) -> Entry:
    """A runtime of ONNX models."""
    fields = {**asdict(row), "module": f"conformance.adapters.{row.module}"}
    return Entry(**fields, convention="onnx", template=row.module, quantities=("output",))


def _chain(of: Entry, row: ChainRow) -> Entry:
    """A conversion and a call that begin with that engine."""
    return replace(
        of,
        module=f"conformance.adapters.{row.module}",
        adapter=row.adapter,
        template=row.module,
        needs=(*of.needs, *row.needs),
        extra=",".join(dict.fromkeys([*of.extra.split(","), *row.extras])),
        packages=row.packages,
        environment={**TENSORFLOWS, **of.environment} if row.engine == "jax" else of.environment,
        options=row.options,
        variant_of=row.engine,
        cases=CHAIN_CASES,
        quantities=("output",),
        last=row.options["runtime"],
    )


COMPILED = "compiled"
"""The tag of the cases that suffice where every shape costs a second of compiling."""


def _keras(backend: str) -> Entry:
    environment = {"KERAS_BACKEND": backend, **TENSORFLOWS, **JAXS}
    extra = f"keras,{backend}"
    return _entry(
        "keras", "Keras", "keras", needs=f"keras {backend}", extra=extra, environment=environment
    )


_TORCH = _entry("torch", "Torch", "torch", needs="torch")
_TENSORFLOW = _entry(
    "tensorflow", "TensorFlow", "tensorflow", needs="tensorflow", environment=TENSORFLOWS
)
_JAX = _entry("jax", "Jax", "jax", needs="jax", environment=JAXS, takes_groups=False)
_JAX_GENERAL = _entry(
    "jax", "JaxGeneral", "jax", needs="jax", environment=JAXS, template="jax_general"
)
_ONNXRUNTIME = _entry("onnxruntime", "OnnxRuntime", "onnx", needs="onnxruntime onnx", extra="onnx")
_ONNX_REFERENCE = _entry("onnx_reference", "OnnxReference", "onnx", needs="onnx")
_TORCH_ONNX = _entry(
    "torch_onnx",
    "TorchOnnx",
    "torch",
    needs="torch onnxscript onnxruntime onnx",
    extra="torch,onnx,export",
    variant_of="torch",
    tag=COMPILED,
)

_LITERT = _entry(
    "litert",
    "LiteRt",
    "tensorflow",
    needs="ai_edge_litert flatbuffers",
    extra="litert",
    packages=PINS["litert"],
    quantities=("output",),
)

_NCNN = _entry(
    "ncnn",
    "Ncnn",
    "onnx",
    needs="ncnn",
    packages=("ncnn==1.0.20261020",),
    quantities=("output",),
)

_MLX = _entry("mlx", "Mlx", "torch", needs="mlx", packages=("mlx[cpu]==0.32.4",))


_ENGINES: Mapping[str, Entry] = {
    "torch": _TORCH,
    "keras-tensorflow": _keras("tensorflow"),
    "keras-jax": _keras("jax"),
    "keras-torch": _keras("torch"),
    "tensorflow": _TENSORFLOW,
    "jax": _JAX,
    "jax-general": _JAX_GENERAL,
    "flax": _entry("flax", "Flax", "flax", needs="flax jax", environment=JAXS),
    "onnxruntime": _ONNXRUNTIME,
    "onnx-reference": _ONNX_REFERENCE,
    "litert": _LITERT,
    "ncnn": _NCNN,
    "mlx": _MLX,
}

_CHAINS: Mapping[str, Entry] = {
    name: _chain(_ENGINES[row.engine], row) for name, row in CHAIN_ROWS.items()
}

_SHAPE_FUNCTIONS: Mapping[str, Entry] = {
    name: _shape_function(_ENGINES[row.engine], row) for name, row in SHAPE_ROWS.items()
}

REGISTRY: Mapping[str, Entry] = {
    **_ENGINES,
    "torch-compile": _variant(_TORCH, "torch", tag=COMPILED, compiled=True),
    "torch-compile-frozen": _fused(_TORCH, "torch", "TorchFused", tag=COMPILED),
    "torch-compile-frozen-add": _fused(_TORCH, "torch", "TorchFused", tag=COMPILED, follow="add"),
    "torch-compile-frozen-batch-norm": _fused(
        _TORCH, "torch", "TorchFused", tag=COMPILED, follow="batch-normalization"
    ),
    "torch-compile-frozen-relu": _fused(_TORCH, "torch", "TorchFused", tag=COMPILED, follow="relu"),
    "torch-fuse-conv-bn": _fused(
        _TORCH, "torch", "TorchFused", follow="batch-normalization", frozen=False
    ),
    "torch-channels-last": _variant(
        _TORCH, "torch", input_memory="channels_last", kernel_memory="channels_last"
    ),
    "torch-channels-last-input": _variant(_TORCH, "torch", input_memory="channels_last"),
    "torch-channels-last-kernel": _variant(_TORCH, "torch", kernel_memory="channels_last"),
    "torch-strided": _variant(
        _TORCH, "torch", input_memory="strided", kernel_memory="strided", cotangent_memory="strided"
    ),
    "torch-without-onednn": _variant(_TORCH, "torch", onednn=False),
    "torch-one-thread": _elsewhere(_TORCH, "torch", thread_environment(1)),
    "torch-conv-dx": _other_call(_TORCH, "torch", "torch_conv_dx", "TorchConvDx"),
    "torch-unbatched": _variant(_TORCH, "torch", batched=False),
    "torch-onnx": _TORCH_ONNX,
    "keras-tensorflow-channels-first": _variant(
        _keras("tensorflow"), "keras-tensorflow", data_format="channels_first"
    ),
    "keras-torch-channels-first": _variant(
        _keras("torch"), "keras-torch", data_format="channels_first"
    ),
    "keras-jax-channels-first": _variant(_keras("jax"), "keras-jax", data_format="channels_first"),
    "tensorflow-conv-dx": _other_call(
        _TENSORFLOW, "tensorflow", "tensorflow_conv_dx", "TensorFlowConvDx"
    ),
    "tensorflow-without-onednn": _elsewhere(
        _TENSORFLOW, "tensorflow", {"TF_ENABLE_ONEDNN_OPTS": "0"}
    ),
    "tensorflow-xla": _variant(_TENSORFLOW, "tensorflow", compiled=True),
    "jax-conv-dx": _other_call(_JAX_GENERAL, "jax-general", "jax_conv_dx", "JaxConvDx"),
    "jax-jit": _variant(_JAX_GENERAL, "jax-general", compiled=True),
    "onnxruntime-unoptimized": _variant(_ONNXRUNTIME, "onnxruntime", optimized=False),
    "onnxruntime-initializer": _variant(_ONNXRUNTIME, "onnxruntime", initializers=True),
    "onnxruntime-newest-opset": _variant(_ONNXRUNTIME, "onnxruntime", opset=22),
    "onnxruntime-add": _fused(_ONNXRUNTIME, "onnxruntime", "OnnxRuntimeFused", follow="add"),
    "onnxruntime-batch-norm": _fused(
        _ONNXRUNTIME, "onnxruntime", "OnnxRuntimeFused", follow="batch-normalization"
    ),
    "onnxruntime-relu": _fused(_ONNXRUNTIME, "onnxruntime", "OnnxRuntimeFused", follow="relu"),
    "onnxruntime-opset-1": _variant(_ONNXRUNTIME, "onnxruntime", opset=1),
    "onnxruntime-opset-10": _variant(_ONNXRUNTIME, "onnxruntime", opset=10),
    "onnxruntime-opset-26": _variant(_ONNXRUNTIME, "onnxruntime", opset=26),
    "onnx-reference-opset-1": _variant(_ONNX_REFERENCE, "onnx-reference", opset=1),
    "onnx-reference-opset-22": _variant(_ONNX_REFERENCE, "onnx-reference", opset=22),
    "litert-builtin": _variant(_LITERT, "litert", kernels="BUILTIN_WITHOUT_DEFAULT_DELEGATES"),
    "litert-reference": _variant(_LITERT, "litert", kernels="BUILTIN_REF"),
    "litert-gpu": _other_call(_LITERT, "litert", "litert_gpu", "LiteRtGpu"),
    **{name: _runtime(row) for name, row in RUNTIME_ROWS.items()},
    **_CHAINS,
    **{name: _web(row) for name, row in WEB_ROWS.items()},
    **_SHAPE_FUNCTIONS,
}

OTHER_LAYOUT: Mapping[str, str] = {
    "torch": "torch-channels-last",
    "keras-tensorflow": "keras-tensorflow-channels-first",
    "keras-torch": "keras-torch-channels-first",
    "keras-jax": "keras-jax-channels-first",
}
"""The variant of each adapter that differs in the memory layout alone."""
