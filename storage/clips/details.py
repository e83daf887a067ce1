"""One clip with everything that belongs to it: software, track, assets, statistics, and the documents of its labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Text, bindparam, literal_column, select
from sqlalchemy.dialects.postgresql import JSONB

from storage.clips.extraction_results import Asset, SignalStatistics
from storage.clips.marks import notes, tags
from storage.clips.records import SUMMARY, Clip, ClipSummary, read_clips
from storage.erasure.clips import no_clip, require
from storage.rows import columns_of
from storage.statements.prepared import Prepared
from storage.tables import clip_assets, clips, labels, signal_statistics
from triggers.clips.damage import Remark
from triggers.errors import LongtailError

MAX_LABELS = 100
_MORE = (
    clips.c.software,
    # Not the manifest, which has the hashes of all the clip's cells; without parameters, as `read_clips` is prepared.
    literal_column("clips.manifest #> '{recording,cameras}'", JSONB),
    clips.c.track,
    clips.c.remarks,
    clips.c.tier,
    clips.c.restore_asked_at,
)
_ONE_SUMMARY = Prepared(select(*SUMMARY).where(clips.c.id == bindparam("id", type_=Text)))


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
    """Everything about one clip. `track` is a list of [latitude, longitude] in degrees, None without a position.

    `cameras` are those of its manifest, in their order.
    """

    clip: Clip
    software: dict[str, str]
    cameras: tuple[str, ...]
    track: Any
    remarks: tuple[Remark, ...]
    assets: tuple[Asset, ...]
    statistics: tuple[SignalStatistics, ...]
    label_documents: tuple[LabelRecord, ...]
    added_tags: tuple[tags.AddedTag, ...]
    notes: tuple[notes.Note, ...]
    tier: str | None
    restore_asked_at: datetime | None


def get_clip(connection: Connection, clip_id: str) -> ClipDetails:
    """One clip with its assets, statistics and at most MAX_LABELS documents of labels, newest first.

    NotFound when there never was one, Erased when it was erased.
    """
    read = read_clips(connection, [clip_id], *_MORE).get(clip_id)
    if read is None:
        raise _absent(connection, clip_id)
    clip, (software, cameras, track, remarks, tier, restore_asked_at) = read
    return ClipDetails(
        clip=clip,
        software=software,
        cameras=tuple(cameras or ()),
        track=track,
        remarks=tuple(Remark(**remark) for remark in remarks),
        assets=assets_of(connection, [clip_id]).get(clip_id, ()),
        statistics=_statistics(connection, clip_id),
        label_documents=_label_documents(connection, clip_id),
        added_tags=tags.added_to(connection, clip_id),
        notes=notes.of_clip(connection, clip_id),
        tier=tier,
        restore_asked_at=restore_asked_at,
    )


def get_summary(connection: Connection, clip_id: str) -> ClipSummary:
    """One clip in short, with its track; errors as in `get_clip`."""
    rows = _ONE_SUMMARY.rows(connection, id=clip_id)
    if not rows:
        raise _absent(connection, clip_id)
    return ClipSummary._make(rows[0])


def _absent(connection: Connection, clip_id: str) -> LongtailError:
    """NotFound of a clip that there never was; raises Erased of one that was erased."""
    require(connection, clip_id)
    return no_clip(clip_id)


def assets_of(connection: Connection, clip_ids: Sequence[str]) -> Mapping[str, tuple[Asset, ...]]:
    """What was extracted from clips, by clip, in the order of the names; clips without anything are left out."""
    columns, table = columns_of(Asset, clip_assets), clip_assets.c
    rows = connection.execute(
        select(table.clip_id, *columns).where(table.clip_id.in_(clip_ids)).order_by(table.clip_id, table.name)
    )
    by_clip: dict[str, tuple[Asset, ...]] = {}
    for clip_id, *values in rows:
        by_clip[clip_id] = (*by_clip.get(clip_id, ()), Asset(*values))
    return by_clip


def _statistics(connection: Connection, clip_id: str) -> tuple[SignalStatistics, ...]:
    columns, table = columns_of(SignalStatistics, signal_statistics), signal_statistics.c
    rows = connection.execute(select(*columns).where(table.clip_id == clip_id).order_by(table.signal))
    return tuple(SignalStatistics(*row) for row in rows)


def _label_documents(connection: Connection, clip_id: str) -> tuple[LabelRecord, ...]:
    columns, table = columns_of(LabelRecord, labels), labels.c
    newest = select(*columns).where(table.clip_id == clip_id).order_by(table.id.desc()).limit(MAX_LABELS)
    return tuple(LabelRecord(*row) for row in connection.execute(newest))
