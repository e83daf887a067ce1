"""Latencies of clips: percentiles of the time from the first fire to each stage, by campaign and network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from storage.statements.time_limit import time_limit
from storage.tables.clips import STORED_NS
from triggers.contracts.api.watching.history import QUANTILES
from triggers.times import NS_PER_S

CAP = 50_000
"""Clips that are looked at: the newest that were stored."""
LATENCY_S = 15.0

_LATENCY = text(f"""
    WITH recent AS (
        SELECT c.id, c.stored_at, c.ready_at, (SELECT network FROM uploads u WHERE u.id = c.upload_id) AS network
        FROM clips c
        WHERE c.recorded_ns = c.start_ns
          AND {STORED_NS} >= :since_ns
          AND (CAST(:campaign AS text) IS NULL
              OR EXISTS (SELECT FROM clip_fires f WHERE f.clip_id = c.id AND f.campaign = :campaign))
        ORDER BY {STORED_NS} DESC, c.id DESC
        LIMIT :cap
    ),
    timed AS (
        SELECT f.campaign, r.network, r.id,
            greatest(0, extract(epoch FROM r.stored_at) - f.t_ns / 1000000000.0)::float AS stored_s,
            CASE WHEN r.ready_at IS NOT NULL
                THEN greatest(0, extract(epoch FROM r.ready_at) - f.t_ns / 1000000000.0)::float END AS ready_s,
            CASE WHEN l.at IS NOT NULL
                THEN greatest(0, extract(epoch FROM l.at) - f.t_ns / 1000000000.0)::float END AS labelled_s
        FROM recent r
        CROSS JOIN LATERAL (
            SELECT campaign, min(t_ns) AS t_ns FROM clip_fires
            WHERE clip_id = r.id AND (CAST(:campaign AS text) IS NULL OR campaign = :campaign) GROUP BY campaign
        ) f
        LEFT JOIN LATERAL (SELECT min(created_at) AS at FROM labels WHERE clip_id = r.id) l ON true
    )
    SELECT campaign, network, count(*) AS clips, count(labelled_s) AS labelled_clips,
        percentile_cont(CAST(:quantiles AS float[])) WITHIN GROUP (ORDER BY stored_s) AS stored,
        percentile_cont(CAST(:quantiles AS float[])) WITHIN GROUP (ORDER BY ready_s) AS ready,
        percentile_cont(CAST(:quantiles AS float[])) WITHIN GROUP (ORDER BY labelled_s) AS labelled,
        (SELECT count(*) FROM recent) AS looked_at
    FROM timed GROUP BY campaign, network ORDER BY campaign, network
""")  # noqa: S608 - put together from constants


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds at QUANTILES from the first fire to each stage; None where no clip has come so far."""

    campaign: str
    network: str
    clips: int
    labelled_clips: int
    stored: Sequence[float | None]
    ready: Sequence[float | None]
    labelled: Sequence[float | None]


def latencies(
    connection: Connection, *, since: datetime, campaign: str | None = None, cap: int = CAP
) -> tuple[list[Latency], bool]:
    """Of the clips stored since then, and whether more than `cap` were, so that only the newest of them are counted.

    Clips whose vehicle's clock cannot have been right are left out; a fire that is ahead of the cloud's clock took 0 s.
    Overloaded when it takes longer than LATENCY_S.
    """
    parameters = {
        "since_ns": round(since.timestamp() * NS_PER_S),
        "cap": cap + 1,
        "campaign": campaign,
        "quantiles": list(QUANTILES),
    }
    with time_limit(connection, LATENCY_S, what="the latencies", remedy="ask for a shorter time, or one campaign"):
        rows = connection.execute(_LATENCY, parameters).all()
    found = [Latency(row.campaign, row.network, row.clips, row.labelled_clips, *map(_three, row[4:7])) for row in rows]
    return found, bool(rows) and rows[0].looked_at > cap


def _three(values: Sequence[float | None] | None) -> Sequence[float | None]:
    return values if values is not None else [None] * len(QUANTILES)
