"""The report of a backtest in the API: that of `longtail backtest --json`, with drives by name instead of by path.

What the numbers mean is said in docs/backtest.md.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from triggers.contracts.api.base import View
from triggers.contracts.api.campaigns import ComparedView, EventCountsView, Expected
from triggers.contracts.compared import Sides


class SharesView(View):
    """The shares of the time that a condition was true, false and unknown; null where no time was recorded."""

    true: float | None = None
    false: float | None = None
    unknown: float | None = None


class PartSharesView(SharesView):
    """One of the parts that a condition joins with `and`, as it is written, and its shares.

    A part that is a `let` comes before the parts of what it stands for, whose `depth` is one more. Where these are
    several, its own shares are null.
    """

    text: str
    depth: Annotated[int, Field(ge=0)] = 0


class TriggerCountsView(View):
    """What a trigger did on the drives that it ran on; rates are null if no time or distance was recorded.

    `unknown` has, by signal, the share of the time in which the condition was unknown and the signal, too. `why_not`
    says why the trigger never fired, and is null if it did. Reports from before shares were told have none.
    """

    fires: int
    suppressed: int
    drives: int
    hours: float
    known_hours: float
    per_hour: float | None
    per_known_hour: float | None
    per_1000_km: float | None
    clip_bytes: int | None
    recordings: int
    recording_bytes: int | None
    largest_drive: str | None
    largest_share: float | None
    unknown: dict[str, float]
    condition: SharesView = SharesView()
    parts: list[PartSharesView] = []
    why_not: str | None = None


class OverlapView(View):
    """How many fires of `trigger` share a clip with a fire of `other`, and which share of its fires that is."""

    trigger: str
    other: str
    fires: int
    share: float


class BacktestEventsView(EventCountsView):
    """Compared events of two sides of a head on all drives, with rates per 1,000 km where distances are known."""

    head: str
    sides: Sides
    within_ns: int
    driver: str | None
    matched_per_1000km: Expected | None
    only_first_per_1000km: Expected | None
    only_second_per_1000km: Expected | None
    by_drive: dict[str, EventCountsView]


class VolumeView(View):
    """Fires, clips (the fires that sampling keeps) and bytes per day of a vehicle and of the fleet."""

    fires_per_vehicle_day: Expected
    fires_per_fleet_day: Expected
    clips_per_vehicle_day: Expected
    clips_per_fleet_day: Expected
    bytes_per_vehicle_day: Expected
    bytes_per_fleet_day: Expected


class TriggerForecastView(VolumeView):
    """What is expected of one trigger; one in `sample_one_in` fires is kept."""

    sample_one_in: int


class BacktestForecastView(View):
    """What is expected of a fleet, by trigger and in total; null in total where no time was recorded."""

    vehicles: int
    hours_per_day: float
    confidence: float
    method: str
    triggers: dict[str, TriggerForecastView]
    fires_per_vehicle_day: Expected | None = None
    fires_per_fleet_day: Expected | None = None
    clips_per_vehicle_day: Expected | None = None
    clips_per_fleet_day: Expected | None = None
    bytes_per_vehicle_day: Expected | None = None
    bytes_per_fleet_day: Expected | None = None


class BudgetUseView(View):
    """A limit of a campaign beside the forecast: `vehicle_day_bytes`, `vehicle_day_clips`, `total_bytes`, `clips` or
    `upload_bytes`.

    `per_day` is what is expected of it per day, `days` how long it lasts. Of `clips` recordings `larger_clips` are
    larger than the limit.
    """

    campaign: str
    limit: str
    amount: int
    per_day: Expected | None
    days: Expected | None
    clips: int
    larger_clips: int
    trigger: str | None = None
    """The trigger whose own budget has the limit; null: the campaign's."""


class RefusedShareView(View):
    """The share of a day's clips that a limit refuses; each refused clip counts for the first limit that does."""

    limit: str
    amount: int
    trigger: str | None
    share: float


class LimitedDayView(View):
    """A day of the fleet under the limits of a campaign and of its triggers' own budgets.

    `refused` is the share of the clips that they refuse, null if nothing fired, and `refused_by` says which limits do.
    `uploaded_bytes_per_fleet_day` are those of the other clips; of these so many may go over cellular networks: all
    that do where `networks` has no other, else the most that can. `unknown` says why it is not known what the limits
    refuse (null if it is): `refused` is null then, and bytes are those of the forecast.
    """

    campaign: str
    clips_per_fleet_day: Expected
    refused: Expected | None
    refused_by: list[RefusedShareView]
    networks: list[str]
    uploaded_bytes_per_fleet_day: Expected
    cellular_bytes_per_fleet_day: Expected
    unknown: str | None = None


