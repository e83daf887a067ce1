"""The made-up drive of examples/driving_team: 15 minutes with a scene for each trigger, and scenes that are none.

    .venv/bin/python -m tools.example_drive drive.parquet

`SCENES` says which trigger fires when. Everything else in the drive must not fire: a lead that is far away, a braking
planner behind a vehicle, a counter that wraps, a turn that is too wide.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from triggers.drives.series import SignalSeries, write_drive
from triggers.signals.catalog import SignalCatalog
from triggers.signals.object_columns import ObjectColumn, ObjectSeries
from triggers.signals.objects import ObjectSample
from triggers.times import NS_PER_S

Numbers = NDArray[np.float64]
Span = tuple[float, float, float | Callable[[Numbers], Numbers]]
"""From, until (s), and the value there: a number, or a function of the times since the span's beginning."""

CATALOG = Path(__file__).parents[1] / "examples/driving_team/signals.yaml"
DURATION_S = 900
START_NS = 1_767_600_000 * NS_PER_S  # 2026-01-05, 08:00 UTC
METRES_PER_DEGREE = 111_195.0
CROSSING_S = 830.0

SCENES: dict[str, tuple[float, ...]] = {
    "cut_in": (39.25,),
    "time_to_collision": (54.6,),
    "stop_sign_roll": (104.8,),
    "swerve_and_recover": (141.0,),
    "hard_braking_at_the_crossing": (838.0,),
    "motorway_exit": (200.0,),
    "u_turn": (242.6,),
    "limit_mismatch": (325.0,),
    "phantom_braking": (340.2,),
    "steering_divergence": (400.3,),
    "lane_change_aborted": (424.0,),
    "driver_overrides": (381.0,),
    "object_flickers": (441.2,),
    "prediction_failed": (72.2,),
    "satellites_lost": (466.0,),
    "lidar_frozen": (492.0,),
    "steering_stuck": (550.0,),
    "grip_lost": (600.0,),
    "first_ice": (625.0,),
    "frame_dropped": (660.0,),
    "wheel_slip": (670.1,),
    "high_beam_in_rain": (716.0,),
    "odometer_jump": (750.0,),
    "fault_stored": (760.0, 770.0),
    "door_open_while_moving": (791.0,),
}
"""By trigger, when it fires, in seconds of the drive, to a quarter of a second."""

_PASSING: tuple[tuple[float, float, int, Sequence[tuple[float, float]], Sequence[tuple[float, float]]], ...] = (
    (36, 45, 11, [(36, 12), (45, 12)], [(36, 4), (38, 4), (40, 0), (45, 0)]),
    (28, 34, 21, [(28, 20), (34, 10)], [(28, 3.5), (34, 3.5)]),
    (57, 59, 22, [(57, 8), (59, 20)], [(57, -3), (59, -3)]),
)
"""Others that are tracked: from, until, their id, how far ahead (m) and how far to the left (m) at some times."""
_LEADS: tuple[tuple[float, float, int, Sequence[tuple[float, float]]], ...] = (
    (20, 30, 7, [(20, 40)]),
    (30, 40, 9, [(30, 50)]),
    (40, 45, 11, [(40, 12)]),
    (50, 80, 12, [(50, 40), (52, 40), (54.8, 12), (60, 12), (64, 32), (66, 28)]),
    (345, 355, 14, [(345, 30)]),
)
"""Vehicles ahead: from, until, their id, and their distance (m) at some times, straight between them."""


def make_drive() -> dict[str, SignalSeries]:
    """The samples of every signal of the catalog that has samples of its own."""
    catalog = SignalCatalog.load(CATALOG)
    signals: dict[str, SignalSeries] = {}
    for name, (times, values) in {**_chassis(), **_traffic(), **_assistant(), **_surroundings()}.items():
        declared = catalog.signals[name]
        numbers = [float(declared.values.index(value)) if isinstance(value, str) else float(value) for value in values]
        signals[name] = SignalSeries(_ns(times), np.array(numbers))
    if missing := catalog.sampled - signals.keys():
        raise ValueError(f"the drive has no {', '.join(sorted(missing))}")
    return signals


