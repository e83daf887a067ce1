"""`longtail rates`: how often triggers fire and events are told, what versions changed, how often heads disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fleet_api.cli.connection import with_client
from fleet_api.cli.numbers import WholeNumber
from fleet_api.cli.output import (
    Column,
    Form,
    form_options,
    json_option,
    print_json,
    print_list,
    print_table,
    remark,
)
from triggers.pages.shown_numbers import shown_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleet_api.client import Client
    from triggers.contracts.api.rates.answers import CompareView, EventsView, HeadView, RatePer, RateView, RatioView
    from triggers.contracts.api.rates.estimates import Estimate

component_option = click.option(
    "--software",
    "component",
    metavar="COMPONENT",
    help="Tell versions of this component of vehicles' software apart, such as `stack`.",
)
version_option = click.option(
    "--version", type=WholeNumber(1), help="The campaign's version.  [default: the running one, else the newest]"
)


def shown_estimate(estimate: Estimate | None) -> str | None:
    """An estimate with its interval, as in `1.2 (0.8 to 1.7)`."""
    if estimate is None:
        return None
    high = "any" if estimate.high is None else shown_number(estimate.high)
    return f"{shown_number(estimate.mean)} ({shown_number(estimate.low)} to {high})"


def shown_percent(estimate: Estimate | None) -> str | None:
    """A share with its interval in percent."""
    if estimate is None or estimate.high is None:
        return None
    return f"{100 * estimate.mean:.3g} % ({100 * estimate.low:.3g} to {100 * estimate.high:.3g})"


def shown_ratio(ratio: RatioView) -> str:
    """A ratio with its interval; `?` where nothing is known of it."""
    high = "any" if ratio.high is None else shown_number(ratio.high)
    return f"{shown_number(ratio.estimate) or '?'} ({shown_number(ratio.low)} to {high})"


def _ends(name: str, of: str) -> tuple[Column[RateView], ...]:
    return tuple(
        Column(f"{name}.{end}", lambda rate, end=end: getattr(getattr(rate, of), end, None))  # type: ignore[misc]
        for end in ("mean", "low", "high")
    )


COLUMNS: tuple[Column[RateView], ...] = (
    Column("campaign", lambda rate: rate.campaign),
    Column("version", lambda rate: rate.version),
    Column("software", lambda rate: rate.software),
    Column("trigger", lambda rate: rate.trigger),
    Column("vehicles", lambda rate: rate.vehicles),
    Column("fires", lambda rate: rate.fires),
    Column("armed_ns", lambda rate: rate.armed_ns),
    Column("distance_m", lambda rate: rate.distance_m),
    *_ends("per_hour", "per_hour"),
    *_ends("anytime", "anytime"),
    *_ends("per_1000km", "per_1000km"),
    *_ends("trend", "trend"),
    Column("as_of", lambda rate: rate.as_of),
)


@click.group()
def rates() -> None:
    """Show how often triggers fire, and compare versions."""


@rates.command(short_help="Show fires per hour and per 1,000 km, by trigger.")
@click.argument("campaign", required=False)
@version_option
@component_option
@form_options("json", "csv")
@with_client
def show(client: Client, campaign: str | None, version: int | None, component: str | None, form: Form) -> None:
    """Show the rates of a campaign's triggers as vehicles have counted them, or of all campaigns.

    Rates are fires per hour and per 1,000 km in which the trigger could have fired, with intervals of 95 %. Sampling
    and rollout do not bias them. `at any time` is the rate per hour with an interval that holds however often you look.
    `trend` is the factor by which a rate changes per week.
    """
    found = client.rates.of_triggers(campaign, version=version, component=component)
    if form == "table" and found:
        names = (
            "campaign",
            "version",
            "software",
            "trigger",
            "vehicles",
            "fires",
            "per hour",
            "at any time",
            "per 1,000 km",
            "trend",
        )
        shown = [index for index, name in enumerate(names) if component is not None or name != "software"]
        print_table("", [names[index] for index in shown], [[_row(rate)[index] for index in shown] for rate in found])
    else:
        print_list(form, found, COLUMNS, none="no vehicle has reported counts yet")


def _row(rate: RateView) -> tuple[object, ...]:
    return (
        rate.campaign,
        rate.version,
        rate.software or "unknown",
        rate.trigger,
        rate.vehicles,
        rate.fires,
        shown_estimate(rate.per_hour),
        shown_estimate(rate.anytime),
        shown_estimate(rate.per_1000km),
        shown_estimate(rate.trend),
    )


@rates.command(short_help="Compare two versions: what rose, fell or appeared.")
@click.argument("campaign")
@click.argument("old")
@click.argument("new")
@version_option
@component_option
@click.option(
    "--per",
    type=click.Choice(["hour", "1000km"]),
    default="hour",
    show_default=True,
    help="What fires are compared per.",
)
@json_option
@with_client
def compare(
    client: Client,
    *,
    campaign: str,
    old: str,
    new: str,
    version: int | None,
    component: str | None,
    per: RatePer,
    as_json: bool,
) -> None:
    """Compare the versions OLD and NEW of CAMPAIGN, or with --software those of a component of vehicles' software.

    The intervals of `new / old` hold however often you look: what has risen, fallen or appeared stays so. Of all
    changes that are named, at most 5 % are wrong, on average.
    """
    found = client.rates.compare(campaign, old, new, component=component, version=version, per=per)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    unit = "hour" if per == "hour" else "1,000 km"
    _show_compared(f"Fires per {unit}", "trigger", found.triggers)
    _show_compared("Share of pairs that disagree", "head", found.heads)
    _show_compared("Compared events per 1,000 km", "events", found.events)
    if not any(each.change != "open" for each in (*found.triggers, *found.heads, *found.events)):
        remark("no change is shown yet; look again whenever you like")


def _show_compared(title: str, thing: str, compared: Sequence[CompareView]) -> None:
    if compared:
        rows = [
            (each.name, shown_estimate(each.old), shown_estimate(each.new), shown_ratio(each.ratio), each.change)
            for each in compared
        ]
        print_table(title, (thing, "old", "new", "new / old", "change"), rows)


HEAD_COLUMNS: tuple[Column[HeadView], ...] = (
    Column("head", lambda head: head.head),
    Column("software", lambda head: head.software),
    Column("vehicles", lambda head: head.vehicles),
    Column("pairs", lambda head: head.pairs),
    Column("disagreeing", lambda head: head.disagreeing),
    Column("unknown", lambda head: head.unknown),
    Column("share", lambda head: None if head.share is None else head.share.mean),
    Column("low", lambda head: None if head.share is None else head.share.low),
    Column("high", lambda head: None if head.share is None else head.share.high),
)


@rates.command(short_help="Show how often compared heads disagree.")
@click.argument("campaign")
@version_option
@component_option
@form_options("json", "csv")
@with_client
def heads(client: Client, campaign: str, version: int | None, component: str | None, form: Form) -> None:
    """Show how often the active and the shadow value of the heads that CAMPAIGN compares disagree.

    `share` has an interval of 95 % for one look, `at any time` one that holds however often you look.
    """
    found = client.rates.heads(campaign, version=version, component=component)
    if form == "table" and found:
        names = ("head", "software", "vehicles", "pairs", "disagreeing", "share", "at any time")
        rows = [
            (
                head.head,
                head.software or ("unknown" if component else ""),
                head.vehicles,
                head.pairs,
                head.disagreeing,
                shown_percent(head.share),
                shown_percent(head.anytime),
            )
            for head in found
        ]
        print_table("", names, rows)
    else:
        print_list(form, found, HEAD_COLUMNS, none=f"{campaign} has no pairs of compared heads")


EVENT_COLUMNS: tuple[Column[EventsView], ...] = (
    Column("head", lambda told: told.head),
    Column("sides", lambda told: told.sides.value),
    Column("software", lambda told: told.software),
    Column("within_ns", lambda told: told.within_ns),
    Column("driver", lambda told: told.driver),
    Column("vehicles", lambda told: told.vehicles),
    Column("distance_m", lambda told: told.distance_m),
    *(
        Column(name, lambda told, name=name: getattr(told, name))  # type: ignore[misc]
        for name in ("matched", "only_first", "only_second", "unresolved_first", "unresolved_second")
    ),
    Column("unresolved_share", lambda told: told.unresolved_share),
    *(
        Column(f"{of}.{end}", lambda told, of=of, end=end: getattr(getattr(told, of), end, None))  # type: ignore[misc]
        for of in ("matched_per_1000km", "only_first_per_1000km", "only_second_per_1000km")
        for end in ("mean", "low", "high")
    ),
)


@rates.command(short_help="Show how often compared events are told together or alone.")
@click.argument("campaign")
@version_option
@component_option
@form_options("json", "csv")
@with_client
def events(client: Client, campaign: str, version: int | None, component: str | None, form: Form) -> None:
    """Show the events of the heads whose events CAMPAIGN compares, per 1,000 km, with intervals of 95 %.

    `both` were told by both sides within the window, the others by one alone. `unresolved` is the share of rises whose
    partner may have been unseen; they are in no rate.
    """
    found = client.rates.events(campaign, version=version, component=component)
    if form == "table" and found:
        names = ("head", "sides", "software", "vehicles", "km", "both", "first alone", "second alone", "unresolved")
        print_table("Events per 1,000 km", names, [_event_row(told, component) for told in found])
    else:
        print_list(form, found, EVENT_COLUMNS, none=f"{campaign} has no compared events")


def _event_row(told: EventsView, component: str | None) -> tuple[object, ...]:
    return (
        told.head,
        " and ".join(told.sides.names),
        told.software or ("unknown" if component else ""),
        told.vehicles,
        round(told.distance_m / 1000),
        shown_estimate(told.matched_per_1000km),
        shown_estimate(told.only_first_per_1000km),
        shown_estimate(told.only_second_per_1000km),
        f"{100 * told.unresolved_share:.3g} %",
    )
