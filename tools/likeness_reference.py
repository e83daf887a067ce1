#!/usr/bin/env python3
"""Writes the reference set of the vector `signals-v1` (`triggers/likeness/signals_v1.npz`) from generated drives.

`python tools/likeness_reference.py [FILE]`. Provenance: 48 drives of 120 s of the demonstration's traffic simulation
with seed 20261128 (`fleet_api.demo.traffic`), nothing recorded and nothing of any customer. Of each drive it takes the
moments of its events, each a little late as a trigger is, and as many moments at random. Other numbers are another
vector: the embedding's id is the digest of the file's numbers, so every clip gets a new vector beside its old one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from fleet_api.demo.drives import package_file
from fleet_api.demo.sensors import sense
from fleet_api.demo.traffic import drive_traffic
from triggers.drives.series import SignalSeries
from triggers.drives.times import to_ns
from triggers.likeness.channels import Channel, channels_of
from triggers.likeness.features import CONVOLUTIONS, QUANTILES, convolved, features
from triggers.likeness.grids import BEFORE_S, Array, filled, grids
from triggers.likeness.reference import FILE, Reference
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S

SEED, DRIVES, DURATION_S = 20261128, 48, 120.0
ENDS = (0.01, 0.99)
"""The quantiles of a channel's values that count as its ordinary ends."""


def clips() -> Iterator[tuple[dict[str, Array], dict[str, Channel]]]:
    """The channels of every clip of the set, with what the demonstration's catalog declares of them."""
    catalog = SignalCatalog.parse(package_file("signals.yaml"), name="signals.yaml")
    random = np.random.default_rng(SEED)
    for index in range(DRIVES):
        truth = drive_traffic(SEED, index, DURATION_S)
        readings = sense(truth, SEED, index)
        signals = {
            name: SignalSeries(to_ns(reading.t), values)
            for reading in readings
            for name, values in reading.signals.items()
        }
        channels = channels_of([catalog], signals)
        late_s = [event.t_s + float(random.uniform(0, 1.5)) for event in truth.events]
        for fire_s in [*late_s, *random.uniform(BEFORE_S, DURATION_S - BEFORE_S, len(late_s))]:
            yield grids(signals, channels, int(fire_s * NS_PER_S)), channels


def made() -> Reference:
    """The set: ends from all values, thresholds from all channels, deviations by channel."""
    seen = list(clips())
    channels = {name: channel for _, declared in seen for name, channel in declared.items()}
    names = sorted(channels)
    values = {name: np.concatenate([of[name] for of, _ in seen if name in of]) for name in names}
    ends = {name: np.nanquantile(values[name], ENDS) for name in names}
    dimensions = np.array([channels[name].dimension or (0,) * 10 for name in names], np.int8)
    low, high = (np.array([ends[name][place] for name in names]) for place in (0, 1))
    high = np.where(high - low < 1e-6, low + 1.0, high)
    first = Reference(
        np.array(names),
        dimensions,
        low,
        high,
        np.zeros((CONVOLUTIONS, len(QUANTILES))),
        *(np.zeros((1, 1), np.float32),) * 2,
    )
    scaled = {
        name: [first.scaled(name, channels[name], filled(of[name])) for of, _ in seen if name in of] for name in names
    }
    biases = _biases([grid for each in scaled.values() for grid in each])
    of_channels = [np.array([features(grid, biases) for grid in scaled[name]]) for name in names]
    of_channels.append(np.concatenate(of_channels))
    mean, deviation = (
        np.array([getattr(each, statistic)(axis=0) for each in of_channels], np.float32)
        for statistic in ("mean", "std")
    )
    return Reference(first.names, dimensions, low, high, biases, mean, deviation)


def _biases(of_grids: list[Array]) -> Array:
    """The kernels' thresholds, from every twentieth grid that changes at all: a constant one has only zeros."""
    changing = [grid for grid in of_grids if np.ptp(grid) > 0.05][::20]
    values = np.concatenate([convolved(grid) for grid in changing], axis=1)
    thresholds: Array = np.quantile(values, QUANTILES, axis=1).T.copy()
    return thresholds


def main(arguments: list[str]) -> int:
    root = Path(__file__).resolve().parent.parent
    file = Path(arguments[0]) if arguments else root / "triggers" / "likeness" / FILE
    known = made()
    file.write_bytes(known.to_bytes())
    sys.stdout.write(
        f"wrote {file}: {len(known.names)} channels, {file.stat().st_size} bytes, digest {known.digest()}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
