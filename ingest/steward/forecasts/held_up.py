"""Whether a limit holds a campaign up: its own, its cost centre's or the fleet's admits no clip of the usual size."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import datetime

from storage.campaigns import owners
from storage.database import Connection
from storage.ledger.accounts import AccountKey
from storage.ledger.limits import FleetTerms, get_limit
from storage.ledger.usage import account
from triggers.contracts.api.budget import AccountUnit
from triggers.contracts.campaign import CampaignSettings


def is_held_up(
    connection: Connection,
    campaign: str,
    settings: CampaignSettings,
    spent: Mapping[AccountUnit, int],
    *,
    fleet: FleetTerms,
    now: datetime,
) -> bool:
    """Whether no clip of this campaign fits into a limit; `spent` says how large its clips are."""
    usual: Mapping[AccountUnit, int] = {"bytes": max(1, spent["bytes"] // max(1, spent["clips"])), "clips": 1}
    is_preferred = settings.priority >= fleet.reserve_priority
    for key in _accounts(connection, campaign, fleet, now):
        found = account(connection, key, fleet)
        if found.limit is None:
            continue
        limit = found.limit
        if key.kind in ("fleet", "fleet_month") and not is_preferred:
            limit = math.floor(limit * (1 - fleet.reserve_share))
        if limit - found.held < usual[key.unit]:
            return True
    return False


def _accounts(connection: Connection, campaign: str, fleet: FleetTerms, now: datetime) -> Iterator[AccountKey]:
    """Those that a clip of the campaign is charged to, but vehicles' shares, which hold up single vehicles."""
    yield AccountKey("campaign_clips", campaign)
    yield AccountKey("campaign_bytes", campaign)
    yield AccountKey("fleet")
    yield AccountKey("fleet_month", month=fleet.month(now))
    owner = owners.find(connection, campaign)
    if owner is not None and owner.cost_centre:
        _, zone = get_limit(connection, "cost_centre_month", owner.cost_centre)
        yield AccountKey("cost_centre_month", cost_centre=owner.cost_centre, month=fleet.month(now, zone))