def make_objects() -> dict[str, ObjectSeries]:
    """The samples of the list of tracked objects, 20 times a second: those ahead, and those that pass."""
    tracked = SignalCatalog.load(CATALOG).objects["tracked"]
    t = _at(20)
    courses = [(*each, [(each[0], 0.0)]) for each in _LEADS if each[2] not in {number for _, _, number, *_ in _PASSING}]
    samples: list[dict[int, tuple[float, ...]]] = [{} for _ in t]
    for start, end, number, ahead, left in (*courses, *_PASSING):
        rows = np.flatnonzero((t >= start - 1e-9) & (t < end - 1e-9))
        x, y = (_along(course, t[rows]) for course in (ahead, left))
        for row, *place in zip(rows.tolist(), x.tolist(), y.tolist(), np.gradient(x, t[rows]).tolist(), strict=True):
            samples[row][number] = (0.0, *place)
    column = ObjectColumn.of([ObjectSample(tuple(each), tuple(each.values())) for each in samples], 4)
    return {"tracked": ObjectSeries(_ns(t), column, (tracked.key, *tracked.value_fields))}


def _along(course: Sequence[tuple[float, float]], t: Numbers) -> Numbers:
    """A value at these times, straight between those that it has at some."""
    at, values = zip(*course, strict=True)
    between: Numbers = np.interp(t, at, values)
    return between


def _ns(seconds: Sequence[float] | Numbers) -> NDArray[np.int64]:
    times: NDArray[np.int64] = START_NS + np.round(np.asarray(seconds, np.float64) * NS_PER_S).astype(np.int64)
    return times


_Samples = dict[str, tuple[Sequence[float] | Numbers, Sequence[float | str] | Numbers]]


def _at(rate_hz: float) -> Numbers:
    return np.arange(0, DURATION_S, 1 / rate_hz)


def _steady(t: Numbers, base: float | Numbers, *spans: Span) -> tuple[Numbers, Numbers]:
    """A signal with one value but for some spans."""
    values = np.full(len(t), base) if isinstance(base, float) else base.copy()
    for start, end, value in spans:
        inside = (t >= start - 1e-9) & (t < end - 1e-9)
        values[inside] = value(t[inside] - start) if callable(value) else value
    return t, values


def _speed(t: Numbers) -> Numbers:
    """The car's speed in km/h: straight between what it does."""
    times = [0, 92, 96, 106, 110, 116, 120, 123, 124, 126, 130, 226, 230, 246, 250, 516, 520, 530, 534, 811, 815, 850]
    speeds = [60, 60, 20, 20, 60, 60, 20, 20, 0, 0, 60, 60, 15, 15, 60, 60, 0, 0, 60, 60, 30, 30]
    return np.interp(t, times, speeds)


def _chassis() -> _Samples:
    fast, gnss, slow = _at(100), _at(10), _at(1)
    speed = _speed(fast)
    metres = np.cumsum(speed) / 3.6 / 100
    north = np.interp(gnss, fast, metres - np.interp(CROSSING_S, fast, metres))
    wheels = {f"wheel.{wheel}": (fast, speed) for wheel in ("fl", "fr", "rl")}
    noise = np.random.default_rng(25)
    hard = [(start, start + 0.5, -5.0) for start in (160, 165, 170, 822, 830, 838)]
    turned = np.interp(gnss, [230, 245, 260, 270, 280, 300], [350, 530, 530, 620, 620, 800])
    return {
        **wheels,
        "wheel.rr": _steady(fast, speed, (670, 671, lambda t: 75 + 0 * t), (680, 680.05, lambda t: 75 + 0 * t)),
        "ego.speed": (fast, speed),
        "ego.accel_x": _steady(fast, 0.0, *hard),
        "ego.accel_y": _steady(fast, 0.0, (140, 140.5, 5), (141, 141.5, -5), (150, 150.5, 5), (153, 153.5, -5)),
        "ego.yaw_rate": _steady(fast, 0.1, (230, 245, 12), (545, 560, 8)),
        "ego.heading": (gnss, turned % 360),
        "ego.steer_angle": _steady(fast, noise.normal(0, 1, len(fast)), (540, 560, 3), (570, 585, 3)),
        "ego.latitude": (gnss, 48.137 + north / METRES_PER_DEGREE),
        "ego.longitude": (gnss, np.full(len(gnss), 11.575)),
        "ego.odometer": (slow, 1000 + np.interp(slow, fast, metres) / 1000 + 4000 * (slow >= 750)),
        "gnss.fix": (gnss, ["none" if 460 <= t < 475 or 480 <= t < 483 else "3d" for t in gnss.tolist()]),
        "abs.active": _steady(_at(50), 0.0, (600, 600.4, 1)),
        "tc.active": _steady(_at(50), 0.0, (610, 610.4, 1)),
        "door.open": ([790, 795, 800, 800.5], [1, 0, 1, 0]),
        "dtc.count": ([0, 760, 775], [0, 1, 0]),
        "dtc.status": ([0, 770, 778, 780], [0, 4, 0, 2]),
    }


