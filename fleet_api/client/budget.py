"""Budgets: the ledger's accounts of campaigns."""

from __future__ import annotations

from fleet_api.client.campaigns import Campaigns
from fleet_api.client.transport import Transport
from triggers.contracts.api.campaigns import AccountView


class Budget:
    """What `client.budget` can do."""

    def __init__(self, transport: Transport) -> None:
        self._campaigns = Campaigns(transport)

    def accounts(self, campaign: str | None = None) -> dict[str, list[AccountView]]:
        """The accounts of one campaign, or of all, by campaign."""
        names = [campaign] if campaign is not None else [each.campaign for each in self._campaigns.list()]
        return {name: self._campaigns.version(name).budget for name in names}
