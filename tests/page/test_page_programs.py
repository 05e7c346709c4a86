"""Programs on the page: the same as `conformance show --program` prints, copied with one click."""

from __future__ import annotations

import dataclasses
import importlib.util
import math
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from conformance.adapters import REGISTRY
from conformance.conventions import Unrepresentable
from conformance.corpus.case import Case
from conformance.corpus.files import load_cases, shipped_cases
from conformance.corpus.truths import Truths
from conformance.programs import program
from conformance.record.case_line import case_from, case_line
from conformance.record.record import Record, strict
from conformance.report import render

SHOWCASE = "textbook/cs231n/two-by-two-to-four-by-four"


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed here")
def test_a_copied_program_runs(visit: Callable[..., Any], reference_page: str) -> None:
    """What one click puts into the clipboard is a program that finds what the record says: no
    difference on integers.
    """
    page = visit(
        f"{reference_page}#case={SHOWCASE}&on=torch%40cpu",
        permissions=["clipboard-read", "clipboard-write"],
    )
    page.locator("dialog").get_by_role("button", name="Copy program").click()
    page.get_by_role("button", name="Copied").wait_for()
    source = page.evaluate("navigator.clipboard.readText()")
    done = subprocess.run(
        [sys.executable, "-"],
        input=source,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "largest difference 0.0 of values up to 20.0" in done.stdout, done.stderr


def test_a_program_is_copied_without_a_clipboard(
    visit: Callable[..., Any], reference_page: str
) -> None:
    """Where the browser has none, as on some pages from disk, the text goes through a selection."""
    page = visit(f"{reference_page}#case={SHOWCASE}&on=torch%40cpu")
    page.evaluate(
        "Object.defineProperty(navigator, 'clipboard', { value: undefined }); window.taken = [];"
        "document.addEventListener("
        "'copy', () => window.taken.push(document.activeElement.value));"
    )
    page.locator("dialog").get_by_role("button", name="Copy program").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert "torch.nn.ConvTranspose2d(" in page.evaluate("window.taken[0]")


def some_cases() -> dict[str, Mapping[str, Any]]:
    """Lines of the corpus's cases: one of every dtype, rank, recipe, and choice of words in a
    framework's own arguments.
    """
    chosen: dict[Any, Case] = {}
    for case in load_cases([shipped_cases()]):
        framework, native = case.native or ("", {})
        words = [value for value in native.values() if isinstance(value, str | bool)]
        values = [
            getattr(source, "values", None) for source in (case.input, case.kernel, case.bias)
        ]
        if math.prod(case.input.shape) < 5000:
            chosen.setdefault(
                repr(
                    (
                        case.dtype,
                        case.other_dtypes,
                        case.spatial,
                        case.must_fail,
                        framework,
                        words,
                        values,
                    )
                ),
                case,
            )
    truths = Truths()
    return {case.name: strict(case_line(case, truths)) for case in chosen.values()}


@pytest.fixture(scope="module")
def every_program(
    browser: Any, run_of: Callable[..., dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Mapping[str, Any]], list[str], list[list[dict[str, str]]]]:
    """(case lines, adapters, what the page assembles for each case and adapter: {text} or
    {reason}).
    """
    lines, adapters = some_cases(), list(REGISTRY)
    file = tmp_path_factory.mktemp("programs") / "index.html"
    file.write_text(render(Record(run=run_of(adapters), cases=lines)), encoding="utf-8")
    page = browser.new_page()
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready]")
    made = page.evaluate("""async () => {
      const index = await Data.index(), made = [];
      for (let number = 0; number < index.cases.length; number += 1) {
        const detail = await Data.detail(number, index.piece);
        [detail.line.case, detail.line.summary] = index.cases[number];
        made.push(await Promise.all(
                index.columns.map((_, column) => CaseView.program(detail, index, column))));
      }
      return made;
    }""")
    page.close()
    return lines, adapters, made


@pytest.fixture(scope="module")
def run_of() -> Callable[[list[str]], dict[str, Any]]:
    """The run line of a record with these adapters of the table."""

    def build(adapters: list[str]) -> dict[str, Any]:
        entries = [
            {"label": name, "asked": name, "adapter": name, "convention": REGISTRY[name].convention}
            for name in adapters
        ]
        names = ("conformance", "started", "system", "python", "corpus")
        return {
            **dict.fromkeys(names, "?"),
            "format": 1,
            "cpu": {"model": "?", "flags": []},
            "command": [],
            "paths": [],
            "threads": 1,
            "timing": "off",
            "absent": {},
            "adapters": entries,
            "versions": {name: {} for name in adapters},
            "facts": {},
            "devices": {name: ["cpu"] for name in adapters},
        }

    return build


def test_the_page_assembles_what_show_prints(
    every_program: tuple[dict[str, Mapping[str, Any]], list[str], list[list[dict[str, str]]]],
) -> None:
    """To the letter, for every adapter and variant, dtype, rank and recipe, and the same reasons
    where there is none.
    """
    lines, adapters, made = every_program
    count = 0
    for line, programs in zip(lines.values(), made, strict=True):
        case = case_from(line)
        assert case is not None
        for adapter, assembled in zip(adapters, programs, strict=True):
            wanted = program(case, adapter)
            assert assembled == (
                {"reason": wanted.reason}
                if isinstance(wanted, Unrepresentable)
                else {"text": wanted}
            ), adapter
            count += isinstance(wanted, str)
    assert count > 1000


def test_a_case_is_read_back_from_its_line() -> None:
    """As far as a program needs it: the numbers of the record are those of the dtype, and
    everything else is as it was.
    """
    [case] = [case for case in load_cases([shipped_cases()]) if case.name == SHOWCASE]
    again = case_from(strict(case_line(case, Truths())))
    assert again == dataclasses.replace(case, expected=None)
