"""The page and axe-core: nothing to complain of in light, dark, wide and on a phone; and the
screenshots.
"""

from __future__ import annotations

import importlib.util
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.record.record import Record

SCREENSHOTS = os.environ.get("CONFORMANCE_SCREENSHOTS")
"""A folder to keep the screenshots in; report.png and case.png are the README's, in docs/images."""
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
DRAW_ALL = """async () => {
  for (const figure of document.querySelectorAll('[data-figure]')) {
    figure.scrollIntoView();
    await new Promise((done) => setTimeout(done, 150));
  }
  scrollTo(0, 0);
}"""


def violations(page: Any) -> list[str]:
    """What axe-core finds wrong, each with where."""
    page.evaluate((Path(axe_folder()) / "axe.min.js").read_text(encoding="utf-8"))
    result = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{entry['id']}: {node['target']} {node['failureSummary']}"
        for entry in result["violations"]
        for node in entry["nodes"][:3]
    ]


def axe_folder() -> str:
    spec = importlib.util.find_spec("axe_playwright_python")
    if spec is None or not spec.submodule_search_locations:
        if os.environ.get("CI"):
            pytest.fail("axe_playwright_python is not installed, should be there in CI")
        pytest.skip("axe_playwright_python is not installed")
    return spec.submodule_search_locations[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where screenshots go."""
    return Path(SCREENSHOTS) if SCREENSHOTS else tmp_path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_axe_finds_nothing(
    visit: Callable[..., Any],
    reference_page: str,
    scheme: str,
    viewport: dict[str, int],
    folder: Path,
) -> None:
    """Contrast, names, roles, order: with everything unfolded, and with a case open; nothing is
    wider than the window.
    """
    page = visit(reference_page, color_scheme=scheme, viewport=viewport)
    name = f"{scheme}-{viewport['width']}"
    page.screenshot(path=folder / f"top-{name}.png")
    page.evaluate(
        "for (const details of document.querySelectorAll('main details')) details.open = true"
    )
    page.evaluate(DRAW_ALL)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=folder / f"page-{name}.png", full_page=True)
    assert violations(page) == []
    page.evaluate(
        "State.update({ case: 'textbook/cs231n/two-by-two-to-four-by-four', on: 'onnxruntime@cpu' "
        "})"
    )
    page.wait_for_selector("dialog[open] .program")
    page.screenshot(path=folder / f"program-{name}.png")
    page.evaluate(
        "for (const details of document.querySelectorAll('dialog details')) details.open = true"
    )
    page.wait_for_timeout(300)
    assert page.evaluate(
        "(() => { const d = document.querySelector('dialog'); return d.scrollWidth <= "
        "d.clientWidth; })()"
    )
    assert violations(page) == []


def test_the_readme_s_pictures_are_taken(
    visit: Callable[..., Any], reference_page: str, reference: Record, folder: Path
) -> None:
    """The matrix where something differs, and a case with its signed error; small enough for
    git.
    """
    page = visit(f"{reference_page}#status=differs", viewport={"width": 1200, "height": 720})
    page.evaluate("document.getElementById('matrix').scrollIntoView()")
    page.screenshot(path=folder / "report.png")
    wrong = [
        v
        for v in reference.verdicts
        if v.diagnosis and v.got and (v.mismatch or {}).get("kind") == "values"
    ]
    shifted = min(
        wrong,
        key=lambda v: (
            "start" in v.got,
            "window" not in v.diagnosis["text"],
            abs(math.prod(v.got["shape"]) - 60),
        ),
    )
    page.evaluate(
        "([name, on]) => State.update({ case: name, on })",
        [shifted.case, f"{shifted.adapter}@{shifted.device}"],
    )
    page.wait_for_selector("dialog[open] .pictures")
    page.screenshot(path=folder / "case.png")
    assert all((folder / name).stat().st_size < 300_000 for name in ("report.png", "case.png"))
