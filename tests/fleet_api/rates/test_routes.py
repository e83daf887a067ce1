"""Rates over HTTP: as vehicles have counted them, compared between versions, and the disagreement of heads."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text, update

from fleet_api.client.rates import subject
from fleet_api.rates import usecases
from fleet_api.rates.routes import MAX_PAGE
from ingest.steward.rates import record_rates
from storage.rates import sums
from storage.tables import rate_days
from tests.fleet_api.api_server import Api, campaign_text
from tests.storage.rates.rates_support import HOUR_NS, enrol_all, report, roll_out, run_software
from triggers.contracts.clip import MAX_SOFTWARE_TEXT
from triggers.contracts.compared import Compared, EventCounts, Sides
from triggers.errors import Conflict, InvalidInput, NotFound

COMPARING = campaign_text("compare cut_in.detected")


@pytest.fixture
def fleet(api: Api) -> Api:
    """Campaign `braking`, version 1, and ten vehicles."""
    api.activate(COMPARING)
    enrol_all(api.database, *(f"car-{number}" for number in range(10)))
    return api


def drive(api: Api, stack: str, hours: int, fires: int, differ: int = 0, version: int = 1) -> None:
    """All vehicles run this software, and have counted so much in all; every second one fires once more."""
    for number in range(10):
        run_software(api.database, f"car-{number}", stack=stack)
        heads = {"cut_in.detected": Compared(neither=hours * 1000, only_shadow=differ)}
        counted = {"hard_brake": fires + number % 2}
        report(api.database, f"car-{number}", hours, counted, kilometres=50 * hours, heads=heads, version=version)


def test_a_rate_has_an_interval_and_what_it_was_counted_in(fleet: Api) -> None:
    drive(fleet, "1", 10, 4)
    (rate,) = fleet.as_client("viewer").rates.of_triggers("braking")
    assert (rate.version, rate.trigger, rate.vehicles, rate.fires) == (1, "hard_brake", 10, 45)
    assert (rate.armed_ns, rate.distance_m, rate.software) == (100 * HOUR_NS, 5_000_000, None)
    assert rate.per_hour is not None and rate.per_1000km is not None and rate.per_hour.high is not None
    assert rate.per_hour.mean == pytest.approx(0.45)
    assert rate.per_1000km.mean == pytest.approx(9)
    garwood = (0.3282, 0.6021)
    assert rate.per_hour.low <= garwood[0] and garwood[1] <= rate.per_hour.high < 0.75, "vehicles may differ"
    assert rate.trend is None, "a single day"


def test_software_is_told_apart(fleet: Api) -> None:
    drive(fleet, "3.2.0", 10, 4)
    drive(fleet, "3.2.1", 20, 5)
    found = fleet.as_client("viewer").rates.of_triggers("braking", component="stack")
    assert [(rate.software, rate.fires) for rate in found] == [("3.2.0", 45), ("3.2.1", 10)]
    heads = fleet.as_client("viewer").rates.heads("braking", component="stack")
    assert [(head.software, head.pairs) for head in heads] == [("3.2.0", 100_000), ("3.2.1", 100_000)]


def test_all_campaigns_are_as_the_steward_recorded_them(fleet: Api) -> None:
    viewer = fleet.as_client("viewer")
    drive(fleet, "1", 10, 4)
    assert viewer.rates.of_triggers() == []
    assert record_rates(fleet.database) == 1
    drive(fleet, "1", 20, 9)
    assert [rate.fires for rate in viewer.rates.of_triggers()] == [45]
    assert [rate.fires for rate in viewer.rates.of_triggers("braking")] == [95]


def test_a_version_whose_counts_cannot_be_summed_holds_no_other_up(
    fleet: Api, caplog: pytest.LogCaptureFixture
) -> None:
    drive(fleet, "1", 10, 4)
    fleet.activate(COMPARING + "\n# another one\n")
    drive(fleet, "1", 10, 9, version=2)
    with fleet.database.begin() as connection:
        connection.execute(text("""UPDATE count_parts SET fires = '{"hard_brake": "x"}' WHERE version = 1"""))
    assert record_rates(fleet.database) == 1
    assert [rate.fires for rate in fleet.as_client("viewer").rates.of_triggers()] == [95]
    assert "campaign braking, version 1: its rates were not recorded" in caplog.text


@pytest.mark.parametrize("share", [1.0, 0.01])
def test_a_rate_that_halves_each_week_has_that_trend_at_any_stage_of_the_rollout(fleet: Api, share: float) -> None:
    roll_out(fleet.database, (share, 10**6))
    now, fires, rng = datetime.now(UTC), 0, random.Random(1)
    for day in range(21):
        fires += round(40 * 0.5 ** (day / 7)) + rng.randint(-1, 1)
        drive(fleet, "1", 10 * (day + 1), fires)
        record_rates(fleet.database)
        recorded = now - timedelta(days=20 - day)
        with fleet.database.begin() as connection:
            today = rate_days.c.day == now.date()
            moved = {"day": recorded.date() - timedelta(days=1000), "recorded_at": recorded}
            connection.execute(update(rate_days).where(today).values(**moved))
    (rate,) = fleet.as_client("viewer").rates.of_triggers("braking")
    assert rate.trend is not None and rate.trend.high is not None
    assert 0.3 < rate.trend.low < 0.5 < rate.trend.high < 0.9
    assert rate.trend.mean == pytest.approx(0.5, rel=0.05)


def test_more_versions_of_a_component_than_are_shown_are_refused(fleet: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sums, "MAX_LABELS", 2)
    rates = fleet.as_client("viewer").rates
    for number in range(3):
        drive(fleet, f"3.2.{number}", 10 * (number + 1), 4 * (number + 1))
        if number == 1:
            assert len(rates.of_triggers("braking", component="stack")) == 2
    for ask in (
        lambda: rates.of_triggers("braking", component="stack"),
        lambda: rates.heads("braking", component="stack"),
    ):
        with pytest.raises(Conflict, match="more than 2 versions of stack"):
            ask()
    assert len(rates.of_triggers("braking")) == 1
    assert len(rates.compare("braking", "3.2.0", "3.2.2", component="stack").triggers) == 1, "it is of two of them"


def test_a_version_of_a_component_that_nobody_has_is_refused_with_some_that_there_are(
    fleet: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usecases, "NAMED_LABELS", 2)
    rates = fleet.as_client("viewer").rates
    for number, said in enumerate(["there are: 3.0", "there are: 3.0, 3.1", "there are: 3.0, 3.1 and others"]):
        drive(fleet, f"3.{number}", 10 * (number + 1), 4 * (number + 1))
        with pytest.raises(NotFound) as refused:
            rates.compare("braking", "3.0", "4", component="stack")
        assert (refused.value.message, refused.value.remedy) == ("no vehicle has reported counts under stack 4", said)


def test_the_interval_for_any_number_of_looks_is_around_the_rate_and_wider(fleet: Api) -> None:
    drive(fleet, "1", 10, 4)
    record_rates(fleet.database)
    viewer = fleet.as_client("viewer")
    for (rate,) in (viewer.rates.of_triggers("braking"), viewer.rates.of_triggers()):
        once, anytime = rate.per_hour, rate.anytime
        assert once is not None and anytime is not None and once.high is not None and anytime.high is not None
        assert anytime.mean == pytest.approx(once.mean)
        assert 0 < anytime.low < once.low < once.high < anytime.high < 3 * once.high


def test_all_campaigns_come_in_pages(fleet: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["braking", "braking_b", "braking_c"]
    for name in names[1:]:
        fleet.activate(COMPARING.replace("campaign braking", f"campaign {name}"))
    drive(fleet, "1", 10, 4)
    record_rates(fleet.database)
    with fleet.database.begin() as connection:
        for name in names[1:]:
            columns = "version, trigger, day, recorded_at, fires, armed_ns, distance_m, sums"
            copied = f"INSERT INTO rate_days (campaign, {columns}) SELECT '{name}', {columns} FROM rate_days LIMIT 1"
            connection.execute(text(copied))
    pages, after = [], None
    while len(pages) < 4:
        page = fleet.get("/v1/rates", "viewer", limit=2, **({} if after is None else {"after": after})).json()
        pages.append([rate["campaign"] for rate in page["rates"]])
        after = page["next"]
        if after is None:
            break
    assert pages == [names[:2], names[2:]]
    monkeypatch.setattr(subject, "PAGE", 1)
    assert [rate.campaign for rate in fleet.as_client("viewer").rates.of_triggers()] == names


def test_what_only_one_campaign_or_only_all_have_is_refused_for_the_other(fleet: Api) -> None:
    for asked, said in (
        ({"campaign": "braking", "after": "a"}, "`after` is for all campaigns"),
        ({"campaign": "braking", "limit": 1}, "`limit` is for all campaigns"),
        ({"version": 1}, "`version` needs a campaign"),
        ({"component": "stack"}, "`component` needs a campaign"),
    ):
        answer = fleet.get("/v1/rates", "viewer", **asked)
        assert (answer.status_code, answer.json()["detail"]) == (422, said)
    assert fleet.get("/v1/rates", "viewer", limit=MAX_PAGE + 1).status_code == 422


def test_names_of_software_may_be_as_long_as_vehicles_may_tell_them(fleet: Api) -> None:
    long = "s" * MAX_SOFTWARE_TEXT
    for number in range(10):
        run_software(fleet.database, f"car-{number}", **{long: long})
        report(fleet.database, f"car-{number}", 10, {"hard_brake": 4})
    (rate,) = fleet.as_client("viewer").rates.of_triggers("braking", component=long)
    assert rate.software == long


def test_a_software_that_halves_a_rate_is_found_and_one_that_changes_nothing_is_not(fleet: Api) -> None:
    drive(fleet, "3.2.0", 100, 40)
    drive(fleet, "3.2.1", 200, 80)
    drive(fleet, "3.2.2", 300, 84)
    rates = fleet.as_client("viewer").rates
    same = rates.compare("braking", "3.2.0", "3.2.1", component="stack")
    (trigger,) = same.triggers
    assert (same.version, trigger.change) == (1, "open")
    assert trigger.ratio.high is not None and trigger.ratio.low < 1 < trigger.ratio.high
    (fell,) = rates.compare("braking", "3.2.1", "3.2.2", component="stack").triggers
    assert fell.change == "fell"
    assert fell.ratio.estimate == pytest.approx(0.1) and fell.ratio.high is not None and fell.ratio.high < 0.5
    (rose,) = rates.compare("braking", "3.2.2", "3.2.1", component="stack", per="1000km").triggers
    assert rose.change == "rose"


def test_a_head_that_begins_to_disagree_is_found_among_the_triggers(fleet: Api) -> None:
    drive(fleet, "1", 10, 4)
    drive(fleet, "2", 20, 8, differ=500)
    found = fleet.as_client("viewer").rates.compare("braking", "1", "2", component="stack")
    assert [(head.name, head.change) for head in found.heads] == [("cut_in.detected", "appeared")]
    assert [trigger.change for trigger in found.triggers] == ["open"]
    (head,) = fleet.as_client("viewer").rates.heads("braking")
    assert (head.pairs, head.disagreeing, head.vehicles) == (205_000, 5_000, 10)
    assert head.share is not None and head.share.mean == pytest.approx(5 / 205)
    assert head.anytime is not None and head.share.high is not None and head.anytime.high is not None
    assert head.anytime.low < head.share.low and head.share.high < head.anytime.high


def test_versions_of_a_campaign_are_compared_by_their_numbers(fleet: Api) -> None:
    fleet.activate(COMPARING + "\n# another one\n")
    drive(fleet, "1", 100, 40)
    drive(fleet, "1", 100, 4, version=2)
    found = fleet.as_client("viewer").rates.compare("braking", "1", "2")
    assert (found.version, found.component, [each.change for each in found.triggers]) == (None, None, ["fell"])


@pytest.mark.parametrize(
    ("old", "new", "options", "error", "message"),
    [
        ("1", "1", {}, InvalidInput, "compared with itself"),
        ("1", "x", {}, InvalidInput, "'x' is no number of a version"),
        ("1", "9", {}, NotFound, "no version 9"),
        ("1", "2", {"version": 1}, InvalidInput, "needs a component"),
        ("1", "2", {"component": "stack"}, NotFound, "under stack 2"),
        ("1", "2", {"component": "stack", "version": 7}, NotFound, "no version 7"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    fleet: Api, old: str, new: str, options: dict[str, object], error: type[Exception], message: str
) -> None:
    drive(fleet, "1", 10, 4)
    with pytest.raises(error, match=message):
        fleet.as_client("viewer").rates.compare("braking", old, new, **options)  # type: ignore[arg-type]


def test_a_campaign_that_nobody_has_is_not_found_and_one_without_counts_has_no_rates(fleet: Api) -> None:
    rates = fleet.as_client("viewer").rates
    assert rates.of_triggers("braking") == [] == rates.heads("braking")
    with pytest.raises(NotFound):
        rates.of_triggers("none")
    with pytest.raises(InvalidInput, match="`version` needs a campaign"):
        rates.of_triggers(version=1)


EVENTS = campaign_text("compare events cut_in.detected with active.lane.valid within 2 s")


@pytest.fixture
def matching(api: Api) -> Api:
    """Campaign `braking`, which compares events, and ten vehicles that drove 1,000 km each under two softwares."""
    api.activate(EVENTS)
    enrol_all(api.database, *(f"car-{number}" for number in range(10)))
    for hours, stack, alone in ((10, "1", 1), (20, "2", 40)):
        for number in range(10):
            run_software(api.database, f"car-{number}", stack=stack)
            both = EventCounts(matched=hours, only_second=alone, unresolved_first=number)
            told = {Sides.ACTIVE_SHADOW: both, Sides.ACTIVE_DRIVER: EventCounts(), Sides.SHADOW_DRIVER: EventCounts()}
            events = {"cut_in.detected": told}
            report(api.database, f"car-{number}", hours, {}, kilometres=50 * hours, events=events)
    return api


def test_events_have_rates_per_1000_km_with_intervals(matching: Api) -> None:
    found = matching.as_client("viewer").rates.events("braking")
    assert [told.sides for told in found] == [Sides.ACTIVE_DRIVER, Sides.ACTIVE_SHADOW, Sides.SHADOW_DRIVER]
    assert [told.driver for told in found] == ["active.lane.valid", None, "active.lane.valid"]
    told = found[1]
    assert (told.head, told.within_ns, told.vehicles, told.software) == ("cut_in.detected", 2 * 10**9, 10, None)
    assert (told.matched, told.only_first, told.only_second, told.distance_m) == (200, 0, 400, 10_000_000)
    rates = [told.matched_per_1000km, told.only_first_per_1000km, told.only_second_per_1000km]
    assert [rate.mean for rate in rates if rate is not None] == [20, 0, 40]
    assert all(rate is not None and rate.high is not None and rate.low <= rate.mean < rate.high for rate in rates)
    assert told.unresolved_share == pytest.approx(45 / (2 * 200 + 400 + 45))
    assert found[0].unresolved_share == 0


def test_events_of_two_softwares_are_told_apart_and_compared(matching: Api) -> None:
    viewer = matching.as_client("viewer")
    found = viewer.rates.events("braking", component="stack")
    alone = [(told.software, told.only_second) for told in found if told.sides is Sides.ACTIVE_SHADOW]
    assert alone == [("1", 10), ("2", 390)]
    changes = {each.name: each.change for each in viewer.rates.compare("braking", "1", "2", component="stack").events}
    assert changes["cut_in.detected: shadow alone (active)"] == "rose"
    assert changes["cut_in.detected: active and shadow"] == "open"
    assert len(changes) == 9, "three of each two sides"


def test_a_campaign_that_compares_no_events_has_none(fleet: Api) -> None:
    drive(fleet, "1", 10, 4)
    assert fleet.as_client("viewer").rates.events("braking") == []
