"""The meaning of `-a` and `--python`: from the words of a command line to what the pool can
start.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from conformance import environments
from conformance.adapters import REGISTRY
from conformance.errors import UsageError
from conformance.wording import instead
from conformance.workers.spec import Spec

_LABELLED = re.compile(r"([^=:\s]+)=(.+)", re.DOTALL)
_CLASS = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True, kw_only=True)
class _AdapterRequest:
    """One adapter as it was asked for."""

    text: str
    label: str
    adapter: str
    by_name: bool


def read_specs(
    adapters: Sequence[str], pythons: Sequence[str], *, variants: bool = False
) -> tuple[list[Spec], dict[str, str]]:
    """The engines to start, and by label the text that was typed for each. Raises UsageError.

    Without adapters, all of the table that are no variants; with `variants`, those of the adapters
    that take part too.
    """
    requests = [_parse(text) for text in adapters]
    labels = [one.adapter for one in requests]
    requests += [
        _AdapterRequest(text=name, label=name, adapter=name, by_name=False)
        for name, entry in REGISTRY.items()
        if name not in labels
        and (
            (variants and (not adapters or entry.variant_of in labels))
            if entry.variant_of
            else not adapters
        )
    ]
    labels = [one.label for one in requests]
    for label in labels:
        if labels.count(label) > 1:
            raise UsageError(
                f"-a: {label} is given twice, should have labels that differ, as in other={label}"
            )
    interpreters = read_interpreters(pythons, labels)
    specs = []
    for one in requests:
        words = _words(one.adapter) if one.adapter.startswith("cmd:") else None
        if one.label in interpreters:
            _check_is_python(one)
        named = interpreters.get(one.label, "")
        python = named or environments.interpreter(one.adapter)
        spec = Spec.of(
            one.adapter, label=one.label, python=python, by_name=one.by_name, words=words
        )
        specs.append(replace(spec, python=named))
    return specs, {one.label: one.text for one in requests}


def _parse(text: str) -> _AdapterRequest:
    labelled = _LABELLED.fullmatch(text)
    label, adapter = (labelled[1], labelled[2]) if labelled else (text, text)
    if adapter not in REGISTRY and not adapter.startswith("cmd:") and not _CLASS.fullmatch(adapter):
        raise UsageError(
            f"-a {text}: unknown adapter {adapter}, "
            + instead(
                adapter,
                REGISTRY,
                beside=", or package.module:Class, or cmd:'PROGRAM ARGS'",
                listed_by="conformance adapters --variants",
            )
        )
    return _AdapterRequest(text=text, label=label, adapter=adapter, by_name=True)


def _check_is_python(one: _AdapterRequest) -> None:
    """Raises UsageError for a program, which no interpreter starts."""
    is_node = one.adapter in REGISTRY and bool(REGISTRY[one.adapter].node)
    if is_node or one.adapter.startswith("cmd:"):
        what = "program of Node" if is_node else "program: name it in the command"
        raise UsageError(
            f"--python {one.label}=...: is for adapters in Python, and {one.label} is a {what}"
        )


def _words(adapter: str) -> tuple[str, ...]:
    command = adapter.removeprefix("cmd:")
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(
            f"-a {adapter}: {error}, should be a program and its arguments as a shell reads them"
        ) from None
    if words and shutil.which(words[0]) is None and Path(words[0]).is_file():
        raise UsageError(
            f"-a {adapter}: {words[0]!r} is not executable, should be made so (chmod +x) or be "
            "named behind its interpreter, as in cmd:'python3 engine.py'"
        )
    if not words or shutil.which(words[0]) is None:
        raise UsageError(
            f"-a {adapter}: there is no program {words[0] if words else ''!r}, should be one on "
            "the PATH or a path to one"
        )
    return tuple(words)


def read_interpreters(pythons: Sequence[str], labels: Sequence[str]) -> dict[str, str]:
    """The interpreter of every label that has one of its own. Raises UsageError."""
    interpreters: dict[str, str] = {}
    for text in pythons:
        label = next((label for label in labels if text.startswith(label + "=")), None)
        if label is None:
            raise UsageError(
                f"--python {text}: should be ADAPTER=PATH with an adapter of this run: "
                f"{', '.join(labels)}"
            )
        path = text[len(label) + 1 :]
        if shutil.which(path) is None:
            raise UsageError(
                f"--python {text}: {path!r} is not a program, should be the path of a Python "
                "interpreter"
            )
        interpreters[label] = path
    return interpreters
