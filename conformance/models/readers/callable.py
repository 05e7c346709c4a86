"""package.module:callable, called to make a model: what comes says which framework reads it."""

from __future__ import annotations

import importlib
import sys
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
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)  # the same weights at every reading
    is_model = not isinstance(make, type) and _framework(make) is not None
    model = make() if callable(make) and not is_model else make
    framework = _framework(model) or ("jax" if callable(model) and "jax" in sys.modules else None)
    if framework is None:
        raise ReadingError(
            f"made a {type(model).__name__}, should make a torch.nn.Module, a keras.Model, an "
            "nnx.Module, a function of JAX, or a Linen module and its variables"
        )
    reader, function = _READERS[framework]
    getattr(importlib.import_module(f"{__package__}.{reader}"), function)(model, request, results)


_READERS = {
    "torch": ("torchmodule", "read_module"),
    "keras": ("keras", "read_model"),
    "jax": ("jax", "read_model"),
}
_CLASSES = {  # Keras before torch: on that backend its layers are torch's modules, too
    "keras": ("keras.src.layers.layer", "Layer"),
    "torch": ("torch.nn.modules.module", "Module"),
}


def _framework(model: Any) -> str | None:
    """The framework of an object, by the classes that it derives from: none is imported for it."""
    bases = {(base.__module__, base.__name__) for base in type(model).__mro__}
    framework = next((name for name, base in _CLASSES.items() if base in bases), None)
    is_flax = any(base.__module__.startswith("flax.") for base in _classes(model))
    return framework or ("jax" if is_flax else None)


def _classes(model: Any) -> list[type]:
    """The classes of an object, or of the module in (module, variables)."""
    first = model[0] if isinstance(model, tuple) and len(model) == 2 else model
    return [*type(first).__mro__]
