"""Running drives: equal to the reference interpreter row by row, in bounded memory, in any number of threads."""

from __future__ import annotations

import math
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.triggers.backtest.reference_machine import reference_pool
from triggers.backtest.machines import MachinePool
from triggers.backtest.meters.overlap import shared_fires
from triggers.backtest.plan import make_plan
from triggers.backtest.result import BacktestResult, DriveResult
from triggers.backtest.run import run
from triggers.contracts.campaign import CaptureWindow
from triggers.contracts.compared import EventCounts, EventKey, Sides
from triggers.drives import file as drive_file
from triggers.drives.drive import Drive
from triggers.language.compile import Compilation, compile_source
from triggers.signals.catalog import SignalCatalog

CATALOG_TEXT = """
max_gap: 0.5
signals:
  ego.speed: {unit: km/h, rate: 50}
  gear: {type: text, values: [P, R, D], rate: 10}
  active.seen: {type: bool, rate: 20}
  shadow.seen: {type: bool, rate: 20}
  lat: {unit: deg, rate: 5}
  lon: {unit: deg, rate: 5}
position: {latitude: lat, longitude: lon}
"""
CATALOG = SignalCatalog.parse(CATALOG_TEXT, name="c")
EVENTS = "events seen (active and shadow within 0.2 s)"
SOURCE = """
trigger fast {
    when ego.speed > 40 km/h for 30 ms
    cooldown 500 ms
    capture 300 ms before, 200 ms after { signals ego.*, gear, active.*, shadow.*, lat, lon }
}
trigger missed { when disagree(seen) for 50 ms capture 1 s before, 1 s after }
trigger span { when max(ego.speed over 300 ms) - min(ego.speed over 300 ms) > 30 km/h }
trigger reverse { when gear == "R" }
campaign a { collect fast, missed compare seen sample 1 in 3 budget 1 GB total }
campaign b { collect fast, span compare seen, events seen within 200 ms budget 1 GB total }
"""


def compiled(source: str = SOURCE) -> Compilation:
    compilation = compile_source(source, filename="t", catalog=CATALOG)
    assert compilation.ok, [diagnostic.render() for diagnostic in compilation.diagnostics]
    return compilation


def random_drive(path: Path, seed: int, rows: int = 400) -> Drive:
    """Irregular steps, repeated times, gaps, nulls, infinities; row groups of some dozen rows.

    Odd seeds have a speed, which every fourth drive has in every row.
    """
    rng = np.random.default_rng(seed)
    steps = rng.choice([0.0, 0.0, 0.01, 0.02, 0.05, 0.1, 0.7], rows)
    t = rng.choice([0.0, 100.25, 5e4]) + np.round(np.cumsum(steps), 2)
    missing = [] if seed % 4 == 3 else [math.nan, math.nan, math.inf]
    speed = rng.choice([30.0, 35.0, 45.0, 80.0, *missing], rows)
    lat, lon = 48 + np.cumsum(rng.normal(0, 1e-4, (2, rows)), axis=1) * [[1], [2]]
    lat[rng.random(rows) < 0.7] = math.nan
    columns = {
        "t": t,
        "gear": pa.array(rng.choice(["P", "R", "D", None], rows).tolist(), pa.string()).dictionary_encode(),
        "active.seen": pa.array(rng.choice([True, False, None], rows).tolist(), pa.bool_()),
        "shadow.seen": pa.array(rng.choice([1, 0, None, None], rows).tolist(), pa.int8()),
        "lat": lat,
        "lon": lon,
    }
    if seed % 2:
        columns["ego.speed"] = speed
    pq.write_table(pa.table(columns), path, row_group_size=int(rng.integers(5, 200)))
    return Drive(path)


def run_all(compilation: Compilation, drives: list[Drive], **settings: int) -> BacktestResult:
    return run(make_plan(compilation), drives, CATALOG, lambda _bytes: None, **settings)


def same(a: DriveResult, b: DriveResult) -> bool:
    return (
        a.fires == b.fires
        and {k: v.tolist() for k, v in a.clip_bytes.items()} == {k: v.tolist() for k, v in b.clip_bytes.items()}
        and (a.name, a.rows, a.recorded_ns, a.metres) == (b.name, b.rows, b.recorded_ns, b.metres)
        and (a.suppressed, a.compared, a.shared, a.overflows) == (b.suppressed, b.compared, b.shared, b.overflows)
        and a.events == b.events
    )


