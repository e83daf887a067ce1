"""Settings of budgets: limits of the fleet, the reserve in them, and the share of a vehicle."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings


class BudgetSettings(BaseSettings):
    """The part of `storage.settings.Settings` that is about budgets."""

    fleet_total_bytes: Annotated[int, Field(gt=0)] | None = None
    """A limit over all campaigns and vehicles; empty: none."""
    fleet_month_bytes: Annotated[int, Field(gt=0)] | None = None
    """A limit over all campaigns and vehicles in a calendar month; empty: none."""
    month_zone: str = "UTC"
    """The IANA time zone in which the fleet's months begin, and those of cost centres that state no other."""
    reserve_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """How much of the fleet's limits only campaigns of a high priority may use."""
    reserve_priority: Annotated[int, Field(ge=0, le=100)] = 90
    """The priority from which a campaign may use that part."""
    vehicle_share: Annotated[float, Field(ge=0.001, le=1)] = 0.1
    """How much of a campaign's total bytes and clips one vehicle may use, if that is more than twice its even share."""
