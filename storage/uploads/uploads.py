"""Uploads: from the manifest that is accepted to the clip that is stored, failed or given up.

States: `open` → `received` → `stored`, or `failed` from the first two, or `expired` from `open`. Each step is a
compare-and-swap on the state. Whatever closes an upload releases or settles its reservation in the same transaction.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from sqlalchemy import Connection, case, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from storage import ledger
from storage.jsonb import storable
from storage.tables import campaign_versions, dead_letters, uploads
from storage.tables.uploads import LIVE_UPLOAD_STATES, UPLOAD_IS_LIVE, UPLOAD_IS_OPEN
from storage.uploads.fire_identity import ENROL_ANEW, reused_fire
from triggers.contracts.campaign import Network
from triggers.contracts.clip import ClipManifest
from triggers.errors import (
    ClipFailed,
    Conflict,
    Fenced,
    InvalidInput,
    ManifestInvalid,
    NotFound,
    Overloaded,
    UploadGone,
    WrongOffset,
)

MAX_OPEN_UPLOADS = 256
"""Open uploads of one vehicle: more are refused for the moment, so that one vehicle cannot fill the table."""

EXPIRED_BY_TIME = "expired"
TERMINATED_BY_VEHICLE = "terminated"


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload without its manifest. `offset_bytes` is what the vehicle need not send again."""

    id: str
    clip_id: str
    vehicle_id: str
    size_bytes: int
    state: str
    offset_bytes: int
    log_partition: int
    writer_epoch: int
    reason: str | None
    expires_at: datetime

    @property
    def whole(self) -> bool:
        """Whether all bytes are in the log: nothing more can be written."""
        return self.state in ("received", "stored")


_COLUMNS = tuple(uploads.c[field.name] for field in fields(Upload))


def check_fires(connection: Connection, manifest: ClipManifest) -> None:
    """ManifestInvalid unless every fire is of a version that was approved once, of its program and its triggers.

    Paused, stopped and older versions pass: their fires may have been on the way when that was decided. A fire that
    bears the ordinal of another fire, catalogued or failed before, does not: its vehicle lost its state.
    """
    fires = manifest.recording.fires
    wanted = sorted({(fire.campaign, fire.version) for fire in fires if fire.version <= 2**31 - 1})
    table = campaign_versions.c
    approved = select(table.campaign, table.version, table.program_digest, table.settings["triggers"].label("triggers"))
    rows = connection.execute(
        approved.where(tuple_(table.campaign, table.version).in_(wanted), table.bundle_digest.is_not(None))
    )
    known = {(row.campaign, row.version): row for row in rows}
    names = {key: {trigger["name"] for trigger in row.triggers} for key, row in known.items()}
    for fire in fires:
        key = (fire.campaign, fire.version)
        where = f"fire {fire.ordinal} of {fire.campaign} version {fire.version}"
        if key not in known:
            raise ManifestInvalid(f"{where}: no such version was ever approved")
        if known[key].program_digest != fire.program_digest:
            raise ManifestInvalid(f"{where}: its program {fire.program_digest} is not the approved one")
        if fire.trigger not in names[key]:
            raise ManifestInvalid(f"{where}: the campaign has no trigger {fire.trigger}")
    reused = reused_fire(connection, manifest.recording.vehicle_id, fires)
    if reused is not None:
        raise ManifestInvalid(reused, remedy=ENROL_ANEW)


def create(
    connection: Connection,
    manifest: ClipManifest,
    *,
    network: Network,
    now: datetime,
    expiry_s: int,
    log_partitions: int,
    fleet_limit_bytes: int | None,
) -> tuple[Upload, bool]:
    """The upload of this clip, and whether it is new; a new one has its bytes reserved.

    The same clip has one upload: while that is open or whole it is returned as it is. ClipFailed when it failed,
    ManifestInvalid when the fires are nobody's, BudgetExhausted, or Overloaded when too many uploads are open.
    """
    existing = _latest(connection, manifest.clip_id)
    if existing is not None and existing.state == "open" and existing.expires_at <= now:
        _close(connection, existing.id, ("open",), "expired", EXPIRED_BY_TIME)
        existing = _latest(connection, manifest.clip_id)
    if existing is not None and existing.state in LIVE_UPLOAD_STATES:
        return existing, False
    if existing is not None and existing.state == "failed":
        raise ClipFailed(f"clip {manifest.clip_id} failed before: {existing.reason}", remedy="do not send it again")
    check_fires(connection, manifest)
    _check_storable(manifest)
    _check_open_uploads(connection, manifest.recording.vehicle_id)
    expires_at = now + timedelta(seconds=expiry_s)
    upload = _insert(connection, manifest, network, expires_at=expires_at, log_partitions=log_partitions)
    if upload is None:  # somebody else created it after we looked: his is committed now
        return create(
            connection,
            manifest,
            network=network,
            now=now,
            expiry_s=expiry_s,
            log_partitions=log_partitions,
            fleet_limit_bytes=fleet_limit_bytes,
        )
    ledger.reserve(connection, upload.id, manifest, now=now, fleet_limit_bytes=fleet_limit_bytes)
    return upload, True


