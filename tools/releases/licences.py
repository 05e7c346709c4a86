"""Makes docs/licences.md: the licence of every distribution of requirements.lock and of every
package of the browsers' engines, as each says it itself.

    python tools/releases/licences.py

It asks the metadata of what is installed beside it (the environment of `tox -e tests` has all but
what other platforms and CUDA need), and the locks of npm.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
LOCK = CHECKOUT / "requirements.lock"
DOCUMENT = CHECKOUT / "docs" / "licences.md"
WEB = CHECKOUT / "conformance" / "web"
LONGEST = 60
NOT_SAID = "not said in its metadata"
HEADING = """\
# Licences

The suite is under the [Apache License 2.0](../LICENSE). It contains uPlot, whose licence, MIT, lies
beside it in `conformance/report/assets/vendor/`. All else is installed from package indexes for the
extra, the group or the engine that asks for it. These are the licences that the packages say for
themselves; `python tools/releases/licences.py` makes this page.

## Python

Of `requirements.lock`: what the suite itself, the extras of `all`, tests and checks come to.

| distribution | licence |
| --- | --- |
"""


def locked() -> list[str]:
    """The names of the lock, in its order, each once."""
    text = LOCK.read_text(encoding="utf-8")
    return list(dict.fromkeys(re.findall(r"^([\w.-]+)==", text, re.MULTILINE)))


def licence(found: Distribution) -> str:
    """What a distribution says of its licence: the expression, the classifiers, or the first line
    of the text.
    """
    said = found.metadata.json
    classes = [
        name.rpartition(" :: ")[2] for name in said.get("classifier", []) if ":: OSI" in name
    ]
    text = str(said.get("license", "")).strip().partition("\n")[0]
    choices = (
        said.get("license_expression"),
        text if len(text) <= LONGEST else "",
        ", ".join(classes),
    )
    return next((str(choice) for choice in choices if choice), NOT_SAID)


def python_rows() -> Iterator[tuple[str, str | None]]:
    """(name, licence), None for what is not installed here."""
    for name in locked():
        try:
            yield name, licence(distribution(name))
        except PackageNotFoundError:
            yield name, None


def web_rows() -> Iterator[tuple[str, str]]:
    """(package, licence) of all locks of npm, each once."""
    found: dict[str, str] = {}
    for file in sorted(WEB.glob("*/package-lock.json")):
        for path, package in json.loads(file.read_text(encoding="utf-8"))["packages"].items():
            if path:
                found[path.rpartition("node_modules/")[2]] = package.get("license", NOT_SAID)
    yield from sorted(found.items())


def document() -> str:
    """The page."""
    rows = list(python_rows())
    absent = [name for name, said in rows if said is None]
    lines = [f"| {name} | {said} |" for name, said in rows if said is not None]
    others = (
        "\nNot installed where this page is made, as other platforms or CUDA ask for them: "
        f"{', '.join(absent)}.\n"
        if absent
        else ""
    )
    web = "\n".join(f"| {name} | {said} |" for name, said in web_rows())
    return (
        HEADING
        + "\n".join(lines)
        + f"\n{others}\n## In a browser\n\nOf the locks in `conformance/web/`.\n\n"
        + f"| package | licence |\n| --- | --- |\n{web}\n"
    )


def main() -> int:
    """Write the page."""
    DOCUMENT.write_text(document(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
