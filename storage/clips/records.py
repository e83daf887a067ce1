"""Clips and their fires as values read from the tables, shared by lists and details."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from storage.rows import columns_of, is_among
from storage.tables import clip_fires, clips, labels

Box = tuple[float, float, float, float]
"""West, south, east and north in degrees."""


@dataclass(frozen=True, slots=True)
class FireRecord:
    """A fire as a clip shows it, with its window within the clip; times in ns since 1970, by the vehicle's clock."""

    campaign: str
    version: int
    trigger: str
    ordinal: int
    t_ns: int
    window_start_ns: int
    window_end_ns: int
    inclusion_probability: float
    charged_bytes: int
    program_digest: str


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip in a list, with its fires in chronological order and the types that its labels name."""

    id: str
    vehicle_id: str
    recording_id: str
    state: str
    start_ns: int
    end_ns: int
    size_bytes: int
    digest: str
    object_key: str
    attributes: dict[str, Any]
    tags: list[str]
    min_longitude: float | None
    min_latitude: float | None
    max_longitude: float | None
    max_latitude: float | None
    place_cell: str | None
    damage: str | None
    stored_at: datetime
    ready_at: datetime | None
    expires_at: datetime | None
    duplicate_of: str | None
    fires: tuple[FireRecord, ...]
    labels: tuple[str, ...]

    @property
    def box(self) -> Box | None:
        """The box around the clip's track, None without a position."""
        west, south, east, north = self.min_longitude, self.min_latitude, self.max_longitude, self.max_latitude
        if west is None or south is None or east is None or north is None:
            return None
        return west, south, east, north


CLIP_COLUMNS = columns_of(Clip, clips, without=("fires", "labels"))
_FIRE_COLUMNS = columns_of(FireRecord, clip_fires)


def clips_of(connection: Connection, rows: Sequence[Sequence[Any]]) -> list[Clip]:
    """The clips of rows that begin with CLIP_COLUMNS, in the order of the rows."""
    clip_ids = [row[0] for row in rows]
    of_fires, of_labels = _fires(connection, clip_ids), _label_types(connection, clip_ids)
    read = []
    for clip_id, row in zip(clip_ids, rows, strict=True):
        values = (*row[: len(CLIP_COLUMNS)], of_fires.get(clip_id, ()), of_labels.get(clip_id, ()))
        read.append(Clip(*values))
    return read


def _fires(connection: Connection, clip_ids: Sequence[str]) -> dict[str, tuple[FireRecord, ...]]:
    """The fires of clips, by clip, in chronological order."""
    order = (clip_fires.c.t_ns, clip_fires.c.campaign, clip_fires.c.version, clip_fires.c.ordinal)
    rows = connection.execute(
        select(clip_fires.c.clip_id, *_FIRE_COLUMNS).where(is_among(clip_fires.c.clip_id, clip_ids)).order_by(*order)
    )
    by_clip: dict[str, list[FireRecord]] = {}
    for clip_id, *values in rows:
        by_clip.setdefault(clip_id, []).append(FireRecord(*values))
    return {clip_id: tuple(records) for clip_id, records in by_clip.items()}


def _label_types(connection: Connection, clip_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The types that the labels of clips name, by clip, sorted."""
    rows = connection.execute(select(labels.c.clip_id, labels.c.types).where(is_among(labels.c.clip_id, clip_ids)))
    by_clip: dict[str, set[str]] = {}
    for clip_id, types in rows:
        by_clip.setdefault(clip_id, set()).update(types)
    return {clip_id: tuple(sorted(names)) for clip_id, names in by_clip.items()}
