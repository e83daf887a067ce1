"""Properties by name: those of the table, attributes of vehicles and statistics of signals.

An attribute is `vehicle.ATTRIBUTE`, a statistic `SIGNAL.min`, `.max`, `.mean` or `.samples`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from difflib import get_close_matches

from sqlalchemy import ColumnElement, Select, Text, case, func, literal, select

from storage.clips.properties.table import PROPERTIES, Property, SortType
from storage.tables import clips, signal_statistics, signal_units
from triggers.errors import InvalidInput
from triggers.signals.unit_spellings import nearest_units
from triggers.signals.units import Unit, parse_unit

MAX_NAME_CHARACTERS = 250
_ATTRIBUTE = re.compile(r"vehicle\.([A-Za-z_]\w{0,199})")
_OTHER_ATTRIBUTE = re.compile(r"vehicle\.(.{1,200})", re.DOTALL)
"""Vehicles name their attributes as they like: `"vehicle.my-model"` in CQL2 text. Statistics of signals come first."""
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_STATISTIC = re.compile(r"(?:signal\.)?([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\.(min|max|mean|samples)")
SIGNAL_PREFIX = "signal."
"""What may stand before the name of a signal, and must where a statistic of it would be read as something else."""
STATISTIC_COLUMNS = {"min": "minimum", "max": "maximum", "mean": "mean", "samples": "samples"}
_LARGEST, _SMALLEST = 1e250, 1e-250
"""Statistics that can be converted: a larger one is unknown in another unit, a smaller one is 0."""
_WHERE = "docs/catalog.md lists all properties"

PATTERNS = ("vehicle.ATTRIBUTE", "SIGNAL.min", "SIGNAL.max", "SIGNAL.mean", "SIGNAL.samples")
"""Names of the properties with a variable part; each pattern is itself the name of such a property."""

_BY_NAME = {name: known for known in PROPERTIES for name in (known.name, *known.aliases)}


def property_named(name: str) -> Property | None:
    """The property with this name or alias, or None."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    if len(name) > MAX_NAME_CHARACTERS:
        return None
    if attribute := _ATTRIBUTE.fullmatch(name):
        return _attribute(name, attribute[1])
    if statistic := _STATISTIC.fullmatch(name):
        return _statistic(name, statistic[1], statistic[2])
    if attribute := _OTHER_ATTRIBUTE.fullmatch(name):
        return _attribute(name, attribute[1])
    return None


def require_property(name: object, *, quoted: bool = False) -> Property:
    """The property with this name or alias; InvalidInput with the nearest names when there is none.

    `quoted` says that the filter has the name in double quotes.
    """
    if not isinstance(name, str):
        raise InvalidInput("a property's name in the filter is not a text", remedy="write it as a JSON string")
    known = property_named(name)
    if known is not None:
        return known
    shown = f'"{name[:100]}"' if quoted else repr(name[:100])
    raise InvalidInput(f"clips have no property {shown}", remedy=_remedy(name, quoted))


def _remedy(name: str, quoted: bool) -> str:
    text = name[:100].replace("'", "''")
    if quoted:
        return f"double quotes are for names; a text goes in single quotes: '{text}'"
    if near := _near(name[:MAX_NAME_CHARACTERS]):
        return f"did you mean {' or '.join(near)}? {_WHERE}"
    if "." in name:
        return f"attributes are vehicle.NAME, statistics of signals SIGNAL.max; {_WHERE}"
    return f"attributes of the vehicle are written vehicle.{text}, texts in single quotes: '{text}'; {_WHERE}"


def _near(name: str) -> list[str]:
    """Names that a wrong one could have been meant to be, at most three."""
    if property_named(name.lower()) is not None:
        head, _, statistic = name.rpartition(".")
        of_signal = [f"{head}.{statistic.lower()}"] if statistic.lower() in STATISTIC_COLUMNS else []
        return list(dict.fromkeys((name.lower(), *of_signal)))  # the name of a signal may have capitals
    if _DOTTED.fullmatch(name) and property_named(f"{name}.max") is not None:
        return [f"{name}.max", f"{name}.min", f"{name}.mean"]
    folded = {known.lower(): known for known in _BY_NAME}
    return [folded[near] for near in get_close_matches(name.lower(), folded, n=2, cutoff=0.7)]


def require_value(asked: Property, value: str) -> None:
    """InvalidInput for a value that a property with enumerated values cannot have."""
    if value in asked.values:
        return
    near = get_close_matches(value.lower(), asked.values, n=1)
    raise InvalidInput(
        f"`{asked.name}` is never {value[:60]!r}",
        remedy=f"did you mean '{near[0]}'?" if near else f"it is one of {', '.join(asked.values)}",
    )


