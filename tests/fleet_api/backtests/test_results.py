"""What is kept of a backtest is made once: its comparison has no more than fires, and its pages read only their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fleet_api.backtests.rules import Moment, Pairing, changed_fires
from storage.backtests import results
from storage.backtests.results import PART
from tests.fleet_api.api_server import Api
from tests.fleet_api.backtests.recorded import add_drives, done, request
from tests.fleet_api.backtests.test_backtests import of_author
from triggers.backtest.versions.matching import Nearness

SECOND = Nearness.within(10**9)


def test_a_comparison_has_no_more_than_triggers_and_fires() -> None:
    triggers, drives = [f"t{number}" for number in range(500)], [f"d{number}" for number in range(500)]
    first = [Moment("t7", "d9", 10**9), Moment("t7", "d3", 10**9)]
    second = [Moment("t7", "d9", 10**9), Moment("t8", "elsewhere", 10**9)]
    changed = changed_fires(dict.fromkeys(triggers, Pairing(SECOND, drives)), first, second)
    with_fires = [
        (each.trigger, each.drive, each.both, each.only_first, each.only_second)
        for each in changed
        if each.drive is not None or each.both or each.only_first or each.only_second
    ]
    assert with_fires == [("t7", None, 1, 1, 0), ("t7", "d3", 0, 1, 0), ("t7", "d9", 1, 0, 0)]
    assert len(changed) == len(triggers) + 2


def test_rates_are_compared_over_the_drives_if_all_fires_are_there() -> None:
    drives = ("a", "b", "c")
    first = [Moment("t", drive, 10**10 * number) for drive in drives for number in range(20)]
    second = [*first, *(Moment("t", drive, 10**10 * number) for drive in drives for number in range(20, 30))]
    total, *of_drives = changed_fires({"t": Pairing(SECOND, drives)}, first, second)
    assert (total.both, total.only_second, total.ratio is not None) == (60, 30, True)
    assert total.ratio is not None and total.ratio.high is not None
    assert total.ratio.estimate == 1.5
    assert 1 < total.ratio.low < 1.5 < total.ratio.high
    assert [each.ratio for each in of_drives] == [None] * 3
    assert changed_fires({"t": Pairing(SECOND, drives)}, first, second, complete=False)[0].ratio is None


def test_pages_of_fires_read_the_parts_that_they_show(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_drives(tmp_path, "b")
    rows = 2 * (2 * PART + 500)
    columns = {"t": np.arange(rows) / 10, "ego.speed": np.where(np.arange(rows) % 2, 12.0, 10.0)}
    pq.write_table(pa.table(columns), tmp_path / "drives/a.parquet")
    fast = "trigger fast { when ego.speed > 40 km/h }"
    backtest_id, page = done(api, request(fast, fast + "\ntrigger slow { when ego.speed < 30 km/h }"))
    path, kept = f"/v1/backtests/{backtest_id}/fires", page["results"][1]["fires"]
    assert kept > 2 * PART
    parsed: list[bytes] = []
    read = results.fires_of

    def watched(*asked: Any) -> Iterator[bytes]:
        for part in read(*asked):
            parsed.append(part)
            yield part

    monkeypatch.setattr(results, "fires_of", watched)
    shown: list[dict[str, Any]] = []
    position: int | None = 0
    while position is not None:
        parsed.clear()
        fires = of_author(api, path, program=1, position=position, limit=700)
        assert len(parsed) <= 2
        shown += fires["fires"]
        position = fires["next"]
    assert [fire["number"] for fire in shown] == list(range(kept))
    assert all(fire["elsewhere"] for fire in shown)
    (last,) = of_author(api, path, program=1, drive="b")["fires"]
    assert (last["number"], last["drive"], last["t_s"]) == (kept - 1, "b", 5.0)
    beyond = of_author(api, path, program=1, position=10**6)
    assert beyond == {"fires": [], "next": None}
