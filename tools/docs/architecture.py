"""Makes the picture and the table in docs/architecture.md from the imports of the package.

    python tools/docs/architecture.py

What stands between the marks of that file is replaced, all else is kept. A test of the import graph
holds the package against `LEVELS`, and the file against what this makes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from conformance.adapters import REGISTRY

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGE = CHECKOUT / "conformance"
DOCUMENT = CHECKOUT / "docs" / "architecture.md"
BEGIN, END = "<!-- made by tools/docs/architecture.py -->", "<!-- end of what is made -->"

LEVELS = (
    ("badge", "errors", "geometry", "outcomes", "printing", "system", "wording"),
    ("conventions",),
    ("adapters", "oracle"),
    ("corpus", "environments"),
    ("models", "workers", "programs", "verdicts"),
    ("cluster",),
    ("audit", "capture", "porting", "record", "sweep"),
    ("support",),
    ("check_report", "kernels", "report", "run"),
    ("bisection", "board", "callables", "comparison", "pytest_plugin"),
    ("commands",),
    ("cli",),
)
"""Every package and every module beside them: each imports what is lower, and itself."""


def modules() -> dict[str, Path]:
    """Dotted names below the package, a package under its own name -> files."""
    return {
        path.relative_to(PACKAGE)
        .with_suffix("")
        .as_posix()
        .replace("/", ".")
        .removesuffix(".__init__"): path
        for path in sorted(PACKAGE.rglob("*.py"))
        if not path.is_relative_to(PACKAGE / "cases")
    }


def imported(path: Path) -> set[str]:
    """Full names of what a module imports, one per name: `from a import b` is a.b.

    Raises ValueError for a relative import.
    """
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{path} imports relatively, should name the package")
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def rooms_of(path: Path) -> set[str]:
    """The rooms that a module imports from; names of the package itself are left out."""
    ours = {name.split(".")[1] for name in imported(path) if name.startswith("conformance.")}
    return ours & {room for rooms in LEVELS for room in rooms}


def arrows() -> dict[str, set[str]]:
    """Room -> the other rooms that it imports."""
    found: dict[str, set[str]] = {room: set() for rooms in LEVELS for room in rooms}
    for module, path in modules().items():
        room = module.split(".")[0]
        if room in found:
            found[room] |= rooms_of(path) - {room}
    return found


def nearest(graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The same arrows without those that a way over another room stands for."""
    reached: dict[str, set[str]] = {}
    for rooms in LEVELS:
        for room in rooms:
            reached[room] = graph[room].union(*(reached[other] for other in graph[room]))
    return {
        room: {other for other in others if not any(other in reached[way] for way in others)}
        for room, others in graph.items()
    }


def picture() -> Iterator[str]:
    """The rooms by level, the command line on top, and the arrows, in the language of Mermaid."""
    yield "```mermaid"
    yield "flowchart TD"
    for number in reversed(range(len(LEVELS))):
        yield f'  subgraph level{number}["{number}"]'
        yield from (f"    {room}" for room in LEVELS[number])
        yield "  end"
    for room, others in nearest(arrows()).items():
        yield from (f"  {room} --> {other}" for other in sorted(others))
    yield "```"


def table() -> Iterator[str]:
    """A row for each room, the lowest first: its level, its question and its modules."""
    yield "| level | room | question | modules |"
    yield "| --- | --- | --- | --- |"
    engines = {entry.module.removeprefix("conformance.adapters.") for entry in REGISTRY.values()}
    paths = modules()
    for number, rooms in enumerate(LEVELS):
        for room in rooms:
            parts = [name.removeprefix(f"{room}.") for name in paths if name.startswith(f"{room}.")]
            shown = [part for part in parts if "." not in part and part not in engines]
            names = ", ".join(f"`{part}`" for part in shown)
            names += ", and a file an engine" if room == "adapters" else ""
            yield f"| {number} | `{room}` | {question(paths[room])} | {names} |"


def question(path: Path) -> str:
    """The first line of a docstring, with what the line after it finishes."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(docstring.partition("\n\n")[0].split()).replace("|", "\\|")


def made() -> str:
    """What stands between the marks."""
    parts: Sequence[Iterator[str]] = (picture(), table())
    return "\n\n".join("\n".join(part) for part in parts)


def document(text: str) -> str:
    """The document's text with what is made now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{made()}\n\n{END}{after}"


if __name__ == "__main__":
    DOCUMENT.write_text(document(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
