"""What campaigns have cost so far, in the API."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel

from triggers.contracts.api.base import View

MAX_LISTED_COSTS = 1000


class WasteView(View):
    """Clips that nobody has opened, labelled or put into a dataset, and their part of the amount, by their bytes."""

    clips: int
    size_bytes: int
    amount: str


class CostToDate(View):
    """What a campaign has cost, from its beginning through a day.

    Amounts are decimal numbers as texts; `amount` and those of `by_sku` are exact, those per something rounded to nine
    decimals, and null where there was nothing of it. `clips` and `size_bytes` are of clips that were ever in the
    catalog, `vehicle_days` days on which a vehicle had the campaign, `distance_m` the armed distance. In the total,
    `campaign` is null, what several campaigns share counts once, and `distance_m` is null.
    """

    campaign: str | None
    amount: str
    by_sku: dict[str, str]
    received_bytes: int
    clips: int
    size_bytes: int
    vehicle_days: int
    distance_m: int | None
    accepted_labels: int
    per_vehicle_day: str | None
    per_1000_km: str | None
    per_clip: str | None
    per_accepted_label: str | None
    waste: WasteView


class CostList(BaseModel):
    """Campaigns by name, by a version of the price book, through a day of the account's time zone.

    `total` is that of all campaigns, whichever are listed. Pass `next` as `after` to continue; null at the end.
    """

    price_book: int
    currency: str
    zone: str
    through: date
    total: CostToDate
    costs: list[CostToDate]
    next: str | None = None
