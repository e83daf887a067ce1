"""Time and fires by speed, place and hour, against rows that are looked at one by one."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from triggers.backtest.evidence.circumstances import (
    HOUR,
    PLACE,
    SPEED,
    SPEED_BOUNDS_KM_H,
    UNKNOWN,
    breakdown_of,
    speed_names,
)
from triggers.backtest.plan import make_plan
from triggers.backtest.result import DriveResult
from triggers.backtest.run import run
from triggers.clips.place_cells import cell_at
from triggers.drives.drive import Drive
from triggers.language.compile import compile_source
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S

CATALOG = SignalCatalog.parse(
    "max_gap: 2\nsignals:\n  x: {rate: 10}\n  ego.speed: {unit: km/h, rate: 10}\n  lat: {unit: deg, rate: 1}\n"
    "  lon: {unit: deg, rate: 1}\nposition: {latitude: lat, longitude: lon}\n",
    name="c",
)
PLAN = make_plan(compile_source("trigger a { when x > 0.5 }", filename="t", catalog=CATALOG))
START_NS = 1_790_000_000_000_000_000
SECOND = NS_PER_S


def results(*drives: Drive, breakdown: bool = True) -> list[DriveResult]:
    found = run(PLAN, drives, CATALOG, lambda _bytes: None, breakdown=breakdown)
    assert not found.failures
    return found.drives


def written(path: Path, start_ns: int | None = None, batch_rows: int | None = None, **columns: Any) -> Drive:
    table = pa.table(columns)
    if start_ns is not None:
        table = table.replace_schema_metadata({"longtail.start_ns": str(start_ns)})
    pq.write_table(table, path)
    return Drive(path, batch_rows=batch_rows)


def random_columns(rng: np.random.Generator, rows: int) -> dict[str, Any]:
    """Steps of some tenths of a second, gaps, silence of some seconds, implausible speeds and positions."""
    t = 100 + np.round(np.cumsum(rng.choice([0.1, 0.3, 1.0, 2.5], rows, p=[0.5, 0.3, 0.15, 0.05])), 1)
    speed = rng.choice([0.0, 0.5, 20.0, -40.0, 65.0, 129.9, 250.0, math.nan, math.inf], rows)
    speed[rng.integers(0, rows) :][:60] = math.nan
    lat, lon = 48 + rng.integers(0, 3, rows) / 20, rng.choice([-179.99, 11.5, 11.6, 179.99], rows)
    lat[rng.random(rows) < 0.7] = math.nan
    lat[rng.random(rows) < 0.05] = 91
    lat[: rng.integers(0, 50)] = math.nan
    return {"t": t, "x": (rng.random(rows) < 0.1).astype(float), "ego.speed": speed, "lat": lat, "lon": lon}


def row_by_row(columns: dict[str, Any], start_ns: int | None) -> tuple[list[dict[str, Any]], list[int]]:
    """What each row says, and how long it lasts; hours of rows before the first position by its longitude."""
    t_ns = [round(t * 10) * SECOND // 10 for t in columns["t"].tolist()]
    speeds, lats, lons = (columns[name].tolist() for name in ("ego.speed", "lat", "lon"))
    positions = [n for n in range(len(t_ns)) if abs(lats[n]) <= 90]
    said, lasts, segment, speed_at, place_at = [], [], 0, None, None
    for n, moment in enumerate(t_ns):
        if n and moment - t_ns[n - 1] > 2 * SECOND:
            segment = n
        speed_at = n if not math.isnan(speeds[n]) else speed_at
        place_at = n if abs(lats[n]) <= 90 else place_at
        code: dict[str, Any] = dict.fromkeys((SPEED, PLACE, HOUR), UNKNOWN)
        if speed_at is not None and speed_at >= segment and moment - t_ns[speed_at] <= 10 * SECOND:
            metres = abs(speeds[speed_at]) / 3.6
            code[SPEED] = sum(metres >= bound / 3.6 for bound in SPEED_BOUNDS_KM_H) if metres <= 1000 else UNKNOWN
        if place_at is not None and place_at >= segment and moment - t_ns[place_at] <= 10 * SECOND:
            code[PLACE] = cell_at(round(lats[place_at], 3), round(lons[place_at], 3))
        if start_ns is not None:
            longitude = lons[positions[0] if place_at is None else place_at] if positions else 0.0
            code[HOUR] = math.floor(((moment + start_ns) / (3600 * SECOND) + longitude / 15) % 24)
        said.append(code)
        lasts.append(t_ns[n + 1] - moment if n + 1 < len(t_ns) and t_ns[n + 1] - moment <= 2 * SECOND else 0)
    return said, lasts


@pytest.mark.parametrize("seed", range(6))
def test_time_and_fires_are_those_of_rows_one_by_one(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    columns = random_columns(rng, 1500)
    start_ns = START_NS if seed % 3 else None
    drive = written(tmp_path / "d.parquet", start_ns, 1024 if seed % 2 else None, **columns)
    (result,) = results(drive)
    found = result.circumstances
    assert found is not None
    said, lasts = row_by_row(columns, start_ns)
    t_ns = [round(t * 10) * SECOND // 10 for t in columns["t"].tolist()]
    for kind in (SPEED, PLACE, HOUR):
        time: Counter[Any] = Counter()
        for code, ns in zip(said, lasts, strict=True):
            time[code[kind]] += ns
        assert dict(found.time_ns[kind]) == {code: ns for code, ns in time.items() if ns}
        assert sum(found.time_ns[kind].values()) == result.recorded_ns
        rows = np.searchsorted(t_ns, result.fires_ns["a"], side="right") - 1
        assert dict(found.fires["a"][kind]) == Counter(said[row][kind] for row in rows.tolist())


def test_without_the_option_nothing_is_measured(tmp_path: Path) -> None:
    drive = written(tmp_path / "d.parquet", **random_columns(np.random.default_rng(1), 100))
    found = results(drive, breakdown=False)
    assert found[0].circumstances is None and breakdown_of(["a"], found) is None


def test_unix_time_of_the_drive_itself_gives_the_hour_and_utc_where_there_is_no_position(tmp_path: Path) -> None:
    t = START_NS / SECOND + np.arange(100) / 10
    bare = {"t": t, "x": np.zeros(100)}
    placed = bare | {"lat": np.full(100, 48.0), "lon": np.full(100, 30.0)}
    utc, solar = results(written(tmp_path / "a.parquet", **bare), written(tmp_path / "b.parquet", **placed))
    assert utc.circumstances is not None and solar.circumstances is not None
    hour = START_NS // (3600 * SECOND) % 24
    assert list(utc.circumstances.time_ns[HOUR]) == [hour]
    assert list(solar.circumstances.time_ns[HOUR]) == [(hour + 2) % 24]
    report = breakdown_of(["a"], [utc, solar])
    assert report is not None and report.utc_hours == pytest.approx(9.9 / 3600)


def test_rates_of_bins_are_fires_per_hour_driven_so(tmp_path: Path) -> None:
    t = np.arange(7200) / 2
    speed = np.where(t < 1800, 20.0, 60.0)
    x = np.zeros(len(t))
    x[[100, 200, 5000]] = 1
    drives = [written(tmp_path / f"{name}.parquet", t=t, x=x, **{"ego.speed": speed}) for name in "ab"]
    report = breakdown_of(["a"], results(*drives))
    assert report is not None
    slow, fast = report.triggers["a"].speed
    assert (slow.bin, slow.fires, slow.hours) == ("1 to 30 km/h", 4, pytest.approx(1))
    assert (fast.bin, fast.fires, fast.hours) == ("50 to 70 km/h", 2, pytest.approx(1, rel=1e-3))
    assert slow.per_hour is not None and slow.per_hour.mean == pytest.approx(4)
    assert slow.per_hour.low < 4 < slow.per_hour.high
    (place,), (hour,) = report.triggers["a"].place, report.triggers["a"].hour
    assert (place.bin, hour.bin, place.fires, hour.fires) == ("unknown", "unknown", 6, 6)


def test_every_code_of_a_speed_has_a_name() -> None:
    assert len(speed_names()) == len(SPEED_BOUNDS_KM_H) + 1
