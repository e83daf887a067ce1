"""The alert rules of a deployment: what is wrong, for how long before somebody is told, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from fleet_api.watching.alerts.expressions import (
    Arithmetic,
    Both,
    Compared,
    Condition,
    Growth,
    Series,
    Unless,
)
from ingest.metrics import names

Severity = Literal["info", "warning", "critical"]
DAY_S = 86_400
UP = "up"
"""Whether a process could be scraped: Prometheus has it of every target, and `longtail alerts` of every address."""
SURE_FIRES = 4.6
"""Of so many expected fires none comes once in 100 times by chance (Poisson)."""
NOTED_BYTES = 10e6
"""A campaign that has used less in a day is not worth an alert, whatever was expected."""


@dataclass(frozen=True)
class Rule:
    """One rule. In its sentences `{label}`, `{value}` and `{percent}` (of a share) are what the alert is about."""

    name: str
    severity: Severity
    condition: Condition
    for_s: int
    summary: str
    remedy: str


_FLEET = (("campaign", ""),)


def _of_campaign(metric: names.Metric) -> Series:
    return Series(metric.name, by=("campaign",))


def _of_each_campaign(metric: names.Metric) -> Series:
    """Of a metric that the fleet has, too."""
    return Series(metric.name, by=("campaign",), lacking=_FLEET)


def _of_fleet(metric: names.Metric) -> Series:
    return Series(metric.name, having=_FLEET)


def _unless_completed(condition: Condition) -> Unless:
    """Nobody has to do anything about the budget of a campaign that has completed."""
    return Unless(condition, Series(names.COMPLETED.name, by=("campaign",)))


def _share(part: Series, whole: Series) -> Arithmetic:
    return Arithmetic(part, "/", whole)


def _used(of: Callable[[names.Metric], Series]) -> Arithmetic:
    held = Arithmetic(of(names.BUDGET_SETTLED), "+", of(names.BUDGET_RESERVED))
    return Arithmetic(held, "/", of(names.BUDGET_LIMIT))


_USED_BYTES, _USED_BY_FLEET = _used(_of_each_campaign), _used(_of_fleet)
_USED_CLIPS = _share(_of_campaign(names.CLIPS_HELD), _of_campaign(names.CLIP_LIMIT))
_FREE_DISK = _share(
    Series(names.DISK_FREE.name, by=("instance", "disk"), fold="min"),
    Series(names.DISK_SIZE.name, by=("instance", "disk"), fold="min"),
)
_STALLED = _share(
    Series(names.VEHICLES.name, having=(("state", "stalled"),)),
    Series(names.VEHICLES.name, having=(("state", "seen"),)),
)
_GROWN_BYTES = Growth(_of_campaign(names.BUDGET_SETTLED), DAY_S)
_PLANNED_BYTES = Growth(_of_campaign(names.EXPECTED_BYTES), DAY_S)
_FORECAST = _share(
    Series(names.FORECAST.name, by=("campaign",), having=(("quantile", "mean"),)), _of_campaign(names.BUDGET_LIMIT)
)
_TRIGGER_FORECAST = _share(
    Series(names.TRIGGER_FORECAST.name, by=("campaign", "trigger"), having=(("quantile", "mean"),)),
    Series(names.TRIGGER_LIMIT.name, by=("campaign", "trigger")),
)


_RAISE_THE_FLEETS = (
    "raise the fleet's limit: LONGTAIL_FLEET_TOTAL_BYTES, and what `longtail budget limit --fleet` may have set"
)


def _overspend(percent: int, severity: Severity, below: float | None) -> Rule:
    """A forecast that reaches so much of the limit, and not the share of the next rule."""
    reaches = Compared(_FORECAST, ">=", percent / 100)
    return Rule(
        f"LongtailForecast{percent}",
        severity,
        _unless_completed(reaches if below is None else Both(reaches, Compared(_FORECAST, "<", below))),
        0,
        "campaign {campaign} is forecast to use {percent} of its limit in bytes",
        "see when and how sure: `longtail budget show {campaign}`",
    )


def _overspend_of_trigger(percent: int, severity: Severity, condition: Condition) -> Rule:
    """The same of a trigger's own budget, which ends the trigger alone."""
    return Rule(
        f"LongtailTriggerForecast{percent}",
        severity,
        condition,
        0,
        "trigger {campaign}.{trigger} is forecast to use {percent} of its own limit in bytes",
        "see when and how sure: `longtail budget forecast {campaign}.{trigger}`",
    )


