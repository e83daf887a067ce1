"""Who answers for the bill: from an empty deployment to a limit that was lowered for a reason; and limits refused."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from storage.database import Database
from tests.fleet_api.console.journeys.conftest import Fleet
from tests.fleet_api.console.visitor import Visitor
from tests.ingest.steward.forecasts.forecasts_support import keep_forecasts

pytestmark = pytest.mark.integration
REASON = "the invoice of November is too high"


def test_from_an_empty_deployment_to_a_lower_limit_and_limits_that_are_refused(visitor: Visitor, fleet: Fleet) -> None:
    page = visitor.open("/budget", role="approver")
    bytes_come_in(page, fleet)
    the_burn_down_is_read(page, fleet)
    the_limit_is_lowered(page, fleet)
    more_than_was_approved_is_refused(page)
    visitor.context.clear_cookies()
    visitor.open("/budget?tab=budgets", role="author")
    no_limit_of_others_is_offered(page)
    visitor.context.clear_cookies()
    visitor.open("/budget?tab=budgets", role="viewer")
    no_limit_of_others_is_offered(page)
    visitor.context.clear_cookies()
    visitor.open("/budget?tab=budgets", role="approver")
    the_limit_is_taken_away(page)


def bytes_come_in(page: Page, fleet: Fleet) -> None:
    """Nothing at first; then as many bytes as the vehicles sent, also by network."""
    expect(page.get_by_role("heading", name="No bytes came in this period")).to_be_visible()
    fleet.start("emergencies")
    assert all(result.uploaded_bytes > 100_000 for result in fleet.drive("car"))
    page.reload()
    row = (
        page.get_by_role("region", name="Bytes by campaign in 7 days").get_by_role("row").filter(has_text="emergencies")
    )
    expect(row).to_contain_text("100 %")
    page.get_by_label("By", exact=True).select_option("network")
    table = page.get_by_role("region", name="Bytes by network in 7 days")
    expect(table.get_by_role("row").filter(has_text="wifi")).to_contain_text("100 %")


def the_burn_down_is_read(page: Page, fleet: Fleet) -> None:
    """What is spent of the limit, and until when it lasts, as the steward forecasts it now and then."""
    database = Database(fleet.deployment.settings.require_database_url(), pool_size=1)
    assert keep_forecasts(database) == 1
    database.close()
    page.get_by_role("link", name="Budgets", exact=True).click()
    page.reload()
    expect(page.get_by_text("kB spent of 1.0 GB")).to_contain_text("limit reached: 20")


def the_limit_is_lowered(page: Page, fleet: Fleet) -> None:
    """At once, for a reason that the audit log keeps."""
    dialog = ask_for(page, "1.2 kB")
    dialog.get_by_label("Reason").fill(REASON)
    dialog.get_by_role("button", name="Set limit").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("The limit is set.")).to_be_visible()
    expect(budget(page)).to_contain_text("1.2 kB")
    with fleet.client("admin") as admin:
        (entry,) = [each for each in admin.audit.list() if each.action == "budget.limit"]
    assert (entry.user_name, entry.reason) == ("approver-user", REASON)


def more_than_was_approved_is_refused(page: Page) -> None:
    dialog = ask_for(page, "2 GB")
    dialog.get_by_label("Reason").fill("more")
    dialog.get_by_role("button", name="Set limit").click()
    expect(dialog.get_by_role("alert")).to_contain_text("approved as a new version")
    expect(dialog.get_by_label("Reason")).to_have_value("more")
    expect(dialog.get_by_label("New limit")).to_have_value("2 GB")
    dialog.get_by_label("New limit").fill("")
    dialog.get_by_role("button", name="Set limit").click()
    expect(dialog.get_by_label("New limit")).to_have_js_property("validity.valueMissing", True)
    dialog.get_by_label("New limit").fill("much")
    dialog.get_by_role("button", name="Set limit").click()
    expect(dialog.get_by_label("New limit")).to_have_js_property("validity.customError", True)
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)


def no_limit_of_others_is_offered(page: Page) -> None:
    """Neither to viewers nor to an author whose campaign it is not."""
    expect(budget(page)).to_contain_text("1.2 kB")
    expect(page.get_by_role("button", name=re.compile("^Set limit"))).to_have_count(0)


def the_limit_is_taken_away(page: Page) -> None:
    """By saying so, and what was approved applies again."""
    dialog = ask_for(page, "")
    dialog.get_by_label("No limit of its own").check()
    expect(dialog.get_by_text("what was approved still applies")).to_be_visible()
    dialog.get_by_label("Reason").fill("the invoice of November was another's")
    dialog.get_by_role("button", name="Set limit").click()
    expect(dialog).to_have_count(0)
    expect(budget(page)).to_contain_text("1.0 GB")


def budget(page: Page) -> Locator:
    """The row of the campaign's bytes."""
    rows = page.get_by_role("region", name="Budgets and what is used of them").get_by_role("row")
    return rows.filter(has_text="emergencies").filter(has_text="campaign, bytes")


def ask_for(page: Page, limit: str) -> Locator:
    """The dialog with this limit typed."""
    budget(page).get_by_role("button", name="Set limit of emergencies in bytes").click()
    dialog = page.get_by_role("dialog", name="Limit of emergencies in bytes")
    dialog.get_by_label("New limit").fill(limit)
    return dialog
