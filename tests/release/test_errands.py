"""The errands of docs/architecture.md, done in a copy of the checkout by exactly the edits that it
lists: what holds the edits together passes there.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import CHECKOUT

PARTS = (
    "conformance",
    "cases",
    "docs",
    "tests",
    "tools",
    "action",
    "benchmarks",
    "reports/reference",
)
FILES = ("pyproject.toml", "README.md", "constraints.txt", "tox.ini", "CHANGELOG.md")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the checkout, without what was made in it."""
    made = shutil.ignore_patterns("__pycache__")
    for part in PARTS:
        shutil.copytree(CHECKOUT / part, tmp_path / part, ignore=made)
    for file in FILES:
        shutil.copy(CHECKOUT / file, tmp_path / file)
    return tmp_path


def insert(file: Path, before: str, text: str) -> None:
    """Put text in front of what stands once in a file."""
    content = file.read_text(encoding="utf-8")
    assert content.count(before) == 1, f"{before!r} does not stand once in {file}"
    file.write_text(content.replace(before, text + before), encoding="utf-8")


def python(copy: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """What a process says whose suite is the copy's."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


@pytest.fixture
def passes(copy: Path) -> Callable[..., None]:
    """Asserts that tests of the copy pass, at least one."""

    def check(*words: str) -> None:
        done = python(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]

    return check


ADAPTER = '''\
"""The reference implementation once more."""

from __future__ import annotations

from conformance.adapters.onnx_reference import OnnxReference


class OnnxAgain(OnnxReference):
    """One evaluator, run once."""

    convention = "onnx"
'''


@pytest.mark.skipif(importlib.util.find_spec("onnx") is None, reason="onnx is not installed here")
def test_an_engine_is_its_file_a_row_a_template_and_a_line(
    copy: Path, passes: Callable[..., None]
) -> None:
    """It is listed, it runs, its program runs, and the documents know it."""
    package = copy / "conformance"
    (package / "adapters" / "onnx_again.py").write_text(ADAPTER, encoding="utf-8")
    insert(
        package / "adapters" / "registry.py",
        '    "litert": _LITERT,',
        '    "onnx-again": _entry("onnx_again", "OnnxAgain", "onnx", needs="onnx"),\n',
    )
    (package / "programs" / "onnx_again.py.j2").write_text(
        '{% extends "onnx_reference.py.j2" %}\n', encoding="utf-8"
    )
    insert(
        copy / "docs" / "adapters.md",
        "| `litert` | `tensorflow` |",
        "| `onnx-again` | `onnx` | the same once more |\n",
    )
    passes("tests/docs/test_docs.py", "-k", "registry")
    passes("tests/engines/test_programs.py", "-k", "onnx-again or conventions_are_those")
    passes("tests/unit/test_import_graph.py", "-k", "level or picture or route or onnx_again")
    passes("tests/unit/workers/test_specs.py")
    done = python(
        copy,
        *("-m", "conformance", "run", "textbook/line/*", "-a", "onnx-again"),
        *("--timing", "off", "-o", "out"),
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_mistake_is_a_function_of_its_family_and_a_line(
    copy: Path, passes: Callable[..., None]
) -> None:
    """It is made, it is named, and the page has it."""
    insert(
        copy / "conformance" / "verdicts" / "diagnosis" / "outputs.py",
        "    yield from _border(call, y)\n",
        '    yield Mistake(name="sign-turned", text="every number has the other sign", y=-y)\n',
    )
    insert(
        copy / "docs" / "diagnosis.md",
        "| `ends-swapped` |",
        "| `sign-turned` | every number has the other sign |\n",
    )
    passes("tests/unit/verdicts/test_diagnosis.py", "-k", "every_name_is_documented")
    code = (
        "import numpy as np, conformance\n"
        "wrong = lambda x, w, b, **k: -conformance.conv_transpose(x, w, b, **k).astype(x.dtype)\n"
        "print(conformance.check(wrong, 'textbook/worked/*'))\n"
    )
    assert "every number has the other sign" in python(copy, "-c", code).stdout


def test_a_key_of_the_record_is_an_attribute_a_line_and_a_property(
    copy: Path, passes: Callable[..., None]
) -> None:
    """It is written, read, described and valid."""
    insert(
        copy / "conformance" / "verdicts" / "verdict.py",
        "    got: dict[str, Any] | None = None\n",
        "    remark: str | None = None\n",
    )
    insert(
        copy / "docs" / "reports.md",
        "| `got` | for `differs`: `shape`",
        "| `remark` | what somebody said of it; else null |\n",
    )
    schema = copy / "conformance" / "schema" / "record.schema.json"
    insert(
        schema,
        '        "got": {\n          "description": "What came, for `differs`',
        '        "remark": {"description": "What somebody said.", "type": ["string", "null"]},\n',
    )
    insert(schema, '"got"\n      ],', '"remark", ')
    passes("tests/unit/record/test_record.py")
    passes("tests/unit/record/test_record_schema.py", "-k", "keys_of_the_code or without_one")
    passes("tests/docs/test_docs.py", "-k", "record or verdict")
