"""Versions on the same drives in the API: ratios of their rates, and a sweep over the values of a param."""

from __future__ import annotations

from triggers.contracts.api.backtests.reports import BudgetUseView
from triggers.contracts.api.base import View
from triggers.contracts.api.campaigns import Expected


class PairedRatioView(View):
    """A ratio of rates with its interval of 95 %; null: 0 / 0 or infinite, or without an upper limit."""

    estimate: float | None
    low: float
    high: float | None


class SweptTriggerView(View):
    """A trigger at one value of a param, on the drives on which it ran, beside itself at the text's own value.

    `recordings` are its clips, `recording_bytes` the sum of their sizes. Rates are null without recorded time, bytes
    per day also over clips. `both` are fires that it has at both values, `only_here` those at this one alone, and
    `only_own` those at the text's own alone. `ratio` is its rate at this value divided by that at the text's own,
    paired over the drives.
    """

    fires: int
    per_hour: Expected | None
    recordings: int
    recording_bytes: int
    bytes_per_vehicle_day: Expected | None
    both: int
    only_here: int
    only_own: int
    ratio: PairedRatioView


class SweepPointView(View):
    """What came of one value: of each trigger that the param changes, and of the campaigns' budgets.

    `number` is the value in the unit of the sweep, null for a text, `true` and `false`.
    """

    value: str
    number: float | None
    is_own: bool
    programs: list[str]
    triggers: dict[str, SweptTriggerView]
    budgets: list[BudgetUseView]


class SweepView(View):
    """The curve over a param's values: numbers from the lowest on, the text's own value among them.

    `moved` are the triggers that the param changes, which alone are in the points; `unmoved` are the others.
    """

    param: str
    unit: str | None
    drives: int
    hours: float
    moved: list[str]
    unmoved: list[str]
    points: list[SweepPointView]
