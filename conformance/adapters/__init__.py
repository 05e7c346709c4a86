"""How is one framework asked? The public API of an adapter, and the table of those that are
shipped.
"""

from conformance.adapters.adapter import (
    STAGE,
    Adapter,
    Missing,
    PreparedCall,
    Unsupported,
    refuse_misfit,
    refuse_promotion,
    refuse_unsaid,
    stage,
)
from conformance.adapters.entry import Entry
from conformance.adapters.environment import (
    NOT_ALONE,
    PRECISIONS,
    precision_environment,
    thread_environment,
    wants_strict,
)
from conformance.adapters.registry import OTHER_LAYOUT, REGISTRY
from conformance.adapters.shapefunction import Operand, ShapeFunction, Sizes

__all__ = [
    "NOT_ALONE",
    "OTHER_LAYOUT",
    "PRECISIONS",
    "REGISTRY",
    "STAGE",
    "Adapter",
    "Entry",
    "Missing",
    "Operand",
    "PreparedCall",
    "ShapeFunction",
    "Sizes",
    "Unsupported",
    "precision_environment",
    "refuse_misfit",
    "refuse_promotion",
    "refuse_unsaid",
    "stage",
    "thread_environment",
    "wants_strict",
]
