"""Counts that only grow and are replaced as a whole: of two reports of a row, the one that counts more is the later.

So the order and repetition of reports do not matter, whatever the vehicle's clock says, and the counts of a row belong
together. A later row that counts less changes no count, but is remembered: the vehicle lost its journal and started
counting again.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    Text,
    and_,
    column,
    func,
    select,
    update,
    values,
)
from sqlalchemy.dialects.postgresql import insert

from storage.tables import vehicles

VERSION = ("vehicle_id", "campaign", "version")


@dataclass(frozen=True, slots=True)
class GrowingCounts:
    """A table of such counts: per vehicle and campaign version a row for each of its `names`, with these `counts`.

    Besides them it has `reported_at_ns` and `fell_to`, the lowest total that was reported later than a higher one.
    """

    table: Table
    names: tuple[str, ...]
    counts: tuple[str, ...]

    def record(
        self, connection: Connection, version: Mapping[str, object], rows: Sequence[Mapping[str, Any]], at_ns: int
    ) -> bool:
        """Store a report's rows of one campaign version, each with names and counts; True when any of them was new."""
        if not rows:
            return False
        in_order = sorted(rows, key=lambda row: [row[name] for name in self.names])
        statement = insert(self.table).values([{**version, **row, "reported_at_ns": at_ns} for row in in_order])
        new = statement.excluded
        changes = {name: new[name] for name in (*self.counts, "reported_at_ns")}
        more = self._total(new) > self._total(self.table.c)
        upsert = statement.on_conflict_do_update(index_elements=[*VERSION, *self.names], set_=changes, where=more)
        returned = connection.execute(upsert.returning(*(self.table.c[name] for name in self.names)))
        grown = {tuple(row) for row in returned}
        others = [row for row in in_order if tuple(row[name] for name in self.names) not in grown]
        if others:
            self._note_falls(connection, version, others, at_ns)
        return bool(grown)

    def _note_falls(
        self, connection: Connection, version: Mapping[str, object], rows: Sequence[Mapping[str, Any]], at_ns: int
    ) -> None:
        """Remember the rows that count less than was reported earlier."""
        own = self.table.c
        reported = values(*(column(name, Text) for name in self.names), column("total", BigInteger), name="reported")
        reported = reported.data(
            [(*(row[name] for name in self.names), sum(row[name] for name in self.counts)) for row in rows]
        )
        lowest = func.least(func.coalesce(own.fell_to, reported.c.total), reported.c.total)
        connection.execute(
            update(self.table)
            .where(*(own[name] == value for name, value in version.items()))
            .where(*(own[name] == reported.c[name] for name in self.names))
            .where(self._total(own) > reported.c.total, own.reported_at_ns < at_ns)
            .values(fell_to=lowest)
        )

    def sums(self, connection: Connection, campaign: str, version: int) -> Sequence[Row[Any]]:
        """The names and summed counts of a campaign version, over all vehicles whose counts are not voided."""
        own = self.table.c
        names = [own[name] for name in self.names]
        of_version = and_(own.campaign == campaign, own.version == version)
        return connection.execute(
            select(*names, *(func.sum(own[name]) for name in self.counts))
            .join(vehicles, vehicles.c.id == own.vehicle_id)
            .where(of_version, vehicles.c.counts_voided_at.is_(None))
            .group_by(*names)
            .order_by(*names)
        ).all()

    def fallen(self, connection: Connection, vehicle_ids: Sequence[str]) -> Sequence[Row[Any]]:
        """The rows of these vehicles that fell, with vehicle, version, names, `total` and `fell_to`, in order."""
        own = self.table.c
        keys = [own[name] for name in (*VERSION, *self.names)]
        fell: Select[Any] = (
            select(*keys, self._total(own).label("total"), own.fell_to)
            .where(own.vehicle_id.in_(vehicle_ids), own.fell_to.is_not(None))
            .order_by(*keys)
        )
        return connection.execute(fell).all()

    def _total(self, columns: Any) -> ColumnElement[int]:
        """All that a row counts; five counts within their limits fit into a bigint."""
        return reduce(operator.add, (columns[name] for name in self.counts))
