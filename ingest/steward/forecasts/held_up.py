"""Which budgets limits hold up: their own, their campaign's, its cost centre's or the fleet's admits no usual clip."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from datetime import datetime

from storage.campaigns import owners
from storage.database import Connection
from storage.ledger.accounts import AccountKey, AccountUsage, total_key
from storage.ledger.limits import FleetTerms, get_limit
from storage.ledger.usage import account
from storage.rates.forecasts import UNITS
from storage.rates.spending import usual_size


def held_up(
    connection: Connection,
    campaign: str,
    priority: int,
    totals: Collection[AccountKey],
    *,
    fleet: FleetTerms,
    now: datetime,
) -> frozenset[str]:
    """The triggers ('': the campaign itself) whose budgets take no clip of this campaign any more; `totals` are the
    campaign's accounts and those that limit its triggers.

    A limit on the whole campaign holds up all of them. That of a trigger holds up the trigger, and the campaign, which
    spends less than planned from then on.
    """
    usual = {unit: usual_size(connection, total_key(campaign, unit)) for unit in UNITS}
    is_preferred = priority >= fleet.reserve_priority
    for key in _accounts(connection, campaign, fleet, now):
        share = 0.0 if is_preferred or key.kind not in ("fleet", "fleet_month") else fleet.reserve_share
        if _is_full(account(connection, key, fleet), usual[key.unit], reserved=share):
            return frozenset(key.trigger for key in totals)
    # By its own clips: those of another trigger may be a hundred times as large.
    full = {
        key.trigger
        for key in totals
        if key.trigger and _is_full(account(connection, key, fleet), usual_size(connection, key))
    }
    return frozenset(full | {""} if full else ())


def _is_full(found: AccountUsage, usual: float, reserved: float = 0.0) -> bool:
    return found.limit is not None and math.floor(found.limit * (1 - reserved)) - found.held < usual


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
