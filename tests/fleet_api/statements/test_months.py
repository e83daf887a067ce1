"""Months of costs close for good: in order, with all of their entries, and with corrections in the month after."""

from __future__ import annotations

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from fleet_api.costs.focus import COLUMNS
from storage.costs import months
from storage.erasure import vehicles
from tests.fleet_api.api_server import Api
from tests.fleet_api.statements.calendar import arrive, erase, prepare
from tests.triggers.costs.books import BOOK
from triggers.errors import Conflict

pytestmark = pytest.mark.integration
DEARER = BOOK.replace("wifi: 0.05", "wifi: 0.06")


@pytest.fixture
def fleet(api: Api) -> Api:
    prepare(api.database, "braking", "swerve")
    api.change_settings(cost_provider="Cloud Ltd", cost_account="Fleet 1")
    publish(api)
    arrive(api.database, {"braking": 10}, "2026-01-05T12:00")
    arrive(api.database, {"braking": 3, "swerve": 1}, "2026-02-05T12:00")
    return api


def publish(api: Api, book: str = BOOK) -> None:
    assert api.post("/v1/price-books", {"prices": book}, "operator").is_success


def close(api: Api, month: str) -> Response:
    return api.post(f"/v1/costs/months/{month}/close", {}, "operator")


def closed(api: Api, *months: str) -> None:
    for month in months:
        answer = close(api, month)
        assert answer.status_code == 201, answer.text


def statement(api: Api, month: str, **parameters: Any) -> Any:
    answer = api.get(f"/v1/costs/months/{month}", **parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def lines(document: Any) -> list[tuple[str, str, str, bool]]:
    return [(each["campaign"], each["sku"], each["amount"], each["is_correction"]) for each in document["entries"]]


def test_a_month_closes_with_what_each_campaign_was_charged_for_in_it(fleet: Api) -> None:
    draft = statement(fleet, "2026-01")
    assert (draft["closed_at"], draft["closed_by"]) == (None, None)
    answer = close(fleet, "2026-01")
    assert answer.status_code == 201
    january = answer.json()
    assert (january["month"], january["currency"], january["entries"]) == ("2026-01", "EUR", 3)
    assert (january["price_book"], january["zone"], january["closed_by"]) == (1, "UTC", "operator-user")
    document = statement(fleet, "2026-01")
    assert lines(document) == [
        ("braking", "requests:write", "0.000005", False),
        ("braking", "storage:hot", "0.182903225799", False),
        ("braking", "transfer:wifi", "0.5", False),
    ]
    assert document["entries"] == draft["entries"]
    assert document["amount"] == january["amount"] == str(sum(Decimal(line[2]) for line in lines(document)))
    hot = document["entries"][1]
    assert (hot["start"], hot["end"]) == ("2026-01-01", "2026-01-31")
    assert (hot["unit"], hot["unit_price"]) == ("B-Months", "0.021")


def test_months_are_closed_once_in_order_and_after_they_are_over(fleet: Api) -> None:
    refused = close(fleet, "2026-02")
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "2026-02 cannot be closed first: there are costs since 2026-01",
    )
    early = close(fleet, "2016-01")
    assert (early.status_code, early.json()["detail"]) == (
        409,
        "2016-01 cannot be closed first: nothing has cost anything by its end",
    )
    closed(fleet, "2026-01")
    assert close(fleet, "2026-01").json()["detail"] == "2026-01 is closed, as all months through 2026-01 are"
    assert close(fleet, "2026-03").json()["detail"] == "2026-03 cannot be closed before 2026-02"
    assert [close(fleet, month).status_code for month in ("2026-13", "9999-12", "0001-01")] == [422, 422, 422]
    assert fleet.as_client("viewer").costs.months().next_open == "2026-02"


def test_the_running_month_and_its_days_of_grace_are_kept_open_by_the_databases_clock(fleet: Api) -> None:
    with fleet.database.begin() as connection:
        month = connection.execute(text("SELECT to_char(now(), 'YYYY-MM')")).scalar_one()
        last = connection.execute(text("SELECT to_char(now() - interval '1 month', 'YYYY-MM')")).scalar_one()
        day = connection.execute(text("SELECT extract(day FROM now())")).scalar_one()
    refused = close(fleet, month)
    assert (refused.status_code, refused.json()["detail"].startswith(f"{month} is not over")) == (409, True)
    fleet.change_settings(cost_grace_days=int(day))
    refused = close(fleet, last)
    assert refused.status_code == 409
    assert refused.json()["detail"].startswith(f"{last} is not over, and vehicles may report until {int(day)} days")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE closed_months SET amount = 0",
        "DELETE FROM cost_entries",
        "UPDATE cost_entries SET quantity = quantity + 1",
        "INSERT INTO cost_entries SELECT month, 99, campaign, service, item, start, until, unit_price, quantity, tags "
        "FROM cost_entries LIMIT 1",
    ],
)
def test_nothing_can_change_a_closed_month(fleet: Api, change: str) -> None:
    closed(fleet, "2026-01")
    with pytest.raises(IntegrityError, match="never changed"), fleet.database.engine.begin() as connection:
        connection.execute(text(change))