RULES: tuple[Rule, ...] = (
    Rule(
        "LongtailProcessDown",
        "critical",
        Compared(Series(UP, by=("instance",), having=(("job", "longtail"),)), "==", 0),
        120,
        "{instance} does not answer for its metrics",
        "run `longtail doctor`, and look in the log of that process",
    ),
    Rule(
        "LongtailMetricsMissing",
        "warning",
        Compared(Series(names.COLLECTED.name, by=("instance", "source"), fold="min"), "==", 0),
        600,
        "{instance} cannot read the metrics of its {source}",
        "look in its log, which says why",
    ),
    Rule(
        "LongtailCountsOld",
        "warning",
        Compared(Series(names.SNAPSHOT_AGE.name, fold="min"), ">", 900),
        0,
        "fires, vehicles and label jobs were last counted {value} s ago",
        "look in the API's log: the database may be too slow to count them",
    ),
    Rule(
        "LongtailBudgetNearlyUsed",
        "warning",
        _unless_completed(Both(Compared(_USED_BYTES, ">=", 0.8), Compared(_USED_BYTES, "<", 0.99))),
        0,
        "campaign {campaign} has used {percent} of its bytes",
        "raise the limit, or let it end: `longtail budget show {campaign}`",
    ),
    Rule(
        "LongtailBudgetExhausted",
        "critical",
        _unless_completed(Compared(_USED_BYTES, ">=", 0.99)),
        0,
        "campaign {campaign} has used {percent} of its bytes, and takes no more clips",
        "raise the limit in a new version, or let it end: `longtail budget show {campaign}`",
    ),
    Rule(
        "LongtailFleetBudgetNearlyUsed",
        "warning",
        Both(Compared(_USED_BY_FLEET, ">=", 0.8), Compared(_USED_BY_FLEET, "<", 0.99)),
        0,
        "the fleet has used {percent} of its bytes",
        f"see who used them (`longtail usage --by campaign`); {_RAISE_THE_FLEETS}",
    ),
    Rule(
        "LongtailFleetBudgetExhausted",
        "critical",
        Compared(_USED_BY_FLEET, ">=", 0.99),
        0,
        "the fleet has used {percent} of its bytes, and no campaign gets any more clips",
        _RAISE_THE_FLEETS,
    ),
    _overspend(50, "info", 0.8),
    _overspend(80, "warning", 1.0),
    _overspend(100, "critical", None),
    _overspend_of_trigger(
        80, "info", Both(Compared(_TRIGGER_FORECAST, ">=", 0.8), Compared(_TRIGGER_FORECAST, "<", 1.0))
    ),
    _overspend_of_trigger(100, "warning", Compared(_TRIGGER_FORECAST, ">=", 1.0)),
    Rule(
        "LongtailClipsExhausted",
        "critical",
        _unless_completed(Compared(_USED_CLIPS, ">=", 1)),
        0,
        "campaign {campaign} has all the clips that it may have",
        "raise the limit in a new version, or let it end: `longtail budget show {campaign}`",
    ),
    Rule(
        "LongtailCampaignUsedUp",
        "info",
        Compared(Series(names.COMPLETED.name, by=("campaign", "reason"), lacking=(("reason", "date"),)), "==", 1),
        0,
        "campaign {campaign} has completed, as it has used up its {reason}",
        "nothing is needed, if it has what it was for; else apply a version with a higher limit",
    ),
    Rule(
        "LongtailCampaignSilent",
        "warning",
        Both(
            Compared(Growth(_of_campaign(names.FIRED), DAY_S), "<=", 0),
            Compared(Growth(_of_campaign(names.EXPECTED_FIRES), DAY_S), ">=", SURE_FIRES),
        ),
        0,
        "campaign {campaign} did not fire in a day in which its backtest expects at least 4.6 fires",
        "look at its vehicles' problems (`longtail campaign show {campaign}`), and at whether its signals still come",
    ),
    Rule(
        "LongtailBurnAbovePlan",
        "warning",
        Both(
            Both(
                Compared(Arithmetic(_GROWN_BYTES, "/", _PLANNED_BYTES), ">", 2),
                Compared(_GROWN_BYTES, ">", NOTED_BYTES),
            ),
            Compared(_PLANNED_BYTES, ">", 0),  # else what was recorded before comes late
        ),
        0,
        "campaign {campaign} used {value} times the bytes in a day that its backtest expects",
        "look at which trigger fires more (`longtail outcomes {campaign}`); pause it, or raise its cooldown",
    ),
    Rule(
        "LongtailFiresLost",
        "critical",
        Compared(_of_campaign(names.UNACCOUNTED), ">", 0),
        900,
        "{value} fires of campaign {campaign} were handed over and are nowhere",
        "run `longtail doctor --full`, and keep the log's and the objects' storage as it is",
    ),
    Rule(
        "LongtailVehiclesStoppedUploading",
        "warning",
        Compared(_STALLED, ">", 0.05),
        3600,
        "{percent} of the vehicles that check in have clips that wait, and have sent nothing since yesterday",
        "look at the gateway's address and certificate, and at the vehicles' networks",
    ),
    Rule(
        "LongtailIngestLag",
        "warning",
        Compared(Series(names.LAG.name, by=("partition",)), ">", 2000),
        600,
        "ingest is {value} records behind in partition {partition} of the log",
        "look at /readyz of ingest, and start more workers if all work",
    ),
    Rule(
        "LongtailPartNotReady",
        "critical",
        Compared(Series(names.PART_READY.name, by=("instance", "part"), fold="min"), "==", 0),
        300,
        "{part} of {instance} does not work",
        "look in its log, which says why",
    ),
    Rule(
        "LongtailExtractionBacklog",
        "warning",
        Compared(Series(names.EXTRACTIONS.name), ">", 1000),
        1800,
        "{value} clips wait for extraction",
        "raise LONGTAIL_EXTRACTION_WORKERS, or start more ingest processes",
    ),
    Rule(
        "LongtailDeadLetters",
        "warning",
        Compared(Series(names.DEAD_LETTERS.name, by=("reason",)), ">", 0),
        0,
        "{value} dead letters with the reason {reason} are open",
        "see `longtail dead-letters list`, and discard those that are understood",
    ),
    Rule(
        "LongtailDiskNearlyFull",
        "warning",
        Compared(_FREE_DISK, "<", 0.1),
        600,
        "{percent} of the disk of {disk} at {instance} is free",
        "free space, or give it more: uploads stop when it is full",
    ),
    Rule(
        "LongtailDiskFull",
        "critical",
        Compared(_FREE_DISK, "<", 0.03),
        0,
        "{percent} of the disk of {disk} at {instance} is free",
        "free space at once",
    ),
    Rule(
        "LongtailCampaignsLeftOut",
        "info",
        Compared(Series(names.LEFT_OUT.name), ">", 0),
        3600,
        "{value} running campaigns are not in the metrics, as there are too many",
        "look at them with `longtail budget show`; stop campaigns that nobody needs",
    ),
    Rule(
        "LongtailTriggersLeftOut",
        "info",
        Compared(Series(names.TRIGGERS_LEFT_OUT.name), ">", 0),
        3600,
        "{value} triggers that are forecast to use half of their own limits or more are not in the metrics, as there "
        "are too many",
        "look at them with `longtail budget forecast`, as no alert tells when they reach their limits; stop campaigns "
        "that nobody needs",
    ),
)
