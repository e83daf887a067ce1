"""One clip with everything that belongs to it: software, track, assets, statistics, and the documents of its labels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from storage.clips.extraction_results import Asset, SignalStatistics
from storage.clips.records import CLIP_COLUMNS, Clip, clips_of
from storage.erasure.clips import no_clip, require
from storage.rows import columns_of
from storage.tables import clip_assets, clips, labels, signal_statistics
from triggers.clips.damage import Remark

MAX_LABELS = 100


@dataclass(frozen=True, slots=True)
class LabelRecord:
    """An OpenLABEL document of a clip, the types it names, and who or what made it."""

    id: int
    job_id: int
    labeler: str
    types: list[str]
    openlabel: dict[str, Any]
    provenance: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ClipDetails:
    """Everything about one clip. `track` is a list of [latitude, longitude] in degrees, None without a position."""

    clip: Clip
    software: dict[str, str]
    track: Any
    remarks: tuple[Remark, ...]
    assets: tuple[Asset, ...]
    statistics: tuple[SignalStatistics, ...]
    label_documents: tuple[LabelRecord, ...]


def get_clip(connection: Connection, clip_id: str) -> ClipDetails:
    """One clip with its assets, statistics and at most MAX_LABELS documents of labels, newest first.

    NotFound when there never was one, Erased when it was erased.
    """
    row = connection.execute(
        select(*CLIP_COLUMNS, clips.c.software, clips.c.track, clips.c.remarks).where(clips.c.id == clip_id)
    ).one_or_none()
    if row is None:
        require(connection, clip_id)
        raise no_clip(clip_id)
    (clip,) = clips_of(connection, [row])
    return ClipDetails(
        clip=clip,
        software=row.software,
        track=row.track,
        remarks=tuple(Remark(**remark) for remark in row.remarks),
        assets=_assets(connection, clip_id),
        statistics=_statistics(connection, clip_id),
        label_documents=_label_documents(connection, clip_id),
    )


def _assets(connection: Connection, clip_id: str) -> tuple[Asset, ...]:
    columns, table = columns_of(Asset, clip_assets), clip_assets.c
    rows = connection.execute(select(*columns).where(table.clip_id == clip_id).order_by(table.name))
    return tuple(Asset(*row) for row in rows)


def _statistics(connection: Connection, clip_id: str) -> tuple[SignalStatistics, ...]:
    columns, table = columns_of(SignalStatistics, signal_statistics), signal_statistics.c
    rows = connection.execute(select(*columns).where(table.clip_id == clip_id).order_by(table.signal))
    return tuple(SignalStatistics(*row) for row in rows)


def _label_documents(connection: Connection, clip_id: str) -> tuple[LabelRecord, ...]:
    columns, table = columns_of(LabelRecord, labels), labels.c
    newest = select(*columns).where(table.clip_id == clip_id).order_by(table.id.desc()).limit(MAX_LABELS)
    return tuple(LabelRecord(*row) for row in connection.execute(newest))
