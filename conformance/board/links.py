"""The addresses of a site, as they are written on a page in some folder of it."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.board.entries import Asked, Entry, Source
from conformance.board.names import slug


def engine_page(engine: str) -> str:
    return f"engines/{slug(engine)}.html"


def case_page(file: str) -> str:
    return f"cases/{slug(file.replace('/', '.'))}.html"


def record_page(source: Source) -> str:
    return f"records/{source.name}/index.html"


def badge_file(engine: str, kind: str) -> str:
    return f"badges/{slug(engine)}.{kind}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Links from a page whose way to the site's folder is `root`, such as `../`."""

    root: str

    def home(self) -> str:
        return f"{self.root}index.html"

    def engine(self, engine: str) -> str:
        return self.root + engine_page(engine)

    def cases(self, file: str) -> str:
        return self.root + case_page(file)

    def case(self, entry: Entry, asked: Asked) -> str:
        """The section of a case, which is that of its call."""
        digest = entry.source.digests[asked[0]]
        return f"{self.cases(asked[0].rpartition('/')[0])}#{anchor(asked[0], digest)}"

    def record(self, source: Source) -> str:
        return self.root + record_page(source)

    def badge(self, engine: str, kind: str) -> str:
        return self.root + badge_file(engine, kind)


def anchor(name: str, digest: str) -> str:
    """The section of a case on the page of its file."""
    return f"{slug(name.rpartition('/')[2])}-{digest}"
