"""A program of torch.export, a .pt2 file."""

from __future__ import annotations

from typing import Any

import torch

from conformance.models.guard import no_pickle
from conformance.models.readers.torchcalls import Recording, run
from conformance.models.results import ReadingError, Request, Results, random_input


def read(request: Request, results: Results) -> None:
    """The program's own example inputs are the sample, unless one is given."""
    results.versions["torch"] = torch.__version__
    results.say("loads the program")
    with no_pickle(unsafe=request.unsafe):
        program = torch.export.load(request.path)
    module = program.module()
    parameters = {**program.state_dict, **program.constants}
    parameters = {
        name: value for name, value in parameters.items() if isinstance(value, torch.Tensor)
    }
    recording = Recording(results, parameters, keep=request.activations)
    names = list(program.graph_signature.user_inputs)
    samples = _samples(program, names, request)
    run(_Interpreter(module, recording).run, names, samples, recording, results)


class _Interpreter(torch.fx.Interpreter):
    """Runs the graph node by node, so that the recording knows whose module each is."""

    def __init__(self, module: Any, recording: Recording) -> None:
        super().__init__(module)
        self._recording = recording

    def run_node(self, node: Any) -> Any:
        stack = list((node.meta.get("nn_module_stack") or {}).values())
        self._recording.path = stack[-1][0] if stack else ""
        kind = str(stack[-1][1]).rpartition(".")[2].removeprefix("Parametrized") if stack else ""
        self._recording.operator = f"torch.nn.{kind}" if kind.startswith("ConvTranspose") else None
        return super().run_node(node)


def _samples(program: Any, names: list[str], request: Request) -> list[tuple[str | None, Any]]:
    if request.inputs:
        asked = request.inputs_of(names)
        missing = [name for name in names if name not in asked]
        if missing:
            raise ReadingError(f"has an input {missing[0]} that is not given (--input)")
        return [(None, asked[name].numbers(None)) for name in names]
    values = {node.name: node.meta.get("val") for node in program.graph.nodes if node.name in names}
    return [(None, _sample(name, values[name])) for name in names]


def _sample(name: str, value: Any) -> Any:
    """Numbers for a placeholder; a symbolic size is the one of the program's own example."""
    if not isinstance(value, torch.Tensor):
        raise ReadingError(f"has an input {name} that is not a tensor, should have tensors alone")
    try:
        shape = [int(size) for size in value.shape]
    except Exception as error:
        raise ReadingError(f"leaves sizes of {name} open, should be given an input") from error
    return random_input(shape, str(value.dtype).removeprefix("torch."))
