"""POST /v1/uploads: checks a manifest and reserves its bytes, or says why it is refused."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from ingest.gateway import protocol
from ingest.gateway.limits import GatewayLimits
from ingest.gateway.opening import OpeningTerms, open_upload
from ingest.gateway.service import Gateway
from ingest.http.bodies import require_body
from ingest.http.raising import raises
from storage.database import Connection
from storage.uploads import dead_letters
from storage.uploads.rows import UploadRow
from triggers.contracts.clip import MAX_MANIFEST_BYTES, CreationRequest
from triggers.errors import (
    BadHeader,
    BudgetExhausted,
    ClipFailed,
    InvalidInput,
    ManifestInvalid,
    TooLarge,
    TooSlow,
    UnsupportedBody,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Submission:
    """A creation request as received: its vehicle, and the clip size that was announced with it."""

    vehicle_id: str
    length: int
    body: bytes


@raises(
    *protocol.REQUEST_PROBLEMS,
    BadHeader,
    BudgetExhausted,
    ClipFailed,
    ManifestInvalid,
    TooLarge,
    TooSlow,
    UnsupportedBody,
)
async def create_upload(gateway: Gateway, request: Request) -> Response:
    """201 for a new upload, 200 for the one that this clip already has; idempotent by the clip's identity."""
    protocol.require_version(request.headers)
    vehicle_id = await gateway.authenticate(protocol.bearer_token(request.headers))
    require_body(request.headers, protocol.MANIFEST_TYPE)
    length = protocol.upload_length(request.headers)
    partitions = await gateway.log_partitions()
    announced = protocol.content_length(request.headers)
    if announced is not None and announced > MAX_MANIFEST_BYTES:
        raise _manifest_too_large()
    held = MAX_MANIFEST_BYTES if announced is None else announced
    await gateway.manifests_in_flight.acquire(held, wait_s=gateway.limits.in_flight_wait_s)
    try:
        body = await _read_manifest(request, gateway.limits)
        upload, new = await _judge(gateway, Submission(vehicle_id, length, body), partitions)
    finally:
        gateway.manifests_in_flight.release(held)
    return _created(upload, new=new)


async def _judge(gateway: Gateway, submission: Submission, partitions: int) -> tuple[UploadRow, bool]:
    settings = gateway.settings
    terms = OpeningTerms(
        expiry_s=settings.upload_expiry_s, log_partitions=partitions, fleet_limit_bytes=settings.fleet_total_bytes
    )
    try:
        asked = await gateway.call(lambda: read_request(submission))
        return await gateway.transact(lambda connection: open_upload(connection, asked, terms, now=datetime.now(UTC)))
    except ManifestInvalid as error:
        keep = partial(keep_rejected, submission=submission, error=error, limits=gateway.limits)
        kept = await gateway.transact(keep)
        _log.warning("vehicle %s: manifest refused (%s): %s", submission.vehicle_id, kept, error.message)
        raise
    except BudgetExhausted as error:
        _log.info("vehicle %s: upload refused by a budget: %s", submission.vehicle_id, error.message)
        raise


def read_request(submission: Submission) -> CreationRequest:
    """The request; ManifestInvalid unless its manifest is of this vehicle and this length."""
    try:
        request = CreationRequest.from_json(submission.body, what="the creation request")
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


def keep_rejected(
    connection: Connection, *, submission: Submission, error: ManifestInvalid, limits: GatewayLimits
) -> str:
    """Keep a rejected manifest as a dead letter, up to a limit per vehicle; returns what was done.

    Manifests that are not kept are still counted: the vehicle reports the clip's fires as failed.
    """
    number = dead_letters.count_open_rejections(connection, submission.vehicle_id)
    if number >= limits.rejections_per_vehicle:
        return f"not kept: this vehicle already has {number} dead letters"
    try:
        fires = len(CreationRequest.from_json(submission.body, what="the request").manifest.recording.fires)
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


async def _read_manifest(request: Request, limits: GatewayLimits) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(limits.body_silence_s):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_MANIFEST_BYTES:
                    raise _manifest_too_large()
    except TimeoutError as error:
        raise TooSlow(
            f"the manifest did not arrive within {limits.body_silence_s:g} s", remedy="send it again"
        ) from error
    return bytes(body)


def _manifest_too_large() -> TooLarge:
    return TooLarge(f"the manifest is larger than {MAX_MANIFEST_BYTES} bytes", remedy="record shorter clips")


def _created(upload: UploadRow, *, new: bool) -> Response:
    headers = {"Location": protocol.location(upload.id), **protocol.state_headers(upload)}
    if new:
        _log.info("upload %s: clip %s, %d bytes, created", upload.id, upload.clip_id, upload.size_bytes)
    return Response(status_code=201 if new else 200, headers=headers)
