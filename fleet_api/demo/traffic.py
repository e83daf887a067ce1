"""The ground truth of a generated drive: simulated traffic, before any sensor observes it.

A car follows a leader by the Intelligent Driver Model (Treiber, Hennecke and Helbing, Phys. Rev. E 62, 2000) with a
driver who sees the leader half a second late, so that emergencies end in hard braking. A script of events makes the
leader brake hard or stop, or a neighbour cut in. The same seed gives the same drive, bit for bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

STEP_S = 0.02
LANE_WIDTH_M = 3.5
LANE_CHANGE_S = 2.5
METRES_PER_DEGREE = 111_320.0
_REACTION_STEPS = 25
_EVENT_KINDS = ("brake", "cut_in", "stop", "cut_in", "brake")
_EVENT_SPACING_S = 19.0
_FIRST_EVENT_S = 14.0

Array = NDArray[np.float64]


class Place(NamedTuple):
    """Where a drive begins, and its weather: `dry`, `rain` or `snow`."""

    name: str
    latitude: float
    longitude: float
    heading_deg: float
    weather: str
    temperature_deg_c: float


PLACES = (
    Place("munich_a9", 48.1921, 11.6134, 8.0, "dry", 17.0),
    Place("gothenburg_e6", 57.7358, 12.0087, 24.0, "snow", -3.0),
    Place("turin_a4", 45.1180, 7.7421, 62.0, "rain", 9.0),
    Place("lyon_a6", 45.8012, 4.7680, 331.0, "dry", 24.0),
)


class Event(NamedTuple):
    """Something that happens at `t_s`; `number` counts the drive's events."""

    t_s: float
    kind: str
    number: int


@dataclass
class GroundTruth:
    """What happens, on a grid of `STEP_S`. Speeds in m/s, distances in m, angles in rad, `t` in s from the start.

    `gap` is the distance to the car ahead, `neighbour_gap` that to the car in the next lane (NaN: none), and
    `neighbour_offset` its lateral distance, which falls to 0 while it cuts in.
    """

    place: Place
    events: tuple[Event, ...]
    t: Array
    columns: dict[str, Array] = field(repr=False)

    def __getitem__(self, name: str) -> Array:
        return self.columns[name]


def drive_traffic(seed: int, index: int, duration_s: float) -> GroundTruth:
    """Simulate drive `index` of a seed, of `duration_s` seconds: its place, its events, and the motion of all cars."""
    random = np.random.default_rng([seed, index])
    place = PLACES[index % len(PLACES)]
    events = _script(random, duration_s)
    steps = round(duration_s / STEP_S)
    simulation = _Simulation(random, events, place.weather)
    rows = np.array([simulation.step(k * STEP_S) for k in range(steps)])
    columns = {name: rows[:, i].copy() for i, name in enumerate(_COLUMNS)}
    t: Array = np.arange(steps, dtype=np.float64) * STEP_S
    columns |= _path(random, place, t, columns["speed"])
    return GroundTruth(place, events, t, columns)


