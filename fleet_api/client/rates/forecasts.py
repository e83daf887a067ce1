"""Forecasts of budgets: what campaigns will spend, and how good the forecasts of the past were."""

from __future__ import annotations

from fleet_api.client.transport import Transport, path_of
from triggers.contracts.api.rates.forecasts import ForecastList, ForecastView, PastForecasts


class Forecasts:
    """What `client.forecasts` can do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def current(self, campaign: str | None = None, trigger: str = "") -> ForecastList:
        """The newest forecasts of one campaign, or of all that run or wait, with those of their triggers' own budgets,
        in one request; with `trigger`, only of the own budget of this trigger in the campaign."""
        wanted = {"campaign": campaign, "trigger": trigger or None}
        return self._transport.get(ForecastList, path_of("forecasts"), wanted)

    def kept(self, campaign: str, trigger: str = "", *, limit: int = 100) -> list[ForecastView]:
        """The forecasts of a campaign, or of a trigger's own budget in it, the last of each day, the newest first."""
        wanted = {"campaign": campaign, "trigger": trigger or None, "limit": limit}
        return self._transport.get(PastForecasts, path_of("forecasts", "kept"), wanted).forecasts
