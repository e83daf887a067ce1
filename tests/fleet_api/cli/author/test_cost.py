"""`longtail cost` as people and scripts call it: price books are checked, and a backtest's plan has a cost."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fleet_api.cli.main import main
from tests.support.paths import REPOSITORY

BOOK = str(REPOSITORY / "examples/prices.yaml")
REPORT = Path(__file__).with_name("backtest_report.json")


def plan(*options: str, report: Path | str = REPORT) -> list[str]:
    return ["cost", "plan", str(report), "--prices", BOOK, "--start", "2026-01-01", *options]


def test_check_shows_every_price_with_its_days(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cost", "check", BOOK]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["Prices", "in", "EUR"] in lines
    assert ["2026-01-01", "to", "2026-12-31", "from", "2027-01-01"] in lines
    assert ["cellular,", "per", "GB", "0.90", "0.80"] in lines
    assert ["archive,", "stays", "60", "months", "until", "erased"] in lines


def test_check_tells_every_mistake_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    book = tmp_path / "prices.yaml"
    book.write_text(Path(BOOK).read_text("utf-8").replace("0.05", "-0.05").replace("3 months", "soon"), "utf-8")
    assert main(["cost", "check", str(book)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"{book}:6: prices.0.transfer_per_gb.wifi: '-0.05' is negative; a price is 0 or more" in captured.err
    assert f"{book}:9: prices.0.storage.hot.stays: soon is not a time to stay" in captured.err


def test_plan_shows_what_a_backtest_costs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(plan()) == 0
    captured = capsys.readouterr()
    assert "1000 vehicles, 2026-01-01 to 2026-01-30, wifi, in EUR" in captured.out
    rows = {line.split()[0]: line.split()[1:] for line in captured.out.splitlines() if line.strip()}
    # 533,963,636 bytes per day for 30 days at 0.05 per GB
    assert rows["transfer:wifi"] == ["0.08", "0.80", "6.32"]
    assert rows["total"] == ["15.22", "144.59", "1,138.95"]
    assert "the last of it falls due in 2031-04" in captured.err


def test_plan_gives_programs_exact_amounts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(plan("--days", "1", "--cellular", "--retain", "40", "--json")) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (document["currency"], document["start"], document["end"]) == ("EUR", "2026-01-01", "2026-01-01")
    assert (document["network"], document["vehicles"]) == ("cellular", 1000)
    assert Decimal(document["by_sku"]["transfer:cellular"]["mean"]) == Decimal("0.533963636") * Decimal("0.90")
    for parts in ("by_sku", "by_month"):
        summed = sum(Decimal(each["mean"]) for each in document[parts].values())
        assert summed == Decimal(document["total"]["mean"])
    assert list(document["by_month"]) == ["2026-01", "2026-02"]


def test_plan_says_when_the_book_does_not_say_how_long_clips_are_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cost", "plan", str(REPORT), "--prices", BOOK, "--start", "2027-01-01"]) == 1
    assert "give the last tier, archive, its `stays`, or the campaign its retention" in capsys.readouterr().err
    assert main(["cost", "plan", str(REPORT), "--prices", BOOK, "--start", "2027-01-01", "--retain", "400"]) == 0


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("9999-12-31", "a plan from 9999-12-31 on: its first day must be 2999-12-31 or earlier"),
        ("3000-01-01", "its first day must be 2999-12-31 or earlier"),
        ("1000-01-01", "the price book has no prices for 1000-01-01"),
    ],
)
def test_plan_says_of_which_days_it_can_be(start: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    long = ["--days", "2", "--retain", "36500"]
    assert main(["cost", "plan", str(REPORT), "--prices", BOOK, "--start", start, *long]) == 1
    assert said in capsys.readouterr().err
    assert main(["cost", "plan", str(REPORT), "--prices", BOOK, "--start", "2999-12-31", *long]) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"forecast": {}},
        {"forecast": []},
        {"forecast": "none"},
        {"forecast": {"vehicles": 0}},
        {"forecast": {"bytes_per_fleet_day": {"mean": 1, "low": 2, "high": 3}}},
        {"forecast": {"bytes_per_fleet_day": {"mean": 1, "low": -1, "high": 3}}},
        {"forecast": {"bytes_per_fleet_day": {"mean": 1, "low": 0, "high": None}}},
        {"forecast": {"clips_per_fleet_day": 5}},
    ],
)
def test_plan_refuses_what_is_no_report(
    change: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads(REPORT.read_text("utf-8"))
    forecast = change["forecast"]
    document["forecast"] = document["forecast"] | forecast if forecast and isinstance(forecast, dict) else forecast
    path = tmp_path / "report.json"
    path.write_text(json.dumps(document), "utf-8")
    assert main(plan(report=path)) == 1
    assert f"{path} is not the report of a backtest with a forecast for a fleet" in capsys.readouterr().err


def test_plan_says_that_a_backtest_over_clips_has_no_forecast(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps({"forecast": None}), "utf-8")
    assert main(plan(report=path)) == 1
    assert "this backtest has no forecast" in capsys.readouterr().err
