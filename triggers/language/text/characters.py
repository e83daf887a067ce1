"""Characters that start no token: how a message names them, and what their author meant."""
# ruff: noqa: RUF001 - characters that look like others are the subject

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import NamedTuple

WORDS_MEANT = {"&&": "and", "||": "or", "!": "not", "∧": "and", "∨": "or", "¬": "not"}
"""Operators of other languages, and the words that this language has for them."""
GUESSES = {"&": "and", "|": "or", "%": "*", "^": "*"}
"""What may have been meant, so that the rest can be parsed; more would only be found because of the guess."""
_MARKS_MEANT = {
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "×": "*", "·": "*", "⋅": "*", "∗": "*", "÷": "/", "∕": "/",
    "⁄": "/", "≤": "<=", "⩽": "<=", "≥": ">=", "⩾": ">=", "≠": "!=", "≡": "==", "[": "(", "]": ")",
}  # fmt: skip
MISWRITTEN = {"===": "==", "!==": "!=", "=>": ">=", "=<": "<=", "<>": "!="}
"""Comparisons of other languages, and how they are written here."""
_LOOSE = re.compile(
    r"""(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})T[0-9:.]+(?:Z|[+-][0-9:]+)?
    |(?P<day>[0-9]{1,2})\.(?P<month>[0-9]{1,2})\.(?P<year>[0-9]{4})(?![\w.])
    |(?P<hours>[0-9]{1,2}):(?P<minutes>[0-5][0-9])(?::(?P<seconds>[0-5][0-9]))?(?![\w:.])
    |(?P<thousands>[0-9]{1,3}(?:\.[0-9]{3}){2,})(?![\w.])
    |(?P<version>[0-9]+(?:\.[0-9]+){2,})(?![\w.])
    |(?P<number>0[xX][0-9a-fA-F]+|0[bB][01]+|[0-9]+(?:_[0-9]+)+(?:\.[0-9]+)?|[0-9]*\.[0-9]+|[0-9]+\.(?![\w.]))""",
    re.ASCII | re.VERBOSE,
)
_REST_OF_LINE = re.compile(r"[^\n]*")
_MAX_LOOSE = 40
_PAIRED = re.compile(r'[\[\]?:\n]|"[^"\n]*"|#[^\n]*')
_QUOTES = "'`´‘’‚‛“”„‟«»‹›\uff02\uff07"
_QUOTED = re.compile(f'[{_QUOTES}]([^{_QUOTES}"\\n]*)[{_QUOTES}"]')
_FOREIGN_WORD = re.compile(r"[^\W\d]\w*(?:\.\w+)*")
_INVISIBLE = frozenset({"Zs", "Zl", "Zp", "Cf", "Cc", "Co", "Cn", "Cs"})
_MAX_SHOWN = 20


def mark_meant(character: str) -> str | None:
    """The operator or bracket that a character of another script or keyboard stands for."""
    if character in _MARKS_MEANT:
        return _MARKS_MEANT[character]
    plain = unicodedata.normalize("NFKC", character)
    return (
        plain if plain != character and plain in ("<", ">", "=", "+", "-", "*", "/", "(", ")", "{", "}", ",") else None
    )


def foreign_word(text: str, offset: int) -> str | None:
    """A name at this place that has letters other than a to z; None if there is none."""
    match = _FOREIGN_WORD.match(text, offset)
    return match[0] if match is not None and not match[0].isascii() else None


def foreign_quotes(text: str, offset: int) -> tuple[str, int] | None:
    """The text between quotes other than `"` and where it ends; None if none begins here and ends on its line."""
    match = _QUOTED.match(text, offset)
    return None if match is None else (match[1], match.end())


class Loose(NamedTuple):
    """A constant in a form of other languages: its characters, the token that it is read as, and what to write."""

    written: str
    read: str
    meant: str
    is_clock: bool = False
    """A time of day is read as its hours, without the unit that it needs here."""


def loose_constant(text: str, offset: int) -> Loose | None:
    """A number, date, time of day or version in a form of other languages at this place; else None.

    >>> [loose_constant(text, 0)[1] for text in ("0x10", "1_000", ".5", "5. m")], loose_constant("1.5", 0)
    (['16', '1000', '0.5', '5'], None)
    >>> [loose_constant(text, 0).meant for text in ("22:30", "3.2.1", "2026-12-31T10:00Z", "32.12.2026")]
    ['`22.5 h`, if it is a time', '`"3.2.1"`', '`2026-12-31`', '`"32.12.2026"`']
    >>> loose_constant("31.12.2026", 0).meant, loose_constant("1.000.000", 0).meant
    ('`2026-12-31`, or `"31.12.2026"` for a version', '`1000000`, or `"1.000.000"` for a version')
    """
    match = _LOOSE.match(text, offset)
    if match is None or len(match[0]) > _MAX_LOOSE:
        return None
    written, parts = match[0], match.groupdict()
    as_version = f'`"{written}"`'
    if parts["date"]:
        return Loose(written, parts["date"], f"`{parts['date']}`")
    if parts["hours"]:
        meant = _clock(int(parts["hours"]), int(parts["minutes"]), int(parts["seconds"] or 0))
        return Loose(written, parts["hours"], f"`{meant}`, if it is a time", is_clock=True)
    day = _day(int(parts["year"]), int(parts["month"]), int(parts["day"])) if parts["year"] else None
    if day is not None or parts["thousands"]:
        plain = day or written.replace(".", "")
        return Loose(written, plain, f"`{plain}`, or {as_version} for a version")
    if parts["year"] or parts["version"]:
        return Loose(written, f'"{written}"', as_version)
    plain = _plain_number(written)
    return None if plain == written else Loose(written, plain, f"`{plain}`")


