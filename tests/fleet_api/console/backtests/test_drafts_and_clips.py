"""An author backtests in the browser what is not saved yet, takes a moved number into it, and runs over clips."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.fleet_api.api_server import Api
from tests.fleet_api.backtests.recorded import CATALOG, SLOWER, SOURCE, add_drives
from tests.fleet_api.console.backtests.test_backtest import JOB_MS, cells
from tests.fleet_api.console.visitor import Visitor
from tests.fleet_api.scans.recorded import BRAKING, SIGNALS, STEADY, add_recorded

pytestmark = pytest.mark.integration
SLOWING = """
trigger slower { when ego.speed < 15 m/s }
campaign slowing { collect slower budget 1 GB total }
"""


@pytest.fixture(scope="module", autouse=True)
def recorded(api: Api) -> None:
    """Two drives, on which the speed rises above 40 km/h once, from 36 to 43.2 km/h; both versions of `c`."""
    folder = api.settings.data_dir
    assert folder is not None
    add_drives(folder, "coast", "hills")
    for source in (SLOWER, SOURCE):
        assert api.apply(source, signals=CATALOG, draft=True).status_code == 201


def place_of(source: str, text: str) -> str:
    """Where a text is in a source, as the address names a number: line and column, from 1."""
    before = source[: source.index(text)]
    return f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


def moved(version: int, source: str, text: str, value: float) -> str:
    """The address of a backtest in which a number of a version is moved."""
    return f"/campaigns/c/backtest?version={version}&at={place_of(source, text)}&value={value}"


def text_of(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Trigger file")


def test_a_moved_number_is_taken_into_the_draft_which_runs_before_it_is_saved_and_no_draft_is_lost_unasked(
    visitor: Visitor, api: Api
) -> None:
    page = visitor.open(moved(1, SLOWER, "30 km/h", 42), role="author")
    page.get_by_role("button", name="Take 42 km/h into the text").click()
    expect(page).to_have_url(re.compile(r"/campaigns/c/edit\?.*from=1"))
    expect(text_of(page)).to_contain_text("when ego.speed > 42 km/h")
    expect(text_of(page)).to_contain_text("collect fast, missed compare seen")
    expect(text_of(page)).to_be_focused()
    expect(page.get_by_text(re.compile("Your draft of .* was kept"))).to_be_visible()
    assert [each["version"] for each in api.get("/v1/campaigns/c").json()["versions"]] == [2, 1], "nothing is saved"

    page.get_by_role("link", name="Backtest").click()
    expect(page.get_by_role("combobox", name="Text", exact=True)).to_have_value("draft")
    expect(page.get_by_text("2 of 2 drives")).to_be_visible()
    page.get_by_role("button", name="Run the backtest").click()
    expect(cells(page, "Triggers", "fast").nth(1)).to_have_text("2", timeout=JOB_MS)
    expect(page.get_by_role("heading", name="the draft of c")).to_be_visible()
    page.get_by_role("combobox", name="beside").select_option("1")
    both = ["fast", "0", "0", "2", "not known"]
    expect(cells(page, "Fires that both have", "fast")).to_have_text(both, timeout=JOB_MS)
    expect(page.get_by_role("heading", name="version 1 beside the draft of c")).to_be_visible()

    page = visitor.open(moved(2, SOURCE, "40 km/h", 43), role=None)
    page.get_by_role("button", name="Take 43 km/h into the text").click()
    dialog = page.get_by_role("dialog", name=re.compile("Replace your draft of"))
    difference = dialog.get_by_role("region", name="From your draft to version 2 with the number")
    expect(difference).to_contain_text("removedtrigger fast { when ego.speed > 42 km/h }")
    expect(difference).to_contain_text("addedtrigger fast { when ego.speed > 43 km/h }")
    visitor.require_accessible()
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    page.get_by_role("combobox", name="Text", exact=True).select_option("draft")
    page.get_by_role("combobox", name="Number").select_option(place_of(SOURCE, "40 km/h"))
    field = page.get_by_label("Value", exact=True)
    expect(field).to_have_value("42")
    field.fill("41.5")
    field.press("Enter")
    page.get_by_role("button", name="Take 41.5 km/h into the text").click()
    expect(text_of(page)).to_contain_text("when ego.speed > 41.5 km/h")

    page = visitor.open(moved(2, SOURCE, "40 km/h", 43), role=None)
    page.get_by_role("button", name="Take 43 km/h into the text").click()
    page.get_by_role("button", name="Replace the draft").click()
    expect(text_of(page)).to_contain_text("when ego.speed > 43 km/h")
    page.get_by_role("button", name="Save as a draft").click()
    expect(page.get_by_text("Saved as version 3, a draft.")).to_be_visible()
    assert api.get("/v1/campaigns/c/3").json()["source"] == SOURCE.replace("40 km/h", "43 km/h")


def test_a_threshold_that_is_moved_before_the_drives_are_known_is_run_once_they_are(visitor: Visitor) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    visitor.page.route("**/v1/drives", hold)
    page = visitor.open(f"/campaigns/c/backtest?version=2&at={place_of(SOURCE, '40 km/h')}", role="author")
    field = page.get_by_label("Value", exact=True)
    field.fill("42")
    field.press("Enter")
    expect(page).to_have_url(re.compile("value=42"))
    expect(page.get_by_role("button", name="Run the backtest")).to_be_disabled()
    held.pop().continue_()
    expect(cells(page, "Fires that both have", "fast").first).to_have_text("fast", timeout=JOB_MS)


def test_over_catalogued_clips_it_runs_over_those_that_a_filter_finds_and_says_which_it_could_not_read(
    visitor: Visitor, api: Api
) -> None:
    add_recorded(api, STEADY, number=0)
    braked = add_recorded(api, BRAKING, number=1)
    silent = add_recorded(api, None, number=2)
    assert api.apply(SLOWING, signals=SIGNALS, draft=True).status_code == 201
    page = visitor.open("/campaigns/slowing/backtest", role="author")
    page.get_by_label("catalogued clips").check()
    box = page.get_by_label("Filter")
    box.fill("campaign =")
    expect(box).to_have_attribute("aria-invalid", "true")
    run = page.get_by_role("button", name="Run the backtest")
    expect(run).to_be_disabled()
    box.fill("campaign = 'braking'")
    expect(page.get_by_text("3 clips match.")).to_be_visible()
    visitor.require_accessible()
    run.click()
    expect(cells(page, "Triggers", "slower").nth(1)).to_have_text("1", timeout=JOB_MS)
    expect(page.get_by_text(re.compile(r"^2 clips, "))).to_be_visible()
    page.get_by_role("slider", name=f"Fires of {braked}").press("ArrowRight")
    expect(page.get_by_role("heading", name=f"slower at 2.520 s of {braked}")).to_be_visible()
    expect(page.get_by_text("ego.speed in m/s").first).to_be_visible()
    visitor.require_accessible(schemes=("light",))
    page.get_by_role("link", name=re.compile("^Remarks")).click()
    expect(page.get_by_text(re.compile(f"{silent} was left out: .*not extracted"))).to_be_visible()
    page.get_by_role("link", name="Volume and cost").click()
    expect(page.get_by_role("heading", name="There is no forecast")).to_be_visible()

    page.get_by_label("At most").fill("1")
    page.get_by_label("At most").press("Enter")
    expect(page.get_by_text("the latest is run")).to_be_visible()
    expect(page.get_by_text("What is below ran over something else than what is chosen now.")).to_be_visible()
