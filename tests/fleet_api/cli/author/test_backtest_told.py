"""What `longtail backtest` tells about drives that are not as they should be, and what it makes of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fleet_api.cli.main import main

Backtest = Callable[..., tuple[dict[str, Any], str]]


def times(hz: float, seconds: float) -> Any:
    return np.round(np.arange(round(hz * seconds)) / hz, 9)


def pulse(at: int = 300, length: int = 600, width: int = 10) -> Any:
    x = np.zeros(length)
    x[at : at + width] = 1
    return x


def drive(name: str, **columns: Any) -> str:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), name)
    return name


@pytest.fixture
def backtest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Backtest:
    """Runs triggers over drives in an empty folder; gives the report and what was told on standard error."""
    monkeypatch.chdir(tmp_path)

    def run(text: str, catalog: str, *drives: str, status: int = 0) -> tuple[dict[str, Any], str]:
        Path("t.trigger").write_text(text)
        Path("s.yaml").write_text(catalog)
        assert main(["backtest", "t.trigger", "--signals", "s.yaml", "--drives", *drives, "--json", "-"]) == status
        shown = capsys.readouterr()
        return json.loads(shown.out), shown.err

    return run


def fires(report: dict[str, Any]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in report["triggers"]}
    for fire in report["fires"]:
        found[fire["trigger"]].append(round(fire["t"], 6))
    return found


@pytest.mark.parametrize("kind", [pa.int64(), pa.uint64(), pa.decimal128(20, 0)])
def test_integers_that_a_float64_cannot_hold_are_unknown_and_told(backtest: Backtest, kind: pa.DataType) -> None:
    ids = pa.array(np.repeat(np.array([7, 2**60 + 1, 2**60 + 2, 8], np.int64), 10)).cast(kind)
    path = drive("d.parquet", **{"t": times(10, 4), "lead.id": ids})
    report, told = backtest("trigger a { when changed(lead.id) }", "signals:\n  lead.id: {rate: 10}\n", path)
    assert fires(report)["a"] == [3.0]
    (found,) = report["findings"]
    assert (found["column"], found["count"], found["row"], found["value"]) == ("lead.id", 20, 10, str(2**60 + 1))
    assert "column `lead.id` in 1 drive: 20 times more digits than a float64 holds, first in drive `d`, row 10" in told
    assert report["triggers"]["a"]["unknown"]["lead.id"] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("bad", [2.0, 3.0, 255.0, -1.0, 0.5])
@pytest.mark.parametrize("kind", [pa.float64(), pa.float32(), pa.int16(), pa.decimal128(5, 1)])
def test_a_bool_signal_takes_0_and_1_alone(backtest: Backtest, kind: pa.DataType, bad: float) -> None:
    if kind == pa.int16() and bad == 0.5:
        bad = 7
    path = drive("d.parquet", t=[0.0, 1.0, 2.0], p=pa.array([0.0, bad, 0.0]).cast(kind))
    report, told = backtest("trigger a { when p }", "signals:\n  p: {type: bool, rate: 1}\n", path)
    assert fires(report)["a"] == []
    assert f"column `p` in 1 drive: 1 times neither 0 nor 1, first in drive `d`, row 1 ({bad:g})" in told


def test_a_camera_without_a_video_is_told_and_may_have_a_declared_bit_rate(backtest: Backtest) -> None:
    source = "trigger a { when x > 0.5 capture 5 s before, 5 s after { cameras front } }"
    catalog = "signals:\n  x: {rate: 10}\ncameras: "
    path = drive("d.parquet", t=times(10, 60), x=pulse())
    report, told = backtest(source, catalog + "[front]", path)
    assert report["uncounted"] == [{"name": "camera front", "drives": 1}]
    assert "clip sizes lack the camera `front`: 1 of 1 drive without its video" in told
    report, told = backtest(source, catalog + "{front: {bit_rate: 4 Mbit/s}}", path)
    assert (report["uncounted"], told) == ([], "")
    assert report["triggers"]["a"]["clip_bytes"] == pytest.approx(10 * 500_000, rel=0.01)


def test_a_trigger_that_never_fired_counts_video_in_its_upper_bound(backtest: Backtest) -> None:
    drive("d1/signals.parquet", t=times(10, 10), x=np.zeros(100))
    with av.open("d1/front.mp4", "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
        for _ in range(250):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(noise, format="rgb24")))
        out.mux(stream.encode())
    source = "trigger a { when x > 0.5 capture 5 s before, 5 s after { cameras front } }"
    report, _ = backtest(source, "signals:\n  x: {rate: 10}\ncameras: [front]\n", "d1")
    video_bytes = Path("d1/front.mp4").stat().st_size / 9.9 * 10
    high = report["forecast"]["triggers"]["a"]["bytes_per_vehicle_day"]["high"]
    assert high == pytest.approx(3.689 / report["hours"] * (video_bytes + 4096 + 190 + 100 * 21), rel=0.01)


def test_on_change_values_survive_a_gap_of_the_recording(backtest: Backtest) -> None:
    t = times(10, 60)
    t = t[(t < 10) | (t >= 13)]

    def first(value: Any) -> Any:
        return pa.array([value] + [None] * (len(t) - 1))

    columns = {
        "t": t,
        "ego.speed": np.where((t >= 20) & (t < 25), 60.0, 20.0),
        "gear": first("D"),
        "engaged": first(True),
    }
    source = """
        trigger in_d { when gear == "D" and ego.speed > 50 km/h }
        trigger manual { when not engaged and ego.speed > 50 km/h }
    """
    catalog = (
        "signals:\n  ego.speed: {unit: km/h, rate: 10}\n  gear: {type: text, values: [P, D], update: on_change}\n"
        "  engaged: {type: bool, update: on_change, initial: false}\n"
    )
    report, _ = backtest(source, catalog, drive("d.parquet", **columns))
    assert fires(report) == {"in_d": [20.0], "manual": []}


def test_one_missing_column_costs_one_trigger_and_its_hours(backtest: Backtest) -> None:
    first = drive("d1.parquet", t=times(10, 60), x=pulse())
    second = drive("d2.parquet", t=times(10, 60), x=pulse(), y=pulse())
    source = "trigger a { when x > 0.5 }\ntrigger b { when y > 0.5 }"
    report, told = backtest(source, "signals:\n  x: {rate: 10}\n  y: {rate: 10}\n", first, second)
    assert fires(report) == {"a": [30.0, 30.0], "b": [30.0]}
    a, b = report["triggers"]["a"], report["triggers"]["b"]
    assert (a["drives"], b["drives"], report["drives"]) == (2, 1, 2)
    assert b["hours"] == pytest.approx(a["hours"] / 2)
    assert b["per_hour"] == pytest.approx(a["per_hour"])
    forecast = report["forecast"]["triggers"]
    assert forecast["b"]["fires_per_vehicle_day"]["mean"] == forecast["a"]["fires_per_vehicle_day"]["mean"]
    assert "`b` did not run on 1 of 2 drives: d1.parquet: has no column `y`" in told


def test_a_strange_text_costs_one_sample(backtest: Backtest) -> None:
    path = drive("d.parquet", t=[0.0, 1.0, 2.0, 3.0], gear=["P", "D", "SNA", "D"])
    source = 'trigger a { when gear == "D" }'
    report, told = backtest(source, "signals:\n  gear: {type: text, values: [P, D], rate: 1}\n", path)
    assert fires(report)["a"] == [1.0]
    assert '1 times not among the signal\'s `values`, first in drive `d`, row 2 ("SNA")' in told


def test_raw_values_are_read_by_the_catalog_and_what_it_refuses_is_told(backtest: Backtest) -> None:
    raw = pa.array([1000, 4000, 65535, 1000, 4000, 30_000, 1000, 4000], pa.uint16())
    path = drive("d.parquet", t=[float(n) for n in range(8)], can_speed=raw)
    catalog = """signals:
  v: {unit: m/s, rate: 1, column: can_speed, scale: 0.01, offset: -5, invalid: [65535], max: 250, red: [0, 20]}
  fast: {type: bool, derived: v > 72 km/h}
