"""What the demonstration leaves behind, in the console: whoever does what its last lines say finds a clip there.

With LONGTAIL_TEST_PICTURES=docs/images it takes the pictures of the README on the way.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from fleet_api.cli.deployment.console_hints import how_to_serve
from tests.fleet_api.console.visitor import visiting
from tests.fleet_api.demo.demo_process import Run
from tests.support import pictures
from tests.support.chromium import running_chromium
from tests.support.up_process import log_of, longtail_up

pytestmark = pytest.mark.integration


def test_whoever_does_what_the_last_lines_say_finds_a_clip(generated: Run, built_console: None) -> None:
    *_, serving, opening, pasted = generated.process.stderr.splitlines()
    assert serving.endswith(f"run: {how_to_serve(generated.data)}")
    assert re.search(r"open http://127\.0\.0\.1:8080/console and sign in", opening)
    with longtail_up(generated.data), running_chromium() as browser:
        (console,) = re.findall(r"^console +(http\S+)$", log_of(generated.data).read_text(), re.MULTILINE)
        with visiting(browser, console.removesuffix("/console"), lambda _: pasted.strip()) as visitor:
            page = visitor.page
            page.goto(console)
            page.get_by_label("API token").fill(pasted.strip())
            page.keyboard.press("Enter")
            look_at_campaigns(page, generated.summary["campaigns"])
            look_at_clips(page, generated.summary["clips"])
            look_at_volume(page, generated.summary["campaigns"])


def look_at_campaigns(page: Page, campaigns: list[dict[str, Any]]) -> None:
    """Every campaign with its fires and how many of them were catalogued, as the demonstration printed them."""
    expect(page.get_by_role("heading", name="Campaigns", level=1)).to_be_visible()
    for each in campaigns:
        row = page.get_by_role("row").filter(has=page.get_by_role("link", name=each["campaign"], exact=True))
        for count in (each["fired"], each["catalogued"]):
            expect(row.get_by_role("cell", name=str(count), exact=True).first).to_be_visible()
    pictures.take(page, "campaigns", height=260)


def look_at_clips(page: Page, clips: list[dict[str, Any]]) -> None:
    """Every clip, then those of one trigger with their pictures, then the video of one."""
    open_section(page, "Clips")
    expect(page.get_by_text(f"{len(clips)} clips", exact=True)).to_be_visible()
    expect(page.get_by_text(f"{len(clips)} of {len(clips)} clips shown have a position")).to_be_visible()
    pictures.take(page, "clips", height=1100)
    braking = [clip for clip in clips if "hard_braking" in clip["triggers"]]
    page.get_by_role("button", name=re.compile("^hard_braking")).first.click()
    expect(page.get_by_label("Filter")).to_have_value("trigger = 'hard_braking'")
    expect(page.get_by_text(f"{len(braking)} clips", exact=True)).to_be_visible()
    page.get_by_role("link", name=re.compile("hard_braking")).first.click()
    expect(page.locator("video").first).to_have_js_property("readyState", 4)


def look_at_volume(page: Page, campaigns: list[dict[str, Any]]) -> None:
    """The bytes of every campaign, and all fires of the demonstration."""
    open_section(page, "Volume and budget")
    table = page.get_by_role("region", name="Bytes by campaign in 7 days")
    for each in campaigns:
        expect(table.get_by_role("row").filter(has_text=each["campaign"])).to_contain_text(str(each["catalogued"]))
    pictures.take(page, "volume", height=690)
    page.get_by_role("link", name="Fires", exact=True).click()
    expect(page.get_by_role("img", name=f"{sum(each['fired'] for each in campaigns)} fires:")).to_be_visible()


def open_section(page: Page, title: str) -> None:
    """Follow the entry of the navigation with this title."""
    page.get_by_role("navigation", name="Main").get_by_role("link", name=title).click()
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
