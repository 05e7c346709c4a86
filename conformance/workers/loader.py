"""The adapter that a name of the registry, or package.module:Class, stands for."""

from __future__ import annotations

import importlib
import importlib.util

from conformance.adapters import REGISTRY, Adapter


class Absent(Exception):  # noqa: N818 - what is the case, not a fault
    """The adapter cannot be had: not installed, or no such module or class."""


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
    return adapter


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
