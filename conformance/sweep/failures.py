"""`failures.json`: what a sweep found, in words that say nothing of time and order.

The same calls give the same bytes, whether one sweep made them or the parts of one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from conformance import __version__
from conformance.errors import RecordError
from conformance.sweep.attempt import FailureSignature
from conformance.sweep.campaign import MOST_WRITTEN, Swept
from conformance.sweep.kinds import Failure, Kind, Known
from conformance.sweep.request import Request
from conformance.sweep.write import write_text

FILE = "failures.json"
FORMAT = 1

Entry = dict[str, Any]

_OF_ENGINE: Mapping[str, type | tuple[type, ...]] = {
    "label": str, "adapter": str, "versions": dict, "device": str, "facts": dict, "calls": int,
    "gradients": bool, "failures": list, "known": list, "refused": dict, "redrawn": dict,
    "given_up": (str, type(None)),
}  # fmt: skip
_OF_KIND: Mapping[str, type | tuple[type, ...]] = {
    "quantity": str, "status": str, "kind": str, "diagnosis": (str, type(None)), "group": str,
    "call": int, "count": int,
}  # fmt: skip
_OF_FAILURE = {
    **_OF_KIND,
    "repeats": bool,
    "file": (str, type(None)),
    "signature": (str, type(None)),
}
_OF_KNOWN = {**_OF_KIND, "reason": str}
_OF_SWEEP: Mapping[str, type | tuple[type, ...]] = {
    "format": int, "conformance": str, "seed": int, "count": int, "indices": list, "wish": list,
    "threads": int, "shards": (list, type(None)), "engines": list,
}  # fmt: skip


def content_of(request: Request, swept: Iterable[Swept]) -> Entry:
    """What a sweep found. A part keeps every failure's file: only the whole shows which are told
    already.
    """
    engines = [_engine(one) for one in swept]
    return {
        "format": FORMAT,
        "conformance": __version__,
        "seed": request.seed,
        "count": request.count,
        "indices": list(request.indices),
        "wish": list(request.wish.words),
        "threads": request.threads,
        "shards": None if request.shard is None else [str(request.shard)],
        "engines": engines if request.shard else [settled(engine) for engine in engines],
    }


def settled(engine: Entry) -> Entry:
    """The failures and the known ones of a whole sweep in the order of their first calls; two that
    came down to one call have the file of the first, and later ones than are written have none.
    """
    files: dict[str, str] = {}
    failures = []
    for number, failure in enumerate(sorted(engine["failures"], key=position)):
        file = failure["file"] if number < MOST_WRITTEN else None
        if file is not None and failure["signature"] is not None:
            file = files.setdefault(failure["signature"], file)
        failures.append({**failure, "file": file})
    return {**engine, "failures": failures, "known": sorted(engine["known"], key=position)}


def position(entry: Mapping[str, Any]) -> tuple[int, bool]:
    """Where a failure comes in a sweep: an output before the gradients of the same call."""
    return entry["call"], entry["quantity"] == "gradients"


def kind_in(entry: Mapping[str, Any]) -> Kind:
    """The kind of a failure that the file tells of."""
    signature = FailureSignature(**{name: entry[name] for name in ("quantity", "status", "kind")})
    return Kind(signature=signature, diagnosis=entry["diagnosis"], group=entry["group"])


def write(folder: Path, content: Mapping[str, Any]) -> Path:
    """Write the file, and return its path. Raises RecordError."""
    file = folder / FILE
    write_text(file, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    return file


def read(file: Path) -> Entry:
    """Raises RecordError for what is no such file."""
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        why = getattr(error, "strerror", None) or "it is not JSON"
        raise RecordError(f"{file} cannot be read: {why}, should be a sweep's {FILE}") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise RecordError(f"{file}: should be a sweep's {FILE}, of format {FORMAT}")
    _check(file, content, _OF_SWEEP, "")
    if not all(isinstance(shard, str) for shard in content["shards"] or ()):
        raise RecordError(f"{file}: shards: should be I/N each, as 2/5")
    for at, engine in enumerate(content["engines"]):
        _check(file, engine, _OF_ENGINE, f"engines.{at}.")
        counts = {**engine["refused"], **engine["redrawn"]}
        if not all(type(count) is int for count in counts.values()):
            raise RecordError(f"{file}: engines.{at}: refused and redrawn should be counts")
        for key, keys in (("failures", _OF_FAILURE), ("known", _OF_KNOWN)):
            for number, entry in enumerate(engine[key]):
                _check(file, entry, keys, f"engines.{at}.{key}.{number}.")
                name = entry.get("file")
                if name is not None and (Path(name).name != name or not name.endswith(".yaml")):
                    raise RecordError(
                        f"{file}: engines.{at}.{key}.{number}.file: is {name!r:.80}, should be the "
                        "name of a case file beside it"
                    )
    return content


def _check(file: Path, entry: Any, keys: Mapping[str, type | tuple[type, ...]], where: str) -> None:
    if not isinstance(entry, dict):
        raise RecordError(f"{file}: {where or 'it'} should be an object")
    for key, types in keys.items():
        if key not in entry:
            raise RecordError(f"{file}: {where}{key}: is missing, should be there")
        value = entry[key]
        kinds = types if isinstance(types, tuple) else (types,)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            names = " or ".join("null" if kind is type(None) else kind.__name__ for kind in kinds)
            raise RecordError(f"{file}: {where}{key}: is {value!r:.80}, should be {names}")


def _engine(swept: Swept) -> Entry:
    return {
        "label": swept.label,
        **swept.engine,
        "calls": swept.calls,
        "gradients": swept.has_gradients,
        "failures": [_failure(one) for one in swept.failures.values()],
        "known": [_known(one) for one in swept.known.values()],
        "refused": dict(sorted(swept.refused.items())),
        "redrawn": dict(sorted(swept.redrawn.items())),
        "given_up": swept.stop_reason,
    }


def _kind(kind: Kind) -> Entry:
    signature = kind.signature
    return {
        "quantity": signature.quantity,
        "status": signature.status,
        "kind": signature.kind,
        "diagnosis": kind.diagnosis,
        "group": kind.group,
    }


def _failure(one: Failure) -> Entry:
    return {
        **_kind(one.kind),
        "call": one.call,
        "count": one.count,
        "repeats": one.repeats,
        "file": None if one.file is None else one.file.name,
        "signature": one.digest,
    }


def _known(one: Known) -> Entry:
    return {**_kind(one.kind), "call": one.call, "count": one.count, "reason": one.reason}


def finish(request: Request, swept: Sequence[Swept]) -> Path:
    """Write what a sweep found, remove the case files of failures that are told already, and have
    each failure name its own. Raises RecordError.
    """
    content = content_of(request, swept)
    named = set(files_of(content))
    for one, engine in zip(swept, content["engines"], strict=True):
        names = {position(entry): entry["file"] for entry in engine["failures"]}
        for failure in one.failures.values():
            if failure.file is not None and failure.file.name not in named:
                failure.file.unlink(missing_ok=True)
            name = names[failure.position]
            failure.file = None if name is None else request.folder / name
    return write(request.folder, content)


def files_of(content: Mapping[str, Any]) -> Sequence[str]:
    """The names of the case files that it tells of."""
    return [
        failure["file"]
        for engine in content["engines"]
        for failure in engine["failures"]
        if failure["file"] is not None
    ]
