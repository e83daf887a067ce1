"""What a campaign's forecast costs, in the API."""

from __future__ import annotations

from datetime import date

from triggers.contracts.api.base import View
from triggers.contracts.campaign import Network


class ExpectedTriggerCost(View):
    """What the clips that a trigger yields on a day of the fleet cost if all are uploaded on this network.

    Amounts are decimal numbers as texts, rounded to nine decimals: for the mean of the forecast, and for the ends of
    its interval.
    """

    trigger: str
    network: Network
    mean: str
    low: str
    high: str


class ExpectedCostView(View):
    """The cost of a day's clips, from their transfer until they are erased, by the newest price book.

    `price_book` is its version, `day` the day of the transfer (UTC). Where the cost is not known, `costs` is empty,
    `currency` null, and `unknown` says why.
    """

    price_book: int
    currency: str | None
    day: date
    costs: list[ExpectedTriggerCost]
    unknown: str | None
