"""The trend of an engine as a picture: a bar for each record, by how much of it fails."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from markupsafe import Markup

from conformance.board.entries import Entry, checked
from conformance.printing import printable

BAR, GAP, HEIGHT = 14, 4, 56
LEAST = 2
"""The least height of a bar that is not nothing, in pixels: few failures are still to be seen."""


def points(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """An engine's entries by the date of their record, the oldest first, with their counts."""
    ordered = sorted(entries, key=lambda entry: (entry.source.started, entry.order, entry.place))
    return [{"entry": entry, "counts": entry.counts()} for entry in ordered]


def trend_svg(engine: str, entries: Sequence[Entry]) -> Markup:
    """The share of checked verdicts that fail, known failures below and new ones above them; the
    highest bar has the whole height.
    """
    made = points(entries)
    shares = [_shares(point["counts"]) for point in made]
    most = max((sum(share) for share in shares), default=0.0)
    scale = (HEIGHT - 4) / most if most else 0.0
    bars = [_bar(at, point, scale) for at, point in enumerate(made)]
    width = len(made) * (BAR + GAP) + GAP
    label = escape(printable(f"{engine}: share of failures in {len(made)} records by date"))
    return Markup(
        f'<svg class="trend" role="img" aria-label="{label}" width="{width}" height="{HEIGHT}" '
        f'viewBox="0 0 {width} {HEIGHT}">'
        f'<line class="base" x1="0" y1="{HEIGHT - 1}" x2="{width}" y2="{HEIGHT - 1}"/>'
        f"{''.join(bars)}</svg>"
    )


def _shares(counts: dict[str, int]) -> tuple[float, float]:
    total = checked(counts)
    return (counts["known"] / total, counts["new"] / total) if total else (0.0, 0.0)


def _bar(at: int, point: dict[str, Any], scale: float) -> str:
    entry, counts = point["entry"], point["counts"]
    left, bottom, parts = GAP + at * (BAR + GAP), float(HEIGHT - 1), ""
    for name, share in zip(("known", "new"), _shares(counts), strict=True):
        height = max(share * scale, LEAST) if share else 0.0
        bottom -= height
        if height:
            parts += (
                f'<rect class="{name}" x="{left}" y="{bottom:.1f}" width="{BAR}" '
                f'height="{height:.1f}"/>'
            )
    title = escape(
        printable(
            f"{entry.source.date}: {entry.release}, {entry.place}: {counts['known']} known and "
            f"{counts['new']} new failures of {checked(counts)}"
        )
    )
    return (
        f'<g><title>{title}</title><rect class="field" x="{left}" y="0" width="{BAR}" '
        f'height="{HEIGHT - 1}"/>{parts}</g>'
    )
