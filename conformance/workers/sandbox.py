"""An engine that can see neither the cases nor the record, and reach nobody: namespaces round its
process, made by bubblewrap.

It sees the file system as it is, read-only, but for the folders of what people keep (the home
folder, the temporary folders, the sockets of services), which are empty and its own; what it is
made of is put back there; and what it must not see is covered. It has no network, sees no other
process, and has no privilege.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from conformance.adapters import REGISTRY
from conformance.errors import UsageError
from conformance.system import cache
from conformance.workers.spec import Spec

PROGRAM = "bwrap"
PRIVATE = ("/tmp", "/var/tmp", "/run", "/home", "/root", "/mnt", "/media", "/srv")
DEVICES = ("dri", "kfd", "accel", "nvidia*")
"""What engines on a GPU or another accelerator open below /dev."""

BINARIES = ("bin", "shims")
"""The folders of programs beside what they need; the second is that of pyenv and the like."""

_APART = ("--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL")
_SECONDS = 30.0
_ASK = "import json, sys; print(json.dumps([sys.prefix, sys.base_prefix, *sys.path]))"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """What no engine of a run may see: `hidden` are folders and files; `folder` is the working
    folder.
    """

    hidden: tuple[Path, ...]
    folder: Path

    @staticmethod
    def of(hidden: Iterable[Path], output: Path) -> Sandbox:
        """The sandbox of a run that writes into a folder, which is made. Raises UsageError where
        there can be none.
        """
        check()
        folder = Path.cwd().resolve()
        output = output.resolve()
        if folder.is_relative_to(output):
            raise UsageError(
                f"--sandbox: the output folder {output} holds the working folder, which engines "
                "see, should be one of its own"
            )
        for private in map(Path, _private()):
            if private.is_dir() and private.resolve().is_relative_to(folder):
                raise UsageError(
                    f"--sandbox: the working folder {folder} holds {private}, which engines do not "
                    "see, should be one of its own"
                )
        for covered in (output, cache.folder()):
            try:
                covered.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise UsageError(
                    f"--sandbox: {covered} cannot be made: {error.strerror}, should be a folder"
                ) from None
        everything = {path.resolve() for path in (*hidden, output, cache.folder())}
        return Sandbox(hidden=_coverable(everything, folder), folder=folder)

    def around(self, spec: Spec) -> Spec:
        """The same engine in the sandbox, and so whatever a chain ends with."""
        needs = [self.folder, *_needs(spec.command, spec.environment)]
        entry = REGISTRY.get(spec.adapter)
        if entry is not None and entry.node:
            needs += _installed(shutil.which("node"))
        return replace(
            spec,
            command=words(spec.command, needs=needs, hidden=self.hidden, folder=self.folder),
            last=None if spec.last is None else self.around(spec.last),
        )


def words(
    command: Sequence[str], *, needs: Iterable[Path], hidden: Iterable[Path], folder: Path
) -> tuple[str, ...]:
    """The command, in a sandbox that starts in a folder: `needs` are seen, read-only, though they
    lie where the engine's own folders are; `hidden` are not, but for what is needed inside of one.
    """
    private = [Path(path).resolve() for path in _private()]
    outer = [path for path in _outermost(private) if path.is_dir()]
    seen = _outermost(need for need in needs if _is_inside(need, outer))
    covered = sorted(set(hidden), key=lambda path: len(path.parts))
    inside = _outermost(need for need in needs if _is_inside(need, covered))
    options = [*_APART, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    for device in _devices():
        options += ["--dev-bind-try", device, device]
    for path in outer:
        options += ["--tmpfs", str(path)]
    for path in seen:
        options += ["--ro-bind-try", str(path), str(path)]
    for path in covered:
        options += _cover(path)
    for path in inside:
        options += ["--ro-bind-try", str(path), str(path)]
    options += ["--dir", str(Path.home()), "--dir", "/tmp", "--setenv", "TMPDIR", "/tmp"]
    options += ["--setenv", cache.VARIABLE, str(cache.folder()), "--chdir", str(folder)]
    return (PROGRAM, *options, "--", *command)


@functools.cache
def check() -> None:
    """Raise UsageError where no sandbox can be made."""
    if shutil.which(PROGRAM) is None:
        raise UsageError(
            f"--sandbox: there is no {PROGRAM} on the PATH, should be installed: "
            "apt-get install bubblewrap"
        )
    trial = [PROGRAM, *_APART, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "true"]
    done = subprocess.run(trial, capture_output=True, text=True, timeout=_SECONDS, check=False)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["it says nothing"])[0]
        raise UsageError(
            f"--sandbox: {PROGRAM} can make none here ({why}), should be where a user may have "
            "namespaces of their own"
        )


def _private() -> list[str]:
    return [*PRIVATE, str(Path.home()), os.environ.get("TMPDIR", "/tmp")]


def _devices() -> list[str]:
    return sorted(str(path) for pattern in DEVICES for path in Path("/dev").glob(pattern))


def _cover(path: Path) -> list[str]:
    """An empty folder in the place of one, and nothing in the place of a file."""
    return ["--tmpfs", str(path)] if path.is_dir() else ["--ro-bind", os.devnull, str(path)]


def _coverable(paths: Iterable[Path], folder: Path) -> tuple[Path, ...]:
    """The paths that are there, those in a covered folder left out; of a folder that holds the
    working folder the files that are named alone, which stand among the paths.
    """
    there = [path for path in paths if path.exists() and not folder.is_relative_to(path)]
    return tuple(_outermost(there))


def _needs(command: Sequence[str], environment: Mapping[str, str]) -> list[Path]:
    """What a command needs to be seen: the interpreter or the program, what lies beside the files
    among its words, and what PYTHONPATH names.
    """
    program = shutil.which(command[0])
    paths = _installed(program)
    if program is not None and Path(program).name.startswith("python"):
        paths += _interpreter(program)
    for word in command[1:]:
        if "/" in word and Path(word).exists():
            paths += [Path(word).resolve(), *_beside(Path(word).resolve())]
    for variables in (os.environ, environment):
        paths += map(Path, filter(None, variables.get("PYTHONPATH", "").split(os.pathsep)))
    package = Path(__file__).resolve().parent.parent
    installed = cache.folder() / "engines"
    return [path.resolve() for path in [*paths, package, installed] if path.exists()]


def _installed(program: str | None) -> list[Path]:
    """A program, where it is and where it leads to, with all that was installed with it."""
    if program is None:
        return []
    paths: list[Path] = []
    for path in (Path(program).absolute(), Path(program).resolve()):
        paths += [path, *(_beside(path.parent) if path.parent.name in BINARIES else _beside(path))]
    return paths


def _beside(path: Path) -> list[Path]:
    """The folder of a path, unless all else of somebody's lies there too."""
    private = {Path(one).resolve() for one in _private()}
    wide = path.parent in private or any(one.is_relative_to(path.parent) for one in private)
    return [] if wide else [path.parent]


@functools.cache
def _asked(python: str) -> tuple[str, ...]:
    asked = subprocess.run(
        [python, "-c", _ASK], capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    try:
        return tuple(filter(None, json.loads(asked.stdout)))
    except ValueError:  # it will say itself what is wrong with it
        return ()


def _interpreter(python: str) -> list[Path]:
    """The folders from which an interpreter imports."""
    return [Path(path) for path in _asked(python) if os.path.isabs(path)]  # noqa: PTH117


def _is_inside(path: Path, folders: Iterable[Path]) -> bool:
    return any(path != folder and path.is_relative_to(folder) for folder in folders)


def _outermost(paths: Iterable[Path]) -> Iterator[Path]:
    """The paths that lie in no other of them, each once."""
    several = sorted(set(paths), key=lambda path: len(path.parts))
    outermost: list[Path] = []
    for path in several:
        if not _is_inside(path, outermost):
            outermost.append(path)
    yield from outermost
