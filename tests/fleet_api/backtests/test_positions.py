"""Backtests of one who sees place cells only: no program reads positions for them, and no signal shows one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.fleet_api.api_server import Api
from tests.fleet_api.backtests.recorded import begun, ended
from tests.fleet_api.backtests.test_backtests import of_author
from tests.fleet_api.clips.positioned import see_cells

CATALOG = """
signals:
  ego.speed: {unit: m/s, rate: 10}
  ego.latitude: {unit: deg, rate: 10}
  ego.longitude: {unit: deg, rate: 10}
position: {latitude: ego.latitude, longitude: ego.longitude}
"""
NEAR = "trigger here { when near(48 deg, 11 deg, 100 m) }"
FAST = "trigger fast { when ego.speed > 40 km/h }"


def over_a_drive(tmp_path: Path, *sources: str) -> dict[str, Any]:
    t = np.arange(100) / 10
    path = tmp_path / "drives/a.parquet"
    path.parent.mkdir(exist_ok=True)
    columns = {"t": t, "ego.speed": t + 9, "ego.latitude": 48 + t / 1000, "ego.longitude": 11 + 0 * t}
    pq.write_table(pa.table(columns), path)
    programs = [{"source": source, "signals": CATALOG} for source in sources]
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
        path = f"/v1/backtests/{backtest_id}/signals"
        shown = of_author(api, path, drive="a", from_ns=0, to_ns=10**9, names=names)
        assert [each["name"] for each in shown["series"]] == (["ego.speed", "ego.latitude"] if sees else ["ego.speed"])
        assert [each["name"] for each in shown["missing"]] == ([] if sees else ["ego.latitude"])
        see_cells(api)
