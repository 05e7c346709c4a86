"""What strangers ask of the page, answered by one search or at most three clicks, in a browser; the
answers are counted on the record itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from helpers import CHECKOUT

from conformance.record.merge import merge
from conformance.record.reader import read_record
from conformance.record.record import Record
from conformance.report import render
from conformance.support.features import features_of
from conformance.verdicts.verdict import standing

RELEASES = ("3.14.1", "3.15.1")


@pytest.fixture(scope="session")
def releases(tmp_path_factory: pytest.TempPathFactory) -> tuple[Record, str]:
    """Two releases of Keras in one record, and the address of its page."""
    folder = tmp_path_factory.mktemp("releases")
    files = [
        next((CHECKOUT / "reports" / "records").glob(f"*-keras-{release}.jsonl.gz"))
        for release in RELEASES
    ]
    merged = merge(files, [read_record(file) for file in files], ["merge"])
    record = Record(
        run=merged.run, cases=merged.cases, verdicts=tuple(merged.verdicts), end=merged.end
    )
    page = folder / "index.html"
    page.write_text(render(record), encoding="utf-8")
    return record, page.as_uri()


def ask(page: Any, question: str) -> str:
    """Type a question as a reader does, by the key that leads to the search."""
    page.keyboard.press("/")
    page.keyboard.type(question)
    return str(page.inner_text("#answers"))


def passing(record: Record, adapter: str, *features: str) -> tuple[int, int]:
    """How many of the checks of outputs with all these features pass, and of how many."""
    cases = {name for name, line in record.cases.items() if set(features) <= features_of(line)}
    checks = [
        verdict
        for verdict in record.verdicts
        if verdict.adapter == adapter
        and verdict.case in cases
        and verdict.quantity != "gradients"
        and verdict.is_checked
    ]
    return sum(verdict.status == "conforms" for verdict in checks), len(checks)


def test_can_i_use_groups_on_keras(visit: Callable[..., Any], reference_page: str) -> None:
    """No, and the documentation's reason; every engine of Keras is named and no other."""
    answer = ask(visit(reference_page), "groups keras")
    for engine in ("keras-tensorflow", "keras-jax", "keras-torch"):
        assert f"{engine}: unsupported" in answer
    assert "have no groups" in answer
    assert "onnxruntime" not in answer


def test_does_jax_flip_the_kernel(visit: Callable[..., Any], reference_page: str) -> None:
    """Not by default; the argument that does is named."""
    answer = ask(visit(reference_page), "does JAX flip the kernel?")
    assert "Not by default" in answer
    assert "transpose_kernel=True" in answer


def test_what_dtypes_does_flax_support(
    visit: Callable[..., Any], reference_page: str, reference: Record
) -> None:
    """Every dtype by itself, with its numbers."""
    answer = ask(visit(reference_page), "what dtypes does flax support")
    for dtype in ("float32", "float64", "float16", "bfloat16"):
        passed, all_of = passing(reference, "flax", dtype)
        assert f"dtype {dtype}\n\n" in answer
        assert f"flax: {passed} of {all_of} checks pass" in answer


def test_which_engine_crashes(
    visit: Callable[..., Any], reference_page: str, reference: Record
) -> None:
    """Each that does, with its number, the most first; the rows left are theirs."""
    page = visit(reference_page)
    answer = ask(page, "which engine crashes?")
    crashed = [v for v in reference.verdicts if v.status == "crashed"]
    counts = Counter(v.adapter for v in crashed)
    assert counts
    lines = page.locator("#answers .lines li").all_inner_texts()
    assert sorted(lines) == sorted(
        f"{name}: {count} check{'' if count == 1 else 's'}" for name, count in counts.items()
    )
    assert lines[0].startswith(tuple(n for n, c in counts.items() if c == max(counts.values())))
    assert "unsupported" not in answer
    rows = len({(v.case, v.quantity) for v in crashed})
    assert page.inner_text("#found").startswith(f"{rows} of ")


def test_which_engines_are_wrong_on_empty_inputs(
    visit: Callable[..., Any], reference_page: str, reference: Record
) -> None:
    """In every way that is a failure; "on" is no engine's name."""
    answer = ask(visit(reference_page), "which engines are wrong on empty inputs")
    cases = {name for name, line in reference.cases.items() if "empty tensors" in features_of(line)}
    counts = Counter(
        (v.status, v.adapter)
        for v in reference.verdicts
        if v.case in cases and v.quantity != "gradients" and v.status in ("differs", "raised")
    )
    assert len(counts) > 4
    for (status, adapter), count in counts.items():
        block = answer.partition(f"{status} + empty tensors")[2]
        assert f"{adapter}: {count} check" in block


def test_is_torch_channels_last(visit: Callable[..., Any], reference_page: str) -> None:
    """No, and which layout it has; that of Keras is another."""
    page = visit(reference_page)
    assert "torch\n(N, C_in, *size)" in ask(page, "is torch channels last")
    assert "keras\n(N, *size, C_in)" in ask(page, "input layout keras")


def test_how_do_i_convert_a_layer(visit: Callable[..., Any], reference_page: str) -> None:
    """By a command, and not the other way round."""
    answer = ask(visit(reference_page), "how do I convert a layer of torch to keras")
    assert "conformance port --from torch --to keras" in answer


