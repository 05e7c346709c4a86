"""The atlas drawn: for each kernel and stride, the windows of all spellings on one ruler, as SVG
that needs no script.

Windows of one size stand together; where there are several, the same shape holds other numbers, and
each has a letter, a mark of its own shape and a colour. Colours, hatching and dashes are classes of
`assets/drawings.css`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from markupsafe import Markup

from conformance.record.record import Record
from conformance.report.atlas import KERNELS, STRIDES, Window, measured_of, windows
from conformance.wording import counted

CELL = 20  # pixels of one position of the full output
LEFT = 26  # pixels left of the ruler, for the marks
LINE = 16  # pixels of one line of text
BAR = 14
MARKS = ("circle", "square", "triangle", "diamond")


def atlas_svg(record: Record) -> list[dict[str, Any]]:
    """A drawing per kernel and stride: {kernel, stride, alike, rows, svg}; empty where the record
    has measured no window.

    `rows` is the same as text, one {convention, spelling, out, low, high, mark, alike, measured}
    per spelling: low and high are the crops at start and end (negative: appended), `mark` is
    the letter of its window among those of the same size, or "". `alike` of the drawing counts the
    sizes that more than one window has.
    """
    measured = measured_of(record)
    return (
        [
            _panel(kernel, stride, windows(kernel, stride, measured))
            for kernel in KERNELS
            for stride in STRIDES
        ]
        if measured
        else []
    )


def legend() -> Markup:
    """The legend of the drawings, as a paragraph with small pictures."""
    parts = [
        (_bar(0, 2, "dr-kept"), "kept"),
        (_bar(0, 2, "dr-cut"), "cut"),
        (_bar(0, 2, "dr-appended"), "zeros appended"),
    ]
    signs = Markup(" ").join(
        Markup(
            '<span><svg class="dr-sign" viewBox="0 0 42 16" width="42" height="16" '
            'aria-hidden="true">{}</svg> {}</span>'
        ).format(picture, words)
        for picture, words in parts
    )
    words = (
        "A, B, …: the same size and another window, so the same shape and other numbers. "
        "✓: computed so by that framework in this run."
    )
    return Markup('<p class="dr-legend">{} <span>{}</span></p>').format(signs, words)


def _panel(kernel: int, stride: int, shown: Sequence[Window]) -> dict[str, Any]:
    sizes = [
        (out, _by_window(group))
        for out, group in groupby(shown, key=lambda window: window.axis.out)
    ]
    rows = [
        _row(window, mark)
        for _, groups in sizes
        for mark, group in _marked(groups)
        for window in group
    ]
    return {
        "kernel": kernel,
        "stride": stride,
        "alike": sum(len(groups) > 1 for _, groups in sizes),
        "rows": rows,
        "svg": _svg(kernel, stride, sizes),
    }


def _by_window(group: Iterator[Window]) -> list[list[Window]]:
    """Spellings of one size, those of one window together."""
    return [list(same) for _, same in groupby(group, key=lambda window: window.axis.crop_low)]


def _marked(groups: Sequence[list[Window]]) -> list[tuple[str, list[Window]]]:
    """The windows of one size with their letters; no letter where there is one alone."""
    return [(chr(ord("A") + i) if len(groups) > 1 else "", group) for i, group in enumerate(groups)]


def _row(window: Window, mark: str) -> dict[str, Any]:
    return {
        "convention": window.convention,
        "spelling": window.spelling,
        "out": window.axis.out,
        "low": window.axis.crop_low,
        "high": window.axis.crop_high,
        "mark": mark,
        "alike": window.alike,
        "measured": window.measured,
    }


def _svg(kernel: int, stride: int, sizes: Sequence[tuple[int, list[list[Window]]]]) -> Markup:
    axes = [group[0].axis for _, groups in sizes for group in groups]
    start = min(0, *(axis.crop_low for axis in axes))
    stop = max(axes[0].full, *(axis.full - axis.crop_high for axis in axes))
    ident = f"atlas-{kernel}-{stride}"
    parts, y = [_ruler(start, stop)], 2 * LINE + 4
    for out, groups in sizes:
        head = f"size {out}" + (
            f": {len(groups)} windows, other numbers" if len(groups) > 1 else ""
        )
        parts.append(_text(0, y, head, "dr-size dr-alike" if len(groups) > 1 else "dr-size"))
        y += 6
        for mark, group in _marked(groups):
            for window in group:
                y += LINE
                parts.append(
                    _text(
                        LEFT,
                        y - 4,
                        f"{window.convention} {window.spelling}{' ✓' if window.measured else ''}",
                    )
                )
            parts += [_mark(mark, y + BAR // 2), _window(group[0], start, y, mark)]
            y += BAR + 4
        y += LINE + 6
    title = f"Windows of the full output, kernel {kernel}, stride {stride}"
    return Markup(
        '<svg class="dr-atlas" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" '
        'aria-labelledby="{ident}-title {ident}-desc"><title id="{ident}-title">{title}</title>'
        '<desc id="{ident}-desc">{words}</desc>'
        "{parts}</svg>"
    ).format(
        width=max(LEFT + CELL * (stop - start) + 2, 300),
        height=y - LINE,
        ident=ident,
        title=title,
        words=_words(axes[0].full, sizes),
        parts=Markup("").join(parts),
    )


def _words(full: int, sizes: Sequence[tuple[int, list[list[Window]]]]) -> str:
    """The drawing as a text."""
    sentences = [f"The full output has {counted(full, 'element')}."]
    for out, groups in sizes:
        alike = f", {len(groups)} windows: the same shape, other numbers" if len(groups) > 1 else ""
        sentences.append(f"Size {out}{alike}.")
        for mark, group in _marked(groups):
            axis = group[0].axis
            names = ", ".join(
                f"{w.convention} {w.spelling}{' (measured)' if w.measured else ''}" for w in group
            )
            sentences.append(
                f"{mark + ', ' if mark else ''}{_crop(axis.crop_low)} at the start, "
                f"{_crop(axis.crop_high)} at the end: {names}."
            )
    return " ".join(sentences)


def _crop(count: int) -> str:
    return f"crops {count}" if count >= 0 else f"appends {-count}"


def _ruler(start: int, stop: int) -> Markup:
    """The positions of the full output, 0 is its first."""
    return Markup("").join(
        _text(LEFT + CELL * (position - start) + CELL // 2, LINE - 3, str(position), "dr-tick")
        for position in range(start, stop)
    )


def _window(window: Window, start: int, y: int, mark: str) -> Markup:
    axis = window.axis
    uncropped = (max(axis.crop_low, 0), min(axis.full, axis.full - axis.crop_high))
    pieces = [
        (axis.crop_low, 0, "dr-appended"),
        (0, uncropped[0], "dr-cut"),
        (*uncropped, f"dr-kept dr-kept-{mark.lower()}" if mark else "dr-kept"),
        (uncropped[1], axis.full, "dr-cut"),
        (axis.full, axis.full - axis.crop_high, "dr-appended"),
    ]
    return Markup("").join(
        _bar(low - start, high - start, name, LEFT, y) for low, high, name in pieces if low < high
    )


def _bar(low: int, high: int, name: str, x: int = 0, y: int = 0) -> Markup:
    """Cells low to high in one way; what is cut is hatched by strokes of its own, so that no
    pattern needs a name.
    """
    left, right = x + CELL * low + 1, x + CELL * high
    box = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>').format(
        name, left, y + 1, right - left, BAR - 2
    )
    between = "".join(f"M{x + CELL * i} {y + 1}v{BAR - 2}" for i in range(low + 1, high))
    hatch = (
        "".join(f"M{p} {y + BAR - 1}l{BAR - 2} {2 - BAR}" for p in range(left, right - BAR + 3, 6))
        if name == "dr-cut"
        else ""
    )
    lines = (
        Markup('<path class="dr-between" d="{}"/>').format(between)
        if between and name != "dr-cut"
        else ""
    )
    return box + lines + (Markup('<path class="dr-hatch" d="{}"/>').format(hatch) if hatch else "")


def _mark(letter: str, y: int) -> Markup:
    """The letter of a window on a mark that has a shape of its own."""
    if not letter:
        return Markup("")
    shape = MARKS[(ord(letter) - ord("A")) % len(MARKS)]
    x = LEFT // 2 - 3
    outline = {
        "circle": Markup('<circle cx="{x}" cy="{y}" r="9"/>'),
        "square": Markup('<path d="M{x} {y}m-8-8h16v16h-16z"/>'),
        "triangle": Markup('<path d="M{x} {y}m0-12l11 19h-22z"/>'),
        "diamond": Markup('<path d="M{x} {y}m0-11l11 11l-11 11l-11-11z"/>'),
    }[shape].format(x=x, y=y)
    return Markup('<g class="dr-mark dr-mark-{}">{}{}</g>').format(
        letter.lower(), outline, _text(x, y + 4, letter, "dr-letter")
    )


def _text(x: int, y: int, words: str, name: str = "dr-text") -> Markup:
    return Markup('<text class="{}" x="{}" y="{}">{}</text>').format(name, x, y, words)