def _script(random: np.random.Generator, duration_s: float) -> tuple[Event, ...]:
    """The drive's events, in an order that differs between drives, far enough apart for traffic to flow again."""
    count = max(0, int((duration_s - _FIRST_EVENT_S) // _EVENT_SPACING_S))
    first = int(random.integers(len(_EVENT_KINDS)))
    kinds = [_EVENT_KINDS[(first + i) % len(_EVENT_KINDS)] for i in range(count)]
    jitter = random.uniform(-2.0, 2.0, count)
    return tuple(
        Event(round(_FIRST_EVENT_S + i * _EVENT_SPACING_S + float(jitter[i]), 2), kind, i)
        for i, kind in enumerate(kinds)
    )


_COLUMNS = ("speed", "accel", "gap", "lead_speed", "lead_braking", "neighbour_gap", "neighbour_offset", "distance")


class _Simulation:
    """The motion of the ego car, its leader and a neighbour, one step at a time."""

    def __init__(self, random: np.random.Generator, events: tuple[Event, ...], weather: str) -> None:
        self._cruise = float(random.uniform(22.0, 29.0)) * (1.0 if weather == "dry" else 0.8)
        self._headway_s = 1.1 if weather == "dry" else 1.5
        self._events = list(events)
        self._active: Event | None = None
        self._speed = self._lead_speed = self._cruise * 0.9
        self._gap = self._speed * self._headway_s + 6.0
        self._seen = [(self._gap, self._lead_speed)] * _REACTION_STEPS
        self._distance = 0.0
        self._neighbour_gap = math.nan

    def step(self, t: float) -> tuple[float, ...]:
        """Advance to `t`; the values of `_COLUMNS`."""
        if self._events and t >= self._events[0].t_s:
            self._active = self._events.pop(0)
            if self._active.kind == "cut_in":
                self._neighbour_gap = max(9.0, 0.5 * self._speed)
        lead_accel = self._lead_accel(t)
        offset = self._cut_in(t)
        accel = self._ego_accel()
        self._gap = max(1.0, self._gap + (self._lead_speed - self._speed) * STEP_S)
        self._lead_speed = max(0.0, self._lead_speed + lead_accel * STEP_S)
        before = self._speed
        self._speed = max(0.0, self._speed + accel * STEP_S)
        self._distance += self._speed * STEP_S
        self._seen = [*self._seen[1:], (self._gap, self._lead_speed)]
        felt = (self._speed - before) / STEP_S
        braking = float(lead_accel < -1.0)
        return self._speed, felt, self._gap, self._lead_speed, braking, self._neighbour_gap, offset, self._distance

    def _lead_accel(self, t: float) -> float:
        """The leader's acceleration in m/s^2: an event's script, else back to cruising speed."""
        since = t - self._active.t_s if self._active else math.inf
        kind = self._active.kind if self._active else ""
        if kind == "brake" and since < 2.2:
            return -6.5 if self._lead_speed > 4.0 else 0.0
        if kind == "stop" and since < 15.0:
            return -2.6 if self._lead_speed > 0 and since < 12.0 else 0.0
        return min(1.8, max(-2.0, 0.4 * (self._cruise - self._lead_speed)))

    def _cut_in(self, t: float) -> float:
        """The neighbour's lateral distance in m; once the neighbour is in the ego lane, it becomes the leader."""
        if math.isnan(self._neighbour_gap) or self._active is None:
            return LANE_WIDTH_M
        share = (t - self._active.t_s) / LANE_CHANGE_S
        self._neighbour_gap += (self._cruise * 0.82 - self._speed) * STEP_S
        if share >= 0.65:
            self._gap, self._lead_speed = max(2.0, self._neighbour_gap), min(self._lead_speed, self._cruise * 0.82)
            self._neighbour_gap = math.nan
        return LANE_WIDTH_M * 0.5 * (1.0 + math.cos(math.pi * min(share, 1.0)))

    def _ego_accel(self) -> float:
        """The ego car's acceleration in m/s^2: the Intelligent Driver Model, on what was seen a reaction time ago."""
        gap, lead_speed = self._seen[0]
        comfortable_m_s2, strongest_m_s2 = 1.6, 2.4
        closing = self._speed - lead_speed
        desired_gap = 3.0 + self._speed * self._headway_s
        desired_gap += max(0.0, self._speed * closing / (2 * math.sqrt(comfortable_m_s2 * strongest_m_s2)))
        free = 1.0 - (self._speed / (self._cruise * 1.08)) ** 4
        return min(2.0, max(-8.0, comfortable_m_s2 * (free - (desired_gap / max(gap, 0.5)) ** 2)))


def _path(random: np.random.Generator, place: Place, t: Array, speed: Array) -> dict[str, Array]:
    """A winding road: curvature from slow waves, integrated to the car's track on the ground."""
    phases = random.uniform(0.0, 2 * math.pi, 3)
    periods_s = np.array([31.0, 53.0, 97.0])
    waves = np.sin(2 * math.pi * t[:, None] / periods_s + phases)
    curvature = waves @ np.array([4e-4, 6e-4, 9e-4])
    yaw_rate = curvature * speed
    heading = math.radians(place.heading_deg) + np.cumsum(yaw_rate) * STEP_S
    north = np.cumsum(speed * np.cos(heading)) * STEP_S
    east = np.cumsum(speed * np.sin(heading)) * STEP_S
    return {
        "curvature": curvature,
        "yaw_rate": yaw_rate,
        "latitude": place.latitude + north / METRES_PER_DEGREE,
        "longitude": place.longitude + east / (METRES_PER_DEGREE * math.cos(math.radians(place.latitude))),
    }