@pytest.fixture(scope="module")
def interpreted(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Drive], BacktestResult]:
    """Drives, and what the interpreter finds in them."""
    folder = tmp_path_factory.mktemp("drives")
    drives = [random_drive(folder / f"{seed}.parquet", seed) for seed in range(1, 9, 2)]
    compilation = compiled()
    return drives, run(make_plan(compilation), drives, CATALOG, lambda _bytes: None, pool=reference_pool(compilation))


@pytest.mark.parametrize("batch_rows", [1, 7, 64, 1000])
def test_the_module_over_batches_gives_what_the_interpreter_gives(
    interpreted: tuple[list[Drive], BacktestResult], monkeypatch: pytest.MonkeyPatch, batch_rows: int
) -> None:
    drives, expected = interpreted
    monkeypatch.setattr(drive_file, "MIN_BATCH_ROWS", batch_rows)
    monkeypatch.setattr(drive_file, "MAX_BATCH_ROWS", batch_rows)
    result = run_all(compiled(), drives)
    assert not result.failures
    for drive, reference in zip(result.drives, expected.drives, strict=True):
        assert drive.fires == reference.fires
        assert (drive.suppressed, drive.compared) == (reference.suppressed, reference.compared)
        assert drive.events == reference.events
        assert (drive.rows, drive.recorded_ns) == (reference.rows, reference.recorded_ns)
        assert drive.metres == pytest.approx(reference.metres, rel=1e-12)
        assert {k: v.tolist() for k, v in drive.clip_bytes.items()} == {
            k: v.tolist() for k, v in reference.clip_bytes.items()
        }
    assert {name for drive in result.drives for name in drive.fires_ns} == {"fast", "missed", "span", "reverse"}
    assert sum(drive.compared["seen"].both for drive in result.drives) > 0
    matched = [counts for drive in result.drives for counts in drive.events.values()]
    assert len(matched) == len(result.drives)
    assert all(sum(getattr(counts, name) for counts in matched) > 0 for name in asdict(matched[0]))


def test_results_do_not_depend_on_the_number_of_workers(tmp_path: Path) -> None:
    sizes = (50, 2000, 1, 300, 700, 20)
    drives = [random_drive(tmp_path / f"{k}.parquet", 2 * k + 1, rows) for k, rows in enumerate(sizes)]
    (tmp_path / "2.parquet").write_bytes(b"nothing")
    compilation = compiled()
    one = run_all(compilation, drives)
    for workers in (2, 5, 20):
        many = run_all(compilation, drives, workers=workers)
        assert [result.name for result in many.drives] == ["0", "1", "3", "4", "5"]
        assert all(same(a, b) for a, b in zip(one.drives, many.drives, strict=True))
        assert [str(a) for a in one.failures] == [str(b) for b in many.failures]


def _by_hand(drive: Drive) -> tuple[int, float]:
    """Recorded time and distance of a drive, row by row."""
    recorded_ns, metres = 0, 0.0
    speed: tuple[int, float] | None = None
    place: tuple[float, float] | None = None
    latest: int | None = None
    by_speed = "ego.speed" in drive.columns
    for row in drive.rows(CATALOG, ["ego.speed"] if by_speed else ["lat", "lon"]):
        if latest is not None and row.t_ns - latest <= CATALOG.max_gap_ns:
            recorded_ns += row.t_ns - latest
        elif latest is not None:
            place = speed = None
        latest = row.t_ns
        if by_speed and "ego.speed" in row.samples:
            now = (row.t_ns, row.samples["ego.speed"])
            if speed is not None and row.t_ns - speed[0] <= 10 * 10**9 and math.isfinite(speed[1] + now[1]):
                metres += (speed[1] + now[1]) / 2 / 3.6 * (row.t_ns - speed[0]) / 1e9
            speed = now
        if {"lat", "lon"} <= row.samples.keys():
            here = (math.radians(row.samples["lat"]), math.radians(row.samples["lon"]))
            if place is not None:
                north, east = math.sin((here[0] - place[0]) / 2), math.sin((here[1] - place[1]) / 2)
                square = north**2 + math.cos(here[0]) * math.cos(place[0]) * east**2
                metres += 2 * 6_371_008.8 * math.asin(math.sqrt(square))
            place = here
    return recorded_ns, metres


