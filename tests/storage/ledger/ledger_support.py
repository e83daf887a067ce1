"""What the ledger's tests share: upload rows to hang reservations on, and raw sums over the tables."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, insert, text

from storage.tables import uploads
from triggers.contracts.clip import ClipManifest

NOON = datetime(2026, 5, 17, 12, 0, tzinfo=UTC)


class RolledBackError(Exception):
    """Ends a transaction that is to leave nothing."""


def roll_back() -> None:
    """End the transaction around the caller."""
    raise RolledBackError


def add_upload(connection: Connection, manifest: ClipManifest) -> str:
    """An open upload without a reservation; returns its id."""
    upload_id = secrets.token_hex(16)
    connection.execute(
        insert(uploads).values(
            id=upload_id,
            clip_id=upload_id,
            vehicle_id=manifest.recording.vehicle_id,
            manifest=b"{}",
            size_bytes=manifest.size_bytes,
            state="open",
            log_partition=0,
            network="wifi",
            expires_at=NOON + timedelta(days=1),
        )
    )
    return upload_id


def account_amounts(connection: Connection) -> dict[tuple[str, str], tuple[int, int]]:
    """(kind, campaign) to (held, settled) as the accounts themselves say, summed over vehicles and days."""
    rows = connection.execute(
        text("SELECT kind, campaign, sum(held), sum(settled) FROM ledger_accounts GROUP BY kind, campaign")
    )
    return {(kind, campaign): (int(held), int(settled)) for kind, campaign, held, settled in rows}
