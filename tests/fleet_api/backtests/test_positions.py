"""Backtests of one who sees place cells only: no program reads positions for them, and no signal shows one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.fleet_api.api_server import Api
from tests.fleet_api.backtests.recorded import begun, done, ended
from tests.fleet_api.backtests.test_backtests import of_author
from tests.fleet_api.clips.positioned import see_cells

CATALOG = """
signals:
  ego.speed: {unit: m/s, rate: 10}
  ego.latitude: {unit: deg, rate: 10}
  ego.longitude: {unit: deg, rate: 10}
position: {latitude: ego.latitude, longitude: ego.longitude}
"""
RENAMED = """
signals:
  ego.speed: {unit: m/s, rate: 10}
  car.a: {unit: deg, rate: 10, column: ego.latitude}
  car.b: {unit: deg, rate: 10, column: where}
position: {latitude: car.a, longitude: car.b}
"""
NEAR = "trigger here { when near(48 deg, 11 deg, 100 m) }"
FAST = "trigger fast { when ego.speed > 40 km/h }"


def over_a_drive(tmp_path: Path, *sources: str, signals: str = CATALOG) -> dict[str, Any]:
    t = np.arange(100) / 10
    path = tmp_path / "drives/a.parquet"
    path.parent.mkdir(exist_ok=True)
    columns = {"t": t, "ego.speed": t + 9, "ego.latitude": 48 + t / 1000, "ego.longitude": 11 + 0 * t}
    columns["where"] = columns["ego.longitude"]
    pq.write_table(pa.table(columns), path)
    programs = [{"source": source, "signals": signals} for source in sources]
    return {"programs": programs, "over": {"drives": ["a"]}}


def test_a_program_that_reads_a_position_is_refused_to_who_sees_none(api: Api, tmp_path: Path) -> None:
    body = over_a_drive(tmp_path, FAST, NEAR)
    assert ended(api, begun(api, body))["backtest"]["state"] == "done"
    see_cells(api)
    backtest = ended(api, begun(api, body))["backtest"]
    assert (backtest["state"], backtest["program"]) == ("failed", 1)
    assert "you see place cells only" in backtest["reason"]


def test_no_signal_shows_a_position_to_who_sees_none(api: Api, tmp_path: Path) -> None:
    names = "ego.speed,ego.latitude"
    for sees in (True, False):
        backtest_id = begun(api, over_a_drive(tmp_path, FAST))
        assert ended(api, backtest_id)["backtest"]["state"] == "done"
        shown = signals_of(api, backtest_id, names=names)
        assert [each["name"] for each in shown["series"]] == (["ego.speed", "ego.latitude"] if sees else ["ego.speed"])
        assert [each["name"] for each in shown["missing"]] == ([] if sees else ["ego.latitude"])
        see_cells(api)


READS = {
    "near": (NEAR, RENAMED),
    "by its column": ("trigger north { when car.a > 48 deg }", RENAMED.partition("position")[0]),
    "by one of its columns": (
        "trigger north { when car.a > 48 deg }",
        RENAMED.partition("position")[0].replace("column: ego.latitude", "columns: [gnss, ego.latitude]"),
    ),
    "by a derived signal": (
        "trigger north { when car.c > 48 deg }",
        RENAMED.partition("position")[0] + "  car.c: {unit: deg, derived: car.a}\n",
    ),
    "by the catalog's position": ("trigger east { when car.b > 11 deg }", RENAMED),
}


@pytest.mark.parametrize("reads", READS)
def test_another_name_makes_no_position_harmless(api: Api, tmp_path: Path, reads: str) -> None:
    source, signals = READS[reads]
    see_cells(api)
    backtest = ended(api, begun(api, over_a_drive(tmp_path, source, signals=signals)))["backtest"]
    assert backtest["state"] == "failed" and "you see place cells only" in backtest["reason"]


def test_signals_are_withheld_by_their_columns_and_the_catalogs_position(api: Api, tmp_path: Path) -> None:
    see_cells(api)
    shown = signals_of(api, done(api, over_a_drive(tmp_path, FAST, signals=RENAMED))[0], names="car.a,ego.speed,car.b")
    assert [each["name"] for each in shown["series"]] == ["ego.speed"]
    assert [each["name"] for each in shown["missing"]] == ["car.a", "car.b"]


def test_positions_are_shown_no_longer_when_the_right_is_withdrawn(api: Api, tmp_path: Path) -> None:
    fast, _ = done(api, over_a_drive(tmp_path, FAST, signals=RENAMED))
    near, _ = done(api, over_a_drive(tmp_path, NEAR))
    assert len(signals_of(api, fast, names="ego.speed,car.a")["series"]) == 2
    see_cells(api)
    assert [each["name"] for each in signals_of(api, fast, names="ego.speed,car.a")["series"]] == ["ego.speed"]
    path = f"/v1/backtests/{near}/signals"
    answer = api.client.get(path, headers=api.as_("author"), params={"drive": "a", "from_ns": 0, "to_ns": 10**9})
    assert answer.status_code == 403 and "you see place cells only" in answer.text


def signals_of(api: Api, backtest_id: str, *, names: str) -> dict[str, Any]:
    path = f"/v1/backtests/{backtest_id}/signals"
    return of_author(api, path, drive="a", from_ns=0, to_ns=10**9, names=names)
