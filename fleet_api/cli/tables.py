"""Tables as lines of text that fit a terminal; no word of a cell is ever cut."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from itertools import zip_longest

GAP = "  "


def table_lines(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Collection[str] = (),
    width: int | None = None,
) -> list[str]:
    """The table's lines: a heading, and one line per row if `width` characters allow it, or always if it is None.

    A table that is too wide is first made narrower by wrapping cells at spaces. Where that is not enough, each row
    becomes a paragraph of names and values. Columns in `right` are aligned to the right.

    >>> table_lines(["clip", "bytes"], [["a1", "12"], ["b2", "3"]], right=["bytes"])
    ['clip  bytes', 'a1       12', 'b2        3']
    >>> table_lines(["clip", "bytes"], [["a1", "12"]], width=9)
    ['clip a1', '  bytes', '  12']
    """
    widths = _widths(columns, rows, width)
    if widths is None:
        return [line for row in rows for line in _paragraph(columns, row, width or 0)]
    sides = [column in right for column in columns]
    return [line for row in (columns, *rows) for line in _row(row, widths, sides)]


def display_width(text: str) -> int:
    """How many cells of a terminal a text occupies: wide characters occupy two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> list[int] | None:
    """A width per column; None where they cannot be made to fit."""
    cells = [[name, *(row[index] for row in rows)] for index, name in enumerate(columns)]
    widths = [max(map(display_width, column)) for column in cells]
    if width is None:
        return widths
    least = [max(display_width(word) for text in column for word in text.split(" ")) for column in cells]
    excess = sum(widths) + len(GAP) * (len(columns) - 1) - width
    while excess > 0:
        spare, index = max((widths[index] - least[index], index) for index in range(len(columns)))
        if spare <= 0:
            return None
        widths[index] -= 1
        excess -= 1
    return widths


def _row(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> Iterator[str]:
    """A row's lines: more than one where a cell is wrapped."""
    wrapped = [_wrapped(text.split(" "), width) for text, width in zip(row, widths, strict=True)]
    for parts in zip_longest(*wrapped, fillvalue=""):
        cells = [
            " " * (width - display_width(text)) + text if is_right else text + " " * (width - display_width(text))
            for text, width, is_right in zip(parts, widths, right, strict=True)
        ]
        yield GAP.join(cells).rstrip()


def _paragraph(columns: Sequence[str], row: Sequence[str], width: int) -> list[str]:
    """A row as `name value` pairs, filled into lines; those after the first are indented."""
    pairs = [f"{name} {text}" if name else text for name, text in zip(columns, row, strict=True) if text]
    first, *rest = _filled(pairs, width - len(GAP))
    return [first, *(GAP + line for line in rest)]


def _filled(pairs: Sequence[str], width: int) -> list[str]:
    lines: list[str] = []
    for pair in pairs:
        if lines and display_width(lines[-1] + GAP + pair) <= width:
            lines[-1] += GAP + pair
        else:
            lines += _wrapped(pair.split(" "), width)
    return lines or [""]


def _wrapped(words: Sequence[str], width: int) -> list[str]:
    """Words filled into lines of at most `width`; a longer word gets its own line."""
    lines: list[str] = []
    for word in words:
        if lines and display_width(lines[-1] + " " + word) <= width:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return lines
