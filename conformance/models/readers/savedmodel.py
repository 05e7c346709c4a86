"""A TensorFlow SavedModel: the gradients of convolutions that a signature computes forward."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from conformance.models.readers.tfgraph import Graph
from conformance.models.results import ReadingError, Request, Results, open_sizes, random_input

_FILE_OPERATORS = {
    "EagerPyFunc", "MatchingFiles", "PyFunc", "PyFuncStateless", "ReadFile", "WriteFile",
}  # fmt: skip
_SIGNATURE = "serving_default"


def read(request: Request, results: Results) -> None:
    """The signature serving_default, else the first, with its variables as constants.

    A graph is a program: one that reads or writes files, or calls Python, is refused.
    """
    results.versions["tensorflow"] = tf.__version__
    if not request.unsafe:
        _refuse_files(Path(request.path) / "saved_model.pb")
    results.say("loads the model")
    loaded = tf.saved_model.load(request.path)
    signatures = loaded.signatures
    if not signatures:
        raise ReadingError("has no signature, should be exported with one")
    name = _SIGNATURE if _SIGNATURE in signatures else next(iter(signatures))
    function = signatures[name]
    samples = _samples(function, request, results)
    frozen = convert_variables_to_constants_v2(function)
    Graph(frozen, results, keep=request.activations).read(samples)


def _refuse_files(path: Path) -> None:
    content = saved_model_pb2.SavedModel()
    try:
        content.ParseFromString(path.read_bytes())
    except Exception as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise ReadingError(f"is not a SavedModel: saved_model.pb cannot be read: {first}") from None
    if not content.meta_graphs:
        raise ReadingError("is not a SavedModel: saved_model.pb has no graph")
    for meta in content.meta_graphs:
        nodes = [*meta.graph_def.node]
        for function in meta.graph_def.library.function:
            nodes += function.node_def
        for node in nodes:
            if node.op in _FILE_OPERATORS:
                raise ReadingError(
                    f"has a node {node.op}, which reads or writes files or runs Python, and is not "
                    "run without --unsafe"
                )


def _samples(function: Any, request: Request, results: Results) -> Mapping[str, Any]:
    """An array for every input of the signature; Raises ReadingError where sizes are open."""
    specs = dict(sorted(function.structured_input_signature[1].items()))
    asked = request.inputs_of(list(specs))
    samples = {}
    for name, spec in specs.items():
        shape = None if spec.shape.rank is None else spec.shape.as_list()
        dtype = spec.dtype.as_numpy_dtype
        if name in asked:
            samples[name] = np.asarray(asked[name].numbers(np.dtype(dtype).name), dtype)
        elif shape is not None and None not in shape[1:]:
            samples[name] = random_input([shape[0] or 1, *shape[1:]], np.dtype(dtype).name)
        else:
            raise open_sizes(name, shape)
        results.add_input(name, shape, np.dtype(dtype).name, samples[name])
    return samples
