"""Clips as values read from the tables: with their fires and labels for lists and details, or in short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from pydantic_core import from_json
from sqlalchemy import ARRAY, ColumnElement, Connection, Text, any_, bindparam, cast, func, null, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from storage.rows import columns_of
from storage.statements.prepared import Prepared
from storage.tables import clip_fires, clips, labels
from storage.tables.clips import fired_names

Box = tuple[float, float, float, float]
"""West, south, east and north in degrees."""
Track: TypeAlias = Sequence[tuple[float, float]]
"""Latitudes and longitudes in degrees."""


def locked(connection: Connection, clip_ids: Sequence[str]) -> set[str]:
    """Those of the clips that are in the catalog, which stay there until the transaction ends."""
    if not clip_ids:
        return set()
    known = select(clips.c.id).where(clips.c.id.in_(clip_ids)).order_by(clips.c.id)
    return set(connection.execute(known.with_for_update(read=True, key_share=True)).scalars())


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
        return _box(self.min_longitude, self.min_latitude, self.max_longitude, self.max_latitude)


class ClipSummary(NamedTuple):
    """A clip in short, with the names of its fires and no more of them; a tuple, as that is what a row is.

    `label_types` and `track` are JSON texts, see `labels` and `read_track`.
    """

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
    fired: list[str]
    label_types: str | None
    track: str | None

    @property
    def box(self) -> Box | None:
        """The box around the clip's track, None without a position."""
        return _box(self.min_longitude, self.min_latitude, self.max_longitude, self.max_latitude)

    @property
    def fire_names(self) -> tuple[list[str], list[str]]:
        """The campaigns and the triggers of its fires, both sorted."""
        return fired_names(self.fired)

    @property
    def labels(self) -> tuple[str, ...]:
        """The types that its labels name, sorted."""
        return _labels(self.label_types)


def _box(west: float | None, south: float | None, east: float | None, north: float | None) -> Box | None:
    if west is None or south is None or east is None or north is None:
        return None
    return west, south, east, north


CLIP_COLUMNS = columns_of(Clip, clips, without=("fires", "labels"))
_OWN = len(CLIP_COLUMNS)
"""After these columns of a row come those of fires and labels, and then others."""
_FIRE_COLUMNS = columns_of(FireRecord, clip_fires)
_FLOAT = _FIRE_COLUMNS.index(clip_fires.c.inclusion_probability)
_TIME = _FIRE_COLUMNS.index(clip_fires.c.t_ns)
# As the primary key has them, so that PostgreSQL sorts nothing for each clip; `_fires` puts them in order of time.
_IN_ORDER = (clip_fires.c.campaign, clip_fires.c.version, clip_fires.c.vehicle_id, clip_fires.c.ordinal)
# As texts, which are read here: they hold no number that `json_of` would have to look for.
_FIRES = (
    select(cast(func.json_agg(aggregate_order_by(func.json_build_array(*_FIRE_COLUMNS), *_IN_ORDER)), Text))
    .where(clip_fires.c.clip_id == clips.c.id)
    .scalar_subquery()
)
_LABELS = select(cast(func.json_agg(labels.c.types), Text)).where(labels.c.clip_id == clips.c.id).scalar_subquery()
COLUMNS: tuple[ColumnElement[Any], ...] = (*CLIP_COLUMNS, _FIRES, _LABELS)
"""Of `clip_of`."""
_TRACK = cast(clips.c.track, Text)
_PLAIN = tuple(clips.c[name] for name in ClipSummary._fields if name not in ("label_types", "track"))
SUMMARY: tuple[ColumnElement[Any], ...] = (*_PLAIN, _LABELS, _TRACK)
"""The columns of a `ClipSummary`."""
SUMMARY_WITHOUT_TRACK: tuple[ColumnElement[Any], ...] = (*_PLAIN, _LABELS, cast(null(), Text))


@cache
def _reading(more: tuple[ColumnElement[Any], ...]) -> Prepared:
    ids = bindparam("ids", type_=ARRAY(Text))
    return Prepared(select(*COLUMNS, *more).where(clips.c.id == any_(ids)))


def read_clips(
    connection: Connection, clip_ids: Sequence[str], *more: ColumnElement[Any]
) -> dict[str, tuple[Clip, Sequence[Any]]]:
    """The clips with these ids, by id, each with the values of further columns; ids without a clip are left out."""
    rows = _reading(more).rows(connection, ids=list(clip_ids)) if clip_ids else ()
    return {row[0]: (clip_of(row), row[len(COLUMNS) :]) for row in rows}


def clip_of(row: Sequence[Any], at: int = 0) -> Clip:
    """The clip whose COLUMNS are in a row from `at` on."""
    end = at + _OWN
    return Clip(*row[at:end], _fires(row[end]), _labels(row[end + 1]))  # type: ignore[call-arg]  # one for each field


def get_clips(connection: Connection, clip_ids: Sequence[str]) -> dict[str, Clip]:
    """The clips with these ids, by id; ids without a clip are left out."""
    return {clip_id: clip for clip_id, (clip, _) in read_clips(connection, clip_ids).items()}


def read_track(text: str | None) -> Track:
    """The track of a `ClipSummary`; empty without one."""
    return from_json(text) or () if text is not None else ()


def _fires(text: str | None) -> tuple[FireRecord, ...]:
    """Fires in chronological order, and at one time as they are given; JSON has a probability of 1.0 as an integer."""
    rows = from_json(text) if text is not None else []
    for values in rows:
        values[_FLOAT] = float(values[_FLOAT])
    if len(rows) > 1:
        rows.sort(key=itemgetter(_TIME))
    return tuple(FireRecord(*values) for values in rows)


def _labels(text: str | None) -> tuple[str, ...]:
    """The types that labels name, sorted."""
    return tuple(sorted({name for types in from_json(text) for name in types})) if text is not None else ()
