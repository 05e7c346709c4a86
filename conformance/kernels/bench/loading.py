"""The candidate in a file: a class or a function, and in which of the forms that people write."""

from __future__ import annotations

import importlib.util
import inspect
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from conformance.wording import instead

FORMS = ("module", "function", "convolution", "numpy", "operator", "library")
"""A torch.nn.Module; a function as torch.nn.functional's; one as aten.convolution, with
`transposed`; one of NumPy arrays as `conformance.check` calls it; one that replaces torch's own
operator when its file is imported; a function of a C library."""

LIBRARIES = (".so", ".dll", ".dylib")
NAMED = ("ModelNew",)
"""Names that need not be said."""
ENDS = ("_kernel_impl",)
"""How the function of a file of BackendBench ends."""


class LoadingError(Exception):
    """The file has no candidate: one sentence."""


def load_module(path: str, name: str) -> ModuleType:
    """The module of a file, under a name of its own; its folder is on the path, as when it is
    run.
    """
    file = Path(path).resolve()
    if "triton" in file.read_text(encoding="utf-8", errors="replace") and not _has_gpu():
        os.environ.setdefault("TRITON_INTERPRET", "1")
    sys.path.insert(0, str(file.parent))
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None, "a file that ends in .py"
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _has_gpu() -> bool:
    import torch

    return bool(torch.cuda.is_available())


def find(module: ModuleType, name: str | None) -> tuple[str, Any]:
    """The candidate of a module and its name. Raises LoadingError where it is not clear which."""
    if name is not None:
        if not hasattr(module, name):
            public = _public(module)
            should = instead(name, public) if public else f"and {_listed(public)}"
            raise LoadingError(f"has no {name}, {should}")
        return name, getattr(module, name)
    for known in NAMED:
        if hasattr(module, known):
            return known, getattr(module, known)
    public = _public(module)
    for each in public:
        if each.endswith(ENDS):
            return each, getattr(module, each)
    if len(public) == 1:
        return public[0], getattr(module, public[0])
    raise LoadingError(f"has {_listed(public)}: say which, as FILE.py:NAME")


def _public(module: ModuleType) -> list[str]:
    """The classes and functions that are made in the file itself and could be a kernel."""
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and name not in ("Model", "get_inputs", "get_init_inputs")
        and (inspect.isclass(value) or inspect.isroutine(value))
        and getattr(value, "__module__", module.__name__) == module.__name__
    ]


def _listed(names: list[str]) -> str:
    return ", ".join(names) if names else "neither a class nor a function"


def form_of(candidate: Any, module: ModuleType) -> str:
    """In which form a candidate is written. Raises LoadingError where it is none."""
    torch = sys.modules.get("torch")
    if torch is not None and inspect.isclass(candidate):
        if issubclass(candidate, torch.nn.Module):
            return "module"
        raise LoadingError(f"{candidate.__name__} is a class, should be a torch.nn.Module")
    if torch is not None and isinstance(candidate, torch.nn.Module):
        raise LoadingError("is a module that is made already, should be its class")
    if not callable(candidate):
        raise LoadingError(f"is {type(candidate).__name__}, should be a class or a function")
    names = list(parameters(candidate))
    if "transposed" in names:
        return "convolution"
    return "function" if torch is not None and "torch" in vars(module) else "numpy"


def parameters(candidate: Any) -> dict[str, Any]:
    """Names of parameters -> defaults that can be told, "required", or "..." for others."""
    try:
        signature = inspect.signature(candidate)
    except (TypeError, ValueError):
        return {}
    names = {}
    for name, parameter in signature.parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        default = parameter.default
        if default is parameter.empty:
            names[name] = "required"
        else:
            plain = isinstance(default, int | float | bool | tuple | list | type(None))
            names[name] = default if plain else "..."
    return names
