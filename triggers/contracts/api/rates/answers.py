"""Rates of triggers and compared events in the API, comparisons of versions, and the disagreement of compared heads."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from triggers.contracts.api.base import View
from triggers.contracts.api.rates.estimates import Estimate
from triggers.contracts.compared import Sides

RatePer = Literal["hour", "1000km"]
"""What fires are compared per."""
ChangeName = Literal["appeared", "rose", "fell", "open"]
"""What a new version did to a rate; `open`: the data do not tell, or it did nothing."""


class RateView(BaseModel):
    """How often a trigger of a campaign version fires.

    `fires`, `armed_ns` and `distance_m` are counted. The rates weigh each vehicle by the share of the fleet that the
    rollout had admitted, with intervals of 95 % over vehicles; null where there was no time, or no distance. `trend` is
    the factor by which the rate changes per week, of the last 90 days, null as long as three days do not tell it.
    `anytime` is the rate per hour with an interval that holds however often one looks. `software` is the version of the
    component that was asked for, '' for vehicles that do not have it, null where none was asked for.
    """

    campaign: str
    version: int
    software: str | None
    trigger: str
    vehicles: int
    fires: int
    armed_ns: int
    distance_m: int
    per_hour: Estimate | None
    anytime: Estimate | None
    per_1000km: Estimate | None
    trend: Estimate | None
    as_of: datetime


class RatesList(BaseModel):
    """Rates by campaign version, software and trigger; pass `next` as `after` to continue, null at the end."""

    rates: list[RateView]
    next: str | None


class RatioView(View):
    """New divided by old, with an interval that holds however often one looks; null: 0 / 0, or without an end."""

    estimate: float | None
    low: float
    high: float | None


class CompareView(BaseModel):
    """A trigger, a head or its events under two versions. The intervals of `old` and `new` are for one look each.

    `change` is named if at most 5 % of all that are named in an answer are named wrongly, on average.
    """

    name: str
    old: Estimate | None
    new: Estimate | None
    ratio: RatioView
    change: ChangeName


class ComparisonView(BaseModel):
    """Two versions of a campaign, or of a component of vehicles' software under one version of a campaign.

    Of triggers the fires are compared, per hour or per 1,000 km; of heads the share of pairs that disagree, and their
    events per 1,000 km: of both sides (`HEAD: active and shadow`), and of one alone (`HEAD: active alone (shadow)`).
    """

    campaign: str
    version: int | None
    component: str | None
    old: str
    new: str
    per: RatePer
    triggers: list[CompareView]
    heads: list[CompareView]
    events: list[CompareView]


class HeadView(BaseModel):
    """How often active and shadow value of a compared head differ, of the pairs in which both are known.

    `share` is for one look, `anytime` holds however often one looks. `effective_pairs` are the independent pairs that
    would tell as much.
    """

    campaign: str
    version: int
    software: str | None
    head: str
    vehicles: int
    pairs: int
    disagreeing: int
    unknown: int
    share: Estimate | None
    anytime: Estimate | None
    effective_pairs: float | None


class HeadsList(BaseModel):
    """Disagreement by campaign version, head and software."""

    heads: list[HeadView]


class EventsView(BaseModel):
    """How often two sides of a head tell an event, together or one alone, per 1,000 km.

    `sides` names the first and the second. Counts are as vehicles have counted them; a rise is `unresolved` where its
    partner may have been unseen, and is in no rate: `unresolved_share`, of all rises, says by how much rates can be too
    low. The rates weigh each vehicle by the share of the fleet that the rollout had admitted, with intervals of 95 %
    over vehicles; null where there was no distance. `within_ns` is how far apart the rises of one event may be.
    """

    campaign: str
    version: int
    software: str | None
    head: str
    sides: Sides
    within_ns: int
    driver: str | None
    vehicles: int
    distance_m: int
    matched: int
    only_first: int
    only_second: int
    unresolved_first: int
    unresolved_second: int
    unresolved_share: float
    matched_per_1000km: Estimate | None
    only_first_per_1000km: Estimate | None
    only_second_per_1000km: Estimate | None


class EventsList(BaseModel):
    """Compared events by campaign version, head, sides and software."""

    events: list[EventsView]
