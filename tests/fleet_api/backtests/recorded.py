"""Recorded drives in the folder of a deployment under test, a trigger file for them, and backtests over both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.fleet_api.api_server import Api
from tests.support.waiting import wait_for

WITHIN_S = 120.0
CATALOG = """
signals:
  ego.speed: {unit: m/s, rate: 10}
  active.seen: {type: bool, rate: 10}
  shadow.seen: {type: bool, rate: 10}
"""
SOURCE = """
trigger fast { when ego.speed > 40 km/h }
trigger missed { when disagree(seen) for 300 ms }
campaign c { collect fast, missed compare seen budget 1 GB total }
"""
SLOWER = SOURCE.replace("40 km/h", "30 km/h")
"""A lower threshold, above which the drives begin: it never rises."""


def add_drives(data_dir: Path, *names: str) -> None:
    """Drives of 10 s: the speed rises above 40 km/h at 5 s, and the two heads disagree from 5.6 to 6 s."""
    t = np.arange(100) / 10
    columns = {"t": t, "ego.speed": np.where(t < 5, 10.0, 12.0), "active.seen": t > 6, "shadow.seen": t > 5.5}
    for name in names:
        path = data_dir / "drives" / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), path)


def program(source: str = SOURCE, **more: Any) -> dict[str, Any]:
    return {"source": source, "filename": "file.trigger", "signals": CATALOG} | more


def request(*sources: str, drives: tuple[str, ...] = ("a", "b"), **more: Any) -> dict[str, Any]:
    return {"programs": [program(source) for source in sources or (SOURCE,)], "over": {"drives": drives}, **more}


def begun(api: Api, body: dict[str, Any], role: str = "author") -> str:
    answer = api.post("/v1/backtests", body, role)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def ended(api: Api, backtest_id: str, role: str = "author") -> dict[str, Any]:
    """A backtest with its results, once it is over."""

    def page() -> dict[str, Any]:
        answer = api.client.get(f"/v1/backtests/{backtest_id}", headers=api.as_(role))
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def is_over() -> bool:
        return page()["backtest"]["state"] in ("done", "failed")

    wait_for(is_over, within_s=WITHIN_S, what="the end of the backtest")
    return page()


def done(api: Api, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The id and the page of a backtest that has to succeed."""
    backtest_id = begun(api, body)
    page = ended(api, backtest_id)
    assert page["backtest"]["state"] == "done", page["backtest"]
    return backtest_id, page
