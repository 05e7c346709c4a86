"""A page with the drawings' scripts and styles alone, for tests that look at one drawing."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers import CHECKOUT

ASSETS = CHECKOUT / "conformance" / "report" / "assets"
SCRIPTS = ("vendor/uPlot.iife.min.js", "draw.js", "grid.js", "planes.js", "charts.js", "scatter.js")
STYLES = ("vendor/uPlot.min.css", "base.css", "page.css", "drawings.css")


@pytest.fixture(scope="module")
def drawings(browser: Any) -> Iterator[tuple[Callable[..., Any], list[str]]]:
    """Opens a page of each theme and width once, and keeps what they complain of."""
    opened: dict[tuple[str, int], Any] = {}
    noise: list[str] = []
    styles, scripts = (
        "\n".join((ASSETS / name).read_text(encoding="utf-8") for name in names)
        for names in (STYLES, SCRIPTS)
    )
    content = (
        '<!DOCTYPE html><html lang="en"><head><meta '
        f'charset="utf-8"><title>drawings</title><style>{styles}</style></head>'
        "<body><main><h1>Drawings</h1><h2>One</h2><div "
        f'id="place"></div></main><script>{scripts}</script></body></html>'
    )

    def open_page(scheme: str, width: int) -> Any:
        if (scheme, width) not in opened:
            page = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme
            ).new_page()
            page.set_default_timeout(20_000)
            page.on("console", lambda message: noise.append(f"console: {message.text}"))
            page.on("pageerror", lambda error: noise.append(f"error: {error}"))
            page.on("request", lambda request: noise.append(f"asks {request.url}"))
            page.set_content(content)
            opened[scheme, width] = page
        return opened[scheme, width]

    yield open_page, noise
    for page in opened.values():
        page.context.close()


@pytest.fixture
def canvas(drawings: tuple[Callable[..., Any], list[str]]) -> Iterator[Callable[..., Any]]:
    """A page with the drawings and nothing on it: canvas(scheme="dark", width=390). Anything it
    complains of fails the test.
    """
    open_page, noise = drawings
    noise.clear()

    def cleared(*, scheme: str = "light", width: int = 1440) -> Any:
        page = open_page(scheme, width)
        page.evaluate("document.getElementById('place').replaceChildren()")
        page.mouse.move(0, 0)
        return page

    yield cleared
    assert noise == []


def draw(page: Any, name: str, *given: Any) -> Any:
    """Puts Draw.name(*given) on the page; returns the place's locator and keeps the milliseconds in
    window.took.
    """
    page.evaluate(
        """([name, given]) => {
            const began = performance.now();
            const made = Draw[name](...given);
            document.getElementById("place").replaceChildren(made);
            window.took = performance.now() - began;
        }""",
        [name, json.loads(json.dumps(list(given)))],
    )
    return page.locator("#place")


def chart(page: Any, name: str, data: Any) -> Any:
    """Fills the place with Charts.name; returns its locator."""
    page.evaluate(
        "([name, data]) => Charts[name](document.getElementById('place'), data)", [name, data]
    )
    return page.locator("#place")


def violations(page: Any) -> list[str]:
    """What axe-core finds wrong with a page, each with where; skips without axe-core, but not in
    CI.
    """
    spec = importlib.util.find_spec("axe_playwright_python")
    if spec is None or not spec.submodule_search_locations:
        if os.environ.get("CI"):
            pytest.fail("axe-playwright-python is not installed, should be there in CI")
        pytest.skip("axe-playwright-python is not installed")
    page.evaluate(
        (Path(spec.submodule_search_locations[0]) / "axe.min.js").read_text(encoding="utf-8")
    )
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
    return [
        f"{entry['id']}: {node['target']} {node['failureSummary']}"
        for entry in found
        for node in entry["nodes"][:3]
    ]


def first_paint(open_page: Callable[[], Any]) -> float:
    """Milliseconds until something is seen of the page that `open_page` opens: the least of five,
    since other processes take the processor too, or the first that is below 1.5 s.
    """
    paints: list[float] = []
    while len(paints) < 5 and min(paints, default=1500.0) >= 1500:
        # a page may be ready before it is painted
        paint = open_page().wait_for_function(
            "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
        )
        paints.append(paint.json_value())
    return min(paints)
