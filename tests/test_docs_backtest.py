"""docs/backtest.md: its command lines run, and it names every key and column of what they write."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fleet_api.cli.main import main
from tests.support.paths import REPOSITORY
from triggers.backtest.evidence.circumstances import MAX_CELLS, SPEED_BOUNDS_KM_H
from triggers.backtest.evidence.scores import NotFound
from triggers.signals.catalog import SignalCatalog

TEXT = (REPOSITORY / "docs/backtest.md").read_text("utf-8")
LINES = re.findall(r"^\$ longtail (.*)$", TEXT, re.MULTILINE)


@pytest.fixture
def words_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a documented line callable: its examples are there, and a drive that brakes hard once."""
    catalog = SignalCatalog.load(REPOSITORY / "examples/css_car/signals.yaml")
    t = np.arange(0, 60, 0.1)
    columns = {catalog.columns(name)[0]: pa.array([None] * len(t), pa.float64()) for name in catalog.signals}
    columns |= {"t": t, catalog.columns("ego.speed")[0]: np.where(t < 30, 30.0, np.maximum(0.0, 30.0 - 4 * (t - 30)))}
    (tmp_path / "drives").mkdir()
    pq.write_table(pa.table(columns), tmp_path / "drives/braking.parquet")
    pq.write_table(pa.table({"drive": ["braking"], "t": [30.5]}), tmp_path / "events.parquet")
    (tmp_path / "examples").symlink_to(REPOSITORY / "examples")
    monkeypatch.chdir(tmp_path)
    return lambda line: shlex.split(line.replace("path/to/drives", "drives"))


@pytest.mark.parametrize("line", LINES)
def test_every_command_line_runs(words_of: Any, line: str) -> None:
    assert main(words_of(line)) == 0


def test_every_key_and_column_is_explained(words_of: Any) -> None:
    (line,) = (line for line in LINES if "--results" in line)
    assert main(words_of(line)) == 0
    report = json.loads(Path("report.json").read_text())
    assert report["triggers"]["hard_braking"]["fires"] == 1
    names = {
        *report,
        *report["triggers"]["hard_braking"],
        *report["fires"][0],
        *report["by_drive"][0],
        *report["budgets"][0],
        *report["forecast"]["triggers"]["hard_braking"],
    }
    names |= {*pq.read_schema("fires.parquet").names, *pq.read_schema("results.parquet").names}
    assert sorted(name for name in names if f"`{name}`" not in TEXT) == []


def test_every_key_and_bound_of_a_breakdown_is_explained(words_of: Any) -> None:
    line = next(line for line in LINES if "--breakdown" in line)
    assert main([*words_of(line), "--json", "broken_down.json"]) == 0
    told = json.loads(Path("broken_down.json").read_text())["breakdown"]
    found = told["triggers"]["hard_braking"]
    assert sum(each["fires"] for each in found["speed"]) == 1
    assert sorted(key for key in {*told, *found, *found["speed"][0]} if f"`{key}`" not in TEXT) == []
    *bounds, last = SPEED_BOUNDS_KM_H
    assert f"from {', '.join(map(str, bounds))} and {last} km/h on" in TEXT
    assert f"Up to {MAX_CELLS} cells" in TEXT


def test_every_key_of_known_events_is_explained(words_of: Any) -> None:
    line = next(line for line in LINES if "--events" in line)
    assert main([*words_of(line), "--json", "judged.json"]) == 0
    judged = json.loads(Path("judged.json").read_text())["known_events"]
    assert judged["triggers"]["hard_braking"]["found"] == 1
    keys = {*judged, *judged["triggers"]["hard_braking"], *(field.name for field in fields(NotFound))}
    assert sorted(key for key in keys if f"`{key}`" not in TEXT) == []


def test_the_constants_are_those_of_the_code() -> None:
    from triggers import distance
    from triggers.backtest.evidence import known_events, scores
    from triggers.clips import size
    from triggers.statistics import poisson, proportions

    assert f"{size.FILE_BYTES}, plus {size.CHANNEL_BYTES} per channel, plus {size.SAMPLE_BYTES} per sample" in TEXT
    assert f"{poisson.CONFIDENCE:.0%} confidence".replace("%", " %") in TEXT
    assert f"at most {known_events.MAX_EVENTS:,} events" in TEXT
    assert f"the first {scores.MAX_LISTED:,} of each" in TEXT
    assert f"an intra-class correlation of {proportions.PRIOR_CORRELATION}" in TEXT
    assert f"at most {distance.MAX_HOLD_NS // 10**9} s apart" in TEXT
    assert f"above {distance.MAX_SPEED_M_S:,.0f} m/s" in TEXT