"""
    source = "trigger limit { when v outside red } trigger same { when fast and v < 200 m/s }"
    report, told = backtest(source, catalog, path)
    assert fires(report) == {"limit": [1.0, 4.0, 7.0], "same": [1.0, 4.0, 7.0]}
    found = {
        each["problem"]: (each["column"], each["count"], each["row"], each["value"]) for each in report["findings"]
    }
    assert found == {
        "declared `invalid`": ("can_speed", 1, 2, "65535"),
        "outside the signal's `min` to `max`": ("can_speed", 1, 5, "295"),
    }
    assert "column `can_speed`" in told and "they count as unknown, as the signal catalog says" in told


@pytest.mark.parametrize("kind", [pa.float32(), pa.float16()])
def test_times_that_a_narrow_float_cannot_tell_apart_are_refused(backtest: Backtest, kind: pa.DataType) -> None:
    start = 1.7e9 if kind == pa.float32() else 2000
    path = drive("d.parquet", t=pa.array(start + times(10, 4)).cast(kind), x=pulse(20, 40))
    report, told = backtest("trigger a { when x > 0.5 }", "signals:\n  x: {rate: 10}\n", path, status=1)
    assert report["drives"] == 0
    assert f"column `t` is {kind}, which cannot tell the time of row" in told


def test_merged_rows_and_replaced_samples_are_told(backtest: Backtest) -> None:
    path = drive("d.parquet", t=[0.0, 1.0, 1.0, 1.0, 2.0], x=[0.0, 1.0, None, 0.0, 0.0])
    report, told = backtest("trigger a { when x > 0.5 }", "signals:\n  x: {rate: 1}\n", path)
    assert (report["rows"], fires(report)["a"]) == (3, [])
    assert [(each["column"], each["count"], each["row"]) for each in report["findings"]] == [("t", 2, 2), ("x", 1, 1)]
    assert "the same time as the row before: merged with it" in told


def test_fires_of_one_trigger_that_touch_are_one_recording(backtest: Backtest) -> None:
    x = np.zeros(600)
    x[100:500:40] = 1
    source = "trigger a { when x > 0.5 capture 5 s before, 5 s after }"
    report, _ = backtest(source, "signals:\n  x: {rate: 10}\n", drive("d.parquet", t=times(10, 60), x=x))
    a = report["triggers"]["a"]
    assert (a["fires"], a["recordings"]) == (10, 1)
    assert a["recording_bytes"] == 4096 + 190 + 21 * 461
    clips = report["forecast"]["triggers"]["a"]["clips_per_vehicle_day"]
    assert clips["mean"] == pytest.approx(1 / report["hours"], abs=1e-4)


def test_hours_in_which_a_signal_was_unknown_are_told(backtest: Backtest) -> None:
    first = drive("d1.parquet", t=times(10, 60), x=pulse())
    second = drive("d2.parquet", t=times(10, 60), x=np.full(600, np.nan))
    report, told = backtest("trigger a { when x > 0.5 }", "signals:\n  x: {rate: 10}\n", first, second)
    a = report["triggers"]["a"]
    assert (a["known_hours"], a["unknown"]) == (pytest.approx(a["hours"] / 2), {"x": pytest.approx(0.5)})
    assert a["per_known_hour"] == pytest.approx(2 * a["per_hour"])
    assert "`a`: for 50 % of the time its condition was unknown (`x` 50 %)" in told


def test_not_over_a_silent_signal_is_explained(backtest: Backtest) -> None:
    t = times(50, 10)
    columns = {"t": t, "brake": np.where((t > 5) & (t < 6), -5.0, 0.0), "lead": np.full(500, np.nan)}
    catalog = "signals:\n  lead: {unit: m, rate: 20}\n  brake: {unit: m/s^2, rate: 50}\n"
    path = drive("d.parquet", **columns)
    report, told = backtest("trigger a { when brake < -3 m/s^2 and not (lead < 60 m) }", catalog, path)
    a = report["triggers"]["a"]
    braking = pytest.approx(0.1, abs=0.01)  # otherwise it is false, whatever the lead does
    assert (a["condition"]["true"], a["condition"]["unknown"], a["unknown"]) == (0.0, braking, {"lead": braking})
    assert a["known_hours"] == pytest.approx(a["hours"] * a["condition"]["false"])
    texts = [part["text"] for part in a["parts"]]
    assert texts == ["brake < -3 m/s^2", "not (lead < 60 m)"]
    assert [part["unknown"] for part in a["parts"]] == [0.0, 1.0]
    assert a["why_not"] == (
        "`not (lead < 60 m)` was never true, unknown for 100 % of the time (for 10 % of the time the condition could "
        "not be judged while `lead` was unknown); all but `not (lead < 60 m)` were true first at 5.020 s of drive d"
    )
    assert "(`lead` 10 %)" in told
    source = "trigger a { when brake < -3 m/s^2 and (missing(lead) or missing(lead)) }"
    report, told = backtest(source, catalog, path)
    assert report["triggers"]["a"]["known_hours"] == pytest.approx(report["hours"])
    assert told == ""


def test_what_is_unknown_with_every_signal_known_is_not_put_on_signals(backtest: Backtest) -> None:
    t, catalog = times(10, 60), "signals:\n  x: {rate: 10}\n  y: {rate: 10}\n"
    y = np.where(t < 30, 0.0, 1.0)
    path = drive("d.parquet", t=t, x=np.where(t < 54, 1.0, np.nan), y=y)
    report, told = backtest("trigger a { when x / y > 3 }", catalog, path)
    assert report["triggers"]["a"]["why_not"] == (
        "it was never true (for 59 % of the time the condition could not be judged: while `x` was unknown, and for at "
        "least 50 % with every signal known)"
    )
    assert "(`x` 9 %, with every signal known 50 %)" in told
    path = drive("e.parquet", t=t, x=np.ones(600), y=y)
    report, told = backtest("trigger a { when x / y > 3 }", catalog, path)
    assert report["triggers"]["a"]["why_not"] == (
        "it was never true (for 50 % of the time the condition could not be judged, with every signal known)"
    )


@pytest.mark.parametrize(("start_s", "rows"), [(0, 600), (946_684_770, 300), (1_700_000_000, 0)])
def test_a_drive_without_unix_times_says_why_it_has_no_sun(backtest: Backtest, start_s: int, rows: int) -> None:
    catalog = "signals: {la: {unit: deg, rate: 10}, lo: {unit: deg, rate: 10}}\n"
    catalog += "position: {latitude: la, longitude: lo}\n"
    path = drive("d.parquet", t=start_s + times(10, 60), la=np.full(600, 48.0), lo=np.full(600, 11.0))
    report, told = backtest("trigger a { when la > 50 deg and sun_elevation < 90 deg }", catalog, path)
    found = [(each["column"], each["count"], each["row"]) for each in report["findings"]]
    assert found == ([("t", rows, 0)] if rows else [])
    assert ("`solar_time` and `sun_elevation` are unknown there" in told) is bool(rows)
    report, _ = backtest("trigger a { when la > 50 deg }", catalog, path)
    assert report["findings"] == []


def test_a_condition_without_parts_says_that_it_was_never_true(backtest: Backtest) -> None:
    path = drive("d.parquet", t=times(10, 60), x=pulse())
    report, _ = backtest("trigger a { when x > 2 }", "signals:\n  x: {rate: 10}\n", path)
    a = report["triggers"]["a"]
    assert (a["parts"], a["why_not"]) == ([], "it was never true")
    assert (a["condition"]["true"], a["condition"]["false"]) == (0.0, 1.0)


@pytest.mark.parametrize(("hz", "shown"), [(10, "59.9 s"), (0.5, "1,198 s")])
def test_a_condition_that_is_true_from_the_beginning_says_that_it_did_not_become_true(
    backtest: Backtest, hz: float, shown: str
) -> None:
    path = drive("d.parquet", t=np.arange(600) / hz, x=np.ones(600))
    report, _ = backtest("trigger a { when x > 0 }", f"signals:\n  x: {{rate: {hz}}}\n", path)
    expected = f"it was true for {shown}, but it did not become true: it was never false before"
    assert report["triggers"]["a"]["why_not"] == expected


def test_a_condition_that_is_true_after_a_gap_says_that_a_segment_began_with_it(backtest: Backtest) -> None:
    t = times(10, 60)
    path = drive("d.parquet", t=np.where(t < 30, t, t + 90), x=np.where(t < 30, -1.0, 1.0))
    report, _ = backtest("trigger a { when x > 0 }", "signals:\n  x: {rate: 10}\n", path)
    expected = "it did not become true: segments began with it true, or it was unknown until then"
    assert expected in report["triggers"]["a"]["why_not"]


def test_parts_that_are_never_true_together_are_told_with_the_closest_moment(
    backtest: Backtest, capsys: pytest.CaptureFixture[str]
) -> None:
    y = np.where(pulse() > 0.5, 0.0, 1.0)
    path = drive("d.parquet", t=times(10, 60), x=pulse(), y=y)
    source = "let both = x > 0.5 and y > 0.5\ntrigger a { when both and y < 2 }"
    report, _ = backtest(source, "signals:\n  x: {rate: 10}\n  y: {rate: 10}\n", path)
    a = report["triggers"]["a"]
    parts = [(part["text"], part["depth"]) for part in a["parts"]]
    assert parts == [("both", 0), ("x > 0.5", 1), ("y > 0.5", 1), ("y < 2", 0)]
    assert [a["parts"][0][share] for share in ("true", "false", "unknown")] == [None] * 3
    assert a["parts"][1]["true"] + a["parts"][2]["true"] == pytest.approx(1)
    assert a["why_not"] == (
        "each part was true at some time, but never all of them at once; "
        "all but `both: x > 0.5` were true first at 0.000 s of drive d"
    )
    assert main(["backtest", "t.trigger", "--signals", "s.yaml", "--drives", path]) == 0
    lines = capsys.readouterr().out.splitlines()
    heading = next(number for number, line in enumerate(lines) if line.startswith("condition "))
    names = [re.split(r"(?<=\S)  ", line)[0] for line in lines[heading + 1 : heading + 6]]
    assert names == ["a", "  both", "    x > 0.5", "    y > 0.5", "  y < 2"]


def test_a_trigger_that_fired_needs_no_reason(backtest: Backtest) -> None:
    path = drive("d.parquet", t=times(10, 60), x=pulse())
    report, _ = backtest("trigger a { when x > 0.5 }", "signals:\n  x: {rate: 10}\n", path)
    assert report["triggers"]["a"]["why_not"] is None


def test_budgets_are_compared_with_clips_and_forecast(backtest: Backtest) -> None:
    budget = "budget 1 kB per vehicle per day, 1 clips per vehicle per day, 3 clips, 1 GB total"
    budget += " upload up to 2 kB on cellular"
    source = f"trigger a {{ when x > 0.5 }}\ncampaign c {{ collect a {budget} }}"
    path = drive("d.parquet", t=times(10, 60), x=pulse())
    report, told = backtest(source, "signals:\n  x: {rate: 10}\n", path)
    assert "1 of 1 clip cannot be uploaded: larger than the budget of campaign `c`, 1.0 kB per vehicle per day" in told
    limits = {use["limit"]: use for use in report["budgets"]}
    assert {limit: use["larger_clips"] for limit, use in limits.items()} == {
        "vehicle_day_bytes": 1,
        "vehicle_day_clips": 0,
        "total_bytes": 0,
        "clips": 0,
        "upload_bytes": 1,
    }
    clips_per_day = report["forecast"]["clips_per_fleet_day"]["mean"]
    assert limits["clips"]["days"]["mean"] == pytest.approx(3 / clips_per_day)
    assert limits["vehicle_day_bytes"]["days"] is limits["vehicle_day_clips"]["days"] is None
    of_vehicle = report["forecast"]["clips_per_vehicle_day"]
    assert limits["vehicle_day_clips"]["per_day"]["mean"] == pytest.approx(of_vehicle["mean"])
    exceeded = f"{of_vehicle['mean']:.1f} clips per vehicle and day are expected, more than the budget of campaign `c`"
    assert of_vehicle["mean"] > 1 and f"{exceeded}, 1 clip per vehicle per day" in told


def test_the_distance_uses_the_column_named_like_the_signal(backtest: Backtest) -> None:
    path = drive("d.parquet", **{"t": times(10, 11), "ego.speed": np.full(110, 10.0)})
    catalog = "signals:\n  ego.speed: {unit: m/s, rate: 10, column: can_speed}\n"
    report, _ = backtest("trigger a { when ego.speed > 50 m/s }", catalog, path)
    assert report["km"] == pytest.approx(0.109)


def test_drives_of_one_name_are_told_apart(backtest: Backtest) -> None:
    for year in (2024, 2025):
        drive(f"{year}/7/signals.parquet", t=[0.0, 1.0], x=[0.0, 1.0])
    drive("2025/8/signals.parquet", t=[0.0, 1.0], x=[0.0, 1.0])
    report, _ = backtest("trigger a { when x > 0.5 }", "signals:\n  x: {rate: 1}\n", "2024", "2025")
    assert [fire["drive"] for fire in report["fires"]] == ["2024/7", "2025/7", "8"]
    assert [each["drive"] for each in report["by_drive"]] == ["2024/7", "2025/7", "8"]


def test_linked_folders_are_searched_without_circles(backtest: Backtest) -> None:
    drive("store/d1/signals.parquet", t=[0.0, 1.0], x=[0.0, 1.0])
    drive("sel/d2.parquet", t=[0.0, 1.0], x=[0.0, 1.0])
    Path("sel/d1").symlink_to(Path("store/d1").resolve())
    Path("sel/again").symlink_to(Path("store").resolve())
    Path("store/circle").symlink_to(Path("sel").resolve())
    report, _ = backtest("trigger a { when x > 0.5 }", "signals:\n  x: {rate: 1}\n", "sel")
    assert sorted(each["drive"] for each in report["by_drive"]) == ["d1", "d2"]


def test_integer_times_of_a_declared_unit_are_read(backtest: Backtest) -> None:
    path = drive("d.parquet", ts=(times(10, 60) * 1e9).astype(np.int64) + 1_700_000_000_000_000_000, x=pulse())
    source, catalog = "trigger a { when x > 0.5 }", "signals:\n  x: {rate: 10}\ntime: {column: ts"
    report, _ = backtest(source, catalog + ", unit: ns}\n", path)
    assert fires(report)["a"] == [1_700_000_030.0]
    _, told = backtest(source, catalog + "}\n", path, status=1)
    assert "column `ts` has the type int64, and nothing says what it counts; add `time: {column: ts, unit: ns}`" in told


@pytest.mark.parametrize(
    ("outputs", "status", "said"),
    [
        (["--fires", "d.parquet"], 1, "--fires d.parquet: this file is an input of this backtest"),
        (["--results", "link.parquet"], 1, "--results link.parquet: this file is an input"),
        (["--json", "t.trigger"], 1, "--json t.trigger: this file is an input"),
        (["--json", "s.yaml"], 1, "--json s.yaml: this file is an input"),
        (["--fires", "x", "--results", "./x"], 1, "--results x: this file is also that of --fires"),
        (["--hours-per-day", "nan"], 2, "'nan' is not a number"),
    ],
)
def test_nothing_that_is_read_is_written_over(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    outputs: list[str],
    status: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    drive("d.parquet", t=times(10, 1), x=pulse(5, 10, 1))
    Path("link.parquet").symlink_to("d.parquet")
    Path("t.trigger").write_text("trigger a { when x > 0 }")
    Path("s.yaml").write_text("signals: {x: {rate: 10}}")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert main(["backtest", "t.trigger", "--signals", "s.yaml", "--drives", "d.parquet", *outputs]) == status
    assert said in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
