"""package.module:callable, called to make a model: what comes says which framework reads it."""

from __future__ import annotations

import importlib
from typing import Any

from conformance.models.results import ReadingError, Request, Results


def read(request: Request, results: Results) -> None:
    """Call it, and read what it makes. The code of the module runs: whoever names it means it."""
    module_name, _, name = request.path.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise ReadingError(
            f"cannot be imported: {error} (looked in the working folder and PYTHONPATH)"
        ) from None
    make = getattr(module, name, None)
    if make is None:
        raise ReadingError(f"cannot be made: module {module_name} has no {name}")
    results.say(f"calls {request.path}")
    model = make() if callable(make) and not _framework(make) else make
    framework = _framework(model)
    if framework is None:
        raise ReadingError(
            f"made a {type(model).__name__}, should make a torch.nn.Module or a keras.Model"
        )
    reader, function = _READERS[framework]
    getattr(importlib.import_module(f"{__package__}.{reader}"), function)(model, request, results)


_READERS = {
    "torch": ("torchmodule", "read_module"),
    "keras": ("keras", "read_model"),
}
_CLASSES = {
    "torch": ("torch.nn.modules.module", "Module"),
    "keras": ("keras.src.layers.layer", "Layer"),
}


def _framework(model: Any) -> str | None:
    """The framework of an object, by the classes that it derives from: none is imported for it."""
    bases = {(base.__module__, base.__name__) for base in type(model).__mro__}
    return next((name for name, base in _CLASSES.items() if base in bases), None)