def _day(year: int, month: int, day: int) -> str | None:
    """A day as it is written here; None if it does not exist."""
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def _clock(hours: int, minutes: int, seconds: int) -> str:
    """A time of day, or a duration, in the greatest unit that has it in one decimal.

    >>> _clock(22, 30, 0), _clock(22, 40, 0), _clock(0, 0, 15)
    ('22.5 h', '1360 min', '15 s')
    """
    whole = 3600 * hours + 60 * minutes + seconds
    if whole % 360 == 0:
        return f"{whole / 3600:g} h"
    return f"{whole} s" if seconds else f"{whole // 60} min"


def _plain_number(written: str) -> str:
    if written[:2].lower() in ("0x", "0b"):
        return str(int(written, 0))
    plain = written.replace("_", "").removesuffix(".")
    return f"0{plain}" if plain.startswith(".") else plain


def foreign_comment(text: str, offset: int, last_closing: int) -> int | None:
    """Where a comment of another language ends that begins at this place: `// ...` or `/* ... */`; else None.

    `last_closing` is where the last `*/` of the text is: without one, `/*` ends with its line.
    """
    if not text.startswith(("//", "/*"), offset):
        return None
    if text[offset + 1] == "*" and offset + 2 <= last_closing:
        return text.index("*/", offset + 2) + 2
    match = _REST_OF_LINE.match(text, offset)
    return len(text) if match is None else match.end()


def partners(text: str, offset: int) -> tuple[set[int], int]:
    """The places of each `]` and `:` that belong to a `[` or `?` before it, up to the end of a line; and that end."""
    found, opened = set[int](), {"[": 0, "?": 0}
    for match in _PAIRED.finditer(text, offset):
        mark = match[0]
        if mark == "\n":
            return found, match.start()
        if mark in opened:
            opened[mark] += 1
        elif mark in "]:":
            before = "[" if mark == "]" else "?"
            if opened[before]:
                opened[before] -= 1
                found.add(match.start())
    return found, len(text)


def columns(text: str) -> int:
    """How many columns of a terminal a text takes, as nearly as Unicode tells; a tab counts as one.

    >>> columns("ab"), columns("\u65e5\u672c"), columns("e\u0301")
    (2, 4, 1)
    """
    return sum(
        0 if unicodedata.category(c) in ("Mn", "Me") else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def miswritten(text: str, offset: int) -> str | None:
    """A comparison of another language at this place."""
    return next((mark for mark in MISWRITTEN if text.startswith(mark, offset)), None)


def is_invisible(character: str) -> bool:
    """Whether a reader does not see the character."""
    return unicodedata.category(character) in _INVISIBLE


def named(text: str) -> str:
    """How a message names characters: as they are, or by name if one of them cannot be seen.

    >>> print(named("@@"), named("\\u00a0"), named("\\x1b"), sep="; ")
    `@@`; a no-break space (U+00A0); the character U+001B
    """
    hidden = next((character for character in text if is_invisible(character)), None)
    if hidden is None:
        return f"`{text[:_MAX_SHOWN]}`"
    code, name = f"U+{ord(hidden):04X}", unicodedata.name(hidden, "").lower()
    if not name:
        return f"the character {code}"
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name} ({code})"


def visible(text: str) -> str:
    """The text with a replacement for each control character, which a terminal would obey, and for direction marks.

    >>> visible("a\\x1b[2Jb\\tc")
    'a\\ufffd[2Jb\\tc'
    """
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if c != "\t" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") else c
        for c in text
    )


def remedy(text: str) -> str:
    """What to write instead of characters that start no token; empty if nobody can tell."""
    first = text[0]
    if text in WORDS_MEANT:
        return f"write `{WORDS_MEANT[text]}`"
    if text in ("&", "|"):
        return f"write `{GUESSES[text]}` between conditions, and `bits(x, mask)` for the bits of a number"
    mark = mark_meant(first)
    if mark is not None and len(text) == 1:
        return f"write `{mark}`"
    if unicodedata.category(first) == "Zs":
        return "write an ordinary space"
    if is_invisible(first):
        return "remove it"
    return _REMEDIES.get(first, "")


_REMEDIES = {
    ";": "remove it after a clause, which ends where the next one begins; write `,` between the items of a list",
    ".": "patterns end in `.*`, as in `ego.*`, and `.x` stands right after a bracket",
    "%": "`%` is a unit, written right after a number (`5 %`); `mod(x, m)` is the remainder",
    "^": "write a power as a product, `x * x`; `^` stands in units only, as in `m/s^2`",
    "?": "write `if(c, a, b)`",
    "~": "write `not`, or `approx(a, b, tolerance)` for values that are about equal",
    "≈": "write `approx(a, b, tolerance)`",
    "°": "write `deg`, `degC` or `degF` right after the number",
    "'": 'write text in double quotes, as in `"R"`',
    ":": "write `let name = ...`, clauses without a colon, and `where` before a condition on objects",
    "$": "names have the letters a to z, digits, `_` and dots",
    "@": "names have the letters a to z, digits, `_` and dots",
}