def log_partition(clip_id: str, partitions: int) -> int:
    """The log partition of a clip's cells: a function of its identity alone."""
    return int(clip_id[:16], 16) % partitions


def _insert(
    connection: Connection, manifest: ClipManifest, network: Network, *, expires_at: datetime, log_partitions: int
) -> Upload | None:
    statement = insert(uploads).values(
        id=secrets.token_hex(16),
        clip_id=manifest.clip_id,
        vehicle_id=manifest.recording.vehicle_id,
        manifest=manifest.canonical_json(),
        size_bytes=manifest.size_bytes,
        state="open",
        log_partition=log_partition(manifest.clip_id, log_partitions),
        network=network.value,
        expires_at=expires_at,
    )
    unless_live = statement.on_conflict_do_nothing(index_elements=[uploads.c.clip_id], index_where=UPLOAD_IS_LIVE)
    row = connection.execute(unless_live.returning(*_COLUMNS)).one_or_none()
    return Upload(*row) if row else None


def _check_storable(manifest: ClipManifest) -> None:
    try:
        storable(manifest.model_dump(mode="json"), what="the manifest")
    except InvalidInput as error:
        raise ManifestInvalid(error.message, remedy=error.remedy) from error


def _check_open_uploads(connection: Connection, vehicle_id: str) -> None:
    theirs = select(uploads.c.id).where(uploads.c.vehicle_id == vehicle_id, UPLOAD_IS_OPEN)
    number = connection.execute(select(func.count()).select_from(theirs.limit(MAX_OPEN_UPLOADS).subquery()))
    if number.scalar_one() >= MAX_OPEN_UPLOADS:
        raise Overloaded(
            f"vehicle {vehicle_id} has {MAX_OPEN_UPLOADS} uploads open",
            retry_after_s=60,
            remedy="finish or terminate them first",
        )


def _latest(connection: Connection, clip_id: str) -> Upload | None:
    """The clip's live upload, else its last one; locked for nobody."""
    rows = connection.execute(
        select(*_COLUMNS)
        .where(uploads.c.clip_id == clip_id)
        .order_by(uploads.c.state.in_(LIVE_UPLOAD_STATES).desc(), uploads.c.created_at.desc())
        .limit(1)
    )
    row = rows.one_or_none()
    return Upload(*row) if row else None


def find(connection: Connection, upload_id: str, vehicle_id: str) -> Upload:
    """A vehicle's upload in any state; NotFound for unknown ones and for those of other vehicles."""
    row = connection.execute(
        select(*_COLUMNS).where(uploads.c.id == upload_id, uploads.c.vehicle_id == vehicle_id)
    ).one_or_none()
    if row is None:
        raise NotFound("there is no such upload", remedy="create it first")
    return Upload(*row)


def find_usable(connection: Connection, upload_id: str, vehicle_id: str, *, now: datetime) -> Upload:
    """Like `find`; UploadGone for one that was closed before it was whole, or whose time is over."""
    upload = find(connection, upload_id, vehicle_id)
    over = upload.state == "open" and upload.expires_at <= now
    if over or not (upload.whole or upload.state == "open"):
        raise UploadGone(
            f"the upload was closed ({EXPIRED_BY_TIME if over else upload.reason})", remedy="create it again"
        )
    return upload


