"""Signals sent on change across gaps: a recorded drive gives the fires of a vehicle whose host tells them again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triggers.backtest.machines import MachinePool
from triggers.backtest.plan import BacktestPlan, make_plan
from triggers.backtest.run import run
from triggers.drives.batches import Batch
from triggers.drives.carry import carried
from triggers.drives.drive import Drive
from triggers.language.compile import compile_source
from triggers.language.rows import Row
from triggers.language.webassembly.host.evaluator import Evaluator
from triggers.language.webassembly.host.machine import LoadedModule, Machine, load
from triggers.signals.catalog import SignalCatalog

CATALOG = SignalCatalog.parse(
    """
max_gap: 1.0
signals:
  v: {rate: 10}
  gear: {type: text, values: [P, D], update: on_change}
  engaged: {type: bool, update: on_change, initial: false}
  limit: {update: on_change}
""",
    name="c",
)
SOURCE = """
trigger in_d { when gear == "D" and v > 50 }
trigger manual { when not engaged and v > 50 }
trigger above { when v > limit for 200 ms }
trigger moved { when changed(gear) then v > 50 within 3 s }
trigger window { when max(v over 1 s) > 80 and not missing(limit) }
"""
ON_CHANGE = ("gear", "engaged", "limit")

_rows = st.lists(
    st.tuples(
        st.sampled_from([0.1, 0.1, 0.1, 0.5, 1.0, 1.1, 4.0]),
        st.sampled_from([20.0, 60.0, 90.0, math.nan]),
        st.sampled_from([None, None, None, "P", "D"]),
        st.sampled_from([None, None, None, True, False]),
        st.sampled_from([None, None, None, 30.0, 70.0, math.inf]),
    ),
    min_size=1,
    max_size=60,
)


def host_rows(t_ns: list[int], samples: dict[str, list[float]]) -> list[Row]:
    """The rows as a vehicle's host delivers them: after a gap it tells the latest value of each such signal again."""
    rows: list[Row] = []
    latest: dict[str, float] = {}
    for place, now_ns in enumerate(t_ns):
        row = {name: values[place] for name, values in samples.items() if not math.isnan(values[place])}
        if rows and now_ns - rows[-1].t_ns > CATALOG.max_gap_ns:
            row = {name: value for name, value in latest.items() if name not in row} | row
        latest |= {name: value for name, value in row.items() if name in ON_CHANGE}
        rows.append(Row(now_ns, row))
    return rows


def _number(value: object) -> float:
    return math.nan if value is None else float({"P": 0, "D": 1}.get(value, value))  # type: ignore[call-overload,arg-type]


@dataclass(frozen=True)
class Compiled:
    """SOURCE as a backtest and a vehicle run it: compiled once, for any number of machines."""

    plan: BacktestPlan
    modules: dict[bytes, LoadedModule]
    vehicle: LoadedModule

    def new_machines(self) -> MachinePool:
        """Machines that have not run anything yet."""
        return MachinePool(self.plan.programs, lambda program: partial(Machine, self.modules[program]))


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    compilation = compile_source(SOURCE, filename="t", catalog=CATALOG)
    assert compilation.triggers is not None
    plan = make_plan(compilation)
    modules = {program: load(program) for program in plan.programs}
    return Compiled(plan, modules, load(compilation.triggers.program))


@settings(max_examples=150, deadline=None)
@given(rows=_rows, batch_rows=st.sampled_from([1, 3, 1000]))
def test_a_drive_and_a_vehicle_give_the_same_fires(
    compiled: Compiled,
    tmp_path_factory: object,
    rows: list[tuple[float, float, str | None, bool | None, float | None]],
    batch_rows: int,
) -> None:
    steps, v, gear, engaged, limit = (list(column) for column in zip(*rows, strict=True))
    t_ns = (np.cumsum(np.round(np.array(steps) * 1e9)).astype(np.int64)).tolist()
    path = tmp_path_factory.mktemp("carry") / "d.parquet"  # type: ignore[attr-defined]
    columns = {
        "t": pa.array(t_ns, pa.timestamp("ns")),
        "v": pa.array(v, pa.float64()),
        "gear": pa.array(gear, pa.string()),
        "engaged": pa.array(engaged, pa.bool_()),
        "limit": pa.array(limit, pa.float64()),
    }
    pq.write_table(pa.table(columns), path)
    drives = [Drive(path, batch_rows)]
    (result,) = run(compiled.plan, drives, CATALOG, lambda _bytes: None, pool=compiled.new_machines()).drives
    told = {"v": v, "gear": gear, "engaged": engaged, "limit": limit}
    samples = {name: [_number(value) for value in values] for name, values in told.items()}
    vehicle = Evaluator(compiled.vehicle).run(host_rows(t_ns, samples))
    assert sorted((fire.t_ns, fire.trigger) for fire in vehicle) == [(fire.t_ns, fire.trigger) for fire in result.fires]


def batch(times_s: list[float], gear: list[float] | None) -> Batch:
    t_ns = np.array([round(t * 1e9) for t in times_s], np.int64)
    return Batch(t_ns, {"gear": None if gear is None else np.array(gear)})


def test_the_latest_sample_is_repeated_in_the_first_row_after_each_gap() -> None:
    nan = math.nan
    batches = [batch([0, 0.1, 5, 5.1], [1, nan, nan, 0]), batch([9, 9.1], None), batch([9.2, 20, 30], [nan, 1, nan])]
    got = [each.columns["gear"] for each in carried(batches, ["gear"], 10**9)]
    want = [[1, nan, 1, 0], [0, nan], [nan, 1, 1]]
    for values, expected in zip(got, want, strict=True):
        assert values is not None
        assert np.array_equal(values, expected, equal_nan=True)


def test_without_a_gap_or_a_sample_nothing_is_copied() -> None:
    batches = [batch([0, 0.1], None), batch([5, 5.1], None), batch([5.2, 5.3], [1.0, math.nan])]
    got = list(carried(batches, ["gear"], 10**9))
    assert [each.columns["gear"] is None for each in got] == [True, True, False]
    assert got[2] is batches[2]


def test_a_replay_reads_the_same_rows(tmp_path: Path) -> None:
    columns = {"t": [0.0, 5.0], "gear": ["D", None], "v": [1.0, 2.0]}
    pq.write_table(pa.table(columns), tmp_path / "d.parquet")
    rows = list(Drive(tmp_path / "d.parquet").rows(CATALOG, ["gear", "v"]))
    assert rows[1].samples == {"gear": 1.0, "v": 2.0}
