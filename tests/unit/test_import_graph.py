"""Dependencies point one way: read from the import statements of every module, wherever in it they
stand.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers import tool

architecture = tool("architecture")
LEVELS, modules, imported, rooms_of = (
    architecture.LEVELS,
    architecture.modules,
    architecture.imported,
    architecture.rooms_of,
)
FRAMEWORKS = {"torch", "tensorflow", "keras", "jax", "jaxlib", "flax", "onnx", "onnxruntime"}

LEVEL = {name: level for level, names in enumerate(LEVELS) for name in names}

TOUCHING_FILES = {
    "adapters.chain_tensorflow",
    "audit.suite",
    "bisection",
    "board.site",
    "capture",
    "cli",
    "cluster",
    "commands",
    "comparison.page",
    "corpus",
    "environments",
    "kernels.arrays",
    "kernels.bench.child",
    "kernels.bench.loading",
    "kernels.judge",
    "kernels.subject",
    "models",
    "pytest_plugin.suite",
    "record",
    "report",
    "run.dump",
    "support.shipped",
    "sweep.distributed",
    "sweep.failures",
    "sweep.uniting",
    "system",
    "verdicts.known_reader",
    "workers.sandbox",
    "workers.specs",
}
FILE_CALLS = {"open", "fdopen"}
FILE_METHODS = {
    "read_text", "write_text", "read_bytes", "write_bytes", "mkdir", "unlink", "rmdir", "touch",
    "rename", "iterdir", "glob",
    "rglob", "is_file", "is_dir", "exists", "ftruncate", "rmtree", "copytree",
}  # fmt: skip
MODULES = modules()


def ours(path: Path) -> set[str]:
    """The rooms that a module imports from, its own among them."""
    return rooms_of(path)


def foreign(path: Any) -> Any:
    return {name.split(".")[0] for name in imported(path)}


def test_the_modules_are_found() -> None:
    """The graph is not checked on nothing."""
    assert {
        "geometry",
        "cli",
        "workers.child",
        "adapters.torch",
        "conventions.torch",
    } <= MODULES.keys()
    assert {"numpy"} <= foreign(MODULES["verdicts.compare"])


def test_every_package_has_a_level() -> None:
    """Nothing stands outside: a new package is given its place here, and a name that is gone is
    taken out.
    """
    assert {module.split(".")[0] for module in MODULES} - {"__init__", "__main__"} == LEVEL.keys()


@pytest.mark.parametrize(
    "module", [module for module in MODULES if module not in ("__init__", "__main__")]
)
def test_dependencies_point_one_way(module: Any) -> None:
    """geometry <- conventions <- oracle <- corpus <- workers, verdicts <- record <- run, report <-
    commands <- cli.
    """
    top = module.split(".")[0]
    assert not {other for other in ours(MODULES[module]) - {top} if LEVEL[other] >= LEVEL[top]}


def test_the_picture_is_that_of_the_imports() -> None:
    """docs/architecture.md is what its program makes of the package as it is now."""
    text = architecture.DOCUMENT.read_text(encoding="utf-8")
    assert architecture.document(text) == text


def test_the_route_of_a_case_exists() -> None:
    """Every file that the route in docs/architecture.md names is there."""
    text = architecture.DOCUMENT.read_text(encoding="utf-8")
    route = text.partition("## The route of a case")[2].partition("## Errands")[0]
    named = set(re.findall(r"`([a-z_/]+\.py)`", route))
    assert len(named) > 20
    assert [name for name in named if not (architecture.PACKAGE / name).is_file()] == []


def test_no_module_is_part_of_a_circle() -> None:
    """What a module imports when it is loaded does not, by any way, import it back."""
    graph = {}
    for module, path in MODULES.items():
        names = {
            name.removeprefix("conformance.")
            for name in imported(path)
            if name.startswith("conformance.")
        }
        near = {name for name in names if name in MODULES} | {
            name.rpartition(".")[0] for name in names
        }
        graph[module] = {
            name
            for name in near
            if name in MODULES and name != module and not module.startswith(name + ".")
        }
    graph["__init__"] = set()  # its names are lazy
    for start in graph:
        reached, left = set(), list(graph[start])
        while left:
            name = left.pop()
            if name not in reached:
                reached.add(name)
                left += graph[name]
        assert start not in reached, f"{start} imports itself through {sorted(reached)}"


def test_geometry_is_integers_alone() -> None:
    """No array, no file, nothing of ours."""
    assert foreign(MODULES["geometry"]) <= {"__future__", "collections", "dataclasses"}


@pytest.mark.parametrize(
    "module", [module for module in MODULES if module.split(".")[0] == "conventions"]
)
def test_conventions_are_pure_arithmetic(module: Any) -> None:
    """Neither NumPy nor a file nor a framework."""
    assert foreign(MODULES[module]) <= {
        "__future__",
        "collections",
        "conformance",
        "dataclasses",
        "importlib",
        "typing",
    }


@pytest.mark.parametrize("module", MODULES)
def test_only_adapters_import_a_framework(module: Any) -> None:
    """And readers of models and callers of kernels, each in a child. All else can be loaded, and
    tested, without one.
    """
    if not module.startswith(("adapters.", "models.readers.", "kernels.bench.")):
        assert not foreign(MODULES[module]) & FRAMEWORKS


@pytest.mark.parametrize("module", MODULES)
def test_only_workers_import_an_adapter(module: Any) -> None:
    """The registry is free for all; the modules behind it are imported in a child, by their name in
    the table.
    """
    behind = {
        name for name in imported(MODULES[module]) if name.startswith("conformance.adapters.")
    }
    modules = {".".join(name.split(".")[:3]) for name in behind} & {
        f"conformance.{other}" for other in MODULES
    }
    if not module.startswith(("adapters", "workers")):
        assert not modules


@pytest.mark.parametrize(
    "module", [module for module in MODULES if module.startswith("verdicts.diagnosis")]
)
def test_diagnosis_knows_no_adapter(module: Any) -> None:
    """It knows cases and arrays; so does what compares them."""
    assert not (ours(MODULES[module]) | ours(MODULES["verdicts.compare"])) & {"adapters", "system"}


def touches(path: Any) -> Any:
    """Calls in a module by which files are read or written."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Name) and function.id in FILE_CALLS:
                found.add(function.id)
            elif isinstance(function, ast.Attribute) and function.attr in FILE_METHODS | FILE_CALLS:
                found.add(function.attr)
    return found


