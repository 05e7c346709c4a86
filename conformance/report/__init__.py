"""The page of a record."""

from conformance.report.page import render, write_page

__all__ = ["render", "write_page"]
