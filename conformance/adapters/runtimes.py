"""The runtimes at the end of a chain: the model that a converter wrote, as a function of its input.

Each is asked as its own adapter asks it, so that a chain differs from it by the conversion alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

Run = Callable[[Any], Any]
"""The output of the model for an input, both in the axes that the converter gave them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """`load` takes the path of a model and the shape of its input; the versions of `distributions`
    decide.
    """

    load: Callable[[str, Sequence[int]], Run]
    distributions: tuple[str, ...]


def versions(runtime: str) -> dict[str, str]:
    """The versions of a runtime."""
    return {name: version(name) for name in RUNTIMES[runtime].distributions}


def threads() -> int | None:
    """How many threads every runtime here is held to; None for its own choice."""
    count = os.environ.get("CONFORMANCE_THREADS")
    return None if count is None else int(count)


def _onnxruntime(path: str, shape: Sequence[int]) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads() or 0
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    [model_input] = session.get_inputs()
    return lambda x: session.run(None, {model_input.name: x})[0]


def _openvino(path: str, shape: Sequence[int]) -> Run:
    import openvino

    settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32"}
    if threads():
        settings["INFERENCE_NUM_THREADS"] = threads()
    compiled = openvino.Core().compile_model(path, "CPU", settings)
    request = compiled.create_infer_request()
    return lambda x: np.array(request.infer([x])[compiled.output(0)])


def _tract(path: str, shape: Sequence[int]) -> Run:
    import tract

    model = tract.onnx().load(path).into_model().into_runnable()
    return lambda x: model.run([x])[0].to_numpy()


def _litert(path: str, shape: Sequence[int]) -> Run:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=path, num_threads=threads())
    [model_input], result = interpreter.get_input_details(), interpreter.get_output_details()[0]
    if -1 in model_input["shape_signature"]:  # the converter has left a size open
        interpreter.resize_tensor_input(model_input["index"], shape, strict=True)
    interpreter.allocate_tensors()

    def run(x: Any) -> Any:
        interpreter.set_tensor(model_input["index"], x)
        interpreter.invoke()
        return interpreter.get_tensor(result["index"])

    return run


RUNTIMES = {
    "onnxruntime": Runtime(load=_onnxruntime, distributions=("onnxruntime",)),
    "openvino": Runtime(load=_openvino, distributions=("openvino",)),
    "tract": Runtime(load=_tract, distributions=("tract",)),
    "litert": Runtime(load=_litert, distributions=("ai-edge-litert",)),
}
"""By the name of the engine that asks it natively."""
