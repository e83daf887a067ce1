"""The catalog: searching clips by CQL2 with keyset paging, and everything there is of one clip.

A page continues behind the sort key and id of the page before, so that clips that come or go meanwhile neither repeat
nor hide others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.errors import QueryCanceled
from sqlalchemy import BigInteger, ColumnElement, Connection, Row, Text, cast, extract, literal, select, text, tuple_
from sqlalchemy.exc import OperationalError

from storage.clips.cql2 import Language, compile_filter
from storage.clips.page_tokens import fingerprint, opened, token_at
from storage.tables import clip_assets, clip_fires, clips, fires, labels, signal_statistics
from triggers.errors import InvalidInput, NotFound, Overloaded

MAX_PAGE = 1000
SEARCH_TIMEOUT_S = 15
MAX_LABELS = 100

SORT_KEYS: dict[str, ColumnElement[Any]] = {
    "start": clips.c.start_ns,
    "end": clips.c.end_ns,
    "duration_s": clips.c.end_ns - clips.c.start_ns,
    "size_bytes": clips.c.size_bytes,
    "stored_at": cast(extract("epoch", clips.c.stored_at) * 1_000_000, BigInteger),
}
"""What pages can be sorted by; integers all, so that a token can hold them. `-` before the name reverses the order."""
DEFAULT_SORT = "-start"


@dataclass(frozen=True, slots=True)
class FireRecord:
    """A fire as a clip shows it, with its window within the clip."""

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
    """A clip in a list. `box` is west, south, east, north in degrees, None without a position."""

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
    box: tuple[float, float, float, float] | None
    damage: str | None
    stored_at: datetime
    ready_at: datetime | None
    fires: tuple[FireRecord, ...]


@dataclass(frozen=True, slots=True)
class AssetRecord:
    """A file that extraction made of a clip."""

    name: str
    object_key: str
    media_type: str
    size_bytes: int
    extractor_version: int


@dataclass(frozen=True, slots=True)
class StatisticsRecord:
    """A signal's statistics over a clip, in the signal's unit."""

    signal: str
    samples: int
    minimum: float | None
    maximum: float | None
    mean: float | None


@dataclass(frozen=True, slots=True)
class LabelRecord:
    """Labels of a clip."""

    id: int
    job_id: int
    labeler: str
    types: list[str]
    openlabel: dict[str, Any]
    provenance: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ClipDetails:
    """Everything of one clip."""

    clip: Clip
    software: dict[str, str]
    track: Any
    assets: tuple[AssetRecord, ...]
    statistics: tuple[StatisticsRecord, ...]
    labels: tuple[LabelRecord, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Clips, and the token of the next page (None: this was the last)."""

    clips: list[Clip]
    next: str | None


def search(
    connection: Connection,
    *,
    filter_source: str | None = None,
    language: Language = "cql2-text",
    sortby: str = DEFAULT_SORT,
    limit: int = 100,
    token: str | None = None,
) -> Page:
    """The clips for which the filter is true, a page at a time, by `sortby` and then id.

    `limit` above MAX_PAGE counts as that. InvalidInput for a filter, sort key or token that cannot be used,
    Overloaded when the search takes longer than SEARCH_TIMEOUT_S.
    """
    if limit < 1:
        raise InvalidInput(f"limit is {limit}", remedy=f"give 1 to {MAX_PAGE}")
    limit = min(limit, MAX_PAGE)
    key, falling = _sort_key(sortby)
    query = select(*_CLIP_COLUMNS, key.label("sort_key"))
    if filter_source is not None:
        query = query.where(compile_filter(filter_source, language))
    made_for = fingerprint(filter_source, language, sortby)
    if token is not None:
        last_key, last_id = opened(token, made_for)
        position = tuple_(literal(last_key, BigInteger), literal(last_id, Text))
        behind = tuple_(key, clips.c.id)
        query = query.where(behind < position if falling else behind > position)
    order = (key.desc(), clips.c.id.desc()) if falling else (key, clips.c.id)
    rows = _run(connection, query.order_by(*order).limit(limit + 1))
    page = rows[:limit]
    found_fires = _fires_of(connection, [row.id for row in page])
    more = len(rows) > limit
    return Page(
        clips=[_clip(row, found_fires.get(row.id, ())) for row in page],
        next=token_at(made_for, page[-1].sort_key, page[-1].id) if more else None,
    )


