"""Signing in and out of the console: by a token, a wrong one, an expired session, and on to what was wanted."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, update

from storage.tables import api_tokens
from tests.fleet_api.api_server import Api
from tests.fleet_api.console.visitor import Visitor

pytestmark = pytest.mark.integration
COOKIE = "longtail_session"


def token_of(api: Api, role: str) -> str:
    return api.as_(role)["Authorization"].removeprefix("Bearer ")


def test_a_person_signs_in_by_a_token_and_gets_to_the_page_that_was_wanted(visitor: Visitor, api: Api) -> None:
    page = visitor.open("/budget?month=2026-01", role=None)
    expect(visitor.heading("Sign in")).to_be_visible()
    visitor.require_accessible()
    page.get_by_label("API token").fill(token_of(api, "viewer"))
    page.keyboard.press("Enter")
    expect(visitor.heading("Volume and budget")).to_be_visible()
    assert page.url.endswith("/console/budget?month=2026-01")
    (cookie,) = visitor.context.cookies()
    assert cookie["name"] == COOKIE and cookie["httpOnly"] and cookie["sameSite"] == "Strict"
    assert cookie["value"] != token_of(api, "viewer")
    assert page.evaluate("document.cookie") == ""


def test_a_wrong_token_is_named_and_another_can_be_typed(visitor: Visitor) -> None:
    page = visitor.open("/signin", role=None)
    for wrong, said in (("lt_" + "x" * 43, "the token is unknown or revoked"), ("hunter2", "malformed")):
        page.get_by_label("API token").fill(wrong)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text(said)
    assert visitor.context.cookies() == []


def test_who_signs_out_is_signed_out(visitor: Visitor, api: Api) -> None:
    page = visitor.open("/campaigns")
    page.locator("summary").click()
    visitor.require_accessible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    assert visitor.context.cookies() == []
    page.goto("/console/campaigns")
    expect(visitor.heading("Sign in")).to_be_visible()
    assert api.get("/v1/me").status_code == 200  # the token itself goes on


def test_an_expired_session_asks_over_the_page_and_loses_nothing(visitor: Visitor, api: Api) -> None:
    page = visitor.open("/campaigns")
    page.get_by_label("Find by name").press_sequentially("brak")
    with api.database.begin() as connection:
        connection.execute(update(api_tokens).where(api_tokens.c.parent_id.is_not(None)).values(expires_at=func.now()))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # as when a tab is looked at again
    dialog = page.get_by_role("dialog", name="Your session has ended")
    expect(dialog).to_be_visible()
    visitor.require_accessible()
    dialog.get_by_label("API token").fill(token_of(api, "viewer"))
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog).to_have_count(0)
    expect(visitor.heading("Campaigns")).to_be_visible()
    page.keyboard.type("ing")
    expect(page.get_by_label("Find by name")).to_have_value("braking")
