"""Budgets, which are the ledger's accounts, and price books."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from fleet_api.client.transport import Transport, path_of, request_of
from triggers.contracts.api.budget import AccountView, BudgetAudit, BudgetList, LimitKind, LimitRequest, LimitView
from triggers.contracts.api.costs.price_books import (
    PriceBookDetails,
    PriceBookList,
    PriceBookView,
    PublishPriceBookRequest,
)

PAGE = 1000


class Budget:
    """What `client.budget` can do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def set_limit(
        self, kind: LimitKind, name: str = "", *, amount: int | None, zone: str | None = None, reason: str
    ) -> LimitView:
        """Set the limit of a campaign, a trigger (CAMPAIGN.TRIGGER), a cost centre or the fleet (no name), in bytes or
        clips; None takes it away.

        Raises Conflict for more than was approved, Forbidden for others' campaigns.
        """
        body = request_of(LimitRequest, kind=kind, name=name, amount=amount, zone=zone, reason=reason)
        return self._transport.post(LimitView, path_of("budget", "limits"), body)

    def audit(self) -> Iterator[BudgetAudit]:
        """The audit of the ledger, page after page: what was compared, and every difference."""
        after: str | None = ""
        while after is not None:
            page = self._transport.get(BudgetAudit, path_of("budget", "audit"), {"after": after or None})
            yield page
            after = page.next

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


class PriceBooks:
    """What `client.price_books` can do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def publish(self, prices: str) -> PriceBookView:
        """Publish a price book's YAML as the newest version; the newest is returned if it has the same text."""
        body = request_of(PublishPriceBookRequest, prices=prices)
        return self._transport.post(PriceBookView, path_of("price-books"), body)

    def list(self) -> Iterator[PriceBookView]:
        """All versions, the newest first, all pages."""
        return self._transport.pages(
            PriceBookList, path_of("price-books"), lambda page: page.price_books, by="before", size=PAGE
        )

    def get(self, version: int | None = None) -> PriceBookDetails:
        """A version, or the newest, with its text; raises NotFound."""
        return self._transport.get(
            PriceBookDetails, path_of("price-books", "newest" if version is None else str(version))
        )