def test_what_is_learnt_later_is_corrected_in_the_month_that_is_open_then(fleet: Api) -> None:
    closed(fleet, "2026-01")
    before = statement(fleet, "2026-01")
    publish(fleet, DEARER)
    arrive(fleet.database, {"swerve": 2}, "2026-01-31T12:00")  # written while the month was closed
    closed(fleet, "2026-02")
    assert statement(fleet, "2026-01") == before
    corrections = [line for line in lines(statement(fleet, "2026-02")) if line[3]]
    assert corrections == [
        ("braking", "transfer:wifi", "-0.5", True),
        ("braking", "transfer:wifi", "0.6", True),
        ("swerve", "requests:write", "0.000005", True),
        ("swerve", "storage:hot", "0.001354838709", True),
        ("swerve", "transfer:wifi", "0.12", True),
    ]
    closed(fleet, "2026-03")
    assert not any(line[3] for line in lines(statement(fleet, "2026-03")))
    assert {each.price_book for each in fleet.as_client("viewer").costs.months().months} == {1, 2}


def test_the_open_statement_shows_the_corrections_that_are_due_once(fleet: Api) -> None:
    closed(fleet, "2026-01")
    publish(fleet, DEARER)
    assert [line[3] for line in lines(statement(fleet, "2026-02"))].count(True) == 2
    assert [line[3] for line in lines(statement(fleet, "2026-03"))].count(True) == 0


def test_all_statements_together_are_the_cost_to_date(fleet: Api) -> None:
    closed(fleet, "2026-01")
    publish(fleet, DEARER)
    through = fleet.get("/v1/costs").json()
    months, month = [], "2026-01"
    while month <= through["through"][:7]:
        months.append(month)
        year, number = divmod(int(month[:4]) * 12 + int(month[5:]), 12)
        month = f"{year:04d}-{number + 1:02d}"
    amounts = [Decimal(statement(fleet, each)["amount"]) for each in months]
    assert sum(amounts) == Decimal(through["total"]["amount"])


def test_erasing_clips_and_vehicles_corrects_nothing(fleet: Api) -> None:
    clip = arrive(fleet.database, {"swerve": 5}, "2026-01-10T12:00")
    closed(fleet, "2026-01")
    erase(fleet.database, clip, "2026-02-10T12:00")
    answer = fleet.client.delete("/v1/vehicles/car-1", headers=fleet.as_("operator"), params={"reason": "sold"})
    assert answer.is_success
    with fleet.database.begin() as connection:
        while vehicles.go_on(connection) is not None:
            pass
    assert not any(line[3] for line in lines(statement(fleet, "2026-02")))


def test_a_month_is_not_closed_in_another_zone_than_those_before_it(fleet: Api) -> None:
    fleet.change_settings(cost_zone="Europe/Berlin")
    closed(fleet, "2026-01")
    fleet.change_settings(cost_zone="UTC")
    for refused in (close(fleet, "2026-02"), fleet.get("/v1/costs/months/2026-02")):
        assert (refused.status_code, refused.json()["detail"]) == (
            409,
            "months so far were closed in the time zone Europe/Berlin, and the account's is UTC now",
        )
    assert statement(fleet, "2026-01")["zone"] == "Europe/Berlin"


def test_one_of_two_who_close_a_month_at_once_does(fleet: Api) -> None:
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: close(fleet, "2026-01"), range(2)))
    assert sorted(answer.status_code for answer in answers) == [201, 409]


def test_nobody_waits_for_somebody_else_who_is_closing_a_month(fleet: Api) -> None:
    with fleet.database.begin() as connection:
        assert months.try_lock(connection)
        refused = close(fleet, "2026-01")
    assert (refused.status_code, refused.json()["detail"]) == (409, "somebody else is closing a month")
    closed(fleet, "2026-01")