@pytest.mark.parametrize("module", MODULES)
def test_only_some_modules_touch_files(module: Any) -> None:
    """I/O stands apart from logic. The workers' pipes and /dev/null are not files of the user's."""
    found = touches(MODULES[module])
    if module in TOUCHING_FILES or module.split(".")[0] in TOUCHING_FILES:
        return
    if module == "workers.child":
        assert found == {"open", "fdopen"}
    elif module == "printing":
        assert found == {"open", "fdopen"}  # /dev/null, for a standard stream that is closed
    elif module == "run.runner":
        assert found <= {"is_file"}  # whether there is a record to go on with
    elif module == "adapters.jaxcache":
        assert found == {"glob", "read_text"}  # the names of the process's own threads
    elif module == "adapters.tract":
        assert found == {"write_bytes"}  # it reads a model from a file alone
    elif module == "adapters.onnxruntime_webgpu":
        assert found == {"read_text"}  # the profile of a session
    else:
        assert not found


def test_the_search_for_file_calls_finds_them() -> None:
    """The test above can fail: the modules that read and write are seen to do so."""
    assert {"fdopen"} <= touches(MODULES["system.reading"])
    assert {"open", "fdopen"} <= touches(MODULES["record.reader"])
    assert {"open", "ftruncate"} <= touches(MODULES["record.writer"])


@pytest.mark.parametrize("module", ["conformance", "conformance.cli"])
def test_importing_it_imports_nothing_heavy(module: Any) -> None:
    """`--help` is quick, and a child gets nothing but what it asks for: neither NumPy, YAML, Jinja
    nor a framework.
    """
    code = f"import {module}, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & {"numpy", "ml_dtypes", "yaml", "jinja2", "packaging", "pytest", *FRAMEWORKS}


def test_all_public_names_are_there() -> None:
    """Lazy names lead somewhere, and an unknown one is an AttributeError."""
    import conformance

    assert all(getattr(conformance, name) is not None for name in conformance.__all__)
    assert set(conformance.__all__) <= set(dir(conformance))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = conformance.nothing
