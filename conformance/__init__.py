"""A conformance suite for transposed convolution. The names below are imported when first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conformance.adapters import Unsupported
    from conformance.callables import check
    from conformance.check_report import Report
    from conformance.corpus.case import Case
    from conformance.corpus.files import load_cases
    from conformance.errors import CaseFileError, ModelError, PortError
    from conformance.oracle import conv_transpose
    from conformance.porting import port, port_model

__version__ = "0.1.0"

__all__ = [
    "Case",
    "CaseFileError",
    "ModelError",
    "PortError",
    "Report",
    "Unsupported",
    "check",
    "conv_transpose",
    "load_cases",
    "port",
    "port_model",
]

_HOMES = {
    "Case": "corpus.case",
    "CaseFileError": "errors",
    "ModelError": "errors",
    "PortError": "errors",
    "Report": "check_report",
    "Unsupported": "adapters",
    "check": "callables",
    "conv_transpose": "oracle",
    "load_cases": "corpus.files",
    "port": "porting",
    "port_model": "porting",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
