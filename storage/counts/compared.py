"""Counts of pairs of compared heads, per vehicle as reported, and as confusion tables over the fleet."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, fields
from functools import reduce
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Text, column, func, select, update, values
from sqlalchemy.dialects.postgresql import insert

from storage.tables import compare_counts, vehicles
from triggers.contracts.checkin import FireCounts
from triggers.contracts.compared import Compared

_KEYS = ("vehicle_id", "campaign", "version", "head")
_COUNTS = tuple(field.name for field in fields(Compared))
_table = compare_counts.c


def record_compared(connection: Connection, vehicle_id: str, counts: FireCounts, reported_at_ns: int) -> bool:
    """Store a report's tables for one campaign version; True when any of them was new.

    Counts of pairs only grow, so of two tables the one with more pairs is the later one, whatever the vehicle's
    clock says. A table is always replaced as a whole, so its counts belong together. A later table with fewer pairs
    changes no count, but is remembered: the vehicle lost its journal and started counting again.
    """
    if not counts.compared:
        return False
    version = {"vehicle_id": vehicle_id, "campaign": counts.campaign, "version": counts.version}
    rows = [
        {**version, "head": head, **asdict(pairs), "reported_at_ns": reported_at_ns}
        for head, pairs in sorted(counts.compared.items())
    ]
    statement = insert(compare_counts).values(rows)
    new = statement.excluded
    changes = {name: new[name] for name in (*_COUNTS, "reported_at_ns")}
    more = _total(new) > _total(_table)
    upsert = statement.on_conflict_do_update(index_elements=list(_KEYS), set_=changes, where=more)
    grown = {row.head for row in connection.execute(upsert.returning(_table.head))}
    others = [(head, sum(astuple(pairs))) for head, pairs in counts.compared.items() if head not in grown]
    if others:
        _note_falls(connection, version, others, reported_at_ns)
    return bool(grown)


def _note_falls(
    connection: Connection, version: Mapping[str, object], totals: Sequence[tuple[str, int]], reported_at_ns: int
) -> None:
    """Remember the heads (given with their numbers of pairs) that have fewer pairs than were reported earlier."""
    reported = values(column("head", Text), column("pairs", BigInteger), name="reported").data(totals)
    lowest = func.least(func.coalesce(_table.fell_to, reported.c.pairs), reported.c.pairs)
    connection.execute(
        update(compare_counts)
        .where(*(_table[name] == value for name, value in version.items()), _table.head == reported.c.head)
        .where(_total(_table) > reported.c.pairs, _table.reported_at_ns < reported_at_ns)
        .values(fell_to=lowest)
    )


def _total(columns: Any) -> ColumnElement[int]:
    """All pairs of a table; five counts within their limits fit into a bigint."""
    return reduce(operator.add, (columns[name] for name in _COUNTS))


def compared(connection: Connection, campaign: str, version: int) -> dict[str, Compared]:
    """The confusion tables of a campaign version by head, over all vehicles whose counts are not voided.

    Heads without any pairs are left out.
    """
    rows = connection.execute(
        select(_table.head, *(func.sum(_table[name]) for name in _COUNTS))
        .join(vehicles, vehicles.c.id == _table.vehicle_id)
        .where(_table.campaign == campaign, _table.version == version, vehicles.c.counts_voided_at.is_(None))
        .group_by(_table.head)
        .order_by(_table.head)
    )
    return {head: Compared(*(int(count) for count in counts)) for head, *counts in rows}


def fallen_pairs(connection: Connection, vehicle_ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Vehicles whose pairs of a head fell, with a sentence that says how far, in a stable order."""
    rows = connection.execute(
        select(*(_table[name] for name in _KEYS), _total(_table).label("pairs"), _table.fell_to)
        .where(_table.vehicle_id.in_(vehicle_ids), _table.fell_to.is_not(None))
        .order_by(*(_table[name] for name in _KEYS))
    )
    for row in rows:
        counted = f"its count of pairs for {row.head} in {row.campaign} version {row.version}"
        yield row.vehicle_id, f"{counted} fell to {row.fell_to} and is {row.pairs} here"
