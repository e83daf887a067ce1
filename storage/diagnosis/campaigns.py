"""What the running campaigns were signed with: the first bytes of their bundles."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from storage.tables import campaign_versions
from triggers.contracts.campaign import RUNNING

_c = campaign_versions.c


def running_bundle_starts(connection: Connection, length: int) -> list[tuple[str, int, bytes]]:
    """Campaign, version and the first `length` bytes of the bundle of every running version, by name."""
    rows = connection.execute(
        select(_c.campaign, _c.version, func.substring(_c.bundle, 1, length).label("start"))
        .where(_c.state.in_(RUNNING), _c.bundle.is_not(None))
        .order_by(_c.campaign)
    )
    return [(row.campaign, row.version, bytes(row.start)) for row in rows]
