"""The attributes and signals that clips have had, for lists of what can be searched."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, case, func, select

from storage.clips.properties.lookup import attribute_name
from storage.tables import indexed_signals, known_attributes, signal_units


@dataclass(frozen=True, slots=True)
class KnownSignal:
    """A signal; `unit` is None where clips have had it in several, or where it is not known."""

    name: str
    unit: str | None
    indexed: bool


@dataclass(frozen=True, slots=True)
class KnownProperties:
    """Attributes by the names that filters use, and signals, by name; `capped` if there are more."""

    attributes: list[str]
    signals: list[KnownSignal]
    capped: bool


def known_properties(connection: Connection, *, limit: int) -> KnownProperties:
    """The first attributes and signals by name, at most `limit` of each."""
    attributes = connection.execute(
        select(known_attributes.c.attribute).order_by(known_attributes.c.attribute).limit(limit + 1)
    ).scalars()
    names = [attribute_name(attribute) for attribute in attributes]
    c = signal_units.c
    unit = case((func.count() == 1, func.max(c.unit)))
    is_indexed = func.bool_or(indexed_signals.c.complete.is_(True))
    rows = connection.execute(
        select(c.signal, unit, is_indexed)
        .select_from(signal_units.outerjoin(indexed_signals, indexed_signals.c.signal == c.signal))
        .group_by(c.signal)
        .order_by(c.signal)
        .limit(limit + 1)
    ).all()
    signals = [KnownSignal(name, unit, bool(indexed)) for name, unit, indexed in rows]
    return KnownProperties(names[:limit], signals[:limit], max(len(names), len(signals)) > limit)
