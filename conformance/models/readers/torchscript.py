"""TorchScript, scripted or traced: what `torch.jit.save` writes."""

from __future__ import annotations

import zipfile

import torch

from conformance.models.guard import no_pickle
from conformance.models.readers.torchcalls import Recording, run
from conformance.models.results import ReadingError, Request, Results


def read(request: Request, results: Results) -> None:
    """Run on the sample that is given: TorchScript has no shapes of its own.

    A layer's name is that of the module that its parameters belong to.
    """
    results.versions["torch"] = torch.__version__
    _check(request.path)
    results.say("loads the program")
    with no_pickle(unsafe=request.unsafe):
        module = torch.jit.load(request.path, map_location="cpu").eval()
    if not request.inputs:
        raise ReadingError(
            "is TorchScript, which has no shapes: should be given an input (--input)"
        )
    parameters = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    recording = Recording(results, parameters, keep=request.activations)
    samples = [(entry.name, entry.numbers(None)) for entry in request.inputs]
    names = [argument.name for argument in module.forward.schema.arguments[1:]]
    with torch.jit.optimized_execution(False):
        run(module, names, samples, recording, results)


def _check(path: str) -> None:
    """Refuse what is not TorchScript before a loader sees it: a pickle is run by being read."""
    if not zipfile.is_zipfile(path):
        raise ReadingError(
            "is not TorchScript: a pickle of weights or of a module is not read, should be given "
            "as package.module:callable with --weights"
        )
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if not any("/code/" in name for name in names):
        raise ReadingError(
            "has weights and no program, should be given as package.module:callable with --weights "
            "FILE"
        )
