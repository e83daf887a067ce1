"""Use cases for budgets: show how much of them is used."""

from __future__ import annotations

from datetime import UTC, date, datetime

from fleet_api.budget.views import account_view
from fleet_api.services import Services
from storage import ledger
from storage.campaigns.queries import get_versions
from storage.ledger.limits import fleet_terms
from triggers.contracts.api.budget import BudgetList
from triggers.contracts.users import Role, User


def show_budget(
    services: Services,
    user: User,
    *,
    campaign: str | None,
    limit: int,
    day: date | None = None,
    after: str | None = None,
) -> BudgetList:
    """A page of the accounts of one campaign, or of all campaigns and the fleet, with vehicle-days of one day (UTC).

    That day is `day`, else today. Limits of which nothing is used are shown, too. `after` is the `next` of the page
    before. NotFound without such a campaign.
    """
    user.require(Role.VIEWER)
    position = None if after is None else ledger.Position.parse(after)
    fleet = fleet_terms(services.settings)
    now = datetime.now(UTC)
    day = day or now.date()
    at = ledger.moment_of(day, now)
    with services.database.begin() as connection:
        if campaign is not None:
            get_versions(connection, campaign, limit=1)
        accounts = ledger.usage(
            connection,
            campaign,
            day=day,
            at=at,
            fleet=fleet,
            after=position,
            limit=limit + 1,
        )
        unused = ledger.unused_limits(connection, campaign)
        if campaign is None:
            unused += ledger.unused_limits_of_all(connection, fleet, at)
    unused = [account for account in unused if position is None or position < account.position]
    known = {account.key: account for account in [*unused, *accounts]}  # what is used takes the place of its limit
    shown = sorted(known.values(), key=lambda account: account.position)
    more = str(shown[limit - 1].position) if len(shown) > limit else None
    return BudgetList(accounts=[account_view(account) for account in shown[:limit]], next=more)
