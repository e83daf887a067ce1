"""Accounts of the budget ledger: their keys and amounts, and the SQL of their limits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import cast, get_args

from sqlalchemy import Row

from storage.tables.base import is_one_of
from triggers.contracts.api.budget import AccountKind, AccountUnit
from triggers.contracts.campaign import RUNNING
from triggers.errors import InvalidInput
from triggers.written_numbers import is_whole_number

OF_CLIPS: tuple[AccountKind, ...] = ("campaign_clips", "campaign_vehicle_clips")
"""Accounts whose amounts count clips."""
SHARES: tuple[AccountKind, ...] = ("campaign_vehicle_bytes", "campaign_vehicle_clips")
"""What one vehicle uses of its campaign's totals. They exist where the campaign limits the total."""
EVEN_SHARES = 2
"""A vehicle may use so many times its even share of a total, or `vehicle_share` of it when that is more: a campaign for
one or two vehicles is theirs, and of many no single one can use it up."""


@dataclass(frozen=True, slots=True, order=True)
class AccountKey:
    """What an account belongs to. `day` is a UTC day; fields that do not apply to the kind are empty."""

    kind: AccountKind
    campaign: str = ""
    vehicle_id: str = ""
    day: date | None = None

    @property
    def unit(self) -> AccountUnit:
        """What the account's amounts count."""
        return "clips" if self.kind in OF_CLIPS else "bytes"

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.kind, self.campaign, self.vehicle_id, self.day) if part)


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
        is_day = self.key.day is not None
        return Position(is_day, self.key.kind, self.held if is_day else 0, self.key.campaign, self.key.vehicle_id)


@dataclass(frozen=True, slots=True)
class Position:
    """A place in lists of accounts: totals, then vehicle-days by what they hold, the most first; then names."""

    is_day: bool
    kind: AccountKind
    held: int
    """Of a vehicle-day; 0 for totals, which are in the order of their names."""
    campaign: str
    vehicle_id: str

    def __lt__(self, other: Position) -> bool:
        if (self.is_day, self.kind) != (other.is_day, other.kind):
            return (other.is_day, self.kind) > (self.is_day, other.kind)
        return (-self.held, self.campaign, self.vehicle_id) < (-other.held, other.campaign, other.vehicle_id)

    def __str__(self) -> str:
        """As clients get it: names have no slash."""
        return f"{self.kind}/{self.campaign}/{self.vehicle_id}/{self.held}"

    @classmethod
    def parse(cls, text: str) -> Position:
        """The position that was written so; InvalidInput for every other text."""
        kind, *rest = text.split("/")
        if kind not in get_args(AccountKind) or len(rest) != 3 or not is_whole_number(rest[2]) or len(rest[2]) > 19:
            raise InvalidInput(f"{text[:100]!r} is no position in a list of budgets", remedy="send a page's `next`")
        return cls(kind == "campaign_vehicle_day", cast(AccountKind, kind), int(rest[2]), rest[0], rest[1])


def key_of(row: Row[tuple[object, ...]]) -> AccountKey:
    """The account of a row that has its columns."""
    return AccountKey(cast(AccountKind, row.kind), row.campaign, row.vehicle_id, row.day)


LIMITS = f"""
    limits AS (
        SELECT DISTINCT ON (campaign) campaign, settings -> 'budget' AS budget, (
            SELECT count(*) FROM (
                SELECT FROM assignments s WHERE s.campaign = v.campaign
                LIMIT CAST(ceil({EVEN_SHARES} / CAST(:vehicle_share AS numeric)) AS bigint)
            ) given
        ) AS vehicles
        FROM campaign_versions v
        WHERE campaign = ANY (CAST(:campaigns AS text[])) AND bundle_digest IS NOT NULL
        ORDER BY campaign, {is_one_of("state", RUNNING)} DESC, version DESC
    )"""  # noqa: S608 - put together from constants
"""Limits are those of the running version, else of the latest version that was ever approved. `vehicles` is how many
have been given the campaign, counted as far as that decides on their shares."""

_SHARE = f"""least(1, greatest(
            CAST(:vehicle_share AS numeric), {EVEN_SHARES}.0 / greatest(1, l.vehicles)
        ))"""

LIMIT_OF_ACCOUNT = f"""
    CASE a.kind
        WHEN 'fleet' THEN CAST(:fleet_limit_bytes AS bigint)
        WHEN 'campaign_bytes' THEN CAST(l.budget ->> 'total_bytes' AS bigint)
        WHEN 'campaign_clips' THEN CAST(l.budget ->> 'clips' AS bigint)
        WHEN 'campaign_vehicle_bytes' THEN CAST(ceil(CAST(l.budget ->> 'total_bytes' AS bigint) * {_SHARE}) AS bigint)
        WHEN 'campaign_vehicle_clips' THEN CAST(ceil(CAST(l.budget ->> 'clips' AS bigint) * {_SHARE}) AS bigint)
        ELSE CAST(l.budget ->> 'vehicle_day_bytes' AS bigint)
    END"""
