"""Settings of costs: the account's time zone, when months close, and the names in the export."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from storage.scans.settings import ScanSettings
from triggers.costs.months import zone_named
from triggers.errors import InvalidInput


class CostSettings(ScanSettings):
    """The part of `storage.settings.Settings` that is about costs, with that about scans."""

    cost_zone: str = "UTC"
    """The time zone of the account's days and months, as the IANA names it: `Europe/Berlin`."""
    cost_grace_days: Annotated[int, Field(ge=0, le=90)] = 3
    """How many days after its end a month stays open."""
    cost_account: Annotated[str, Field(min_length=1, max_length=200)] = "Longtail"
    """The billing account's name in the export."""
    cost_provider: Annotated[str, Field(min_length=1, max_length=200)] = "Longtail"
    """Who provides and bills network and storage, in the export."""

    @field_validator("cost_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        """A month that closes at another time than its account's would be billed wrongly for good."""
        try:
            zone_named(value)
        except InvalidInput as error:
            raise ValueError(str(error)) from error
        return value
