"""The documentation as a site: Sphinx builds it without a warning, and readers find all pages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from helpers import CHECKOUT

import conformance

DOCS = CHECKOUT / "docs"
FRAMEWORKS = ("torch", "tensorflow", "keras", "jax", "flax", "onnx", "onnxruntime")
MADE_BY_SPHINX = {"genindex", "search", "py-modindex"}
BUILD = f"""
import sys
from sphinx.cmd.build import main
code = main(["-q", "-W", "--keep-going", "-b", "html", *sys.argv[1:]])
imported = [name for name in {FRAMEWORKS!r} if name in sys.modules]
sys.exit(f"imported {{imported}}" if imported else code)
"""


class Page(HTMLParser):
    """What a page links, loads and can be linked at."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.ids: set[str] = set()
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value for key, value in attrs if value is not None}
        self.ids |= {values["id"]} if "id" in values else set()
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif "src" in values or tag == "link":
            self.loaded.append(values.get("src") or values["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site, built as `tox -e docs` builds it: a warning is an error."""
    folder = tmp_path_factory.mktemp("docs")
    environment = {name: value for name, value in os.environ.items() if "GITHUB" not in name}
    built = subprocess.run(
        [sys.executable, "-c", BUILD, "-d", str(folder / "trees"), str(DOCS), str(folder / "html")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    """Name -> page."""
    return {file.stem: Page(file) for file in sorted(site.glob("*.html"))}


def places(page: Page) -> Iterator[tuple[str, str]]:
    """(file, fragment) of every link within the site; the file is empty for the page itself."""
    for link in page.links:
        if not re.match(r"[a-z]+:", link):
            name, _, fragment = unquote(link).partition("#")
            yield name, fragment


def test_every_page_is_reached_from_the_index(pages: dict[str, Page]) -> None:
    """Every page of the folder is a page of the site, and links of the index lead to it."""
    assert set(pages) - MADE_BY_SPHINX == {file.stem for file in DOCS.glob("*.md")}
    linked = {Path(name).stem for name, _ in places(pages["index"]) if name}
    assert linked >= set(pages) - MADE_BY_SPHINX - {"index"}


def test_the_order_is_that_of_the_four_kinds() -> None:
    """A reader learns, does, looks up and understands, in this order."""
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    titles = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert titles == ["Tutorial", "How-to", "Reference", "Explanation"]


def test_no_link_is_dead(site: Path, pages: dict[str, Page]) -> None:
    """A link within the site leads to a file, and its fragment to a place there."""
    dead = []
    for stem, page in pages.items():
        for name, fragment in places(page):
            file = site / name if name else site / f"{stem}.html"
            target = pages.get(file.stem) if file.suffix == ".html" else None
            if not file.is_file() or (fragment and target and fragment not in target.ids):
                dead.append(f"{stem}: {name}#{fragment}")
    assert not dead


def test_nothing_is_loaded_from_elsewhere(site: Path, pages: dict[str, Page]) -> None:
    """Scripts, styles, fonts and pictures lie beside the pages: the site opens without a
    network.
    """
    loaded = {address for page in pages.values() for address in page.loaded}
    for style in site.rglob("*.css"):
        loaded |= set(re.findall(r"(?:url\(|@import )[\"']?([^\"')]+)", style.read_text("utf-8")))
    assert loaded
    assert not [one for one in loaded if re.match(r"(https?:)?//", one)]


def test_every_public_name_has_its_docstring(pages: dict[str, Page]) -> None:
    """The reference of the API has all of `conformance.__all__`."""
    assert {f"conformance.{name}" for name in conformance.__all__} <= pages["api"].ids


def test_the_table_of_features_is_seen_whole(browser: Any, site: Path) -> None:
    """On a screen of 1440 pixels no engine's column is out of sight."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto((site / "support.html").as_uri())
    table = page.locator("table.docutils").first
    assert table.locator("thead th").count() > 10
    box = table.locator("thead th").last.bounding_box()
    assert box["x"] + box["width"] <= 1440
    assert table.evaluate(
        "(table) => table.parentElement.scrollWidth <= table.parentElement.clientWidth"
    )
    page.close()
