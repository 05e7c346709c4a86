"""Ranges of versions: how one is widened to hold a release that lies beyond or before it."""

from __future__ import annotations

import pytest
from packaging.specifiers import SpecifierSet

from conformance.verdicts.version_range import Position, position, public, widened


@pytest.mark.parametrize(
    ("specifier", "version", "wanted"),
    [
        (">=1.28.0,<1.32", "1.32.0", ">=1.28.0,<=1.32.0"),
        ("==1.31.*", "1.32.0", ">=1.31,<=1.32.0"),
        ("==2.13.*", "2.14.1+cpu", ">=2.13,<=2.14.1"),
        ("==2.13.0", "2.14.0.dev20261101", ">=2.13.0,<=2.14.0.dev20261101"),
        ("<=1.5", "1.6", "<=1.6"),
        ("~=1.5.2", "1.6.0", ">=1.5.2,<=1.6.0"),
        (">=1,!=1.7,<2", "2.3", ">=1,!=1.7,<=2.3"),
        ("==2.13.*", "2.12.1", ">=2.12.1,<2.14"),
        ("==2.13.0", "2.12.1", ">=2.12.1,<=2.13.0"),
        (">=1.28,<=1.31", "1.27.0", ">=1.27.0,<=1.31"),
        ("~=1.5.2", "1.4.0", ">=1.4.0,<1.6"),
    ],
)
def test_a_range_is_widened_to_hold_a_release(specifier: str, version: str, wanted: str) -> None:
    """One end moves to the release itself, and all that was in the range still is."""
    found = widened(SpecifierSet(specifier), version)
    assert set(found.split(",")) == set(wanted.split(","))
    assert position(version, SpecifierSet(found)) is Position.WITHIN
    releases = ("1.5", "1.5.3", "1.28.4", "1.30", "1.31", "1.31.5", "2.13.0", "2.13.4")
    inside = [
        text for text in releases if position(text, SpecifierSet(specifier)) is Position.WITHIN
    ]
    assert all(position(text, SpecifierSet(found)) is Position.WITHIN for text in inside)


@pytest.mark.parametrize("version", ["1.5", "unknown"])
def test_only_what_lies_outside_widens_a_range(version: str) -> None:
    """A release within, and what is not a version, are refused."""
    with pytest.raises(ValueError, match="should lie beyond or before it"):
        widened(SpecifierSet("==1.*"), version)


def test_a_local_version_is_named_by_its_public_part() -> None:
    """A specifier cannot end with a local version, and a word that is not a version has no name."""
    assert public("2.13.0+cpu") == "2.13.0"
    assert public("nightly build") is None
