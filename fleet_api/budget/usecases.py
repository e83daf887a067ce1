"""Use cases for budgets: show how much of them is used."""

from __future__ import annotations

from datetime import UTC, date, datetime

from fleet_api.budget.views import account_view
from fleet_api.services import Services
from storage import ledger
from storage.campaigns.queries import get_versions
from triggers.contracts.api.budget import BudgetList
from triggers.contracts.users import Role, User


def show_budget(
    services: Services, user: User, *, campaign: str | None, limit: int, day: date | None = None
) -> BudgetList:
    """The accounts of one campaign, or of all campaigns and the fleet; at most `limit`, vehicle-days of one day (UTC).

    That day is `day`, else today. Limits of which nothing is used are shown, too. NotFound without such a campaign.
    """
    user.require(Role.VIEWER)
    with services.database.begin() as connection:
        if campaign is not None:
            get_versions(connection, campaign, limit=1)
        accounts = ledger.usage(
            connection,
            campaign,
            day=day or datetime.now(UTC).date(),
            fleet_limit_bytes=services.settings.fleet_total_bytes,
            limit=limit + 1,
        )
        unused = ledger.unused_limits(connection, campaign)
    fleet_limit_bytes = services.settings.fleet_total_bytes
    if campaign is None and fleet_limit_bytes is not None and not any(each.key.kind == "fleet" for each in accounts):
        unused.append(ledger.AccountUsage(ledger.AccountKey("fleet"), fleet_limit_bytes, 0, 0))
    totals = [*(account for account in accounts if account.key.day is None), *unused]
    totals.sort(key=lambda account: (account.key.kind, account.key.campaign))
    shown = [*sorted(totals, key=lambda account: account.key.kind, reverse=True), *accounts]
    shown = list({account.key: account for account in shown}.values())
    return BudgetList(accounts=[account_view(account) for account in shown[:limit]], capped=len(shown) > limit)
