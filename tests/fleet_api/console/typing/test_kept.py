"""What somebody has typed is there again in its place, for them alone, until it is sent: notes, reasons, names."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import func, update

from storage.tables import api_tokens
from tests.fleet_api.api_server import Api, campaign_text
from tests.fleet_api.console.visitor import Visitor
from tests.storage.clips.catalog_support import add_clip

pytestmark = pytest.mark.integration


@pytest.fixture
def clip(api: Api) -> str:
    with api.database.begin() as connection:
        return add_clip(connection, fired=[("lanes", "cut_in")], state="ready")


def note(page: Page) -> Locator:
    return page.get_by_label("Add a note")


def tag(page: Page) -> Locator:
    return page.get_by_label("Add a tag")


def test_a_note_and_a_tag_are_there_again_until_they_are_added(visitor: Visitor, clip: str) -> None:
    page = visitor.open(f"/clips/{clip}", role="author")
    note(page).fill("the left lane is closed")
    tag(page).fill("wet road")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Campaigns").click()
    expect(visitor.heading("Campaigns")).to_be_visible()
    page.go_back()
    expect(note(page)).to_have_value("the left lane is closed")
    page.close()
    page = visitor.page = visitor.context.new_page()
    page.goto(f"/console/clips/{clip}")
    expect(tag(page)).to_have_value("wet road")
    note(page).press("End")
    note(page).press_sequentially(" again")
    page.get_by_role("button", name="Add note").click()
    expect(page.get_by_role("blockquote")).to_contain_text("the left lane is closed again")
    expect(note(page)).to_have_value("")
    page.reload()
    expect(tag(page)).to_have_value("wet road")
    expect(note(page)).to_have_value("")


def test_what_is_kept_is_shown_to_nobody_else_also_where_a_session_ends(visitor: Visitor, api: Api, clip: str) -> None:
    page = visitor.open(f"/clips/{clip}", role="author")
    note(page).fill("only for my eyes")
    with api.database.begin() as connection:
        connection.execute(update(api_tokens).where(api_tokens.c.parent_id.is_not(None)).values(expires_at=func.now()))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    dialog = page.get_by_role("dialog", name="Your session has ended")
    dialog.get_by_label("API token").fill(api.as_("operator")["Authorization"].removeprefix("Bearer "))
    dialog.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("operator-user", exact=True)).to_be_visible()
    expect(dialog).to_have_count(0)
    expect(note(page)).to_have_value("")
    visitor.open(f"/clips/{clip}", role="author")
    expect(note(page)).to_have_value("only for my eyes")


def test_the_reason_of_a_step_that_was_not_taken_is_there_again_for_this_step(visitor: Visitor, api: Api) -> None:
    api.activate(campaign_text())
    page = visitor.open("/campaigns/braking", role="approver")
    steps = page.get_by_role("group", name="Steps of version 1")
    dialog = page.get_by_role("dialog")
    reason = dialog.get_by_label("Reason")
    steps.get_by_role("button", name="Stop").click()
    expect(dialog).not_to_contain_text("was kept in this browser")
    reason.fill("it fires at every bridge")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.reload()
    steps.get_by_role("button", name="Pause").click()
    expect(reason).to_have_value("")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    steps.get_by_role("button", name="Stop").click()
    expect(reason).to_have_value("it fires at every bridge")
    expect(dialog).to_contain_text("What you typed here before was kept in this browser.")
    dialog.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Version 1 was stopped.")).to_be_visible()
    assert page.evaluate("Object.values(localStorage).join()") == ""


def test_the_name_of_a_dataset_is_there_again_until_it_is_made(visitor: Visitor, clip: str) -> None:
    page = visitor.open(f"/clips/{clip}", role="author")
    name = page.get_by_label("Name", exact=True)
    page.get_by_role("button", name="Add to a dataset").click()
    name.fill("cuts")
    page.get_by_label("What it is for").fill("merging lanes")
    page.reload()
    page.get_by_role("button", name="Add to a dataset").click()
    expect(page.get_by_label("What it is for")).to_have_value("merging lanes")
    expect(name).to_have_value("cuts")
    page.get_by_role("button", name="Add …").click()
    page.get_by_role("dialog").get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text(re.compile("^Version 1 of cuts has 1 clip"))).to_be_focused()
    page.get_by_role("button", name="Add to a dataset").click()
    expect(name).to_have_value("")


def test_a_note_that_is_sent_goes_from_every_page_that_has_it(visitor: Visitor, clip: str) -> None:
    page = visitor.open(f"/clips/{clip}", role="author")
    held = visitor.hold("**/notes")
    note(page).fill("the left lane is closed")
    other = visitor.context.new_page()
    other.goto(f"/console/clips/{clip}")
    expect(note(other)).to_have_value("the left lane is closed")
    page.get_by_role("button", name="Add note").click()
    visitor.wait_for_held(held)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Campaigns").click()
    expect(visitor.heading("Campaigns")).to_be_visible()
    page.go_back()
    expect(note(page)).to_have_value("the left lane is closed")
    held.pop().continue_()
    expect(note(page)).to_have_value("")
    expect(note(other)).to_have_value("")


def test_a_note_that_is_typed_in_one_tab_is_kept_while_another_is_sent_in_a_second(visitor: Visitor, clip: str) -> None:
    page = visitor.open(f"/clips/{clip}", role="author")
    other = visitor.context.new_page()
    other.goto(f"/console/clips/{clip}")
    expect(note(other)).to_have_value("")
    note(page).fill("a long note")
    note(other).fill("ok")
    other.get_by_role("button", name="Add note").click()
    expect(other.get_by_role("blockquote")).to_contain_text("ok")
    page.wait_for_function("Object.values(localStorage).join().includes('a long note')")
    page.reload()
    expect(note(page)).to_have_value("a long note")
    expect(note(other)).to_have_value("")


def test_a_reason_is_kept_for_its_dataset_and_nothing_for_a_clip_that_is_erased(visitor: Visitor, clip: str) -> None:
    page = visitor.open(f"/clips/{clip}", role="admin")
    reason = page.get_by_role("dialog").get_by_label("Reason")
    name = page.get_by_label("Name", exact=True)
    note(page).fill("the left lane is closed")
    page.get_by_role("button", name="Add to a dataset").click()
    for dataset in ("cuts", "merges"):
        name.fill(dataset)
        page.get_by_role("button", name="Add …").click()
        expect(reason).to_have_value("")
        reason.fill(f"for {dataset}")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    name.fill("cuts")
    page.get_by_role("button", name="Add …").click()
    expect(reason).to_have_value("for cuts")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Erase this clip").click()
    reason.fill("asked for by a person in it")
    page.get_by_role("dialog").get_by_role("button", name="Erase", exact=True).click()
    expect(visitor.heading("Clips")).to_be_visible()
    assert page.evaluate("Object.values(localStorage).join()") == ""


def test_the_page_says_where_nothing_is_kept(visitor: Visitor, clip: str) -> None:
    visitor.context.add_init_script(
        "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') }"
    )
    page = visitor.open(f"/clips/{clip}", role="author")
    note(page).fill("the left lane is closed")
    expect(
        page.get_by_text("This browser cannot keep what you type: send it before you close the page.")
    ).to_be_visible()
    page.get_by_role("button", name="Add note").click()
    expect(page.get_by_role("blockquote")).to_contain_text("the left lane is closed")
    expect(note(page)).to_have_value("")
