"""Somebody looks for a clip in the browser: by a filter, by facets, on the map, as a table; and what goes wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.fleet_api.api_server import Api
from tests.fleet_api.console.visitor import NARROW, Visitor
from tests.storage.clips.catalog_support import SECOND_NS, T_NS, add_clip
from tests.support.waiting import wait_for

pytestmark = pytest.mark.integration
CLIPS = 60
"""More than one page of the list."""
RECORDS_TEXTS = """
    window.drawn = [];
    window.inks = new Set();
    const write = CanvasRenderingContext2D.prototype.fillText;
    CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
        drawn.push(text);
        inks.add(this.fillStyle);
        write.call(this, text, ...rest);
    };
"""
"""Keeps all texts that are drawn into canvases, such as the ticks of charts, and the colours that they have there."""
INK_OF_TEXTS = """() => {
    const probe = document.body.appendChild(document.createElement("span"));
    probe.style.color = "CanvasText";
    const pen = document.createElement("canvas").getContext("2d");
    pen.fillStyle = getComputedStyle(probe).color;
    probe.remove();
    return pen.fillStyle;
}"""
"""The colour of texts that somebody has chosen for all pages, as canvases write it."""


@pytest.fixture(scope="module")
def clips(api: Api) -> list[str]:
    """Clips of two campaigns at two places, the first of them fast."""
    made = []
    with api.database.begin() as connection:
        for number in range(CLIPS):
            is_fast = number == 0
            made.append(
                add_clip(
                    connection,
                    start_ns=T_NS + number * 3600 * SECOND_NS,
                    fired=[("braking", "hard_brake") if number % 2 else ("lanes", "cut_in")],
                    statistics={"ego.speed": (0.0, 40.0 if is_fast else 10.0, 5.0)},
                    units={"ego.speed": "m/s"},
                    box=(11.0 + number / 100, 48.0, 11.005 + number / 100, 48.004),
                )
            )
    return made


@pytest.fixture
def page(visitor: Visitor, clips: list[str]) -> Page:
    return visitor.open("/clips")


def test_an_empty_catalog_says_where_clips_come_from(visitor: Visitor) -> None:
    page = visitor.open("/clips")
    expect(page.get_by_role("heading", name="There are no clips yet")).to_be_visible()
    visitor.require_accessible()


def test_a_clip_is_found_by_a_filter_with_a_unit_and_then_by_its_address(page: Page, visitor: Visitor) -> None:
    expect(counted(page, CLIPS)).to_be_visible()
    field = page.get_by_label("Filter")
    field.fill("trigger = 'cut_in' AND ego.speed.max > 100 km/h")
    expect(counted(page, 1)).to_be_visible()
    expect(cards(page)).to_have_count(1)
    shared = page.url
    assert "filter=trigger" in shared
    page.goto(shared)
    expect(cards(page)).to_have_count(1)
    expect(page.get_by_label("Filter")).to_have_value("trigger = 'cut_in' AND ego.speed.max > 100 km/h")


def test_a_facet_and_a_part_of_the_chart_are_added_to_the_filter_by_keyboard_and_taken_out_again(page: Page) -> None:
    value = page.get_by_role("button", name=re.compile("^braking"))
    value.click()
    expect(page.get_by_label("Filter")).to_have_value("campaign = 'braking'")
    expect(counted(page, CLIPS // 2)).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^lanes"))).to_have_count(0)
    value.click()
    expect(page.get_by_label("Filter")).to_have_value("")
    expect(counted(page, CLIPS)).to_be_visible()
    part = page.get_by_text("Choose a part of it")
    part.press("Enter")
    page.get_by_label("until the end of").press("ArrowDown")
    page.get_by_role("button", name="Show this part").press("Enter")
    expect(page.get_by_label("Filter")).to_have_value(re.compile("^recorded >= .+ AND recorded < "))
    expect(cards(page).first).to_be_visible()
    expect(counted(page, CLIPS)).to_have_count(0)
    page.get_by_role("button", name="Show all times").press("Enter")
    expect(page.get_by_label("Filter")).to_have_value("")


def test_names_are_offered_and_taken_by_keyboard(page: Page) -> None:
    field = page.get_by_label("Filter")
    field.press_sequentially("duratio")
    offered = page.get_by_role("option", name="duration_s")
    expect(offered).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(field).to_have_attribute("aria-activedescendant", re.compile("."))
    page.keyboard.press("Escape")
    expect(offered).to_have_count(0)
    assert field.get_attribute("aria-activedescendant") is None, "what is not there cannot be the active one"
    page.keyboard.press("ArrowDown")
    expect(offered).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(field).to_have_value("duration_s")
    page.keyboard.press("End")
    field.press_sequentially(" > 100")
    expect(page.get_by_role("heading", name="No clip matches the filter")).to_be_visible()


def test_a_name_that_is_taken_in_the_middle_of_a_word_replaces_all_of_it(page: Page) -> None:
    field = page.get_by_label("Filter")
    field.fill("ego.speed.max > 1")
    field.press("Home")
    for _ in "ego.speed.m":
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.get_by_role("option", name="ego.speed.min").click()
    expect(field).to_have_value("ego.speed.min > 1")
    page.keyboard.type("_")
    expect(field).to_have_value("ego.speed.min_ > 1")


def test_a_mistake_is_told_with_its_place_and_nothing_typed_is_lost(page: Page, visitor: Visitor) -> None:
    field = page.get_by_label("Filter")
    field.fill("state = 'ready' AND campain = 'x'")
    expect(page.get_by_text("no property 'campain'")).to_be_visible()
    page.get_by_role("button", name="Show the place").click()
    assert (
        page.evaluate(
            "getSelection().toString() || document.activeElement.value.slice("
            "document.activeElement.selectionStart, document.activeElement.selectionEnd)"
        )
        == "campain"
    )
    visitor.require_accessible(schemes=("light",))
    expect(field).to_have_value("state = 'ready' AND campain = 'x'")


def test_what_was_found_stays_while_one_types_and_goes_under_a_mistake(page: Page) -> None:
    page.get_by_role("button", name="Show more").click()
    expect(cards(page)).to_have_count(CLIPS)
    page.locator(".map").evaluate("element => { element.isKept = true; }")
    field = page.get_by_label("Filter")
    field.fill("state = 'ready' AND campaign = 'braking'")
    expect(counted(page, CLIPS // 2)).to_be_visible()
    expect(cards(page)).to_have_count(CLIPS // 2)
    assert page.locator(".map").evaluate("element => element.isKept"), "the map is not made again for each key"
    field.fill("")
    page.get_by_role("button", name="Show more").click()
    expect(cards(page)).to_have_count(CLIPS)
    field.fill("campain = 'x'")
    expect(page.get_by_text("no property 'campain'")).to_be_visible()
    expect(cards(page)).to_have_count(0)
    expect(counted(page, CLIPS)).to_have_count(0)


def test_what_is_typed_last_does_not_change_the_address_of_another_page(page: Page, visitor: Visitor) -> None:
    page.clock.install()
    page.evaluate("""() => {
        const field = document.getElementById("clip-filter");
        field.value = "state = 'ready'";
        field.dispatchEvent(new InputEvent("input", { bubbles: true }));
        document.querySelector("nav a[href$='/campaigns']").click();
    }""")
    expect(visitor.heading("Campaigns")).to_be_visible()
    page.clock.fast_forward(5000)
    expect(page).to_have_url(re.compile(r"/campaigns$"))


def test_the_list_goes_on_and_a_table_has_the_columns_that_were_chosen(page: Page) -> None:
    expect(cards(page)).to_have_count(48)
    page.get_by_role("button", name="Show more").press("Enter")
    expect(cards(page)).to_have_count(CLIPS)
    expect(page.get_by_text("There are no more clips.")).to_be_focused()  # the button has gone
    page.get_by_role("button", name="Show a table").click()
    page.get_by_text("Columns", exact=True).click()
    page.get_by_label("Tags").check()
    page.get_by_label("Size").uncheck()
    expect(page.get_by_role("columnheader", name="Tags")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Size")).to_have_count(0)
    assert "columns=" in page.url
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as CSV").last.click()
    assert Path(saved.value.path()).read_text().splitlines()[0].endswith("labels,tags")


def test_ticks_of_counts_are_at_whole_numbers(visitor: Visitor, clips: list[str]) -> None:
    def in_lumps(route: Route) -> None:
        """Four clips in every second bar, so that a tick at 2.5 would fit."""
        answer = route.fetch()
        spread = answer.json()
        (over_time,) = (facet for facet in spread["facets"] if facet["property"] == "recorded")
        for number, value in enumerate(over_time["bins"]):
            value["clips"] = 4 * (number % 2)
        route.fulfill(response=answer, json=spread)

    visitor.context.add_init_script(RECORDS_TEXTS)
    visitor.page.route("**/v1/clips/facets?**", in_lumps)
    page = visitor.open("/clips")

    def numbers() -> set[str]:
        return {text for text in page.evaluate("window.drawn") if re.fullmatch(r"[\d.,]+", text)}

    wait_for(lambda: {"0", "2", "4"} <= numbers(), within_s=60, what="the ticks of the chart")
    assert all(number.isdigit() for number in numbers()), numbers()  # half of a clip is nothing


def test_ticks_have_the_colour_that_somebody_has_chosen_for_texts(visitor: Visitor, clips: list[str]) -> None:
    visitor.context.add_init_script(RECORDS_TEXTS)
    visitor.page.emulate_media(forced_colors="active", color_scheme="dark")
    page = visitor.open("/clips")
    wait_for(lambda: page.evaluate("window.drawn.length") > 0, within_s=60, what="the ticks of the chart")
    assert page.evaluate("[...window.inks]") == [page.evaluate(INK_OF_TEXTS)]


def test_on_paper_there_are_values_and_counts_and_nothing_to_press(visitor: Visitor, clips: list[str]) -> None:
    page = visitor.open("/clips?view=table")
    value = page.locator("button").filter(has_text=re.compile(r"^\s*braking\s*30\s*$"))
    expect(value).to_be_visible()
    page.emulate_media(media="print")
    expect(value).to_be_visible()
    expect(page.get_by_role("columnheader", name="Vehicle")).to_be_visible()
    expect(page.get_by_text("48 rows", exact=True)).to_be_visible()
    expect(page.get_by_text("Save as CSV").first).to_be_hidden()
    expect(page.get_by_text("Show cards")).to_be_hidden()


def test_the_first_view_of_the_map_has_the_clips_and_little_else(page: Page) -> None:
    expect(page.get_by_text("48 of 48 clips shown have a position; lines are 0.05° apart")).to_be_visible()
    page.get_by_label("Filter").fill("ego.speed.max > 100 km/h")
    expect(page.get_by_text("1 of 1 clip shown has a position; lines are 0.002° apart")).to_be_visible()
    expect(page.get_by_text("All were recorded at about the same time.")).to_be_visible()  # in the place of the chart


def test_the_map_shows_where_clips_were_and_searches_within_its_view(page: Page, visitor: Visitor) -> None:
    expect(page.get_by_text("48 of 48 clips shown have a position")).to_be_visible()
    expect(page.get_by_role("region", name="Where clips were").locator("[data-drawn]")).to_have_attribute(
        "data-drawn", "true"
    )
    page.get_by_role("button", name="Search within this view").click()
    expect(page.get_by_label("Filter")).to_have_value(re.compile(r"^S_INTERSECTS\(geometry, BBOX\(1"))
    expect(page.get_by_text(re.compile(r"^\d+ clips$"))).to_be_visible()
    visitor.require_accessible()


def test_a_lost_connection_is_told_and_what_was_there_stays(page: Page, visitor: Visitor) -> None:
    expect(cards(page)).to_have_count(48)
    visitor.expect_errors("net::ERR_FAILED")
    page.route("**/v1/filter*", lambda route: route.abort())
    page.get_by_label("Filter").fill("state = 'ready'")
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    page.unroute("**/v1/filter*")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_label("Filter")).to_have_value("state = 'ready'")


def test_without_the_code_that_draws_charts_and_maps_the_page_says_so(visitor: Visitor, clips: list[str]) -> None:
    visitor.expect_errors("net::ERR_FAILED")
    visitor.page.route(re.compile(r"/assets/(uPlot|maplibre-gl).*\.js"), lambda route: route.abort())
    page = visitor.open("/clips")
    expect(page.get_by_text("The chart could not be drawn")).to_be_visible()
    expect(page.get_by_text("The map could not be loaded")).to_be_visible()
    expect(cards(page)).to_have_count(48)


def test_pictures_that_cannot_be_had_leave_the_clip_in_the_list(visitor: Visitor, clips: list[str]) -> None:
    def with_pictures(route: Route) -> None:
        answer = route.fetch()
        found = answer.json()
        for item in found["features"]:
            item["assets"] = {"thumbnail": {"href": "/objects/clips/none", "roles": ["thumbnail"]}}
        route.fulfill(response=answer, json=found)

    visitor.expect_errors("Failed to load resource")
    visitor.page.route("**/stac/search", with_pictures)
    page = visitor.open("/clips")
    expect(cards(page)).to_have_count(48)
    expect(page.get_by_text("no picture").first).to_be_visible()


def test_nothing_moves_under_the_pointer_when_counts_come_after_the_clips(visitor: Visitor, clips: list[str]) -> None:
    held = visitor.hold("**/v1/clips/facets?**")
    page = visitor.open("/clips")
    expect(cards(page)).to_have_count(48)
    expect(page.get_by_text("48 of 48 clips shown have a position; lines are")).to_be_visible()
    visitor.wait_for_held(held)
    before = cards(page).first.bounding_box()
    held.pop().continue_()
    expect(page.get_by_text("Table of clips over time")).to_be_visible()
    assert cards(page).first.bounding_box() == before


def test_facets_are_above_the_clips_on_a_narrow_screen_folded_away(visitor: Visitor, clips: list[str]) -> None:
    visitor.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    page = visitor.open("/clips")
    expect(counted(page, CLIPS)).to_be_in_viewport()
    unfold = page.get_by_text("Facets: narrow it down by values")
    expect(unfold).to_be_in_viewport()
    value = page.get_by_role("button", name=re.compile("^braking"))
    expect(value).to_be_hidden()
    unfold.click()
    value.click()
    expect(page.get_by_label("Filter")).to_have_value("campaign = 'braking'")
    expect(counted(page, CLIPS // 2)).to_be_visible()
    expect(value).to_be_visible()
    visitor.require_accessible(schemes=("light",))


def test_going_back_just_after_typing_shows_what_was_there(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^braking")).click()
    expect(counted(page, CLIPS // 2)).to_be_visible()
    page.clock.install()
    page.evaluate("""() => {
        const field = document.getElementById("clip-filter");
        field.value += " AND state = 'ready'";
        field.dispatchEvent(new InputEvent("input", { bubbles: true }));
        history.back();
    }""")
    expect(page.get_by_label("Filter")).to_have_value("")
    page.clock.fast_forward(5000)
    expect(page).to_have_url(re.compile("/clips$"))


def test_who_comes_back_from_a_clip_is_where_they_were(page: Page) -> None:
    expect(page.get_by_text("Table of clips over time")).to_be_visible()
    expect(page.get_by_text("48 of 48 clips shown have a position; lines are")).to_be_visible()
    last = cards(page).last
    last.focus()
    left = page.evaluate("window.scrollY")
    assert left > 0
    last.press("Enter")
    expect(page.get_by_role("heading", name=re.compile("^Clip "), level=1)).to_be_visible()
    assert page.evaluate("window.scrollY") == 0
    is_there = "left => Math.abs(window.scrollY - left) <= 1"
    page.go_back()
    page.wait_for_function(is_there, arg=left)
    page.reload()
    expect(cards(page)).to_have_count(48)
    page.wait_for_function(is_there, arg=left)


def test_it_fits_a_narrow_screen(visitor: Visitor, clips: list[str]) -> None:
    visitor.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    for path in ("/clips", "/clips?view=table"):
        page = visitor.open(path)
        expect(counted(page, CLIPS)).to_be_visible()
        visitor.require_no_sideways_scrolling()


def counted(page: Page, clips: int) -> Locator:
    """What says how many clips match; the map says of how many of those shown it knows the position."""
    return page.get_by_text(f"{clips} clips" if clips != 1 else "1 clip", exact=True)


def cards(page: Page) -> Locator:
    return page.get_by_role("main").get_by_role("link", name=re.compile("cut_in|hard_brake"))
