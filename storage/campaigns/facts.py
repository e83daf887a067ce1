"""Facts that decide when campaigns start and complete: approved and running versions, and the smallest clip."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select, text

from storage.campaigns.queries import settings_of
from storage.tables import campaign_versions
from triggers.contracts.campaign import RUNNING, CampaignSettings, CampaignState

_SMALLEST_CLIP = text("""
    SELECT min(e.settled_delta) FROM ledger_entries e
    JOIN ledger_accounts a ON a.id = e.account_id
    WHERE a.kind = 'campaign_bytes' AND a.campaign = :campaign AND e.kind = 'settle'
""")


@dataclass(frozen=True, slots=True)
class OpenVersion:
    """A campaign version that waits for its start date (`approved`) or runs (`active`, `paused`)."""

    campaign: str
    version: int
    state: CampaignState
    settings: CampaignSettings


def open_versions(connection: Connection) -> list[OpenVersion]:
    """Approved and running versions, ordered by campaign; a campaign's running version comes first."""
    table = campaign_versions.c
    rows = connection.execute(
        select(table.campaign, table.version, table.state, table.settings)
        .where(table.state.in_((CampaignState.APPROVED, *RUNNING)))
        .order_by(table.campaign, table.state == CampaignState.APPROVED, table.version)
    )
    return [OpenVersion(row.campaign, row.version, CampaignState(row.state), settings_of(row.settings)) for row in rows]


def smallest_clip_bytes(connection: Connection, campaign: str) -> int | None:
    """The bytes that the campaign was charged for its smallest clip; None before the first.

    Reads all its settlements: clips may be erased.
    """
    smallest = connection.execute(_SMALLEST_CLIP, {"campaign": campaign}).scalar_one()
    return None if smallest is None else int(smallest)
