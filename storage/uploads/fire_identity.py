"""Identity of fires: (vehicle, campaign, version, ordinal) is one fire; a second one under it shows a lost journal.

A vehicle whose journal is gone counts its fires from 1 again. Its new fires then bear the ordinals of old ones; taken
for those, they would vanish from every count. See docs/decisions/0009-wiped-vehicles.md.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select, tuple_

from storage.tables import fires
from triggers.contracts.clip import Fire

ENROL_ANEW = "the vehicle lost its state: enrol it under a new id"


def reused_fire(connection: Connection, vehicle_id: str, of_fires: Sequence[Fire]) -> str | None:
    """Which of a vehicle's fires bears the ordinal of another one that the catalog has, in a sentence; None: none."""
    ordinals = sorted({(fire.campaign, fire.version, fire.ordinal) for fire in of_fires})
    identity = tuple_(fires.c.campaign, fires.c.version, fires.c.ordinal)
    rows = connection.execute(
        select(fires.c.campaign, fires.c.version, fires.c.ordinal, fires.c.t_ns, fires.c.trigger).where(
            fires.c.vehicle_id == vehicle_id, identity.in_(ordinals)
        )
    )
    known = {(row.campaign, row.version, row.ordinal): (row.t_ns, row.trigger) for row in rows}
    for fire in of_fires:
        before = known.get((fire.campaign, fire.version, fire.ordinal), (fire.t_ns, fire.trigger))
        if before != (fire.t_ns, fire.trigger):
            return (
                f"fire {fire.ordinal} of {fire.campaign} version {fire.version} ({fire.trigger} at {fire.t_ns} ns) was"
                f" here before as another: {before[1]} at {before[0]} ns"
            )
    return None
