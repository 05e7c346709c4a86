"""Twists of nested lists and mappings, and of text: most leave the form as it is, so that what lies
behind a reader is reached too.
"""

from __future__ import annotations

import copy
import random
from typing import Any

NUMBERS: tuple[Any, ...] = (
    0, 1, 2, 3, 4, 5, 7, -1, -2, 16, 255, 2**16, 2**28, 2**31, 2**63, 2**64, 10**12, 10**40,
    10**399, 0.5, -0.0, 1e-40, 5e-324, 1e308, float("inf"), float("nan"),
)  # fmt: skip
WORDS = (
    "", " ", "x", "same", "SAME", "valid", "float32", "float16", "ones", "normal", "one-hot",
    "torch", "jax", "0", "-1", "1e999", "nan", "NaN", "Infinity", "é", "\x1b[31m", "a\nb",
    "::error::x", "\u2028", "../x", "a" * 300, "9" * 500, "<b>",
)  # fmt: skip
_PLACES = list[tuple[Any, Any]]


def twisted(tree: Any, donor: Any, draw: random.Random) -> Any:
    """A copy of a tree with one change; `donor` is another of its kind."""
    tree = copy.deepcopy(tree)
    places: _PLACES = []
    _collect(tree, places)
    if not places:
        return tree
    holder, key = draw.choice(places)
    if draw.random() < 0.7:  # a leaf, where it is: the form stays
        leaves = [(h, k) for h, k in places if not isinstance(h[k], dict | list)]
        if leaves:
            holder, key = draw.choice(leaves)
            holder[key] = _other(holder[key], draw)
            return tree
    _restructure(holder, key, places, donor, draw)
    return tree


def _collect(tree: Any, places: _PLACES) -> None:
    """Every entry: what holds it, and its key or place."""
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in list(entries):
        places.append((tree, key))
        if isinstance(value, dict | list) and len(places) < 5000:
            _collect(value, places)


def _other(value: Any, draw: random.Random) -> Any:
    """Another value, most often of the same kind and near."""
    chance = draw.random()
    if chance < 0.15:
        return draw.choice([None, True, False, [], {}, [value], *WORDS, *NUMBERS])
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        near = [value + 1, value - 1, value * 2, 1, 2, 3]
        return draw.choice(near if chance < 0.8 else NUMBERS)
    if isinstance(value, float):
        return draw.choice([value * 2, -value, value + 1, *NUMBERS])
    if isinstance(value, str):
        return text_twisted(value, draw) if chance < 0.7 else draw.choice(WORDS)
    return draw.choice(NUMBERS)


def _restructure(holder: Any, key: Any, places: _PLACES, donor: Any, draw: random.Random) -> None:
    """Take away, add, exchange or graft an entry."""
    match draw.randrange(7):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, list):
            holder.insert(draw.randrange(len(holder) + 1), copy.deepcopy(holder[key]))
        case 1:
            holder[draw.choice(WORDS)] = copy.deepcopy(holder[key])
        case 2:
            other, its_key = draw.choice(places)
            holder[key] = copy.deepcopy(other[its_key])
        case 3:
            holder[key] = [holder[key]] * draw.choice([0, 1, 2, 3, 70])
        case 4:
            for _ in range(draw.choice([1, 2, 5, 70])):
                holder[key] = [holder[key]]
        case _:
            theirs: _PLACES = []
            _collect(donor, theirs)
            alike = [(h, k) for h, k in theirs if k == key and isinstance(h, dict)]
            if theirs:
                grafted, its_key = draw.choice(alike or theirs)
                holder[key] = copy.deepcopy(grafted[its_key])


def text_twisted(text: str, draw: random.Random) -> str:
    """A text with a piece of it taken out, doubled, repeated often, or replaced."""
    start = draw.randrange(len(text) + 1)
    end = min(len(text), start + draw.choice([1, 1, 1, 2, 5, 20]))
    piece = text[start:end]
    middle = draw.choice(
        [
            "",
            piece * 2,
            piece * draw.choice([3, 50, 2000]),
            draw.choice("[]{}()'\"\\:,-*&!#?|>%@ \n\t09ae."),
            draw.choice(WORDS),
            str(draw.choice(NUMBERS[:18])),
        ]
    )
    return text[:start] + middle + text[end:]


def bytes_twisted(content: bytes, draw: random.Random) -> bytes:
    """Bytes with a bit flipped, a piece taken out, doubled or overwritten, or cut."""
    place = draw.randrange(len(content) + 1)
    piece = content[place : place + draw.choice([1, 2, 8, 64])]
    match draw.randrange(5):
        case 0 if piece:
            return (
                content[:place] + bytes([piece[0] ^ 1 << draw.randrange(8)]) + content[place + 1 :]
            )
        case 1:
            return content[:place] + content[place + len(piece) :]
        case 2:
            return content[:place] + piece + content[place:]
        case 3:
            return content[:place]
        case _:
            return content[:place] + draw.randbytes(len(piece)) + content[place + len(piece) :]
