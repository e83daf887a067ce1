"""`longtail budget show`: accounts of one campaign and of all."""

from __future__ import annotations

import csv
import json
import re

import pytest
from sqlalchemy import text

from tests.fleet_api.api_server import Api
from tests.fleet_api.budget.test_routes import reserve
from tests.fleet_api.cli.conftest import Longtail
from tests.support.fleet import add_version
from triggers.contracts.campaign import BudgetLimits


def test_accounts_are_shown_in_units_for_people_and_in_full_for_programs(api: Api, longtail: Longtail) -> None:
    reserve(api, "car-1")
    heading, *rows = longtail("budget", "show").out.splitlines()
    assert re.split(" {2,}", heading)[:4] == ["of", "kind", "vehicle", "day or month"]
    assert heading.split()[-5:] == ["limit", "held", "used", "settled", "left"]
    assert [row.split()[:2] for row in rows if "fleet" not in row] == [
        ["braking", "campaign_clips"],
        ["lanes", "campaign_clips"],
        ["braking", "campaign_bytes"],
        ["lanes", "campaign_bytes"],
        ["braking", "campaign_vehicle_day"],
        ["lanes", "campaign_vehicle_day"],
    ]
    (row,) = (row for row in rows if row.startswith("braking") and "campaign_bytes" in row)
    assert re.split(" {2,}", row)[-5:] == ["1.0 kB", "30 B", "3 %", "0 B", "970 B"]
    table = list(csv.DictReader(longtail("budget", "show", "lanes", "--csv").out.splitlines()))
    assert [(each["kind"], each["limit"], each["held"], each["unit"]) for each in table] == [
        ("campaign_clips", "5", "1", "clips"),
        ("campaign_bytes", "", "20", "bytes"),
        ("campaign_vehicle_day", "", "20", "bytes"),
    ]
    accounts = longtail("budget", "show", "lanes", "--json").json()["accounts"]
    assert {account["campaign"] for account in accounts} == {"lanes"}


def test_nothing_used_is_one_remark(api: Api, longtail: Longtail) -> None:
    shown = longtail("budget", "show")
    assert (shown.status, shown.out) == (0, "")
    assert shown.err.startswith("no campaign has a limit")


def test_limits_are_shown_before_the_first_upload(api: Api, longtail: Longtail) -> None:
    reserve(api)
    rows = list(csv.DictReader(longtail("budget", "show", "--csv").out.splitlines()))
    assert [(row["campaign"], row["kind"], row["limit"], row["held"], row["left"]) for row in rows] == [
        ("lanes", "campaign_clips", "5", "0", "5"),
        ("braking", "campaign_bytes", "1000", "0", "1000"),
    ]


def test_the_vehicle_days_that_hold_the_most_are_shown_and_the_others_counted(api: Api, longtail: Longtail) -> None:
    reserve(api, *(f"car-{number}" for number in range(5)))
    shown = longtail("budget", "show", "braking", "--top", "2")
    assert sum("campaign_vehicle_day" in row for row in shown.out.splitlines()) == 2
    assert shown.err.startswith("3 more vehicle-days")
    none = longtail("budget", "show", "braking", "--day", "2020-01-01", "--json").json()
    assert all(account["day"] is None for account in none["accounts"]) and none["capped"] is False


