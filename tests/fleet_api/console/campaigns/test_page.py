"""A campaign's page in the browser: steps with their reasons, what an approval shows, the trail, the rollout."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Locator, expect

from tests.fleet_api.api_server import SIGNALS, Api, campaign_text
from tests.fleet_api.campaigns.reported import report_of
from tests.fleet_api.console.visitor import NARROW, Visitor

pytestmark = pytest.mark.integration

STAGED = campaign_text("rollout 10 % for 2 h, 100 %")
# what only the loaded part of the page has, by its address
LANDMARKS: dict[str, tuple[Literal["heading", "list", "region"], str]] = {
    "tab=source": ("region", "Text of the trigger file"),
    "tab=trail": ("region", "Audit trail, newest first"),
    "tab=rollout": ("list", "Stages of the rollout of version 1"),
    "tab=fires": ("heading", "Compared events"),
    "tab=vehicles": ("region", "Vehicles that were not given version 1"),
    "version=2&since=1": ("region", "Difference of the trigger text to version 1"),
}


def named(name: str) -> str:
    """The staged campaign under another name, so that tests of this file do not meet."""
    return STAGED.replace("campaign braking", f"campaign {name}")


def take(visitor: Visitor, step: str, reason: str) -> None:
    """Take a step with its reason, and wait until it is done."""
    dialog = ask(visitor, step, reason)
    dialog.get_by_role("button", name=step).click()
    expect(dialog).to_have_count(0)


def ask(visitor: Visitor, step: str, reason: str) -> Locator:
    """The dialog of a step, with the reason written into it."""
    steps = visitor.page.get_by_role("group", name="Steps of version")
    steps.get_by_role("button", name=step).click()
    dialog = visitor.page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill(reason)
    return dialog


def test_a_version_goes_from_its_author_to_its_vehicles_and_is_held_with_every_reason_kept(
    visitor: Visitor, api: Api
) -> None:
    api.activate(named("staged"))
    draft = api.apply(named("staged").replace("-4 m/s^2", "-5 m/s^2"), draft=True).json()

    page = visitor.open("/campaigns/staged?version=2", role="author")
    take(visitor, "Submit", "bridges are no brakes")
    expect(page.get_by_text("Version 2 was submitted.")).to_be_focused()
    steps = page.get_by_role("group", name="Steps of version 2")
    expect(steps.get_by_role("button")).to_have_text(["Stop"])

    page = visitor.open("/campaigns/staged?version=2&tab=trail", role="approver")
    dialog = ask(visitor, "Approve", "looks right")
    expect(dialog.get_by_text("You wrote or submitted this version.")).to_have_count(0)
    expect(dialog).to_contain_text(draft["approval_digest"])
    expect(dialog).to_contain_text("Version 1, which runs now, is stopped once this one begins.")
    region = dialog.get_by_role("region", name="Difference of the trigger text to version 1")
    expect(region.get_by_role("row", name="removed")).to_contain_text("-4 m/s^2")
    expect(region.get_by_role("row", name="added")).to_contain_text("-5 m/s^2")
    visitor.require_accessible()
    dialog.get_by_role("button", name="Approve").click()
    trail = page.get_by_role("region", name="Audit trail, newest first")
    row = trail.get_by_role("row").filter(has_text="looks right")
    expect(row).to_contain_text("submitted → active")
    expect(row).to_contain_text("approver-user")
    expect(trail.get_by_role("row").filter(has_text="bridges are no brakes")).to_contain_text("author-user")

    page.get_by_role("link", name="Rollout").click()
    stages = page.get_by_role("list", name="Stages of the rollout of version 2").get_by_role("listitem")
    expect(stages).to_have_count(2)
    expect(stages.first).to_contain_text("Began")
    expect(stages.last).to_contain_text("Expected")
    dialog = ask(visitor, "Hold", "  ")
    dialog.get_by_role("button", name="Hold").click()
    expect(dialog.get_by_label("Reason")).to_have_js_property("validity.customError", True)
    page.keyboard.press("Escape")
    expect(steps.get_by_role("button", name="Hold")).to_be_focused()
    take(visitor, "Hold", "too many of them")
    expect(stages.first).to_contain_text("until now, by approver-user: too many of them")
    expect(stages.last).to_contain_text("Not begun")
    expect(page.get_by_text("Held by")).to_be_visible()
    visitor.require_accessible()
    take(visitor, "Resume", "they are real")
    expect(stages.last).to_contain_text("Expected")
    expect(stages.first).to_contain_text("too many of them")
    expect(page.get_by_text("Held by")).to_have_count(0)


def test_an_approver_sees_the_report_of_the_authors_backtest_and_opens_it(visitor: Visitor, api: Api) -> None:
    api.apply(named("reported"))
    page = visitor.open("/campaigns/reported", role="approver")
    expect(page.get_by_text("No report of a backtest is attached")).to_be_visible()
    body = {"report": report_of(named("reported"))}
    assert api.post("/v1/campaigns/reported/1/report", body, "author").status_code == 200
    page.reload()
    expect(page.get_by_role("region", name="Report of a backtest")).to_contain_text("20 fires, 10 (5 to 20) per hour")
    dialog = ask(visitor, "Approve", "looks right")
    expect(dialog).to_contain_text("author-user")
    with page.expect_popup() as opened:
        dialog.get_by_role("link", name="Open the whole report").click()
    report = opened.value
    expect(report.get_by_role("heading", level=1)).to_have_text("Backtest of reported version 1")
    page.goto(report.url)
    visitor.require_no_sideways_scrolling()
    visitor.require_accessible()


def test_the_parts_of_another_version_come_after_its_report(visitor: Visitor, api: Api) -> None:
    api.apply(named("later"))
    body = {"report": report_of(named("later"))}
    assert api.post("/v1/campaigns/later/1/report", body, "author").status_code == 200
    api.apply(named("later").replace("-4 m/s^2", "-5 m/s^2"))
    page = visitor.open("/campaigns/later?version=2&tab=trail")
    parts = page.get_by_role("link", name="Rollout")
    expect(parts).to_be_visible()
    held = visitor.hold("**/v1/campaigns/later/1")
    page.get_by_role("combobox", name="Version", exact=True).select_option("1")
    visitor.wait_for_held(held)
    visitor.wait_until_drawn()
    expect(parts).to_have_count(0)
    held.pop().continue_()
    expect(parts).to_be_visible()
    expect(page.get_by_role("region", name="Report of a backtest")).to_contain_text("20 fires")


def test_who_wrote_a_version_is_told_that_another_has_to_approve_it_unless_the_deployment_lets_them(
    visitor: Visitor, api: Api
) -> None:
    applied = api.post("/v1/campaigns", {"source": named("own"), "signals": SIGNALS}, "admin")
    assert applied.json()["state"] == "submitted", applied.text
    page = visitor.open("/campaigns/own", role="admin")
    steps = page.get_by_role("group", name="Steps of version")
    expect(steps.get_by_role("button")).to_have_text(["Reject", "Stop"])
    expect(page.get_by_text("You wrote or submitted version 1: another approver has to approve it.")).to_be_visible()
    api.change_settings(allow_self_approval=True)
    page.reload()
    take(visitor, "Approve", "nobody else is here")
    expect(page.get_by_text("another approver has to approve it")).to_have_count(0)
    assert api.get("/v1/campaigns/own/1").json()["state"] == "active"
    api.change_settings(allow_self_approval=False)


def test_a_step_that_is_refused_says_why_and_loses_nothing_that_was_typed(visitor: Visitor, api: Api) -> None:
    api.apply(named("refused"))
    page = visitor.open("/campaigns/refused", role="approver")
    dialog = ask(visitor, "Approve", "a reason that took long to write")
    expect(dialog).to_contain_text("No version of this campaign was approved before")
    expect(dialog).not_to_contain_text("stopped")
    rejected = api.post("/v1/campaigns/refused/1/reject", {"reason": "somebody was faster"}, "approver")
    assert rejected.is_success
    dialog.get_by_role("button", name="Approve").click()
    alert = dialog.get_by_role("alert")
    expect(alert).to_contain_text("refused version 1 is draft and cannot be approved")
    expect(dialog.get_by_label("Reason")).to_have_value("a reason that took long to write")
    expect(dialog.get_by_role("button", name="Approve")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_text("somebody was faster")).to_be_visible()
    steps = page.get_by_role("group", name="Steps of version")
    expect(steps.get_by_role("button")).to_have_text(["Stop"])


def test_every_part_has_an_address_fits_a_narrow_screen_and_is_accessible(visitor: Visitor, api: Api) -> None:
    api.activate(named("narrow"))
    api.apply(named("narrow").replace("-4 m/s^2", "-5 m/s^2"))
    api.enrol("not-given")
    visitor.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    visitor.sign_in("viewer")
    for query, (role, landmark) in LANDMARKS.items():
        page = visitor.open(f"/campaigns/narrow?{query}", role=None)
        expect(page.get_by_role(role, name=landmark)).to_be_visible()
        expect(page.get_by_role("main")).not_to_contain_text("Loading")
        visitor.require_no_sideways_scrolling()
        visitor.require_accessible(schemes=("light",))
        expect(page.get_by_role("group", name="Steps of version")).to_have_count(0)


def test_vehicles_are_listed_once_they_have_the_version_and_the_others_are_counted_with_the_reason(
    visitor: Visitor, api: Api
) -> None:
    only_eu = campaign_text('target vehicle.region == "EU"').replace("campaign braking", "campaign targeted")
    api.activate(only_eu)
    for name, region in (("eu-1", "EU"), ("eu-2", "EU"), ("us-1", "US")):
        headers = api.enrol(name, region=region)
        if name == "eu-1":
            assert api.check_in(headers, name).status_code == 200
    page = visitor.open("/campaigns/targeted?tab=vehicles")
    expect(page.get_by_text("Listed are the vehicles that were given version 1")).to_be_visible()
    given = page.get_by_role("region", name="Vehicles of version 1")
    expect(given.get_by_role("row")).to_have_count(2)
    expect(given.get_by_role("row").last).to_contain_text("eu-1")
    others = page.get_by_role("region", name="Vehicles that were not given version 1").get_by_role("row")
    expect(others.filter(has_text="do not meet the campaign's target").get_by_role("cell").last).not_to_have_text("0")
    expect(others.filter(has_text="at their next check-in").get_by_role("cell").last).not_to_have_text("0")
    visitor.require_accessible()
