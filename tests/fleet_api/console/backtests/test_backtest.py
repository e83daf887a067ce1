"""An author backtests a campaign in the browser: fires by drive, signals, a threshold, two versions, cancelling."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.fleet_api.api_server import Api
from tests.fleet_api.backtests.recorded import CATALOG, SLOWER, SOURCE, add_drives
from tests.fleet_api.console.visitor import NARROW, WIDE, Visitor

pytestmark = pytest.mark.integration
JOB_MS = 120_000
"""A backtest has processes of its own, which a busy machine starts slowly."""


@pytest.fixture(scope="module")
def drives(api: Api) -> None:
    """Three recorded drives on which `fast` and `missed` fire once each, and one that is damaged."""
    folder = api.settings.data_dir
    assert folder is not None
    add_drives(folder, "coast", "hills", "town")
    (folder / "drives/broken.parquet").write_bytes(b"PAR1")


@pytest.fixture(scope="module")
def versions(api: Api) -> None:
    """Version 1, whose threshold is never crossed, and version 2."""
    for source in (SLOWER, SOURCE):
        answer = api.apply(source, signals=CATALOG, draft=True)
        assert answer.status_code == 201, answer.text


def test_a_campaign_that_is_not_there_is_told_and_nothing_else_is_waited_for(visitor: Visitor) -> None:
    page = visitor.open("/campaigns/nothing/backtest", role="author")
    expect(page.get_by_role("alert")).to_contain_text("nothing")
    expect(page.get_by_role("main")).not_to_contain_text("Loading")


def test_a_sweep_is_drawn_and_the_report_is_attached_to_its_version(visitor: Visitor, api: Api, drives: None) -> None:
    swept = SOURCE.replace("campaign c", "campaign swept").replace("> 40 km/h", "> most")
    answer = api.apply("param most = 40 km/h\n" + swept, signals=CATALOG, draft=True)
    assert answer.status_code == 201, answer.text
    page = visitor.open("/campaigns/swept/backtest", role="author")
    expect(page.get_by_text("3 of 4 drives")).to_be_visible()
    page.get_by_label("Sweep a param").fill("most=30km/h,41km/h")
    page.get_by_label("Fires by speed, place and hour").check()
    page.get_by_role("button", name="Run the backtest").click()
    page.get_by_role("link", name="Sweep", exact=True).click(timeout=JOB_MS)
    expect(page.get_by_role("img", name="Fires of fast per hour by most")).to_be_visible()
    expect(cells(page, "fast at each value of most", r"40 km/h \*").nth(1)).to_have_text("3")
    visitor.require_accessible()
    page.get_by_role("link", name="Speed, place and hour").click()
    expect(cells(page, "fast by speed", "30 to 50 km/h").nth(1)).to_have_text("3")
    visitor.require_accessible(schemes=("light",))
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    visitor.require_no_sideways_scrolling()
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    page.get_by_role("button", name="Attach this report to version 1").click()
    page.get_by_role("status").get_by_role("link", name="version 1").click()
    expect(page.get_by_role("link", name="Open the whole report")).to_be_visible()
    (ran,) = api.get("/v1/backtests", "author").json()["backtests"]
    assert api.client.delete(f"/v1/backtests/{ran['id']}", headers=api.as_("author")).status_code == 200


def cells(page: Page, table: str, text: str) -> Locator:
    """The cells of a table's row that begins with a text."""
    row = page.get_by_role("region", name=table).get_by_role("row").filter(has_text=re.compile(f"^{text}"))
    return row.first.get_by_role("cell")


def test_fires_of_chosen_drives_then_another_threshold_then_two_versions_then_cancel(
    visitor: Visitor, api: Api, drives: None, versions: None
) -> None:
    page = visitor.open("/campaigns/c?version=2", role="author")
    page.get_by_role("link", name="Backtest").click()
    expect(page.get_by_text("3 of 4 drives")).to_be_visible()
    page.get_by_text("Choose drives").click()
    expect(page.get_by_label("Run broken")).to_be_disabled()
    page.get_by_label("Run town").uncheck()
    expect(page.get_by_text("2 of 4 drives")).to_be_visible()
    page.get_by_role("button", name="Run the backtest").click()
    expect(cells(page, "Triggers", "fast").nth(1)).to_have_text("2", timeout=JOB_MS)

    lane = page.get_by_role("slider", name="Fires of coast")
    expect(lane).to_have_attribute("aria-valuetext", "2 fires, none chosen")
    lane.press("ArrowRight")
    expect(page.get_by_role("heading", name="fast at 5.000 s of coast")).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("heading", name="fast at 5.000 s of hills")).to_be_visible()
    expect(page.get_by_role("slider", name="Fires of hills")).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("heading", name=re.compile("^missed at 5.9.* s of hills"))).to_be_visible()
    expect(page.get_by_text("Table of seen")).to_be_visible(timeout=JOB_MS)  # a process reads the drive
    expect(page.get_by_text("ego.speed in m/s").first).to_be_visible()
    page.keyboard.press("+")
    expect(page).to_have_url(re.compile("view="))
    visitor.require_accessible()
    page.reload()
    expect(page.get_by_role("heading", name=re.compile("^missed at 5.9"))).to_be_visible()

    numbers = page.get_by_role("combobox", name="Number")
    place = numbers.locator("option").filter(has_text="ego.speed > 40 km/h").get_attribute("value")
    numbers.select_option(place)
    field = page.get_by_label("Value", exact=True)
    field.fill("50")
    field.press("Enter")
    changed = "Fires that both have"
    expect(cells(page, changed, "fast")).to_have_text(
        ["fast", "0", "2", "0", re.compile(r"^0 \(0 to ")], timeout=JOB_MS
    )
    expect(page.get_by_role("heading", name="version 2 beside version 2 with 50 km/h")).to_be_visible()
    expect(cells(page, changed, "missed")).to_have_text(["missed", "2", "0", "0", re.compile(r"^1 \(")])

    page.get_by_role("combobox", name="beside").select_option("1")
    expect(cells(page, changed, "fast")).to_have_text(
        ["fast", "0", "0", "2", re.compile("^at least|^not known")], timeout=JOB_MS
    )
    expect(page.get_by_role("heading", name="version 1 beside version 2")).to_be_visible()
    page.get_by_role("link", name="Volume and cost").click()
    expect(cells(page, "Budgets beside the forecast", "c").filter(has_text="1.0 GB")).to_be_visible()
    expect(cells(page, "A day of the fleet under the limits", "c").filter(has_text="none")).to_be_visible()
    visitor.require_accessible(schemes=("light",))
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    page.get_by_role("link", name="Fires", exact=True).click()
    expect(page.get_by_role("slider", name="Fires of coast")).to_be_visible()
    visitor.require_no_sideways_scrolling()
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]

    api.app.state.backtests.close()  # no process runs backtests any more, so the next one waits
    page.get_by_role("button", name="Run again").click()
    expect(page.get_by_text("Waiting for its turn")).to_be_visible()
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_text("Waiting for its turn")).to_have_count(0)
    expect(page.get_by_role("button", name="Run again")).to_be_focused()
    expect(page).not_to_have_url(re.compile("job="))
    assert [each["state"] for each in api.get("/v1/backtests", "author").json()["backtests"]] == ["done"] * 3
