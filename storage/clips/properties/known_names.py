"""Names and units that clips have had: a filter that asks for others is refused, as it would silently find nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches

from sqlalchemy import Connection, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert

from storage.clips.catalogs import parsed
from storage.clips.properties.lookup import SIGNAL_PREFIX, unit_columns
from storage.clips.properties.table import Property
from storage.statements.prepared import Prepared
from storage.tables import campaign_versions, known_attributes, signal_units, vehicles
from triggers.errors import InvalidInput
from triggers.signals.catalog import SignalCatalog

MAX_CATALOGS = 20
"""The newest signal catalogs whose names are known, although no clip has had them yet."""


_ATTRIBUTES = Prepared(select(known_attributes.c.attribute))


def add_units(connection: Connection, units: Iterable[tuple[str, str | None]]) -> None:
    """Add signals with their units (None: not known) to those that clips have had."""
    rows = [
        {"signal": signal, "unit": unit, **unit_columns(unit)}
        for signal, unit in sorted(units, key=lambda pair: (pair[0], pair[1] or ""))
    ]
    if rows:
        connection.execute(insert(signal_units).on_conflict_do_nothing(), rows)


def add_attributes(connection: Connection, attributes: Collection[str]) -> None:
    """Add attributes of vehicles to those that clips have had."""
    known = {attribute for (attribute,) in _ATTRIBUTES.rows(connection)}
    rows = [{"attribute": attribute} for attribute in sorted(set(attributes) - known)]
    if rows:
        connection.execute(insert(known_attributes).on_conflict_do_nothing(), rows)


def units_of(catalog_texts: Iterable[str]) -> dict[str, str | None]:
    """The unit of each number signal in these catalogs; None where they do not agree."""
    units: dict[str, str | None] = {}
    for catalog in parsed(catalog_texts):
        for name, signal in catalog.signals.items():
            unit = signal.unit if signal.type == "number" else None
            units[name] = unit if units.get(name, unit) == unit else None
    return units


def require_known(connection: Connection, asked: Collection[Property], *, absent_is_null: bool = False) -> None:
    """InvalidInput for a signal or an attribute that neither a clip nor a signal catalog has, with near names.

    Also for a signal whose clips have more than one unit, if the property does not say which unit is meant. While there
    is no clip every name is accepted. With `absent_is_null` every name is: no clip has it, so it is null.
    """
    of_signals = [described for described in asked if described.signal is not None]
    if of_signals:
        _require_signals(connection, of_signals, absent_is_null=absent_is_null)
    if absent_is_null:
        return
    for described in sorted(asked, key=lambda described: described.name):
        if described.attribute is not None:
            with _at(described.place):
                _require_attribute(connection, described.attribute)


@contextmanager
def _at(place: str) -> Iterator[None]:
    """Add the place in the filter, if there is one, to an InvalidInput."""
    try:
        yield
    except InvalidInput as error:
        if not place:
            raise
        raise InvalidInput(f"{error.message} ({place})", remedy=error.remedy) from error


def _require_signals(connection: Connection, asked: Collection[Property], *, absent_is_null: bool) -> None:
    names = {described.signal for described in asked if described.signal is not None}
    known = select(signal_units.c.signal, signal_units.c.unit).where(signal_units.c.signal.in_(names))
    units: dict[str, set[str]] = {}
    for signal, unit in connection.execute(known):
        units.setdefault(signal, set()).update({unit} - {None})
    for described in sorted(asked, key=lambda described: described.name):
        name = described.signal or ""
        with _at(described.place):
            if name not in units and not absent_is_null:
                _refuse_unless_declared(connection, name)
            if described.unit is None and not described.name.endswith(".samples"):
                _require_one_unit(described, sorted(units.get(name, ())))


def known_units(connection: Connection, asked: Property) -> set[str]:
    """The units in which clips have the signal of a statistic; of one that no clip has, those of signal catalogs."""
    known = select(signal_units.c.unit).where(signal_units.c.signal == asked.signal, signal_units.c.unit.is_not(None))
    units = set(connection.execute(known).scalars())
    if not units:
        declared = (catalog.signals.get(asked.signal or "") for catalog in _catalogs(connection))
        units = {signal.unit for signal in declared if signal is not None and signal.type == "number"}
    return units - {""}


def _refuse_unless_declared(connection: Connection, name: str) -> None:
    known = set(connection.execute(select(signal_units.c.signal).distinct()).scalars())
    declared = {signal for catalog in _catalogs(connection) for signal in catalog.signals}
    if known and name not in declared:
        if (meant := f"{SIGNAL_PREFIX}{name}") in known | declared:
            remedy = f"that of `{meant}` is written {SIGNAL_PREFIX}{meant}.max"
            raise InvalidInput(f"no clip has had the signal {name!r}", remedy=remedy)
        raise _unknown("signal", name, known | declared)


def _require_one_unit(asked: Property, units: list[str]) -> None:
    if len(units) > 1:
        raise InvalidInput(
            f"`{asked.name}` is in {' and in '.join(unit or 'no unit' for unit in units)}, depending on the clip",
            remedy=f"state the unit: in_unit({asked.name}, '{units[-1]}')",
        )


def _require_attribute(connection: Connection, name: str) -> None:
    of_clips = select(literal(1)).where(known_attributes.c.attribute == name).exists()
    either = or_(vehicles.c.attributes.has_key(name), vehicles.c.reported_attributes.has_key(name))
    of_vehicles = select(literal(1)).where(either).exists()
    if connection.execute(select(or_(of_clips, of_vehicles))).scalar_one():
        return
    known = set(connection.execute(select(func.jsonb_object_keys(vehicles.c.reported_attributes)).distinct()).scalars())
    known |= set(connection.execute(select(func.jsonb_object_keys(vehicles.c.attributes)).distinct()).scalars())
    known |= set(connection.execute(select(known_attributes.c.attribute)).scalars())
    declared = {attribute for catalog in _catalogs(connection) for attribute in catalog.vehicle}
    if known and name not in declared:
        is_signal = select(signal_units.c.signal).where(signal_units.c.signal == f"vehicle.{name}").exists()
        if connection.execute(select(is_signal)).scalar_one():
            remedy = f"that is a signal: write vehicle.{name}.max, .min or .mean"
            raise InvalidInput(f"no clip has had the attribute 'vehicle.{name}'", remedy=remedy)
        raise _unknown("attribute", name, known | declared, prefix="vehicle.")


def _unknown(kind: str, name: str, known: set[str], prefix: str = "") -> InvalidInput:
    folded: dict[str, list[str]] = {}
    for one in sorted(known):
        folded.setdefault(one.lower(), []).append(one)
    near = [one for match in get_close_matches(name.lower(), folded, n=3, cutoff=0.6) for one in folded[match]][:3]
    names = [prefix + one for one in near or sorted(known)]
    return InvalidInput(
        f"no clip has had the {kind} {prefix + name[:100]!r}",
        remedy=f"did you mean {' or '.join(names)}?" if near else f"clips have {_some(names)}",
    )


def _some(names: list[str], shown: int = 8) -> str:
    return ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")


def _catalogs(connection: Connection) -> Iterable[SignalCatalog]:
    """The newest signal catalogs of campaigns; those that this version cannot read are left out."""
    newest = func.max(campaign_versions.c.created_at).desc()
    texts = select(campaign_versions.c.signal_catalog).group_by(campaign_versions.c.signal_catalog).order_by(newest)
    return parsed(connection.execute(texts.limit(MAX_CATALOGS)).scalars())
