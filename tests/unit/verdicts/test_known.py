"""Known failures: what they explain, where they apply, and when they no longer hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.corpus.case import Case
from conformance.corpus.truths import Truths
from conformance.errors import FileProblems
from conformance.system.machine import Circumstances
from conformance.verdicts.judge import Judge
from conformance.verdicts.known import Difference, explain, lost_entries, untold_facts
from conformance.verdicts.known_reader import FAILING, load_differences
from conformance.verdicts.verdict import STATUSES, Verdict
from conformance.verdicts.version_range import Position

ENTRY = """- adapter: engine
  cases: folder/file/one
  versions: {engine: '==1.*'}
  status: differs
  reason: It is off by one.
  source: issue 1
"""
FACTS = {"onednn": True, "isa": "avx2", "streams": 1}
CIRCUMSTANCES = Circumstances(
    platform="linux", machine="x86_64", cpu_flags=frozenset({"avx2", "fma"}), facts=FACTS
)


@pytest.fixture
def entries(corpus: Callable[[str, str], Path]) -> Callable[..., list[Difference]]:
    """The entries of a file: ENTRY with keys changed, added or left out (None)."""

    def load(**changes: str | None) -> list[Difference]:
        lines = {
            line.split(":")[0].lstrip("- "): line.split(": ", 1)[1] for line in ENTRY.splitlines()
        }
        merged = {key: value for key, value in {**lines, **changes}.items() if value is not None}
        text = "\n".join(
            f"{'- ' if not number else '  '}{key}: {value}"
            for number, (key, value) in enumerate(merged.items())
        )
        file = corpus("known_differences/engine.yaml", text + "\n")
        return load_differences([file.parent.parent])

    return load


def explained(verdict: Verdict, entries: list[Difference], **changes: Any) -> Verdict:
    return explain(
        verdict,
        entries,
        **{
            "adapter": "engine",
            "versions": {"engine": "1.5"},
            "circumstances": CIRCUMSTANCES,
            **changes,
        },
    )


def test_a_failure_of_the_declared_kind_is_known(
    entries: Callable[..., list[Difference]], verdict: Callable[..., Verdict]
) -> None:
    """It carries the reason, and no longer fails the gate."""
    found = explained(verdict(), entries())
    assert (found.known, found.known_problem, found.unexpected) == (
        "It is off by one.",
        None,
        False,
    )
    assert found.fails


@pytest.mark.parametrize(
    ("adapter", "known"),
    [("[other, engine]", True), ("en*", True), ("[other, eng]", False), ("other", False)],
)
def test_an_entry_speaks_of_several_adapters(
    entries: Callable[..., list[Difference]],
    verdict: Callable[..., Verdict],
    adapter: str,
    known: bool,
) -> None:
    """`adapter` is a name, a glob or a list of them, so that engines that share a kernel share an
    entry.
    """
    assert (explained(verdict(), entries(adapter=adapter)).known is not None) is known


def test_nothing_is_known_of_other_cases(
    entries: Callable[..., list[Difference]], verdict: Callable[..., Verdict]
) -> None:
    """A failure that no entry names stays as it was."""
    other = verdict(case="folder/file/two")
    assert explained(other, entries()) is other


@pytest.mark.parametrize("status", ["conforms", "unsupported"])
def test_an_entry_is_stale_where_nothing_fails(
    entries: Callable[..., list[Difference]], verdict: Callable[..., Verdict], status: str
) -> None:
    """A conforming case that is declared to fail is unexpected, and the entry is named by
    FILE:LINE.
    """
    (entry,) = entries()
    found = explained(verdict(status=status), [entry])
    assert found.unexpected
    assert found.known is None
    assert found.known_problem is not None
    assert found.known_problem["entry"].endswith("known_differences/engine.yaml:1")
    now = {"conforms": "conforms"}.get(status, f"is {status}")
    assert (
        f"engine on folder/file/one now {now}, should be differs" in found.known_problem["problem"]
    )


def test_what_is_unavailable_is_not_judged(
    entries: Callable[..., list[Difference]], verdict: Callable[..., Verdict]
) -> None:
    """An engine that did not run neither fits an entry nor makes it stale."""
    absent = verdict(status="unavailable")
    assert explained(absent, entries()) is absent


@pytest.mark.parametrize(
    ("entry", "failure", "now"),
    [
        ({}, {"status": "raised"}, "is raised, should be differs as the entry says"),
        (
            {"kind": "values"},
            {"mismatch": {"kind": "shape"}},
            "is differs shape, should be differs values as the entry says",
        ),
        ({"kind": "values"}, {}, "is differs, should be differs values as the entry says"),
        (
            {"diagnosis": "unflipped"},
            {"mismatch": {"kind": "values"}, "diagnosis": {"name": "shifted"}},
            "is differs values shifted, should be differs unflipped as the entry says",
        ),
    ],
)
def test_a_failure_of_another_kind_is_unexpected(
    entries: Callable[..., list[Difference]],
    verdict: Callable[..., Verdict],
    entry: dict[str, str],
    failure: dict[str, Any],
    now: str,
) -> None:
    """Status, kind and diagnosis each have to be the declared one."""
    found = explained(verdict(**failure), entries(**entry))
    assert found.known is None
    assert found.known_problem is not None
    assert found.known_problem["problem"] == f"engine on folder/file/one {now}"


def test_kind_and_diagnosis_that_agree_are_known(
    entries: Callable[..., list[Difference]], verdict: Callable[..., Verdict]
) -> None:
    """What an entry says beyond the status is met by the verdict that has it."""
    failure = verdict(mismatch={"kind": "values"}, diagnosis={"name": "shifted"})
    assert explained(failure, entries(kind="values", diagnosis="shifted")).known


def test_of_two_entries_one_that_does_not_fit_decides(
    entries: Callable[..., list[Difference]], verdict: Callable[..., Verdict]
) -> None:
    """Every entry that speaks of a verdict has to be true of it."""
    both = [*entries(), *entries(status="crashed")]
    assert explained(verdict(), both).unexpected
    assert explained(verdict(), both[:1]).known


@pytest.mark.parametrize(
    ("pattern", "case", "named"),
    [
        ("folder/file/one", "folder/file/one", True),
        ("folder/*", "folder/file/one", True),
        ("'*/one'", "folder/file/one", True),
        ("folder/file/o?e", "folder/file/one", True),
        ("[folder/other/x, folder/file/*]", "folder/file/one", True),
        ("file/one", "folder/file/one", False),
        ("Folder/*", "folder/file/one", False),
        ("'folder/file/a[1]'", "folder/file/a[1]", True),
    ],
)
def test_cases_are_full_names_or_globs(
    entries: Callable[..., list[Difference]], pattern: str, case: str, named: bool
) -> None:
    """A star matches the slash too, case matters, and a name with brackets is matched as it is
    written.
    """
    (entry,) = entries(cases=pattern)
    assert entry.names(case) == named


@pytest.mark.parametrize(
    ("specifier", "version", "applies"),
    [
        ("==1.*", "1.5", True),
        ("==1.*", "2.0", False),
        (">=1.2,<2", "1.10", True),
        (">=1.2,<2", "2.0", False),
        (">=1", "1.5rc1", True),
        (">=1", "1.5+cu126", True),
        ("==1.5", "1.5+cu126", True),
        ("'*'", None, None),
        (">=1", "unknown", False),
        ("''", "1.5", True),
    ],
)
def test_an_entry_applies_to_the_versions_it_names(
    entries: Callable[..., list[Difference]],
    specifier: str,
    version: str | None,
    applies: bool | None,
) -> None:
    """PEP 440 specifiers, candidates and local versions counted; what is no specifier is
    refused.
    """
    if applies is None:
        with pytest.raises(
            FileProblems, match=r"versions\.engine: is '\*', should be a version specifier"
        ):
            entries(versions=f"{{engine: {specifier}}}")
        return
    (entry,) = entries(
        versions=f"{{engine: {specifier if chr(39) in specifier else repr(specifier)}}}"
    )
    assert entry.applies({"engine": version or ""}, "cpu", CIRCUMSTANCES) == applies


def test_a_distribution_that_is_not_there_does_not_apply(
    entries: Callable[..., list[Difference]],
) -> None:
    """Every distribution that is named has to be there, in its versions."""
    (entry,) = entries(versions="{engine: '>=1', backend: '>=3'}")
    assert not entry.applies({"engine": "1.5"}, "cpu", CIRCUMSTANCES)
    assert not entry.applies({"engine": "1.5", "backend": "2"}, "cpu", CIRCUMSTANCES)
    assert entry.applies({"engine": "1.5", "backend": "3", "other": "9"}, "cpu", CIRCUMSTANCES)


@pytest.mark.parametrize(
    ("where", "applies"),
    [
        ("{device: cpu}", True),
        ("{device: [cuda, cpu]}", True),
        ("{device: cuda}", False),
        ("{platform: linux}", True),
        ("{platform: darwin}", False),
        ("{machine: [arm64, aarch64]}", False),
        ("{machine: x86_64}", True),
        ("{cpu_flags: avx2}", True),
        ("{cpu_flags: [avx2, fma]}", True),
        ("{cpu_flags: [avx2, avx512f]}", False),
        ("{not_cpu_flags: avx512f}", True),
        ("{not_cpu_flags: [avx512f, fma]}", False),
        ("{cpu_flags: avx2, not_cpu_flags: avx512f, device: cpu}", True),
        ("{cpu_flags: avx2, device: cuda}", False),
        ("{onednn: true}", True),
        ("{onednn: false}", False),
        ("{onednn: 1}", False),
        ("{streams: true}", False),
        ("{streams: [1, 2]}", True),
        ("{isa: [avx, avx2]}", True),
        ("{isa: avx512}", False),
        ("{isa: avx2, device: cpu, onednn: true}", True),
        ("{driver: none}", False),
    ],
)
def test_an_entry_applies_where_it_says(
    entries: Callable[..., list[Difference]],
    verdict: Callable[..., Verdict],
    where: str,
    applies: bool,
) -> None:
    """Device, platform, machine and every fact are one of those given; all cpu_flags are there and
    none of not_cpu_flags.
    """
    (entry,) = entries(where=where)
    assert entry.applies({"engine": "1.5"}, "cpu", CIRCUMSTANCES) == applies
    assert (explained(verdict(status="conforms"), [entry]).known_problem is not None) == applies


@pytest.mark.parametrize(
    ("versions", "release", "unconfirmed"),
    [
        ("==1.*", "1.9", False),
        ("==1.*", "2.0", True),
        ("==1.*", "2.0.dev20261101", True),
        ("==1.*", "0.9", False),
        ("'>=1,<2'", "2.0", True),
        ("'>=1,<2'", "2.0rc1", True),
        ("'<=1.5'", "1.5+cpu", False),
        ("'<=1.5'", "1.6+cpu", True),
        ("==1.5", "1.5.1", True),
        ("~=1.5", "2.0", True),
        ("'>=1,!=1.7,<2'", "1.7", False),
        ("'>=1,!=1.7,<2'", "2.1", True),
        ("'>=1'", "9.0", False),
        ("''", "9.0", False),
        ("==1.*", "unknown", False),
    ],
)
def test_beyond_its_newest_release_an_entry_is_unconfirmed(
    entries: Callable[..., list[Difference]],
    verdict: Callable[..., Verdict],
    versions: str,
    release: str,
    unconfirmed: bool,
) -> None:
    """The same failure is known there and passes, with the entry that was seen in older releases
    alone.
    """
    (entry,) = entries(versions=f"{{engine: {versions}}}")
    found = explained(verdict(), [entry], versions={"engine": release})
    assert (found.known_unconfirmed is not None) == unconfirmed
    if unconfirmed:
        assert found.known == "It is off by one."
        assert not found.unexpected
        assert found.known_unconfirmed["entry"] == entry.at
        assert f"for engine {release}: seen in engine " in found.known_unconfirmed["text"]


@pytest.mark.parametrize("status", ["conforms", "unsupported"])
def test_what_does_not_fail_beyond_the_range_is_mended(
    entries: Callable[..., list[Difference]], verdict: Callable[..., Verdict], status: str
) -> None:
    """Good news passes, and the entry that should say so is named."""
    (entry,) = entries()
    found = explained(verdict(status=status), [entry], versions={"engine": "2.0"})
    assert found.mended == {"entry": entry.at, "text": "for engine 2.0: seen in engine ==1.*"}
    assert not found.unexpected
    assert found.known is None


def test_another_failure_beyond_the_range_is_unexpected(
    entries: Callable[..., list[Difference]], verdict: Callable[..., Verdict]
) -> None:
    """An entry of older releases excuses nothing but what was seen."""
    found = explained(verdict(status="raised"), entries(), versions={"engine": "2.0"})
    assert found.unexpected
    assert (found.known, found.known_unconfirmed, found.mended) == (None, None, None)


def test_an_entry_of_these_releases_speaks_alone(
    entries: Callable[..., list[Difference]], verdict: Callable[..., Verdict]
) -> None:
    """What was seen in older releases alone is not asked where an entry of this one speaks."""
    (old,), (new,) = (
        entries(),
        entries(versions="{engine: ==2.*}", status="raised", reason="It refuses."),
    )
    assert (
        explained(verdict(status="raised"), [old, new], versions={"engine": "2.0"}).known
        == "It refuses."
    )
    assert explained(verdict(), [old, new], versions={"engine": "2.0"}).known_problem is not None
    assert explained(verdict(), [old, new], versions={"engine": "3.0"}).known == "It is off by one."


def test_an_entry_ends_with_the_release_that_it_names(
    entries: Callable[..., list[Difference]], verdict: Callable[..., Verdict]
) -> None:
    """From `until` on an entry says nothing: a failure that comes back is unexpected, and a right
    result is no news.
    """
    (entry,) = entries(until="{engine: 2.1}")
    assert explained(verdict(), [entry], versions={"engine": "2.0"}).known_unconfirmed
    for release in ("2.1", "2.1rc1", "3.0"):
        assert explained(verdict(), [entry], versions={"engine": release}).unexpected
        assert (
            explained(verdict(status="conforms"), [entry], versions={"engine": release}).mended
            is None
        )


@pytest.mark.parametrize(
    ("backend", "place"),
    [("3.1", Position.WITHIN), ("4.0", Position.BEYOND), ("2.0", Position.BEFORE)],
)
def test_one_release_beyond_its_range_is_enough(
    entries: Callable[..., list[Difference]], backend: str, place: Position
) -> None:
    """Of several distributions one may be newer while the others are within; older and newer at
    once is neither.
    """
    (entry,) = entries(versions="{engine: ==1.*, backend: ==3.*}")
    assert entry.position({"engine": "1.5", "backend": backend}) is place
    assert entry.position({"engine": "2.5", "backend": "2.0"}) is Position.APART


def test_a_fact_that_no_adapter_tells_is_a_problem(
    entries: Callable[..., list[Difference]],
) -> None:
    """A slip of the pen would be silent: the entry would never speak. An engine that tells no facts
    is no judge of that.
    """
    (entry,) = entries(where="{device: cpu, onednnn: true}")
    assert untold_facts([entry], {"mine": ("engine", FACTS)}) == [
        {
            "entry": entry.at,
            "problem": "where: no adapter tells onednnn, did you mean onednn? "
            "(should be one of device, platform, machine, cpu_flags, not_cpu_flags, onednn, isa, "
            "streams)",
        }
    ]
    assert untold_facts([entry], {"engine": ("engine", {}), "other": ("other", FACTS)}) == []
    assert untold_facts(entries(where="{onednn: false}"), {"engine": ("engine", FACTS)}) == []


def test_an_entry_applies_under_the_label_and_the_adapters_name(
    entries: Callable[..., list[Difference]], verdict: Callable[..., Verdict]
) -> None:
    """A labelled adapter is known by both of its names."""
    (entry,) = entries()
    assert explained(verdict(adapter="old"), [entry]).known
    assert explained(verdict(adapter="engine"), [entry], adapter="package.module:Class").known
    assert not explained(verdict(adapter="old"), [entry], adapter="other").known


def test_patterns_that_match_no_case_of_their_corpus_are_lost(
    entries: Callable[..., list[Difference]],
) -> None:
    """Each such pattern is told with its entry; those that match a case are not."""
    (entry,) = entries(cases="[folder/file/one, folder/gone/*]")
    assert lost_entries([entry], {entry.root: ["folder/file/one"]}) == [
        {
            "entry": entry.at,
            "problem": "folder/gone/* matches no case of the corpus,"
            " should match one or be removed",
        }
    ]
    assert lost_entries([entry], {entry.root: ["folder/file/one", "folder/gone/x"]}) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"adapter": None}, "1: adapter: missing, should be given"),
        ({"cases": None}, "1: cases: missing, should be given"),
        ({"versions": None}, "1: versions: missing, should be given"),
        ({"status": None}, "1: status: missing, should be given"),
        ({"reason": None}, "1: reason: missing, should be given"),
        ({"source": None}, "1: source: missing, should be given"),
        (
            {"status": "conforms"},
            "4: status: is 'conforms', should be one of differs, raised, crashed, timed-out",
        ),
        ({"status": "unavailable"}, "4: status: is 'unavailable', should be one of"),
        ({"reason": "3"}, "5: reason: is 3, should be text"),
        ({"cases": "[]"}, "2: cases: is [], should be a list of words"),
        ({"cases": "[one, 2]"}, "2: cases: is ['one', 2], should be a list of words"),
        (
            {"versions": "'>=1'"},
            "3: versions: should be a mapping of distributions to version specifiers",
        ),
        (
            {"versions": "{engine: newest}"},
            "3: versions.engine: is 'newest', should be a version specifier",
        ),
        (
            {"where": "cpu"},
            "7: where: should be a mapping of device, platform, machine, cpu_flags,"
            " not_cpu_flags, or of facts",
        ),
        (
            {"where": "{onednn: }"},
            "7: where.onednn: is None, should be a word, a number, true or false,"
            " or a list of them",
        ),
        ({"where": "{isa: []}"}, "7: where.isa: is [], should be a word, a number"),
        (
            {"until": "2.0"},
            "7: until: should be a mapping of distributions to their first release without it",
        ),
        (
            {"until": "{engine: newest}"},
            "7: until.engine: is 'newest', should be a version as in 2.14.0",
        ),
        (
            {"until": "{engine: 1.7}"},
            "7: until.engine: is 1.7, which ==1.* holds, should be a release after that range",
        ),
        ({"until": "{other: 1.7}"}, "7: until.other: unknown key, should be one of engine"),
        ({"where": "{device: 1}"}, "7: where.device: is 1, should be a list of words"),
        ({"when": "now"}, "7: when: unknown key, did you mean where? (should be one of adapter"),
    ],
)
def test_a_malformed_entry_is_told_with_its_line_and_key(
    entries: Callable[..., list[Difference]],
    tmp_path: Path,
    changes: dict[str, str | None],
    told: str,
) -> None:
    """FILE:LINE: KEY: what is wrong, what would be right, as in case files."""
    with pytest.raises(FileProblems) as caught:
        entries(**changes)
    file = tmp_path / "cases" / "known_differences" / "engine.yaml"
    assert len(caught.value.lines) == 1
    assert caught.value.lines[0].startswith(f"{file}:{told}")
    assert "should be" in caught.value.lines[0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\n", "1: (file): is not a list"),
        ("- one\n", "1: (file): is not a mapping"),
        ("[\n", "2: (YAML): "),
    ],
)
def test_a_file_that_is_no_list_of_entries_is_refused(
    corpus: Callable[[str, str], Path], text: str, told: str
) -> None:
    """The whole file has a form of its own."""
    file = corpus("known_differences/engine.yaml", text)
    with pytest.raises(FileProblems) as caught:
        load_differences([file.parent.parent])
    assert caught.value.lines[0].startswith(f"{file}:{told}")


def test_all_files_of_all_roots_are_read_and_all_mistakes_told(
    corpus: Callable[[str, str], Path], tmp_path: Path
) -> None:
    """Both endings, in order; a root without such a folder has no entries, and one given twice
    counts once.
    """
    second = corpus("known_differences/b.yml", ENTRY)
    root = corpus("known_differences/a.yaml", ENTRY * 2).parent.parent
    corpus("known_differences/notes.txt", "[")
    found = load_differences([root, tmp_path, root])
    assert [Path(entry.at).name for entry in found] == ["a.yaml:1", "a.yaml:7", "b.yml:1"]
    second.write_text("a: 1\n")
    corpus("known_differences/a.yaml", "b: 1\n")
    with pytest.raises(FileProblems) as caught:
        load_differences([root])
    assert len(caught.value.lines) == 2


def test_the_statuses_that_can_be_declared_are_those_that_fail() -> None:
    """Nothing that passes the gate needs an excuse."""
    assert {name for name, status in STATUSES.items() if status.fails} == set(FAILING)


@pytest.mark.parametrize(
    ("changes", "asked", "crashes"),
    [
        ({"status": "crashed"}, {}, True),
        ({"status": "differs"}, {}, False),
        ({"status": "crashed"}, {"quantity": "gradients"}, False),
        ({"status": "crashed", "quantity": "gradients"}, {"quantity": "gradients"}, True),
        ({"status": "crashed", "versions": "{engine: '>1.5'}"}, {}, False),
        ({"status": "crashed", "where": "{device: [cuda]}"}, {}, False),
        ({"status": "crashed", "cases": "'folder/*/two'"}, {}, False),
    ],
)
def test_a_crash_is_known_before_it_comes(
    entries: Callable[..., list[Difference]],
    a_case: Callable[..., Case],
    changes: dict[str, str],
    asked: dict[str, str],
    crashes: bool,
) -> None:
    """From entries that say so of that case, quantity, device and version: what is left to do can
    be told from it.
    """
    judge = Judge(
        Truths(),
        entries(**changes),
        adapters={"mine": "engine"},
        versions={"mine": {"engine": "1.5"}},
        facts={"mine": {}},
    )
    place = {"adapter": "mine", "device": "cpu", "quantity": "output"} | asked
    assert judge.is_known_to_crash(a_case(), **place) is crashes
