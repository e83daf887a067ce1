"""Somebody answers for the bill in the browser: volume, budgets, cost, fires, rates, latency, alerts; bad cases."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import text

from fleet_api.watching.alerts.watch import AlertWatch
from tests.fleet_api.api_server import Api
from tests.fleet_api.console.visitor import NARROW, Visitor
from tests.ingest.steward.forecasts.forecasts_support import (
    MB,
    TODAY,
    add_campaign,
    add_vehicles,
    days_ago,
    keep_forecasts,
    spend,
)
from tests.storage.rates.rates_support import enrol_all, report, run_software
from tests.support.fleet import TRIGGER
from tests.support.used import use
from tests.triggers.costs.books import BOOK
from triggers.contracts.campaign import BudgetLimits
from triggers.contracts.compared import Compared

pytestmark = pytest.mark.integration
TABS = ("volume", "budgets", "cost", "fires", "rates", "latency", "alerts")


def test_an_empty_deployment_says_what_is_missing_on_each_tab(visitor: Visitor) -> None:
    for tab, said in (
        ("volume", "No bytes came in this period"),
        ("budgets", "Nothing is forecast"),
        ("cost", "No price book is published"),
        ("fires", "Nothing has fired yet"),
        ("rates", "No rates are recorded yet"),
        ("latency", "No clip was stored in this time"),
    ):
        page = visitor.open(f"/budget?tab={tab}")
        expect(page.get_by_role("heading", name=said)).to_be_visible()
    visitor.require_accessible(schemes=("light",))


@pytest.fixture(scope="module")
def fleet(api: Api) -> Api:
    """Clips of `braking` and `lanes` on two networks; `burning` has spent 100 of 150 MB, 20 of these of the 30 that its
    trigger `other` may use; 3 fires reported."""
    use(api.database)
    own = BudgetLimits(total_bytes=30 * MB)
    add_campaign(api.database, "burning", began=days_ago(10), last_day=None, own=own, total_bytes=150 * MB)
    add_vehicles(api.database, 1, since=days_ago(10))
    for day in range(10):
        spend(api.database, "burning", days_ago(day), [MB] * 8)
        spend(api.database, "burning.other", days_ago(day), [MB] * 2)
    keep_forecasts(api.database, now=TODAY)
    assert api.post("/v1/price-books", {"prices": BOOK}, "operator").is_success
    return api


def test_bytes_per_day_are_shown_by_what_was_chosen_and_the_choice_is_in_the_address(
    visitor: Visitor, fleet: Api
) -> None:
    page = visitor.open("/budget")
    row = page.get_by_role("region", name="Bytes by campaign in 7 days").get_by_role("row")
    expect(row.filter(has_text="lanes")).to_contain_text("27 B")
    page.get_by_label("By", exact=True).select_option("network")
    page.get_by_label("Period").select_option("30")
    page.get_by_label("Measure").select_option("clip_bytes")
    assert page.url.endswith("/budget?by=network&days=30&measure=clip_bytes")
    page.reload()
    table = page.get_by_role("region", name="Bytes by network in 30 days")
    expect(table.get_by_role("row").filter(has_text="wifi")).to_contain_text("50 B")
    expect(table.get_by_role("row").filter(has_text="cellular")).to_contain_text("7 B")
    expect(page.locator("canvas")).to_be_visible()
    visitor.require_accessible()


def test_the_csv_of_the_chart_has_every_day_and_adds_up_to_all_bytes(visitor: Visitor, fleet: Api) -> None:
    page = visitor.open("/budget?by=network&measure=clip_bytes")
    page.get_by_text("Table of bytes of clips per day by network").click()
    with page.expect_download() as saved:
        csv_of(page, "Bytes of clips per day by network").click()
    titles, *days = (line.split(",") for line in Path(saved.value.path()).read_text().splitlines())
    assert titles == ["day", "wifi", "cellular"]
    assert len(days) == 7
    assert [sum(int(day[column]) for day in days) for column in (1, 2)] == [50, 7]


def test_a_budget_is_drawn_against_its_limit_with_what_is_expected_and_when_it_ends(
    visitor: Visitor, fleet: Api
) -> None:
    page = visitor.open("/budget?tab=budgets")
    (forecast, *_) = fleet.as_client("viewer").forecasts.current("burning").forecasts
    assert forecast.end is not None and forecast.end.expected is not None
    assert forecast.end.earliest is not None
    expect(page.get_by_text("100.0 MB spent of 150.0 MB")).to_contain_text(
        f"{forecast.end.expected.date()} ({forecast.end.earliest.date()} to "
    )
    row = page.get_by_role("region", name="Budgets and what is used of them").get_by_role("row")
    expect(row.filter(has_text="burning").filter(has_text="150.0 MB")).to_contain_text("66.7 %")
    page.get_by_text("Table of budget of burning in bytes").click()
    chart = page.get_by_role("region", name="Budget of burning in bytes")
    expected = "expected without the limit, with its 90 % interval"
    expect(chart.get_by_role("columnheader")).to_have_text(
        ["Time (UTC)", "spent", expected, f"{expected}, low", f"{expected}, high", "limit"]
    )
    visitor.require_accessible()
    page.get_by_label("Burn-down of").select_option("burning:clips")
    expect(page.get_by_text("100 spent, without a limit")).to_be_visible()
    assert page.url.endswith("burn=burning%3Aclips")


def test_nothing_moves_under_the_pointer_when_past_forecasts_come_late(visitor: Visitor, fleet: Api) -> None:
    held = visitor.hold("**/v1/forecasts/kept?**")
    page = visitor.open("/budget?tab=budgets", "operator")
    visitor.wait_for_held(held)
    limits = page.get_by_role("button", name="Set limit").first
    expect(limits).to_be_visible()
    before = limits.bounding_box()
    held.pop().continue_()
    expect(page.get_by_text("Table of budget of")).to_be_visible()
    assert limits.bounding_box() == before


def test_a_triggers_own_budget_has_its_burn_down_and_its_limit_is_set_under_its_name(
    visitor: Visitor, fleet: Api
) -> None:
    page = visitor.open("/budget?tab=budgets", "approver")
    page.get_by_label("Burn-down of").select_option("burning.other:bytes")
    expect(page.get_by_text("20.0 MB spent of 30.0 MB")).to_be_visible()
    expect(page.get_by_text("Table of budget of burning.other in bytes")).to_be_visible()
    page.get_by_role("button", name="Set limit of burning.other in bytes").click()
    dialog = page.get_by_role("dialog", name="Limit of burning.other in bytes")
    dialog.get_by_label("New limit").fill("25 MB")
    dialog.get_by_label("Reason").fill("most of them are bridges")
    dialog.get_by_role("button", name="Set limit").click()
    budgets = page.get_by_role("region", name="Budgets and what is used of them")
    expect(budgets.get_by_role("row").filter(has_text="burning.other")).to_contain_text("25.0 MB")
    expect(budgets.get_by_role("columnheader", name="Change").get_by_role("button")).to_have_count(0)
    with page.expect_download() as saved:
        csv_of(page, "Budgets and what is used of them").click()
    titles, *_ = Path(saved.value.path()).read_text().splitlines()
    assert titles == "kind,name,month,limit,held,settled,share", "as everybody gets it, without what only some may do"
    visitor.require_accessible()


def test_costs_are_told_as_the_api_has_them(visitor: Visitor, fleet: Api) -> None:
    page = visitor.open("/budget?tab=cost")
    expect(page.get_by_text("by version 1 of the price book")).to_be_visible()
    total = fleet.get("/v1/costs").json()["total"]
    expect(page.get_by_text(f"of {total['clips']} clips that nobody has")).to_be_visible()
    with page.expect_download() as saved:
        csv_of(page, "Cost by campaign").click()
    titles, *rows = (line.split(",") for line in Path(saved.value.path()).read_text().splitlines())
    costs = {row[0]: row[1] for row in rows}
    assert titles[:2] == ["campaign", "amount"]
    assert float(costs["burning"]) > 0
    told = fleet.get("/v1/costs").json()["costs"]
    assert costs == {each["campaign"]: each["amount"] for each in told}, "to the last digit"
    assert sum(Decimal(cost) for cost in costs.values()) == Decimal(total["amount"])
    page.get_by_role("combobox", name="Campaign").select_option("braking")
    expect(page.get_by_text("The cost of version 1 of braking is unknown")).to_be_visible()
    visitor.require_accessible()


def test_fires_add_up_and_heads_have_intervals(visitor: Visitor, fleet: Api) -> None:
    page = visitor.open("/budget?tab=fires")
    expect(page.get_by_role("img", name="3 fires:")).to_be_visible()
    page.get_by_text("Table of fires per day").click()
    today = page.get_by_role("region", name="Fires per day").get_by_role("row").last
    kept, *lost, suppressed = re.compile(r"\d+"), "0", "0", "0", "0", "6"
    day = re.compile(r"\d{4}-\d\d-\d\d")
    expect(today.get_by_role("cell")).to_have_text([day, "3", kept, *lost, suppressed])
    page.get_by_label("Campaign", exact=True).select_option("braking")
    expect(page.get_by_text("braking compares no heads")).to_be_visible()
    assert page.url.endswith("campaign=braking")
    heads = {"cut_in.detected": Compared(neither=9000, only_shadow=1000)}
    report(fleet.database, "car-2", 10, {}, heads=heads)
    page.reload()
    row = page.get_by_role("row").filter(has_text="cut_in.detected")
    expect(row).to_be_visible()  # and so the page has had its turn at the costly request
    (head,) = fleet.as_client("viewer").rates.heads("braking")
    assert head.share is not None
    low = re.sub(r"\.0+$", "", f"{100 * head.share.low:.2f}")
    expect(row.get_by_role("cell", name="10 %").first).to_be_visible()
    expect(row.get_by_role("cell", name=f"{low} %", exact=True)).to_be_visible()
    visitor.require_accessible()


def test_rates_have_intervals_and_another_software_is_compared(visitor: Visitor, fleet: Api) -> None:
    vehicles = [f"tested-{number}" for number in range(8)]  # of fewer the data tell no change
    enrol_all(fleet.database, *vehicles)
    for stack, hours, fires in (("3.2.0", 100, 4), ("3.2.1", 200, 60)):
        for vehicle in vehicles:
            run_software(fleet.database, vehicle, stack=stack)
            report(fleet.database, vehicle, hours, {TRIGGER: fires})
    page = visitor.open("/budget?tab=rates&campaign=braking")
    author = fleet.as_client("author").rates  # somebody else, as each may search once at a time
    (rate,) = author.of_triggers("braking")
    assert rate.per_hour is not None and rate.per_hour.high is not None
    row = page.get_by_role("region", name="Rates of braking").get_by_role("row").filter(has_text=TRIGGER)
    expect(row.get_by_role("cell", name=f"{rate.fires}", exact=True)).to_be_visible()
    expect(page.get_by_text("braking has one version so far")).to_be_visible()
    expect(page.get_by_text("braking compares no events")).to_be_visible()
    page.get_by_label("By software component").fill("stack")
    page.keyboard.press("Enter")
    compared = page.get_by_role("region", name="3.2.1 against 3.2.0").get_by_role("row").filter(has_text=TRIGGER)
    expect(compared.get_by_text("rose")).to_be_visible()
    (trigger,) = author.compare("braking", "3.2.0", "3.2.1", component="stack").triggers
    assert trigger.ratio is not None and trigger.ratio.low > 1
    with page.expect_download() as saved:
        csv_of(page, "3.2.1 against 3.2.0, ratios with intervals valid at any time").click()
    titles, values = (line.split(",") for line in Path(saved.value.path()).read_text().splitlines())
    assert dict(zip(titles, values, strict=True))["ratio_low"] == str(trigger.ratio.low)
    visitor.require_accessible()
    page.get_by_label("New", exact=True).select_option("3.2.0")
    expect(page.get_by_role("region", name="3.2.0 against 3.2.1").get_by_text("fell")).to_be_visible()
    assert "new=3.2.0" in page.url


def test_latency_is_told_by_campaign_and_network(visitor: Visitor, fleet: Api) -> None:
    page = visitor.open("/budget?tab=latency")
    page.get_by_label("Clips stored in the last").select_option("8784")
    found = fleet.as_client("author").history.latency(hours=8784)
    rows = page.get_by_role("region", name="From fire to catalog, ready and labelled").get_by_role("row")
    expect(rows).to_have_count(1 + len(found.rows))
    assert found.rows and page.url.endswith("hours=8784")
    visitor.require_accessible(schemes=("dark",))


def test_alerts_say_what_is_wrong_since_when_and_what_to_do(visitor: Visitor, fleet: Api) -> None:
    add_campaign(fleet.database, "full", began=days_ago(10), last_day=None, total_bytes=MB)
    spend(fleet.database, "full", days_ago(1), [MB])
    fleet.app.state.alerts.close()  # from now on it is evaluated when this test says so
    watch = AlertWatch(fleet.database, fleet.app.state.metrics.families, instance="api")
    with fleet.database.begin() as connection:
        connection.execute(text("UPDATE alert_evaluation SET begun_at = now() - interval '1 hour'"))
    watch.evaluate()
    found = fleet.as_client("viewer").alerts.current()
    (budget,) = (alert for alert in found.alerts if alert.alert == "LongtailBudgetExhausted")
    page = visitor.open("/budget?tab=alerts")
    row = page.get_by_role("row").filter(has_text=budget.alert)
    expect(row).to_contain_text(budget.summary)
    expect(row).to_contain_text("longtail budget show full")
    expect(row).to_contain_text(f"{budget.since:%Y-%m-%d %H:%M:%S}")
    expect(page.get_by_text("LongtailProcessDown")).to_be_visible()
    visitor.require_accessible()


@pytest.mark.parametrize("tab", ["fires", "rates"])
def test_that_there_is_no_such_campaign_is_told_once(visitor: Visitor, fleet: Api, tab: str) -> None:
    page = visitor.open(f"/budget?tab={tab}&campaign=nothing")
    expect(page.get_by_role("alert")).to_contain_text("nothing")
    expect(page.get_by_label("Campaign", exact=True)).to_have_value("nothing")
    expect(page.get_by_role("main")).not_to_contain_text("Loading")
    expect(page.get_by_role("alert")).to_have_count(1)
    page.get_by_label("Campaign", exact=True).select_option("")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_lost_connection_keeps_what_was_there(visitor: Visitor, fleet: Api) -> None:
    page = visitor.open("/budget")
    table = page.get_by_role("region", name="Bytes by campaign in 7 days")
    expect(table).to_be_visible()
    visitor.expect_errors("net::ERR_INTERNET_DISCONNECTED")
    visitor.context.set_offline(True)
    choose_in_vain(page, "90")
    expect(page.get_by_role("alert")).to_contain_text("Longtail does not answer")
    expect(page.get_by_role("region", name="Bytes by campaign in")).to_have_count(0)  # 7 days are not 90
    choose_in_vain(page, "7")
    expect(page.get_by_role("alert")).to_contain_text("What is shown below is from before")
    expect(table).to_be_visible()
    choose_in_vain(page, "90")
    visitor.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("region", name="Bytes by campaign in 90 days")).to_be_visible()


def choose_in_vain(page: Page, days: str) -> None:
    """Choose a period without a connection, until its request has failed: one that is on its way might come through."""
    with page.expect_event("requestfailed"):
        page.get_by_label("Period").select_option(days)


def test_every_tab_fits_a_narrow_screen(visitor: Visitor, fleet: Api) -> None:
    add_campaign(fleet.database, "long_" * 12, began=days_ago(1), last_day=None, total_bytes=MB)
    visitor.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    for tab in TABS:
        page = visitor.open(f"/budget?tab={tab}&campaign=braking&hours=8784", "operator")  # who may set limits
        expect(
            page.get_by_role("table").or_(page.get_by_role("heading", name="Nothing is wrong")).first
        ).to_be_attached()
        visitor.require_no_sideways_scrolling()


def csv_of(page: Page, caption: str) -> Locator:
    """The button that saves the table with this caption."""
    return page.get_by_role("button", name=re.compile(f"^Save as CSV ?: {re.escape(caption)}$"))
