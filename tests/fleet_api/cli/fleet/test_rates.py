"""`longtail rates`: for people in one cell per estimate, for programs in full."""

from __future__ import annotations

import csv
import re

import pytest

from tests.fleet_api.api_server import Api
from tests.fleet_api.cli.conftest import Longtail
from tests.fleet_api.rates.test_routes import COMPARING, drive, matching
from tests.storage.rates.rates_support import enrol_all

__all__ = ("matching",)


@pytest.fixture
def counted(api: Api) -> Api:
    api.activate(COMPARING)
    enrol_all(api.database, *(f"car-{number}" for number in range(10)))
    drive(api, "3.2.0", 100, 40, differ=10)
    drive(api, "3.2.1", 200, 42, differ=10)
    return api


def cells(line: str) -> list[str]:
    return re.split(" {2,}", line.strip())


def test_rates_are_shown_with_their_intervals(counted: Api, longtail: Longtail) -> None:
    heading, row = longtail("rates", "show", "braking").out.splitlines()
    assert cells(heading) == [
        "campaign",
        "version",
        "trigger",
        "vehicles",
        "fires",
        "per hour",
        "at any time",
        "per 1,000 km",
        "trend",
    ]
    assert cells(row)[:5] == ["braking", "1", "hard_brake", "10", "425"]
    assert re.fullmatch(r"0\.212 \(0\.\d+ to 0\.\d+\)", cells(row)[5])
    table = list(csv.DictReader(longtail("rates", "show", "braking", "--software", "stack", "--csv").out.splitlines()))
    assert [(each["software"], each["fires"]) for each in table] == [("3.2.0", "405"), ("3.2.1", "20")]
    assert float(table[0]["per_hour.low"]) < float(table[0]["per_hour.mean"]) == 0.405
    assert longtail("rates", "show", "braking", "--json").json()[0]["per_hour"]["mean"] == pytest.approx(0.2125)
    none = longtail("rates", "show")
    assert (none.out, none.status) == ("", 0) and "no vehicle has reported" in none.err


def test_a_change_is_named(counted: Api, longtail: Longtail) -> None:
    shown = longtail("rates", "compare", "braking", "3.2.0", "3.2.1", "--software", "stack")
    (row,) = (line for line in shown.out.splitlines() if line.startswith("hard_brake"))
    assert cells(row)[-1] == "fell"
    assert "no change" not in shown.err
    document = longtail("rates", "compare", "braking", "3.2.0", "3.2.1", "--software", "stack", "--json").json()
    assert document["triggers"][0]["change"] == "fell"
    wrong = longtail("rates", "compare", "braking", "3.2.0", "9", "--software", "stack")
    assert wrong.status == 1 and "there are: 3.2.0, 3.2.1" in wrong.err


def test_heads_are_shown_by_software(counted: Api, longtail: Longtail) -> None:
    shown = longtail("rates", "heads", "braking", "--software", "stack").out.splitlines()
    assert [cells(row)[:2] for row in shown[1:]] == [["cut_in.detected", "3.2.0"], ["cut_in.detected", "3.2.1"]]
    assert "0.01 %" in shown[1] and " 0 % (" in shown[2]


def test_events_are_shown_per_1000_km_and_by_software(matching: Api, longtail: Longtail) -> None:
    shown = longtail("rates", "events", "braking").out.splitlines()
    row = next(cells(line) for line in shown if "active and shadow" in line)
    assert row[:2] == ["cut_in.detected", "active and shadow"]
    assert re.fullmatch(r"20 \(\d[\d.]* to \d[\d.]*\)", row[4]), row
    assert row[-1] == "5.33 %"
    table = csv.DictReader(longtail("rates", "events", "braking", "--software", "stack", "--csv").out.splitlines())
    alone = {each["software"]: each for each in table if each["sides"] == "active_shadow"}
    assert {stack: each["only_second"] for stack, each in alone.items()} == {"1": "10", "2": "390"}
    assert float(alone["2"]["only_second_per_1000km.low"]) < 78 < float(alone["2"]["only_second_per_1000km.high"])
    document = longtail("rates", "events", "braking", "--json").json()
    assert [each["driver"] for each in document] == ["active.lane.valid", None, "active.lane.valid"]
    changes = longtail("rates", "compare", "braking", "1", "2", "--software", "stack").out
    (line,) = (line for line in changes.splitlines() if line.startswith("cut_in.detected: shadow alone (active)"))
    assert cells(line)[-1] == "rose"
