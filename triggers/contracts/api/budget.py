"""Budgets in the API: the accounts of the ledger, with their limits and how much of them is used."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, StringConstraints

from triggers.contracts.api.base import View

AccountKind = Literal[
    "fleet",
    "campaign_bytes",
    "campaign_clips",
    "campaign_vehicle_day",
    "campaign_vehicle_bytes",
    "campaign_vehicle_clips",
]
"""What an account limits: bytes of the whole fleet, bytes or clips of a campaign, its bytes per vehicle and UTC day."""
AccountUnit = Literal["bytes", "clips"]
MAX_LISTED_ACCOUNTS = 10_000
CostCentre = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$")]
"""The name of a cost centre, as accounting has it: up to 64 letters, digits, `.`, `_` and `-`; '' for none."""


class AccountView(View):
    """A ledger account: `held` is reserved or used, `settled` the part that arrived. A null limit means no limit.

    `campaign`, `vehicle_id` and `day` (UTC) are empty where the kind of account does not have them.
    """

    kind: AccountKind
    campaign: str
    vehicle_id: str
    day: date | None
    unit: AccountUnit
    limit: int | None
    held: int
    settled: int


class BudgetList(BaseModel):
    """Accounts: totals first, then one day's vehicle-days; pass `next` as `after` to continue, null at the end."""

    accounts: list[AccountView]
    next: str | None
