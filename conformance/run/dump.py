"""The calls of a run as files, each with a program that makes it again without the runner."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from conformance.adapters import REGISTRY
from conformance.corpus.tensors import Array
from conformance.errors import UsageError
from conformance.printing import on_a_line
from conformance.programs import ROLES, program, template
from conformance.run.plan import Task, environment_of
from conformance.run.session import Session
from conformance.system.files import replace_file, replacing
from conformance.wording import counted
from conformance.workers.answers import Greeting
from conformance.workers.message import Message, conversation_of, message_of
from conformance.workers.request import EngineRequest
from conformance.workers.spec import Spec

MOST_CALLS = 100
_LONGEST_NAME = 100
_FILES = {"x": "x", "w": "kernel", "b": "bias"}
"""The files of a program's operands."""


def dump(session: Session, folder: Path) -> None:
    """Write every call of the run into a folder of its own below `folder`, which is made.

    Raises UsageError for more than 100 calls, and where nothing can be written.
    """
    tasks = [task for todo in session.plan.tasks(session.request.cases).values() for task in todo]
    if len(tasks) > MOST_CALLS:
        raise UsageError(
            f"--dump {folder}: {counted(len(tasks), 'call')} are asked for, should be at most "
            f"{MOST_CALLS}: name fewer cases (-k, full names) or adapters (-a)"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken: set[Path] = set()
        for task in tasks:
            request = session.call(task)
            if isinstance(request, EngineRequest):
                call_folder = _call_folder(folder, task, session, taken)
                _write(call_folder, task, session, message_of(request))
    except OSError as error:
        raise UsageError(f"--dump {folder}: cannot be written: {error.strerror or error}") from None


def _call_folder(folder: Path, task: Task, session: Session, taken: set[Path]) -> Path:
    """The folder of a call, made: by case, and in it by label, device and quantity as far as these
    are not what is usual. No name leads out of `folder`, and no link.
    """
    label = task.label + ("" if _is_first_device(task, session) else f"@{task.device}")
    label += "" if task.quantity == "output" else f"-{task.quantity}"
    named = folder.joinpath(*map(_name, task.case.name.split("/")), _name(label))
    call_folder, number = named, 1
    while call_folder in taken:
        number += 1
        call_folder = named.with_name(f"{named.name}-{number}")
    taken.add(call_folder)
    inside = folder
    for part in call_folder.relative_to(folder).parts:
        inside = inside / part
        if inside.is_symlink():
            raise UsageError(f"--dump {folder}: {inside} is a link, should be a folder")
        inside.mkdir(exist_ok=True)
    return call_folder


def _name(text: str) -> str:
    """A text as the name of a file, in which nothing means anything to a system."""
    plain = re.sub(r"[^\w.+@-]", "_", text, flags=re.ASCII)[:_LONGEST_NAME]
    return f"_{plain}" if plain[:1] in ("", ".", "-") else plain


def _is_first_device(task: Task, session: Session) -> bool:
    greeting = session.plan.greetings[task.label]
    return isinstance(greeting, Greeting) and greeting.devices[0] == task.device


def _write(call_folder: Path, task: Task, session: Session, message: Message) -> None:
    header, tensors = message
    described = [
        {"name": name, "dtype": array.dtype.name, "shape": list(array.shape)}
        for name, array in tensors.items()
    ]
    line = {**header, "tensors": described} if described else header
    replace_file(call_folder / "request.json", json.dumps(line, indent=1) + "\n")
    truth = session.truths(task.case).truth if task.quantity == "output" else None
    arrays = {**tensors, **({} if truth is None else {"expected": truth.y})}
    for name, array in arrays.items():
        _write_array(call_folder / f"{name}.npy", array)
    spec = session.plan.specs[task.label]
    if _is_program(spec):
        with replacing(call_folder / "request.bin") as partial:
            partial.write_bytes(conversation_of(message))
    replace_file(call_folder / "replay.py", _replay(task, session, spec))


def _write_array(path: Path, array: Array) -> None:
    """An array as NumPy's file; of bfloat16, which that does not know, the bits."""
    known = array.view(np.uint16) if array.dtype.name == "bfloat16" else array
    with replacing(path) as partial, partial.open("wb") as stream:
        np.save(stream, known, allow_pickle=False)


def _is_program(spec: Spec) -> bool:
    """Whether it is spoken to by the protocol alone."""
    entry = REGISTRY.get(spec.adapter)
    return spec.adapter.startswith("cmd:") or (entry is not None and bool(entry.node))


def _replay(task: Task, session: Session, spec: Spec) -> str:
    """The source of the program that makes the call again: in the framework alone where that says
    all of it, else by the adapter, or by the engine's own program.
    """
    environment = {**environment_of(session.request), **spec.environment}
    title = f"{task.case.name} on {task.label} ({task.device}): the {task.quantity}"
    filling = {
        "title": on_a_line(title),
        "environment": repr(environment),
        "working": repr(str(Path.cwd())),
    }
    if _is_program(spec):
        words = shlex.split(spec.adapter.removeprefix("cmd:"))
        command = words if spec.adapter.startswith("cmd:") else [*spec.command]
        return template("replay_command.py.j2").render(**filling, command=repr(command))
    alone = _alone(task, spec) if _is_first_device(task, session) else None
    if alone is not None:
        return f"import os\n\nos.environ.update({environment!r})  # as in the run\n\n{alone}"
    python = sys.executable if session.request.sandbox else spec.command[0]
    return template("replay_adapter.py.j2").render(
        **filling, **_loading(spec, environment, python), quantity=task.quantity
    )


def _alone(task: Task, spec: Spec) -> str | None:
    """The program of `conformance show --program` with the arrays of the files, if there is one."""
    if spec.adapter not in REGISTRY or task.quantity == "gradients":
        return None
    arrays = {key: _loaded(_FILES[key], task.case.dtype_of(role)) for key, role in ROLES.items()}
    source = program(task.case, spec.adapter, arrays)
    return source if isinstance(source, str) else None


def _loaded(name: str, dtype: str) -> str:
    """The NumPy expression of an array that lies in a file beside the program."""
    file = f'np.load(__import__("pathlib").Path(__file__).with_name("{name}.npy"))'
    return f"{file}.view(ml_dtypes.bfloat16)" if dtype == "bfloat16" else file


def _loading(spec: Spec, environment: Mapping[str, str], python: str) -> dict[str, Any]:
    """What the loading of an adapter takes: where modules are sought, and by which interpreter."""
    sought = environment.get("PYTHONPATH", os.environ.get("PYTHONPATH", "")).split(os.pathsep)
    return {
        "adapter": repr(spec.adapter),
        "path": repr([str(Path.cwd()), *filter(None, sought)]),
        "suite": repr(str(Path(__file__).resolve().parents[2])),
        "python": None if python == sys.executable else on_a_line(python),
    }
