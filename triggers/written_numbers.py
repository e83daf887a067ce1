"""Whole numbers, numbers, days and settings as texts, one form each: what is not written so is refused, not guessed.

Python itself also reads `1_0`, `+5`, ` 5` and digits of other scripts, in which a slip of the pen is another number.
`in_full` writes numbers so that a reader can tell each from its neighbours.
"""

from __future__ import annotations

import re

_WHOLE = re.compile(r"0|-?[1-9][0-9]*")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LARGEST_WHOLE = 1 << 53
"""Up to this size a float holds every whole number."""


def is_whole_number(text: str) -> bool:
    """Whether a text is a whole number in ASCII digits, without leading zeros.

    >>> [is_whole_number(text) for text in ("0", "-17", "1_0", "+5", " 5", "05", "1.0")]
    [True, True, False, False, False, False, False]
    """
    return _WHOLE.fullmatch(text) is not None


def is_number(text: str) -> bool:
    """Whether a text is a finite decimal number, as JSON writes it (leading zeros are allowed).

    >>> [is_number(text) for text in ("0.5", "-1e3", "nan", ".5", "1_0.0", "+5")]
    [True, True, False, False, False, False]
    """
    return _NUMBER.fullmatch(text) is not None


def is_day(text: str) -> bool:
    """Whether a text has the form of a day, such as 2026-01-31."""
    return _DAY.fullmatch(text) is not None


def in_full(number: float) -> str:
    """A number in digits enough to tell it from the next one that somebody would write: 15, and all of a whole one.

    >>> [in_full(number) for number in (65535.0, 4294967295.0, 20.0000001, 0.1 + 0.2, 1e300, -0.0)]
    ['65535', '4294967295', '20.0000001', '0.3', '1e+300', '0']
    """
    return str(int(number)) if abs(number) <= _LARGEST_WHOLE and number == int(number) else f"{number:.15g}"


def require_form(value: str, kinds: set[object], *, is_secret: bool) -> None:
    """ValueError, which says why, unless a setting can be meant as it is written.

    A number has one form, as everywhere else: it is refused, not read as another number. A line break at the end, as
    of a file that was mounted as a variable, would be part of a password or of a folder's name, and only seen there. A
    blank at an end, too, but a secret may have one.
    """
    if int in kinds and not is_whole_number(value):
        raise ValueError("it must be a whole number in digits, such as 100")
    if kinds & {int, float} and not is_number(value):
        raise ValueError("it must be a number, such as 0.5")
    if _CONTROL.search(value):
        raise ValueError("it has a line break or another control character; write it without")
    if value != value.strip() and not is_secret:
        raise ValueError("it begins or ends with a blank; write it without")