def test_a_month_without_costs_is_closed_without_entries(fleet: Api) -> None:
    with fleet.database.begin() as connection:
        connection.execute(text("DELETE FROM clip_fires"))
        connection.execute(text("DELETE FROM ledger_entries"))
    refused = close(fleet, "2026-01")
    assert refused.json()["detail"] == "2026-01 cannot be closed first: nothing has cost anything by its end"
    arrive(fleet.database, {"braking": 1}, "2026-01-05T12:00", ends="failed")
    closed(fleet, "2026-01")
    answer = close(fleet, "2026-02")
    assert (answer.status_code, answer.json()["amount"], answer.json()["entries"]) == (201, "0", 0)
    assert statement(fleet, "2026-02")["entries"] == []
    of_february = {"from": "2026-02", "through": "2026-02"}
    assert fleet.get("/v1/costs/focus", **of_february).text == ",".join(COLUMNS) + "\n"


def test_without_a_price_book_nothing_is_closed(api: Api) -> None:
    refused = close(api, "2026-01")
    assert (refused.status_code, refused.json()["detail"]) == (409, "there are no prices: no price book is published")


def test_there_is_no_statement_of_a_month_that_has_not_begun_or_was_before_the_first(fleet: Api) -> None:
    closed(fleet, "2026-01")
    assert fleet.get("/v1/costs/months/9998-12").status_code == 404
    before = fleet.get("/v1/costs/months/2025-12")
    assert (before.status_code, before.json()["detail"]) == (404, "there is no statement of 2025-12")
    assert fleet.get("/v1/costs/months/soon").status_code == 422


def test_entries_are_listed_page_by_page(fleet: Api) -> None:
    for month in ("2026-01", "2026-02"):
        first = statement(fleet, month, limit=2)
        second = statement(fleet, month, limit=2, after=first["next"])
        whole = statement(fleet, month)
        assert [*first["entries"], *second["entries"]] == whole["entries"][:4]
        assert (first["count"], whole["next"]) == (len(whole["entries"]), None)
        closed(fleet, month)
    assert [each.number for each in fleet.as_client("viewer").costs.statement("2026-02").entries] == list(
        range(1, statement(fleet, "2026-02")["count"] + 1)
    )


def test_closing_is_in_the_audit_log(fleet: Api) -> None:
    closed(fleet, "2026-01")
    (entry,) = [each for each in fleet.as_client("admin").audit.list() if each.action == "month.close"]
    assert (entry.kind, entry.object, entry.user_name) == ("month", "2026-01", "operator-user")
    assert entry.after is not None
    assert (entry.after["entries"], entry.after["price_book"]) == (3, 1)


def test_closed_months_leave_as_focus_with_all_that_they_had_when_they_were_closed(fleet: Api) -> None:
    fleet.as_client("admin").campaigns.assign("braking", cost_centre="4711")
    closed(fleet, "2026-01", "2026-02")
    fleet.change_settings(cost_provider="Another", cost_account="Fleet 2")
    fleet.as_client("admin").campaigns.assign("braking", cost_centre="4712")
    answer = fleet.get("/v1/costs/focus")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert tuple(rows[0]) == COLUMNS
    assert {(row["BillingAccountName"], row["ProviderName"], row["InvoiceIssuerName"]) for row in rows} == {
        ("Fleet 1", "Cloud Ltd", "Cloud Ltd")
    }
    assert {(row["SubAccountId"], row["Tags"]) for row in rows} == {
        ("braking", '{"cost_centre": "4711", "owner": "ann"}'),
        ("swerve", '{"owner": "ann"}'),
    }
    months = fleet.as_client("viewer").costs.months().months
    assert sum(Decimal(row["BilledCost"]) for row in rows) == sum(Decimal(each.amount) for each in months)
    (february,) = [fleet.get("/v1/costs/focus", **{"from": "2026-02", "through": "2026-02"}).text]
    assert {row["BillingPeriodStart"] for row in csv.DictReader(io.StringIO(february))} == {"2026-02-01T00:00:00Z"}


def test_only_closed_months_are_exported(fleet: Api) -> None:
    refused = fleet.get("/v1/costs/focus")
    assert (refused.status_code, refused.json()["detail"]) == (404, "no month is closed")
    closed(fleet, "2026-01")
    refused = fleet.get("/v1/costs/focus", through="2026-02")
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "2026-02 is not closed, so its entries may still change",
    )
    refused = fleet.get("/v1/costs/focus", **{"from": "2026-02", "through": "2026-01"})
    assert (refused.status_code, refused.json()["detail"]) == (409, "2026-01 is before 2026-02")
    with pytest.raises(Conflict, match="2026-02 is not closed"):
        list(fleet.as_client("viewer").costs.focus("2026-01", "2026-02"))
    whole = b"".join(fleet.as_client("viewer").costs.focus())
    assert whole.decode() == fleet.get("/v1/costs/focus").text
