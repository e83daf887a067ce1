"""Versions as values: numbers between dots, in the order of their numbers, by the precedence of SemVer 2.0.0, item 11

`3.10.0 > 3.9`. Numbers that are left out are 0, so `3.2 = 3.2.0`, and there may be more than three. What follows a `-`
is a pre-release, which comes before its release: its parts between dots are compared as numbers where both are, as
texts (ASCII) otherwise, a number before a text and fewer parts before more. What follows a `+` is metadata of the build
and does not count. Numbers may begin with zeros (`2026.08`), which SemVer forbids.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import dropwhile

_VERSION = re.compile(r"([0-9]+(?:\.[0-9]+)*)(?:-(_(?:\._)*))?(?:\+_(?:\._)*)?".replace("_", "[0-9A-Za-z-]+"))
_KNOWN = 4096
"""Versions whose order is remembered: those of targets, and those that run in a fleet."""

VersionOrder = tuple[tuple[int, ...], bool, tuple[tuple[bool, int, str], ...]]
"""What versions are compared by: equal for equal versions."""


@lru_cache(maxsize=_KNOWN)
def version_order(text: str) -> VersionOrder | None:
    """What a version is compared by; None for a text that is not a version.

    >>> ordered = ["3.2.0-rc.2", "3.2.0-rc.10", "3.2.0-rc.x", "3.2.0", "3.9", "3.10.0"]
    >>> sorted(reversed(ordered), key=version_order) == ordered
    True
    >>> version_order("3.2") == version_order("3.2.0+build.7"), version_order("v3.2")
    (True, None)
    """
    found = _VERSION.fullmatch(text)
    if found is None:
        return None
    numbers = [int(number) for number in found[1].split(".")]
    significant = tuple(dropwhile(lambda number: number == 0, reversed(numbers)))[::-1]
    parts = () if found[2] is None else tuple(map(_part, found[2].split(".")))
    return significant, found[2] is None, parts


def _part(text: str) -> tuple[bool, int, str]:
    """A part of a pre-release; a number comes before a text."""
    return (False, int(text), "") if text.isdecimal() else (True, 0, text)
