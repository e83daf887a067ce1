"""POST /v1/uploads: checks a manifest and reserves its bytes, or says why it is refused."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from ingest.gateway.limits import GatewayLimits
from ingest.gateway.opening import OpeningTerms, open_upload, require_part
from ingest.gateway.service import Gateway
from ingest.gateway.tus import protocol
from ingest.gateway.tus.metadata import MANIFEST, MAX_SHOWN, NETWORK, upload_metadata
from ingest.http.bodies import require_body
from ingest.http.bounds.byte_budget import Hold
from ingest.http.bounds.pace import paced
from ingest.http.raising import raises
from ingest.log_ids import note
from storage.database import Connection
from storage.ledger.limits import fleet_terms
from storage.uploads import dead_letters
from storage.uploads.rows import UploadRow
from storage.vehicles import quarantine
from storage.vehicles.assignments import AssignmentTerms
from triggers.assignment.given import Refusal
from triggers.body_digest import HEADER, check_content_digest
from triggers.contracts.campaign import Network
from triggers.contracts.clip import ClipManifest, CreationRequest, manifest_bound
from triggers.errors import (
    BadHeader,
    BudgetExhausted,
    ClipFailed,
    InvalidInput,
    ManifestInvalid,
    NotAssigned,
    Quarantined,
    TooLarge,
    TooSlow,
    UnsupportedBody,
)

_log = logging.getLogger(__name__)

IN_METADATA = (
    "or, without a body, as the keys `manifest` and `network` of Upload-Metadata; a client that can do neither is given"
    " the address of an upload that was created so (`url=` of tuspy, `uploadUrl` of tus-js-client)"
)


@dataclass(frozen=True, slots=True)
class Submission:
    """A creation request as received: its vehicle, the clip size that was announced with it, and its metadata header.

    `body` is the JSON of a creation request or, when `network` is given, of a manifest.
    """

    vehicle_id: str
    length: int
    body: bytes
    network: str | None = None
    metadata: str | None = None


@raises(
    *protocol.REQUEST_PROBLEMS,
    BadHeader,
    BudgetExhausted,
    ClipFailed,
    ManifestInvalid,
    NotAssigned,
    Quarantined,
    TooLarge,
    TooSlow,
    UnsupportedBody,
)
async def create_upload(gateway: Gateway, request: Request) -> Response:
    """201 for a new upload, 200 for the one that this clip already has; idempotent by the clip's identity.

    The manifest is the JSON body. A client that sends no body gives it in the header Upload-Metadata, under `manifest`
    and `network`, and gets 201 in both cases.
    """
    protocol.require_version(request.headers)
    vehicle_id = await gateway.caller(request)
    metadata, values = upload_metadata(request.headers)
    in_header = MANIFEST in values and not protocol.has_body(request.headers)
    if not in_header:
        require_body(request.headers, protocol.MANIFEST_TYPE, otherwise=IN_METADATA)
    length = protocol.upload_length(request.headers)
    partitions = await gateway.log_partitions()
    with gateway.creating(vehicle_id):
        if in_header:
            submission = Submission(vehicle_id, length, values[MANIFEST], _network(values), metadata)
            upload, new = await _judge(gateway, submission, partitions)
        else:
            async with _manifest(gateway, request, vehicle_id, length) as body:
                upload, new = await _judge(gateway, Submission(vehicle_id, length, body, None, metadata), partitions)
    note(upload=upload.id, clip=upload.clip_id)
    location = protocol.location(upload.id, asked=request.scope.get("raw_path", b"").decode("ascii"))
    if new:
        _log.info("upload %s: clip %s, %d bytes, created", upload.id, upload.clip_id, upload.size_bytes)
    headers = {"Location": location, **protocol.state_headers(upload)}
    return Response(status_code=201 if new or in_header else 200, headers=headers)


def _network(values: Mapping[str, bytes]) -> str:
    if NETWORK not in values:
        raise BadHeader(
            "Upload-Metadata has a manifest, but no network", remedy=f"add the key network: {', '.join(Network)}"
        )
    return values[NETWORK].decode("utf-8", "replace")


async def _judge(gateway: Gateway, submission: Submission, partitions: int) -> tuple[UploadRow, bool]:
    settings = gateway.settings
    terms = OpeningTerms(
        expiry_s=min(settings.upload_start_s, settings.upload_expiry_s),
        log_partitions=partitions,
        metadata=submission.metadata,
        fleet=fleet_terms(settings),
        assignment=AssignmentTerms(settings.assignment_ttl_s, settings.assignment_grace_s),
        vehicle_day=gateway.vehicle_day,
    )
    try:
        asked = await gateway.call(lambda: read_request(submission))
        return await gateway.transact(lambda connection: open_upload(connection, asked, terms, now=datetime.now(UTC)))
    except ManifestInvalid as error:
        keep = partial(
            keep_rejected,
            submission=submission,
            error=error,
            limits=gateway.limits,
            quarantine_after=settings.junk_before_quarantine or None,
        )
        kept = await gateway.transact(keep)
        _log.warning("vehicle %s: manifest refused (%s): %s", submission.vehicle_id, kept, error.message)
        raise
    except BudgetExhausted as error:
        _log.info("vehicle %s: upload refused by a budget: %s", submission.vehicle_id, error.message)
        raise


def read_request(submission: Submission) -> CreationRequest:
    """The request; ManifestInvalid unless its manifest is of this vehicle and this length."""
    try:
        request = _parsed(submission)
    except InvalidInput as error:
        raise ManifestInvalid(error.message, remedy=error.remedy) from error
    manifest = request.manifest
    if manifest.recording.vehicle_id != submission.vehicle_id:
        raise ManifestInvalid(
            f"the manifest names vehicle {manifest.recording.vehicle_id}, but {submission.vehicle_id} sent it"
        )
    if manifest.size_bytes != submission.length:
        raise ManifestInvalid(f"Upload-Length is {submission.length}, the manifest says {manifest.size_bytes}")
    return request


def _parsed(submission: Submission) -> CreationRequest:
    if submission.network is None:
        return CreationRequest.from_json(submission.body, what="the creation request")
    manifest = ClipManifest.from_json(submission.body, what="the manifest in Upload-Metadata")
    if submission.network not in set(Network):
        raise InvalidInput(
            f"the network in Upload-Metadata is {submission.network[:MAX_SHOWN]!r}", remedy=f"use {', '.join(Network)}"
        )
    return CreationRequest(manifest=manifest, network=Network(submission.network))


def keep_rejected(
    connection: Connection,
    *,
    submission: Submission,
    error: ManifestInvalid,
    limits: GatewayLimits,
    quarantine_after: int | None = None,
) -> str:
    """Keep a rejected manifest as a dead letter, up to a limit per vehicle; returns what was done.

    All are counted, and those of versions that the vehicle was not given are never kept: nobody can repair them.
    Unauthenticated, with nothing kept, for a vehicle that is erased.
    """
    require_part(connection, submission.vehicle_id, exclusive=True)
    is_reason = error.code in set(Refusal)
    refusal = Refusal(error.code) if is_reason else Refusal.INVALID_MANIFEST
    quarantine.note_junk(connection, submission.vehicle_id, refusal, after=quarantine_after)
    if isinstance(error, NotAssigned):
        return "counted"
    number = dead_letters.count_open_rejections(connection, submission.vehicle_id)
    if number >= limits.rejections_per_vehicle:
        return f"not kept: this vehicle already has {number} dead letters"
    try:
        fires = len(_parsed(submission).manifest.recording.fires)
    except InvalidInput:
        fires = 0
    fits = len(submission.body) <= limits.rejected_manifest_bytes
    letter = dead_letters.record(
        connection,
        stage="gateway",
        reason=error.code,
        detail=error.message if fits else f"{error.message} (manifest of {len(submission.body)} bytes not kept)",
        vehicle_id=submission.vehicle_id,
        manifest=submission.body if fits else None,
        fires=fires,
    )
    return f"dead letter {letter}"


@asynccontextmanager
async def _manifest(gateway: Gateway, request: Request, vehicle_id: str, length: int) -> AsyncIterator[bytes]:
    """The body of a creation request; its bytes count as manifests in flight, as they come, until the block ends."""
    announced = protocol.content_length(request.headers)
    if announced is not None and announced > manifest_bound(length):
        raise _manifest_too_large(length)
    body = bytearray()
    hold = gateway.manifests_in_flight.hold(vehicle_id)
    try:
        await _read_manifest(gateway, request, body, hold, length)
        check_content_digest(request.headers.get(HEADER), bytes(body))
        yield bytes(body)
    finally:
        hold.release()


async def _read_manifest(gateway: Gateway, request: Request, body: bytearray, hold: Hold, length: int) -> None:
    limits, limit_bytes = gateway.limits, manifest_bound(length)
    async for chunk in paced(request.stream(), limits.pace, remedy="send it again"):
        if len(body) + len(chunk) > limit_bytes:
            raise _manifest_too_large(length)
        await hold.grow(len(chunk), wait_s=limits.in_flight_wait_s)
        body += chunk


def _manifest_too_large(length: int) -> TooLarge:
    return TooLarge(
        f"the manifest of a clip of {length} bytes may have {manifest_bound(length)}", remedy="record shorter clips"
    )
