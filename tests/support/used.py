"""A fleet that has used something: clips of two regions and networks, bytes sent twice, and counts as reported."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, update

from storage import usage
from storage.clips import writer
from storage.database import Database
from storage.tables import uploads
from storage.uploads import creation
from storage.vehicles import telemetry
from storage.vehicles.enrolment import enrol
from tests.support.fleet import TRIGGER, add_version, charged_manifest
from triggers.contracts.campaign import Network
from triggers.contracts.checkin import FireCounts, Telemetry
from triggers.contracts.clip import ClipManifest, CreationRequest


def open_upload(connection: Connection, manifest: ClipManifest, network: Network = Network.WIFI) -> str:
    """An upload of a clip, without a reservation; returns its id."""
    request = CreationRequest(manifest=manifest, network=network)
    upload = creation.insert_open(
        connection, request, expires_at=datetime.now(UTC) + timedelta(days=1), log_partitions=1
    )
    assert upload is not None
    return upload.id


def store(connection: Connection, upload_id: str) -> None:
    """Store the clip of an upload, all of which its gateway has recorded."""
    connection.execute(update(uploads).where(uploads.c.id == upload_id).values(offset_bytes=uploads.c.size_bytes))
    upload = writer.find_upload(connection, upload_id)
    assert upload is not None and writer.store_clip(connection, upload, extractor_version=1).won


def counts(watermark: int, *, campaign: str = "braking", armed_ns: int = 0, distance_m: int = 0) -> FireCounts:
    """Counts of a campaign's first version: so many fires, all of them handed over."""
    return FireCounts(
        campaign=campaign,
        version=1,
        watermark=watermark,
        suppressed=2 * watermark,
        handed_over=watermark,
        per_trigger={TRIGGER: watermark},
        armed_ns=armed_ns,
        distance_m=distance_m,
    )


def report(connection: Connection, vehicle_id: str, *of_versions: FireCounts, at_ns: int = 1) -> int:
    """Record a report of counts."""
    return telemetry.record_counts(connection, vehicle_id, Telemetry(counts=of_versions, reported_at_ns=at_ns))


def use(database: Database) -> None:
    """Two vehicles, one of them in the EU; a clip of 50 bytes of two campaigns, and one of 7 bytes, sent twice."""
    with database.begin() as connection:
        for campaign in ("braking", "lanes"):
            add_version(connection, campaign)
        enrol(connection, "car-1", {"region": "eu", "model": "m1"})
        enrol(connection, "car-2", {})
        both = open_upload(connection, charged_manifest({"braking": 30, "lanes": 20}))
        alone = open_upload(connection, charged_manifest({"lanes": 7}, vehicle_id="car-2"), Network.CELLULAR)
        for upload_id, amount in ((both, 50), (alone, 7), (alone, 7)):
            usage.add_received(connection, {upload_id: amount})
        for upload_id in (both, alone):
            store(connection, upload_id)
        report(connection, "car-1", counts(3, armed_ns=7200 * 10**9, distance_m=1500))
    with database.begin() as connection:
        usage.fold(connection, 3)
