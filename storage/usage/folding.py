"""Folding of usage: increments are carried into the sums by hour and by day, and old hours are deleted."""

from __future__ import annotations

from sqlalchemy import Connection, text

from storage.tables.usage.sums import DIMENSIONS, MEASURES

BATCH = 10_000
HOURS_DAYS = 400
"""Sums by hour are kept for so many days, 13 months and a little; sums by day are kept."""
_FOLDING = 0x75736167
"""The advisory lock of whoever folds: two at once would only wait for each other's sums."""

_D = ", ".join(DIMENSIONS)
_SAME = " AND ".join(f"s.{name} = i.{name}" for name in DIMENSIONS)
_SUMS = ", ".join(f"sum({name}) AS {name}" for name in MEASURES)
_M = ", ".join(MEASURES)


def _added(table: str) -> str:
    return ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in MEASURES)


_LOCK = text("SELECT pg_try_advisory_xact_lock(:key)")
_CHOOSE = text("SELECT id FROM usage_increments ORDER BY id LIMIT :limit")
_BEGIN_SERIES = text(f"""
    INSERT INTO usage_series ({_D})
    SELECT DISTINCT {_D} FROM usage_increments i
    WHERE i.id = ANY (CAST(:ids AS bigint[])) AND NOT EXISTS (SELECT FROM usage_series s WHERE {_SAME})
    ORDER BY {_D}
""")  # noqa: S608 - put together from the constants above
_FOLD = text(f"""
    WITH taken AS (
        DELETE FROM usage_increments WHERE id = ANY (CAST(:ids AS bigint[])) RETURNING *
    ),
    by_hour AS (
        SELECT s.id AS series_id, i.hour, {", ".join(f"sum(i.{name}) AS {name}" for name in MEASURES)}
        FROM taken i JOIN usage_series s ON {_SAME}
        GROUP BY s.id, i.hour
    ),
    hours AS (
        INSERT INTO usage_hours (series_id, hour, {_M}) SELECT series_id, hour, {_M} FROM by_hour
        ON CONFLICT (series_id, hour) DO UPDATE SET {_added("usage_hours")}
    )
    INSERT INTO usage_days (series_id, day, {_M})
    SELECT series_id, date_trunc('day', hour, 'UTC') AS day, {_SUMS} FROM by_hour GROUP BY 1, 2
    ON CONFLICT (series_id, day) DO UPDATE SET {_added("usage_days")}
""")  # noqa: S608 - put together from the constants above

OLDEST_HOUR = f"date_trunc('day', now() - interval '{HOURS_DAYS} days', 'UTC')"
"""The first hour whose sums are kept; always the first of a UTC day."""
_FORGET_HOURS = text(f"DELETE FROM usage_hours WHERE hour < {OLDEST_HOUR}")  # noqa: S608 - a constant


def fold(connection: Connection, limit: int = BATCH) -> int:
    """Carry at most `limit` increments into the sums; returns how many. 0: none was left, or another process folds."""
    if not connection.execute(_LOCK, {"key": _FOLDING}).scalar_one():
        return 0
    ids = list(connection.execute(_CHOOSE, {"limit": limit}).scalars())
    if ids:
        connection.execute(_BEGIN_SERIES, {"ids": ids})
        connection.execute(_FOLD, {"ids": ids})
    return len(ids)


def forget_hours(connection: Connection) -> int:
    """Delete the sums of hours that are over for HOURS_DAYS; returns how many. The sums of their days stay."""
    return connection.execute(_FORGET_HOURS).rowcount
