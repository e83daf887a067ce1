"""Forecasts as they are kept: the last of each day, what came of it, and those that are shown now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, text
from sqlalchemy.dialects.postgresql import distinct_on, insert

from storage.tables import campaign_versions, forecasts
from triggers.contracts.api.budget import AccountUnit
from triggers.contracts.campaign import RUNNING, CampaignState
from triggers.statistics.budget_forecast.kept import KeptForecast
from triggers.statistics.interval import Interval

UNITS: tuple[AccountUnit, ...] = ("bytes", "clips")
_c = forecasts.c

# What was planned and ran as planned until its end: the rollout began when it was expected to, give or take a day, and
# was never paused. A pause that is over has pushed `rollout_from` forward.
_SCORE = text("""
    UPDATE forecasts f SET actual = (
        SELECT coalesce(sum(e.settled_delta), 0)
        FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id
        WHERE a.kind = 'campaign_' || f.unit AND a.campaign = f.campaign
            AND e.created_at > f.made_at AND e.created_at <= f.until
    )
    FROM campaign_versions v
    WHERE v.campaign = f.campaign AND v.version = f.version AND f.actual IS NULL AND f.until <= now()
        AND v.activated_at IS NOT NULL AND (v.ended_at IS NULL OR v.ended_at >= f.until) AND v.paused_at IS NULL
        AND CASE WHEN f.rollout_from IS NULL
            THEN v.rollout_from = v.activated_at AND v.activated_at <= interval '1 day' + greatest(
                f.made_at, CAST(v.settings ->> 'active_from' AS timestamp) AT TIME ZONE 'UTC'
            )
            ELSE v.rollout_from = f.rollout_from
        END
""")


@dataclass(frozen=True, slots=True)
class Kept:
    """A forecast of what a campaign version will spend. `forecast` is a document of `ingest.steward.forecasts`."""

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
    actual: int | None = None


def keep(connection: Connection, kept: Kept) -> None:
    """Keep a forecast as that of its day, in place of an earlier one of the day."""
    row = asdict(kept) | {"day": kept.made_at.date()}
    statement = insert(forecasts).values(row)
    keys = ["campaign", "version", "unit", "day"]
    new = {name: statement.excluded[name] for name in row if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=new))


def last_made(connection: Connection) -> dict[tuple[str, int], datetime]:
    """When each campaign version was forecast last."""
    rows = connection.execute(
        select(_c.campaign, _c.version, func.max(_c.made_at).label("at")).group_by(_c.campaign, _c.version)
    )
    return {(row.campaign, row.version): row.at for row in rows}


def score(connection: Connection) -> int:
    """Note what was spent in the time of forecasts that is over; returns of how many. Once noted it stays."""
    return connection.execute(_SCORE).rowcount


def scored(connection: Connection, unit: AccountUnit, *, limit: int = 10_000) -> list[Kept]:
    """The newest forecasts of which it is known what was spent."""
    rows = connection.execute(
        select(forecasts).where(_c.unit == unit, _c.actual.is_not(None)).order_by(_c.made_at.desc()).limit(limit)
    )
    return [_kept(row) for row in rows]


def current(connection: Connection, campaign: str | None = None) -> list[Kept]:
    """The newest forecasts of each campaign's running version, else of its approved one; both units, by name."""
    version = campaign_versions.c
    is_open = version.state.in_((CampaignState.APPROVED, *RUNNING))
    rows = connection.execute(
        select(forecasts)
        .join(campaign_versions, (version.campaign == _c.campaign) & (version.version == _c.version))
        .where(is_open, *(() if campaign is None else (_c.campaign == campaign,)))
        .ext(distinct_on(_c.campaign, _c.unit))
        .order_by(_c.campaign, _c.unit, version.state.in_(RUNNING).desc(), _c.version.desc(), _c.day.desc())
    )
    return [_kept(row) for row in rows]


def past(connection: Connection, campaign: str, *, limit: int) -> list[Kept]:
    """A campaign's forecasts, the newest first."""
    rows = connection.execute(
        select(forecasts)
        .where(_c.campaign == campaign)
        .order_by(_c.made_at.desc(), _c.version.desc(), _c.unit)
        .limit(limit)
    )
    return [_kept(row) for row in rows]


def _kept(row: Row[Any]) -> Kept:
    values = row._asdict()
    del values["day"]
    return Kept(**values)


def kept_forecasts(kept: Sequence[Kept]) -> list[KeptForecast]:
    """Those that can be scored: of which it is known what was spent, and that were not certain."""
    found = []
    for each in kept:
        computed, shown = (Interval(**each.forecast[name]) for name in ("computed", "remaining"))
        if each.actual is not None and computed.low <= computed.mean < computed.high:
            name = f"{each.campaign} {each.version}"
            found.append(KeptForecast(name, each.progress, computed, shown, float(each.actual)))
    return found
