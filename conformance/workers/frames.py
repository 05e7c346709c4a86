"""Where in an engine's own code something came up: the last frames of an exception, or of what
Python's faulthandler wrote when the process died, without those of the suite.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable
from pathlib import Path

MOST_FRAMES = 5

_PACKAGE = Path(__file__).resolve().parents[1]
_ADAPTERS = _PACKAGE / "adapters"
_INSTALLED = re.compile(r".*/(?:site-packages|dist-packages|lib/python3\.\d+)/")
"""What stands before the name of a module in the path of an installed one: it says nothing."""

_BEGINNING = re.compile(r"Fatal Python error: (.*)")
_SIGNALS = {
    "Segmentation fault", "Aborted", "Floating point exception", "Bus error", "Illegal instruction",
}  # fmt: skip
"""What faulthandler calls the signals; the message of a death names them already."""
_THREAD = re.compile(r"(Current thread|Thread) 0x[0-9a-f]+.*:")
_FRAME = re.compile(r'  File "(?P<file>.*)", line (?P<line>\d+|\?\?\?) in (?P<function>.*)')
_OTHER = re.compile(r"Extension modules: |  <no Python frame>|  \.\.\.")


def frames_of(error: BaseException) -> str:
    """The last frames of an exception in the code of the engine, the adapter and its framework, the
    innermost last; empty where there are none.
    """
    return _frames_text(
        (frame.filename, str(frame.lineno), frame.name, frame.line or "")
        for frame in traceback.extract_tb(error.__traceback__)
    )


def parted(text: str) -> tuple[str, str]:
    """What a process wrote to stderr without what faulthandler wrote there, and the frames in which
    it died as `frames_of` tells them; of several threads those of the one that died, or of the
    first one.
    """
    rest: list[str] = []
    threads: list[tuple[bool, list[tuple[str, str, str, str]]]] = []
    inside = False
    for line in text.splitlines():
        if beginning := _BEGINNING.match(line):
            inside, threads = True, []
            if beginning[1] in _SIGNALS:
                continue
        elif inside and (thread := _THREAD.match(line)):
            threads.append((thread[1] == "Current thread", []))
            continue
        elif inside and threads and (frame := _FRAME.match(line)):
            threads[-1][1].append((frame["file"], frame["line"], frame["function"], ""))
            continue
        elif inside and (_OTHER.match(line) or not line):
            continue
        rest.append(line)
    # the first thread is told last
    texts = [(died, _frames_text(reversed(frames))) for died, frames in threads]
    of_the_dead = next((frames for died, frames in texts if died and frames), "")
    return "\n".join(rest), of_the_dead or next((frames for _, frames in texts[::-1] if frames), "")


def _frames_text(frames: Iterable[tuple[str, str, str, str]]) -> str:
    """Frames (file, line, function, source) as Python tells them, the last ones of the engine."""
    lines = []
    for file, number, function, source in [one for one in frames if _is_engines(one[0])][
        -MOST_FRAMES:
    ]:
        lines.append(f'File "{_short(file)}", line {number}, in {function}')
        lines += [f"    {source}"] if source else []
    return "\n".join(lines)


def _is_engines(file: str) -> bool:
    """Whether it is not a file of the suite itself; an adapter of ours is the engine's."""
    path = Path(file)
    ours = path.is_relative_to(_PACKAGE) and not path.is_relative_to(_ADAPTERS)
    return not ours and not file.startswith("<frozen ") and file != "<string>"


def _short(file: str) -> str:
    """The path as it is told: of an installed module from its package on, of ours from the suite's
    folder on, of one in the working folder from there on.
    """
    path, installed = Path(file), _INSTALLED.match(file)
    if path.is_relative_to(_PACKAGE):
        return str(path.relative_to(_PACKAGE.parent))
    if installed:
        return file[installed.end() :]
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file