def test_machines_of_an_earlier_run_give_the_same_results(tmp_path: Path) -> None:
    drives = [random_drive(tmp_path / f"{k}.parquet", 2 * k + 1, 500) for k in range(4)]
    (tmp_path / "2.parquet").write_bytes(drives[2].path.read_bytes()[:-100])
    plan = make_plan(compiled())
    pool = MachinePool(plan.programs)
    first = run(plan, drives, CATALOG, lambda _bytes: None, pool=pool)
    again = run(plan, drives[::-1], CATALOG, lambda _bytes: None, pool=pool)
    assert len(first.drives) == 3
    assert all(same(a, b) for a, b in zip(first.drives, again.drives[::-1], strict=True))


@pytest.mark.parametrize("seed", range(8))
def test_time_and_distance_are_those_counted_row_by_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(drive_file, "MIN_BATCH_ROWS", 3)
    monkeypatch.setattr(drive_file, "MAX_BATCH_ROWS", 3 + 40 * (seed // 4))
    drive = random_drive(tmp_path / "d.parquet", seed)
    source = 'trigger reverse { when gear == "R" }'
    (result,) = run_all(compiled(source), [drive]).drives
    recorded_ns, metres = _by_hand(drive)
    assert result.recorded_ns == recorded_ns
    assert result.metres == pytest.approx(metres, rel=1e-4)
    assert metres > 0


def test_the_bytes_of_a_clip_count_the_samples_in_its_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drive_file, "MIN_BATCH_ROWS", 13)
    monkeypatch.setattr(drive_file, "MAX_BATCH_ROWS", 13)
    drive = random_drive(tmp_path / "d.parquet", 1, 2000)
    (result,) = run_all(compiled(), [drive]).drives
    names = ["ego.speed", "gear", "active.seen", "shadow.seen", "lat", "lon"]
    rows = list(drive.rows(CATALOG, names))
    fires = result.fires_ns["fast"]
    assert len(fires) > 5
    for t_ns, size in zip(fires, result.clip_bytes["fast"], strict=True):
        inside = [row.samples for row in rows if t_ns - 300_000_000 <= row.t_ns <= t_ns + 200_000_000]
        channels = {name for samples in inside for name in samples}
        assert size == 4096 + 190 * len(channels) + 21 * sum(len(samples) for samples in inside)


def test_only_row_groups_around_fires_are_read_for_their_bytes(tmp_path: Path) -> None:
    """The column that is only captured is damaged far from the fire, where it must not be read."""
    t = np.arange(20_000) / 100
    table = {"t": t, "ego.speed": np.where((t > 150) & (t < 150.2), 50.0, 30.0), "lat": np.full(len(t), 48.0)}
    path = tmp_path / "d.parquet"
    pq.write_table(pa.table(table), path, row_group_size=1000, compression="none", use_dictionary=False)
    place = pq.ParquetFile(path).metadata.row_group(3).column(2).data_page_offset
    changed = bytearray(path.read_bytes())
    changed[place : place + 8] = b"\xff" * 8
    path.write_bytes(changed)
    source = "trigger fast { when ego.speed > 40 km/h capture 2 s before, 2 s after { signals lat } }"
    result = run_all(compiled(source), [Drive(path)])
    assert not result.failures
    assert result.drives[0].clip_bytes["fast"].tolist() == [4096 + 190 + 21 * 401]
    source = source.replace("> 40", "> 20").replace("when", "when lat > 0 deg and")
    assert "d.parquet" in str(run_all(compiled(source), [Drive(path)]).failures[0])


def test_what_a_drive_lacks_or_has_wrong_is_named_and_the_others_run(tmp_path: Path) -> None:
    good = random_drive(tmp_path / "good.parquet", 1)
    table = pq.read_table(good.path)
    texts = pa.array(["fast"] * len(table))
    index = table.schema.get_field_index("ego.speed")
    bad = {
        "lacking": table.drop_columns(["ego.speed"]),
        "texts": table.set_column(index, "ego.speed", texts),
        "unsorted": pa.concat_tables([table, table]),
    }
    for name, wrong in bad.items():
        pq.write_table(wrong, tmp_path / f"{name}.parquet")
    whole = good.path.read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    drives = [Drive(tmp_path / f"{name}.parquet") for name in ("lacking", "good", "texts", "unsorted", "cut", "gone")]
    result = run_all(compiled(), drives, workers=2)
    assert [str(failure).removeprefix(f"{tmp_path}/").split(";")[0].split(" (")[0] for failure in result.failures] == [
        "unsorted.parquet: column `t` runs backwards in row 400",
        "cut.parquet: not a readable Parquet file: damaged or truncated",
        "gone.parquet: there is no such file",
    ]
    assert [result.name for result in result.drives] == ["lacking", "good", "texts"]
    reasons = [
        {name: str(problem).removeprefix(f"{tmp_path}/").split(";")[0] for name, problem in drive.left_out.items()}
        for drive in result.drives
    ]
    assert reasons == [
        dict.fromkeys(
            ("fast", "span"), "lacking.parquet: has no column `ego.speed`, which carries the signal `ego.speed`"
        ),
        {},
        dict.fromkeys(
            ("fast", "span"), "texts.parquet: column `ego.speed` holds text, but its signal has the type number"
        ),
    ]


@pytest.mark.parametrize("name", ["reverse", "missed"])
def test_a_missing_column_costs_the_triggers_that_read_it_and_no_other(tmp_path: Path, name: str) -> None:
    """Programs share signals and campaigns; what still runs fires as on a drive that has the column."""
    whole = random_drive(tmp_path / "whole.parquet", 1)
    table = pq.read_table(whole.path)
    column = {"reverse": "gear", "missed": "shadow.seen"}[name]
    pq.write_table(table.drop_columns([column]), tmp_path / "lacking.parquet")
    first, second = run_all(compiled(), [whole, Drive(tmp_path / "lacking.parquet")]).drives
    out = {"reverse": {"reverse"}, "missed": {"missed", "compare seen", EVENTS}}[name]
    assert second.left_out.keys() == out
    assert first.left_out == {}
    for trigger in {"fast", "missed", "span", "reverse"} - out:
        assert np.array_equal(first.fires_ns.get(trigger, []), second.fires_ns.get(trigger, []))
        assert first.weights[trigger] == second.weights[trigger]
    assert not {*second.fires_ns, *second.suppressed, *second.weights} & out
    assert bool(second.compared) == (name == "reverse")


def test_a_drive_that_no_trigger_can_run_on_is_left_out(tmp_path: Path) -> None:
    drive = random_drive(tmp_path / "d.parquet", 1)
    pq.write_table(pq.read_table(drive.path).drop_columns(["gear"]), drive.path)
    result = run_all(compiled('trigger reverse { when gear == "R" }'), [drive])
    assert not result.drives
    assert "has no column `gear`" in str(result.failures[0])


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interruption_ends_all_threads_within_a_batch(tmp_path: Path, workers: int) -> None:
    drives = [random_drive(tmp_path / f"{k}.parquet", 2 * k + 1, 3000) for k in range(6)]
    compilation = compiled()
    called: list[int] = []

    def interrupt(count: int) -> None:
        called.append(count)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(make_plan(compilation), drives, CATALOG, interrupt, workers=workers)
    assert 1 <= len(called) <= workers
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("backtest")]


