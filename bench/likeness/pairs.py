"""Pairs of clips of which it is known whether they are the same moment, to choose the distance of near duplicates.

The same moment: the same traffic, noticed up to a third of a second later, by the same sensors (two triggers on one
event) or by another set of them, with other noise, lags and outages. Not the same: the nearest clip of another drive in
which the same happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.likeness.events import DURATION_S, Event, cut_out, vectors
from fleet_api.demo.drives import package_file
from fleet_api.demo.sensors import Reading, sense
from fleet_api.demo.traffic import drive_traffic
from triggers.drives.series import SignalSeries
from triggers.drives.times import to_ns
from triggers.likeness.channels import Channel, channels_of
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S

LATER_S = 0.33
Distances = NDArray[np.float64]


class Pairs(NamedTuple):
    """Distances of pairs that are the same moment, by the same and by other sensors; and of each clip to the nearest
    one that is not."""

    same_sensors: Distances
    other_sensors: Distances
    apart: Distances


def distances(seed: int, drives: int) -> Pairs:
    """All pairs of the events of some drives."""
    catalog = SignalCatalog.parse(package_file("signals.yaml"), name="signals.yaml")
    random = np.random.default_rng(seed)
    first: list[Event] = []
    second: list[Event] = []
    third: list[Event] = []
    channels: dict[str, Channel] = {}
    for index in range(drives):
        truth = drive_traffic(seed, index, DURATION_S)
        seen = [_signals(sense(truth, seed + 1000 * car, index)) for car in range(2)]
        channels = channels_of([catalog], seen[0])
        for event in truth.events:
            fire_s = event.t_s + float(random.uniform(0.0, 1.5))
            later_s = fire_s + float(random.uniform(0.0, LATER_S))
            first.append(_clip(index, event.kind, seen[0], fire_s))
            second.append(_clip(index, event.kind, seen[0], later_s))
            third.append(_clip(index, event.kind, seen[1], later_s))
    one = vectors(first, channels).astype(np.float64)
    same, others = (1 - (one * vectors(later, channels)).sum(axis=1) for later in (second, third))
    apart = 1 - one @ one.T
    drive = np.array([clip.drive for clip in first])
    kind = np.array([clip.kind for clip in first])
    apart[(drive[:, None] == drive[None, :]) | (kind[:, None] != kind[None, :])] = np.inf
    return Pairs(same, others, apart.min(axis=1))


def _signals(readings: list[Reading]) -> Mapping[str, SignalSeries]:
    return {
        name: SignalSeries(to_ns(reading.t), values) for reading in readings for name, values in reading.signals.items()
    }


def _clip(drive: int, kind: str, signals: Mapping[str, SignalSeries], fire_s: float) -> Event:
    fire_ns = int(fire_s * NS_PER_S)
    return Event(drive, kind, fire_ns, cut_out(signals, fire_ns))
