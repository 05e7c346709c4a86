"""The page of a record as text: complete, escaped, self-contained, and a pure function of the
record.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from unit.test_printing import steers

from conformance import report
from conformance.errors import RecordError
from conformance.record.record import Record
from conformance.report import payload
from conformance.report.page import render, write_page
from conformance.report.plain import anchor
from conformance.verdicts.excerpt import excerpt
from conformance.verdicts.verdict import STATUSES, Verdict

EVIL = "<script>alert('\"&x')</script>"
VOID = {"meta", "link", "br", "img", "input", "hr"}
SECTIONS = {
    "#failures",
    "#changes",
    "#engines",
    "#can-use",
    "#matrix",
    "#timings",
    "#accuracy",
    "#trend",
    "#conventions",
}
SCRIPTED = re.compile("#(case|feature|adapter|status)=")
"""Addresses that are the page's script's to open."""


class Page(HTMLParser):
    """The elements, attributes and text of a page; an element that is not closed in its order is an
    error.
    """

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.scripts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert self.open == [], "elements that are not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag == "script":
            self.scripts.append((dict(attrs).get("type") or "", ""))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            kind, text = self.scripts[-1]
            self.scripts[-1] = (kind, text + data)
        elif not self.open or self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


def case_line(name: str = "folder/file/one", **changes: Any) -> dict[str, Any]:
    return {
        "case": name,
        "summary": "One case.",
        "source": "made up",
        "tags": [],
        "expected": None,
        **changes,
    }


@pytest.fixture
def record(run_line: dict[str, Any], verdict: Callable[..., Verdict]) -> Callable[..., Record]:
    """A record of one case with one verdict, or those given."""

    def build(*verdicts: Verdict, **changes: Any) -> Record:
        found = verdicts or (verdict(),)
        fields: dict[str, Any] = {
            "run": run_line,
            "cases": {v.case: case_line(v.case) for v in found},
            "verdicts": found,
            "end": {"counts": {}, "duration": 1.25, "problems": []},
        }
        return Record(**{**fields, **changes})

    return build


def test_the_same_record_makes_the_same_page(record: Callable[..., Record]) -> None:
    """Nothing but the record is in the page: no clock, no machine, no random number."""
    assert render(record()) == render(record())


def test_the_page_is_well_formed_for_every_status(
    record: Callable[..., Record], verdict: Callable[..., Verdict]
) -> None:
    """All elements are closed in order, and every status has its sign."""
    verdicts = [verdict(case=f"folder/file/{status}", status=status) for status in STATUSES]
    page = Page(render(record(*verdicts)))
    assert all(status.sign in page.text for status in STATUSES.values())


def page_with(text: str, place: str, run: dict[str, Any], verdict: Callable[..., Verdict]) -> Page:
    """The page of a record that has this text in one place."""
    name, case = "folder/file/one", {}
    fields: dict[str, Any] = {}
    end: dict[str, Any] = {"counts": {}, "duration": 1.0, "problems": []}
    match place:
        case "id":
            name = f"folder/file/{text}"
        case "summary" | "source":
            case[place] = text
        case "message" | "known":
            fields[place] = text
        case "mismatch":
            fields[place] = {"kind": "values", "text": text}
        case "diagnosis":
            fields[place] = {"name": "x", "text": text}
        case "known_problem":
            fields[place] = {"entry": text, "problem": text}
        case "adapter":
            fields[place] = text
            label = {"label": text, "asked": text, "adapter": text}
            run = {**run, "adapters": [label], "versions": {text: {}}, "devices": {text: ["cpu"]}}
        case "device":
            fields[place] = text
            run = {**run, "devices": {"engine": [text]}}
        case "version":
            run = {**run, "versions": {"engine": {"engine": text}}}
        case "command":
            run = {**run, "command": [text]}
        case "cpu":
            run = {**run, "cpu": {"model": text, "flags": []}}
        case "absent":
            run = {**run, "absent": {"other": text}}
        case "lost":
            end["problems"] = [{"entry": text, "problem": text}]
        case "got":
            fields[place] = {"shape": [1, 1], "values": [[text]]}
    found = Record(
        run=run,
        cases={name: case_line(name, **case)},
        verdicts=(verdict(case=name, **fields),),
        end=end,
    )
    return Page(render(found))


PLACES = (
    "id", "summary", "source", "message", "mismatch", "diagnosis", "known", "known_problem",
    "adapter", "device", "version", "command", "cpu", "absent", "lost", "got",
)  # fmt: skip
"""Where a record may hold a text of anybody."""


@pytest.mark.parametrize("place", PLACES)
def test_whatever_comes_from_the_record_is_escaped(
    run_line: dict[str, Any], verdict: Callable[..., Verdict], place: str
) -> None:
    """Markup in any text is shown as text: the page has the elements and attributes that it has
    with a plain word.
    """
    evil, plain = (page_with(text, place, run_line, verdict) for text in (EVIL, "word"))
    assert EVIL.split("/", 1)[1] in evil.text  # an id is shown from its last slash on
    assert evil.tags == plain.tags
    assert [(tag, name) for tag, name, _ in evil.attributes] == [
        (tag, name) for tag, name, _ in plain.attributes
    ]


@pytest.mark.parametrize("place", PLACES)
def test_no_text_turns_what_is_read_around(
    run_line: dict[str, Any], verdict: Callable[..., Verdict], place: str
) -> None:
    """Controls and marks of direction are written out, in text and in attributes."""
    page = page_with("owned\x1b[31m\x9b\u202e\u2066\u2028|", place, run_line, verdict)
    values = [value or "" for _, _, value in page.attributes]
    assert steers(page.text + "".join(values).replace("\r", "")) == []
    assert "owned" + r"\x1b[31m\x9b\u202e\u2066\u2028|" in page.text


def test_the_data_of_a_page_turns_nothing_around() -> None:
    """Names that scripts lay out are as visible as those in the text; the rest is as it was."""
    content = {"label": "a\u202eb\x85", "quote": 'say "é" \\ \u200b', "numbers": [1.5, None]}
    read = json.loads(zlib.decompress(base64.b64decode(payload.pack(content))))
    assert read == {**content, "label": r"a\u202eb\x85"}


def test_a_long_text_of_an_engine_is_cut_on_the_page(
    run_line: dict[str, Any], verdict: Callable[..., Verdict]
) -> None:
    """Its beginning, and how much more there was."""
    page = page_with("x" * 100_000, "message", run_line, verdict)
    assert "x" * 4096 + "... and 95904 characters more" in page.text
    assert "x" * 4097 not in page.text


def test_nothing_is_fetched_from_anywhere(record: Callable[..., Record]) -> None:
    """The page works from a disk without a network, and its policy forbids anything else."""
    text = render(record())
    page = Page(text)
    assert all(
        value.startswith(("data:", "#"))
        for name in ("src", "href", "action", "srcset", "data")
        for value in page.values(name)
    )
    assert not re.search(r"url\(\s*['\"]?(?!data:)|@import", text)
    assert any("default-src 'none'" in value for value in page.values("content"))


def test_no_script_runs_but_the_page_s_own(record: Callable[..., Record]) -> None:
    """The policy names every inline script by its digest, and nothing else may run; no attribute
    holds a script.
    """
    page = Page(render(record()))
    [policy] = [value for value in page.values("content") if "default-src" in value]
    [allowed] = re.findall(r"script-src ([^;]*);", policy)
    scripts = [text for kind, text in page.scripts if kind == ""]
    digests = [
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts
    ]
    assert allowed.split() == [f"'sha256-{digest}'" for digest in digests]
    assert len(scripts) > 3
    assert not any(name.startswith("on") for _, name, _ in page.attributes)


def test_the_page_s_own_scripts_make_no_markup_of_data() -> None:
    """Nothing is put into the document as HTML, and no text becomes code."""
    for file in sorted((Path(report.__file__).parent / "assets").glob("*.js")):
        text = file.read_text(encoding="utf-8")
        assert not re.search(
            (
                r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new "
                r"Function|</script|<!--"
            ),
            text,
        ), file


def test_every_link_has_its_target_once(
    record: Callable[..., Record], verdict: Callable[..., Verdict]
) -> None:
    """Each failing cell leads to its own section, whatever is in the names."""
    odd = ["folder/file/a b", "folder/file/a%20b", f"folder/file/{EVIL}", "folder/file/ä#?"]
    page = Page(render(record(*[verdict(case=name) for name in odd])))
    targets = [
        value
        for tag, name, value in page.attributes
        if name == "id" and tag == "section" and "@" in value
    ]
    inside = [
        value for value in page.values("href") if value.startswith("#") and value not in SECTIONS
    ]
    links = [unquote(value[1:]) for value in inside if not SCRIPTED.match(value)]
    assert sorted(targets) == sorted(links) == sorted(anchor(verdict(case=name)) for name in odd)
    assert len(set(targets)) == 4


def test_the_page_says_whether_the_gate_passes(
    record: Callable[..., Record], verdict: Callable[..., Verdict]
) -> None:
    """Its headline and its style are good exactly where the record is."""
    for changes, good in (({"status": "conforms"}, True), ({}, False)):
        found = record(verdict(**changes))
        page = Page(render(found))
        assert found.ok is good
        assert ("verdict good" in page.values("class"), "verdict bad" in page.values("class")) == (
            good,
            not good,
        )


def test_a_cut_record_makes_a_page(record: Callable[..., Record]) -> None:
    """Without its end line a record is shown as far as it goes, and says so."""
    assert "The run was cut" in Page(render(record(end=None))).text


def test_known_differences_are_marked_and_conforming_cells_are_no_failures(
    record: Callable[..., Record], verdict: Callable[..., Verdict]
) -> None:
    """A known failure is told with its reason among its like; what conforms is not."""
    page = Page(
        render(
            record(
                verdict(known="It is off by one."),
                verdict(case="folder/file/two", status="conforms"),
            )
        )
    )
    assert "known: It is off by one." in page.text
    assert page.values("class").count("known-failures") == 1
    assert page.values("class").count("failure unexpected") == 0
    assert any(value == "differs known" for value in page.values("class"))


def test_a_stale_entry_is_shown_although_the_case_conforms(
    record: Callable[..., Record], verdict: Callable[..., Verdict]
) -> None:
    """What is unexpected has a section of its own, with the entry to mend."""
    stale = verdict(status="conforms", known_problem={"entry": "a.yaml:3", "problem": "stale"})
    page = Page(render(record(stale)))
    assert page.values("class").count("failure unexpected") == 1
    assert "a.yaml:3: stale" in page.text


def test_expected_got_and_difference_stand_side_by_side(
    record: Callable[..., Record], verdict: Callable[..., Verdict]
) -> None:
    """The plane of the first mismatch in all three, and not another plane."""
    expected, got = np.arange(12.0).reshape(1, 3, 2, 2), np.arange(12.0).reshape(1, 3, 2, 2)
    got[0, 1, 1, 0] = 106.5
    failure = verdict(
        mismatch={"kind": "values", "text": "x", "index": [0, 1, 1, 0]},
        got=excerpt(got, [0, 1, 1, 0]),
    )
    line = case_line(expected={"shape": [1, 3, 2, 2], "values": expected.tolist()})
    page = Page(render(record(failure, cases={"folder/file/one": line})))
    assert "expected at [0, 1]" in page.text
    slices = page.text.split("expected at [0, 1]")[1]
    assert page.tags.count("figure") == 3
    assert "106.5" in slices
    assert "100.5" in slices
    assert page.values("class").count("off") == 1


def test_strange_numbers_are_shown_and_compared(
    record: Callable[..., Record], verdict: Callable[..., Verdict]
) -> None:
    """The record's "NaN" and "Infinity" stand in the tables, and differ from numbers and each
    other.
    """
    failure = verdict(
        mismatch={"kind": "nonfinite", "text": "x", "index": [0, 0, 1]},
        got={"shape": [1, 1, 3], "values": [[["NaN", "NaN", 1.0]]]},
    )
    line = case_line(expected={"shape": [1, 1, 3], "values": [[["NaN", "Infinity", 1.0]]]})
    page = Page(render(record(failure, cases={"folder/file/one": line})))
    assert "Infinity" in page.text
    assert page.values("class").count("off") == 1


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_a_window_of_a_large_array_is_shown_with_its_place(
    record: Callable[..., Record], verdict: Callable[..., Verdict], rank: int
) -> None:
    """What the record holds in part is shown in part, with where it starts."""
    shape = (2, 3, *{1: (5000,), 2: (80, 70), 3: (20, 20, 20)}[rank])
    index = [1, 2, *(15,) * rank]
    large = np.zeros(shape)
    large[tuple(index)] = 77.25
    got = excerpt(large, index)
    failure = verdict(mismatch={"kind": "values", "text": "x", "index": index}, got=got)
    page = Page(
        render(
            record(failure, cases={"folder/file/one": case_line(expected={"shape": list(shape)})})
        )
    )
    assert "77.25" in page.text
    assert f"got at {got['start']}" in page.text


@pytest.mark.parametrize(
    "shape", [(), (3,), (2, 3), (0,), (1, 0, 3), (1, 1, 0, 2), (1, 1, 2, 0), (2, 2, 2, 2, 2, 2)]
)
def test_a_result_of_any_shape_makes_a_page(
    record: Callable[..., Record], verdict: Callable[..., Verdict], shape: tuple[int, ...]
) -> None:
    """An engine may answer with an array of any rank and without elements."""
    failure = verdict(
        mismatch={"kind": "shape", "text": "out.shape"}, got=excerpt(np.zeros(shape), None)
    )
    line = case_line(expected={"shape": [1, 1, 2, 2], "values": np.zeros((1, 1, 2, 2)).tolist()})
    assert "out.shape" in Page(render(record(failure, cases={"folder/file/one": line}))).text


def test_the_page_is_written_whole_or_not_at_all(
    record: Callable[..., Record], tmp_path: Path
) -> None:
    """The file holds what was rendered, folders on the way are made, and nothing else is left
    there.
    """
    folder = tmp_path / "deep" / "er"
    page = write_page(record(), folder)
    assert page.read_text(encoding="utf-8") == render(record())
    assert list(folder.iterdir()) == [page]


def test_a_page_that_cannot_be_written_is_told(
    record: Callable[..., Record], tmp_path: Path
) -> None:
    """The record is safe, and the message says so and how to go on."""
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match=r"index\.html cannot be written: .*The record is whole"):
        write_page(record(), tmp_path / "file")
