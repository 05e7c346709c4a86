"""Files of cases and of known failures, made of those that are shipped."""

from __future__ import annotations

import functools
import math
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from conformance import conventions
from conformance.corpus.case import Case
from conformance.corpus.files import case_files, load_cases, shipped_cases
from conformance.corpus.known_files import ENDINGS, known_files
from conformance.corpus.selection import compile_expression
from conformance.corpus.strict_yaml import read
from conformance.corpus.tensors import tensors_of
from conformance.verdicts.known_reader import load_differences, unexplained
from fuzzing.reader import Reader
from fuzzing.trees import text_twisted, twisted
from fuzzing.yamltext import yaml_text

_MADE = 4096  # elements of arrays that are made of what was accepted


@functools.cache
def _folder() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="conformance-fuzz-")
    _folder_kept.append(folder)
    return Path(folder.name)


_folder_kept: list[tempfile.TemporaryDirectory[str]] = []


@functools.cache
def _cases() -> list[Any]:
    """The shipped cases as trees, but for those of many numbers."""
    files = [file for file, _ in case_files([shipped_cases()])]
    cases = [case for file in files for case in read(file).value()["cases"]]
    return [case for case in cases if len(str(case)) < 1500]


@functools.cache
def _entries() -> list[Any]:
    files = [file for file in known_files(shipped_cases()) if file.suffix in ENDINGS]
    return [entry for file in files for entry in read(file).value()]


def _draw_cases(draw: random.Random, twists: Sequence[random.Random]) -> bytes:
    pool = _cases()
    tree: Any = {"format": 1, "cases": draw.choices(pool, k=draw.choice([1, 1, 1, 2]))}
    for number, case in enumerate(tree["cases"]):
        tree["cases"][number] = {**case, "id": f"{case['id']}-{number}"}
    return _drawn(tree, {"cases": [draw.choice(pool)]}, draw, twists)


def _draw_known(draw: random.Random, twists: Sequence[random.Random]) -> bytes:
    pool = _entries()
    return _drawn(draw.choices(pool, k=draw.choice([1, 2])), draw.choices(pool, k=2), draw, twists)


def _drawn(tree: Any, donor: Any, draw: random.Random, twists: Sequence[random.Random]) -> bytes:
    """The tree as text, twisted as a tree, or one time in six as text."""
    in_text = [twist for twist in twists if twist.random() < 1 / 6]
    for twist in twists:
        if twist not in in_text:
            tree = twisted(tree, donor, twist)
    text = yaml_text(tree, draw)
    for twist in in_text:
        text = text_twisted(text, twist)
    return text.encode("utf-8", "replace")


def _read_cases(content: bytes) -> None:
    file = _folder() / "cases.yaml"
    file.write_bytes(content)
    for case in load_cases(file):
        _use(case)


def _use(case: Case) -> None:
    """What the suite does of a case before an engine is asked."""
    for convention in conventions.NAMES:
        if case.concerns(convention):
            case.arguments(convention)
    sources = [case.input, case.kernel, *([] if case.bias is None else [case.bias])]
    if sum(math.prod(source.shape) for source in sources) <= _MADE:
        tensors_of(case)


def _read_known(content: bytes) -> None:
    file = _folder() / "known.yaml"
    file.write_bytes(content)
    unexplained(load_differences([], [file]))


_NAMES = ("a", "textbook", "k3-s2", "same", "x/y")


def _draw_expression(draw: random.Random, twists: Sequence[random.Random]) -> bytes:
    words = [draw.choice(_NAMES)]
    for _ in range(draw.randrange(6)):
        words += [draw.choice(["and", "or", "and not", "or ("]), draw.choice(_NAMES)]
    text = " ".join(words)
    text += ")" * text.count("(")
    for twist in twists:
        text = text_twisted(text, twist)
    return text.encode("utf-8", "replace")


def _read_expression(content: bytes) -> None:
    compile_expression(content.decode("utf-8", "replace"))("textbook/a/k3-s2")


CASES = Reader(name="cases", draw=_draw_cases, read=_read_cases)
KNOWN = Reader(name="known", draw=_draw_known, read=_read_known)
EXPRESSIONS = Reader(name="expressions", draw=_draw_expression, read=_read_expression)
