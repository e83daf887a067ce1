"""Evaluation of a condition over a clip's extracted signals: as on the vehicle, and as the reference interpreter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triggers.drives.file import START_KEY
from triggers.drives.series import SignalSeries, write_drive
from triggers.errors import DiagnosticsError
from triggers.language.compile import CONDITION, compile_condition
from triggers.language.reference.interpreter import Interpreter
from triggers.language.rows import Row
from triggers.scan.condition import compile_for_scan
from triggers.scan.evaluate import Evaluator, scan_clip
from triggers.scan.scanned import MAX_INSTANTS, Scanned
from triggers.signals.catalog import SignalCatalog

CATALOG = SignalCatalog.parse(
    """
signals:
  ego.speed: {unit: m/s, rate: 50}
  lead.distance: {unit: m, rate: 20}
  ego.gear: {type: text, values: [P, R, D], update: on_change}
  brake: {type: bool, rate: 50}
""",
    name="signals.yaml",
)
MS = 1_000_000
START_NS = 1_796_472_000_012_345_678
"""Not a multiple of 100 ms, so heartbeats are not where they would be if the clip began at 0."""
CUT_IN = "rate(ego.speed over 1.5 s) < -3 m/s^2 then lead.distance < 5 m within 2 s"


def series(samples: dict[int, float]) -> SignalSeries:
    """Samples by time in ms after the start."""
    times = [START_NS + ms * MS for ms in sorted(samples)]
    return SignalSeries(np.array(times, np.int64), np.array([samples[ms] for ms in sorted(samples)], float))


def clip(folder: Path, **signals: dict[int, float]) -> bytes:
    """The file of extracted signals; `__` stands for the point in a signal's name."""
    path = folder / "signals.parquet"
    named = {name.replace("__", "."): series(samples) for name, samples in signals.items()}
    write_drive(path, named, start_ns=START_NS)
    return path.read_bytes()


def scan(condition: str, data: bytes) -> Scanned:
    return scan_clip(data, [Evaluator(compile_for_scan(condition, CATALOG)[0])])


def at_ms(scanned: Scanned) -> list[float]:
    assert scanned.problem is None
    assert scanned.count == len(scanned.t_ns)
    return [(t_ns - START_NS) / MS for t_ns in scanned.t_ns]


def test_a_sequence_is_found_at_the_moment_it_is_complete(tmp_path: Path) -> None:
    speed = {ms: 20.0 if ms <= 2000 else max(0.0, 20 - (ms - 2000) / 1000 * 6) for ms in range(0, 5000, 20)}
    data = clip(tmp_path, ego__speed=speed, lead__distance={ms: 30 - ms / 200 for ms in range(0, 6001, 50)})
    # 30 m at first, 1 m less in 200 ms: below 5 m only after 5 s, more than 2 s after the braking became hard
    assert at_ms(scan(CUT_IN, data)) == []
    closer = clip(tmp_path, ego__speed=speed, lead__distance={ms: 30 - ms / 120 for ms in range(0, 6001, 50)})
    assert at_ms(scan(CUT_IN, closer)) == [3050]


def test_nothing_is_known_before_a_clip_begins_so_what_is_true_from_its_start_is_no_instant(tmp_path: Path) -> None:
    fast = clip(tmp_path, ego__speed=dict.fromkeys(range(0, 1000, 20), 30.0))
    assert at_ms(scan("ego.speed > 20 m/s", fast)) == []
    assert at_ms(scan("ego.speed > 20 m/s for 500 ms", fast)) == [500], "it becomes true within the clip"
    again = clip(tmp_path, ego__speed={ms: 10.0 if 300 <= ms < 600 else 30.0 for ms in range(0, 1000, 20)})
    assert at_ms(scan("ego.speed > 20 m/s", again)) == [600]


def test_a_value_that_still_held_when_the_clip_began_counts(tmp_path: Path) -> None:
    data = clip(tmp_path, ego__gear={0: 2.0, 4000: 1.0}, ego__speed=dict.fromkeys(range(0, 6000, 20), 1.0))
    assert at_ms(scan('rise(ego.gear == "R") and ego.speed > 0.5 m/s', data)) == [4000]


def test_values_that_a_signal_cannot_have_are_unknown_as_in_a_backtest(tmp_path: Path) -> None:
    data = clip(tmp_path, brake={0: 0.0, 20: 2.0, 40: 1.0})
    assert at_ms(scan("missing(brake)", data)) == [20]


def test_values_of_a_clip_are_in_units_and_not_converted_again_but_their_range_holds(tmp_path: Path) -> None:
    declared = "signals: {v: {unit: m/s, rate: 10, scale: 0.01, invalid: [30], max: 100, red: [0, 20]}}"
    catalog = SignalCatalog.parse(declared, name="signals.yaml")
    data = clip(tmp_path, v={0: 10.0, 100: 30.0, 200: 10.0, 300: 500.0, 400: 15.0, 500: 25.0})
    scanned = scan_clip(data, [Evaluator(compile_for_scan("v outside red", catalog)[0])])
    assert at_ms(scanned) == [100, 500]


def test_heartbeats_are_at_the_vehicles_full_tenths_of_a_second(tmp_path: Path) -> None:
    data = clip(tmp_path, lead__distance={0: 3.0}, ego__speed=dict.fromkeys(range(0, 2000, 20), 1.0))
    (t_ms,) = at_ms(scan("missing(lead.distance)", data))
    assert (START_NS + round(t_ms * MS)) % (100 * MS) == 0


def test_signals_that_a_clip_has_not_are_named(tmp_path: Path) -> None:
    data = clip(tmp_path, ego__speed={0: 1.0})
    assert scan(CUT_IN, data).problem == "it has no signal `lead.distance`"


