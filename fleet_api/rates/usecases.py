"""Use cases for rates: of fires and compared events, what a version changed, and how often heads disagree."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from fleet_api.rates.rules import LIKELY_PER_1000KM, LIKELY_SHARE, UNITS, expected_rate
from fleet_api.rates.views import compare_view, event_view, head_view, named_events, rate_view
from fleet_api.services import Services
from storage.campaigns.queries import get_forecasts, get_version, get_versions, list_campaigns, running_version
from storage.database import Connection
from storage.rates import days, sums
from triggers.assignment.given import Version
from triggers.contracts.api.campaigns import BacktestForecast
from triggers.contracts.api.rates.answers import (
    ComparisonView,
    EventsList,
    HeadsList,
    RatePer,
    RatesList,
    RateView,
)
from triggers.contracts.campaign import EventComparison
from triggers.contracts.users import Role, User
from triggers.errors import InvalidInput, NotFound
from triggers.statistics.fleet_rates import VehicleSums
from triggers.statistics.versions import Change, VersionComparison, changes, compare_versions
from triggers.written_numbers import is_whole_number

TRIGGER, HEAD, EVENTS = "trigger", "head", "events"
NAMED_LABELS = 20
"""So many versions of a component are named to those who ask for one that there is not."""
Pair = tuple[VehicleSums, VehicleSums]
"""The sums under the old and under the new version."""


def rates(services: Services, user: User, *, campaign: str, version: int | None, component: str | None) -> RatesList:
    """The rates of a campaign's triggers now, of its running version, else its newest, unless one is given.

    NotFound without such a campaign or version; Conflict for a component of more versions than are shown; TooMany
    while another costly request of this user runs.
    """
    user.require(Role.VIEWER)
    now = datetime.now(UTC)
    with services.searches.turn(user.name), services.database.snapshot() as connection:
        versions = [_chosen(connection, campaign, version)]
        sums.check_labels(connection, versions, component)
        triggers = days.triggers_of_versions(connection, versions)
        found = [(each, now) for each in sums.trigger_sums(connection, triggers, component)]
        views = _views(connection, triggers, found, by_software=component is not None)
    return RatesList(rates=views, next=None)


def recorded_rates(services: Services, user: User, *, after: str, limit: int) -> RatesList:
    """The rates of all campaigns as the steward recorded them last: a page of `limit` campaigns, by name.

    Of each its running version, else its newest. TooMany as in `rates`.
    """
    user.require(Role.VIEWER)
    with services.searches.turn(user.name), services.database.snapshot() as connection:
        campaigns = list_campaigns(connection, after=after, limit=limit)
        triggers = days.triggers_of_versions(connection, [(each.campaign, each.version) for each in campaigns])
        found = [(each.sums, each.recorded_at) for each in days.latest(connection, triggers)]
        views = _views(connection, triggers, found, by_software=False)
    return RatesList(rates=views, next=campaigns[-1].campaign if len(campaigns) == limit else None)


def _views(
    connection: Connection,
    triggers: Mapping[Version, Sequence[str]],
    found: Sequence[tuple[sums.TriggerSums, datetime]],
    *,
    by_software: bool,
) -> list[RateView]:
    """Rates with their trends, which are known of all software together, and with what was thought likely of them."""
    recorded = {} if by_software else days.recorded_days(connection, triggers)
    forecasts = {version: _parsed(stored) for version, stored in get_forecasts(connection, list(triggers)).items()}
    views = []
    for each, as_of in found:
        campaign, version = each.exposure.campaign, each.exposure.version
        likely = expected_rate(forecasts.get((campaign, version)), each.trigger, "hour")
        counted = recorded.get((campaign, version, each.trigger), ())
        views.append(rate_view(each, counted, by_software=by_software, as_of=as_of, likely_per_hour=likely))
    return views


def heads(services: Services, user: User, *, campaign: str, version: int | None, component: str | None) -> HeadsList:
    """How often the heads that a campaign compares disagree, in all or by a component of vehicles' software.

    Errors as in `rates`.
    """
    user.require(Role.VIEWER)
    with services.searches.turn(user.name), services.database.snapshot() as connection:
        versions = [_chosen(connection, campaign, version)]
        sums.check_labels(connection, versions, component)
        found = sums.head_sums(connection, versions, component)
    return HeadsList(heads=[head_view(each, by_software=component is not None) for each in found])


def events(services: Services, user: User, *, campaign: str, version: int | None, component: str | None) -> EventsList:
    """How often the sides of the heads whose events a campaign compares tell them, together or alone.

    Errors as in `rates`.
    """
    user.require(Role.VIEWER)
    with services.searches.turn(user.name), services.database.snapshot() as connection:
        chosen = _chosen(connection, campaign, version)
        sums.check_labels(connection, [chosen], component)
        found = sums.event_sums(connection, [chosen], component)
        settings = get_version(connection, *chosen).settings
    compared = {each["head"]: EventComparison.model_validate(each) for each in settings.get("events", ())}
    views = [event_view(each, compared[each.head], by_software=component is not None) for each in found]
    return EventsList(events=views)


def compare(
    services: Services,
    user: User,
    *,
    campaign: str,
    old: str,
    new: str,
    component: str | None,
    version: int | None,
    per: RatePer,
) -> ComparisonView:
    """Compare two versions of a campaign, or of a component of vehicles' software under one version of a campaign.

    NotFound if vehicles have counted nothing under one of them; other errors as in `rates`.
    """
    user.require(Role.VIEWER)
    if old == new:
        raise InvalidInput(f"{old!r} is compared with itself", remedy="name two different versions")
    with services.searches.turn(user.name), services.database.snapshot() as connection:
        versions = _compared_versions(connection, campaign, (old, new), component, version)
        labels = None if component is None else (old, new)
        counted = sums.trigger_sums(connection, days.triggers_of_versions(connection, versions), component, labels)
        _require_counted(
            connection, versions, {_label(each.exposure, component) for each in counted}, (old, new), component
        )
        pairs = sums.head_sums(connection, versions, component, labels)
        told = sums.event_sums(connection, versions, component, labels)
        forecast = _forecast(connection, versions)
    rows = [
        (_label(each.exposure, component), each.trigger, each.time if per == "hour" else each.way) for each in counted
    ]
    triggers = {
        name: compare_versions(*both, per=UNITS[per], expected=expected_rate(forecast, name, per))
        for name, both in _paired(rows, old, new).items()
    }
    of_heads = _paired([(_label(each, component), each.head, each.pairs) for each in pairs], old, new)
    compared = {name: compare_versions(*both, per=1, expected=LIKELY_SHARE) for name, both in of_heads.items()}
    named = [(_label(each.exposure, component), *row) for each in told for row in named_events(each)]
    of_events = _paired(named, old, new)
    per_1000km = UNITS["1000km"]
    events_ = {
        name: compare_versions(*both, per=per_1000km, expected=LIKELY_PER_1000KM) for name, both in of_events.items()
    }
    changed = _changed({TRIGGER: triggers, HEAD: compared, EVENTS: events_})
    return ComparisonView(
        campaign=campaign,
        version=None if component is None else versions[0][1],
        component=component,
        old=old,
        new=new,
        per=per,
        triggers=[compare_view(name, each, changed[TRIGGER, name]) for name, each in sorted(triggers.items())],
        heads=[compare_view(name, each, changed[HEAD, name]) for name, each in sorted(compared.items())],
        events=[compare_view(name, each, changed[EVENTS, name]) for name, each in sorted(events_.items())],
    )


def _chosen(connection: Connection, campaign: str, version: int | None) -> Version:
    """The version that was asked for, else the running one, else the newest; NotFound if there is none."""
    if version is not None:
        return campaign, get_version(connection, campaign, version).version
    running = running_version(connection, campaign)
    return campaign, running or get_versions(connection, campaign, limit=1)[0].version


def _compared_versions(
    connection: Connection, campaign: str, labels: tuple[str, str], component: str | None, version: int | None
) -> list[Version]:
    """The versions of the campaign whose counts are compared."""
    if component is not None:
        return [_chosen(connection, campaign, version)]
    if version is not None:
        raise InvalidInput("`version` needs a component of vehicles' software", remedy="leave it out, or name one")
    for label in labels:
        if not is_whole_number(label):
            raise InvalidInput(
                f"{label!r} is no number of a version of {campaign}",
                remedy="give two numbers, or name the component of vehicles' software whose versions are meant",
            )
    return [_chosen(connection, campaign, int(label)) for label in labels]


def _label(row: sums.Exposure | sums.HeadSums, component: str | None) -> str:
    """What is compared: the version of a component, or that of the campaign."""
    return str(row.version) if component is None else row.label


def _require_counted(
    connection: Connection,
    versions: Sequence[Version],
    counted: set[str],
    wanted: tuple[str, str],
    component: str | None,
) -> None:
    for label in wanted:
        if label not in counted:
            known = (
                counted if component is None else sums.some_labels(connection, versions, component, NAMED_LABELS + 1)
            )
            named = sorted(known)[:NAMED_LABELS]
            more = " and others" if len(known) > NAMED_LABELS else ""
            raise NotFound(
                f"no vehicle has reported counts under {component or 'version'} {label}",
                remedy=f"there are: {', '.join(named) or 'none'}{more}",
            )


def _paired(rows: Sequence[tuple[str, str, VehicleSums]], old: str, new: str) -> dict[str, Pair]:
    """By name, the sums under both versions; what one of them does not have has none."""
    found = {(label, name): each for label, name, each in rows}
    names = [name for label, name, _ in rows if label in (old, new)]
    return {name: (found.get((old, name), VehicleSums()), found.get((new, name), VehicleSums())) for name in names}


def _changed(kinds: Mapping[str, Mapping[str, VersionComparison]]) -> dict[tuple[str, str], Change]:
    """What is shown of each: judged together, since people look at all of them."""
    together = {(kind, name): each for kind, compared in kinds.items() for name, each in compared.items()}
    keys = {f"{kind} {name}": (kind, name) for kind, name in together}
    shown = changes({text: together[key] for text, key in keys.items()})
    return {key: shown.get(text, Change.OPEN) for text, key in keys.items()}


def _forecast(connection: Connection, versions: Sequence[Version]) -> BacktestForecast | None:
    """What the backtest of one of these versions expected, the oldest that has one: before any of these counts."""
    found = get_forecasts(connection, versions)
    return _parsed(found[min(found)]) if found else None


def _parsed(stored: object) -> BacktestForecast:
    return BacktestForecast.model_validate_json(json.dumps(stored))
