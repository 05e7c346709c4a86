"""The data inside a page: an index that the matrix is drawn from, and what is behind the cases, in
pieces opened on demand.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from conformance.printing import printable
from conformance.record.case_line import case_from
from conformance.record.record import Record
from conformance.record.reduction import ARRAYS, can_be_made_again
from conformance.report.matrix import NO_VERDICT, Column, Row, code
from conformance.report.skeletons import Skeletons, data_of, natives_for, program_adapter
from conformance.support.features import FEATURES, features_of
from conformance.verdicts import messages
from conformance.verdicts.facts import facts, summary
from conformance.verdicts.verdict import STATUSES, Verdict

CASES_A_PIECE = 48
MOST_ELEMENTS = 512
"""The most elements of an array that can be made again, where nothing differs: the page would be
twice as large, and nobody reads longer ones."""
_BEYOND_ASCII = re.compile(r"[\x7f-\U0010ffff]")


def pack(content: Any) -> str:
    """JSON, deflated, in base64: nothing in it can be taken for markup. Half a surrogate pair
    becomes a question mark.
    """
    text = json.dumps(content, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    text = text.encode("utf-8", "replace").decode()
    if not text.isprintable():
        text = _BEYOND_ASCII.sub(lambda match: json.dumps(printable(match[0]))[1:-1], text)
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode("ascii")


def index(record: Record, columns: Sequence[Column], rows: Sequence[Row]) -> dict[str, Any]:
    """The data of the matrix and its filters: columns, and a row per case and quantity with one
    character per column.
    """
    files = list(dict.fromkeys(row.file for row in rows))
    tags = sorted({str(tag) for row in rows for tag in row.case["tags"]})
    file_numbers = {file: number for number, file in enumerate(files)}
    return {
        "statuses": [
            {"name": name, "sign": status.sign, "fails": status.fails, "meaning": status.meaning}
            for name, status in STATUSES.items()
        ],
        "columns": [
            {"label": column.label, "device": column.device, "convention": column.convention}
            for column in columns
        ],
        "files": files,
        "tags": tags,
        "piece": CASES_A_PIECE,
        "cases": [
            [
                name,
                str(case["summary"]),
                str(case["source"]),
                [tags.index(str(tag)) for tag in case["tags"]],
                sorted(map(FEATURES.index, features_of(case))),
            ]
            for name, case in record.cases.items()
        ],
        "rows": _index_rows(record, rows, file_numbers),
    }


def _index_rows(
    record: Record, rows: Sequence[Row], file_numbers: Mapping[str, int]
) -> list[list[Any]]:
    number = {name: position for position, name in enumerate(record.cases)}
    return [
        [
            number[row.name],
            file_numbers[row.file],
            row.quantity,
            "".join(NO_VERDICT if v is None else code(v) for v in row.verdicts),
        ]
        for row in rows
    ]


def pieces(record: Record, columns: Sequence[Column]) -> tuple[list[str], str]:
    """(what is behind the cases, CASES_A_PIECE in each, packed; the skeletons of their programs,
    packed).
    """
    skeletons = Skeletons()
    behind: dict[str, list[Verdict]] = {name: [] for name in record.cases}
    for verdict in record.verdicts:
        behind[verdict.case].append(verdict)
    adapters = {entry["label"]: program_adapter(entry) for entry in record.run["adapters"]}
    position = {(column.label, column.device): number for number, column in enumerate(columns)}
    details = []
    for name, line in record.cases.items():
        detail = {
            "line": _tight(_line(line, behind[name])),
            "verdicts": [_tight(_verdict(record, verdict, position)) for verdict in behind[name]],
            "programs": _programs(line, [adapters[column.label] for column in columns], skeletons),
        }
        details.append(detail)
    packed = [
        pack(details[start : start + CASES_A_PIECE])
        for start in range(0, len(details), CASES_A_PIECE)
    ]
    return packed, pack(skeletons.texts)


def _programs(
    line: Mapping[str, Any], adapters: Sequence[str | None], skeletons: Skeletons
) -> dict[str, Any] | None:
    """The data of the case's programs, and for each column the number of a skeleton, or the reason
    why there is none.
    """
    case = case_from(line, numbers=False)
    if case is None:
        return None
    natives = natives_for(case, [adapter for adapter in adapters if adapter is not None])
    return data_of(case) | {
        "skeletons": [
            None if adapter is None else skeletons.of(case, adapter, natives[adapter])
            for adapter in adapters
        ]
    }


def _line(line: Mapping[str, Any], verdicts: Iterable[Verdict]) -> dict[str, Any]:
    """The case's line; large arrays that can be made again are left out of it, unless something
    differs from them.
    """
    whole = any(verdict.status == "differs" for verdict in verdicts)
    arrays = {key: line.get(key) for key in ARRAYS}
    return {
        **line,
        **{
            key: _array(array, whole or not can_be_made_again(key, array, MOST_ELEMENTS))
            for key, array in arrays.items()
        },
    }


def _array(array: Mapping[str, Any] | None, whole: bool) -> dict[str, Any] | None:
    """An array of the record with its values as text, which is opened when they are looked at."""
    if array is None or "values" not in array:
        return None if array is None else dict(array)
    without_values = {name: value for name, value in array.items() if name != "values"}
    return without_values | ({"values": numbers(array["values"])} if whole else {"left_out": True})


def numbers(values: Any) -> str:
    """Nested numbers as JSON, whole ones without their point; -0.0 stays what it is."""
    text = json.dumps([values], separators=(",", ":"), allow_nan=False)
    for end in ",]":
        text = text.replace(f"-0.0{end}", f"-0e0{end}").replace(f".0{end}", end)
    return text[1:-1]


def _verdict(
    record: Record, verdict: Verdict, position: Mapping[tuple[str, str], int]
) -> dict[str, Any]:
    """A verdict by the number of its column, in the words that everybody has for it."""
    is_explained = verdict.fails or verdict.unexpected
    return {
        "column": position[verdict.adapter, verdict.device],
        "quantity": verdict.quantity,
        "status": verdict.status,
        "unexpected": verdict.unexpected or None,
        "known": (verdict.known is not None) or None,
        "summary": summary(verdict) or None,
        "facts": facts(verdict) or None,
        "index": None if verdict.mismatch is None else verdict.mismatch.get("index"),
        "got": _array(verdict.got, True),
        "reproduce": messages.reproduction(verdict, record.run) if is_explained else None,
    }


def _tight(value: Any) -> Any:
    """The same without null entries of mappings."""
    return (
        {key: _tight(entry) for key, entry in value.items() if entry is not None}
        if isinstance(value, Mapping)
        else value
    )