def _traffic() -> _Samples:
    """The vehicles ahead, and what the shadow network predicts for them: the truth, but for two seconds."""
    times, ids, distances, predicted_at, predicted = [], [], [], [], []
    for start, end, number, course in _LEADS:
        t = start + np.arange(0, end - start, 1 / 20)
        at, metres = zip(*course, strict=True)
        distance = np.interp(t, at, metres)
        times += t.tolist()
        ids += [number] * len(t)
        distances += distance.tolist()
        soon = t[t < end - 2]
        predicted_at += soon.tolist()
        predicted += _steady(soon, np.interp(soon + 2, at, metres), (70, 72, 45))[1].tolist()
    approach = _at(10)
    approach = approach[((approach >= 100) & (approach < 106)) | ((approach >= 118) & (approach < 127))]
    ahead = np.interp(approach, [100, 105, 106, 118, 123.5, 126, 127], [30, 1, 0.5, 30, 2.5, 2.5, 0.5])
    return {
        "lead.id": (times, ids),
        "lead.distance": (times, distances),
        "shadow.lead.distance_in_2s": (predicted_at, predicted),
        "sign.stop_distance": (approach, ahead),
        "lane.road_class": ([0, 180, 200, 210, 215, 220], ["trunk", "motorway", "exit", "trunk", "exit", "trunk"]),
        "map.speed_limit": ([0, 310, 330], [50, 100, 80]),
        "sign.speed_limit": ([0, 313, 320], [50, 100, 80]),
    }


def _assistant() -> _Samples:
    medium, heads = _at(50), _at(20)
    braking: list[Span] = [(340, 341, -5), (350, 351, -5), (360, 361, -5), (370, 370.1, -5), (380, 381, -2.5)]
    seen = [_toggling(t, 440, 442) or _toggling(t, 450, 450.8) for t in heads.tolist()]
    return {
        "planner.brake": _steady(medium, 0.0, *braking, (390, 391, -2.5)),
        "planner.maneuver": (
            [0, 420, 424, 426, 430, 434, 436, 438],
            ["keep", "change_left", "abort", "keep", "change_right", "keep", "abort", "keep"],
        ),
        "driver.brake": _steady(medium, 0.0, (359, 359.5, 1)),
        "driver.accel_pedal": _steady(medium, 5.0),
        "driver.steer_torque": _steady(_at(100), 0.0, (381, 381.5, 5), (393.5, 394, 5)),
        "active.steer.angle": _steady(heads, 0.0),
        "shadow.steer.angle": _steady(heads, 0.0, (400, 402, 0.2), (410, 412, 0.05), (415, 415.2, 0.2)),
        "active.object.present": (heads, [0 if gone else 1 for gone in seen]),
        "shadow.object.present": _steady(heads, 1.0),
    }


def _toggling(t: float, start: float, end: float) -> bool:
    """True in every second fifth of a second of a span."""
    return start <= t < end and round((t - start) * 20) // 4 % 2 == 0


def _surroundings() -> _Samples:
    slow, lidar, camera = _at(1), _at(10), _at(30)
    points = np.random.default_rng(7).integers(1000, 2000, len(lidar)).astype(np.float64)
    return {
        "lidar.points": _steady(lidar, points, (490, 495, 1500), (521, 529, 1500)),
        "cam.front.frame": (camera, (np.arange(len(camera)) + 7 * (camera >= 660)) % 256),
        "env.temperature": _steady(slow, 3.0, (620, 640, -1), (648, 655, -1)),
        "env.light": _steady(slow, 1000.0, (700, 730, 5), (740, 745, 5)),
        "lights.high_beam": ([705, 750], [1, 0]),
        "wipers.mode": (
            [625, 645, 650, 656, 706, 748],
            ["slow", "off", "slow", "off", "fast", "off"],
        ),
    }


def write_example(path: Path) -> None:
    """Write the drive to a file."""
    write_drive(path, make_drive(), start_ns=START_NS, objects=make_objects())


def main() -> None:
    """Write the drive to the file that is named on the command line."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tools.example_drive DRIVE.parquet")
    write_example(Path(sys.argv[1]))
    sys.stdout.write(f"{sys.argv[1]}: {DURATION_S // 60} minutes, in which {len(SCENES)} triggers fire\n")


if __name__ == "__main__":
    main()
