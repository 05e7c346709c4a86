"""One self-contained HTML page of a comparison: both models side by side, a row a pair."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from conformance.comparison.messages import summary
from conformance.comparison.results import MEANINGS, ModelComparison
from conformance.errors import UsageError
from conformance.report.page import asset, environment, writable
from conformance.system.files import replace_file

PAGE = "index.html"


def write_page(comparison: ModelComparison, folder: Path) -> Path:
    """Write the page into the folder; raises UsageError if that cannot be done."""
    page = folder / PAGE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(page, render(comparison))
    except OSError as error:
        raise UsageError(
            f"{page} cannot be written: {error.strerror}, should be in a folder that can be"
        ) from None
    return page


def render(comparison: ModelComparison) -> str:
    """The page as text; everything that comes from a model is escaped. It has no script."""
    page = (
        environment("conformance.comparison")
        .get_template("page.html.j2")
        .render(
            comparison=comparison,
            summary=summary(comparison),
            meanings=MEANINGS,
            styles=Markup(asset("base.css") + asset("page.css")),
        )
    )
    return writable(page)
