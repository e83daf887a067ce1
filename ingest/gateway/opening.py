"""Opening an upload: one transaction that checks a manifest, writes the upload and reserves its bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ingest.gateway.rules import check_assigned, check_fires, check_storable
from storage import ledger
from storage.database import Connection
from storage.ledger.limits import ANY_AMOUNT, FleetTerms
from storage.tables.uploads import LIVE, UploadState
from storage.uploads import creation, endings, rows, vehicle_days
from storage.uploads.fire_identity import known_fires
from storage.uploads.rows import UploadRow
from storage.uploads.vehicle_days import VehicleDayLimits
from storage.vehicles import assignments, quarantine
from storage.vehicles.assignments import AssignmentTerms
from triggers.contracts.clip import ClipManifest, CreationRequest
from triggers.errors import ClipFailed, NotAssigned, Overloaded, Unauthenticated
from triggers.times import NS_PER_S

MAX_OPEN_UPLOADS = 256
"""Open uploads of one vehicle; more are refused until some end, so that one vehicle cannot fill the table."""


@dataclass(frozen=True, slots=True)
class OpeningTerms:
    """The terms of a new upload: seconds until it ends without a byte, its metadata, the fleet's limits."""

    expiry_s: int
    log_partitions: int
    max_open_uploads: int = MAX_OPEN_UPLOADS
    metadata: str | None = None
    fleet: FleetTerms = ANY_AMOUNT
    assignment: AssignmentTerms = field(default_factory=AssignmentTerms)
    vehicle_day: VehicleDayLimits | None = None


def require_part(connection: Connection, vehicle_id: str, *, exclusive: bool = False) -> None:
    """Unauthenticated for a vehicle that is erased: its token is trusted for some seconds afterwards.

    `exclusive` as in `creation.takes_part`.
    """
    if not creation.takes_part(connection, vehicle_id, exclusive=exclusive):
        raise Unauthenticated("the vehicle was erased", remedy="enrol it under a new id")


def open_upload(
    connection: Connection, request: CreationRequest, terms: OpeningTerms, *, now: datetime
) -> tuple[UploadRow, bool]:
    """The upload of this clip, and whether it is new; a new one has its bytes reserved.

    1. a clip has one upload: while it is open or complete it is returned, an open one on the network that is announced
       now; an expired one is closed
    2. check the manifest and the vehicle
    3. write the upload; when another transaction was faster, start over and find its upload
    4. count it for the vehicle's day (after the upload is locked: see `storage.uploads` on locks)
    5. reserve the bytes in every account concerned

    ClipFailed, ManifestInvalid, NotAssigned, Quarantined, BudgetExhausted, Overloaded when the vehicle has too many
    uploads open, or Unauthenticated when it is erased.
    """
    manifest = request.manifest
    require_part(connection, manifest.recording.vehicle_id)
    quarantine.require_free(connection, manifest.recording.vehicle_id)
    existing = _existing(connection, manifest.clip_id, now)
    if existing is not None and existing.state in LIVE:
        creation.announce_again(connection, existing.id, request.network)
        return existing, False
    if existing is not None and existing.state == UploadState.FAILED and existing.reason != endings.CELLS_LOST:
        raise ClipFailed(f"clip {manifest.clip_id} failed before: {existing.reason}", remedy="do not send it again")
    _judge(connection, manifest, terms, now)
    upload = creation.insert_open(
        connection,
        request,
        expires_at=now + timedelta(seconds=terms.expiry_s),
        log_partitions=terms.log_partitions,
        metadata=terms.metadata,
    )
    if upload is None:  # lost the race: the other transaction's upload is committed, so look again
        return open_upload(connection, request, terms, now=now)
    if terms.vehicle_day is not None:
        size = len(manifest.canonical_json())
        vehicle_days.create_one(connection, manifest.recording.vehicle_id, size, terms.vehicle_day, now=now)
    ledger.reserve(connection, upload.id, manifest, now=now, fleet=terms.fleet)
    return upload, True


def _existing(connection: Connection, clip_id: str, now: datetime) -> UploadRow | None:
    upload = rows.latest(connection, clip_id)
    if upload is not None and upload.state == UploadState.OPEN and upload.expires_at <= now:
        endings.expire_one(connection, upload.id)
        return rows.latest(connection, clip_id)
    return upload


def _judge(connection: Connection, manifest: ClipManifest, terms: OpeningTerms, now: datetime) -> None:
    fires, vehicle_id = manifest.recording.fires, manifest.recording.vehicle_id
    versions = {(fire.campaign, fire.version) for fire in fires}
    known = known_fires(connection, {vehicle_id: fires})[vehicle_id]
    check_fires(fires, creation.approved_versions(connection, versions), known)
    _judge_assignment(connection, manifest, terms, now)
    check_storable(manifest)
    if creation.count_open(connection, vehicle_id, at_most=terms.max_open_uploads) >= terms.max_open_uploads:
        raise Overloaded(
            f"vehicle {vehicle_id} has {terms.max_open_uploads} uploads open",
            retry_after_s=60,
            remedy="finish or terminate them first",
        )


def _judge_assignment(connection: Connection, manifest: ClipManifest, terms: OpeningTerms, now: datetime) -> None:
    fires, vehicle_id = manifest.recording.fires, manifest.recording.vehicle_id
    versions = {(fire.campaign, fire.version) for fire in fires}
    given = assignments.assigned(connection, vehicle_id, versions, terms.assignment, now=now)
    try:
        check_assigned(fires, given, now_ns=int(now.timestamp() * NS_PER_S))
    except NotAssigned:
        if not assignments.awaits_check_in(connection, vehicle_id):
            raise
