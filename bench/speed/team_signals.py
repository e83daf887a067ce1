"""The 43 signals of a team's triggers: a catalog, and dense drives in their units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.speed.made_drives import Drives, Floats, make_drives
from triggers.signals.catalog import SignalCatalog

RATE_HZ = 36
GEARS = ("P", "R", "N", "D")
LIGHTS = ("none", "red", "yellow", "green")
PLACE = (48.13, 11.58)
_DEGREES_PER_SIGMA = 0.05


@dataclass(frozen=True)
class Measured:
    """A number: its unit, mean and standard deviation in the made drives."""

    unit: str
    mean: float
    sigma: float

    def at(self, sigmas: float) -> float:
        """A threshold a number of standard deviations above the mean, rounded as an author would write it."""
        return float(f"{self.mean + sigmas * self.sigma:.3g}")


NUMBERS: dict[str, Measured] = {
    "ego.speed": Measured("m/s", 15, 6),
    "ego.accel.longitudinal": Measured("m/s^2", 0, 1.5),
    "ego.accel.lateral": Measured("m/s^2", 0, 1.2),
    "ego.yaw_rate": Measured("deg/s", 0, 12),
    "ego.steering_angle": Measured("deg", 0, 30),
    "ego.brake_pressure": Measured("bar", 5, 4),
    "ego.throttle": Measured("%", 20, 12),
    "ego.pitch": Measured("deg", 0, 2),
    "ego.roll": Measured("deg", 0, 2),
    "lead.distance": Measured("m", 40, 15),
    "lead.speed": Measured("m/s", 14, 6),
    "lane.offset": Measured("m", 0, 0.4),
    "lane.curvature": Measured("1/m", 0, 0.004),
    "lane.width": Measured("m", 3.4, 0.3),
    "radar.lead.distance": Measured("m", 40, 15),
    "vision.lead.distance": Measured("m", 40, 15),
    "camera.exposure": Measured("ms", 10, 4),
    "weather.rain": Measured("%", 30, 20),
    "soc.temperature": Measured("degC", 60, 10),
    "battery.charge": Measured("%", 60, 15),
    "planner.cost": Measured("", 10, 4),
    "localization.error": Measured("m", 0.3, 0.1),
}
TRUTHS = (
    "ego.engaged", "driver.brake", "driver.override", "driver.hands_on", "lane.valid",
    "lead.valid", "weather.wipers", "planner.degraded",
)  # fmt: skip
NUMBER_HEADS = {"cut_in.prob": Measured("", 0.5, 0.25), "free_space": Measured("m", 30, 10)}
TRUTH_HEADS = ("cut_in.detected", "pedestrian.detected")
TEXT_HEAD = "traffic_light"
_HEAD_NOISE = 0.3


def catalog() -> SignalCatalog:
    """The signals, 36 times a second each."""
    lines = [_line(name, unit=measured.unit) for name, measured in NUMBERS.items()]
    lines += [_line(name, kind="bool") for name in TRUTHS]
    lines += [f"ego.gear: {{type: text, values: [{', '.join(GEARS)}], rate: {RATE_HZ}}}"]
    for side in ("active", "shadow"):
        lines += [_line(f"{side}.{name}", unit=measured.unit) for name, measured in NUMBER_HEADS.items()]
        lines += [_line(f"{side}.{name}", kind="bool") for name in TRUTH_HEADS]
        lines += [f"{side}.{TEXT_HEAD}: {{type: text, values: [{', '.join(LIGHTS)}], rate: {RATE_HZ}}}"]
    lines += [_line(f"ego.{name}", unit="deg") for name in ("latitude", "longitude")]
    text = "max_gap: 2.0\nposition: {latitude: ego.latitude, longitude: ego.longitude}\nsignals:\n"
    return SignalCatalog.parse(text + "".join(f"  {line}\n" for line in lines), name="the team's catalog")


def _line(name: str, *, unit: str = "", kind: str = "number") -> str:
    given = f', unit: "{unit}"' if unit else ""
    return f"{name}: {{type: {kind}{given}, rate: {RATE_HZ}}}"


def make_team_drives(*, drives: int, rows: int, seed: int) -> Drives:
    """Dense drives of all signals; bools as 0 and 1, texts as indexes, shadows as noisy copies of their actives."""
    heads = (*NUMBER_HEADS, *TRUTH_HEADS, TEXT_HEAD)
    names = [*NUMBERS, *TRUTHS, "ego.gear", "ego.latitude", "ego.longitude"]
    names += [f"{side}.{head}" for head in heads for side in ("active", "shadow")]
    made = make_drives(names, drives=drives, rows=rows, rate_hz=RATE_HZ, seed=seed)
    columns = dict(made.columns)
    for head in heads:
        columns[f"shadow.{head}"] = columns[f"active.{head}"] + _HEAD_NOISE * columns[f"shadow.{head}"]
    for name, column in columns.items():
        columns[name] = _in_units(name, column)
    return Drives(made.t_ns, columns, made.count, made.rate_hz)


def _in_units(name: str, column: Floats) -> Floats:
    head = name.partition(".")[2]
    measured = NUMBERS.get(name) or NUMBER_HEADS.get(head)
    if measured is not None:
        return measured.mean + measured.sigma * column
    if name in TRUTHS or head in TRUTH_HEADS:
        return (column > 0.3).astype(np.float64)
    if name in ("ego.latitude", "ego.longitude"):
        return PLACE[name == "ego.longitude"] + _DEGREES_PER_SIGMA * column
    return np.clip(np.floor(column + 2), 0, 3)


def is_bool(name: str) -> bool:
    """Whether a signal is a bool."""
    return name in TRUTHS or name.partition(".")[2] in TRUTH_HEADS


def is_index(name: str) -> bool:
    """Whether a signal is a text, carried as an index."""
    return name in ("ego.gear", f"active.{TEXT_HEAD}", f"shadow.{TEXT_HEAD}")
