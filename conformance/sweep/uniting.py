"""One sweep out of its parts: the failures that the whole would have found, byte for byte."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.corpus.shards import Shard
from conformance.errors import RecordError
from conformance.sweep.failures import Entry, files_of, position, settled

_QUESTION = ("conformance", "seed", "count", "indices", "wish", "threads")
"""The keys that the parts of one sweep have alike."""
_IDENTITY = ("label", "adapter", "versions", "device", "facts")


@dataclass(frozen=True, slots=True, kw_only=True)
class United:
    """What the parts found; `texts` are the case files by name. `missing` has a line for each
    engine that lacks parts, and the parts that are there.
    """

    content: Entry
    texts: Mapping[str, str]
    missing: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One engine in one file."""

    file: Path
    shards: tuple[Shard, ...]
    engine: Entry


def unite(files: Sequence[Path], contents: Sequence[Entry]) -> United:
    """Unite the parts of one sweep. Raises RecordError for those of another, for parts that make
    the same calls and tell them otherwise, and for a case file that is not there.
    """
    first = contents[0]
    engines, missing = [], []
    texts: dict[str, str] = {}
    there: set[str] = set()
    for parts in _parts(files, contents):
        engine, sources = _united(parts)
        lacking = _lacking([shard for part in parts for shard in part.shards])
        if lacking:
            missing.append(f"{engine['label']}: {lacking}")
            there |= {str(shard) for part in parts for shard in part.shards}
        engines.append(engine)
        for name, folder in sources.items():
            text = _text(folder / name)
            if texts.setdefault(name, text) != text:
                raise RecordError(
                    f"{folder / name}: another engine's file has its name, should be of engines "
                    "with other labels"
                )
    content = {**first, "shards": sorted(there) if missing else None, "engines": engines}
    named = set(files_of(content))
    return United(
        content=content,
        texts={name: text for name, text in texts.items() if name in named},
        missing=missing,
    )


def _parts(files: Sequence[Path], contents: Sequence[Entry]) -> list[list[_Part]]:
    """The parts of each engine, in the order of the first file. Raises RecordError."""
    first, by_engine = contents[0], dict[str, list[_Part]]()
    for file, content in zip(files, contents, strict=True):
        for key in _QUESTION:
            if content[key] != first[key]:
                raise RecordError(
                    f"{file}: {key} is {content[key]!r:.80} and {first[key]!r:.80} in {files[0]}, "
                    "should be parts of one sweep"
                )
        shards = tuple(Shard.read(f"{file}: shards", text) for text in content["shards"] or ["1/1"])
        for engine in content["engines"]:
            key = repr([engine[name] for name in _IDENTITY])
            by_engine.setdefault(key, []).append(_Part(file=file, shards=shards, engine=engine))
    return [_without_repeats(parts) for parts in by_engine.values()]


def _without_repeats(parts: Sequence[_Part]) -> list[_Part]:
    """Each part once. Raises RecordError for the same calls told otherwise."""
    distinct: list[_Part] = []
    for part in parts:
        twin = next((one for one in distinct if one.shards == part.shards), None)
        if twin is None:
            distinct.append(part)
        elif twin.engine != part.engine:
            raise RecordError(
                f"{part.file}: {part.engine['label']} failed otherwise in the same calls than in "
                f"{twin.file}: should be alike; unite all but one of them"
            )
    modulus = math.lcm(*(shard.of for part in distinct for shard in part.shards))
    taken: dict[int, _Part] = {}
    for part in distinct:
        for shard in part.shards:
            for number in range(shard.number - 1, modulus, shard.of):
                other = taken.setdefault(number, part)
                if other is not part:
                    raise RecordError(
                        f"{part.file}: makes calls that {other.file} makes too, should be another "
                        "part of the sweep"
                    )
    return distinct


def _lacking(shards: Sequence[Shard]) -> str:
    """What is missing of the whole, in words; nothing if nothing is."""
    modulus = math.lcm(*(shard.of for shard in shards))
    there = {one for shard in shards for one in range(shard.number - 1, modulus, shard.of)}
    gone = [f"{number + 1}/{modulus}" for number in range(modulus) if number not in there]
    if not gone:
        return ""
    return f"shards {', '.join(gone)} are missing" if gone[1:] else f"shard {gone[0]} is missing"


def _united(parts: Sequence[_Part]) -> tuple[Entry, dict[str, Path]]:
    """An engine's parts as one, and the folder of each case file. The earliest call of a kind
    speaks for it.
    """
    earliest: dict[str, tuple[Entry, _Part]] = {}
    counts: Counter[str] = Counter()
    for part in parts:
        for entry in (*part.engine["failures"], *part.engine["known"]):
            key = repr(
                [entry[name] for name in ("quantity", "status", "kind", "diagnosis", "group")]
            )
            counts[key] += entry["count"]
            if key not in earliest or position(entry) < position(earliest[key][0]):
                earliest[key] = (entry, part)
    entries = [(one | {"count": counts[key]}, part) for key, (one, part) in earliest.items()]
    sums: dict[str, Counter[str]] = {"refused": Counter(), "redrawn": Counter()}
    for part in parts:
        for name, total in sums.items():
            total.update(part.engine[name])
    stop_reasons = [
        part.engine["given_up"] for part in parts if part.engine["given_up"] is not None
    ]
    engine: dict[str, Any] = {
        **parts[0].engine,
        "calls": sum(part.engine["calls"] for part in parts),
        "gradients": all(part.engine["gradients"] for part in parts),
        "failures": [one for one, _ in entries if "reason" not in one],
        "known": [one for one, _ in entries if "reason" in one],
        **{name: dict(sorted(total.items())) for name, total in sums.items()},
        "given_up": "; ".join(dict.fromkeys(stop_reasons)) or None,
    }
    sources = {
        one["file"]: part.file.parent for one, part in entries if one.get("file") is not None
    }
    return settled(engine), sources


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise RecordError(
            f"{file} cannot be read: {why}, should be the case of a failure"
        ) from None
