"""Opening uploads: what must be known about a clip's fires and its vehicle beforehand, and the new row."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from storage import usage
from storage.campaigns.queries import MAX_VERSION
from storage.tables import campaign_versions, uploads, vehicles
from storage.tables.uploads import UPLOAD_IS_LIVE, UPLOAD_IS_OPEN, UploadState
from storage.uploads.rows import COLUMNS, UploadRow, row_of
from triggers.contracts.campaign import Network
from triggers.contracts.clip import CreationRequest


@dataclass(frozen=True, slots=True)
class ApprovedVersion:
    """A campaign version that was approved at some time: its program and the names of its triggers."""

    program_digest: str
    triggers: frozenset[str]


def approved_versions(
    connection: Connection, versions: Collection[tuple[str, int]]
) -> dict[tuple[str, int], ApprovedVersion]:
    """Those of these (campaign, version) that were ever approved."""
    table = campaign_versions.c
    storable = sorted({(campaign, version) for campaign, version in versions if version <= MAX_VERSION})
    rows = connection.execute(
        select(table.campaign, table.version, table.program_digest, table.settings["triggers"].label("triggers")).where(
            tuple_(table.campaign, table.version).in_(storable), table.bundle_digest.is_not(None)
        )
    )
    return {
        (row.campaign, row.version): ApprovedVersion(
            row.program_digest, frozenset(trigger["name"] for trigger in row.triggers)
        )
        for row in rows
    }


def takes_part(connection: Connection, vehicle_id: str, *, exclusive: bool = False) -> bool:
    """Whether a vehicle may begin uploads: it is not erased, and will not be before this transaction ends.

    `exclusive`: the transaction may change the vehicle's row; two that had shared it would wait for each other then.
    """
    table = vehicles.c
    found = select(table.id).where(table.id == vehicle_id, table.erasure.is_(None))
    locked = found.with_for_update(read=not exclusive, key_share=exclusive)
    return connection.execute(locked).one_or_none() is not None


def count_open(connection: Connection, vehicle_id: str, *, at_most: int) -> int:
    """How many uploads of a vehicle are open; counts no further than `at_most`."""
    open_uploads = select(uploads.c.id).where(uploads.c.vehicle_id == vehicle_id, UPLOAD_IS_OPEN).limit(at_most)
    return connection.execute(select(func.count()).select_from(open_uploads.subquery())).scalar_one()


def insert_open(
    connection: Connection,
    request: CreationRequest,
    *,
    expires_at: datetime,
    log_partitions: int,
    metadata: str | None = None,
) -> UploadRow | None:
    """Write a new open upload; None when another transaction has committed a live one of the same clip.

    `metadata` is the Upload-Metadata header that came with the request.
    """
    manifest = request.manifest
    statement = insert(uploads).values(
        id=secrets.token_hex(16),
        clip_id=manifest.clip_id,
        vehicle_id=manifest.recording.vehicle_id,
        manifest=manifest.canonical_json(),
        cell_digests=bytes.fromhex("".join(manifest.cells)),
        metadata=metadata,
        size_bytes=manifest.size_bytes,
        state=UploadState.OPEN,
        log_partition=log_partition(manifest.clip_id, log_partitions),
        network=request.network.value,
        shares=usage.shares_of(manifest),
        **usage.place_columns(manifest.recording.vehicle_id),
        expires_at=expires_at,
    )
    unless_live = statement.on_conflict_do_nothing(index_elements=[uploads.c.clip_id], index_where=UPLOAD_IS_LIVE)
    row = connection.execute(unless_live.returning(*COLUMNS)).one_or_none()
    return row_of(row) if row else None


def announce_again(connection: Connection, upload_id: str, network: Network) -> None:
    """From now on the bytes of this upload, if it is open, come on another network."""
    table = uploads.c
    moved = update(uploads).where(table.id == upload_id, table.state == UploadState.OPEN, table.network != network)
    connection.execute(moved.values(network=network))


def log_partition(clip_id: str, partitions: int) -> int:
    """The log partition of a clip's cells: a function of its identity alone."""
    return int(clip_id[:16], 16) % partitions
