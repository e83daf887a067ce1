"""What became of the fires: per campaign version, counts that add up exactly and are never negative.

A vehicle numbers its fires of a campaign version without gaps and reports, up to a watermark, how each of them ended
on the vehicle. The cloud knows how the fires that reached it ended. Up to the watermark every fire is sampled out,
refused, dropped, failed or catalogued; the rest are in flight.

Vehicle and cloud can contradict each other about a fire: when a clip's last acknowledgement is lost, the vehicle may
give the clip up although the cloud has it. The clip is there, so the cloud is right: the same number of the vehicle's
own outcomes is taken back and counted as `overruled`.

What is in flight is the remainder, so it would hide a fire that was lost on the way. The fires that vehicles say they
handed over are therefore compared with the places where they can be: see storage/counts/unaccounted.py.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from storage.counts.unaccounted import MAX_MANIFESTS, Handovers

_COUNT = text("""
    WITH counted AS (
        SELECT c.* FROM fire_counts c JOIN vehicles v ON v.id = c.vehicle_id WHERE v.counts_voided_at IS NULL
    ),
    cloud AS (
        SELECT f.campaign, f.version, f.vehicle_id, f.outcome, coalesce(f.reason, '') AS reason,
            f.without_clip, count(*) AS n
        FROM fires f
        JOIN counted c USING (campaign, version, vehicle_id)
        WHERE f.ordinal <= c.watermark AND (CAST(:campaign AS text) IS NULL OR f.campaign = :campaign)
        GROUP BY f.campaign, f.version, f.vehicle_id, f.outcome, f.reason, f.without_clip
    ),
    by_vehicle AS (
        SELECT c.*, greatest(0, coalesce(k.n, 0) - c.in_flight - c.handed_over) AS overruled,
            c.handed_over - coalesce(k.n, 0) AS missing
        FROM counted c
        LEFT JOIN (
            SELECT campaign, version, vehicle_id, sum(n) AS n FROM cloud GROUP BY campaign, version, vehicle_id
        ) k USING (campaign, version, vehicle_id)
        WHERE CAST(:campaign AS text) IS NULL OR c.campaign = :campaign
    ),
    totals AS (
        SELECT campaign, version, sum(watermark) AS fired, sum(suppressed) AS suppressed,
            sum(sampled_out) AS sampled_out, sum(armed_ns) AS armed_ns, sum(distance_m) AS distance_m
        FROM by_vehicle GROUP BY campaign, version
    ),
    numbers (campaign, version, kind, name, n) AS (
        SELECT campaign, version, v.kind, '', v.n
        FROM totals, LATERAL (VALUES ('fired', fired), ('suppressed', suppressed), ('sampled_out', sampled_out),
            ('armed_ns', armed_ns), ('distance_m', distance_m)) AS v (kind, n)
        UNION ALL SELECT campaign, version, 'refused', e.key, e.value::numeric
            FROM by_vehicle, jsonb_each_text(refused) e
        UNION ALL SELECT campaign, version, 'dropped', e.key, e.value::numeric
            FROM by_vehicle, jsonb_each_text(dropped) e
        UNION ALL SELECT campaign, version, 'failed', e.key, e.value::numeric
            FROM by_vehicle, jsonb_each_text(failed) e
        UNION ALL SELECT campaign, version, 'per_trigger', e.key, e.value::numeric
            FROM by_vehicle, jsonb_each_text(per_trigger) e
        UNION ALL SELECT campaign, version, outcome, reason, n FROM cloud
        UNION ALL SELECT campaign, version, without_clip, '', n FROM cloud WHERE without_clip IS NOT NULL
    )
    SELECT campaign, version, kind, name, sum(n) AS n, CAST(NULL AS bytea) AS manifest
    FROM numbers GROUP BY campaign, version, kind, name
    UNION ALL
    SELECT campaign, version, 'overruled', jsonb_build_object(
        'dropped', dropped, 'failed', failed, 'refused', refused, 'sampled_out', jsonb_build_object('', sampled_out)
    )::text, overruled, NULL
    FROM by_vehicle WHERE overruled > 0
    UNION ALL
    SELECT campaign, version, 'missing', jsonb_build_array(vehicle_id, watermark)::text, missing, NULL
    FROM by_vehicle WHERE missing > 0
    UNION ALL
    SELECT NULL, NULL, 'received', u.vehicle_id, NULL, u.manifest
    FROM (
        SELECT vehicle_id, manifest FROM uploads
        WHERE state = 'received' AND vehicle_id IN (SELECT vehicle_id FROM by_vehicle WHERE missing > 0)
        LIMIT :manifests
    ) u
