"""How is a record told: on a page, in Markdown, to GitHub?"""

from conformance.report.page import render, write_page

__all__ = ["render", "write_page"]
