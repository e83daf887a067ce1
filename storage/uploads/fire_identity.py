"""Identity of fires: (vehicle, campaign, version, ordinal); another fire with the same one shows a lost journal.

A vehicle whose journal is gone counts its fires from 1 again. Its new fires then have the ordinals of old ones; taken
for those, they would vanish from every count. See docs/decisions/0009-wiped-vehicles.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, text

from storage.campaigns.queries import MAX_VERSION
from storage.statements.prepared import Prepared
from triggers.contracts.clip import Fire

_MAX_ORDINAL = 2**63 - 1
ENROL_AGAIN = "the vehicle lost its state: enrol it under a new id"

# As arrays, so that the statement's text is the same whatever their number.
_KNOWN = Prepared(
    text("""
    SELECT vehicle_id, campaign, version, ordinal, f.t_ns, f.trigger
    FROM unnest(
        CAST(:vehicles AS text[]), CAST(:campaigns AS text[]), CAST(:versions AS integer[]), CAST(:ordinals AS bigint[])
    ) AS n (vehicle_id, campaign, version, ordinal)
    JOIN fires f USING (campaign, version, vehicle_id, ordinal)
""")
)
OfVehicles = Mapping[str, Sequence[Fire]]
"""Fires by vehicle."""
KnownFires = Mapping[tuple[str, int, int], tuple[int, str]]
"""Time in ns and trigger of one vehicle's fires, by (campaign, version, ordinal)."""


def known_fires(connection: Connection, of_vehicles: OfVehicles) -> Mapping[str, KnownFires]:
    """By vehicle, what the catalog has under the ordinals of these fires; nothing where no row could have them."""
    identities = {
        (vehicle_id, fire.campaign, fire.version, fire.ordinal)
        for vehicle_id, of_fires in of_vehicles.items()
        for fire in of_fires
        if fire.version <= MAX_VERSION and fire.ordinal <= _MAX_ORDINAL
    }
    columns = zip(*sorted(identities), strict=True) if identities else ((),) * 4
    names = ("vehicles", "campaigns", "versions", "ordinals")
    rows = _KNOWN.rows(connection, **{name: list(values) for name, values in zip(names, columns, strict=True)})
    known: dict[str, dict[tuple[str, int, int], tuple[int, str]]] = {vehicle_id: {} for vehicle_id in of_vehicles}
    for vehicle_id, campaign, version, ordinal, t_ns, trigger in rows:
        known[vehicle_id][campaign, version, ordinal] = t_ns, trigger
    return known


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
