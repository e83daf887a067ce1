"""Settings of costs and budgets: time zones, when months close, names in the export, limits, reserve and shares."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings

from storage.backtests.settings import BacktestSettings
from storage.scans.settings import ScanSettings
from triggers.costs.months import zone_named
from triggers.errors import InvalidInput


def _known_zone(value: str) -> str:
    """A month that begins at another time than its account's would be billed wrongly, and limited, for good."""
    try:
        zone_named(value)
    except InvalidInput as error:
        raise ValueError(str(error)) from error
    return value


Zone = Annotated[str, AfterValidator(_known_zone)]
"""The name of a time zone, as the IANA has it: `Europe/Berlin`."""


class CostSettings(ScanSettings, BacktestSettings):
    """The part of `storage.settings.Settings` that is about costs, with those about scans and backtests."""

    cost_zone: Zone = "UTC"
    """The time zone of the account's days and months, as the IANA names it: `Europe/Berlin`."""
    cost_grace_days: Annotated[int, Field(ge=0, le=90)] = 3
    """How many days after its end a month stays open."""
    cost_account: Annotated[str, Field(min_length=1, max_length=200)] = "Longtail"
    """The billing account's name in the export."""
    cost_provider: Annotated[str, Field(min_length=1, max_length=200)] = "Longtail"
    """Who provides and bills network and storage, in the export."""


class BudgetSettings(BaseSettings):
    """The part of `storage.settings.Settings` that is about budgets."""

    fleet_total_bytes: Annotated[int, Field(gt=0)] | None = None
    """A limit over all campaigns and vehicles; empty: none."""
    fleet_month_bytes: Annotated[int, Field(gt=0)] | None = None
    """A limit over all campaigns and vehicles in a calendar month; empty: none."""
    month_zone: Zone = "UTC"
    """The IANA time zone in which the fleet's months begin, and those of cost centres that state no other."""
    reserve_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """How much of the fleet's limits only campaigns of a high priority may use."""
    reserve_priority: Annotated[int, Field(ge=0, le=100)] = 90
    """The priority from which a campaign may use that part."""
    vehicle_share: Annotated[float, Field(ge=0.001, le=1)] = 0.1
    """How much of a campaign's total bytes and clips one vehicle may use, if that is more than twice its even share."""
