"""Sums of usage by hour and by day, as 90 days of many campaigns leave them: written by SQL, without their clips."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection, text

REGIONS, DAYS = 3, 90
_SERIES = """
    INSERT INTO usage_series (campaign, version, trigger, region, model, network)
    SELECT c, 1, 'brake', 'region_' || r, 'm1', n
    FROM unnest(CAST(:campaigns AS text[])) c, generate_series(1, :regions) r, unnest(CAST(:networks AS text[])) n;
"""
_SUMS = """
    INSERT INTO usage_{table} (series_id, {moment}, clips, campaign_clips, version_clips, trigger_clips, kept_fires,
        clip_bytes, wire_bytes, fires, suppressed, armed_ns, distance_m)
    SELECT id, at, 3, 3, 3, 3, 4, 90000000 + id, 95000000 + id, 40, 7, 3600000000000 * 500, 40000
    FROM usage_series, generate_series(date_trunc('day', now(), 'UTC') - :days * interval '1 day', now(), :step) at
"""


def fill(connection: Connection, campaigns: Sequence[str], networks: Sequence[str]) -> tuple[int, int]:
    """Write the sums of these campaigns; returns how many there are by hour and by day."""
    connection.execute(text(_SERIES), {"campaigns": [*campaigns], "regions": REGIONS, "networks": [*networks]})
    for table, moment in (("hours", "hour"), ("days", "day")):
        step = timedelta(**{table: 1})
        connection.execute(text(_SUMS.format(table=table, moment=moment)), {"days": DAYS, "step": step})
    hours, days = (text(f"SELECT count(*) FROM usage_{table}") for table in ("hours", "days"))
    return connection.execute(hours).scalar_one(), connection.execute(days).scalar_one()
