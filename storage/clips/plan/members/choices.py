"""Conditions on one property as a choice of its values: `vehicle.year > 2020` as `vehicle.year IN (2021, 2022)`.

Clips have few different campaigns, triggers, tags and values of an attribute, so those for which a condition holds are
looked for among these names, and their clips by the index of names. It serves LIKE, `<>`, CASEI, ranges of attributes,
and whatever else is about one of them alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Connection, Text, cast, column, exists, func, literal, null, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import BinaryExpression

from storage.clips.cql2.conditions import condition, of_one
from storage.clips.cql2.operands import Reference, Value
from storage.clips.cql2.tree import (
    Between,
    Comparison,
    Constant,
    In,
    Like,
    Predicate,
    TextMatch,
    contains_fire,
    leaves,
    properties,
    scopes,
)
from storage.clips.properties import Property
from storage.clips.properties.known_values import TAGS, TOO_MANY
from storage.clips.scopes import ELEMENT
from storage.tables import clip_fires, clips, known_values, vehicles

MAX_CHOICES = 200
"""The most values that an index is asked for at once."""
_MAX_NAMES = 2_000
"""The most names of fires that are looked at."""
_Leaf = Comparison | Between | In | Like
_ATTRIBUTES: ColumnElement[Any] = clips.c.attributes


class Choices:
    """What filters can choose from, in the catalog of a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, predicate: Predicate) -> In | Constant | None:
        """The values for which a predicate holds, if it is about one property with few values; None otherwise.

        A clip that lacks the property is in none of them, so nothing is said of a predicate that is true of it.
        """
        asked = properties(predicate)
        if (
            len(asked) != 1
            or contains_fire(predicate)
            or any(isinstance(leaf, TextMatch) for leaf in leaves(predicate))
        ):
            return None
        (about,) = asked
        if about.attribute is not None and scopes(predicate) == {None}:
            return _chosen(about, self._of_attribute(about, predicate))
        if not isinstance(predicate, _Leaf):
            return None
        name = _NAMES.get(about.name)
        return None if name is None else _chosen(about, name(self._connection, of_one(predicate)))

    def _of_attribute(self, about: Property, predicate: Predicate) -> Sequence[Any] | None:
        value, known = known_values.c.value, known_values.c
        holds = condition(predicate)
        without = select(func.coalesce(_with(holds, cast(null(), JSONB)), False))
        crowded = exists().where(known.about == about.name, value == cast(literal("null", Text), JSONB))
        if self._connection.execute(select(without.scalar_subquery() | crowded)).scalar_one():
            return None
        found = select(value).where(known.about == about.name, _with(holds, value)).limit(MAX_CHOICES + 1)
        return self._connection.execute(found).scalars().all()


def _with(holds: ColumnElement[bool], value: ColumnElement[Any]) -> ColumnElement[bool]:
    """A condition on the attribute of a clip as one on a value."""

    def _value_of(element: Any, **_: Any) -> Any:
        is_attribute = isinstance(element, BinaryExpression) and element.left is _ATTRIBUTES
        return value if is_attribute else None

    return visitors.replacement_traverse(holds, {}, _value_of)


def _chosen(about: Property, values: Sequence[Any] | None) -> In | Constant | None:
    if values is None or len(values) > MAX_CHOICES:
        return None
    reference = Reference(about, about.kind)
    return In(reference, tuple(map(Value, values))) if values else Constant(False)


def _among(
    connection: Connection, names: Collection[str], holds: ColumnElement[bool], name: ColumnElement[Any]
) -> Sequence[str]:
    """Those of the names for which a condition on the column `name` holds."""
    unnested = func.unnest(literal(sorted(names), ARRAY(Text)))
    one = unnested.table_valued(column("name", Text), name="names").render_derived().c.name
    return connection.execute(select(one).where(_of_name(holds, name, one))).scalars().all()


def _of_name(holds: ColumnElement[bool], name: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[bool]:
    """A condition on one column as one on another."""
    return visitors.replacement_traverse(holds, {}, lambda element, **_: other if element is name else None)


def _of_fires(name: ColumnElement[Any]) -> Callable[[Connection, ColumnElement[bool]], Sequence[str] | None]:
    """Among the values of a column of fires, of which an index gives one after the other."""

    def _found(connection: Connection, holds: ColumnElement[bool]) -> Sequence[str] | None:
        first = select(func.min(name).label("name")).cte("names", recursive=True)
        following = select(func.min(name)).where(name > first.c.name).correlate(first).scalar_subquery()
        names = first.union_all(select(following).where(first.c.name.is_not(None)))
        listed = select(names.c.name).where(names.c.name.is_not(None)).limit(_MAX_NAMES + 1)
        known = connection.execute(listed).scalars().all()
        return None if len(known) > _MAX_NAMES else _among(connection, known, holds, name)

    return _found


def _vehicles(connection: Connection, holds: ColumnElement[bool]) -> Sequence[str]:
    of_id = _of_name(holds, clips.c.vehicle_id, vehicles.c.id)
    return connection.execute(select(vehicles.c.id).where(of_id).limit(MAX_CHOICES + 1)).scalars().all()


def _tags(connection: Connection, holds: ColumnElement[bool]) -> Sequence[str] | None:
    known = connection.execute(select(known_values.c.value).where(known_values.c.about == TAGS)).scalars().all()
    return None if TOO_MANY in known else _among(connection, known, holds, ELEMENT)


_NAMES: dict[str, Callable[[Connection, ColumnElement[bool]], Sequence[str] | None]] = {
    "vehicle": _vehicles,
    "campaign": _of_fires(clip_fires.c.campaign),
    "trigger": _of_fires(clip_fires.c.trigger),
    "program_digest": _of_fires(clip_fires.c.program_digest),
    TAGS: _tags,
}
