"""Forecasts of budgets in the API, and how good those of the past were."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from triggers.contracts.api.budget import AccountUnit
from triggers.contracts.api.rates.estimates import Estimate

StageName = Literal["before", "first_half", "second_half"]
"""How much of its campaign a forecast knew: nothing but a backtest, or less or more than half of its vehicle-days."""
MAX_PAST = 1000


class EndView(BaseModel):
    """When a limit is reached, with an interval of 90 %; null: not before the end of the plan."""

    expected: datetime | None
    earliest: datetime | None
    latest: datetime | None


class ForecastView(BaseModel):
    """What a campaign version, or the own budget of a `trigger` in it, will have spent by `until`, in bytes or clips;
    intervals are of 90 %.

    `until` is the end of the campaign's last day; an open-ended one has none, and `until` is how far was looked.
    `spent` is what has settled by now, in the list of kept ones what had by `made_at`. `per_day` is the burn rate with
    the vehicles of that day, `demand` what would be spent without the limit, `total` with it. Intervals are `factor`
    times as wide as computed, by the errors of the past. `actual` is what was spent from `made_at` to `compared_until`,
    and `expected` what the forecast expected to be spent by then. All three are null until `until` is over, and for
    good if the campaign did not run as planned. `compared_until` is before `until` where a limit ended the campaign or
    held it up.
    """

    campaign: str
    version: int
    trigger: str
    unit: AccountUnit
    made_at: datetime
    until: datetime
    open_ended: bool
    stage: StageName
    from_backtest: bool
    spent: int
    limit: int | None
    per_day: Estimate
    remaining: Estimate
    total: Estimate
    demand: Estimate
    end: EndView | None
    factor: float
    actual: int | None
    compared_until: datetime | None
    expected: Estimate | None


class CalibrationView(BaseModel):
    """How good the forecasts of a stage were, one per campaign version that ran as planned.

    `held` of `forecasts` intervals contain what was spent. `median_error` is that of actual / expected - 1: above 0,
    forecasts are too low.
    """

    unit: AccountUnit
    stage: StageName
    forecasts: int
    held: int
    held_share: Estimate | None
    median_error: float | None
    factor: float


class ForecastList(BaseModel):
    """The newest forecasts of each campaign that runs or waits, and after them of its triggers' own budgets, and how
    good those of campaigns were in the past."""

    forecasts: list[ForecastView]
    past: list[CalibrationView]


class PastForecasts(BaseModel):
    """The forecasts of a campaign or trigger as they were kept, one for each day, the newest first."""

    forecasts: list[ForecastView]
