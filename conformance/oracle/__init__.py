"""What is true: the transposed convolution and its gradients in float64, and what bounds an
engine's error?
"""

from conformance.oracle.gradients import GradientTruth, gradient_truths
from conformance.oracle.reference import conv_transpose, transpose_into_window
from conformance.oracle.truth import Truth, truth_of

__all__ = [
    "GradientTruth",
    "Truth",
    "conv_transpose",
    "gradient_truths",
    "transpose_into_window",
    "truth_of",
]
