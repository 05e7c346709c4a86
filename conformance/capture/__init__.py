"""What of a model is a case? Its transposed convolutions as a case file, large arrays beside it."""

from conformance.capture.files import Captured, capture, check_file

__all__ = ["Captured", "capture", "check_file"]
