"""Facts that decide when campaigns start and complete: approved and running versions, and what campaigns have used."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select, text

from storage.campaigns.queries import settings_of
from storage.tables import campaign_versions
from triggers.contracts.campaign import RUNNING, CampaignSettings, CampaignState

# Entries that are not folded yet are added to what their account already says.
_SETTLED = text("""
    SELECT a.campaign,
        sum(a.settled + coalesce(u.settled, 0)) FILTER (WHERE a.kind = 'campaign_bytes') AS bytes,
        sum(a.settled + coalesce(u.settled, 0)) FILTER (WHERE a.kind = 'campaign_clips') AS clips
    FROM ledger_accounts a
    LEFT JOIN (
        SELECT account_id, sum(settled_delta) AS settled FROM ledger_entries WHERE NOT folded GROUP BY account_id
    ) AS u ON u.account_id = a.id
    WHERE a.kind IN ('campaign_bytes', 'campaign_clips')
    GROUP BY a.campaign
""")

_SMALLEST_CLIP = text("""
    SELECT min(bytes) FROM (
        SELECT sum(charged_bytes) AS bytes FROM clip_fires WHERE campaign = :campaign GROUP BY clip_id
    ) AS by_clip
""")


@dataclass(frozen=True, slots=True)
class OpenVersion:
    """A campaign version that waits for its start date (`approved`) or runs (`active`, `paused`)."""

    campaign: str
    version: int
    state: CampaignState
    settings: CampaignSettings


@dataclass(frozen=True, slots=True)
class Settled:
    """What a campaign's catalogued clips have used. Reservations are not included: they may still be released."""

    bytes: int = 0
    clips: int = 0


def open_versions(connection: Connection) -> list[OpenVersion]:
    """Approved and running versions, ordered by campaign; a campaign's running version comes first."""
    table = campaign_versions.c
    rows = connection.execute(
        select(table.campaign, table.version, table.state, table.settings)
        .where(table.state.in_((CampaignState.APPROVED, *RUNNING)))
        .order_by(table.campaign, table.state == CampaignState.APPROVED, table.version)
    )
    return [OpenVersion(row.campaign, row.version, CampaignState(row.state), settings_of(row.settings)) for row in rows]


def settled_by_campaign(connection: Connection) -> dict[str, Settled]:
    """What each campaign has used, by the campaign's name."""
    return {row.campaign: Settled(int(row.bytes or 0), int(row.clips or 0)) for row in connection.execute(_SETTLED)}


def smallest_clip_bytes(connection: Connection, campaign: str) -> int | None:
    """The bytes that the campaign was charged for its smallest clip; None before the first. Reads all its clips."""
    smallest = connection.execute(_SMALLEST_CLIP, {"campaign": campaign}).scalar_one()
    return None if smallest is None else int(smallest)
