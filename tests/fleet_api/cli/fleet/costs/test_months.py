"""`longtail cost months`, `close`, `statement` and `export`."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from fleet_api.costs.focus import COLUMNS
from storage.database import Database
from tests.fleet_api.cli.conftest import Longtail
from tests.fleet_api.statements.calendar import arrive, prepare
from tests.triggers.costs.books import BOOK


@pytest.fixture
def billed(longtail: Longtail, database: Database, tmp_path: Path) -> Longtail:
    """A deployment with a clip of 1 TB in January."""
    book = tmp_path / "prices.yaml"
    book.write_text(BOOK, "utf-8")
    longtail("cost", "publish", str(book), role="operator")
    prepare(database, "braking")
    arrive(database, {"braking": 1000}, "2026-01-10T12:00")
    return longtail


def test_a_month_is_looked_at_closed_and_exported(billed: Longtail, tmp_path: Path) -> None:
    assert "no month is closed" in billed("cost", "months", role="viewer").err
    before = billed("cost", "statement", "2026-01", role="viewer")
    assert "2026-01 in EUR (UTC), open: its entries may still change" in before.out
    shown = billed("cost", "close", "2026-01", role="operator")
    assert shown.out == "2026-01 is closed with 3 entries: 64.903230806455 EUR\n"
    after = billed("cost", "statement", "2026-01", role="viewer")
    assert "closed by operator-user" in after.out and "together 64.90 EUR, by version 1" in after.err
    assert "2026-02 is the next to be closed" in billed("cost", "months", role="viewer").err
    focus = tmp_path / "focus.csv"
    billed("cost", "export", "--format", "focus", "-o", str(focus), role="viewer")
    with focus.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [row["SkuId"] for row in rows] == ["requests:write", "storage:hot", "transfer:wifi"]
    printed = billed("cost", "export", "--from", "2026-01", "--through", "2026-01", role="viewer")
    assert printed.out == focus.read_text("utf-8")


def test_programs_get_json_and_csv(billed: Longtail) -> None:
    closed = billed("cost", "close", "2026-01", "--json", role="operator").json()
    assert (closed["month"], closed["amount"]) == ("2026-01", "64.903230806455")
    assert [each["month"] for each in billed("cost", "months", "--json", role="viewer").json()] == ["2026-01"]
    document = billed("cost", "statement", "2026-01", "--json", role="viewer").json()
    rows = list(csv.DictReader(io.StringIO(billed("cost", "statement", "2026-01", "--csv", role="viewer").out)))
    assert [row["amount"] for row in rows] == [each["amount"] for each in document["entries"]]


def test_what_cannot_be_closed_or_exported_is_told(billed: Longtail, tmp_path: Path) -> None:
    refused = billed("cost", "close", "2026-02", role="operator")
    assert (refused.status, "2026-01 is next" in refused.err) == (1, True)
    assert "viewer-user" in billed("cost", "close", "2026-01", role="viewer").err
    focus = tmp_path / "focus.csv"
    refused = billed("cost", "export", "-o", str(focus), role="viewer")
    assert (refused.status, "no month is closed" in refused.err, focus.exists()) == (1, True, False)
    assert billed("cost", "statement", "soon", role="viewer").status == 1
