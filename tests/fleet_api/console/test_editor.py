"""An author writes a campaign in the browser: mistakes at their place, completion, format, drafts, saving; two authors
of one campaign; and what goes wrong."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.fleet_api.api_server import SIGNALS, Api, campaign_text
from tests.fleet_api.console.visitor import NARROW, PASTE, WIDE, Visitor
from tests.support.waiting import wait_for
from triggers.language.text.formatter import format_source

pytestmark = pytest.mark.integration
KEPT = "text => Object.values(localStorage).some(kept => kept.includes(JSON.stringify(text)))"
WRITTEN = """trigger fast {
when ego.sped > 30 km/h for 2 s
capture 2 s before, 2 s after
}
campaign speeding {
collect fast
budget 1 GB total
}
"""


@pytest.fixture(scope="module", autouse=True)
def catalog(api: Api) -> None:
    """The deployment's signal catalog, so that nobody has to bring one."""
    published = api.post("/v1/signal-catalogs", {"name": "fleet", "signals": SIGNALS}, "operator")
    assert published.status_code == 201, published.text


def text_of(page: Page) -> Locator:
    """Where the text is typed."""
    return page.get_by_role("textbox", name="Trigger file")


def findings(page: Page) -> Locator:
    return page.get_by_role("region", name="Findings")


def write(page: Page, text: str) -> None:
    """Put a text in place of all that is there."""
    text_of(page).press("ControlOrMeta+a")
    text_of(page).evaluate(PASTE, text)
    wait_for_lines(page, text)


def wait_for_lines(page: Page, text: str) -> None:
    wait_for(lambda: lines(page) == text, within_s=60, what=f"the text {text!r}")


def lines(page: Page) -> str:
    """The text as it is shown."""
    return "\n".join(text_of(page).locator(".cm-line").all_text_contents())


def test_a_campaign_is_written_with_its_mistakes_told_completed_formatted_kept_and_saved(
    api: Api, visitor: Visitor
) -> None:
    loaded: list[str] = []
    visitor.page.on("request", lambda request: loaded.append(request.url))
    page = visitor.open("/campaigns", role="author")
    page.get_by_role("link", name="New campaign").hover()
    assert not any("/Edit-" in url for url in loaded), "CodeMirror is loaded by the editor's page alone"
    page.get_by_role("link", name="New campaign").click()
    expect(page.get_by_label("Signal catalog")).to_have_value("fleet@1")
    assert any("/Edit-" in url for url in loaded)
    write(page, WRITTEN)
    finding = findings(page).get_by_role("listitem").filter(has_text="ego.sped")
    expect(finding).to_contain_text("line 2, column 6")
    expect(finding).to_contain_text("ego.speed")
    expect(page.locator(".cm-lintRange-error").first).to_have_text("ego.sped")
    visitor.require_accessible()

    finding.get_by_role("button").press("Enter")
    expect(text_of(page)).to_be_focused()
    for _ in "ego.sped":
        page.keyboard.press("Delete")
    page.keyboard.type("speed")
    option = page.get_by_role("option", name=re.compile("ego.speed"))
    expect(option).to_contain_text("number, m/s, 50 Hz")
    option.click()
    expect(findings(page).get_by_role("heading")).to_contain_text("No mistakes")
    right = WRITTEN.replace("ego.sped", "ego.speed")
    wait_for_lines(page, right)

    facts = page.get_by_role("region", name="Cost and settings")
    expect(facts).to_contain_text(re.compile(r"speeding: \d+ operations per tick"))
    expect(facts).to_contain_text("1 GB (1,000,000,000 bytes)")
    page.locator(".cm-line span", has_text="ego.speed").hover()
    expect(page.locator(".cm-explanation")).to_contain_text("number, m/s, 50 Hz")
    expect(page.locator(".cm-explanation")).to_contain_text("operations per tick")

    page.get_by_text("Add to the campaign speeding").click()
    page.get_by_role("button", name="priority").click()
    right = right.removesuffix("}\n") + "    priority 50\n}\n"
    wait_for_lines(page, right)
    page.keyboard.press("Shift+Alt+f")
    formatted = format_source(right, filename="a").text
    assert formatted is not None
    wait_for_lines(page, formatted)

    page.wait_for_function(KEPT, arg=formatted)
    page.close()
    page = visitor.page = visitor.context.new_page()
    page.goto("/console/campaigns/new-campaign")
    expect(page.get_by_text(re.compile(r"Your draft of .* was kept"))).to_be_visible()
    assert lines(page) == formatted

    page.get_by_role("button", name="Save as a draft").click()
    expect(page.get_by_text("Saved as version 1, a draft.")).to_be_visible()
    assert page.url.endswith("/console/campaigns/speeding/edit")
    version = api.get("/v1/campaigns/speeding/1").json()
    assert (version["state"], version["source"], version["review"]["catalogs"]) == ("draft", formatted, ["fleet@1"])
    expect(page.get_by_role("link", name="The campaign's page").first).to_have_attribute(
        "href", "/console/campaigns/speeding"
    )
    page.goto("/console/campaigns/new-campaign")
    expect(text_of(page)).to_contain_text("my_trigger")

    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    visitor.require_no_sideways_scrolling()
    visitor.require_accessible(schemes=("light",))


