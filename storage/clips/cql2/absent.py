"""Names in a filter that nothing has: said when a search finds nothing, as they are probably misspelt."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from sqlalchemy import ARRAY, Connection, Select, Text, func, literal, select, union_all

from storage.clips.cql2.operands import Operand, Reference, Value
from storage.clips.cql2.tree import Comparison, In, Predicate, leaves
from storage.clips.properties import Property
from storage.tables import campaign_versions, clips, labels, vehicles

MAX_KNOWN = 10_000
MAX_NOTES = 5
NEWEST = 1000
"""Clips whose attributes are looked at beside those of the vehicles, and labelings whose types are."""


def absent_names(connection: Connection, predicate: Predicate) -> list[str]:
    """What the filter asks for and nobody has, such as a trigger of no campaign: a line each, with the nearest name.

    Only tables are asked that are small beside those of clips and fires, and the newest clips.
    """
    notes: dict[str, None] = {}
    for asked, value in _equalities(predicate):
        known = _known(connection, asked)
        if asked.name == "labels" and _is_label(connection, value):
            continue
        if value not in known and known:
            folded = {name.lower(): name for name in sorted(known)}
            near = get_close_matches(value[:200].lower(), folded, n=1)
            meant = f"; did you mean '{folded[near[0]]}'?" if near else ""
            notes[f"there is no {asked.name.removesuffix('s')} {value[:100]!r}{meant}"] = None
        if len(notes) == MAX_NOTES:
            break
    return list(notes)


def _is_label(connection: Connection, value: str) -> bool:
    """Whether any label is of this type, by the index of types."""
    found = select(labels.c.id).where(labels.c.types.op("@>")(literal([value], ARRAY(Text)))).limit(1)
    return connection.execute(found).one_or_none() is not None


def _equalities(predicate: Predicate) -> Iterator[tuple[Property, str]]:
    """The properties that are compared with texts by `=` or IN."""
    for leaf in leaves(predicate):
        pairs: list[tuple[Operand, Operand]] = []
        if isinstance(leaf, Comparison) and leaf.operator == "=":
            pairs = [(leaf.left, leaf.right), (leaf.right, leaf.left)]
        elif isinstance(leaf, In):
            pairs = [(leaf.value, choice) for choice in leaf.choices]
        for asked, value in pairs:
            if isinstance(asked, Reference) and isinstance(value, Value) and isinstance(value.value, str):
                yield asked.property, value.value


def _known(connection: Connection, asked: Property) -> set[str]:
    """The values that there are; an empty set if that is not known of this property."""
    query: Select[Any]
    if asked.name == "campaign":
        query = select(campaign_versions.c.campaign)
    elif asked.name == "trigger":
        query = select(func.jsonb_array_elements(campaign_versions.c.settings["triggers"]).op("->>")("name"))
    elif asked.name == "labels":
        newest_labels = select(labels.c.types).order_by(labels.c.id.desc()).limit(NEWEST).subquery()
        query = select(func.unnest(newest_labels.c.types))
    elif asked.attribute is not None:
        newest = select(clips.c.attributes).order_by(clips.c.recorded_ns.desc()).limit(NEWEST).subquery()
        columns = (vehicles.c.attributes, vehicles.c.reported_attributes, newest.c.attributes)
        values = union_all(*(select(column[asked.attribute].astext.label("value")) for column in columns)).subquery()
        query = select(values.c.value)
    else:
        return set()
    query = query.distinct().limit(MAX_KNOWN)
    return {str(value) for value in connection.execute(query).scalars() if value is not None}
