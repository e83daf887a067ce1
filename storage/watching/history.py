"""What is known of one clip or one fire, in every table that has something of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from storage.rows import columns_of
from storage.tables import (
    clip_fires,
    clips,
    dead_letters,
    erased_clips,
    extraction_jobs,
    fire_counts,
    fires,
    label_jobs,
    outbox,
    uploads,
)
from storage.tables.uploads import ASSEMBLING, UploadState
from storage.uploads.endings import CELLS_LOST
from triggers.contracts.clip import ClipManifest
from triggers.errors import InvalidInput

MAX_ROWS = 100
"""Of each kind: uploads of one clip, jobs, dead letters."""
MAX_MANIFESTS = 200
"""Of a vehicle's uploads under way, which are searched for a fire."""


@dataclass(frozen=True, slots=True)
class FireFact:
    """A fire of a clip."""

    campaign: str
    version: int
    ordinal: int
    trigger: str
    t_ns: int


@dataclass(frozen=True, slots=True)
class UploadFact:
    """An attempt to upload a clip."""

    id: str
    vehicle_id: str
    size_bytes: int
    offset_bytes: int
    state: str
    network: str
    reason: str | None
    created_at: datetime
    expires_at: datetime
    closed_at: datetime | None

    @property
    def may_be_sent_again(self) -> bool:
        """Whether it ended so that the gateway takes the clip again."""
        return self.state == UploadState.EXPIRED or self.reason == CELLS_LOST


@dataclass(frozen=True, slots=True)
class ClipFact:
    """The clip in the catalog."""

    id: str
    vehicle_id: str
    state: str
    damage: str | None
    size_bytes: int
    stored_at: datetime
    ready_at: datetime | None


@dataclass(frozen=True, slots=True)
class JobFact:
    """An extraction or label job; `task` is the task of a label job, or the version of the extractor."""

    task: str
    state: str
    attempts: int
    reason: str | None
    holder: str | None
    lease_until: datetime | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class LetterFact:
    """A dead letter."""

    id: int
    stage: str
    reason: str
    detail: str
    state: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ErasedFact:
    """That a clip was erased."""

    cause: str
    reason: str | None
    erased_at: datetime


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """Everything about one clip; no upload and no clip: only its erasure is known, or nothing."""

    fires: Sequence[FireFact]
    uploads: Sequence[UploadFact]
    clip: ClipFact | None
    extractions: Sequence[JobFact]
    label_jobs: Sequence[JobFact]
    letters: Sequence[LetterFact]
    erased: ErasedFact | None
    unsent_events: int

    @property
    def is_known(self) -> bool:
        """Whether there is, or was, such a clip."""
        return bool(self.uploads or self.clip or self.erased or self.letters)


@dataclass(frozen=True, slots=True)
class ReportedFact:
    """What a vehicle reported of all its fires of a campaign version, up to `watermark`."""

    watermark: int
    sampled_out: int
    refused: dict[str, int]
    dropped: dict[str, int]
    failed: dict[str, int]
    in_flight: int
    received_at: datetime


@dataclass(frozen=True, slots=True)
class FireRow:
    """A fire as the cloud has it."""

    trigger: str
    t_ns: int
    outcome: str
    reason: str | None
    without_clip: str | None


def clip_facts(connection: Connection, clip_id: str) -> ClipFacts:
    """What is known of a clip of this id."""
    attempts = _uploads(connection, clip_id)
    clip = connection.execute(select(*columns_of(ClipFact, clips)).where(clips.c.id == clip_id)).one_or_none()
    found = connection.execute(
        select(*columns_of(FireFact, clip_fires)).where(clip_fires.c.clip_id == clip_id).order_by(clip_fires.c.t_ns)
    )
    own = [FireFact(*row) for row in found] or _announced(connection, attempts)
    letters = select(*columns_of(LetterFact, dead_letters)).where(
        (dead_letters.c.clip_id == clip_id) | dead_letters.c.upload_id.in_([upload.id for upload in attempts])
    )
    erased = connection.execute(
        select(*columns_of(ErasedFact, erased_clips)).where(erased_clips.c.clip_id == clip_id)
    ).one_or_none()
    return ClipFacts(
        fires=own,
        uploads=attempts,
        clip=None if clip is None else ClipFact(*clip),
        extractions=_jobs(connection, extraction_jobs, clip_id, "extractor_version", "worker"),
        label_jobs=_jobs(connection, label_jobs, clip_id, "task", "labeler"),
        letters=[LetterFact(*row) for row in connection.execute(letters.limit(MAX_ROWS))],
        erased=None if erased is None else ErasedFact(*erased),
        unsent_events=_unsent(connection, clip_id),
    )


