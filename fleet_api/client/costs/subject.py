"""Costs: what campaigns have cost so far, months that close, their statements and export."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

from fleet_api.client.transport import Transport, path_of
from triggers.contracts.api.costs.months import ClosedMonthList, ClosedMonthView, StatementView
from triggers.contracts.api.costs.to_date import CostList
from triggers.costs.months import Month

PAGE = 1000


class Costs:
    """What `client.costs` can do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def to_date(self, campaign: str | None = None) -> CostList:
        """What all campaigns have cost through today, by name, or one of them; and the total of all.

        Of many campaigns the pages are joined; the total is that of the first. Raises NotFound without the campaign,
        Conflict without a price book, or without prices for these days.
        """
        return self._transport.whole(CostList, path_of("costs"), "costs", size=PAGE, parameters={"campaign": campaign})

    def months(self) -> ClosedMonthList:
        """All closed months, in order, and the first that is open."""
        return self._transport.get(ClosedMonthList, path_of("costs", "months"))

    def close(self, month: str) -> ClosedMonthView:
        """Close a month such as 2026-01 for good; raises Conflict unless it is over and the next in order."""
        return self._transport.post(ClosedMonthView, path_of("costs", "months", month, "close"))

    def statement(self, month: str) -> StatementView:
        """All entries of a month: those it was closed with, or would be with what is known now."""
        return self._transport.whole(StatementView, path_of("costs", "months", month), "entries", size=PAGE)

    def focus(self, first: str | None = None, through: str | None = None) -> Iterator[bytes]:
        """The statements of closed months as FOCUS 1.2, in CSV; from the first and through the last if not told."""
        wanted = {name: value for name, value in (("from", first), ("through", through)) if value is not None}
        for month in wanted.values():
            Month.parse(month)
        query = urlencode(wanted)
        with self._transport.linked(f"{path_of('costs', 'focus')[1:]}?{query}") as response:
            yield from response.iter_bytes()