def test_accounts_beyond_one_page_are_shown_and_counted(
    api: Api, longtail: Longtail, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve(api, "car-1", "car-2", "car-3")
    whole = longtail("budget", "show", "--csv").out
    monkeypatch.setattr("fleet_api.client.volume.budget.PAGE", 2)
    assert longtail("budget", "show", "--csv").out == whole
    assert len(longtail("budget", "show", "--json").json()["accounts"]) == 12
    shown = longtail("budget", "show", "--top", "1", "--json")
    assert shown.json()["capped"] is True and shown.err.startswith("5 more vehicle-days")
    monkeypatch.setattr("fleet_api.cli.fleet.budget.MAX_COUNTED", 3)
    assert longtail("budget", "show", "--top", "1").err.startswith("at least 3 more vehicle-days")


def test_a_campaign_that_is_not_there_is_said_in_one_line(longtail: Longtail) -> None:
    shown = longtail("budget", "show", "nothing")
    assert (shown.status, shown.out) == (1, "")
    assert shown.err.startswith("longtail: ") and "nothing" in shown.err and shown.err.count("\n") == 1


def test_a_limit_is_set_with_a_reason_and_says_when_more_is_held(api: Api, longtail: Longtail) -> None:
    reserve(api, "car-1")
    done = longtail("budget", "limit", "braking", "--total", "0.5 kB", "--reason", "the end of the quarter")
    assert done.status == 0
    assert done.out == "campaign_bytes of braking has the limit 500 B; 30 B are held, 0 B of them settled\n"
    done = longtail("budget", "limit", "--fleet", "--month", "10", "--reason", "the end of the quarter")
    assert re.match(r"fleet_month in \d{4}-\d\d has the limit 10 B; 0 B are held", done.out), done.out
    assert "0 B more than the limit" not in done.err and "uploads stop" not in done.err
    longtail("budget", "limit", "--fleet", "--month", "0", "--reason", "stop all")
    gone = longtail("budget", "limit", "--fleet", "--none", "--reason", "all is well")
    assert "fleet has no limit" in gone.out and "has no limit" in gone.out.splitlines()[1]


def test_the_limit_of_a_trigger_is_set_by_its_name_with_its_campaigns(api: Api, longtail: Longtail) -> None:
    with api.database.begin() as connection:
        add_version(connection, "braking", of_triggers={"other": BudgetLimits(total_bytes=1000, clips=9)})
    words = ("--total", "0.5 kB", "--clips", "3", "--reason", "the end of the quarter")
    done = longtail("budget", "limit", "braking.other", *words)
    assert (done.status, done.out.splitlines()) == (
        0,
        [
            "trigger_bytes of braking.other has the limit 500 B; 0 B are held, 0 B of them settled",
            "trigger_clips of braking.other has the limit 3; 0 are held, 0 of them settled",
        ],
    )
    refused = longtail("budget", "limit", "braking.other", "--total", "2 kB", "--reason", "more")
    assert refused.status == 1 and "approved for 1000, and 2000 is more" in refused.err
    gone = longtail("budget", "limit", "braking.other", "--none", "--reason", "all is well")
    assert [" 1.0 kB;" in gone.out, "the limit 9;" in gone.out] == [True, True]


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--fleet"],
        ["braking"],
        ["braking", "--fleet", "--total", "1 B"],
        ["braking", "--month", "1 B"],
        ["braking.other", "--month", "1 B"],
        ["--cost-centre", "maps", "--total", "1 B"],
        ["--fleet", "--clips", "3"],
        ["--fleet", "--none", "--total", "1 B"],
        ["--fleet", "--total", "1.5"],
        ["--fleet", "--total", "-1 B"],
        ["--fleet", "--total", "1 XB"],
    ],
)
def test_what_is_no_limit_is_wrong_usage(api: Api, longtail: Longtail, words: list[str]) -> None:
    assert longtail("budget", "limit", *words, "--reason", "r").status == 2


def test_the_audit_says_that_all_agrees_or_what_does_not(api: Api, longtail: Longtail) -> None:
    reserve(api, "car-1", "car-2")
    good = longtail("budget", "audit")
    assert good.status == 0 and good.out.startswith("all agree to the byte: "), good.out
    assert "2 uploads" in good.out
    with api.database.begin() as connection:
        connection.execute(text("UPDATE ledger_accounts SET held = held + 1 WHERE kind = 'fleet'"))
    bad = longtail("budget", "audit")
    assert bad.status == 1 and "fleet has" in bad.out and "1 differences" in bad.err
    assert json.loads(longtail("budget", "audit", "--json").out)["differences"]
