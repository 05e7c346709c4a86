"""How is the site of the documentation built? By Sphinx, of pages that read on their own as well.

    sphinx-build -W docs docs/_build/html

The pages are plain Markdown. What a site needs besides is made here: the order of pages from the
links of `index.md`, links out of `docs/`, and docstrings as Sphinx reads them.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from pygments.lexers.special import TextLexer
from sphinx.addnodes import download_reference
from sphinx.application import Sphinx

DOCS = Path(__file__).resolve().parent
CHECKOUT = DOCS.parent
REPOSITORY = os.environ.get("GITHUB_REPOSITORY")
"""OWNER/NAME where the site is built on GitHub."""
sys.path.insert(0, str(CHECKOUT))

project = "Transposed convolution conformance"
author = "the authors of conv-transpose-conformance"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
root_doc = "index"
smartquotes = False  # quotes and dashes stay as they are typed

myst_heading_anchors = 4

default_role = "literal"  # docstrings write `code`
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_type_aliases = {"ArrayLike": "ArrayLike", "Float64": "Float64"}

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_title = "conformance"
html_copy_source = False
html_show_sphinx = False
if REPOSITORY:
    html_theme_options = {
        "source_repository": f"https://github.com/{REPOSITORY}/",
        "source_branch": "main",
        "source_directory": "docs/",
        "announcement": 'Which engine gets what right, every week: <a href="board/">the board</a>',
    }

MERMAID = re.compile(r"^```mermaid\n.*?^```$", re.MULTILINE | re.DOTALL)
INDEX = re.compile(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def with_toctrees(text: str) -> str:
    """The index with a hidden toctree below each part, of the pages that the part links."""

    def part(match: re.Match[str]) -> str:
        pages = re.findall(r"\]\(([\w-]+)\.md\)", match[2])
        tree = ["```{toctree}", ":hidden:", f":caption: {match[1]}", "", *pages, "```"]
        return match[0].rstrip() + "\n\n" + "\n".join(tree) + "\n\n"

    return INDEX.sub(part, text)


def folded(match: re.Match[str]) -> str:
    """A picture in Mermaid, folded away: only GitHub draws it without another script."""
    title = "<details><summary>A picture in Mermaid's words, which GitHub draws</summary>"
    return f"{title}\n\n{match[0]}\n\n</details>"


def outside(target: str, folder: Path) -> str:
    """The address of a file outside `docs/` for a page in that folder: on GitHub where the site is
    built there, else the file itself.
    """
    path = (DOCS / target).resolve().relative_to(CHECKOUT)
    if REPOSITORY:
        commit = os.environ.get("GITHUB_SHA", "main")
        return f"https://github.com/{REPOSITORY}/blob/{commit}/{path.as_posix()}"
    return Path(os.path.relpath(CHECKOUT / path, folder)).as_posix()


def read_source(app: Sphinx, page: str, source: list[str]) -> None:
    """Change the text of a page before it is parsed."""
    if page == root_doc:
        source[0] = with_toctrees(source[0])
    source[0] = MERMAID.sub(folded, source[0])
    source[0] = source[0].replace("](../", "](path:../")


def read_page(app: Sphinx, page: nodes.document) -> None:
    """Make links of what MyST offers to download: files outside `docs/`."""
    for node in list(page.findall(download_reference)):
        address = outside(node["reftarget"], Path(app.outdir))
        node.replace_self(nodes.reference("", "", *node.children, refuri=address))


def as_restructured(lines: list[str]) -> Iterator[str]:
    """A docstring in plain text with `code` as reStructuredText: nothing outside code is markup,
    and paragraphs that are indented are blocks.
    """
    text = "\n".join(lines).strip("\n")
    for paragraph in re.split(r"\n{2,}", text):
        if paragraph.startswith("    "):
            yield from ("::", "", *paragraph.splitlines(), "")
        else:
            yield from (*escaped(paragraph).splitlines(), "")


def escaped(paragraph: str) -> str:
    """A paragraph whose marks outside backquotes are text."""
    parts = paragraph.split("`")
    parts[::2] = [re.sub(r"[*|]|(?<=\w)_(?!\w)", r"\\\g<0>", part) for part in parts[::2]]
    return "`".join(parts)


def read_docstring(
    app: Sphinx, kind: str, name: str, value: Any, options: Any, lines: list[str]
) -> None:
    """Change a docstring before it is parsed."""
    lines[:] = as_restructured(lines)


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.add_lexer("mermaid", TextLexer)
    app.connect("source-read", read_source)
    app.connect("doctree-read", read_page, priority=100)  # before downloads are gathered
    app.connect("autodoc-process-docstring", read_docstring)
