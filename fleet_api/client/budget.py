"""Budgets: the ledger's accounts."""

from __future__ import annotations

from fleet_api.client.transport import Transport, path_of
from triggers.contracts.api.budget import MAX_LISTED_ACCOUNTS, BudgetList


class Budget:
    """What `client.budget` can do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def accounts(self, campaign: str | None = None, *, limit: int = MAX_LISTED_ACCOUNTS) -> BudgetList:
        """The accounts of one campaign, or of all campaigns and the fleet: totals first, then today's vehicle-days.

        `capped` says whether there are more than `limit`. A campaign has accounts as soon as it has a clip.
        """
        return self._transport.get(BudgetList, path_of("budget"), {"campaign": campaign, "limit": limit})
