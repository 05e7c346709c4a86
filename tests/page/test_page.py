"""The page in a headless browser: what a reader sees and does, on the reference record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from browser import first_paint

from conformance.record.record import Record

SHOWCASE = "textbook/cs231n/two-by-two-to-four-by-four"


def found(page: Any) -> str:
    return str(page.inner_text("#found"))


def rows_of(
    reference: Record,
    *,
    word: str = "",
    status: str | None = None,
    adapter: str | None = None,
    tag: str = "",
) -> int:
    """How many rows the matrix should have, counted on the record itself."""
    rows = set()
    for verdict in reference.verdicts:
        case = reference.cases[verdict.case]
        words = (
            f"{verdict.case} {'' if verdict.quantity == 'output' else verdict.quantity} "
            f"{case['summary']} {case['source']}"
        )
        if (
            word in words.lower()
            and (not tag or tag in case["tags"])
            and status in (None, verdict.status)
            and (adapter in (None, verdict.adapter))
        ):
            rows.add((verdict.case, verdict.quantity))
    return len(rows)


def test_the_page_is_quick_and_quiet(visit: Callable[..., Any], reference_page: str) -> None:
    """First paint within 1.5 s; nothing is asked for and nothing complained of (the fixture fails
    the test).
    """
    assert 0 < first_paint(lambda: visit(reference_page)) < 1500


def test_words_and_statuses_filter_the_rows(
    visit: Callable[..., Any], reference_page: str, reference: Record
) -> None:
    """What is left is what the record has, and the address keeps it."""
    page = visit(reference_page)
    total = rows_of(reference)
    assert found(page) == f"{total} rows"
    page.fill("#q", "dcgan")
    assert found(page) == f"{rows_of(reference, word='dcgan')} of {total} rows"
    page.fill("#q", "")
    page.check("input[name=status][value=crashed]")
    assert found(page) == f"{rows_of(reference, status='crashed')} of {total} rows"
    assert "status=crashed" in page.url
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert found(page) == f"{rows_of(reference, status='crashed')} of {total} rows"


def test_adapters_and_tags_filter_columns_and_rows(
    visit: Callable[..., Any], reference_page: str, reference: Record
) -> None:
    """A chosen adapter leaves its column alone, and then only its own failures count."""
    page = visit(f"{reference_page}#adapter=torch%40cpu&status=differs")
    assert found(page).startswith(f"{rows_of(reference, status='differs', adapter='torch')} of")
    assert page.locator(".labels th").count() == 3
    page = visit(f"{reference_page}#tag=network")
    assert found(page).startswith(f"{rows_of(reference, tag='network')} of")


def test_totals_are_those_of_the_rows_in_view(
    visit: Callable[..., Any], reference_page: str, reference: Record
) -> None:
    """Each column's count of conforming and failing verdicts, for all rows and for those that a
    filter leaves.
    """
    page = visit(reference_page)
    for word in ("", "yolact"):
        page.fill("#q", word)
        for kind, wanted in (
            ("conforms", {"conforms"}),
            ("fails", {"differs", "raised", "crashed", "timed-out"}),
        ):
            counted = page.locator(f".totals.{kind} td").all_inner_texts()[1:]
            for entry, count in zip(reference.run["adapters"], counted, strict=True):
                mine = [
                    v
                    for v in reference.verdicts
                    if v.adapter == entry["label"] and v.status in wanted
                ]
                assert int(count) == sum(
                    word
                    in (
                        f"{v.case} {reference.cases[v.case]['summary']} "
                        f"{reference.cases[v.case]['source']}"
                    ).lower()
                    for v in mine
                )


def test_a_keystroke_is_answered_at_once(visit: Callable[..., Any], reference_page: str) -> None:
    """From the key to the next painted frame in a small part of what the page took to open, the
    median of several.

    Opening it draws every row once: what answers a key must not. On a quiet machine it is some 35
    ms of 250.
    """
    page = visit(reference_page)
    opening = page.evaluate("performance.getEntriesByType('navigation')[0].domComplete")
    measure = """async () => {
      const q = document.getElementById("q"), taken = [];
      for (const text of ["k", "k3", "k3-", "k3", "k", ""]) {
        const start = performance.now();
        q.value = text;
        q.dispatchEvent(new Event("input", { bubbles: true }));
        const channel = new MessageChannel();
        await new Promise((done) => {
          channel.port1.onmessage = done;
          requestAnimationFrame(() => channel.port2.postMessage(0));
        });
        taken.push(performance.now() - start);
      }
      return taken.sort((a, b) => a - b)[3];
    }"""
    taken = page.evaluate(measure)
    assert taken < opening / 2, (taken, opening)


def test_a_case_opens_by_click_and_closes_with_escape(
    visit: Callable[..., Any], reference_page: str
) -> None:
    """The cell's own verdict is open; the address says so, back closes it again, and filters
    stay.
    """
    page = visit(f"{reference_page}#q=kernel&status=differs")
    page.locator("td.differs").first.click()
    page.wait_for_selector("dialog[open]")
    assert "case=" in page.url
    assert (
        page.locator("dialog details.verdict-of[open] summary").first.inner_text().count("differs")
        == 1
    )
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog:not([open])", state="attached")
    assert "case=" not in page.url
    assert "q=kernel&status=differs" in page.url


def test_a_case_opens_by_its_address(
    visit: Callable[..., Any], reference_page: str, reference: Record
) -> None:
    """Its sentence, its source, the pictures, and one entry per verdict; the anchors of the plain
    page lead there too.
    """
    case = reference.cases[SHOWCASE]
    verdicts = [verdict for verdict in reference.verdicts if verdict.case == SHOWCASE]
    for fragment in (f"case={SHOWCASE}", f"{SHOWCASE}@torch@cpu"):
        page = visit(f"{reference_page}#{fragment}")
        page.wait_for_selector("dialog[open]")
        shown = page.inner_text("dialog")
        assert case["summary"] in shown
        assert case["source"] in shown
        assert page.locator("dialog details.verdict-of").count() == len(verdicts)
        assert page.locator("dialog svg").count() > 0


def test_keys_alone_open_a_case(visit: Callable[..., Any], reference_page: str) -> None:
    """Arrow keys go through the matrix, far beyond what is drawn, and Enter opens what they stand
    on; focus comes back there.
    """
    page = visit(reference_page)
    page.locator("#matrix tbody [tabindex='0']").focus()
    for _ in range(6):
        page.keyboard.press("PageDown")
    if page.locator("#matrix tr.group [tabindex='0']").count():
        page.keyboard.press("ArrowDown")  # from a file's row to its first case
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    label = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert label.startswith("torch: ")
    row = page.evaluate("document.activeElement.parentElement.getAttribute('aria-rowindex')")
    assert int(row) > 60
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog:not([open])", state="attached")
    assert (
        page.evaluate("document.activeElement.parentElement.getAttribute('aria-rowindex')") == row
    )


def test_the_theme_is_switched_and_kept(visit: Callable[..., Any], reference_page: str) -> None:
    """System, light, dark; each is seen, and the choice outlives a reload."""
    page = visit(reference_page, color_scheme="dark")
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(paper)
    page.click("#theme")
    light = page.evaluate(paper)
    assert (dark, light) == ("rgb(23, 24, 26)", "rgb(255, 255, 255)")
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert page.evaluate(paper) == light


def test_without_javascript_the_tables_are_there(
    visit: Callable[..., Any], reference_page: str, reference: Record
) -> None:
    """The matrix with a row per case and quantity, every new failure, every reason of a known one,
    and the tables of times and errors.
    """
    page = visit(reference_page, java_script_enabled=False)
    assert page.locator("table.plain tbody tr:not(.group)").count() == rows_of(reference)
    assert page.locator("section.failure").count() == sum(v.unexpected for v in reference.verdicts)
    known = {(v.adapter, v.device, v.known) for v in reference.verdicts if v.known is not None}
    assert page.locator(".known-failures li").count() == len(known) > 10
    assert page.locator("#timings table tbody tr").count() > 20
    assert page.locator("#conventions .atlas svg").count() == 12
