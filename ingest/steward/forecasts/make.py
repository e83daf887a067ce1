"""Makes and keeps forecasts of each version that runs or waits, in bytes and in clips, and scores those of the past."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from ingest.steward.by_version import by_version
from ingest.steward.forecasts.prior import prior_of_backtest, prior_of_days
from storage.campaigns import facts
from storage.campaigns.queries import CampaignVersion, get_content, get_version, settings_of
from storage.database import Connection, Database
from storage.ledger.limits import get_limit
from storage.rates import forecasts, spending
from storage.rates.forecasts import Kept, kept_forecasts
from triggers.assignment.given import Version
from triggers.assignment.planned import planned_days
from triggers.assignment.targets import matches
from triggers.contracts.api.budget import AccountUnit, LimitKind
from triggers.contracts.api.campaigns import BacktestForecast
from triggers.contracts.campaign import CampaignSettings, Comparison, Target
from triggers.statistics.budget_forecast.burn import learn
from triggers.statistics.budget_forecast.days import Vehicles
from triggers.statistics.budget_forecast.forecast import PlannedDay, forecast_budget
from triggers.statistics.budget_forecast.kept import calibrate, stage_of
from triggers.statistics.fleet_rates import spread_of_vehicles
from triggers.times import DAY_NS, NS_PER_S, midnight_ns

RENEWED_AFTER = timedelta(hours=1)
LOOKS_AHEAD_DAYS = 90
"""How far the forecast of a campaign without a last day looks."""
_LIMIT_KINDS: Mapping[AccountUnit, LimitKind] = {"bytes": "campaign_bytes", "clips": "campaign_clips"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is planned of a version from now on: its days, and the vehicles that its target matches."""

    days: list[PlannedDay]
    until_ns: int
    open_ended: bool
    fleet: int

    @property
    def vehicle_days(self) -> float:
        """All that are planned."""
        return sum(day.vehicle_days for day in self.days)


@dataclass(frozen=True, slots=True)
class Subject:
    """A version, what it is planned to do, and what its author's backtest expected."""

    details: CampaignVersion
    settings: CampaignSettings
    plan: Plan
    backtest: BacktestForecast | None
    now: datetime


def keep_forecasts(database: Database, *, now: datetime | None = None) -> int:
    """Score what is over, and make the forecasts that are missing or older than an hour; returns how many versions.

    A version that cannot be forecast is logged, and tried again in the next round.
    """
    now = now or datetime.now(UTC)
    with database.begin() as connection:
        forecasts.score(connection)
        made = forecasts.last_made(connection)
        versions = [(each.campaign, each.version) for each in facts.open_versions(connection)]
    due = [version for version in versions if version not in made or not _is_fresh(made[version], now)]

    def renew(connection: Connection, version: Version) -> None:
        for kept in make(connection, *version, now=now):
            forecasts.keep(connection, kept)

    return by_version(database, due, renew, what="its forecast failed")


def _is_fresh(made: datetime, now: datetime) -> bool:
    """Whether a forecast is younger than an hour, and of this day (UTC)."""
    return made > now - RENEWED_AFTER and made.astimezone(UTC).date() == now.astimezone(UTC).date()


def make(connection: Connection, campaign: str, version: int, *, now: datetime) -> Iterator[Kept]:
    """The forecasts of a version; none for a unit of which nothing is known: no backtest, and nothing was spent."""
    details = get_version(connection, campaign, version)
    content = get_content(connection, campaign, version)
    settings = settings_of(content.settings)
    backtest = None
    if content.forecast is not None:
        backtest = BacktestForecast.model_validate_json(json.dumps(content.forecast))
    plan = _plan(connection, details, settings, now)
    if not plan.days:
        return
    subject = Subject(details, settings, plan, backtest, now)
    spent = spending.settled(connection, [campaign])
    for unit in forecasts.UNITS:
        kept = _forecast(connection, subject, unit, spent.get((campaign, unit), 0))
        if kept is not None:
            yield kept


def _forecast(connection: Connection, subject: Subject, unit: AccountUnit, spent: int) -> Kept | None:
    details, plan, now = subject.details, subject.plan, subject.now
    version, since = (details.campaign, details.version), details.activated_at
    days = [] if since is None else spending.seen_days(connection, version, unit, since=since, now=now)
    of_backtest = None if subject.backtest is None else prior_of_backtest(subject.backtest, unit)
    prior = of_backtest or prior_of_days(days)
    if prior is None:
        return None
    seen = sum(day.vehicle_days for day in days)
    progress = min(seen / (seen + plan.vehicle_days) if seen + plan.vehicle_days > 0 else 0.0, 1 - 1e-9)
    sums = spending.vehicles_that_differ(connection, version, since=since or now)
    vehicles = Vehicles(max(1.0, plan.fleet, *(day.vehicle_days for day in days)), spread_of_vehicles(sums))
    factor = calibrate(kept_forecasts(forecasts.scored(connection, unit)), stage_of(progress)).factor
    limit = _limit(connection, subject, unit)
    found = forecast_budget(
        learn(prior, days, vehicles), plan.days, now_ns=_ns(now), spent=spent, limit=limit, factor=factor
    )
    return Kept(
        campaign=details.campaign,
        version=details.version,
        unit=unit,
        made_at=now,
        until=datetime.fromtimestamp(plan.until_ns // NS_PER_S, UTC),
        open_ended=plan.open_ended,
        rollout_from=details.rollout_from,
        progress=progress,
        from_backtest=of_backtest is not None,
        spent=spent,
        forecast={**asdict(found), "limit": limit, "factor": factor},
    )


def _limit(connection: Connection, subject: Subject, unit: AccountUnit) -> int | None:
    """The lower one of the version's budget and the limit that was set by command; None without either."""
    budget = subject.settings.budget
    approved = budget.total_bytes if unit == "bytes" else budget.clips
    commanded, _ = get_limit(connection, _LIMIT_KINDS[unit], subject.details.campaign)
    return min((limit for limit in (approved, commanded) if limit is not None), default=None)


def _plan(connection: Connection, details: CampaignVersion, settings: CampaignSettings, now: datetime) -> Plan:
    """The plan from now on: a paused version as if it went on now, one that waits as if it began on its first day."""
    now_ns = _ns(now)
    first_ns = now_ns if settings.active_from is None else max(now_ns, midnight_ns(settings.active_from))
    rollout_ns = first_ns if details.rollout_from is None else _ns(details.rollout_from)
    if details.rollout_from is not None and details.paused_at is not None:
        rollout_ns += max(0, now_ns - _ns(details.paused_at))
    groups = spending.active_vehicles(connection, sorted(set(_attributes(settings.target))))
    fleet = sum(each.vehicles for each in groups if matches(settings.target, each.attributes, each.reported))
    until_ns = (first_ns // DAY_NS + LOOKS_AHEAD_DAYS) * DAY_NS
    if settings.active_to is not None:
        until_ns = midnight_ns(settings.active_to) + DAY_NS
    days = planned_days(settings, fleet, rollout_from_ns=rollout_ns, now_ns=now_ns, until_ns=until_ns)
    return Plan(days, until_ns, settings.active_to is None, fleet)


def _attributes(target: Target | None) -> Iterator[str]:
    """The attributes that a target names."""
    if isinstance(target, Comparison):
        yield target.attribute
    elif target is not None:
        for operand in target.operands:
            yield from _attributes(operand)


def _ns(moment: datetime) -> int:
    return int(moment.timestamp() * NS_PER_S)
