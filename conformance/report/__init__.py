"""The presentation of a record: as a page, in Markdown, for GitHub."""

from conformance.report.page import render, write_page

__all__ = ["render", "write_page"]