def test_windows_that_touch_share_a_clip() -> None:
    captures = {
        name: CaptureWindow(before_ns=before, after_ns=after, signals=())
        for name, before, after in (("a", 2, 1), ("b", 5, 0), ("c", 0, 0))
    }
    fires = {"a": np.array([10, 100, 200]), "b": np.array([16, 98, 99, 197]), "c": np.array([11, 150])}
    # a: [8, 11] [98, 101] [198, 201]; b: [11, 16] [93, 98] [94, 99] [192, 197]; c: [11, 11] [150, 150]
    pairs = {"ab": 2, "ba": 3, "ac": 1, "ca": 1, "bc": 1, "cb": 1}
    assert shared_fires(fires, captures) == {(first, second): count for (first, second), count in pairs.items()}
    assert shared_fires({"a": fires["a"]}, captures) == {}


PEAK = """
import re, sys
from pathlib import Path
from triggers.backtest.plan import make_plan
from triggers.backtest.run import run
from triggers.drives.drive import Drive
from triggers.language.compile import compile_source
from triggers.signals.catalog import SignalCatalog
catalog = SignalCatalog.parse("signals: {v: {rate: 1000}, w: {rate: 1000}}", name="c")
source = "trigger t { when v > 0.999 and w > 0.5 cooldown 1 min capture 1 s before, 1 s after }"
plan = make_plan(compile_source(source, filename="t", catalog=catalog))
result = run(plan, [Drive(Path(sys.argv[1]))], catalog, lambda count: None)
assert not result.failures and result.drives[0].rows == int(sys.argv[2]) and result.drives[0].fires
print(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="only Linux's /proc tells the peak memory of a process"
)
@pytest.mark.parametrize("row_group_rows", [200_000, 4_000_000], ids=["many row groups", "one row group"])
def test_memory_is_bounded_whatever_the_length_of_a_drive(tmp_path: Path, row_group_rows: int) -> None:
    peak_kib = []
    for rows in (200_000, 4_000_000):
        rng = np.random.default_rng(1)
        table = pa.table({"t": np.arange(rows) / 1000, "v": rng.random(rows), "w": rng.random(rows)})
        pq.write_table(table, tmp_path / "d.parquet", row_group_size=row_group_rows, use_dictionary=False)
        words = [sys.executable, "-c", PEAK, str(tmp_path / "d.parquet"), str(rows)]
        peak_kib.append(int(subprocess.run(words, check=True, capture_output=True, text=True).stdout))
    assert peak_kib[1] - peak_kib[0] < 32 * 1024  # the longer drive is 96 MB of numbers


def test_a_campaign_that_only_compares_and_a_file_without_triggers_run(tmp_path: Path) -> None:
    drive = random_drive(tmp_path / "d.parquet", 1)
    (compared,) = run_all(compiled("campaign c { compare seen budget 1 clips }"), [drive]).drives
    assert compared.compared["seen"].both > 0
    (nothing,) = run_all(compiled("let a = ego.speed > 3 m/s"), [drive]).drives
    assert (nothing.fires, nothing.compared, nothing.rows) == ([], {}, compared.rows)


def test_rises_of_events_are_settled_at_the_end_of_each_drive_and_sides_without_a_signal_left_out(
    tmp_path: Path,
) -> None:
    t = np.arange(0, 3, 0.05)
    columns = {"t": t, "active.seen": t >= 2.9, "shadow.seen": t >= 1}
    pq.write_table(pa.table({"ego.speed": np.full(len(t), 36.0), **columns}), tmp_path / "d.parquet")
    source = "campaign c { compare events seen with braked within 200 ms budget 1 clips }"
    catalog = SignalCatalog.parse(CATALOG_TEXT.replace("  gear:", "  braked: {type: bool, rate: 1}\n  gear:"), name="c")
    compilation = compile_source(source, filename="t", catalog=catalog)
    assert compilation.ok, [diagnostic.render() for diagnostic in compilation.diagnostics]
    result = run(make_plan(compilation), [Drive(tmp_path / "d.parquet")], catalog, lambda _bytes: None)
    (drive,) = result.drives
    assert drive.events == {EventKey("seen", Sides.ACTIVE_SHADOW, 200_000_000): EventCounts(0, 0, 1, 1, 0)}
    assert len(drive.left_out) == 2
    assert all("braked" in str(problem) for problem in drive.left_out.values())


def test_what_windows_lose_is_counted_once_however_many_programs_have_them(tmp_path: Path) -> None:
    """A trigger that no campaign collects brings a program of all triggers, which loses what the campaigns' lose."""
    t = np.arange(200) / 100  # ten times as fast as declared
    pq.write_table(pa.table({"t": t, "gear": np.zeros(200), "ego.speed": t}), tmp_path / "d.parquet")
    when = "trigger peak { when max(ego.speed over 1 s) > 1 km/h }\ntrigger slow { when ego.speed < 1 km/h }\n"
    catalog = SignalCatalog.parse(CATALOG_TEXT.replace("rate: 50", "rate: 10"), name="c")
    lost = {}
    for campaigns in (
        "",
        "campaign a { collect peak budget 1 GB total }\n",
        "campaign b { collect peak, slow budget 1 clips }\n",
    ):
        compilation = compile_source(when + campaigns, filename="t", catalog=catalog)
        result = run(make_plan(compilation), [Drive(tmp_path / "d.parquet")], catalog, lambda _bytes: None)
        lost[campaigns] = result.drives[0].overflows
    assert lost[""] > 0 and len(set(lost.values())) == 1
