"""Parts of a vehicle's counts: what is new in a report belongs to the software and the rollout of that moment.

Counts are cumulative and tell neither with which software a fire happened nor how much of the fleet was admitted then.
Both are needed: versions of software are compared, and a vehicle of a stage of 1 % stands for a hundred. So whatever a
vehicle's counts have more than its parts is added to the part of now. That is right however often it is done, and also
for counts from before there were parts.

A report tells of the time since the one before, mostly minutes; a vehicle that is updated or admitted in between has
its whole report in the later part.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, text
from sqlalchemy.dialects.postgresql import insert

from storage.tables import count_parts
from triggers.assignment.rollout import share_at
from triggers.contracts.campaign import RolloutStage

MAX_SOFTWARES = 20
"""Parts of one vehicle and campaign version by software; what comes with yet another one has no known software."""

_KEYS = ("vehicle_id", "campaign", "version", "software_digest", "share")
_COUNTS = ("armed_ns", "distance_m", "fires", "pairs", "events")

# What is to be divided, and the parts there are: the counts are locked by whoever has just written them, so that this
# statement sees all parts of earlier reports.
_KNOWN = text("""
    SELECT c.campaign, c.version, c.armed_ns, c.distance_m, c.per_trigger, v.settings -> 'rollout' AS rollout,
        CAST(extract(epoch FROM
            least(v.paused_at, v.held_at, v.ended_at, now()) - v.rollout_from) * 1000000000 AS bigint) AS elapsed_ns,
        car.software, h.heads, e.events, p.parts
    FROM fire_counts c
    JOIN unnest(CAST(:campaigns AS text[]), CAST(:versions AS integer[])) AS w (campaign, version)
        ON w.campaign = c.campaign AND w.version = c.version
    JOIN campaign_versions v ON v.campaign = c.campaign AND v.version = c.version
    JOIN vehicles car ON car.id = c.vehicle_id
    LEFT JOIN LATERAL (
        SELECT jsonb_object_agg(
            head, jsonb_build_array(neither, only_shadow, only_active, "both", unknown)
        ) AS heads
        FROM compare_counts k
        WHERE k.vehicle_id = c.vehicle_id AND k.campaign = c.campaign AND k.version = c.version
    ) h ON true
    LEFT JOIN LATERAL (
        SELECT jsonb_object_agg(
            head || ' ' || sides,
            jsonb_build_array(matched, only_first, only_second, unresolved_first, unresolved_second)
        ) AS events
        FROM event_counts k
        WHERE k.vehicle_id = c.vehicle_id AND k.campaign = c.campaign AND k.version = c.version
    ) e ON true
    LEFT JOIN LATERAL (
        SELECT jsonb_agg(jsonb_build_array(
            encode(software_digest, 'hex'), share, armed_ns, distance_m, fires, pairs, events
        )) AS parts
        FROM count_parts q
        WHERE q.vehicle_id = c.vehicle_id AND q.campaign = c.campaign AND q.version = c.version
    ) p ON true
    WHERE c.vehicle_id = :vehicle
""")


Compared = dict[str, list[int]]
"""The counts of what is compared, by its name."""


@dataclass
class Part:
    """Counts of one software and share, or of all together."""

    armed_ns: int = 0
    distance_m: int = 0
    fires: Counter[str] = field(default_factory=Counter)
    pairs: Compared = field(default_factory=dict)
    """By head."""
    events: Compared = field(default_factory=dict)
    """By head and sides, with a space between them."""

    def add(self, other: Part, sign: int = 1) -> None:
        """Add the counts of another part, or take them away."""
        self.armed_ns += sign * other.armed_ns
        self.distance_m += sign * other.distance_m
        for trigger, fires in other.fires.items():
            self.fires[trigger] += sign * fires
        for own, others in ((self.pairs, other.pairs), (self.events, other.events)):
            for name, counts in others.items():
                before = own.get(name, [0] * len(counts))
                own[name] = [one + sign * more for one, more in zip(before, counts, strict=True)]

    def columns(self) -> dict[str, Any]:
        """As its row has them. Nothing is below 0, even if a vehicle's counts have fallen."""
        return {
            "armed_ns": max(0, self.armed_ns),
            "distance_m": max(0, self.distance_m),
            "fires": {trigger: fires for trigger, fires in sorted(self.fires.items()) if fires > 0},
            "pairs": {name: [max(0, count) for count in counts] for name, counts in sorted(self.pairs.items())},
            "events": {name: [max(0, count) for count in counts] for name, counts in sorted(self.events.items())},
        }


def divide(connection: Connection, vehicle_id: str, versions: Sequence[tuple[str, int]]) -> None:
    """Add what these versions' counts have more than their parts to the part of now.

    This transaction must have written the counts, so that no other one divides them.
    """
    if not versions:
        return
    arrays = {"campaigns": [name for name, _ in versions], "versions": [version for _, version in versions]}
    known = connection.execute(_KNOWN, {"vehicle": vehicle_id, **arrays}).all()
    rows = [
        {"vehicle_id": vehicle_id, "campaign": row.campaign, "version": row.version, **_grown(row)} for row in known
    ]
    statement = insert(count_parts).values(rows)
    new = statement.excluded
    connection.execute(
        statement.on_conflict_do_update(index_elements=list(_KEYS), set_={name: new[name] for name in _COUNTS})
    )


def _grown(row: Row[Any]) -> dict[str, Any]:
    """The part that a vehicle's counts of one version grow in, as it is afterwards."""
    parts = {
        (bytes.fromhex(digest), share): Part(armed_ns, distance_m, Counter(fires), pairs, events)
        for digest, share, armed_ns, distance_m, fires, pairs, events in row.parts or ()
    }
    rest = Part(row.armed_ns, row.distance_m, Counter(row.per_trigger), dict(row.heads or {}), dict(row.events or {}))
    for part in parts.values():
        rest.add(part, -1)
    software, share = _software(row.software, {digest for digest, _ in parts}), _share(row)
    key = digest_of(software), share
    rest.add(parts.get(key, Part()))
    return {"software_digest": key[0], "share": share, "software": software, **rest.columns()}


def _software(told: dict[str, str], known: set[bytes]) -> dict[str, str]:
    """What the vehicle told, unless it has told too many of them."""
    return told if digest_of(told) in known or len(known) < MAX_SOFTWARES else {}


def _share(row: Row[Any]) -> float:
    """The share of the fleet that the version's rollout admits; all of it for a version that never ran."""
    if row.elapsed_ns is None:
        return 1.0
    return share_at([RolloutStage.model_validate(stage) for stage in row.rollout], max(0, row.elapsed_ns))


def digest_of(software: Mapping[str, str]) -> bytes:
    """What identifies a vehicle's software: SHA-256 of its names and versions in order, 16 bytes of it."""
    return hashlib.sha256(json.dumps(sorted(software.items())).encode()).digest()[:16]
