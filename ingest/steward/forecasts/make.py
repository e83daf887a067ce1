"""Makes and keeps forecasts of each version that runs or waits, and of its triggers' own totals; judges what is over.

A campaign is forecast in bytes and in clips, a trigger in what its own budget limits.

A round is made in pieces, a batch of judgements or one version's forecasts each, between which the steward's other
duties have their turns.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import cast

from ingest.steward.by_version import by_version
from ingest.steward.forecasts.held_up import held_up
from ingest.steward.forecasts.judge import judge
from ingest.steward.forecasts.prior import LIMIT_OF_UNIT, prior_of_backtest, prior_of_days
from storage.campaigns import facts
from storage.campaigns.queries import CampaignVersion, get_content, get_version, settings_of
from storage.database import Connection, Database
from storage.ledger.accounts import AccountKey, total_key
from storage.ledger.limits import ANY_AMOUNT, FleetTerms, get_limit
from storage.rates import forecasts, spending
from storage.rates.forecasts import Kept, kept_forecasts
from triggers.assignment.given import Version
from triggers.assignment.planned import planned_days
from triggers.assignment.targets import matches
from triggers.contracts.api.budget import AccountUnit, LimitKind
from triggers.contracts.api.campaigns import BacktestForecast
from triggers.contracts.campaign import BudgetLimits, CampaignSettings, Comparison, Target, budget_owner
from triggers.statistics.budget_forecast.burn import learn
from triggers.statistics.budget_forecast.course import course_of
from triggers.statistics.budget_forecast.days import Vehicles
from triggers.statistics.budget_forecast.forecast import PlannedDay, forecast_budget
from triggers.statistics.budget_forecast.kept import Stage, calibrate, stage_of
from triggers.statistics.fleet_rates import spread_of_vehicles
from triggers.times import DAY_NS, NS_PER_S, midnight_ns

RENEWED_AFTER = timedelta(hours=1)
LOOKS_AHEAD_DAYS = 90
"""How far the forecast of a campaign without a last day looks."""
FARTHEST_DAYS = 3660
"""How far any forecast looks: a campaign may name the last day of the calendar, and its days are gone through one by
one."""


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
    """A version, what it is planned to do, what its author's backtest expected, and the days that vehicles had it."""

    details: CampaignVersion
    settings: CampaignSettings
    plan: Plan
    backtest: BacktestForecast | None
    of_vehicles: Mapping[date, float]
    now: datetime


@dataclass(frozen=True, slots=True)
class Total:
    """What is forecast: the total of a version, or of a trigger's own budget in it, with the limit in force.

    `spread` is how its vehicles differ in fires.
    """

    account: AccountKey
    limit: int | None
    spent: int
    spread: float


class Forecasting:
    """The forecasts of one deployment, a piece of a round at a time. Not thread-safe."""

    def __init__(self, database: Database, fleet: FleetTerms = ANY_AMOUNT) -> None:
        self._database = database
        self._terms = fleet
        self._due: list[Version] = []
        self._round: Round | None = None
        self.made = 0
        """How many versions it has forecast."""

    def go_on(self, now: datetime | None = None) -> bool:
        """Do the next piece of the round, or begin one; whether there is more to do now.

        First forecasts that are over are judged, so that new ones learn from their errors; then the missing ones and
        those older than an hour are made. A version that cannot be forecast is logged, and tried in the next round.
        """
        if self._round is None:
            now = now or datetime.now(UTC)
            if judge(self._database, now):
                return True
            self._begin(now)
        elif self._due:
            version, of_round = self._due.pop(0), self._round
            self.made += by_version(self._database, [version], of_round.renew, what="its forecast failed")
        if not self._due:
            self._round = None
        return bool(self._due)

    def _begin(self, now: datetime) -> None:
        with self._database.begin() as connection:
            made = forecasts.last_made(connection, now.astimezone(UTC).date())
            versions = [(each.campaign, each.version) for each in facts.open_versions(connection)]
            factors = {unit: _factors(connection, unit) for unit in forecasts.UNITS} if versions else {}
        self._due = [each for each in versions if each not in made or made[each] <= now - RENEWED_AFTER]
        self._round = Round(now, self._terms, factors)


@dataclass(frozen=True, slots=True)
class Round:
    """What all forecasts of a round have in common: the time, the fleet's terms, and how much intervals are widened."""

    now: datetime
    fleet: FleetTerms
    factors: Mapping[AccountUnit, Mapping[Stage, float]]

    def renew(self, connection: Connection, version: Version) -> None:
        """Make the forecasts of a version, and keep them."""
        for kept in self.make(connection, *version):
            forecasts.keep(connection, kept)

    def make(self, connection: Connection, campaign: str, version: int) -> Iterator[Kept]:
        """The forecasts of a version; none for a unit of which nothing is known: no backtest, and nothing was spent."""
        subject = _subject(connection, campaign, version, self.now)
        if not subject.plan.days:
            return
        totals = list(_totals(connection, subject))
        full: frozenset[str] = frozenset()
        if subject.details.activated_at is not None:
            accounts = [total.account for total in totals]
            full = held_up(connection, campaign, subject.settings.priority, accounts, fleet=self.fleet, now=self.now)
        for total in totals:
            kept = _forecast(connection, subject, total, self.factors[total.account.unit])
            if kept is not None:
                yield replace(kept, held_up=total.account.trigger in full)