class FiresOnDriveView(View):
    """A trigger's fires on a drive, their share of its fires, and its rate over its other drives (null without)."""

    fires: int
    share: float
    per_hour_without: float | None


class LeaveOneOutView(View):
    """The drive that moves a trigger's rate most when it is left out, and whether it carries the result.

    `fires`, `hours` and `share` (of the trigger's fires) are those of the drive. It carries the result if the rate
    without it is less than half of what it is with it, or more than twice as much.
    """

    drive: str
    fires: int
    hours: float
    share: float
    per_hour: float
    per_hour_without: float
    carries: bool


class RunDriveView(View):
    """A drive that ran: its name, hours, distance, and the fires of all triggers on it.

    `per_hour_without` is the rate of all fires over the other drives, `by_trigger` has the triggers that fired on it;
    reports from before they were told have none.
    `first_ns` and `last_ns` are its first and last row, in ns of its own clock (Unix time for clips); `start_ns` is the
    Unix time of its clock's zero, where the drive says so.
    """

    drive: str
    hours: float
    km: float | None
    fires: int
    share: float | None
    per_hour_without: float | None = None
    by_trigger: dict[str, FiresOnDriveView] = {}
    first_ns: int
    last_ns: int
    start_ns: int | None = None


class LeftOutTriggerView(View):
    """A trigger (or `compare HEAD`) that did not run on some drives, and why not on the first of them."""

    trigger: str
    drives: int
    reason: str


class FindingView(View):
    """What the reader of drives could not take as it is: how often, in how many drives, and the first of it."""

    column: str
    problem: str
    count: int
    drives: int
    first_drive: str
    row: int
    value: str


class UncountedView(View):
    """A signal or camera (`camera front`) that captures ask for and that these many drives say nothing about."""

    name: str
    drives: int


class FailedDriveView(View):
    """A drive or clip that could not be run, why not, and what to do about it."""

    drive: str
    problem: str
    remedy: str


class EventScoreView(View):
    """How well a trigger found its known events: found, missed, not to be judged and outside add up to `events`.

    `precision` and `recall` are null where there is nothing to divide, delays (in s) where nothing was found.
    """

    events: int
    found: int
    missed: int
    unknown: int
    outside: int
    fires: int
    repeats: int
    false_alarms: int
    precision: Expected | None
    recall: Expected | None
    delay_median_s: float | None
    delay_90_s: float | None


class KnownEventsView(View):
    """How well triggers found known events, in counts; which were missed and told falsely is in the file alone."""

    window_s: float
    events: int
    elsewhere: int
    drives_without: int
    triggers: dict[str, EventScoreView]


class BinView(View):
    """Fires in a bin, the hours driven in it, and the rate with its interval (null without time)."""

    bin: str
    fires: int
    hours: float
    per_hour: Expected | None


class BreakdownView(View):
    """The fires of a trigger by speed, place cell and hour of the day."""

    speed: list[BinView]
    place: list[BinView]
    hour: list[BinView]


class BreakdownReportView(View):
    """Fires by their circumstances, by trigger; so many hours of drives are counted by the hour of UTC."""

    triggers: dict[str, BreakdownView]
    utc_hours: float


class ReportView(View):
    """What one program did on all drives, and what that predicts. `forecast` is null over clips.

    `by_drive` is in the order in which drives were asked for. `leave_one_out` has, by trigger, the drive that moves its
    rate most (null without a fire, or where there are no two drives). `programs` are the digests of what ran.
    """

    drives: int
    rows: int
    hours: float
    km: float | None
    triggers: dict[str, TriggerCountsView]
    overlap: list[OverlapView]
    compared: dict[str, ComparedView]
    events: list[BacktestEventsView]
    overflows: int
    forecast: BacktestForecastView | None
    by_drive: list[RunDriveView]
    leave_one_out: dict[str, LeaveOneOutView | None] = {}
    left_out: list[LeftOutTriggerView]
    findings: list[FindingView]
    uncounted: list[UncountedView]
    budgets: list[BudgetUseView]
    limited_days: list[LimitedDayView] = []
    """A day of the fleet under the limits of each campaign; reports from before they were told have none."""
    programs: list[str]
    failed_drives: list[FailedDriveView]
    known_events: KnownEventsView | None = None
    """Null unless triggers were judged by known events."""
    breakdown: BreakdownReportView | None = None
    """Null unless it was asked for."""