def get_clip(connection: Connection, clip_id: str) -> ClipDetails:
    """One clip with fires, assets, statistics and its newest labels, or NotFound."""
    row = connection.execute(
        select(*_CLIP_COLUMNS, clips.c.software, clips.c.track).where(clips.c.id == clip_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"there is no clip {clip_id[:100]!r}")
    assets = connection.execute(
        select(
            clip_assets.c.name,
            clip_assets.c.object_key,
            clip_assets.c.media_type,
            clip_assets.c.size_bytes,
            clip_assets.c.extractor_version,
        )
        .where(clip_assets.c.clip_id == clip_id)
        .order_by(clip_assets.c.name)
    )
    statistics = connection.execute(
        select(
            signal_statistics.c.signal,
            signal_statistics.c.samples,
            signal_statistics.c.minimum,
            signal_statistics.c.maximum,
            signal_statistics.c.mean,
        )
        .where(signal_statistics.c.clip_id == clip_id)
        .order_by(signal_statistics.c.signal)
    )
    made = connection.execute(
        select(
            labels.c.id,
            labels.c.job_id,
            labels.c.labeler,
            labels.c.types,
            labels.c.openlabel,
            labels.c.provenance,
            labels.c.created_at,
        )
        .where(labels.c.clip_id == clip_id)
        .order_by(labels.c.id.desc())
        .limit(MAX_LABELS)
    )
    return ClipDetails(
        clip=_clip(row, _fires_of(connection, [clip_id]).get(clip_id, ())),
        software=row.software,
        track=row.track,
        assets=tuple(AssetRecord(*each) for each in assets),
        statistics=tuple(StatisticsRecord(*each) for each in statistics),
        labels=tuple(LabelRecord(*each) for each in made),
    )


def get_clips(connection: Connection, clip_ids: Sequence[str]) -> dict[str, Clip]:
    """Clips by id, those that are there, with their fires."""
    rows = connection.execute(select(*_CLIP_COLUMNS).where(clips.c.id.in_(clip_ids)))
    found_fires = _fires_of(connection, list(clip_ids))
    return {row.id: _clip(row, found_fires.get(row.id, ())) for row in rows}


_CLIP_COLUMNS = (
    clips.c.id,
    clips.c.vehicle_id,
    clips.c.recording_id,
    clips.c.state,
    clips.c.start_ns,
    clips.c.end_ns,
    clips.c.size_bytes,
    clips.c.digest,
    clips.c.object_key,
    clips.c.attributes,
    clips.c.tags,
    clips.c.min_longitude,
    clips.c.min_latitude,
    clips.c.max_longitude,
    clips.c.max_latitude,
    clips.c.damage,
    clips.c.stored_at,
    clips.c.ready_at,
)


def _clip(row: Row[*tuple[Any, ...]], found_fires: tuple[FireRecord, ...]) -> Clip:
    has_box = row.min_longitude is not None
    return Clip(
        id=row.id,
        vehicle_id=row.vehicle_id,
        recording_id=row.recording_id,
        state=row.state,
        start_ns=row.start_ns,
        end_ns=row.end_ns,
        size_bytes=row.size_bytes,
        digest=row.digest,
        object_key=row.object_key,
        attributes=row.attributes,
        tags=row.tags,
        box=(row.min_longitude, row.min_latitude, row.max_longitude, row.max_latitude) if has_box else None,
        damage=row.damage,
        stored_at=row.stored_at,
        ready_at=row.ready_at,
        fires=found_fires,
    )


def _fires_of(connection: Connection, clip_ids: Sequence[str]) -> dict[str, tuple[FireRecord, ...]]:
    """The fires of clips, by clip, in the order of time."""
    identity = ("campaign", "version", "vehicle_id", "ordinal")
    rows = connection.execute(
        select(
            clip_fires.c.clip_id,
            fires.c.campaign,
            fires.c.version,
            fires.c.trigger,
            fires.c.ordinal,
            fires.c.t_ns,
            clip_fires.c.window_start_ns,
            clip_fires.c.window_end_ns,
            fires.c.inclusion_probability,
            clip_fires.c.charged_bytes,
            fires.c.program_digest,
        )
        .where(clip_fires.c.clip_id.in_(clip_ids), *(clip_fires.c[name] == fires.c[name] for name in identity))
        .order_by(fires.c.t_ns, fires.c.campaign, fires.c.version, fires.c.ordinal)
    )
    by_clip: dict[str, list[FireRecord]] = {}
    for clip_id, *values in rows:
        by_clip.setdefault(clip_id, []).append(FireRecord(*values))
    return {clip_id: tuple(records) for clip_id, records in by_clip.items()}


def _run(connection: Connection, query: Any) -> Sequence[Row[Any]]:
    connection.execute(text(f"SET LOCAL statement_timeout = '{SEARCH_TIMEOUT_S}s'"))
    try:
        rows: Sequence[Row[Any]] = connection.execute(query).all()
    except OperationalError as error:
        if isinstance(error.orig, QueryCanceled):
            raise Overloaded(
                f"the search took longer than {SEARCH_TIMEOUT_S} s",
                retry_after_s=SEARCH_TIMEOUT_S,
                remedy="narrow it down, for instance by start or vehicle",
            ) from error
        raise
    return rows


def _sort_key(sortby: str) -> tuple[ColumnElement[Any], bool]:
    """The key to sort by, and whether the order is falling."""
    name = sortby[1:] if sortby[:1] in ("-", "+") else sortby
    if name not in SORT_KEYS:
        raise InvalidInput(
            f"clips cannot be sorted by {sortby[:60]!r}", remedy=f"sort by {', '.join(SORT_KEYS)}; - reverses"
        )
    return SORT_KEYS[name], sortby.startswith("-")
