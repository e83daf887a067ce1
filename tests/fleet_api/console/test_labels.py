"""Somebody watches label jobs in the browser: queues, days, what failed and why; and tries a failed one again."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from sqlalchemy import insert, text

from storage.tables import label_jobs
from tests.fleet_api.api_server import Api
from tests.fleet_api.console.visitor import NARROW, Visitor
from tests.storage.clips.catalog_support import add_clip, add_labels

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def jobs(api: Api) -> None:
    """Two clips that are labelled, on days two apart, one that waits, and one whose job has failed."""
    with api.database.begin() as connection:
        clips = [add_clip(connection) for _ in range(4)]
        add_labels(connection, clips[0], "car")
        add_labels(connection, clips[1], "car")
        connection.execute(text("UPDATE label_jobs SET state = 'done', finished_at = '2026-01-05T12:00Z'"))
        connection.execute(
            text("UPDATE label_jobs SET finished_at = '2026-01-07T12:00Z' WHERE clip_id = :id"), {"id": clips[1]}
        )
        connection.execute(insert(label_jobs).values(clip_id=clips[2], task="auto"))
        failed = {"state": "failed", "attempts": 5, "reason": "too dark"}
        at = text("'2026-01-08T12:00Z'::timestamptz")
        connection.execute(insert(label_jobs).values(clip_id=clips[3], task="auto", finished_at=at, **failed))


def test_without_jobs_the_page_says_where_they_come_from(visitor: Visitor) -> None:
    page = visitor.open("/labels")
    expect(page.get_by_role("heading", name="There are no label jobs yet")).to_be_visible()
    visitor.require_accessible()


def test_queues_days_and_failures_are_shown_and_a_failed_job_is_tried_again(visitor: Visitor, jobs: None) -> None:
    page = visitor.open("/labels", role="operator")
    queue = page.get_by_role("region", name="Queues").get_by_role("row").filter(has_text="auto")
    expect(queue).to_have_text(re.compile(r"^auto\s*1\s*0\s*2\s*1$"))
    page.get_by_text("Table of jobs done per day").click()
    days = page.get_by_role("region", name="Jobs done per day").get_by_role("row")
    shown = (r"Day", r"2026-01-05.*1$", r"2026-01-06.*0$", r"2026-01-07.*1$")
    expect(days).to_have_text([re.compile(each, re.DOTALL) for each in shown])
    failed = page.get_by_role("region", name="Failed jobs").get_by_role("row").filter(has_text="too dark")
    expect(failed).to_contain_text("5")
    visitor.require_accessible()
    failed.get_by_role("button", name="Retry").click()
    expect(page.get_by_text("No job has failed.")).to_be_visible()
    expect(page.get_by_text("waits to be claimed again")).to_be_focused()  # the button has gone
    expect(queue).to_have_text(re.compile(r"^auto\s*2\s*0\s*2\s*0$"))


def test_who_only_reads_cannot_try_again_and_a_refusal_is_told(visitor: Visitor, jobs: None, api: Api) -> None:
    with api.database.begin() as connection:
        connection.execute(
            text(
                "UPDATE label_jobs SET state = 'failed', finished_at = now(), reason = 'no lane' WHERE state = 'ready'"
            )
        )
    page = visitor.open("/labels")
    expect(page.get_by_text("no lane").first).to_be_visible()
    expect(page.get_by_role("button", name="Retry")).to_have_count(0)
    page = visitor.open("/labels", role="labeler")
    row = page.get_by_role("region", name="Failed jobs").get_by_role("row").filter(has_text="no lane").first
    expect(row).to_be_visible()
    with api.database.begin() as connection:
        connection.execute(text("UPDATE label_jobs SET state = 'ready', finished_at = NULL WHERE state = 'failed'"))
    row.get_by_role("button", name="Retry").click()
    expect(page.get_by_role("alert")).to_be_visible()


def test_a_failed_job_is_tried_again_once_however_often_the_button_is_pressed(visitor: Visitor, api: Api) -> None:
    with api.database.begin() as connection:
        failed = {"state": "failed", "attempts": 5, "reason": "no road", "finished_at": text("now()")}
        connection.execute(insert(label_jobs).values(clip_id=add_clip(connection), task="auto", **failed))
    page = visitor.open("/labels", role="operator")
    held = visitor.hold("**/v1/label-jobs/*/retry")
    row = page.get_by_role("region", name="Failed jobs").get_by_role("row").filter(has_text="no road")
    button = row.get_by_role("button", name="Retry")
    button.dblclick()
    visitor.wait_for_held(held)
    expect(button).to_have_attribute("aria-disabled", "true")
    button.click(force=True)
    visitor.wait_until_drawn()
    assert len(held) == 1
    held.pop().continue_()
    expect(page.get_by_text("waits to be claimed again")).to_be_visible()
    expect(row).to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)
    assert held == []


def test_failed_jobs_come_after_what_stands_above_them(visitor: Visitor, api: Api) -> None:
    with api.database.begin() as connection:
        failed = {"state": "failed", "attempts": 5, "reason": "no sun", "finished_at": text("now()")}
        connection.execute(insert(label_jobs).values(clip_id=add_clip(connection), task="auto", **failed))
    held = visitor.hold("**/v1/label-jobs?state=done**")
    page = visitor.page
    with page.expect_response("**/v1/label-jobs?state=failed**"):
        visitor.open("/labels", role="operator")
    visitor.wait_for_held(held)
    expect(page.get_by_role("region", name="Queues")).to_be_visible()
    visitor.wait_until_drawn()
    expect(page.get_by_text("no sun")).to_have_count(0)
    held.pop().continue_()
    expect(page.get_by_text("no sun")).to_be_visible()


def test_it_fits_a_narrow_screen_also_with_a_long_reason(visitor: Visitor, jobs: None, api: Api) -> None:
    with api.database.begin() as connection:
        failed = {"state": "failed", "attempts": 5, "reason": "there is no road " * 30}
        connection.execute(
            insert(label_jobs).values(clip_id=add_clip(connection), task="auto", finished_at=text("now()"), **failed)
        )
    visitor.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    page = visitor.open("/labels", role="operator")
    reason = page.get_by_role("cell", name="there is no road")
    box = reason.bounding_box()
    assert box is not None and box["width"] < NARROW["width"], "it is broken into lines"
    expect(page.get_by_role("region", name="Queues")).to_be_visible()
    visitor.require_no_sideways_scrolling()
