"""A candidate, loaded and called: every form in which kernels are written answers to the same
requests.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from conformance.kernels.arrays import Described
from conformance.kernels.bench import loading, trace
from conformance.kernels.bench.loading import LIBRARIES, LoadingError

_NAME = "candidate"
"""Of its module: what it is called elsewhere tells it nothing."""

LATE = 0.05
"""Seconds that a result has, after the inputs are gone, to change."""


class CandidateServer:
    """Answers for one candidate; `role` has `file`, `name`, `form` and `folder`, for arrays."""

    def __init__(self, role: dict[str, Any]) -> None:
        self._role, self._folder = role, Path(role["folder"])
        self._device = role.get("device", "cpu")
        self._caller: Any = None
        self._calls = 0

    def do_describe(self) -> dict[str, Any]:
        """Load the file, and say what the candidate is."""
        path, name, form = self._role["file"], self._role["name"], self._role["form"]
        began = time.perf_counter()
        if path.endswith(LIBRARIES):
            from conformance.kernels.bench.library import LibraryCaller

            self._caller, form = LibraryCaller(path, name), "library"
            found_name, parameters = name, {}
        else:
            module = loading.load_module(path, _NAME)
            if form == "operator":
                found_name, candidate = "operator", None
            else:
                found_name, candidate = loading.find(module, name)
                form = form or loading.form_of(candidate, module)
            parameters = {} if candidate is None else loading.parameters(candidate)
            self._caller = _caller(form, candidate, self._device)
        return {
            "file": str(Path(path).resolve()),
            "form": form,
            "name": found_name,
            "parameters": parameters,
            "seconds": time.perf_counter() - began,
            **self._caller.facts(),
        }

    def do_make(self, **what: Any) -> dict[str, Any]:
        """Construct it; of a function there is nothing to construct."""
        made: dict[str, Any] = self._caller.make(**what)
        return made

    def do_call(
        self,
        inputs: list[Described],
        arguments: dict[str, Any],
        due: list[int],
        cotangent: Described | None = None,
    ) -> dict[str, Any]:
        """Call it, and write what it returned to files; `due` is the shape that is expected, for
        memory to poison.
        """
        self._calls += 1
        remarks: dict[str, Any] = self._caller.call(inputs, arguments, due, cotangent)
        return {**remarks, **self._caller.write(self._folder, f"y{self._calls}")}

    def do_recall(self) -> dict[str, Any]:
        """The last call once more, with the numbers that its inputs hold now."""
        self._calls += 1
        remarks: dict[str, Any] = self._caller.recall()
        return {**remarks, **self._caller.write(self._folder, f"y{self._calls}")}

    def do_again(self) -> dict[str, Any]:
        """Write what was returned once more: it must be what it was, whatever became of the
        inputs.
        """
        time.sleep(LATE)
        self._calls += 1
        written: dict[str, Any] = self._caller.write(self._folder, f"y{self._calls}", late=True)
        return written

    def do_repeat(self, times: int) -> dict[str, Any]:
        """Make the last call so many times: whoever asked has the clock."""
        self._caller.repeat(times)
        return {}

    def do_hear(self) -> dict[str, Any]:
        """The last call once more, at the size that is judged: which operators of torch it comes
        to, whose code it runs, and which functions it has replaced.
        """
        operators: list[str] = []

        def call() -> None:
            operators.extend(self._caller.operators())

        files, functions = trace.ran(call)
        return {
            "operators": sorted({*operators, *functions}),
            "files": sorted(files),
            "replaced": trace.replaced(),
        }


def _caller(form: str, candidate: Any, device: str) -> Any:
    if form == "numpy":
        from conformance.kernels.bench.numpy_caller import NumpyCaller

        return NumpyCaller(candidate)
    from conformance.kernels.bench import torch_caller

    classes = {
        "module": torch_caller.ModuleCaller,
        "function": torch_caller.FunctionCaller,
        "convolution": torch_caller.ConvolutionCaller,
        "operator": torch_caller.OperatorCaller,
    }
    if form not in classes:
        raise LoadingError(f"has the form {form}, should be one of {', '.join(loading.FORMS)}")
    return classes[form](candidate, device)
