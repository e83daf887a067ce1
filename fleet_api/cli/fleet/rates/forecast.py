"""`longtail budget forecast`, and the bars of `longtail budget show`: what is spent, what is expected, the limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fleet_api.cli.connection import with_client
from fleet_api.cli.fleet.rates.commands import shown_percent
from fleet_api.cli.output import (
    Column,
    Form,
    form_options,
    print_json,
    print_list,
    print_result,
    print_table,
    print_title,
    remark,
    shown_bytes,
)
from triggers.contracts.campaign import budget_owner, owner_parts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from fleet_api.client import Client
    from triggers.contracts.api.rates.estimates import Estimate
    from triggers.contracts.api.rates.forecasts import CalibrationView, ForecastView

WIDTH = 40
"""Of a bar, in characters."""
SPENT, EXPECTED, BAND, EMPTY, LIMIT = "#", "=", "-", ".", "|"


def bar(forecast: ForecastView, width: int = WIDTH) -> str:
    """What is spent, the band in which it will end without the limit, and the limit, on one scale.

    `#` is spent, `=` will be spent at least, `-` is the interval of 90 %, `|` the limit.
    """
    low, high = forecast.demand.low, forecast.demand.high or forecast.demand.mean
    scale = max(forecast.spent, high, forecast.limit or 0) or 1
    spent, least, most = (round(width * amount / scale) for amount in (forecast.spent, low, high))
    cells = [
        SPENT if cell < spent else EXPECTED if cell < least else BAND if cell < most else EMPTY for cell in range(width)
    ]
    if forecast.limit is not None:
        cells[min(width - 1, round(width * forecast.limit / scale))] = LIMIT
    return "".join(cells)


def show_bars(forecasts: Sequence[ForecastView]) -> None:
    """Draw all forecasts below each other."""
    if not forecasts:
        return
    print_title(f"Spent {SPENT}, expected {EXPECTED}, 90 % interval {BAND}, limit {LIMIT}")
    names = [f"{budget_owner(each.campaign, each.trigger)} ({each.unit})" for each in forecasts]
    width = max(map(len, names))
    for name, each in zip(names, forecasts, strict=True):
        print_result(f"{name:{width}}  {bar(each)}  {_words(each)}")


def _words(forecast: ForecastView) -> str:
    """Total and end, in words."""
    until = f"{'by' if forecast.open_ended else 'at the end,'} {forecast.until.date()}"
    words = f"{_amounts(forecast, forecast.total)} {until}"
    if forecast.end is None or forecast.end.earliest is None:
        return words
    return f"{words}; limit reached {_end(forecast)}"


def _end(forecast: ForecastView) -> str:
    """When the limit is reached, with its interval; empty without a limit."""
    end = forecast.end
    if end is None:
        return ""
    if end.earliest is None:
        return _day(None)
    return f"{_day(end.expected)} ({_day(end.earliest)} to {_day(end.latest)})"


def _day(moment: datetime | None) -> str:
    """None is a time that is not within the plan."""
    return "later" if moment is None else str(moment.date())


def _amounts(forecast: ForecastView, estimate: Estimate) -> str:
    mean, low, high = (_amount(forecast, part) for part in (estimate.mean, estimate.low, estimate.high))
    return f"{mean} ({low} to {high})"


def _amount(forecast: ForecastView, amount: float | None) -> str:
    if amount is None:
        return "any"
    return shown_bytes(round(amount)) if forecast.unit == "bytes" else f"{amount:,.0f}"


COLUMNS: tuple[Column[ForecastView], ...] = (
    Column("campaign", lambda each: each.campaign),
    Column("version", lambda each: each.version),
    Column("trigger", lambda each: each.trigger),
    Column("unit", lambda each: each.unit),
    Column("made_at", lambda each: each.made_at),
    Column("until", lambda each: each.until),
    Column("spent", lambda each: each.spent),
    Column("limit", lambda each: each.limit),
    Column("per_day", lambda each: each.per_day.mean),
    Column("total", lambda each: each.total.mean),
    Column("total.low", lambda each: each.total.low),
    Column("total.high", lambda each: each.total.high),
    Column("end", lambda each: None if each.end is None else each.end.expected),
    Column("remaining", lambda each: each.remaining.mean),
    Column("actual", lambda each: each.actual),
    Column("compared_until", lambda each: each.compared_until),
    Column("expected", lambda each: None if each.expected is None else each.expected.mean),
)


@click.command(short_help="Forecast what campaigns will spend, and when their limits end them.")
@click.argument("campaign", required=False, metavar="[CAMPAIGN[.TRIGGER]]")
@click.option("--kept", is_flag=True, help="Show the forecasts of earlier days, and what came of them.")
@form_options("json", "csv")
@with_client
def forecast(client: Client, campaign: str | None, kept: bool, form: Form) -> None:
    """Forecast the budgets of a CAMPAIGN and of its triggers, of one of these (CAMPAIGN.TRIGGER), or of all campaigns
    that run or wait: burn rate, total at the end, and when a limit is reached, each with an interval of 90 %.

    Before the start a forecast is the backtest's that was applied with the version; each day it learns from the days,
    and its interval from the errors of earlier forecasts.
    """
    if campaign is not None and budget_owner(*owner_parts(campaign)) != campaign:
        raise click.UsageError(f"{campaign[:130]!r} names no trigger after the dot: write CAMPAIGN or CAMPAIGN.TRIGGER")
    if kept:
        if campaign is None:
            raise click.UsageError("--kept needs a campaign")
        found = client.forecasts.kept(*owner_parts(campaign))
        if form == "table" and found:
            _show_kept(found)
        else:
            print_list(form, found, COLUMNS, none=f"no forecast of {campaign} was kept yet")
        return
    answer = client.forecasts.current(*(() if campaign is None else owner_parts(campaign)))
    if form == "json":
        print_json(answer.model_dump(mode="json"))
    elif form == "table" and answer.forecasts:
        names = ("of", "unit", "spent", "limit", "per day", "total", "until", "limit reached", "known from")
        print_table("", names, [_row(each) for each in answer.forecasts])
        _show_past(answer.past)
    else:
        print_list(form, answer.forecasts, COLUMNS, none=_no_forecast(campaign))


def _no_forecast(campaign: str | None) -> str:
    """Why nothing is forecast of all campaigns (None), of one, or of a trigger in one."""
    if campaign is None:
        return "nothing is forecast: no campaign that runs or waits has a backtest, or clips"
    name, trigger = owner_parts(campaign)
    no_total = f", or the budget of {trigger} has no total" if trigger else ""
    return f"nothing is forecast of {campaign}: {name} does not run or wait, or has no backtest and no clips{no_total}"


def _row(each: ForecastView) -> tuple[object, ...]:
    known = "backtest" if each.stage == "before" else "days" + " and backtest" * each.from_backtest
    return (
        budget_owner(each.campaign, each.trigger),
        each.unit,
        _amount(each, each.spent),
        "" if each.limit is None else _amount(each, each.limit),
        _amounts(each, each.per_day),
        _amounts(each, each.total),
        f"{each.until.date()}{' (no last day)' * each.open_ended}",
        _end(each),
        known,
    )


def _show_kept(found: Sequence[ForecastView]) -> None:
    names = ("made", "version", "unit", "until", "to be spent", "was spent", "held")
    rows = [
        (
            each.made_at.date(),
            each.version,
            each.unit,
            (each.compared_until or each.until).date(),
            _amounts(each, each.expected or each.remaining),
            "" if each.actual is None else _amount(each, each.actual),
            _held(each),
        )
        for each in found
    ]
    print_table("", names, rows)


def _held(each: ForecastView) -> str:
    """Whether the interval held; empty where it is not known, or cannot be said."""
    if each.actual is None or each.expected is None:
        return ""
    low, high = each.expected.low, each.expected.high
    return "yes" if low <= each.actual and (high is None or each.actual <= high) else "no"


def _show_past(past: Sequence[CalibrationView]) -> None:
    rows = [
        (
            each.unit,
            each.stage.replace("_", " "),
            each.forecasts,
            each.held,
            shown_percent(each.held_share),
            "" if each.median_error is None else f"{100 * each.median_error:+.0f} %",
            f"{each.factor:.2f}",
        )
        for each in past
        if each.forecasts
    ]
    if rows:
        names = ("unit", "made", "campaigns", "held", "share", "median error", "intervals widened by")
        print_table("How good forecasts were", names, rows)
    else:
        remark("no campaign that was forecast has come to its planned end yet, so intervals are as computed")
