"""The committed reference report: that it is one, and of the versions that constraints.txt pins."""

from __future__ import annotations

import zlib

from helpers import CHECKOUT

from conformance.adapters import REGISTRY
from conformance.record.reader import read_record

ROOT = CHECKOUT
REFERENCE = ROOT / "reports" / "reference"


def test_the_reference_conforms_on_every_adapter() -> None:
    """It ran to its end with nothing unexpected, and every difference in it is declared; variants
    and engines with an environment of their own are left out, for size.
    """
    record = read_record(REFERENCE)
    assert record.ok
    assert {verdict.adapter for verdict in record.verdicts} == {
        name for name, entry in REGISTRY.items() if not (entry.variant_of or entry.is_apart)
    }
    assert all(verdict.known for verdict in record.verdicts if verdict.fails)


def test_the_reference_is_of_the_pinned_versions() -> None:
    """Each distribution that an adapter reports is pinned, and was that version."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if "==" in line)
    for versions in read_record(REFERENCE).run["versions"].values():
        for name, version in versions.items():
            assert version.partition("+")[0] == pinned[name]


def test_the_reference_is_small() -> None:
    """At most 3 MB as git stores it (deflated), so that a clone stays quick."""
    assert sum(len(zlib.compress(file.read_bytes())) for file in REFERENCE.iterdir()) <= 3_000_000


def test_the_reference_does_not_say_where_it_was_made() -> None:
    """Files in an engine's message begin with their package, not with the folder of an
    environment.
    """
    text = (REFERENCE / "results.jsonl").read_text(encoding="utf-8")
    assert "site-packages/" in text
    assert "/site-packages/" not in text
    assert "/bin/python" not in text
    assert "/.tox/" not in text
