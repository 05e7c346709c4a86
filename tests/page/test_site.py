"""The board of this repository's own records in a headless browser: it opens from disk, asks for
nothing, leads nowhere that is not there, and says what the records say.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from browser import first_paint, violations
from helpers import CHECKOUT

from conformance.board.site import Site, write_site
from conformance.record.reader import read_record
from conformance.record.tally import Tally

REPORTS = CHECKOUT / "reports"
FEW = ("onnxruntime-1.31.1", "onnxruntime-1.27.0", "avx2")
"""The records that the board of these tests is of: two releases, and another instruction set."""
MOST_BYTES = 20e6
UNFOLD = "for (const one of document.querySelectorAll('main details')) one.open = true"


@pytest.fixture(scope="module")
def records() -> list[Path]:
    files = sorted((REPORTS / "records").glob("*.jsonl.gz"))
    few = [file for file in files if file.name.removesuffix(".jsonl.gz").endswith(FEW)]
    assert len(few) == len(FEW)
    return few


@pytest.fixture(scope="module")
def site(records: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The board, on disk."""
    return write_site(records, tmp_path_factory.mktemp("site"))


class Links(HTMLParser):
    """The links of a page, and the names that lead to a place on it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.names: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for key, value in attrs:
            if key == "href" and value is not None:
                self.links.append(value)
            if key == "id" and value is not None:
                assert value not in self.names, f"two places are called {value}"
                self.names.add(value)


def page_of(site: Site, start: str) -> Path:
    """The page of an engine, of a case file or of a record whose name ends so."""
    (page,) = site.index.parent.glob(start)
    return page


PAGES = (
    "index.html",
    "engines/onnxruntime.html",
    "cases/edge.empty.html",
    "cases/index.html",
    "records/*-avx2/index.html",
)


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(visit: Callable[..., Any], site: Site, name: str) -> None:
    """In light and dark, wide and on a phone, with everything unfolded; nothing is wider than the
    window, and nothing is asked for (the fixture fails the test).
    """
    address = page_of(site, name).as_uri()
    for width, scheme in ((1440, "light"), (390, "dark")):
        page = opened(visit, address, width, scheme)
        assert violations(page) == []


def opened(visit: Callable[..., Any], address: str, width: int, scheme: str) -> Any:
    page = visit(address, viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.evaluate(UNFOLD)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
    return page


def test_pages_are_quick_and_narrow_enough(visit: Callable[..., Any], site: Site) -> None:
    """First paint within 1.5 s; at 1024 pixels too nothing is wider than the window."""
    for name in PAGES[:3]:
        address = page_of(site, name).as_uri()
        assert 0 < first_paint(lambda at=address: opened(visit, at, 1024, "light")) < 1500


def test_it_is_used_by_keys_and_the_theme_is_switched(
    visit: Callable[..., Any], site: Site
) -> None:
    """The first key of tabulation leads to the content, the second to the theme's button."""
    page = visit(site.index.as_uri(), color_scheme="dark")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Tab")
    paper = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(paper)
    page.keyboard.press("Enter")
    assert page.evaluate(paper) != before
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.href").endswith("/cases/index.html")


def test_every_link_leads_somewhere(site: Site) -> None:
    """To a file of the site, and to a name that it has; nothing but sources of known failures lies
    outside.
    """
    folder = site.index.parent
    pages = {path: Links(path.read_text(encoding="utf-8")) for path in folder.rglob("*.html")}
    assert len(pages) > 90
    for path, parsed in pages.items():
        for link in parsed.links:
            if link.startswith(("https://", "http://", "data:")):
                continue
            address, _, name = link.partition("#")
            target = (path.parent / unquote(address)).resolve() if address else path
            assert target.is_file(), f"{path}: {link}"
            if name:
                assert unquote(name) in pages[target].names, f"{path}: {link}"
    reached, frontier = {site.index}, [site.index]
    while frontier:
        path = frontier.pop()
        for link in pages[path].links:
            address = link.partition("#")[0]
            target = (path.parent / unquote(address)).resolve() if address else path
            if target in pages and target not in reached:
                reached.add(target)
                frontier.append(target)
    assert reached == pages.keys()


def test_numbers_are_those_of_the_records(
    visit: Callable[..., Any], site: Site, records: list[Path]
) -> None:
    """What the page of each record says of an engine is the tally of the record, and so is what can
    be downloaded there.
    """
    for path in records[:2]:
        record = read_record(path)
        tally = Tally(record.verdicts)
        day = record.run["started"][:10]
        name = path.name.removesuffix(".jsonl.gz").removeprefix(f"{day}-")
        page = page_of(site, f"records/{day}-{name}/index.html")
        rows = visit(page.as_uri()).locator("tbody tr").all_inner_texts()
        told = {row.split("\t")[0]: row.split("\t")[3:] for row in rows}
        assert told.keys() == tally.counts.keys()
        for engine, counts in tally.counts.items():
            asked = sum(v.is_checked for v in record.verdicts if v.adapter == engine)
            known = sum(v.known is not None for v in record.verdicts if v.adapter == engine)
            new = sum(v.unexpected for v in record.verdicts if v.adapter == engine)
            silent = counts.total() - asked
            assert told[engine] == [
                f"{asked - known - new} of {asked}",
                *map(str, (known, new, silent)),
            ]
        kept = read_record(page.parent)
        assert Tally(kept.verdicts).counts == tally.counts


def test_a_case_says_who_fails_it(visit: Callable[..., Any], site: Site) -> None:
    """The page of an engine leads to the case by its own address."""
    page = visit(page_of(site, "engines/onnxruntime.html").as_uri())
    page.evaluate(UNFOLD)
    link = page.locator("#wrong ul.cases a").first
    name = link.inner_text().partition(",")[0]
    page = visit(link.evaluate("link => link.href"))
    section = page.locator("section.call:target")
    assert section.locator("h2").inner_text().split()[0] == name.rpartition("/")[2]
    section.locator("summary").first.click()
    assert "onnxruntime" in section.locator("details a").all_inner_texts()


def test_the_whole_board_is_small(site: Site, records: list[Path]) -> None:
    """The records in git have less than 6 MB, and with all of them the board has less than 20: more
    of them add their downloads, and pages that are no larger.
    """
    files = sorted((REPORTS / "records").glob("*.jsonl.gz"))
    others = [file.stat().st_size for file in files if file not in records]
    assert len(others) > 10
    assert sum(file.stat().st_size for file in files) < 6e6
    assert site.size + 2 * sum(others) < MOST_BYTES


def test_records_in_git_name_no_folder_of_a_machine() -> None:
    """Commands, interpreters and messages are those of any checkout."""
    for file in (REPORTS / "records").glob("*.jsonl.gz"):
        text = gzip.decompress(file.read_bytes())
        assert re.search(rb"/(root|home|tmp)/", text) is None, file.name
