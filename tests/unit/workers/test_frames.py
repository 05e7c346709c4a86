"""Where in the engine's own code something came up: what is told of an exception and of a death."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import conformance
from conformance.workers.frames import MOST_FRAMES, frames_of, parted

SEGFAULT = """\
engine: loading
Fatal Python error: Segmentation fault

Thread 0x00007f01 (most recent call first):
  File "/usr/lib/python3.11/threading.py", line 975 in run

Current thread 0x00007f02 (most recent call first):
  File "/home/me/.venv/lib/python3.11/site-packages/mine/kernel.py", line 31 in launch
  File "/srv/engine.py", line 9 in call
  File "{workers}/server.py", line 50 in answer
  File "<string>", line 6 in <module>

Extension modules: numpy.core._multiarray_umath, mine._C (total: 2)
engine: bye
"""


def segfault(text: str = SEGFAULT) -> str:
    return text.replace("{workers}", str(Path(conformance.__file__).parent / "workers"))


def descend(depth: int) -> None:
    if depth:
        descend(depth - 1)
    raise ValueError("the bottom")


def raised(act: Any) -> str:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - any
        act()
    return frames_of(caught.value)


def test_the_last_frames_are_told_with_file_line_function_and_source() -> None:
    """Not more than five, the innermost last, in the words of Python."""
    lines = raised(lambda: descend(9)).splitlines()
    assert len(lines) == 2 * MOST_FRAMES
    number = descend.__code__.co_firstlineno + 3
    assert lines[-2].endswith(f'test_frames.py", line {number}, in descend')
    assert lines[-1] == '    raise ValueError("the bottom")'


def test_frames_of_the_suite_are_left_out() -> None:
    """What the suite does below a call of its own is not the engine's."""
    told = raised(lambda: conformance.conv_transpose(None, None, None, stride=(1,)))
    assert "test_frames.py" in told
    assert "conformance/" not in told.replace("conformance/adapters", "")
    assert len(told.splitlines()) == 4  # this file's lambda and `raised`


def test_an_exception_without_frames_has_none() -> None:
    """One that was made and never raised, as of a binding."""
    assert frames_of(ValueError("never raised")) == ""


def test_a_path_is_told_from_what_names_it_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an installed module from its package on, of the user's file from the working folder."""
    monkeypatch.setattr(Path, "cwd", lambda: Path("/srv"))
    _, frames = parted(segfault())
    assert frames.splitlines() == [
        'File "engine.py", line 9, in call',
        'File "mine/kernel.py", line 31, in launch',
    ]


def test_what_faulthandler_writes_is_taken_out_of_the_rest() -> None:
    """What else the engine said stays."""
    rest, _ = parted(segfault())
    assert rest.splitlines() == ["engine: loading", "engine: bye"]


def test_where_another_thread_died_the_first_thread_is_told() -> None:
    """A thread of C has no frames: the call stands in the first one, which is told last."""
    _, frames = parted(segfault().replace("Current thread", "Thread"))
    assert frames.endswith("in launch")
    assert "threading.py" not in frames


def test_a_fatal_error_of_python_itself_stays_in_the_message() -> None:
    """It is no signal, so nothing else says what it is."""
    rest, frames = parted(
        "Fatal Python error: deallocating None\n\nCurrent thread 0x01 (most recent call first):\n"
        '  File "engine.py", line 2 in <module>\n'
    )
    assert rest == "Fatal Python error: deallocating None"
    assert frames == 'File "engine.py", line 2, in <module>'


@pytest.mark.parametrize("text", ["", 'one\n  File "a", line 1 in b\n...', "\n\n\x1b[2J"])
def test_other_text_is_left_alone(text: str) -> None:
    """Only what follows the beginning of faulthandler's report is taken for a part of it."""
    assert parted(text) == ("\n".join(text.splitlines()), "")


def test_the_interpreter_writes_what_is_read_here() -> None:
    """The words are those of this very Python."""
    program = "import faulthandler, os; faulthandler.enable()\ndef call():\n    os.abort()\ncall()"
    done = subprocess.run(
        [sys.executable, "-c", f"exec(compile({program!r}, 'mine.py', 'exec'))"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    rest, frames = parted(done.stderr)
    assert frames.splitlines() == [
        'File "mine.py", line 4, in <module>',
        'File "mine.py", line 3, in call',
    ]
    assert rest == ""
