"""Counts, shares and bytes as people read them, in commands and on pages alike"""

from __future__ import annotations

_ROUNDED_TO_1000 = 999.95
"""From here on a number of one decimal is shown as 1000.0."""


def counted(count: int, thing: str, things: str = "") -> str:
    """`1 error`, `2 errors`; `things` is the plural if it is not formed with an `s`."""
    return f"{count} {thing}" if count == 1 else f"{count} {things or thing + 's'}"


def shown_bytes(count: int | None) -> str:
    """Bytes with the unit that suits people (SI, as in budgets), the one that suits them rounded.

    >>> [shown_bytes(count) for count in (999, 1000, 999_949, 999_950, None)]
    ['999 B', '1.0 kB', '999.9 kB', '1.0 MB', '']
    """
    if count is None:
        return ""
    if abs(count) < 1000:
        return f"{count} B"
    value, units = count / 1000, ["kB", "MB", "GB", "TB", "PB"]
    while abs(value) >= _ROUNDED_TO_1000 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.1f} {units[0]}"


def shown_number(value: float | None) -> str:
    """Three digits of a small number, all digits of a large one; nothing of None.

    >>> shown_number(0.01234), shown_number(12345.6), shown_number(None)
    ('0.0123', '12,346', '')
    """
    return "" if value is None else f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"


def shown_share(share: float | None) -> str:
    """A share that tells little from nothing.

    >>> shown_share(0.25), shown_share(0.0001), shown_share(0.99999)
    ('25.0 %', '<0.1 %', '>99.9 %')
    """
    if share is None:
        return ""
    if 0 < share < 0.0005:
        return "<0.1 %"
    if 0.9995 < share < 1:
        return ">99.9 %"
    return f"{100 * share:.1f} %"
