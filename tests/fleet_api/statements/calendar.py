"""Clips that arrived on days of the past: stored as ever, and then dated back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection, text

from ingest.gateway.opening import open_upload
from storage.clips import writer
from storage.database import Database
from storage.erasure import clips as erasure
from storage.tables.erasure import ErasureCause
from storage.tiers import moves
from storage.uploads import endings
from tests.storage.erasure.erasure_support import EXTRACTOR, TERMS
from tests.support.fleet import add_version, enroll_vehicle, fire, manifest_of
from triggers.contracts.campaign import Network
from triggers.contracts.clip import CreationRequest
from triggers.costs.storage_classes import AS_STORED

GB = 10**9


def moment(at: str) -> datetime:
    """A time such as 2026-01-31T23:30 in UTC."""
    return datetime.fromisoformat(at).replace(tzinfo=UTC)


def prepare(database: Database, *campaigns: str) -> None:
    """Running campaigns, and a vehicle that has had them since today."""
    with database.begin() as connection:
        for campaign in campaigns:
            add_version(connection, campaign)
        enroll_vehicle(connection)
        connection.execute(text("UPDATE assignments SET assigned_from = now()"))


def arrive(
    database: Database,
    charges: Mapping[str, int],
    at: str,
    *,
    network: Network = Network.WIFI,
    gigabytes: bool = True,
    ends: str = "stored",
) -> str:
    """A clip that came at a time, charged to campaigns as given: in GB, of which a byte stands for one, or in bytes.

    `ends` is `stored`, or `failed` for an upload whose bytes came and whose clip can never be stored. Returns the id.
    """
    manifest = manifest_of(bytes(sum(charges.values())), [fire(name, part) for name, part in charges.items()])
    with database.begin() as connection:
        opened, _ = open_upload(
            connection, CreationRequest(manifest=manifest, network=network), TERMS, now=datetime.now(UTC)
        )
        upload = writer.find_upload(connection, opened.id)
    assert upload is not None
    with database.begin() as connection:
        if ends == "stored":
            assert writer.store_clip(connection, upload, extractor_version=EXTRACTOR).won
        else:
            connection.execute(text("UPDATE uploads SET offset_bytes = size_bytes WHERE id = :id"), {"id": upload.id})
            assert endings.fail(connection, upload.id, "damaged")
        _date_back(connection, upload.id, moment(at), times=GB if gigabytes else 1)
    return upload.clip_id


def _date_back(connection: Connection, upload_id: str, at: datetime, *, times: int) -> None:
    parameters = {"id": upload_id, "at": at, "times": times}
    for statement in (
        "UPDATE ledger_entries SET created_at = :at, amount = amount * :times WHERE upload_id = :id",
        "UPDATE uploads SET closed_at = :at WHERE id = :id",
        "UPDATE clips SET stored_at = :at WHERE upload_id = :id",
    ):
        connection.execute(text(statement), {k: parameters[k] for k in parameters if f":{k}" in statement})


def erase(database: Database, clip_id: str, at: str) -> None:
    """Erase a clip at a time."""
    with database.begin() as connection:
        assert erasure.erase(connection, [clip_id], ErasureCause.EXPIRED).clips == 1
        connection.execute(
            text("UPDATE erased_clips SET erased_at = :at WHERE clip_id = :id"), {"at": moment(at), "id": clip_id}
        )


def move(database: Database, clip_id: str, storage_class: str, at: str) -> None:
    """Move a clip's recording to another storage class at a time, as the steward notes it."""
    with database.begin() as connection:
        row = connection.execute(text("SELECT object_key, tier FROM clips WHERE id = :id"), {"id": clip_id}).one()
        moves.note(connection, moves.Move(clip_id, row.object_key, row.tier or AS_STORED, storage_class))
        newest = "id = (SELECT max(id) FROM tier_moves)"
        connection.execute(text(f"UPDATE tier_moves SET moved_at = :at WHERE {newest}"), {"at": moment(at)})
