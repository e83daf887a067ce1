"""Who looks for clips: from an empty catalog to the clip that was wanted and is tagged; and a filter with a mistake."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.fleet_api.console.journeys.conftest import Fleet
from tests.fleet_api.console.visitor import Visitor

pytestmark = pytest.mark.integration
WANTED = "trigger = 'hard_braking' AND ego.accel.min < -3 m/s^2 AND vehicle.region = 'EU'"


def test_from_an_empty_catalog_to_the_clip_that_was_wanted_and_a_filter_with_a_mistake(
    visitor: Visitor, fleet: Fleet
) -> None:
    page = visitor.open("/clips", role="author")
    clips_come_in(page, fleet)
    one_is_found(page)
    it_is_opened_and_kept(page, fleet.token_of("author"))
    a_mistake_is_put_right_at_its_place(page)


def clips_come_in(page: Page, fleet: Fleet) -> None:
    expect(page.get_by_role("heading", name="There are no clips yet")).to_be_visible()
    fleet.start("emergencies", "shadow_network")
    clips = sum(result.handed_over for result in fleet.drive("car"))
    page.reload()
    expect(page.get_by_text(f"{clips} clips", exact=True)).to_be_visible()


def one_is_found(page: Page) -> None:
    """By the search box, then by a facet, then on the map."""
    page.get_by_label("Filter").fill(WANTED)
    expect(page.get_by_text("2 of 2 clips shown have a position")).to_be_visible()
    facets = page.get_by_role("complementary", name="Facets").get_by_role("group")
    cells = facets.filter(has_text="place_cell_5").last  # they are a group themselves
    cells.get_by_role("button").first.click()
    expect(page.get_by_text("1 of 1 clip shown has a position")).to_be_visible()
    page.get_by_role("button", name="Search within this view").click()
    expect(page.get_by_label("Filter")).to_have_value(re.compile(r"place_cell_5 = '\w+' AND S_INTERSECTS\(geometry"))


def it_is_opened_and_kept(page: Page, token: str) -> None:
    """Its cameras play from the fire; a tag, given while the session ends, finds it again; a dataset has it."""
    card(page).click()
    expect(page.locator("video").first).to_have_js_property("readyState", 4)
    page.get_by_role("button", name=re.compile("^hard_braking at ")).first.click()
    expect(page).to_have_url(re.compile(r"\?t=\d"))
    page.get_by_label("Add a tag").fill("for review")
    page.context.clear_cookies()
    page.get_by_role("button", name="Add tag").click()
    ended = page.get_by_role("dialog", name="Your session has ended")
    ended.get_by_label("API token").fill(token)
    ended.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Remove the tag for review")).to_be_visible()
    page.get_by_role("button", name="Add to a dataset").click()
    page.get_by_label("Name", exact=True).fill("reviewed")
    page.get_by_role("button", name="Add …").click()
    page.get_by_role("dialog").get_by_role("button", name="Add").click()
    expect(page.get_by_text("Version 1 of reviewed has 1 clip")).to_be_visible()
    shown = page.url

    page.get_by_role("navigation", name="Main").get_by_role("link", name="Clips").click()
    page.get_by_role("button", name=re.compile("^for review")).click()
    expect(page.get_by_text("1 clip", exact=True)).to_be_visible()
    expect(card(page)).to_have_attribute("href", re.compile(re.search(r"/clips/\w+", shown).group()))  # type: ignore[union-attr]


def a_mistake_is_put_right_at_its_place(page: Page) -> None:
    field = page.get_by_label("Filter")
    field.fill("state = 'ready' AND duration > 7")
    expect(page.get_by_text("no property 'duration'")).to_be_visible()
    page.get_by_role("button", name="Show the place").click()
    page.keyboard.type("duration_s")
    expect(page.get_by_text("no property")).to_have_count(0)
    expect(field).to_have_value("state = 'ready' AND duration_s > 7")
    expect(page.get_by_text("2 clips", exact=True)).to_be_visible()


def card(page: Page) -> Locator:
    """The first clip that is shown."""
    return page.get_by_role("main").locator("a[href*='/clips/']").first
