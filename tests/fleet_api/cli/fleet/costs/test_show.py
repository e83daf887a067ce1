"""`longtail cost show`: what campaigns have cost, as a table, CSV and JSON."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from storage.database import Database
from tests.fleet_api.cli.conftest import Longtail
from tests.fleet_api.statements.calendar import arrive, prepare
from tests.triggers.costs.books import BOOK


def test_costs_are_shown_for_people_and_for_programs(longtail: Longtail, database: Database, tmp_path: Path) -> None:
    book = tmp_path / "prices.yaml"
    book.write_text(BOOK, "utf-8")
    refused = longtail("cost", "show", role="viewer")
    assert (refused.status, refused.out) == (1, "")
    assert "no price book is published; publish one with `longtail cost publish BOOK`" in refused.err
    longtail("cost", "publish", str(book), role="operator")
    prepare(database, "braking", "swerve")
    arrive(database, {"braking": 1000, "swerve": 200}, "2026-01-10T12:00")
    shown = longtail("cost", "show", role="viewer")
    assert "Cost in EUR through " in shown.out
    assert any(line.split()[0] == "braking" and "50.00" in line for line in shown.out.splitlines() if line.strip())
    assert any(line.split()[0] == "total" and "60.00" in line for line in shown.out.splitlines() if line.strip())
    one = longtail("cost", "show", "swerve", role="viewer")
    assert "total" not in one.out and "braking" not in one.out
    document = longtail("cost", "show", "--json", role="viewer").json()
    assert [each["campaign"] for each in document["costs"]] == ["braking", "swerve"]
    assert document["total"]["by_sku"]["transfer:wifi"] == "60"
    rows = list(csv.DictReader(io.StringIO(longtail("cost", "show", "--csv", role="viewer").out)))
    assert [(row["campaign"], row["transfer"], row["clips"]) for row in rows] == [
        ("braking", "50", "1"),
        ("swerve", "10", "1"),
    ]
