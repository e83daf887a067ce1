"""Skewed catalogs, made by a seed in SQL: clips of two years, with fires, labels, tracks, and six statistics each.

Half of what there is belongs to few vehicles, triggers and cities. `old` things are common, but ended long ago; `rare`
ones belong to a hundred clips, scattered over the years; `nobody`'s belong to none.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

from storage.clips.properties import days, known_values, terms
from storage.database import Database

SEED = 20261128
RARE = 100
INDEXED = ("ego.speed", "ego.accel", "lead.distance", "ego.steering", "ego.yaw_rate")
UNINDEXED = "ego.jerk"
FIRST_NS = 1_735_689_600_000_000_000  # 2025-01-01
SPAN_NS = 2 * 365 * 86_400 * 10**9
_TABLES = ("clips", "clip_fires", "fires", "signal_statistics", "labels")

_FUNCTIONS = f"""
CREATE FUNCTION pg_temp.u(i bigint, salt bigint) RETURNS double precision IMMUTABLE PARALLEL SAFE
LANGUAGE sql RETURN (hashint8extended(i, {SEED} + salt) & 2147483647)::double precision / 2147483648.0;
CREATE FUNCTION pg_temp.skewed(i bigint, salt bigint, n integer) RETURNS integer IMMUTABLE PARALLEL SAFE
LANGUAGE sql RETURN floor(n * (((hashint8extended(i, {SEED} + salt) & 2147483647)::double precision / 2147483648.0)^3));
"""
# One row for each clip: everything else is derived from it.
_SEEDS = """
CREATE TEMPORARY TABLE seeds AS
SELECT i, md5(i::text || 'clip') AS id, i % CAST(:step AS bigint) = 0 AS rare, i < :n * 0.3 AS old,
    CASE WHEN i % CAST(:step AS bigint) = 0 THEN 'car-rare' ELSE 'car-' || pg_temp.skewed(i, 1, 500) END AS vehicle_id,
    :first + CAST(:span * (i::double precision / :n) AS bigint) + CAST(pg_temp.u(i, 2) * 3600e9 AS bigint) AS start_ns,
    CAST((5 + 25 * pg_temp.u(i, 3)) * 1e9 AS bigint) AS duration_ns,
    CASE WHEN i % CAST(:step AS bigint) = 0 THEN 'rare' WHEN i < :n * 0.3 THEN 'old'
        ELSE 't' || pg_temp.skewed(i, 4, 40) END AS trigger,
    pg_temp.skewed(i, 5, 50) AS city
FROM generate_series(0, :n - 1) AS s (i)
"""
_VEHICLES = """
INSERT INTO vehicles (id, token_hash, token_expires_at)
SELECT DISTINCT vehicle_id, decode(md5(vehicle_id), 'hex'), now() FROM seeds
"""
_CLIPS = """
INSERT INTO clips (
    id, upload_id, vehicle_id, recording_id, state, start_ns, end_ns, size_bytes, digest, object_key, manifest,
    attributes, software, tags, fired, damage, stored_at, ready_at, expires_at, extractor_version,
    track, min_latitude, max_latitude, min_longitude, max_longitude
)
SELECT id, id, vehicle_id, 'rec-' || i, CASE WHEN pg_temp.u(i, 6) < 0.0001 THEN 'damaged' ELSE 'ready' END,
    start_ns, start_ns + duration_ns, CAST(1e6 * (1 + 30 * pg_temp.u(i, 7)^4) AS bigint), md5(id) || md5(id || 'x'),
    'clips/' || id || '.mcap', '{}',
    jsonb_build_object('model', CASE WHEN rare THEN 'rare' WHEN old THEN 'old'
            ELSE 'm' || pg_temp.skewed(i, 8, 12) END,
        'region', (ARRAY['EU', 'US', 'JP'])[1 + pg_temp.skewed(i, 9, 3)], 'hardware', 1 + pg_temp.skewed(i, 10, 5),
        'towing', pg_temp.u(i, 11) < 0.1),
    '{}',
    array_remove(ARRAY[CASE WHEN pg_temp.u(i, 12) < 0.6 THEN 'highway' END,
        CASE WHEN pg_temp.u(i, 13) < 0.3 THEN 'night' END, CASE WHEN pg_temp.u(i, 14) < 0.01 THEN 'rain' END,
        CASE WHEN rare THEN 'rare' END], NULL),
    ARRAY['both c-' || trigger || ' ' || trigger, 'campaign c-' || trigger, 'trigger ' || trigger],
    CASE WHEN pg_temp.u(i, 6) < 0.0001 THEN 'no_footage: the clip has no video' END,
    to_timestamp(start_ns / 1e9 + 60), to_timestamp(start_ns / 1e9 + 90),
    CASE WHEN pg_temp.u(i, 15) < 0.5 THEN to_timestamp(start_ns / 1e9 + 86400 * 400) END, 1,
    CASE WHEN lat IS NOT NULL THEN (
        SELECT jsonb_agg(jsonb_build_array(lat + side * at, lon + side * at * at) ORDER BY at)
        FROM unnest(ARRAY[0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1]::double precision[]) AS along (at)
    ) END,
    lat, lat + side, lon, lon + side
