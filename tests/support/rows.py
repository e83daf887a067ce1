"""Rows without the way that leads to them: a test names the columns it is about, the others have a plain value."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, insert

from storage.tables import clip_assets, clip_fires, clips, fires, labels, signal_statistics, uploads
from tests.support.fleet import PROGRAM_DIGEST, T_NS, TRIGGER

_numbers = itertools.count(1)


def add_row(connection: Connection, table: Table, **columns: Any) -> dict[str, Any]:
    """Write a row; returns the columns that it was written with. What it refers to must exist."""
    values = {**_plain(table, next(_numbers)), **columns}
    connection.execute(insert(table).values(values))
    return values


def _plain(table: Table, number: int) -> dict[str, Any]:
    identity = f"{number:032x}"
    fire = {"campaign": "braking", "version": 1, "vehicle_id": "car-1", "ordinal": number}
    plain: dict[Table, dict[str, Any]] = {
        uploads: {
            "id": identity,
            "clip_id": identity,
            "vehicle_id": "car-1",
            "manifest": b"{}",
            "size_bytes": 1000,
            "state": "open",
            "log_partition": 0,
            "network": "wifi",
            "expires_at": datetime.now(UTC) + timedelta(days=1),
        },
        clips: {
            "id": identity,
            "upload_id": identity,
            "vehicle_id": "car-1",
            "recording_id": f"rec-{number}",
            "state": "ready",
            "start_ns": T_NS,
            "end_ns": T_NS,
            "size_bytes": 1000,
            "digest": f"{number:064x}",
            "object_key": f"clips/{identity}.mcap",
            "manifest": {},
            "attributes": {},
            "software": {},
        },
        fires: {
            **fire,
            "trigger": TRIGGER,
            "program_digest": PROGRAM_DIGEST,
            "t_ns": T_NS,
            "inclusion_probability": 1.0,
            "outcome": "catalogued",
        },
        clip_fires: {
            **fire,
            "window_start_ns": T_NS,
            "window_end_ns": T_NS,
            "charged_bytes": 1,
            "trigger": TRIGGER,
            "program_digest": PROGRAM_DIGEST,
            "t_ns": T_NS,
            "inclusion_probability": 1.0,
            "recorded_ns": T_NS,
        },
        signal_statistics: {"signal": "speed", "samples": 5},
        clip_assets: {
            "name": "signals.parquet",
            "object_key": f"extracted/{identity}/signals.parquet",
            "media_type": "application/vnd.apache.parquet",
            "size_bytes": 7,
            "extractor_version": 1,
        },
        labels: {"labeler": "x", "openlabel": {}, "provenance": {}},
    }
    return plain[table]
