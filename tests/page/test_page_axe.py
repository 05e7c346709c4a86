"""The page and axe-core: nothing to complain of in light, dark, wide and on a phone; and the
screenshots.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import command

SCREENSHOTS = os.environ.get("CONFORMANCE_SCREENSHOTS")
"""A folder to keep the screenshots in; caught.png is the README's, in docs/images."""
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


PORTED = """import conformance


class Ported:  # PyTorch's layer, ported to Keras' padding="same"
    convention = "torch"

    def versions(self):
        return {"my-port": "1.0"}

    def devices(self):
        return ["cpu"]

    def call(self, x, kernel, bias, native, device):
        full = conformance.conv_transpose(x, kernel, bias, stride=native["stride"])
        rows, columns = (2 * size for size in x.shape[2:])
        return full[:, :, :rows, :columns].astype(x.dtype)
"""


def test_the_readme_s_picture_is_taken(
    visit: Callable[..., Any], tmp_path: Path, folder: Path
) -> None:
    """A port that is one pixel off, caught: what is new, the cause with its error drawn, and the
    engines; whole rows, small enough for git.
    """
    (tmp_path / "my_port.py").write_text(PORTED, encoding="utf-8")
    case = "textbook/cs231n/two-by-two-to-four-by-four"
    words = ("run", case, "-a", "torch", "-a", "my-port=my_port:Ported", "--timing", "off")
    done = command(*words, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    address = (tmp_path / "reports" / "latest" / "index.html").as_uri()
    page = visit(address, viewport={"width": 1100, "height": 1400})
    page.wait_for_selector(".cause[open] .worst > *")
    assert "Keras same" in page.inner_text(".cause pre")
    below = page.evaluate("document.getElementById('engines').getBoundingClientRect().bottom")
    file = folder / "caught.png"
    page.screenshot(path=file, clip={"x": 0, "y": 0, "width": 1100, "height": below + 8})
    assert file.stat().st_size < 300_000