def test_a_name_that_is_taken_in_the_middle_of_a_word_replaces_all_of_it(visitor: Visitor) -> None:
    page = visitor.open("/campaigns/new-campaign", role="author")
    text = "trigger fast { when ego.sp > 3 m/s for 2 s }\n"
    write(page, text)
    expect(findings(page)).to_contain_text("ego.sp")  # by then the names are known, too
    text_of(page).press("ControlOrMeta+Home")
    for _ in "trigger fast { when eg":
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Control+Space")
    page.get_by_role("option", name=re.compile("ego.speed")).click()
    wait_for_lines(page, text.replace("ego.sp ", "ego.speed "))


def test_a_word_that_is_completed_before_another_leaves_it(visitor: Visitor) -> None:
    page = visitor.open("/campaigns/new-campaign", role="author")
    text = "trigger fast { when ego.sp > 3 m/s for 2 s }\n"
    write(page, text)
    expect(findings(page)).to_contain_text("ego.sp")  # by then the names are known, too
    text_of(page).press("ControlOrMeta+Home")
    for _ in "trigger fast { when ":
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Control+Space")
    page.get_by_role("option", name=re.compile("^not")).click()
    wait_for_lines(page, text.replace("when ", "when not "))


def test_a_let_tells_its_type_its_unit_its_value_and_what_all_of_it_costs(visitor: Visitor) -> None:
    page = visitor.open("/campaigns/new-campaign", role="author")
    write(page, "let change = delta(ego.speed over 1 s)\ntrigger falls { when change < -4 m/s }\n")
    expect(page.get_by_role("region", name="Cost and settings")).to_contain_text("operations per tick")
    page.locator(".cm-line span", has_text="change").last.hover()
    told = page.locator(".cm-explanation")
    expect(told).to_contain_text("let: number, m/s")
    expect(told).to_contain_text("= delta(ego.speed over 1 s)")
    expect(told).to_contain_text(
        re.compile(r"\d operations per tick, [\d,]+ bytes of state, with all that it stands on")
    )


def test_what_is_no_text_or_too_large_is_not_inserted_and_the_page_says_so(visitor: Visitor) -> None:
    page = visitor.open("/campaigns/new-campaign", role="author")
    text_of(page).click()
    before = lines(page)
    for pasted, says in (
        ("\x7fELF\x00\x01\x02", "This is not text: it has 4 characters such as U+007F"),
        ("x" * 10**6, "larger than 1 MB"),
    ):
        text_of(page).evaluate(PASTE, pasted)
        expect(page.get_by_text(says)).to_be_visible()
        assert lines(page) == before
    large = "".join(f"trigger t{number} {{\n    when ego.speed > {number} km/h\n}}\n\n" for number in range(500))
    text_of(page).press("ControlOrMeta+a")
    text_of(page).evaluate(PASTE, large + "tigger")
    expect(page.get_by_text("larger than 1 MB")).to_have_count(0)
    expect(findings(page)).to_contain_text("line 2001, column 1")


