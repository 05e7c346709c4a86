"""Ranges of known failures, widened from a record: what an entry says was seen in other releases
too.

The text of a file is changed at the places that the YAML parser names, so that comments and layout
of everything else stay.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from packaging.specifiers import SpecifierSet

from conformance.corpus.strict_yaml import Item, offset, parse
from conformance.errors import RecordError
from conformance.record.record import Record
from conformance.record.run_line import circumstances_of
from conformance.system.files import replace_file
from conformance.verdicts.known import Difference
from conformance.verdicts.known_reader import entries_of
from conformance.verdicts.verdict import Verdict
from conformance.verdicts.version_range import Position, position, public, widened
from conformance.wording import counted

OUTSIDE = (Position.BEFORE, Position.BEYOND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The verdicts of a record on one entry outside of its range: the releases, and which verdicts
    fail so, no more, or otherwise.
    """

    entry: Difference
    releases: Mapping[str, str]
    side: Position
    alike: Sequence[Verdict]
    mended: Sequence[Verdict]
    otherwise: Sequence[Verdict]

    @property
    def is_seen(self) -> bool:
        return bool(self.alike) and not self.mended and not self.otherwise

    @property
    def is_mended(self) -> bool:
        """Whether the releases do not fail so any more; of older ones nothing is said."""
        return (
            self.side is Position.BEYOND
            and not self.alike
            and not self.otherwise
            and bool(self.mended)
        )


def findings(record: Record, entries: Iterable[Difference]) -> list[Finding]:
    """Of every entry that the record has verdicts for in releases outside of its range, what they
    say.
    """
    adapters = {line["label"]: line["adapter"] for line in record.run["adapters"]}
    within = _spoken_of(record, entries, adapters)
    collected = []
    for entry in entries:
        by_side: dict[tuple[Position, tuple[tuple[str, str], ...]], list[Verdict]] = {}
        for verdict in record.verdicts:
            versions = record.run["versions"].get(verdict.adapter, {})
            side = entry.position(versions)
            key = verdict.case, verdict.adapter, verdict.device, verdict.quantity
            if (
                side in OUTSIDE
                and key not in within
                and _concerns(entry, verdict, record, adapters)
            ):
                outside = {
                    name: versions[name]
                    for name, spec in entry.versions.items()
                    if position(versions[name], spec) is side
                }
                by_side.setdefault((side, tuple(outside.items())), []).append(verdict)
        for (side, releases), verdicts in by_side.items():
            alike = [verdict for verdict in verdicts if entry.fits(verdict)]
            mended = [verdict for verdict in verdicts if not verdict.fails]
            others = [verdict for verdict in verdicts if verdict.fails and not entry.fits(verdict)]
            collected.append(
                Finding(
                    entry=entry,
                    releases=dict(releases),
                    side=side,
                    alike=alike,
                    mended=mended,
                    otherwise=others,
                )
            )
    return [finding for finding in collected if finding.side is Position.BEYOND or finding.alike]


def _spoken_of(
    record: Record, entries: Iterable[Difference], adapters: Mapping[str, str]
) -> set[tuple[str, str, str, str]]:
    """Verdicts that an entry speaks of whose range holds their release: others have no say
    there.
    """
    return {
        (verdict.case, verdict.adapter, verdict.device, verdict.quantity)
        for entry in entries
        for verdict in record.verdicts
        if _concerns(entry, verdict, record, adapters)
        and entry.position(record.run["versions"].get(verdict.adapter, {})) is Position.WITHIN
    }


def _concerns(
    entry: Difference, verdict: Verdict, record: Record, adapters: Mapping[str, str]
) -> bool:
    return (
        verdict.status != "unavailable"
        and entry.quantity == verdict.quantity
        and entry.is_of(verdict.adapter, adapters.get(verdict.adapter, verdict.adapter))
        and entry.names(verdict.case)
        and entry.where_holds(verdict.device, circumstances_of(record.run, verdict.adapter))
    )


