"""Drives are listed whatever their files have: an odd one costs none of the others."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fleet_api.backtest_processes.jailed import Process
from fleet_api.backtest_processes.looking import listed
from fleet_api.backtest_processes.start import answer_of
from fleet_api.backtest_processes.tasks import ListAnswer, ListTask
from tests.fleet_api.backtests.recorded import add_drives
from tests.fleet_api.backtests.test_processes import LIMITS
from triggers.drives.file import DriveFile

MOMENT = 1_700_000_000_000_000
TIMES: dict[str, tuple[Any, float | None]] = {
    "binary": (pa.array([b"\xff", b"\xfe"]), None),
    "clock": (pa.array([time(1), time(2)]), None),
    "dates": (pa.array([1, 2], pa.date32()), None),
    "half": (pa.array([0.0, 1.0]).cast(pa.float16()), None),
    "infinite": (pa.array([0.0, float("inf")]), None),
    "integers": (pa.array([0, 10]), None),
    "late": (pa.array([2**62, 2**63 - 1], pa.timestamp("us")), None),
    "nothing": (pa.nulls(2), None),
    "parts": (pa.array([{"a": 0.0}, {"a": 10.0}]), None),
    "seconds": (pa.array([0.0, 10.0]), 10.0),
    "texts": (pa.array(["0", "10"]), None),
    "timestamps": (pa.array([MOMENT, MOMENT + 10_000_000], pa.timestamp("us")), 10.0),
}


def add_odd(folder: Path) -> None:
    """A drive for each of TIMES, after a column of several parts."""
    folder.mkdir()
    parts = pa.array([{"x": 97.0, "y": 1.0}, {"x": 0.0, "y": 2.0}])
    for name, (times, _) in TIMES.items():
        pq.write_table(pa.table({"s": parts, "t": times}), folder / f"{name}.parquet")


class Free(Process):
    """A process that is not shut in: the one of the test."""

    def __init__(self) -> None:
        pass

    def shut_in(self, readable: Sequence[Path], writable: Sequence[Path] = ()) -> None:
        """Stay."""


def test_times_of_any_type_are_a_length_or_none(tmp_path: Path) -> None:
    add_odd(tmp_path / "drives")
    found = answer_of(ListTask(tmp_path / "drives", 100), LIMITS, ListAnswer).drives
    assert {each.view.name: each.view.seconds for each in found} == {name: each for name, (_, each) in TIMES.items()}
    assert {(each.view.rows, each.view.signals, each.view.problem) for each in found} == {(2, 1, None)}


def test_a_name_that_is_not_utf8_is_told_with_escapes(tmp_path: Path) -> None:
    add_drives(tmp_path, "a")
    folder = tmp_path / "drives" / os.fsdecode(b"z\xff")
    folder.mkdir()
    (folder / "signals.parquet").write_bytes((tmp_path / "drives/a.parquet").read_bytes())
    (folder / os.fsdecode(b"front\xff.mp4")).touch()
    good, bad = answer_of(ListTask(tmp_path / "drives", 100), LIMITS, ListAnswer).drives
    assert (good.view.name, good.view.problem) == ("a", None)
    assert (bad.view.name, bad.view.cameras) == ("z\\udcff", ["front\\udcff"])
    assert "its name is not UTF-8" in str(bad.view.problem)


def test_what_nobody_expected_of_a_file_is_its_own_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_drives(tmp_path, "a", "b")
    bounds_of = DriveFile.bounds_of

    def odd(file: DriveFile, column: str) -> list[tuple[Any, Any]]:
        if file.path.stem == "a":
            raise pa.ArrowNotImplementedError("odd")
        return bounds_of(file, column)

    monkeypatch.setattr(DriveFile, "bounds_of", odd)
    first, second = listed(ListTask(tmp_path / "drives", 100), Free()).drives
    assert (first.view.problem, first.view.rows) == ("its file is not understood (ArrowNotImplementedError)", None)
    assert (second.view.problem, second.view.seconds) == (None, 9.9)
