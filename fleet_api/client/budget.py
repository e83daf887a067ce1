"""Budgets: the ledger's accounts."""

from __future__ import annotations

from datetime import date

from fleet_api.client.transport import Transport, path_of
from triggers.contracts.api.budget import MAX_LISTED_ACCOUNTS, BudgetList


class Budget:
    """What `client.budget` can do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def accounts(
        self, campaign: str | None = None, *, day: date | None = None, limit: int = MAX_LISTED_ACCOUNTS
    ) -> BudgetList:
        """The accounts of one campaign, or of all campaigns and the fleet: totals first, then vehicle-days of `day`.

        The day (UTC) is today unless given; vehicle-days that hold the most come first. `capped` says whether there are
        more accounts than `limit`.
        """
        parameters = {"campaign": campaign, "limit": limit, "day": None if day is None else day.isoformat()}
        return self._transport.get(BudgetList, path_of("budget"), parameters)
