"""The files of the design, and their text."""

from __future__ import annotations

from pathlib import Path

from covering.designs import Design, designs
from covering.entries import entries
from covering.entry import Entry
from covering.text import text_of

FOLDER = Path(__file__).resolve().parents[3] / "cases" / "arithmetic"

HEADER = """\
# {title}
# Written by `python tools/corpus/covering_design.py` from factors.yaml: change that, not this
# file.
format: 1
cases:
"""

TITLES = {
    "plane_dense": "Two spatial axes, one group: the covering design's cases.",
    "plane_groups": "Two spatial axes, two groups or three: the covering design's cases.",
    "plane_depthwise": (
        "Two spatial axes, every channel a group, with and without a multiplier: "
        "the covering design's cases."
    ),
    "line": "One spatial axis: a covering design of pairs.",
    "volume": "Three spatial axes: a covering design of pairs.",
    "far_line": "One spatial axis, with numbers beyond the small ones, in all dtypes.",
    "far_plane": "Two spatial axes, with numbers beyond the small ones, in all dtypes.",
    "far_volume": "Three spatial axes, with numbers beyond the small ones, in all dtypes.",
    "long_line": "One long spatial axis, in all dtypes.",
    "long_plane": "Two spatial axes with many positions, in all dtypes.",
}

PLANES = {
    "one": "dense",
    "two": "groups",
    "three": "groups",
    "depthwise": "depthwise",
    "multiplier": "depthwise",
}


def stem_of(design: Design, entry: Entry) -> str:
    return f"plane_{PLANES[entry.row['groups']]}" if design.name == "plane" else design.name


def files(folder: Path) -> dict[str, str]:
    """File names and texts of the whole design of that folder."""
    members: dict[str, list[str]] = {stem: [] for stem in TITLES}
    for design in designs(folder):
        for entry in entries(design):
            members[stem_of(design, entry)].append(text_of(entry))
    return {
        f"{stem}.yaml": HEADER.format(title=TITLES[stem]) + "\n".join(texts)
        for stem, texts in members.items()
    }
