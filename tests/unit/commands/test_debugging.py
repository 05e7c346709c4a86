"""What an implementer sees of an engine from inside: what docs/implementer.md tells works."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from helpers import CHECKOUT, CUT, TESTS, command, corpus

pytestmark = pytest.mark.slow


@pytest.mark.skipif(shutil.which("gdb") is None, reason="gdb is not installed")
@pytest.mark.parametrize(("behaviour", "code"), [("right", 0), ("aborts", 1)])
def test_a_program_runs_in_gdb_as_the_page_says(tmp_path: Path, behaviour: Any, code: int) -> None:
    """The protocol goes past gdb, whose output is shown: where a native engine dies."""
    page = (CHECKOUT / "docs" / "implementer.md").read_text(encoding="utf-8")
    found = re.search(r"^    # under-gdb.sh\n(?:    .*\n)+", page, re.MULTILINE)
    assert found is not None
    (tmp_path / "under-gdb.sh").write_text(textwrap.dedent(found[0]))
    python, program = Path(sys.executable).resolve(), TESTS / "foreign_engine.py"
    engine = f"mine=cmd:sh under-gdb.sh {python} {program} {behaviour}"
    done = command("run", corpus(tmp_path, CUT), "-a", engine, "-s", cwd=tmp_path)
    assert done.returncode == code, done.stdout + done.stderr
    assert ("mine| Program received signal SIGABRT" in done.stderr) is (code == 1)
    assert ("abort ()" in done.stderr) is (code == 1)
