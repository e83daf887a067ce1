"""Who writes a campaign: from an empty deployment to the fires that vehicles had of it; and a version in between."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from fleet_api.demo.drives import package_file
from tests.fleet_api.console.journeys.conftest import Fleet
from tests.fleet_api.console.visitor import PASTE, Visitor

pytestmark = pytest.mark.integration
WRONG = """trigger brakes_hard {
    when ego.acel < -3 m/s^2 for 300 ms
    cooldown 60 s
    capture 2 s before, 1 s after { signals ego.* }
}

campaign my_brakes {
    collect brakes_hard
    budget 1 GB total
    upload on wifi
}
"""
RIGHT = WRONG.replace("ego.acel", "ego.accel")


def test_from_an_empty_deployment_to_fires_of_vehicles_and_a_version_that_came_between(
    visitor: Visitor, fleet: Fleet
) -> None:
    with fleet.client("operator") as operator:
        operator.signal_catalogs.publish("fleet", package_file("signals.yaml"))
    page = visitor.open("/campaigns", role="author")
    expect(page.get_by_role("heading", name="There are no campaigns yet")).to_be_visible()
    a_draft_is_written(page)
    a_step_is_taken(page, "Submit", "bridges are no brakes")
    visitor.context.clear_cookies()
    visitor.open("/campaigns/my_brakes", role="approver")
    a_step_is_taken(page, "Approve", "looks right")
    vehicles_fire(page, fleet)
    visitor.context.clear_cookies()
    visitor.open("/campaigns/my_brakes/edit", role="author")
    another_version_comes_between(page, fleet)


def a_draft_is_written(page: Page) -> None:
    """With a mistake, which is told at its place and put right there."""
    page.get_by_role("link", name="New campaign").click()
    expect(page.get_by_label("Signal catalog")).to_have_value("fleet@1")
    write(page, WRONG)
    findings = page.get_by_role("region", name="Findings")
    finding = findings.get_by_role("listitem").filter(has_text="ego.acel")
    expect(finding).to_contain_text("line 2, column 10")
    finding.get_by_role("button").first.press("Enter")
    for _ in "ego.acel":
        page.keyboard.press("Delete")
    page.keyboard.type("ego.accel")
    page.keyboard.press("Escape")
    expect(findings.get_by_role("heading")).to_contain_text("No mistakes")
    page.get_by_role("button", name="Save as a draft").click()
    expect(page.get_by_text("Saved as version 1, a draft.")).to_be_visible()
    page.get_by_role("link", name="The campaign's page").first.click()
    expect(page.get_by_role("heading", name="my_brakes", level=1)).to_be_visible()


def a_step_is_taken(page: Page, step: str, reason: str) -> None:
    steps = page.get_by_role("group", name="Steps of version")
    steps.get_by_role("button", name=step).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill(reason)
    dialog.get_by_role("button", name=step).click()
    expect(dialog).to_have_count(0)


def vehicles_fire(page: Page, fleet: Fleet) -> None:
    """As often as their counts say, and every fire is in the catalog."""
    counts = [count for result in fleet.drive("car") for count in result.counts]
    fired = sum(count.per_trigger["brakes_hard"] for count in counts)
    assert fired > 0
    page.reload()
    expect(page.get_by_role("img", name=re.compile(f"^{fired} fires?: {fired} catalogued"))).to_be_visible()


def another_version_comes_between(page: Page, fleet: Fleet) -> None:
    """It is told whose it is; nothing that was typed is lost, and nothing is overwritten."""
    expect(text_of(page)).to_contain_text("campaign my_brakes")
    mine = RIGHT.replace("-3 m/s^2", "-4 m/s^2")
    write(page, mine)
    with fleet.client("admin") as admin:
        theirs = RIGHT.replace("-3 m/s^2", "-5 m/s^2")
        assert admin.campaigns.apply(theirs, package_file("signals.yaml"), based_on=1, draft=True).version == 2
        page.get_by_role("button", name="Save as a draft").click()
        conflict = page.get_by_role("region", name="Another version")
        expect(conflict).to_contain_text("admin-user applied version 2")
        expect(text_of(page)).to_contain_text("-4 m/s^2")
        assert [each.version for each in admin.campaigns.versions("my_brakes").versions] == [2, 1]


def text_of(page: Page) -> Locator:
    """Where the text is typed."""
    return page.get_by_role("textbox", name="Trigger file")


def write(page: Page, text: str) -> None:
    """Put a text in place of all that is there."""
    text_of(page).press("ControlOrMeta+a")
    text_of(page).evaluate(PASTE, text)