def _subject(connection: Connection, campaign: str, version: int, now: datetime) -> Subject:
    details = get_version(connection, campaign, version)
    content = get_content(connection, campaign, version)
    settings = settings_of(content.settings)
    backtest = None
    if content.forecast is not None:
        backtest = BacktestForecast.model_validate_json(json.dumps(content.forecast))
    of_vehicles: Mapping[date, float] = {}
    if details.activated_at is not None:
        since = details.activated_at
        of_vehicles = spending.vehicle_days(connection, (campaign, version), since=since, now=now)
    return Subject(details, settings, _plan(connection, details, settings, now), backtest, of_vehicles, now)


def _totals(connection: Connection, subject: Subject) -> Iterator[Total]:
    """The campaign's in each unit, and what its triggers' own budgets limit."""
    details = subject.details
    version, since = (details.campaign, details.version), details.activated_at or subject.now
    settled = spending.settled(connection, [details.campaign])
    budgets: list[tuple[str, BudgetLimits]] = [("", subject.settings.budget)]
    budgets += [(each.name, each.budget) for each in subject.settings.triggers if each.budget is not None]
    for trigger, budget in budgets:
        approved = {unit: getattr(budget, LIMIT_OF_UNIT[unit]) for unit in forecasts.UNITS}
        units = [unit for unit, limit in approved.items() if not trigger or limit is not None]
        if not units:
            continue
        spread = spread_of_vehicles(spending.vehicles_that_differ(connection, version, since=since, trigger=trigger))
        for unit in units:
            account = total_key(details.campaign, unit, trigger)
            limit = _in_force(connection, account, approved[unit])
            yield Total(account, limit, settled.get(account, 0), spread)


def _in_force(connection: Connection, account: AccountKey, approved: int | None) -> int | None:
    """The lower one of the version's limit and the one that was set by command; None without either."""
    name = budget_owner(account.campaign, account.trigger)
    commanded, _ = get_limit(connection, cast(LimitKind, account.kind), name)
    return min((limit for limit in (approved, commanded) if limit is not None), default=None)


def _factors(connection: Connection, unit: AccountUnit) -> dict[Stage, float]:
    """By how much the errors of the past widen the intervals of each stage."""
    past = kept_forecasts(forecasts.counted(connection, unit))
    return {stage: calibrate(past, stage).factor for stage in Stage}


def _forecast(connection: Connection, subject: Subject, total: Total, factors: Mapping[Stage, float]) -> Kept | None:
    details, plan, now, account = subject.details, subject.plan, subject.now, total.account
    days = []
    if details.activated_at is not None:
        days = spending.seen_days(connection, account, subject.of_vehicles, since=details.activated_at, now=now)
    of_backtest = None
    if subject.backtest is not None:
        of_backtest = prior_of_backtest(subject.backtest, account.unit, account.trigger)
    prior = of_backtest or prior_of_days(days)
    if prior is None:
        return None
    seen = sum(day.vehicle_days for day in days)
    progress = min(seen / (seen + plan.vehicle_days) if seen + plan.vehicle_days > 0 else 0.0, 1 - 1e-9)
    vehicles = Vehicles(max(1.0, plan.fleet, *(day.vehicle_days for day in days)), total.spread)
    factor, limit = factors[stage_of(progress)], total.limit
    burn = learn(prior, days, vehicles)
    found = forecast_budget(burn, plan.days, now_ns=_ns(now), spent=total.spent, limit=limit, factor=factor)
    return Kept(
        campaign=details.campaign,
        version=details.version,
        trigger=account.trigger,
        unit=account.unit,
        made_at=now,
        until=datetime.fromtimestamp(plan.until_ns // NS_PER_S, UTC),
        open_ended=plan.open_ended,
        rollout_from=details.rollout_from,
        progress=progress,
        from_backtest=of_backtest is not None,
        spent=total.spent,
        forecast={**asdict(found), "limit": limit, "factor": factor, "course": course_of(burn, plan.days)},
    )


def _plan(connection: Connection, details: CampaignVersion, settings: CampaignSettings, now: datetime) -> Plan:
    """The plan from now on: a halted version as if it went on now, one that waits as if it began on its first day."""
    now_ns = _ns(now)
    first_ns = now_ns if settings.active_from is None else max(now_ns, midnight_ns(settings.active_from))
    rollout_ns = first_ns if details.rollout_from is None else _ns(details.rollout_from)
    if details.rollout_from is not None and details.halted_at is not None:
        rollout_ns += max(0, now_ns - _ns(details.halted_at))
    groups = spending.active_vehicles(connection, sorted(set(_attributes(settings.target))))
    fleet = sum(each.vehicles for each in groups if matches(settings.target, each.attributes, each.reported))
    wanted_ns = (first_ns // DAY_NS + LOOKS_AHEAD_DAYS) * DAY_NS
    if settings.active_to is not None:
        wanted_ns = midnight_ns(settings.active_to) + DAY_NS
    until_ns = min(wanted_ns, (now_ns // DAY_NS + FARTHEST_DAYS) * DAY_NS)
    days = planned_days(settings, fleet, rollout_from_ns=rollout_ns, now_ns=now_ns, until_ns=until_ns)
    return Plan(days, until_ns, settings.active_to is None or until_ns < wanted_ns, fleet)


def _attributes(target: Target | None) -> Iterator[str]:
    """The attributes that a target names."""
    if isinstance(target, Comparison):
        yield target.attribute
    elif target is not None:
        for operand in target.operands:
            yield from _attributes(operand)


def _ns(moment: datetime) -> int:
    return int(moment.timestamp() * NS_PER_S)
