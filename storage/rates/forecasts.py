"""Forecasts as they are kept: the last of each day, what came of it, and those that are shown now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Select, Text, and_, column, func, select, true, values
from sqlalchemy.dialects.postgresql import distinct_on, insert

from storage.rows import columns_of
from storage.tables import campaign_versions, forecasts
from triggers.assignment.given import Version
from triggers.contracts.api.budget import AccountUnit
from triggers.contracts.campaign import RUNNING, CampaignState
from triggers.statistics.budget_forecast.kept import KeptForecast, Stage, has_width, stage_of
from triggers.statistics.interval import Interval

UNITS: tuple[AccountUnit, ...] = ("bytes", "clips")
_c, version = forecasts.c, campaign_versions.c

MOST_COUNTED = 3000
"""Of how many forecasts of a unit the errors widen new ones: those of the last thousand versions, at three stages."""
_READ = frozenset({"limit", "per_day", "computed", "remaining", "total", "demand", "end", "factor"})
"""What is read of each forecast's document, by whoever reads it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A forecast of what a campaign version will spend, or of its trigger's own budget. `forecast` is a document of
    `ingest.steward.forecasts`."""

    campaign: str
    version: int
    unit: AccountUnit
    made_at: datetime
    until: datetime
    open_ended: bool
    """Whether the campaign has no last day: `until` is then just how far the forecast looks."""
    rollout_from: datetime | None
    progress: float
    from_backtest: bool
    spent: int
    forecast: dict[str, Any]
    held_up: bool = False
    """Whether a limit admitted no clip of the campaign on its day."""
    compared_until: datetime | None = None
    """`until`, or the earlier beginning of the UTC day on which a limit ended the campaign or held it up."""
    trigger: str = ""
    """The trigger whose own budget it is of; '': of the campaign's."""
    actual: int | None = None
    """What was spent from `made_at`, or from the campaign's start when that was later, until `compared_until`."""

    @property
    def stage(self) -> Stage:
        """How much of its campaign it knew."""
        return stage_of(self.progress)

    @property
    def is_readable(self) -> bool:
        """Not so of a forecast that another version of Longtail made, without something that is read here."""
        return self.forecast.keys() >= _READ

    @property
    def computed(self) -> Interval:
        """What was expected until `compared_until`, as the model said."""
        return Interval(**self.forecast.get("compared", self.forecast)["computed"])

    @property
    def shown(self) -> Interval:
        """The same, as it was widened and shown."""
        return Interval(**self.forecast.get("compared", self.forecast)["remaining"])


_COLUMNS = columns_of(Kept, forecasts)


def _readable(connection: Connection, chosen: Select[Any]) -> list[Kept]:
    """All that are read come through here, so that one of another version ends no answer that others are in."""
    return [kept for row in connection.execute(chosen) if (kept := Kept(*row)).is_readable]


def keep(connection: Connection, kept: Kept) -> None:
    """Keep a forecast as that of its day, in place of an earlier one of the day."""
    row = asdict(kept) | {"day": kept.made_at.astimezone(UTC).date()}
    statement = insert(forecasts).values(row)
    keys = ["campaign", "version", "unit", "day", "trigger"]
    new: dict[str, Any] = {name: statement.excluded[name] for name in row if name not in keys}
    new["held_up"] = _c.held_up | statement.excluded.held_up
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=new))


def last_made(connection: Connection, day: date) -> dict[Version, datetime]:
    """When each campaign version that is open was forecast last on a day."""
    open_version = version.state.in_((CampaignState.APPROVED, *RUNNING))
    rows = connection.execute(
        select(_c.campaign, _c.version, func.max(_c.made_at).label("at"))
        .join(campaign_versions, (version.campaign == _c.campaign) & (version.version == _c.version))
        .where(open_version, _c.unit.in_(UNITS), _c.day == day)
        .group_by(_c.campaign, _c.version)
    )
    return {(row.campaign, row.version): row.at for row in rows}


def counted(connection: Connection, unit: AccountUnit) -> list[Kept]:
    """The forecasts whose errors widen new ones: of each version's in a stage one; the newest."""
    newest = select(*_COLUMNS).where(_c.unit == unit, _c.counts).order_by(_c.made_at.desc()).limit(MOST_COUNTED)
    return _readable(connection, newest)


def current(connection: Connection, campaign: str | None = None) -> list[Kept]:
    """The newest forecasts of each campaign's running version, else of its approved one: by name, in both units, the
    campaign's before those of its triggers."""
    is_open = version.state.in_((CampaignState.APPROVED, *RUNNING))
    unit = values(column("unit", Text), name="units").data([(name,) for name in UNITS]).c.unit
    newest = (
        select(_c.day)
        .where(_c.campaign == version.campaign, _c.version == version.version, _c.unit == unit)
        .order_by(_c.day.desc())
        .limit(1)
        .lateral("newest")
    )
    chosen = (
        select(version.campaign, version.version, unit, newest.c.day)
        .select_from(campaign_versions.join(unit.table, true()).join(newest, true()))
        .where(is_open, *(() if campaign is None else (version.campaign == campaign,)))
        .ext(distinct_on(version.campaign, unit))
        .order_by(version.campaign, unit, version.state.in_(RUNNING).desc(), version.version.desc())
        .subquery("chosen")
    )
    of_day = [_c[name] == chosen.c[name] for name in ("campaign", "version", "unit", "day")]
    found = select(*_COLUMNS).join(chosen, and_(*of_day)).order_by(_c.campaign, _c.trigger, _c.unit)
    return _readable(connection, found)


def past(connection: Connection, campaign: str, trigger: str = "", *, limit: int) -> list[Kept]:
    """A campaign's forecasts, or those of a trigger's own budget in it, the newest first."""
    found = (
        select(*_COLUMNS)
        .where(_c.campaign == campaign, _c.trigger == trigger)
        .order_by(_c.made_at.desc(), _c.version.desc(), _c.unit)
        .limit(limit)
    )
    return _readable(connection, found)


def kept_forecasts(kept: Sequence[Kept]) -> list[KeptForecast]:
    """Those that can be scored: of which it is known what was spent, and that were not certain."""
    found = []
    for each in kept:
        if each.actual is not None and has_width(each.computed):
            name = f"{each.campaign} {each.version}"
            found.append(KeptForecast(name, each.progress, each.computed, each.shown, float(each.actual)))
    return found
