"""Rates of triggers and compared events, what a version changed, and how often compared heads disagree."""

from __future__ import annotations

from fleet_api.client.transport import Transport, path_of
from triggers.contracts.api.rates.answers import (
    ComparisonView,
    EventsList,
    EventsView,
    HeadsList,
    HeadView,
    RatePer,
    RatesList,
    RateView,
)

PAGE = 200
"""Campaigns."""


class Rates:
    """What `client.rates` can do. `component` names a part of vehicles' software, whose versions are told apart."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def of_triggers(
        self, campaign: str | None = None, *, version: int | None = None, component: str | None = None
    ) -> list[RateView]:
        """The rates of a campaign's triggers as counted now, or of all campaigns as they were recorded last, all pages.

        Of each campaign the running version, else the newest, unless `version` says otherwise.
        """
        asked = {"campaign": campaign, "version": version, "component": component}
        if campaign is not None:
            return self._transport.get(RatesList, path_of("rates"), asked).rates
        return self._transport.whole(RatesList, path_of("rates"), "rates", size=PAGE, parameters=asked).rates

    def heads(self, campaign: str, *, version: int | None = None, component: str | None = None) -> list[HeadView]:
        """The disagreement of the heads that a campaign compares."""
        asked = {"campaign": campaign, "version": version, "component": component}
        return self._transport.get(HeadsList, path_of("rates", "heads"), asked).heads

    def events(self, campaign: str, *, version: int | None = None, component: str | None = None) -> list[EventsView]:
        """How often the sides of the heads whose events a campaign compares tell them, together or alone."""
        asked = {"campaign": campaign, "version": version, "component": component}
        return self._transport.get(EventsList, path_of("rates", "events"), asked).events

    def compare(
        self,
        campaign: str,
        old: str,
        new: str,
        *,
        component: str | None = None,
        version: int | None = None,
        per: RatePer = "hour",
    ) -> ComparisonView:
        """Two versions of a campaign, or of a component under one version of a campaign; NotFound without counts."""
        asked = {"campaign": campaign, "old": old, "new": new, "component": component, "version": version, "per": per}
        return self._transport.get(ComparisonView, path_of("rates", "comparison"), asked)
