"""Slow answers: nothing is sent twice, nothing typed meanwhile is lost, and the keyboard stays where it is."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, update

from storage.tables import api_tokens
from tests.fleet_api.api_server import Api
from tests.fleet_api.console.visitor import Visitor
from tests.storage.clips.catalog_support import add_clip
from tests.support.waiting import wait_for

pytestmark = pytest.mark.integration


@pytest.fixture
def page(visitor: Visitor, api: Api) -> Page:
    """The page of a clip that is an author's to mark."""
    with api.database.begin() as connection:
        clip = add_clip(connection, state="ready")
    return visitor.open(f"/clips/{clip}", role="author")


def test_a_note_is_added_once_and_the_next_one_is_typed_meanwhile(visitor: Visitor, page: Page) -> None:
    held = visitor.hold("**/notes")
    field = page.get_by_label("Add a note")
    field.fill("the first")
    add = page.get_by_role("button", name="Add note")
    add.click()
    visitor.wait_for_held(held)
    expect(add).to_have_attribute("aria-disabled", "true")
    add.click(force=True)
    field.fill("the second")
    assert len(held) == 1
    held.pop().continue_()
    expect(page.get_by_role("blockquote")).to_contain_text("the first")
    expect(field).to_have_value("the second")
    expect(add).to_have_attribute("aria-disabled", "false")
    add.click()
    visitor.wait_for_held(held)
    held.pop().continue_()
    expect(page.get_by_role("blockquote")).to_have_count(2)
    expect(field).to_have_value("")


def test_each_tag_is_removed_by_its_own_button_while_another_is_being_removed(visitor: Visitor, page: Page) -> None:
    buttons = []
    for tag in ("wet", "night"):
        page.get_by_label("Add a tag").fill(tag)
        page.get_by_role("button", name="Add tag").click()
        buttons.append(page.get_by_role("button", name=f"Remove the tag {tag}"))
        expect(buttons[-1]).to_be_visible()
    held = visitor.hold("**/tags?*")
    for button in buttons:
        button.click()
        expect(button).to_have_attribute("aria-disabled", "true")
    wait_for(lambda: bool(page.evaluate("1")) and len(held) == len(buttons), within_s=60, what="both removals")
    buttons[0].click(force=True)
    visitor.wait_until_drawn()
    assert len(held) == len(buttons)
    for route in held:
        route.continue_()
    for button in buttons:
        expect(button).to_have_count(0)


def test_somebody_who_types_elsewhere_by_then_goes_on_there(visitor: Visitor, page: Page) -> None:
    page.get_by_label("Add a tag").fill("wet")
    page.get_by_role("button", name="Add tag").click()
    remove = page.get_by_role("button", name="Remove the tag wet")
    expect(remove).to_be_visible()
    held = visitor.hold("**/tags?*")
    remove.click()
    visitor.wait_for_held(held)
    note = page.get_by_label("Add a note")
    note.press_sequentially("a long")
    held.pop().continue_()
    expect(remove).to_have_count(0)
    page.keyboard.type(" thought")
    expect(note).to_have_value("a long thought")


def test_keys_pressed_as_the_session_ends_are_not_taken_as_a_token_and_the_dialog_stays(page: Page, api: Api) -> None:
    note = page.get_by_label("Add a note")
    note.press_sequentially("a thought that takes ")
    with api.database.begin() as connection:
        connection.execute(update(api_tokens).where(api_tokens.c.parent_id.is_not(None)).values(expires_at=func.now()))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    dialog = page.get_by_role("dialog", name="Your session has ended")
    expect(dialog.get_by_role("heading")).to_be_focused()
    page.keyboard.type("time ")
    page.keyboard.press("Enter")
    token = dialog.get_by_label("API token")
    expect(token).to_have_value("")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")  # which closes other dialogs
    expect(dialog).to_be_visible()
    page.keyboard.press("Tab")
    expect(token).to_be_focused()
    page.keyboard.type(api.as_("author")["Authorization"].removeprefix("Bearer "))
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(note).to_be_focused()
    expect(note).to_have_value("a thought that takes ")
