"""The adapter that a name of the registry, or package.module:Class, stands for."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from typing import Any

from conformance import conventions
from conformance.adapters import REGISTRY, Adapter


class Absent(Exception):  # noqa: N818 - what is the case, not a fault
    """The adapter cannot be had: not installed, no such module or class, or a class that is none
    of an adapter.
    """


ARGUMENTS = ("x", "kernel", "bias", "native", "device")
"""Those of an adapter's `call`, by position."""


def load(spec: str) -> Adapter:
    if spec in REGISTRY:
        entry = REGISTRY[spec]
        for package in entry.needs:
            if importlib.util.find_spec(package) is None:
                raise Absent(f"{package} is not installed: {entry.advice(spec, package)}")
        module_name, class_name = entry.module, entry.adapter
    else:
        module_name, _, class_name = spec.partition(":")
        if not _exists(module_name):
            raise Absent(
                f"there is no module {module_name} (looked in the working folder, PYTHONPATH and "
                "the interpreter's own)"
            )
    adapter_class = getattr(importlib.import_module(module_name), class_name, None)
    if adapter_class is None:
        raise Absent(f"module {module_name} has no {class_name}")
    adapter: Adapter = (
        adapter_class(**REGISTRY[spec].options) if spec in REGISTRY else adapter_class()
    )
    if spec not in REGISTRY:
        _check(adapter, class_name)
    return adapter


def _check(adapter: Any, name: str) -> None:
    """Raise Absent, which is told once, for what every call of the adapter would fail by."""
    known = ", ".join(conventions.NAMES)
    if not hasattr(adapter, "convention"):
        raise Absent(f"class {name} has no attribute convention, should be one of {known}")
    for method in ("versions", "devices", "call"):
        if not callable(getattr(adapter, method, None)):
            raise Absent(f"class {name} has no method {method}, should have it (docs/adapters.md)")
    try:
        signature = inspect.signature(adapter.call)
    except (TypeError, ValueError):
        return  # a function in C, which does not say
    try:
        signature.bind(*ARGUMENTS)
    except TypeError:
        raise Absent(
            f"{name}.call takes {signature}, should take ({', '.join(ARGUMENTS)})"
        ) from None


def _exists(module_name: str) -> bool:
    """Whether a module is there, asked part by part: looking for a.b imports a."""
    parts = module_name.split(".")
    for end in range(1, len(parts) + 1):
        try:
            if importlib.util.find_spec(".".join(parts[:end])) is None:
                return False
        except ModuleNotFoundError:
            return False
    return True
