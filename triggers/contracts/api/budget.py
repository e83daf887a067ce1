"""Budgets in the API: the accounts of the ledger, with their limits and how much of them is used."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from triggers.contracts.api.base import View
from triggers.contracts.base import Contract

AccountKind = Literal[
    "fleet",
    "campaign_bytes",
    "campaign_clips",
    "campaign_vehicle_day",
    "campaign_vehicle_day_clips",
    "campaign_vehicle_bytes",
    "campaign_vehicle_clips",
    "trigger_bytes",
    "trigger_clips",
    "trigger_vehicle_day",
    "trigger_vehicle_day_clips",
    "trigger_vehicle_bytes",
    "trigger_vehicle_clips",
    "fleet_month",
    "cost_centre_month",
    "network_month",
]
"""What an account counts: bytes of the whole fleet, bytes or clips of a campaign, its bytes or clips per vehicle and
UTC day; the same of one trigger in a campaign, where the trigger limits it; and bytes of a calendar month: of the
fleet, of a cost centre, and on the wire of a class of networks with repeats."""
LimitKind = Literal[
    "fleet", "fleet_month", "cost_centre_month", "campaign_bytes", "campaign_clips", "trigger_bytes", "trigger_clips"
]
"""Kinds of accounts whose limits can be set by command."""
AccountUnit = Literal["bytes", "clips"]
MAX_LISTED_ACCOUNTS = 10_000
MAX_AMOUNT = 2**62
"""The largest limit: twice as much would not fit into the ledger."""
MAX_AUDITED_UPLOADS = 500
CostCentre = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$")]
"""The name of a cost centre, as accounting has it: up to 64 letters, digits, `.`, `_` and `-`; '' for none."""


class AccountView(View):
    """A ledger account: `held` is reserved or used, `settled` the part that arrived. A null limit means no limit.

    `campaign`, `trigger`, `vehicle_id`, `day` (UTC), `cost_centre`, `network` and `month` (its first day) are empty
    where the kind of account does not have them.
    """

    kind: AccountKind
    campaign: str
    trigger: str
    vehicle_id: str
    day: date | None
    cost_centre: str
    network: str
    month: date | None
    unit: AccountUnit
    limit: int | None
    held: int
    settled: int


class LimitRequest(Contract):
    """A limit to set, and why. `name` is of the campaign or cost centre, CAMPAIGN.TRIGGER of a trigger's own budget, ''
    for the fleet."""

    kind: LimitKind
    name: Annotated[
        str,
        StringConstraints(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63}|[a-z][a-z0-9_]{0,63}\.[a-z][a-z0-9_]{0,63})?$"),
    ] = ""
    amount: Annotated[int, Field(ge=0, le=MAX_AMOUNT)] | None
    """Bytes or clips; null takes a limit away that was set so."""
    zone: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    """The IANA time zone in which a cost centre's months begin; null: that of the fleet."""
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class LimitView(View):
    """The limit that an account has now, and what is held and settled of it. `month` is the present one, if it has one.

    `above` is how much more than the limit is held: while it is not 0, every upload is refused. `ended` is how many
    uploads that were under way were ended for it.
    """

    kind: LimitKind
    name: str
    limit: int | None
    month: date | None
    held: int
    settled: int
    above: int
    ended: int


class BudgetAudit(BaseModel):
    """A page of the ledger's audit: what was compared, and every difference in a sentence, `capped` if there are more.

    `accounts` were compared with the sums of their entries (on the first page, all of them), `entries` with the uploads
    that they are of, and `objects` of clips, which have `object_bytes`, with what was settled for them. Pass `next` as
    `after` to go on; null at the end.
    """

    accounts: int
    entries: int
    uploads: int
    objects: int
    object_bytes: int
    differences: list[str]
    capped: bool
    next: str | None


class BudgetList(BaseModel):
    """Accounts: totals first, then one day's vehicle-days; pass `next` as `after` to continue, null at the end."""

    accounts: list[AccountView]
    next: str | None
