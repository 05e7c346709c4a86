"""What is true: the transposed convolution in float64, and what bounds an engine's error."""

from conformance.oracle.reference import conv_transpose, transpose_into_window
from conformance.oracle.truth import Truth, truth_of

__all__ = ["Truth", "conv_transpose", "transpose_into_window", "truth_of"]
