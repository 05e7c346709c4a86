"""How is a function of this package run in a process of its own?"""

from __future__ import annotations

from pathlib import Path

_LOADER = """
import sys, importlib.util as u
s = u.spec_from_file_location("conformance", {init!r}, submodule_search_locations=[{folder!r}])
m = u.module_from_spec(s); sys.modules["conformance"] = m; s.loader.exec_module(m)
from {module} import main
main({argument!r})
"""


def package_command(python: str, module: str, argument: str) -> list[str]:
    """The words that run `main(argument)` of a module of this package in another interpreter.

    The package is loaded by its folder, so that nothing beside it is on the path.
    """
    folder = Path(__file__).resolve().parent.parent
    return [
        python,
        "-c",
        _LOADER.format(
            init=str(folder / "__init__.py"), folder=str(folder), module=module, argument=argument
        ),
    ]
