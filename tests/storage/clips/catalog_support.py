"""Clips in the catalog without the way there: rows as the assembler and extraction write them."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from storage.tables import campaign_versions, clip_fires, clips, fires, signal_statistics, uploads, vehicles
from tests.support.fleet import PROGRAM_DIGEST, add_version, enroll_vehicle

T_NS = int(datetime(2026, 1, 5, 12, tzinfo=UTC).timestamp()) * 10**9
SECOND_NS = 10**9
_numbers = itertools.count(1)

OPENLABEL: dict[str, Any] = {
    "openlabel": {
        "metadata": {"schema_version": "1.0.0"},
        "objects": {"0": {"name": "a", "type": "car"}, "1": {"name": "b", "type": "car"}},
        "events": {"0": {"name": "c", "type": "braking"}},
    }
}
"""Labels with the types braking and car."""


def add_clip(
    connection: Connection,
    *,
    vehicle_id: str = "car-1",
    start_ns: int = T_NS,
    duration_s: float = 10,
    fired: Sequence[tuple[str, str]] = (),
    statistics: Mapping[str, tuple[float | None, float | None, float | None]] | None = None,
    box: tuple[float, float, float, float] | None = None,
    **columns: Any,
) -> str:
    """A clip with fires of (campaign, trigger), statistics by signal (min, max, mean), box west/south/east/north."""
    number = next(_numbers)
    clip_id = hashlib.blake2b(str(number).encode(), digest_size=16).hexdigest()
    _ensure_vehicle(connection, vehicle_id)
    end_ns = start_ns + int(duration_s * SECOND_NS)
    size_bytes = columns.pop("size_bytes", 1000)
    connection.execute(
        insert(uploads).values(
            id=clip_id,
            clip_id=clip_id,
            vehicle_id=vehicle_id,
            manifest=b"{}",
            size_bytes=size_bytes,
            state="stored",
            offset_bytes=size_bytes,
            log_partition=0,
            network="wifi",
            expires_at=datetime.now(UTC),
        )
    )
    west, south, east, north = box or (None, None, None, None)
    values = {
        "id": clip_id,
        "upload_id": clip_id,
        "vehicle_id": vehicle_id,
        "recording_id": f"rec-{number}",
        "state": "ready",
        "start_ns": start_ns,
        "end_ns": end_ns,
        "size_bytes": size_bytes,
        "digest": f"{number:064x}",
        "object_key": f"clips/{clip_id}.mcap",
        "manifest": {},
        "attributes": {},
        "software": {},
        "min_longitude": west,
        "min_latitude": south,
        "max_longitude": east,
        "max_latitude": north,
    }
    connection.execute(insert(clips).values(**{**values, **columns}))
    for campaign, trigger in fired:
        _add_fire(connection, clip_id, vehicle_id, campaign, trigger, start_ns, end_ns)
    for signal, (low, high, mean) in (statistics or {}).items():
        connection.execute(
            insert(signal_statistics).values(
                clip_id=clip_id, signal=signal, samples=5, minimum=low, maximum=high, mean=mean
            )
        )
    return clip_id


def _ensure_vehicle(connection: Connection, vehicle_id: str) -> None:
    if connection.execute(select(vehicles.c.id).where(vehicles.c.id == vehicle_id)).one_or_none() is None:
        enroll_vehicle(connection, vehicle_id)


def _add_fire(
    connection: Connection, clip_id: str, vehicle_id: str, campaign: str, trigger: str, start_ns: int, end_ns: int
) -> None:
    known = select(campaign_versions.c.campaign).where(campaign_versions.c.campaign == campaign)
    if connection.execute(known).one_or_none() is None:
        add_version(connection, campaign)
    identity = {"campaign": campaign, "version": 1, "vehicle_id": vehicle_id, "ordinal": next(_numbers)}
    connection.execute(
        insert(fires).values(
            **identity,
            trigger=trigger,
            program_digest=PROGRAM_DIGEST,
            t_ns=start_ns,
            inclusion_probability=1.0,
            outcome="catalogued",
        )
    )
    connection.execute(
        insert(clip_fires).values(
            **identity, clip_id=clip_id, window_start_ns=start_ns, window_end_ns=end_ns, charged_bytes=1
        )
    )
