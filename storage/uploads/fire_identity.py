"""Identity of fires: (vehicle, campaign, version, ordinal); another fire with the same one shows a lost journal.

A vehicle whose journal is gone counts its fires from 1 again. Its new fires then have the ordinals of old ones; taken
for those, they would vanish from every count. See docs/decisions/0009-wiped-vehicles.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, text

from storage.campaigns.queries import MAX_VERSION
from triggers.contracts.clip import Fire

_MAX_ORDINAL = 2**63 - 1
ENROL_AGAIN = "the vehicle lost its state: enrol it under a new id"

# As arrays, so that the statement's text is the same whatever their number.
_KNOWN = text("""
    SELECT campaign, version, ordinal, f.t_ns, f.trigger
    FROM unnest(CAST(:campaigns AS text[]), CAST(:versions AS integer[]), CAST(:ordinals AS bigint[]))
        AS n (campaign, version, ordinal)
    JOIN fires f USING (campaign, version, ordinal) WHERE f.vehicle_id = :vehicle_id
""")
KnownFires = Mapping[tuple[str, int, int], tuple[int, str]]
"""Time in ns and trigger of one vehicle's fires, by (campaign, version, ordinal)."""


def known_fires(connection: Connection, vehicle_id: str, of_fires: Sequence[Fire]) -> KnownFires:
    """What the catalog has under the ordinals of these fires of a vehicle; nothing where no row could have them."""
    identities = {(fire.campaign, fire.version, fire.ordinal) for fire in of_fires}
    asked = sorted(each for each in identities if each[1] <= MAX_VERSION and each[2] <= _MAX_ORDINAL)
    campaigns, versions, ordinals = zip(*asked, strict=True) if asked else ((), (), ())
    arrays = {"campaigns": list(campaigns), "versions": list(versions), "ordinals": list(ordinals)}
    rows = connection.execute(_KNOWN, {**arrays, "vehicle_id": vehicle_id})
    return {(row.campaign, row.version, row.ordinal): (row.t_ns, row.trigger) for row in rows}


def reused_fire(of_fires: Sequence[Fire], known: KnownFires) -> str | None:
    """A sentence about the first fire that has the ordinal of another, known fire; None when there is none."""
    for fire in of_fires:
        t_ns, trigger = known.get((fire.campaign, fire.version, fire.ordinal), (fire.t_ns, fire.trigger))
        if (t_ns, trigger) != (fire.t_ns, fire.trigger):
            return (
                f"fire {fire.ordinal} of {fire.campaign} version {fire.version} ({fire.trigger} at {fire.t_ns} ns) has"
                f" the ordinal of an earlier fire: {trigger} at {t_ns} ns"
            )
    return None