""")
"""One statement, so that all counts are of the same moment, whatever is reported or catalogued in the meantime."""

_TAKEN_BACK = ("dropped", "failed", "refused", "sampled_out")
"""The order in which a vehicle's outcomes are taken back: giving up a clip that has arrived is most likely."""


@dataclass
class OutcomeCounts:
    """Counts of fires of one campaign version over all vehicles, up to the watermark that each has reported.

    `fired == sampled_out + sum(refused) + sum(dropped) + sum(failed) + catalogued + in_flight`; rises that a
    cooldown suppressed are not fires. Refused, dropped and failed are by reason.
    """

    fired: int = 0
    suppressed: int = 0
    sampled_out: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    catalogued: int = 0
    expired: int = 0
    """Of those catalogued, how many are in no clip any more because the last one expired."""
    erased: int = 0
    """Of those catalogued, how many are in no clip any more because a user erased the last one, or its vehicle."""
    in_flight: int = 0
    unaccounted: int = 0
    """Of those in flight, how many were handed over to the cloud and are nowhere in it: at least that many are lost."""
    overruled: int = 0
    """Fires that a vehicle counted as lost although the cloud has them; the cloud's outcome counts."""
    per_trigger: dict[str, int] = field(default_factory=dict)
    armed_ns: int = 0
    distance_m: int = 0


def outcomes(connection: Connection, campaign: str | None = None) -> dict[tuple[str, int], OutcomeCounts]:
    """Outcomes by (campaign, version), of one or all campaigns; versions without any report are left out."""
    sums: dict[tuple[str, int], Counter[tuple[str, str]]] = {}
    handovers = Handovers()
    for row in connection.execute(_COUNT, {"campaign": campaign, "manifests": MAX_MANIFESTS}):
        if row.kind == "received":
            handovers.add_received(row.name, bytes(row.manifest))
            continue
        if row.kind == "missing":
            vehicle_id, watermark = json.loads(row.name)
            handovers.add_missing(row.campaign, row.version, vehicle_id, watermark=int(watermark), fires=int(row.n))
            continue
        counts = sums.setdefault((row.campaign, row.version), Counter())
        if row.kind == "overruled":
            counts["overruled", ""] += int(row.n)
            counts.subtract(_taken_back(json.loads(row.name), int(row.n)))
        else:
            counts[row.kind, row.name] += int(row.n)
    lost = handovers.unaccounted()
    return {key: _settled(counts, lost.get(key, 0)) for key, counts in sorted(sums.items())}


def _taken_back(vehicle: Mapping[str, Mapping[str, int]], overruled: int) -> dict[tuple[str, str], int]:
    """Which of one vehicle's outcomes are taken back, `overruled` in all: the most frequent reasons first."""
    withdrawn = {}
    for kind in _TAKEN_BACK:
        for reason, count in sorted(vehicle[kind].items(), key=lambda item: (-item[1], item[0])):
            withdrawn[kind, reason] = min(count, overruled)
            overruled -= withdrawn[kind, reason]
    return withdrawn


def _settled(counts: Counter[tuple[str, str]], unaccounted: int) -> OutcomeCounts:
    def by_reason(kind: str) -> dict[str, int]:
        return {name: n for (counted, name), n in sorted(counts.items()) if counted == kind and n > 0}

    result = OutcomeCounts(
        fired=counts["fired", ""],
        suppressed=counts["suppressed", ""],
        sampled_out=counts["sampled_out", ""],
        refused=by_reason("refused"),
        dropped=by_reason("dropped"),
        failed=by_reason("failed"),
        catalogued=counts["catalogued", ""],
        expired=counts["expired", ""],
        erased=counts["erased", ""],
        unaccounted=unaccounted,
        overruled=counts["overruled", ""],
        per_trigger=by_reason("per_trigger"),
        armed_ns=counts["armed_ns", ""],
        distance_m=counts["distance_m", ""],
    )
    ended = sum(sum(reasons.values()) for reasons in (result.refused, result.dropped, result.failed))
    result.in_flight = result.fired - result.sampled_out - result.catalogued - ended
    return result