def clips_of_fire(connection: Connection, vehicle_id: str, campaign: str, version: int, ordinal: int) -> list[str]:
    """The clips of a fire, by id: those in the catalog, else those that are on their way."""
    key = {"vehicle_id": vehicle_id, "campaign": campaign, "version": version, "ordinal": ordinal}
    of_fire = [clip_fires.c[name] == value for name, value in key.items()]
    stored = connection.execute(select(clip_fires.c.clip_id).where(*of_fire).order_by("clip_id").limit(MAX_ROWS))
    return list(stored.scalars()) or _on_their_way(connection, vehicle_id, (campaign, version, ordinal))


def fire_row(connection: Connection, vehicle_id: str, campaign: str, version: int, ordinal: int) -> FireRow | None:
    """A fire that the cloud has decided on."""
    key = {"vehicle_id": vehicle_id, "campaign": campaign, "version": version, "ordinal": ordinal}
    row = connection.execute(
        select(*columns_of(FireRow, fires)).where(*(fires.c[name] == value for name, value in key.items()))
    ).one_or_none()
    return None if row is None else FireRow(*row)


def reported(connection: Connection, vehicle_id: str, campaign: str, version: int) -> ReportedFact | None:
    """What the vehicle reported last of the version's fires."""
    key = {"vehicle_id": vehicle_id, "campaign": campaign, "version": version}
    row = connection.execute(
        select(*columns_of(ReportedFact, fire_counts)).where(*(fire_counts.c[name] == key[name] for name in key))
    ).one_or_none()
    return None if row is None else ReportedFact(*row)


def _uploads(connection: Connection, clip_id: str) -> list[UploadFact]:
    rows = connection.execute(
        select(*columns_of(UploadFact, uploads))
        .where(uploads.c.clip_id == clip_id)
        .order_by(uploads.c.created_at)
        .limit(MAX_ROWS)
    )
    return [UploadFact(*row) for row in rows]


def _announced(connection: Connection, attempts: Sequence[UploadFact]) -> list[FireFact]:
    """The fires of a clip that is not in the catalog, from its manifest, as long as that is kept."""
    for upload in reversed(attempts):
        stored = connection.execute(select(uploads.c.manifest).where(uploads.c.id == upload.id)).scalar_one_or_none()
        manifest = _parsed(stored)
        if manifest is not None:
            return [
                FireFact(fire.campaign, fire.version, fire.ordinal, fire.trigger, fire.t_ns)
                for fire in sorted(manifest.recording.fires, key=lambda fire: fire.t_ns)
            ]
    return []


def _on_their_way(connection: Connection, vehicle_id: str, fire: tuple[str, int, int]) -> list[str]:
    under_way = connection.execute(
        select(uploads.c.clip_id, uploads.c.manifest)
        .where(uploads.c.vehicle_id == vehicle_id, uploads.c.state.in_(ASSEMBLING))
        .order_by(uploads.c.created_at.desc())
        .limit(MAX_MANIFESTS)
    )
    found = []
    for clip_id, stored in under_way:
        manifest = _parsed(stored)
        fires_of = manifest.recording.fires if manifest is not None else ()
        if any((each.campaign, each.version, each.ordinal) == fire for each in fires_of):
            found.append(clip_id)
    return sorted(found)


def _parsed(stored: bytes | None) -> ClipManifest | None:
    try:
        return ClipManifest.from_stored_json(bytes(stored or b""), what="a stored manifest")
    except InvalidInput:  # dropped some time after the upload was closed, or of another version
        return None


def _jobs(connection: Connection, table: Any, clip_id: str, task: str, holder: str) -> list[JobFact]:
    columns = columns_of(JobFact, table, without={"task", "holder"})
    names = [column.name for column in columns]
    rows = connection.execute(
        select(table.c[task].label("task"), table.c[holder].label("holder"), *columns)
        .where(table.c.clip_id == clip_id)
        .order_by(table.c.created_at)
        .limit(MAX_ROWS)
    )
    return [
        JobFact(task=str(row.task), holder=row.holder, **{name: getattr(row, name) for name in names}) for row in rows
    ]


def _unsent(connection: Connection, clip_id: str) -> int:
    """How many of the clip's events wait to be dispatched; the newest hundred of all that wait are looked at."""
    waiting = select(outbox.c.payload).where(outbox.c.sent_at.is_(None)).order_by(outbox.c.id.desc()).limit(MAX_ROWS)
    return sum(payload.get("clip_id") == clip_id for payload in connection.execute(waiting).scalars())
