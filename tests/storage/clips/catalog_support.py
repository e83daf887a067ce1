"""Clips in the catalog, as the assembler and extraction write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from storage.clips.properties import days, known_names, known_values, terms
from storage.clips.properties.place_cells import cell_of
from storage.tables import (
    campaign_versions,
    clip_fires,
    clips,
    fires,
    indexed_signals,
    label_jobs,
    labels,
    signal_statistics,
    uploads,
    vehicles,
)
from storage.tables.clips import fired_terms
from tests.support.fleet import add_version, enroll_vehicle
from tests.support.rows import add_row

T_NS = int(datetime(2026, 1, 5, 12, tzinfo=UTC).timestamp()) * 10**9
SECOND_NS = 10**9

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
    units: Mapping[str, str] | None = None,
    box: tuple[float, float, float, float] | None = None,
    **columns: Any,
) -> str:
    """A clip with fires of (campaign, trigger), statistics by signal (min, max, mean) and their units.

    `box` is west, south, east, north; unless `track` says otherwise, the clip goes from its south-west to its
    north-east.
    """
    _ensure_vehicle(connection, vehicle_id)
    end_ns = start_ns + int(duration_s * SECOND_NS)
    upload = add_row(connection, uploads, vehicle_id=vehicle_id, state="stored")
    west, south, east, north = box or (None, None, None, None)
    if box is not None:
        columns.setdefault("track", [[south, west], [north, east]])
        columns.setdefault("place_cell", cell_of(columns["track"]))
    span = {"start_ns": start_ns, "end_ns": end_ns}
    corners = {"min_longitude": west, "min_latitude": south, "max_longitude": east, "max_latitude": north}
    clip_id = str(upload["id"])
    identity = {"id": clip_id, "upload_id": clip_id, "vehicle_id": vehicle_id, "object_key": f"clips/{clip_id}.mcap"}
    words = [word for campaign, trigger in fired for word in fired_terms(campaign, trigger)]
    row = add_row(connection, clips, **{**identity, **span, **corners, "fired": words, **columns})
    known_names.add_attributes(connection, row["attributes"])
    terms.note(connection, [clip_id])
    days.note(connection, [clip_id])
    known_values.note(connection, [clip_id])
    for campaign, trigger in fired:
        _add_fire(connection, clip_id, vehicle_id, campaign, trigger, start_ns, end_ns)
    for signal, (low, high, mean) in (statistics or {}).items():
        row = {"clip_id": clip_id, "signal": signal, "minimum": low, "maximum": high, "mean": mean}
        indexed = select(indexed_signals.c.signal).where(indexed_signals.c.signal == signal).exists()
        flag = connection.execute(select(indexed)).scalar_one()
        add_row(connection, signal_statistics, **row, unit=(units or {}).get(signal), indexed=flag)
        known_names.add_units(connection, [(signal, (units or {}).get(signal))])
    return clip_id


def add_labels(connection: Connection, clip_id: str, *types: str) -> None:
    """Labels of a clip that name these types."""
    job = insert(label_jobs).values(clip_id=clip_id, task="auto").returning(label_jobs.c.id)
    add_row(connection, labels, clip_id=clip_id, job_id=connection.execute(job).scalar_one(), types=list(types))


def _ensure_vehicle(connection: Connection, vehicle_id: str) -> None:
    if connection.execute(select(vehicles.c.id).where(vehicles.c.id == vehicle_id)).one_or_none() is None:
        enroll_vehicle(connection, vehicle_id)


def _add_fire(
    connection: Connection, clip_id: str, vehicle_id: str, campaign: str, trigger: str, start_ns: int, end_ns: int
) -> None:
    known = select(campaign_versions.c.campaign).where(campaign_versions.c.campaign == campaign)
    if connection.execute(known).one_or_none() is None:
        add_version(connection, campaign)
    fire = add_row(connection, fires, campaign=campaign, vehicle_id=vehicle_id, trigger=trigger, t_ns=start_ns)
    repeated = {name: value for name, value in fire.items() if name in clip_fires.c}
    recorded_ns = connection.execute(select(clips.c.recorded_ns).where(clips.c.id == clip_id)).scalar_one()
    window = {"window_start_ns": start_ns, "window_end_ns": end_ns, "recorded_ns": recorded_ns}
    add_row(connection, clip_fires, **repeated, clip_id=clip_id, **window)
