"""A badge: a label and what is said of it, as shields.io takes it and as a picture."""

from __future__ import annotations

from html import escape
from typing import Any

GREEN, RED, BLUE, GREY = "#2a7d2e", "#b3261e", "#1d5f9e", "#5c6168"
"""White on each of them has a contrast of at least 4.5."""

CHARACTER = 6.6
"""Width of a character, in pixels, on average."""


def badge(label: str, message: str, color: str) -> dict[str, Any]:
    """An endpoint of shields.io."""
    return {"schemaVersion": 1, "label": label, "message": message, "color": color}


def svg(badge: dict[str, Any]) -> str:
    """The same, drawn."""
    label, message = escape(badge["label"]), escape(badge["message"])
    left, right = (round(CHARACTER * len(badge[key]) + 12) for key in ("label", "message"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" '
        f'aria-label="{label}: {message}"><title>{label}: {message}</title>'
        f'<rect width="{left}" height="20" fill="#444"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{badge["color"]}"/>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f'<text x="6" y="14">{label}</text><text x="{left + 6}" y="14">{message}</text></g></svg>\n'
    )
