"""Budgets: the ledger's accounts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from fleet_api.client.transport import Transport, path_of
from triggers.contracts.api.budget import AccountView, BudgetList

PAGE = 1000


class Budget:
    """What `client.budget` can do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def accounts(self, campaign: str | None = None, *, day: date | None = None) -> Iterator[AccountView]:
        """The accounts of one campaign, or of all campaigns and the fleet, page after page: totals first, then
        vehicle-days of `day`.

        The day (UTC) is today unless given; vehicle-days that hold the most come first. One whose amount changes
        meanwhile may come twice or not at all.
        """
        wanted = {"campaign": campaign, "day": None if day is None else day.isoformat()}
        return self._transport.pages(
            BudgetList, path_of("budget"), lambda page: page.accounts, by="after", size=PAGE, parameters=wanted
        )
