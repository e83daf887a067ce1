"""The list of campaigns and a campaign's header in the browser: states, stage, funnel, budget; sorting, CSV, empty."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.fleet_api.api_server import Api, campaign_text
from tests.fleet_api.console.visitor import NARROW, Visitor

pytestmark = pytest.mark.integration


@pytest.fixture
def campaigns(api: Api) -> None:
    """An active campaign in the first of two stages, and a draft of another; once for the file."""
    if not api.get("/v1/campaigns").json()["campaigns"]:
        api.activate(campaign_text("rollout 10 % for 2 h, 100 %"))
        api.apply(campaign_text().replace("campaign braking", "campaign another"), draft=True)


def test_an_empty_deployment_says_how_to_begin(visitor: Visitor) -> None:
    page = visitor.open("/")
    expect(page.get_by_role("heading", name="There are no campaigns yet")).to_be_visible()
    visitor.require_accessible()


def test_the_list_shows_state_stage_budget_and_owner(visitor: Visitor, campaigns: None) -> None:
    page = visitor.open("/campaigns")
    row = page.get_by_role("row").filter(has_text="braking")
    expect(row).to_contain_text("active")
    expect(row).to_contain_text("1 of 2: 10 % of the fleet")
    expect(row).to_contain_text("0 B of 1.0 GB (0 %)")
    expect(row).to_contain_text("author-user")
    expect(page.get_by_role("row").filter(has_text="another")).to_contain_text("draft")
    visitor.require_accessible()


def test_order_and_search_are_in_the_address(visitor: Visitor, campaigns: None) -> None:
    page = visitor.open("/campaigns?order=-campaign")
    links = page.get_by_role("table").get_by_role("link")
    expect(links).to_have_text(["braking", "another"])
    page.get_by_role("columnheader", name="Campaign").get_by_role("button").click()
    expect(links).to_have_text(["another", "braking"])
    assert page.url.endswith("?order=campaign")
    page.get_by_label("Find by name").fill("brak")
    expect(links).to_have_text(["braking"])
    assert page.url.endswith("?order=campaign&find=brak")


def test_the_csv_has_the_rows_that_are_shown(visitor: Visitor, campaigns: None) -> None:
    page = visitor.open("/campaigns?find=brak")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as CSV").click()
    titles, row = Path(saved.value.path()).read_text().splitlines()
    assert titles.startswith("campaign,version,state,stage,fired") and row.startswith("braking,")


def test_a_campaign_is_reached_by_keyboard_and_the_focus_follows(visitor: Visitor, campaigns: None) -> None:
    page = visitor.open("/campaigns")
    link = page.get_by_role("link", name="braking")
    link.focus()
    page.keyboard.press("Enter")
    expect(visitor.heading("braking")).to_be_visible()
    assert page.url.endswith("/console/campaigns/braking")
    expect(page.get_by_role("main")).to_be_focused()
    expect(page).to_have_title("braking · Longtail")
    expect(page.get_by_text("1 of 2: 10 % of the fleet")).to_be_visible()
    visitor.require_accessible()
    page.go_back()
    expect(visitor.heading("Campaigns")).to_be_visible()


def test_a_campaign_that_does_not_exist_is_named(visitor: Visitor) -> None:
    page = visitor.open("/campaigns/nothing")
    expect(page.get_by_role("alert")).to_contain_text("nothing")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_both_pages_fit_a_narrow_screen(visitor: Visitor, campaigns: None) -> None:
    visitor.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    for path in ("/campaigns", "/campaigns/braking"):
        visitor.open(path)
        visitor.require_no_sideways_scrolling()
        visitor.require_accessible(schemes=("light",))
