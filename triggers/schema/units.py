"""The units of the language by what they measure."""

from __future__ import annotations

from functools import cache

from triggers.signals.units import KNOWN_UNITS, dimension_name


@cache
def units_by_dimension() -> dict[str, tuple[str, ...]]:
    """The symbols by the name of their dimension, in the order of the table of units.

    >>> units_by_dimension()["a speed"]
    ('mph', 'kn')
    """
    found: dict[str, tuple[str, ...]] = {}
    for symbol, unit in KNOWN_UNITS.items():
        name = dimension_name(unit)
        found[name] = (*found.get(name, ()), symbol)
    return found
