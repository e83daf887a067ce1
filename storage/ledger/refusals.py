"""Refusals of the budget ledger: which accounts are exhausted, whom that concerns, and whether waiting helps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import Row

from storage.ledger.accounts import MONTHS, SHARES, key_of
from triggers.contracts.api.budget import AccountKind
from triggers.contracts.clip import ClipManifest
from triggers.errors import BudgetExhausted

_OF_THE_FLEET = ("fleet", "fleet_month")


def refusal(
    refused: Sequence[Row[Any]], manifest: ClipManifest, cost_centres: Mapping[str, str], now: datetime
) -> BudgetExhausted:
    """Names all accounts, but of their campaigns only those that are refused for good, if there are any.

    The vehicle cuts the clip again without them, and then hears whether the others only have to wait for the next day.
    `refused` are the rows of accounts without enough left, `cost_centres` those of campaigns, as far as they have one.
    """
    totals = {(row.campaign, row.unit) for row in refused if row.kind in ("campaign_bytes", "campaign_clips")}
    # Where a total is used up, it does not matter how much of it was the vehicle's.
    refused = [row for row in refused if row.kind not in SHARES or (row.campaign, row.unit) not in totals]
    for_good = [row for row in refused if not _passes_with_time(row)]
    concerned = {name for row in for_good or refused for name in _campaigns_of(row, manifest, cost_centres)}
    worst = (for_good or refused)[0]
    key, left = key_of(worst), max(0, worst.limit_amount - worst.held)
    return BudgetExhausted(
        f"{key} has {left} {key.unit} left of {worst.limit_amount}, the upload needs {worst.amount}"
        + (f" ({len(refused) - 1} more refused)" if refused[1:] else ""),
        accounts=tuple(str(key_of(row)) for row in refused),
        campaigns=tuple(sorted(concerned)),
        retry_after_s=None if for_good else _until_next_day_s(now),
        remedy=_remedy(key.kind) if for_good else _wait(key.kind),
    )


def _campaigns_of(row: Row[Any], manifest: ClipManifest, cost_centres: Mapping[str, str]) -> set[str]:
    """The campaigns of a clip that an account refuses."""
    if row.kind in _OF_THE_FLEET:
        all_campaigns = {fire.campaign for fire in manifest.recording.fires}
        # Some of them may use the fleet's reserve: a clip of these alone is announced next, and may be admitted.
        return all_campaigns - set(row.preferred or ()) or all_campaigns
    if row.kind == "cost_centre_month":
        return {campaign for campaign, cost_centre in cost_centres.items() if cost_centre == row.cost_centre}
    return {row.campaign}


def _remedy(kind: AccountKind) -> str:
    if kind in SHARES:
        return "raise the limit in a new campaign version, or the share of a vehicle (LONGTAIL_VEHICLE_SHARE)"
    if kind in _OF_THE_FLEET:
        setting = "LONGTAIL_FLEET_MONTH_BYTES" if kind == "fleet_month" else "LONGTAIL_FLEET_TOTAL_BYTES"
        return f"an operator raises {setting}, or the limit that `longtail budget limit` has set"
    if kind == "cost_centre_month":
        return "an operator raises the cost centre's limit (`longtail budget limit --cost-centre`)"
    return "raise the limit in a new campaign version, or the one that `longtail budget limit` has set"


def _wait(kind: AccountKind) -> str:
    if kind in MONTHS:
        return "wait for the next month, or until its limit is raised (`longtail budget limit`); ask again in a day"
    return "wait for the next UTC day"


def _passes_with_time(row: Row[Any]) -> bool:
    return (row.kind == "campaign_vehicle_day" or row.kind in MONTHS) and row.amount <= row.limit_amount


def _until_next_day_s(now: datetime) -> int:
    now = now.astimezone(UTC)
    tomorrow = datetime.combine(now.date() + timedelta(days=1), time(), tzinfo=UTC)
    return -(-(tomorrow - now) // timedelta(seconds=1))
