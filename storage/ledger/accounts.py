"""Accounts of the budget ledger: their keys and amounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import cast

from sqlalchemy import Row

from triggers.contracts.api.budget import AccountKind, AccountUnit
from triggers.contracts.campaign import budget_owner
from triggers.errors import InvalidInput
from triggers.written_numbers import is_whole_number

OF_CLIPS: tuple[AccountKind, ...] = (
    "campaign_clips",
    "campaign_vehicle_clips",
    "campaign_vehicle_day_clips",
    "trigger_clips",
    "trigger_vehicle_clips",
    "trigger_vehicle_day_clips",
)
"""Accounts whose amounts count clips."""
TOTALS: tuple[AccountKind, ...] = ("campaign_clips", "campaign_bytes", "trigger_clips", "trigger_bytes")
"""What all vehicles together use of a campaign, or of a trigger's own budget in it."""
SHARES: tuple[AccountKind, ...] = (
    "campaign_vehicle_bytes",
    "campaign_vehicle_clips",
    "trigger_vehicle_bytes",
    "trigger_vehicle_clips",
)
"""What one vehicle uses of these totals. They exist where the total is limited."""
DAYS: tuple[AccountKind, ...] = (
    "trigger_vehicle_day_clips",
    "trigger_vehicle_day",
    "campaign_vehicle_day_clips",
    "campaign_vehicle_day",
)
"""What one vehicle uses of its campaign, or of a trigger's own budget, on a UTC day. Clips, and what is of triggers,
are counted where they are limited."""
ORDER_OF_KINDS: tuple[AccountKind, ...] = (
    "fleet",
    "fleet_month",
    "cost_centre_month",
    "network_month",
    *TOTALS,
    *SHARES,
    *DAYS,
)
"""In lists."""
MONTHS: tuple[AccountKind, ...] = ("fleet_month", "cost_centre_month", "network_month")
"""What is counted by calendar months."""


@dataclass(frozen=True, slots=True, order=True)
class AccountKey:
    """What an account belongs to. `day` is a UTC day, `month` the first day of a month in the zone that the account
    states; fields that do not apply to the kind are empty."""

    kind: AccountKind
    campaign: str = ""
    vehicle_id: str = ""
    day: date | None = None
    cost_centre: str = ""
    network: str = ""
    month: date | None = None
    trigger: str = ""

    @property
    def unit(self) -> AccountUnit:
        """What the account's amounts count."""
        return "clips" if self.kind in OF_CLIPS else "bytes"

    def __str__(self) -> str:
        month = "" if self.month is None else f"{self.month:%Y-%m}"
        names = (self.campaign, self.trigger, self.vehicle_id, self.cost_centre, self.network)
        parts = (self.kind, *names, self.day, month)
        return ":".join(str(part) for part in parts if part)


def total_key(campaign: str, unit: AccountUnit, trigger: str = "") -> AccountKey:
    """The account of what all vehicles together use of a campaign, or of a trigger's own budget in it."""
    if trigger:
        return AccountKey("trigger_bytes" if unit == "bytes" else "trigger_clips", campaign, trigger=trigger)
    return AccountKey("campaign_bytes" if unit == "bytes" else "campaign_clips", campaign)


@dataclass(frozen=True, slots=True)
class AccountUsage:
    """One account with its exact amounts. `limit` is the one in force now, None without one."""

    key: AccountKey
    limit: int | None
    held: int
    """Reserved or settled; what a reservation is checked against."""
    settled: int
    """The part of `held` that arrived."""

    @property
    def unit(self) -> AccountUnit:
        """What the amounts count."""
        return self.key.unit

    @property
    def position(self) -> Position:
        """Its place in a list of accounts."""
        key = self.key
        of_campaign = budget_owner(key.campaign, key.trigger)
        name = of_campaign or key.cost_centre or key.network
        return Position(key.kind, self.held if key.day is not None else 0, name, key.vehicle_id, key.month)


@dataclass(frozen=True, slots=True)
class Position:
    """A place in lists of accounts: by kind, vehicle-days last, and these by what they hold, the most first."""

    kind: AccountKind
    held: int
    """Of a vehicle-day; 0 for others, which are in the order of their names."""
    name: str
    """Of the campaign (with its trigger, between them a dot), the cost centre or the network."""
    vehicle_id: str
    month: date | None = None

    def __lt__(self, other: Position) -> bool:
        return self._key() < other._key()

    def _key(self) -> tuple[int, int, str, str, date]:
        month = self.month or date(1970, 1, 1)
        return ORDER_OF_KINDS.index(self.kind), -self.held, self.name, self.vehicle_id, month

    def __str__(self) -> str:
        """As clients get it: names have no slash."""
        return f"{self.kind}/{self.name}/{self.vehicle_id}/{self.held}/{self.month or ''}"

    @classmethod
    def parse(cls, text: str) -> Position:
        """The position that was written so; InvalidInput for every other text."""
        kind, *rest = text.split("/")
        if kind not in ORDER_OF_KINDS or len(rest) != 4 or not is_whole_number(rest[2]) or len(rest[2]) > 19:
            raise _no_position(text)
        try:
            month = date.fromisoformat(rest[3]) if rest[3] else None
        except ValueError as error:
            raise _no_position(text) from error
        return cls(kind, int(rest[2]), rest[0], rest[1], month)


def _no_position(text: str) -> InvalidInput:
    return InvalidInput(f"{text[:100]!r} is no position in a list of budgets", remedy="send a page's `next`")


def key_of(row: Row[tuple[object, ...]]) -> AccountKey:
    """The account of a row that has its columns."""
    kind = cast(AccountKind, row.kind)
    return AccountKey(kind, row.campaign, row.vehicle_id, row.day, row.cost_centre, row.network, row.month, row.trigger)
