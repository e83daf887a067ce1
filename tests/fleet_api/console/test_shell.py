"""The frame of every page: skip link, navigation by roles, colours, addresses without a page, a lost connection."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.fleet_api.console.visitor import Visitor

pytestmark = pytest.mark.integration
LIST = re.compile(r"/v1/campaigns(\?|$)")


def test_the_first_key_leads_past_the_navigation(visitor: Visitor) -> None:
    page = visitor.open("/campaigns")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


@pytest.mark.parametrize(
    ("role", "sections"),
    [
        ("viewer", ["Campaigns", "Clips", "Volume and budget"]),
        ("labeler", ["Labels"]),
        ("admin", ["Campaigns", "Clips", "Volume and budget", "Labels"]),
    ],
)
def test_roles_decide_what_the_navigation_shows(visitor: Visitor, role: str, sections: list[str]) -> None:
    page = visitor.open("/", role=role)
    expect(page.get_by_role("navigation", name="Main").get_by_role("link")).to_have_text(sections)


def test_a_page_for_other_roles_says_which_one_it_needs(visitor: Visitor) -> None:
    page = visitor.open("/campaigns", role="labeler")
    expect(visitor.heading("Not for your roles")).to_be_visible()
    expect(page.get_by_text("needs the role viewer")).to_be_visible()


@pytest.mark.parametrize("section", ["Clips", "Volume and budget", "Labels"])
def test_each_section_is_one_click_away_and_accessible(visitor: Visitor, section: str) -> None:
    page = visitor.open("/campaigns", role="admin")
    page.get_by_role("navigation", name="Main").get_by_role("link", name=section).click()
    expect(visitor.heading(section)).to_be_visible()
    visitor.require_accessible()


def test_the_chosen_colours_stay(visitor: Visitor) -> None:
    page = visitor.open("/campaigns")
    light = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    page.locator("summary").click()
    page.get_by_label("Colours").select_option("dark")
    page.reload()
    expect(visitor.heading("Campaigns")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") != light


def test_an_address_without_a_page_says_so(visitor: Visitor) -> None:
    visitor.open("/nowhere/at/all")
    expect(visitor.heading("No such page")).to_be_visible()
    visitor.require_accessible()


def test_a_page_that_could_not_be_loaded_is_told_and_the_others_are_there_all_the_same(visitor: Visitor) -> None:
    page = visitor.open("/campaigns")
    visitor.expect_errors("net::ERR_FAILED", "Failed to fetch dynamically imported module")
    page.route("**/assets/Clips-*.js", lambda route: route.abort())
    sections = page.get_by_role("navigation", name="Main")
    sections.get_by_role("link", name="Clips").click()
    expect(page.get_by_role("alert")).to_contain_text("This page could not be loaded")
    sections.get_by_role("link", name="Volume and budget").click()
    expect(visitor.heading("Volume and budget")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_lost_connection_is_told_apart_and_tried_again(visitor: Visitor) -> None:
    page = visitor.open("/campaigns")
    visitor.expect_errors("net::ERR_INTERNET_DISCONNECTED")
    visitor.context.set_offline(True)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_role("alert")).to_contain_text("Longtail does not answer")
    expect(visitor.heading("Campaigns")).to_be_visible()
    visitor.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_whatever_goes_wrong_in_the_browser_fails_a_test(visitor: Visitor) -> None:
    """The means of these tests themselves: a breach of the content policy, an exception, a request elsewhere."""
    page = visitor.open("/campaigns")
    for broken in (
        "document.body.append(Object.assign(document.createElement('script'), {textContent: '1'}))",
        "setTimeout(() => { throw new Error('thrown in the page') })",
        "fetch('https://elsewhere.example/').catch(() => null)",
    ):
        before = len(visitor.mistakes)
        page.evaluate(f"() => {{ {broken}; }}")
        visitor.wait_for_mistakes(before + 1)
    assert "elsewhere.example" in str(visitor.mistakes) and "thrown in the page" in str(visitor.mistakes)
    assert "Content Security Policy" in str(visitor.mistakes)
    visitor.mistakes.clear()


def test_an_error_of_the_api_and_an_answer_of_somebody_else_are_told_and_tried_again(visitor: Visitor) -> None:
    problem = {
        "type": "about:blank", "title": "Service Unavailable", "status": 503, "code": "overloaded",
        "detail": "the search took longer than 15 s", "remedy": "narrow it down",
    }  # fmt: skip
    visitor.expect_errors("Failed to load resource")
    refused = {"status": 503, "content_type": "application/problem+json", "body": json.dumps(problem)}
    foreign = {"status": 502, "content_type": "text/html", "body": "<h1>Bad gateway</h1>"}
    page = visitor.page
    for answer, told in ((refused, "the search took longer than 15 s"), (foreign, "502")):
        answering = answered_with(answer)
        page.route(LIST, answering)
        visitor.open("/campaigns")
        expect(page.get_by_role("alert")).to_contain_text(told)
        page.unroute(LIST, answering)
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("heading", name="There are no campaigns yet")).to_be_visible()


def answered_with(answer: dict[str, Any]) -> Callable[[Route], None]:
    """What answers each request so."""

    def answering(route: Route) -> None:
        route.fulfill(**answer)

    return answering
