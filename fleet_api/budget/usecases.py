"""Use cases for budgets: show how much of them is used."""

from __future__ import annotations

from datetime import UTC, datetime

from fleet_api.budget.views import account_view
from fleet_api.services import Services
from storage import ledger
from storage.campaigns.queries import get_versions
from triggers.contracts.api.budget import BudgetList
from triggers.contracts.users import Role, User


def show_budget(services: Services, user: User, *, campaign: str | None, limit: int) -> BudgetList:
    """The accounts of one campaign, or of all campaigns and the fleet; at most `limit`, vehicle-days of today (UTC).

    NotFound when there is no such campaign. A campaign has no accounts before its first clip.
    """
    user.require(Role.VIEWER)
    with services.database.begin() as connection:
        if campaign is not None:
            get_versions(connection, campaign, limit=1)
        accounts = ledger.usage(
            connection,
            campaign,
            day=datetime.now(UTC).date(),
            fleet_limit_bytes=services.settings.fleet_total_bytes,
            limit=limit + 1,
        )
    return BudgetList(accounts=[account_view(account) for account in accounts[:limit]], capped=len(accounts) > limit)
