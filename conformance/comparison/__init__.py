"""Are two models the same, and if not, which layer is it, and which mistake?

Transposed convolutions are explained; every other operator is located alone.
"""

from conformance.comparison.comparing import compare_models
from conformance.comparison.results import Finding, ModelComparison, Pair
from conformance.comparison.sampling import Reading, moves_of, read_both

__all__ = [
    "Finding",
    "ModelComparison",
    "Pair",
    "Reading",
    "compare_models",
    "moves_of",
    "read_both",
]