def test_which_engines_run_3_d_with_groups_in_bfloat16(
    visit: Callable[..., Any], reference_page: str, reference: Record
) -> None:
    """Those that do come first, each with its numbers."""
    asked = ("3-D", "groups", "bfloat16")
    page = visit(reference_page)
    answer = ask(page, "which engines run 3-D with groups in bfloat16")
    counts = {
        entry["label"]: passing(reference, entry["label"], *asked)
        for entry in reference.run["adapters"]
    }
    assert any(all_of for _, all_of in counts.values())
    for engine, (passed, all_of) in counts.items():
        words = f"{passed} of {all_of} check" if all_of else ""
        assert f"{engine}: {words}" in answer
    best = page.inner_text("#answers .lines li >> nth=0").split(":")[0].split()[-1]
    assert counts[best][0] == counts[best][1] > 0


def test_what_changed_between_two_releases(
    visit: Callable[..., Any], releases: tuple[Record, str]
) -> None:
    """Every check that changed is counted, and the first are links to their cases."""
    record, address = releases
    statuses: dict[tuple[str, str], dict[str, tuple[str, str]]] = {}
    for verdict in record.verdicts:
        adapter, _, release = verdict.adapter.partition("@")
        statuses.setdefault((verdict.case, verdict.quantity), {})[f"{adapter} {release}"] = (
            verdict.status,
            standing(verdict),
        )
    old, new = (f"keras-torch {release}" for release in RELEASES)
    changed = sum(both[old] != both[new] for both in statuses.values() if {old, new} <= set(both))
    page = visit(address)
    answer = ask(page, "what changed between Keras 3.14 and 3.15")
    assert changed > 0
    assert f"{changed} checks changed from keras-torch@3.14.1 to keras-torch@3.15.1" in answer
    page.locator("#answers a[data-case]").first.click()
    page.wait_for_selector("dialog[open] details.verdict-of[open]")
    assert "keras-torch@3.15.1" in page.inner_text("dialog details.verdict-of[open] > summary")


def test_what_is_new_and_why(visit: Callable[..., Any], releases: tuple[Record, str]) -> None:
    """The first section says it, opens with its picture or its words, and leads to the case."""
    record, address = releases
    new = [verdict for verdict in record.verdicts if verdict.unexpected]
    page = visit(address)
    assert page.locator(".tile.new b").inner_text() == str(len(new))
    assert page.locator("main > section:not([hidden])").first.get_attribute("id") == "failures"
    assert "reproduce:" in page.locator(".cause[open] pre").first.inner_text()
    page.locator(".cause a[data-case]").first.click()
    page.wait_for_selector("dialog[open] details.verdict-of[open]")


def test_what_is_known_of_an_engine(
    visit: Callable[..., Any], reference_page: str, reference: Record
) -> None:
    """One click on its number leaves the rows of those failures; another opens one."""
    known = {
        (v.case, v.quantity)
        for v in reference.verdicts
        if v.adapter == "onnxruntime" and standing(v) == "known"
    }
    page = visit(reference_page)
    row = page.locator(
        "table.engines tbody tr", has=page.get_by_role("link", name="onnxruntime", exact=True)
    )
    row.locator("td.known a").click()
    assert page.inner_text("#found").startswith(f"{len(known)} of ")
    page.locator("#matrix tbody td.cell.known").first.click()
    page.wait_for_selector("dialog[open] details.verdict-of[open]")
    assert "known" in page.locator("dialog details.verdict-of").first.inner_text()


def test_are_gradients_right_in_half_precision_on_torch(
    visit: Callable[..., Any], reference_page: str, reference: Record
) -> None:
    """Features are joined: gradients count alone, in the cases of that dtype."""
    cases = {name for name, line in reference.cases.items() if "float16" in features_of(line)}
    checks = Counter(
        v.status == "conforms"
        for v in reference.verdicts
        if v.adapter == "torch" and v.quantity == "gradients" and v.case in cases and v.is_checked
    )
    answer = ask(visit(reference_page), "fp16 gradients pytorch")
    if checks.total():
        assert f"torch: {checks[True]} of {checks.total()} check" in answer
    else:
        assert "torch: " in answer


def test_is_torch_s_padding_that_of_same(visit: Callable[..., Any], reference_page: str) -> None:
    """Which end the odd element is cropped at, for both."""
    answer = ask(visit(reference_page), "is padding the same in pytorch and keras")
    assert "torch\npadding crops both ends alike" in answer
    assert "crops the odd element at the end" in answer


def test_why_does_a_cell_fail_and_how_do_i_see_it(
    visit: Callable[..., Any], reference_page: str
) -> None:
    """A cell of the table opens its reasons below it, under an address of its own; a reason's
    example opens the case, which has the command and the program.
    """
    page = visit(reference_page)
    page.locator("#can-use td.works-but a").first.click()
    assert "feature=" in page.url
    detail = page.locator("#can-use tr.detail")
    assert "known failure" in detail.inner_text()
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector("#can-use tr.detail a[data-case]")
    page.locator("#can-use tr.detail a[data-case]").first.click()
    page.wait_for_selector("dialog[open] details.verdict-of[open] .reproduce")


def test_which_engine_is_fastest_and_which_most_accurate(
    visit: Callable[..., Any], reference_page: str
) -> None:
    """One click to either section, by an address that leads there again."""
    page = visit(reference_page)
    for section in ("timings", "accuracy"):
        page.click(f"nav a[href='#{section}']")
        assert f"section={section}" in page.url
        assert in_sight(page, section)
        assert in_sight(visit(page.url), section)


def in_sight(page: Any, section: str) -> bool:
    """Whether the section begins in the upper half of the window, within the time that drawing
    takes. (The page's policy forbids Playwright's own waiting for a script.)
    """
    top = f"document.getElementById('{section}').getBoundingClientRect().top"
    for _ in range(50):
        if -5 < page.evaluate(top) < page.evaluate("innerHeight / 2"):
            return True
        page.wait_for_timeout(100)
    return False
