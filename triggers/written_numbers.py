"""Whole numbers, numbers and days as texts, one form each: what is not written so is refused, not guessed.

Python itself also reads `1_0`, `+5`, ` 5` and digits of other scripts, in which a slip of the pen is another number.
"""

from __future__ import annotations

import re

_WHOLE = re.compile(r"0|-?[1-9][0-9]*")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


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
