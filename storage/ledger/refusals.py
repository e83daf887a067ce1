"""Refusals of the budget ledger: which accounts are exhausted, whom that concerns, and whether waiting helps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from storage.ledger.accounts import MONTHS, SHARES, TOTALS, AccountKey
from triggers.contracts.api.budget import AccountKind
from triggers.contracts.campaign import budget_owner
from triggers.contracts.clip import ClipManifest
from triggers.errors import BudgetExhausted

_OF_THE_FLEET = ("fleet", "fleet_month")


@dataclass(frozen=True, slots=True)
class Refused:
    """An account that has not enough left for an upload, which needs `amount` of it."""

    key: AccountKey
    amount: int
    held: int
    limit: int

    @classmethod
    def read(cls, account: Mapping[str, Any]) -> Refused:
        """As the function that reserves describes it."""
        day, month = (None if account[name] is None else date.fromisoformat(account[name]) for name in ("day", "month"))
        names = {name: account[name] for name in ("kind", "campaign", "trigger", "vehicle_id", "cost_centre")}
        key = AccountKey(**names, day=day, month=month)
        return cls(key, int(account["amount"]), int(account["held"]), int(account["limit_amount"]))

    @property
    def passes_with_time(self) -> bool:
        """Whether another day or month has room for the upload."""
        return (self.key.day is not None or self.key.kind in MONTHS) and self.amount <= self.limit


def refusal(
    refused: Sequence[Refused],
    manifest: ClipManifest,
    cost_centres: Mapping[str, str],
    *,
    preferred: Sequence[str],
    now: datetime,
) -> BudgetExhausted:
    """Names all accounts, but of their campaigns and triggers only those that are refused for good, if there are any.

    The vehicle cuts the clip again without them, and then hears whether the others only have to wait for the next day.
    `cost_centres` are those of campaigns, `preferred` are campaigns that may use the fleet's reserve.
    """
    totals = {_total_of(one.key) for one in refused if one.key.kind in TOTALS}
    # Where a total is used up, it does not matter how much of it was the vehicle's.
    refused = [one for one in refused if one.key.kind not in SHARES or _total_of(one.key) not in totals]
    for_good = [one for one in refused if not one.passes_with_time]
    of_fires = {fire.campaign for fire in manifest.recording.fires}
    # Some of them may use the fleet's reserve: a clip of these alone is announced next, and may be admitted.
    of_fleet = of_fires - set(preferred) or of_fires
    concerned = {name for one in for_good or refused for name in _campaigns_of(one.key, of_fleet, cost_centres)}
    triggers = {budget_owner(one.key.campaign, one.key.trigger) for one in for_good or refused if one.key.trigger}
    worst = (for_good or refused)[0]
    key, left = worst.key, max(0, worst.limit - worst.held)
    return BudgetExhausted(
        f"{key} has {left} {key.unit} left of {worst.limit}, the upload needs {worst.amount}"
        + (f" ({len(refused) - 1} more refused)" if refused[1:] else ""),
        accounts=tuple(str(one.key) for one in refused),
        campaigns=tuple(sorted(concerned)),
        triggers=tuple(sorted(triggers)) or None,
        retry_after_s=None if for_good else _until_next_day_s(now),
        remedy=_remedy(key) if for_good else _wait(key.kind),
    )


def _campaigns_of(key: AccountKey, of_fleet: set[str], cost_centres: Mapping[str, str]) -> set[str]:
    """The campaigns of a clip that an account refuses."""
    if key.kind in _OF_THE_FLEET:
        return of_fleet
    if key.kind == "cost_centre_month":
        return {campaign for campaign, cost_centre in cost_centres.items() if cost_centre == key.cost_centre}
    return set() if key.trigger else {key.campaign}


def _total_of(key: AccountKey) -> tuple[str, str, str]:
    return key.campaign, key.trigger, key.unit


def _remedy(key: AccountKey) -> str:
    if key.kind in SHARES:
        return "raise the limit in a new campaign version, or the share of a vehicle (LONGTAIL_VEHICLE_SHARE)"
    if key.kind in _OF_THE_FLEET:
        setting = "LONGTAIL_FLEET_MONTH_BYTES" if key.kind == "fleet_month" else "LONGTAIL_FLEET_TOTAL_BYTES"
        return f"an operator raises {setting}, or the limit that `longtail budget limit` has set"
    if key.kind == "cost_centre_month":
        return "an operator raises the cost centre's limit (`longtail budget limit --cost-centre`)"
    whose = "the trigger's limit" if key.trigger else "the limit"
    raise_it = f"raise {whose} in a new campaign version"
    return f"{raise_it}, or the one that `longtail budget limit` has set" if key.kind in TOTALS else raise_it


def _wait(kind: AccountKind) -> str:
    if kind in MONTHS:
        return "wait for the next month, or until its limit is raised (`longtail budget limit`); ask again in a day"
    return "wait for the next UTC day"


def _until_next_day_s(now: datetime) -> int:
    now = now.astimezone(UTC)
    tomorrow = datetime.combine(now.date() + timedelta(days=1), time(), tzinfo=UTC)
    return -(-(tomorrow - now) // timedelta(seconds=1))
