"""Calls in a framework's own words, read."""

from conformance.porting.calls.reader import read

__all__ = ["read"]