def sortable_names() -> list[str]:
    """The names that pages can be sorted by, those of PATTERNS included."""
    patterns = (property_named(pattern) for pattern in PATTERNS)
    return [known.name for known in (*PROPERTIES, *patterns) if known is not None and known.sort is not None]


def attribute_name(attribute: str) -> str:
    """The property of a vehicle's attribute."""
    return f"vehicle.{attribute}"


def statistic_names(signal: str) -> dict[str, str]:
    """The properties of a signal's statistics, by `min`, `max`, `mean` and `samples`.

    A signal whose name would mean something else (`vehicle.max` is an attribute) gets the prefix `signal.`.
    """
    prefix = SIGNAL_PREFIX if _ATTRIBUTE.fullmatch(f"{signal}.max") or signal.startswith(SIGNAL_PREFIX) else ""
    return {statistic: f"{prefix}{signal}.{statistic}" for statistic in STATISTIC_COLUMNS}


def in_unit(asked: Property, written: str) -> Property:
    """A statistic converted to a unit; null when the clip's unit is unknown or of another dimension.

    InvalidInput for a property that is not a value of a signal, and for a unit that does not exist.
    """
    if asked.signal is None or asked.unit is not None or asked.name.endswith(".samples"):
        raise InvalidInput(
            f"`{asked.name}` cannot be converted to a unit", remedy="give a signal's .min, .max or .mean"
        )
    unit = parse_unit(written)
    if unit is None:
        near = nearest_units(written[:40])
        raise InvalidInput(
            f"there is no unit {written[:40]!r}", remedy=f"did you mean {' or '.join(near)}?" if near else "write km/h"
        )
    statistic = asked.name.rpartition(".")[2]
    name = f"in_unit({asked.name}, '{written}')"
    return replace(asked, name=name, expression=_converted(asked.signal, statistic, unit), unit=written, sort=None)


def unit_columns(written: str | None) -> dict[str, object]:
    """The columns of `signal_units` that say what a unit is: its dimension, and how to get from it to the base unit."""
    unit = None if written is None else parse_unit(written)
    if unit is None:
        return {"dimension": None, "scale": None, "zero": None}
    return {"dimension": _dimension(unit), "scale": float(unit.scale), "zero": float(unit.offset)}


def _dimension(unit: Unit) -> str:
    return ",".join(map(str, unit.dimension))


def _attribute(name: str, attribute: str) -> Property:
    description = "an attribute of the vehicle in the clip's manifest, such as `vehicle.model`"
    expression = clips.c.attributes[attribute]
    title = "Attribute of the vehicle"
    return Property(name, "attribute", title, description, expression, sort="json", nullable=True, attribute=attribute)


def _statistic(name: str, signal: str, statistic: str) -> Property:
    """A statistic of a signal over the clip; null when the clip does not have the signal."""
    value = _of_signal(signal, signal_statistics.c[STATISTIC_COLUMNS[statistic]]).scalar_subquery()
    title, description, sort = _STATISTICS[statistic]
    return Property(name, "number", title, description, value, sort=sort, nullable=True, signal=signal)


def _of_signal(signal: str, value: ColumnElement[float]) -> Select[float]:
    of_clip = signal_statistics.c.clip_id == clips.c.id
    return select(value).where(of_clip, signal_statistics.c.signal == signal).correlate(clips)


def _converted(signal: str, statistic: str, unit: Unit) -> ColumnElement[float]:
    value, stored = signal_statistics.c[STATISTIC_COLUMNS[statistic]], signal_units.c
    size = func.abs(value)  # beyond these bounds the product would be an error of the database
    within = case((size > _LARGEST, None), (size < _SMALLEST, 0.0), else_=value)
    converted = (within * stored.scale + stored.zero - float(unit.offset)) / float(unit.scale)
    same = signal_statistics.c.unit == literal(unit.symbol, Text)  # which stays as it is, without rounding
    query = _of_signal(signal, case((same, value), else_=converted)).where(
        stored.signal == signal_statistics.c.signal,
        stored.unit == signal_statistics.c.unit,
        stored.dimension == _dimension(unit),
    )
    return query.scalar_subquery()


_STATISTICS: dict[str, tuple[str, str, SortType]] = {
    "min": ("Minimum", "lowest value of a signal in the clip, in the signal's unit", "float"),
    "max": ("Maximum", "highest value of a signal in the clip, in the signal's unit", "float"),
    "mean": ("Mean", "mean of a signal over its samples in the clip, in the signal's unit", "float"),
    "samples": ("Samples", "how many samples of a signal the clip has", "integer"),
}
