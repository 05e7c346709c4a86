"""How does a framework spell a window? Native arguments <-> geometry, one module per framework."""

from conformance.conventions.arguments import ArgumentError, Native, Unrepresentable
from conformance.conventions.dtypes import Dtypes
from conformance.conventions.dtypes import arguments as dtype_arguments
from conformance.conventions.table import NAMES, Convention, get, normal_form

__all__ = [
    "NAMES",
    "ArgumentError",
    "Convention",
    "Dtypes",
    "Native",
    "Unrepresentable",
    "dtype_arguments",
    "get",
    "normal_form",
]