def begin_write(connection: Connection, upload_id: str, vehicle_id: str, offset: int, *, now: datetime) -> Upload:
    """Become the upload's one writer, at `offset`: raises its writer epoch, which fences every earlier writer.

    A whole upload is returned as it is when `offset` is its size. WrongOffset, UploadGone and NotFound fence nobody.
    """
    raised = connection.execute(
        update(uploads)
        .where(
            uploads.c.id == upload_id,
            uploads.c.vehicle_id == vehicle_id,
            uploads.c.state == "open",
            uploads.c.expires_at > now,
            uploads.c.offset_bytes == offset,
        )
        .values(writer_epoch=uploads.c.writer_epoch + 1)
        .returning(*_COLUMNS)
    ).one_or_none()
    if raised is not None:
        return Upload(*raised)
    upload = find_usable(connection, upload_id, vehicle_id, now=now)
    if upload.whole and offset == upload.size_bytes:
        return upload
    raise WrongOffset(
        f"the bytes start at {offset}, the stored ones end at {upload.offset_bytes}", offset=upload.offset_bytes
    )


def store_offset(connection: Connection, upload_id: str, writer_epoch: int, offset: int) -> None:
    """Note that the log holds all bytes before `offset`; with the last one the upload is `received`.

    The offset never falls. Fenced when a later writer has begun or the upload was closed: nothing changes then.
    """
    state = case((uploads.c.size_bytes == offset, "received"), else_="open")
    moved = connection.execute(
        update(uploads)
        .where(
            uploads.c.id == upload_id,
            uploads.c.writer_epoch == writer_epoch,
            uploads.c.state == "open",
            uploads.c.offset_bytes <= offset,
        )
        .values(offset_bytes=offset, state=state)
    )
    if moved.rowcount == 0:
        raise Fenced(f"upload {upload_id} has a later writer than {writer_epoch}, or is closed")


def mark_stored(connection: Connection, upload_id: str) -> bool:
    """The clip is in the catalog: close the upload and settle its reservation. False when it was closed before.

    An `open` one may be stored too: its gateway can die between the last cell and its offset.
    """
    closed = connection.execute(
        update(uploads)
        .where(uploads.c.id == upload_id, uploads.c.state.in_(("open", "received")))
        .values(state="stored", offset_bytes=uploads.c.size_bytes, closed_at=func.now())
    )
    return closed.rowcount == 1 and ledger.settle(connection, upload_id)


def fail(connection: Connection, upload_id: str, reason: str) -> bool:
    """The clip can never be stored: close the upload and release its reservation. False when it was closed before."""
    return _close(connection, upload_id, ("open", "received"), "failed", reason)


def terminate(connection: Connection, upload_id: str, vehicle_id: str, *, now: datetime) -> None:
    """The vehicle gives the upload up: releases its reservation. Conflict when all bytes are here: the clip is kept."""
    upload = find_usable(connection, upload_id, vehicle_id, now=now)
    if not _close(connection, upload.id, ("open",), "expired", TERMINATED_BY_VEHICLE):
        raise Conflict("the upload is whole, its clip is kept")


def expire(connection: Connection, *, now: datetime, limit: int = 100) -> int:
    """Close at most `limit` open uploads whose time is over and release what they reserved; returns how many.

    Several may expire at once, each takes others. The vehicle still has such a clip, and may begin it again.
    """
    due = (
        select(uploads.c.id)
        .where(UPLOAD_IS_OPEN, uploads.c.expires_at <= now)
        .order_by(uploads.c.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    closed = connection.execute(
        update(uploads)
        .where(uploads.c.id.in_(select(due.c.id)))
        .values(state="expired", reason=EXPIRED_BY_TIME, closed_at=func.now())
        .returning(uploads.c.id)
    )
    expired = list(closed.scalars())
    ledger.release(connection, *expired)
    return len(expired)


def open_rejections(connection: Connection, vehicle_id: str) -> int:
    """How many dead letters of rejected manifests are kept of a vehicle and wait for somebody."""
    table = dead_letters.c
    theirs = (table.vehicle_id == vehicle_id, table.stage == "gateway", table.state == "open")
    return connection.execute(select(func.count()).select_from(dead_letters).where(*theirs)).scalar_one()


def _close(connection: Connection, upload_id: str, states: tuple[str, ...], state: str, reason: str) -> bool:
    closed = connection.execute(
        update(uploads)
        .where(uploads.c.id == upload_id, uploads.c.state.in_(states))
        .values(state=state, reason=reason, closed_at=func.now())
    )
    if closed.rowcount == 0:
        return False
    ledger.release(connection, upload_id)
    return True
