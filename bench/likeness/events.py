"""Clips of generated drives whose event is known, their vectors, and the plain statistics to compare with.

The drives have another seed than the reference set of `signals-v1`, so none of them is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fleet_api.demo.drives import package_file
from fleet_api.demo.sensors import sense
from fleet_api.demo.traffic import GroundTruth, drive_traffic
from triggers.drives.series import SignalSeries
from triggers.drives.times import to_ns
from triggers.likeness.channels import Channel, channels_of
from triggers.likeness.grids import AFTER_S, BEFORE_S
from triggers.likeness.vector import signals_vector
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S

DURATION_S = 120.0
APART_S = 9.0
"""Nothing happens at a moment that is at least this far from every event."""
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Event:
    """A clip of a drive: what happened in it, and its signals."""

    drive: int
    kind: str
    fire_ns: int
    signals: Mapping[str, SignalSeries]


def generated(seed: int, drives: int) -> tuple[list[Event], dict[str, Channel]]:
    """The clips of all events of `drives` drives, and of as many moments without one as there are of one kind."""
    catalog = SignalCatalog.parse(package_file("signals.yaml"), name="signals.yaml")
    random = np.random.default_rng(seed)
    clips: list[Event] = []
    channels: dict[str, Channel] = {}
    for index in range(drives):
        truth = drive_traffic(seed, index, DURATION_S)
        signals = {
            name: SignalSeries(to_ns(reading.t), values)
            for reading in sense(truth, seed, index)
            for name, values in reading.signals.items()
        }
        channels = channels_of([catalog], signals)
        for kind, fire_s in _moments(truth, random):
            fire_ns = int(fire_s * NS_PER_S)
            clips.append(Event(index, kind, fire_ns, cut_out(signals, fire_ns)))
    return clips, channels


def _moments(truth: GroundTruth, random: np.random.Generator) -> list[tuple[str, float]]:
    """Events, each noticed up to 1.5 s late, and two quiet moments."""
    events = [(event.kind, event.t_s + float(random.uniform(0.0, 1.5))) for event in truth.events]
    times = np.array([event.t_s for event in truth.events])
    quiet = [t for t in np.arange(BEFORE_S, DURATION_S - AFTER_S, 0.5) if np.abs(times - t).min() > APART_S]
    chosen = random.permutation(np.array(quiet))[:2]
    return [*events, *(("quiet", float(t)) for t in chosen)]


def cut_out(signals: Mapping[str, SignalSeries], fire_ns: int) -> dict[str, SignalSeries]:
    """As a clip has them: the samples from before to after the fire, and what still held at its beginning."""
    start_ns, end_ns = fire_ns - BEFORE_S * NS_PER_S, fire_ns + AFTER_S * NS_PER_S
    cut = {}
    for name, series in signals.items():
        first = max(0, int(np.searchsorted(series.t_ns, start_ns, side="right")) - 1)
        here = slice(first, np.searchsorted(series.t_ns, end_ns, side="right"))
        cut[name] = SignalSeries(series.t_ns[here], series.values[here])
    return cut


def vectors(clips: list[Event], channels: Mapping[str, Channel]) -> Vectors:
    """A row for each clip."""
    rows = [signals_vector(clip.signals, channels, clip.fire_ns) for clip in clips]
    return np.array([row for row in rows if row is not None], np.float32)


def plain_statistics(clips: list[Event], channels: Mapping[str, Channel]) -> Vectors:
    """What the catalog knows of a clip without vectors: minimum, maximum and mean of each signal, standardised over all
    clips, which is more than a pure function of one clip could do."""
    rows = [
        [statistic(clip.signals[name].values) for name in sorted(channels) for statistic in (_min, _max, _mean)]
        for clip in clips
    ]
    table = np.array(rows)
    table = np.where(np.isfinite(table), table, np.nanmean(table, axis=0))
    table = (table - table.mean(axis=0)) / np.maximum(table.std(axis=0), 1e-9)
    rows_of_1: Vectors = (table / np.linalg.norm(table, axis=1, keepdims=True)).astype(np.float32)
    return rows_of_1


def _min(values: NDArray[np.float64]) -> float:
    return float(values.min()) if len(values) else np.nan


def _max(values: NDArray[np.float64]) -> float:
    return float(values.max()) if len(values) else np.nan


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else np.nan


def precision_at(count: int, found: Vectors, clips: list[Event]) -> dict[str, float]:
    """By kind and over `all`, the share of a clip's `count` nearest of other drives in which the same happened."""
    kinds = np.array([clip.kind for clip in clips])
    drives = np.array([clip.drive for clip in clips])
    likeness = found @ found.T
    likeness[drives[:, None] == drives[None, :]] = -np.inf
    nearest = np.argsort(-likeness, axis=1, kind="stable")[:, :count]
    hits = (kinds[nearest] == kinds[:, None]).mean(axis=1)
    by_kind = {str(kind): float(hits[kinds == kind].mean()) for kind in sorted(set(kinds))}
    return {**by_kind, "all": float(hits.mean())}
