"""What was refused of vehicles, counted by UTC day and reason, so that nothing disappears without a trace."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from storage.tables import vehicle_refusals
from triggers.assignment.given import Refusal

_c = vehicle_refusals.c


def note(connection: Connection, vehicle_id: str, reason: Refusal, refusals: int = 1) -> None:
    """Count something that was refused today (UTC, the database's clock)."""
    today = func.date(func.timezone("UTC", func.now()))
    statement = insert(vehicle_refusals).values(vehicle_id=vehicle_id, day=today, reason=str(reason), refusals=refusals)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[_c.vehicle_id, _c.day, _c.reason],
            set_={"refusals": _c.refusals + statement.excluded.refusals},
        )
    )


def totals(connection: Connection, vehicle_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """How often something of these vehicles was refused, by vehicle and reason."""
    rows = connection.execute(
        select(_c.vehicle_id, _c.reason, func.sum(_c.refusals).label("n"))
        .where(_c.vehicle_id.in_(vehicle_ids))
        .group_by(_c.vehicle_id, _c.reason)
        .order_by(_c.vehicle_id, _c.reason)
    )
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row.vehicle_id, {})[row.reason] = int(row.n)
    return found