def test_two_who_edit_one_campaign_do_not_overwrite_each_other_and_nothing_typed_is_lost(
    api: Api, visitor: Visitor
) -> None:
    assert api.apply(campaign_text(), draft=True).status_code == 201
    page = visitor.open("/campaigns/braking/edit", role="author")
    expect(text_of(page)).to_contain_text("campaign braking")
    mine, theirs = campaign_text('describe "mine"'), campaign_text('describe "theirs"')
    write(page, mine)
    other = api.as_client("admin").campaigns.apply(theirs, SIGNALS, based_on=1, draft=True)
    assert other.version == 2
    page.keyboard.press("ControlOrMeta+s")
    conflict = page.get_by_role("region", name="Another version")
    expect(conflict).to_contain_text("admin-user applied version 2")
    difference = conflict.get_by_role("region", name="From version 2 to your text")
    expect(difference).to_contain_text('removed    describe "theirs"')
    expect(difference).to_contain_text('added    describe "mine"')
    expect(conflict.get_by_text("The signal catalog is the same in both: fleet@1.")).to_be_visible()
    other_signals = SIGNALS.replace("ego.speed: {unit: m/s, rate: 50}", "ego.speed: {unit: m/s, rate: 20}")
    assert api.post("/v1/signal-catalogs", {"name": "slow", "signals": other_signals}, "operator").status_code == 201
    page.reload()
    page.get_by_label("Signal catalog", exact=True).select_option("slow@1")
    page.get_by_role("button", name="Save as a draft").click()
    expect(conflict.get_by_role("heading", name=re.compile(r"Signal catalog: fleet@1 .*, slow@1 "))).to_be_visible()
    catalogs = conflict.get_by_role("region", name="From the signal catalog of version 2 to yours")
    expect(catalogs).to_contain_text("removed  ego.speed: {unit: m/s, rate: 50}")
    expect(catalogs).to_contain_text("added  ego.speed: {unit: m/s, rate: 20}")
    visitor.require_accessible()
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    visitor.require_no_sideways_scrolling()
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]

    conflict.get_by_role("button", name="Go on with version 2").click()
    expect(text_of(page)).to_be_focused()
    expect(text_of(page)).to_contain_text('describe "theirs"')
    text_of(page).press("ControlOrMeta+z")
    expect(text_of(page)).to_contain_text('describe "mine"')

    visitor.expect_errors("net::ERR_FAILED")
    page.route("**/v1/campaigns", lambda route: route.abort())
    page.get_by_role("button", name="Save as a draft").click()
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    page.unroute("**/v1/campaigns")
    visitor.context.clear_cookies()
    page.get_by_role("button", name="Try again").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    dialog.get_by_label("API token").fill(api.as_("author")["Authorization"].removeprefix("Bearer "))
    dialog.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("Saved as version 3, a draft.")).to_be_visible()
    assert api.get("/v1/campaigns/braking/3").json()["source"] == mine
    assert [each["version"] for each in api.get("/v1/campaigns/braking").json()["versions"]] == [3, 2, 1]

    page.goto("/console/campaigns/braking/edit?from=1")
    expect(page.get_by_text("begun from version 1; the newest is 3")).to_be_visible()
    wait_for_lines(page, campaign_text())
    write(page, campaign_text('describe "again"'))
    page.get_by_role("button", name="Save as a draft").click()
    expect(page.get_by_text("Saved as version 4, a draft.")).to_be_visible()
    expect(page.get_by_text("based on version 4")).to_be_visible()
    page.wait_for_url("**/campaigns/braking/edit")
    own = page.get_by_role("option", name="one of my own")
    expect(own).to_have_count(0)  # the API would refuse it
    api.change_settings(author_catalogs=True)
    page.reload()
    wait_for_lines(page, campaign_text('describe "again"'))

    expect(own).to_have_count(1)
    visitor.expect_errors("422")  # of a catalog that is not written to its end
    page.get_by_label("Signal catalog", exact=True).select_option("one of my own")
    typed = page.get_by_label("Signal catalog as YAML")
    typed.press_sequentially("signals")
    expect(typed).to_have_value("signals")
    file = page.get_by_label("Open a file")
    for changed in ("", "# changed\n"):
        typed.fill(changed)
        file.set_input_files({"name": "own.yaml", "mimeType": "text/yaml", "buffer": SIGNALS.encode()})
        expect(typed).to_have_value(SIGNALS)
    expect(typed).to_be_visible()
