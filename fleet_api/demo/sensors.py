"""The sensors and network heads of a generated drive: the truth as they report it, with noise, lags and dropouts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from fleet_api.demo.traffic import LANE_CHANGE_S, Array, GroundTruth

_WIPER = {"dry": 0, "rain": 2, "snow": 1}  # indexes into the catalog's values: parked, slow, fast


class Reading(NamedTuple):
    """One sensor's samples: times in s from the drive's start, and the values of its signals at them."""

    t: Array
    signals: Mapping[str, Array]


def sense(truth: GroundTruth, seed: int, index: int) -> list[Reading]:
    """The readings of every sensor on the car. Each sensor draws from its own random stream."""
    sensors: tuple[Callable[[GroundTruth, np.random.Generator], Reading], ...] = (
        _chassis,
        _radar,
        _heads,
        _visual_odometry,
        _gnss,
        _thermometer,
        _brake_pedal,
        _wiper,
    )
    return [sensor(truth, np.random.default_rng([seed, index, k])) for k, sensor in enumerate(sensors, start=1)]


def _times(truth: GroundTruth, rate_hz: float, phase_s: float) -> Array:
    return np.round(np.arange(phase_s, float(truth.t[-1]), 1.0 / rate_hz), 3)


def _at(truth: GroundTruth, name: str, t: Array) -> Array:
    return np.interp(t, truth.t, truth[name])


def _without(t: Array, outages: list[tuple[float, float]]) -> Array:
    for start, end in outages:
        t = t[(t < start) | (t >= end)]
    return t


def _chassis(truth: GroundTruth, random: np.random.Generator) -> Reading:
    """Wheels and inertial unit on the chassis bus, 50 Hz."""
    t = _times(truth, 50, 0.0)
    speed = _at(truth, "speed", t)
    wheels = np.maximum(0.0, speed * 1.004 + random.normal(0, 0.03, t.size))
    return Reading(
        t,
        {
            "ego.speed": wheels,
            "active.speed.value": wheels,
            "ego.accel": _at(truth, "accel", t) + random.normal(0, 0.08, t.size),
            "ego.yaw_rate": _at(truth, "yaw_rate", t) + random.normal(0, 0.002, t.size),
        },
    )


def _radar(truth: GroundTruth, random: np.random.Generator) -> Reading:
    """The car ahead as the radar sees it, 20 Hz; it is lost at times, more often in snow."""
    outages = _random_outages(truth, random, count=4 if truth.place.weather == "snow" else 1, length_s=(0.6, 2.5))
    t = _without(_times(truth, 20, 0.013), outages)
    distance = _at(truth, "gap", t) + random.normal(0, 0.15, t.size)
    relative = _at(truth, "lead_speed", t) - _at(truth, "speed", t) + random.normal(0, 0.1, t.size)
    return Reading(t, {"lead.distance": np.maximum(0.5, distance), "lead.relative_speed": relative})


def _heads(truth: GroundTruth, random: np.random.Generator) -> Reading:
    """Cut-in heads of the active and the shadow network on the same frames, 20 Hz.

    Both networks see every second cut-in; only the shadow network sees the others.
    """
    t = _times(truth, 20, 0.021)
    cut_ins = [event for event in truth.events if event.kind == "cut_in"]
    active = _probability(t, [(event.t_s + 0.5, 0.93) for event in cut_ins[1::2]], random)
    shadow = _probability(t, [(event.t_s + 0.4, 0.96) for event in cut_ins], random)
    return Reading(
        t,
        {
            "active.cut_in.prob": active,
            "shadow.cut_in.prob": shadow,
            "active.cut_in.detected": (active > 0.5).astype(float),
            "shadow.cut_in.detected": (shadow > 0.5).astype(float),
        },
    )


def _probability(t: Array, seen: list[tuple[float, float]], random: np.random.Generator) -> Array:
    """A head's output: low noise, with a rise at each moment from which it sees something."""
    value = np.full(t.size, 0.06)
    for start_s, peak in seen:
        rise = _sigmoid((t - start_s) / 0.06)
        fall = _sigmoid((start_s + LANE_CHANGE_S - t) / 0.15)
        value = np.maximum(value, peak * rise * fall)
    return np.clip(value + random.normal(0, 0.012, t.size), 0.0, 1.0)


def _sigmoid(x: Array) -> Array:
    result: Array = 0.5 * (1.0 + np.tanh(0.5 * x))
    return result


def _visual_odometry(truth: GroundTruth, random: np.random.Generator) -> Reading:
    """The shadow network's speed from images, 10 Hz: rain and snow on the lens make it read high for a while."""
    t = _times(truth, 10, 0.047)
    bias = np.zeros(t.size)
    if truth.place.weather != "dry":
        for start in (0.22, 0.61, 0.84):
            centre = float(truth.t[-1]) * (start + float(random.uniform(-0.03, 0.03)))
            bias += 2.2 * np.exp(-(((t - centre) / 2.4) ** 2))
    speed = _at(truth, "speed", t) + bias + random.normal(0, 0.07, t.size)
    return Reading(t, {"shadow.speed.value": np.maximum(0.0, speed)})


def _gnss(truth: GroundTruth, random: np.random.Generator) -> Reading:
    """Position, 5 Hz, with an outage as in a tunnel."""
    t = _without(_times(truth, 5, 0.08), _random_outages(truth, random, count=1, length_s=(5.0, 9.0)))
    noise_deg = random.normal(0, 6e-6, (2, t.size))
    return Reading(
        t,
        {
            "ego.latitude": _at(truth, "latitude", t) + noise_deg[0],
            "ego.longitude": _at(truth, "longitude", t) + noise_deg[1],
        },
    )


def _thermometer(truth: GroundTruth, random: np.random.Generator) -> Reading:
    t = _times(truth, 1, 0.5)
    drift = np.cumsum(random.normal(0, 0.02, t.size))
    return Reading(t, {"weather.temperature": np.round(truth.place.temperature_deg_c + drift, 1)})


def _brake_pedal(truth: GroundTruth, random: np.random.Generator) -> Reading:
    """The brake pedal, sent when it changes: pressed below -1 m/s^2, released above -0.3 m/s^2."""
    times, values, pressed = [0.0], [0.0], False
    for t, accel in zip(truth.t, truth["accel"], strict=True):
        if (accel < -1.0 and not pressed) or (accel > -0.3 and pressed):
            pressed = not pressed
            times.append(round(float(t) + float(random.uniform(0, 0.004)), 3))
            values.append(float(pressed))
    return Reading(np.array(times), {"driver.brake": np.array(values)})


def _wiper(truth: GroundTruth, random: np.random.Generator) -> Reading:
    """The wiper, sent when it changes: off for the first seconds, then as the weather requires."""
    position = _WIPER[truth.place.weather]
    times = [0.0] if position == 0 else [0.0, round(float(random.uniform(3, 8)), 3)]
    return Reading(np.array(times), {"weather.wiper": np.array([0.0, float(position)][: len(times)])})


def _random_outages(
    truth: GroundTruth, random: np.random.Generator, *, count: int, length_s: tuple[float, float]
) -> list[tuple[float, float]]:
    starts = random.uniform(0, float(truth.t[-1]), count)
    return [(float(start), float(start + random.uniform(*length_s))) for start in starts]