def confirm(findings: Iterable[Finding]) -> list[str]:
    """Widen the ranges of what was seen, end those of what is mended; a line for each, and for each
    that a person has to judge.

    Raises RecordError where a file cannot be written.
    """
    lines = []
    changes: dict[Path, list[Finding]] = {}
    for finding in findings:
        file, _, _ = finding.entry.at.rpartition(":")
        if finding.is_seen or finding.is_mended:
            changes.setdefault(Path(file), []).append(finding)
        lines.append(f"{finding.entry.at}: {_description(finding)}")
    for path, of_file in changes.items():
        _rewrite(path, of_file)
    return lines


def _description(finding: Finding) -> str:
    releases = ", ".join(f"{name} {version}" for name, version in finding.releases.items())
    if finding.is_seen:
        ranges = ", ".join(
            f"{name} {widened(finding.entry.versions[name], v)}"
            for name, v in finding.releases.items()
        )
        return (
            f"seen in {releases} too ({counted(len(finding.alike), 'check')}): versions are "
            f"now {ranges}"
        )
    if finding.is_mended:
        return f"mended in {releases} ({counted(len(finding.mended), 'check')}): until says so now"
    parts = {
        "fail so": finding.alike,
        "do not fail": finding.mended,
        "fail otherwise": finding.otherwise,
    }
    counts = ", ".join(f"{len(verdicts)} {words}" for words, verdicts in parts.items() if verdicts)
    odd = min((verdicts for verdicts in parts.values() if verdicts), key=len)[0]
    return (
        f"left as it is for {releases}: {counts}, as {odd.case} on {odd.adapter}; should be "
        "split by hand"
    )


def _rewrite(file: Path, findings: Sequence[Finding]) -> None:
    try:
        with file.open(encoding="utf-8", newline="") as stream:  # line ends as they are
            text = stream.read()
        for finding in sorted(
            findings, key=lambda finding: -_line(finding)
        ):  # from the end, so that lines before stay
            (item,) = (item for item in parse(file, text).entries() if item.line == _line(finding))
            text = _spliced(text, item, finding)
        entries_of(parse(file, text), None)
        replace_file(file, text, through_links=True)
    except OSError as error:
        raise RecordError(
            f"{file} cannot be written: {error.strerror}, should be a file of known failures"
        ) from None


def _line(finding: Finding) -> int:
    return int(finding.entry.at.rpartition(":")[2])


def _spliced(text: str, entry: Item, finding: Finding) -> str:
    """The text with the entry's range widened, or with an end to it."""
    pairs = {key.value: (key, value) for key, value in entry.mapping().value}
    key, versions = pairs["versions"]
    if versions.start_mark.line < key.start_mark.line:
        entry.items()["versions"].wrong(
            "is an alias, should be written out to be changed here alone"
        )
        entry.problems.check()
    if finding.is_mended:
        return _with_until(text, pairs, finding)
    for name, node in reversed(versions.value):
        release = finding.releases.get(name.value)
        if release is not None and position(release, SpecifierSet(node.value)) in OUTSIDE:
            text = _replaced(text, node, json.dumps(widened(SpecifierSet(node.value), release)))
    return text


def _with_until(
    text: str, pairs: Mapping[str, tuple[yaml.Node, yaml.Node]], finding: Finding
) -> str:
    ends = {name: str(version) for name, version in finding.entry.until.items()}
    ends |= {name: str(public(version)) for name, version in finding.releases.items()}
    value = (
        "{" + ", ".join(f"{name}: {json.dumps(version)}" for name, version in ends.items()) + "}"
    )
    if "until" in pairs:
        return _replaced(text, pairs["until"][1], value)
    key, versions = pairs["versions"]
    behind = text[
        : offset(text, versions.end_mark)
    ].rstrip()  # a block's own end is where the next key begins
    line_end = text.find("\n", len(behind))
    at = len(text) if line_end < 0 else line_end - text[:line_end].endswith("\r")
    line_break = "\r\n" if "\r\n" in text else "\n"
    return f"{text[:at]}{line_break}{' ' * key.start_mark.column}until: {value}{text[at:]}"


def _replaced(text: str, node: yaml.Node, value: str) -> str:
    return text[: offset(text, node.start_mark)] + value + text[offset(text, node.end_mark) :]
