"""What the ledger's tests share: upload rows to hang reservations on, and raw sums over the tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, text

from storage import usage
from storage.tables import uploads
from tests.support.rows import add_row
from triggers.contracts.clip import ClipManifest

NOON = datetime(2026, 5, 17, 12, 0, tzinfo=UTC)


class RolledBackError(Exception):
    """Ends a transaction that is to leave nothing."""


def roll_back() -> None:
    """End the transaction around the caller."""
    raise RolledBackError


def add_upload(connection: Connection, manifest: ClipManifest) -> str:
    """An open upload without a reservation; returns its id."""
    return str(
        add_row(
            connection,
            uploads,
            vehicle_id=manifest.recording.vehicle_id,
            size_bytes=manifest.size_bytes,
            **usage.place_columns(manifest.recording.vehicle_id),
            expires_at=NOON + timedelta(days=1),
        )["id"]
    )


def account_amounts(connection: Connection) -> dict[tuple[str, str], tuple[int, int]]:
    """(kind, campaign) to (held, settled) as the accounts themselves say, summed over vehicles and days."""
    rows = connection.execute(
        text("SELECT kind, campaign, sum(held), sum(settled) FROM ledger_accounts GROUP BY kind, campaign")
    )
    return {(kind, campaign): (int(held), int(settled)) for kind, campaign, held, settled in rows}
