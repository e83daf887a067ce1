"""The API's view of ledger accounts."""

from __future__ import annotations

from storage.ledger import AccountUsage
from triggers.contracts.api.budget import AccountView


def account_view(usage: AccountUsage) -> AccountView:
    """One account with its amounts."""
    key = usage.key
    return AccountView(
        kind=key.kind,
        campaign=key.campaign,
        trigger=key.trigger,
        vehicle_id=key.vehicle_id,
        day=key.day,
        cost_centre=key.cost_centre,
        network=key.network,
        month=key.month,
        unit=usage.unit,
        limit=usage.limit,
        held=usage.held,
        settled=usage.settled,
    )
