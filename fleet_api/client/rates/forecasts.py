"""Forecasts of budgets: what campaigns will spend, and how good the forecasts of the past were."""

from __future__ import annotations

from fleet_api.client.transport import Transport, path_of
from triggers.contracts.api.rates.forecasts import ForecastList, ForecastView, PastForecasts


class Forecasts:
    """What `client.forecasts` can do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def current(self, campaign: str | None = None) -> ForecastList:
        """The newest forecasts of one campaign, or of all that run or wait, in one request."""
        return self._transport.get(ForecastList, path_of("forecasts"), {"campaign": campaign})

    def kept(self, campaign: str, *, limit: int = 100) -> list[ForecastView]:
        """A campaign's forecasts, the last of each day, the newest first."""
        path = path_of("forecasts", "kept")
        return self._transport.get(PastForecasts, path, {"campaign": campaign, "limit": limit}).forecasts
