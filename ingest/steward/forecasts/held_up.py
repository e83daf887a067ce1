"""Which budgets limits hold up: their own, their campaign's, its cost centre's or the fleet's admits no usual clip."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import datetime

from storage import ledger
from storage.campaigns import owners
from storage.database import Connection
from storage.ledger.accounts import AccountKey, AccountUsage
from storage.ledger.limits import FleetTerms, get_limit
from storage.ledger.usage import account
from triggers.contracts.api.budget import AccountUnit
from triggers.contracts.campaign import CampaignSettings


def held_up(
    connection: Connection,
    campaign: str,
    settings: CampaignSettings,
    spent: Mapping[AccountUnit, int],
    *,
    fleet: FleetTerms,
    now: datetime,
) -> frozenset[str]:
    """The triggers ('': the campaign itself) whose budgets take no clip of this campaign any more; `spent` says how
    large its clips are.

    A limit on the whole campaign holds up all of them. That of a trigger holds up the trigger, and the campaign, which
    spends less than planned from then on.
    """
    usual: Mapping[AccountUnit, int] = {"bytes": max(1, spent["bytes"] // max(1, spent["clips"])), "clips": 1}
    is_preferred = settings.priority >= fleet.reserve_priority
    of_triggers = [trigger.name for trigger in settings.triggers if trigger.budget is not None]
    for key in _accounts(connection, campaign, fleet, now):
        share = 0.0 if is_preferred or key.kind not in ("fleet", "fleet_month") else fleet.reserve_share
        if _is_full(account(connection, key, fleet), usual, reserved=share):
            return frozenset(("", *of_triggers))
    if not of_triggers:
        return frozenset()
    # Totals come first, of the campaign and of its triggers two each at most.
    totals = ledger.usage(connection, campaign, day=now.date(), fleet=fleet, limit=2 + 2 * len(of_triggers))
    totals += ledger.unused_limits(connection, campaign)
    full = {each.key.trigger for each in totals if each.key.trigger and each.key.day is None and _is_full(each, usual)}
    return frozenset(full | {""} if full else ())


def _is_full(found: AccountUsage, usual: Mapping[AccountUnit, int], reserved: float = 0.0) -> bool:
    if found.limit is None:
        return False
    return math.floor(found.limit * (1 - reserved)) - found.held < usual[found.unit]


def _accounts(connection: Connection, campaign: str, fleet: FleetTerms, now: datetime) -> Iterator[AccountKey]:
    """Those that every clip of the campaign is charged to, but vehicles' shares, which hold up single vehicles."""
    yield AccountKey("campaign_clips", campaign)
    yield AccountKey("campaign_bytes", campaign)
    yield AccountKey("fleet")
    yield AccountKey("fleet_month", month=fleet.month(now))
    owner = owners.find(connection, campaign)
    if owner is not None and owner.cost_centre:
        _, zone = get_limit(connection, "cost_centre_month", owner.cost_centre)
        yield AccountKey("cost_centre_month", cost_centre=owner.cost_centre, month=fleet.month(now, zone))