def test_the_first_condition_whose_signals_the_clip_has_is_evaluated(tmp_path: Path) -> None:
    data = clip(tmp_path, ego__speed={0: 1.0, 20: 30.0})
    lead, speed = (
        Evaluator(compile_for_scan(text, CATALOG)[0]) for text in ("lead.distance < 5 m", "ego.speed > 20 m/s")
    )
    assert at_ms(scan_clip(data, [lead, speed])) == [20]


def test_only_the_first_instants_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    data = clip(tmp_path, brake={ms: float(ms // 20 % 2) for ms in range(0, 20 * 2 * (MAX_INSTANTS + 100), 20)})
    scanned = scan("brake", data)
    assert (len(scanned.t_ns), scanned.count) == (MAX_INSTANTS, MAX_INSTANTS + 100)
    assert list(scanned.t_ns) == sorted(scanned.t_ns)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data[:4] + bytes(len(data) - 200) + data[-196:],
        lambda data: b"PAR1" + b"\xff" * 200 + b"PAR1",
    ],
)
def test_a_damaged_file_is_a_problem_of_its_clip_and_of_no_other(tmp_path: Path, damage: object) -> None:
    data = clip(tmp_path, ego__speed={0: 1.0, 20: 30.0})
    evaluator = Evaluator(compile_for_scan("ego.speed > 20 m/s", CATALOG)[0])
    assert "cannot be read" in str(scan_clip(damage(data), [evaluator]).problem)  # type: ignore[operator]
    assert at_ms(scan_clip(data, [evaluator])) == [20]


@pytest.mark.parametrize("start", [None, b"soon", b"-5", b"99999999999999999999"])
def test_a_file_without_a_start_in_time_is_refused(tmp_path: Path, start: bytes | None) -> None:
    table = pa.table({"t": [0.0, 1.0], "ego.speed": [1.0, 2.0]})
    path = tmp_path / "odd.parquet"
    pq.write_table(table.replace_schema_metadata({START_KEY: start} if start else {}), path)
    assert "cannot be read" in str(scan("ego.speed > 20 m/s", path.read_bytes()).problem)


@pytest.mark.parametrize(
    ("times", "problem"),
    [
        ([1.0, 0.0], "do not ascend"),
        ([0.0, 0.0], "do not ascend"),
        ([-1.0, 0.0], "do not ascend"),
        ([0.0, float("nan")], "do not ascend"),
        ([0.0, 1e9], "do not ascend"),
        ([None, 1.0], "`t` is not in seconds"),
    ],
)
def test_times_that_do_not_ascend_are_refused(tmp_path: Path, times: list[float | None], problem: str) -> None:
    table = pa.table({"t": pa.array(times, pa.float64()), "ego.speed": [1.0, 2.0]})
    path = tmp_path / "odd.parquet"
    pq.write_table(table.replace_schema_metadata({START_KEY: b"5"}), path)
    assert problem in str(scan("ego.speed > 20 m/s", path.read_bytes()).problem)


def test_a_condition_is_one_expression_with_places_of_its_own() -> None:
    with pytest.raises(DiagnosticsError) as caught:
        compile_for_scan("ego.speed > 3 m/s } trigger b { when true", CATALOG)
    assert caught.value.diagnostics[0]["code"] == "LT103"
    with pytest.raises(DiagnosticsError) as caught:
        compile_for_scan("ego.sped > 3", CATALOG)
    assert (caught.value.diagnostics[0]["line"], caught.value.diagnostics[0]["column"]) == (1, 1)


CONDITIONS = (
    CUT_IN,
    "avg(ego.speed over 300 ms) > 10 m/s and not missing(lead.distance)",
    "count(brake over 500 ms) >= 2 or lead.distance < 3 m for 200 ms",
    "changed(ego.gear) then brake within 1 s",
)
SAMPLES = st.dictionaries(st.integers(0, 8000), st.sampled_from([0.0, 1.0, 2.0, 12.0, 40.0]), max_size=60)


@settings(max_examples=60)
@given(st.sampled_from(CONDITIONS), SAMPLES, SAMPLES, SAMPLES, SAMPLES)
def test_the_instants_are_those_of_the_reference_interpreter(
    tmp_path_factory: pytest.TempPathFactory,
    condition: str,
    speed: dict[int, float],
    distance: dict[int, float],
    gear: dict[int, float],
    brake: dict[int, float],
) -> None:
    gear = {ms: min(value, 2.0) for ms, value in gear.items()}
    brake = {ms: min(value, 1.0) for ms, value in brake.items()}
    data = clip(tmp_path_factory.mktemp("clip"), ego__speed=speed, lead__distance=distance, ego__gear=gear, brake=brake)
    of_times: dict[int, dict[str, float]] = {}
    named = {"ego.speed": speed, "lead.distance": distance, "ego.gear": gear, "brake": brake}
    for name, samples in named.items():
        for ms, value in samples.items():
            of_times.setdefault(ms, {})[name] = value
    compilation = compile_condition(condition, filename="when", catalog=CATALOG)
    assert compilation.triggers is not None
    interpreter = Interpreter(compilation.triggers.ir)
    expected: list[int] = []
    gear_before, last_ms = None, None
    for ms in sorted(of_times):
        samples = dict(of_times[ms])
        if last_ms is not None and ms - last_ms > 2000 and gear_before is not None:
            samples.setdefault("ego.gear", gear_before)  # told again after a gap
        gear_before, last_ms = samples.get("ego.gear", gear_before), ms
        expected += [fire.t_ns for fire in interpreter.run([Row(START_NS + ms * MS, samples)])]
    scanned = scan(condition, data)
    assert (scanned.problem, list(scanned.t_ns)) == (None, expected)
    assert compilation.triggers.settings[0].name == CONDITION