FROM seeds, LATERAL (
    SELECT CASE WHEN pg_temp.u(i, 16) < 0.9
            THEN 36 + pg_temp.u(city, 17) * 20 + (pg_temp.u(i, 18) - 0.5) * 0.4 END AS lat,
        -10 + pg_temp.u(city, 19) * 40 + (pg_temp.u(i, 20) - 0.5) * 0.6 AS lon,
        0.001 + 0.02 * pg_temp.u(i, 21) AS side
) AS place
ORDER BY i
"""
_FIRES = """
INSERT INTO fires (
    campaign, version, vehicle_id, ordinal, trigger, program_digest, t_ns, inclusion_probability, outcome
)
SELECT 'c-' || trigger, 1, vehicle_id, i, trigger, md5(trigger) || md5(trigger), start_ns + duration_ns / 2,
    0.01 + 0.99 * pg_temp.u(i, 22), 'catalogued' FROM seeds
"""
_LINKS = """
INSERT INTO clip_fires (
    clip_id, campaign, version, vehicle_id, ordinal, window_start_ns, window_end_ns, charged_bytes,
    trigger, program_digest, t_ns, inclusion_probability, recorded_ns
)
SELECT s.id, 'c-' || trigger, 1, vehicle_id, i, start_ns, start_ns + duration_ns, 1000,
    trigger, md5(trigger) || md5(trigger), start_ns + duration_ns / 2, 0.01 + 0.99 * pg_temp.u(i, 22), start_ns
FROM seeds s
"""
_STATISTICS = """
INSERT INTO signal_statistics (clip_id, signal, samples, minimum, maximum, mean, unit, indexed)
SELECT id, signal, 100 + CAST(200 * pg_temp.u(i, 100 + n) AS integer), 40 * v * v - 5, 40 * v + 5, 40 * v * v, 'm/s',
    signal <> 'ego.jerk'
FROM seeds, unnest(CAST(:signals AS text[])) WITH ORDINALITY AS s (signal, n),
    LATERAL (SELECT pg_temp.u(i, 200 + n) AS v) AS x
"""
_LABELS = """
INSERT INTO labels (job_id, clip_id, labeler, types, openlabel, provenance)
SELECT i, id, 'ann/auto-' || pg_temp.skewed(i, 30, 3),
    array_remove(ARRAY['car', CASE WHEN rare THEN 'rare' END, CASE WHEN pg_temp.u(i, 31) < 0.3 THEN 'truck' END], NULL),
    '{}', '{}'
FROM seeds WHERE rare OR pg_temp.u(i, 32) < 0.2
"""


def make(database: Database, clips: int) -> dict[str, float]:
    """Fill an empty migrated database with so many clips; returns how long writing and indexing took, in seconds."""
    started_s = time.perf_counter()
    with database.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # uploads and versions are left out
        connection.execute(text("SET LOCAL maintenance_work_mem = '1GB'"))
        connection.execute(text("SET LOCAL work_mem = '256MB'"))
        connection.execute(text(_FUNCTIONS))
        span = {"n": clips, "first": FIRST_NS, "span": SPAN_NS, "step": max(clips // RARE, 1)}
        connection.execute(text(_SEEDS), span)
        with _without_indexes(connection):
            for statement in (_VEHICLES, _CLIPS, _FIRES, _LINKS, _LABELS):
                connection.execute(text(statement))
            connection.execute(text(_STATISTICS), {"signals": [*INDEXED, UNINDEXED]})
            written_s = time.perf_counter()
        _names(connection)
        connection.execute(text("DROP TABLE seeds"))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (ANALYZE)"))
    return {"written_s": written_s - started_s, "indexed_s": time.perf_counter() - written_s}


def _names(connection: Connection) -> None:
    """What the write path keeps beside clips: names, units, and which signals are indexed."""
    terms.note_all(connection)
    days.note_all(connection)
    known_values.note_all(connection)
    connection.execute(text("INSERT INTO known_attributes VALUES ('model'), ('region'), ('hardware'), ('towing')"))
    for signal in (*INDEXED, UNINDEXED):
        row = {"signal": signal}
        connection.execute(text("INSERT INTO signal_units VALUES (:signal, 'm/s', '1,-1', 1, 0)"), row)
    for signal in INDEXED:
        connection.execute(text("INSERT INTO indexed_signals VALUES (:signal, true)"), {"signal": signal})


@contextmanager
def _without_indexes(connection: Connection) -> Iterator[None]:
    """Drop what indexes there are but those of constraints, and make them again after the block."""
    found = connection.execute(
        text("""
            SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
            FROM pg_index WHERE indrelid::regclass::text = ANY (:tables)
            AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
        """),
        {"tables": list(_TABLES)},
    ).all()
    for row in found:
        connection.execute(text(f"DROP INDEX {row.name}"))
    yield
    for row in found:
        connection.exec_driver_sql(row.definition)


def place_with(connection: Connection, clips: int) -> dict[str, float]:
    """The smallest of boxes that double in size around the middle clip's place in which there are so many clips."""
    middle = text("""
        SELECT min_longitude AS x, min_latitude AS y FROM clips
        WHERE min_latitude IS NOT NULL AND start_ns >= :start ORDER BY start_ns LIMIT 1
    """)
    row = connection.execute(middle, {"start": FIRST_NS + SPAN_NS // 2}).one()
    count = text("""
        SELECT count(*) FROM clips WHERE min_longitude <= :east AND max_longitude >= :west
        AND min_latitude <= :north AND max_latitude >= :south
    """)
    half = 0.0001
    while True:
        box = {"west": row.x - half, "east": row.x + half, "south": row.y - half, "north": row.y + half}
        if connection.execute(count, box).scalar_one() >= clips:
            return box
        half *= 1.4
