"""A campaign's clips on a ring: the recorded drives one after the other, round and round, from which days are taken.

A vehicle's day is some hours in a row of this ring, from any moment on. So the clips of a day come as clustered as they
came on the drives, and several short drives make up a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triggers.backtest.forecast import NS_PER_HOUR, clip_sizes, mean_camera_rates
from triggers.backtest.meters.recordings import OwnRecordings
from triggers.backtest.result import DriveResult
from triggers.clips.size import nominal_clip_bytes
from triggers.contracts.campaign import TriggerSettings
from triggers.drives.times import Times
from triggers.signals.catalog import SignalCatalog

Integers = NDArray[np.int64]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClipRing:
    """Clips in their order on a ring of so many `hours`: by clip its place, size, trigger and drive.

    `triggers` and `drives` are places in the lists that the ring was made of; `one_in` is, by trigger, of how many
    clips sampling keeps one. `is_assumed`: nothing fired, and there is a clip of each trigger by its declared rates.
    """

    hours: float
    at_h: Numbers
    size_bytes: Integers
    triggers: Integers
    drives: Integers
    one_in: Integers
    is_assumed: bool

    @classmethod
    def of(
        cls,
        triggers: Sequence[tuple[TriggerSettings, int]],
        drives: Sequence[DriveResult],
        catalog: SignalCatalog,
    ) -> ClipRing:
        """The clips of triggers, each with the `one_in` of its sampling; drives without time have none."""
        hours = np.array([drive.recorded_ns for drive in drives], np.float64) / NS_PER_HOUR
        begins_h = np.concatenate([[0.0], np.cumsum(hours)])
        kinds: list[tuple[Numbers, Integers, Integers, Integers]] = []
        for number, (trigger, one_in) in enumerate(triggers):
            for place, drive in enumerate(drives):
                if not drive.recorded_ns or not len(sizes := clip_sizes(drive, trigger.name, one_in)):
                    continue
                fires_ns = drive.fires_ns[trigger.name]
                if one_in == 1:
                    fires_ns = fires_ns[~OwnRecordings(trigger.capture, catalog.buffer_ns).joined(fires_ns)]
                at_h = begins_h[place] + hours[place] * _shares(drive, fires_ns)
                kinds.append((at_h, sizes, np.full(len(sizes), number), np.full(len(sizes), place)))
        if is_assumed := not kinds:
            cameras = mean_camera_rates(drives)
            for number, (trigger, _) in enumerate(triggers):
                size = np.array([nominal_clip_bytes(trigger.capture, catalog, cameras)])
                kinds.append((np.zeros(1), size, np.array([number]), np.zeros(1, np.int64)))
        at_h, sizes, numbers, places = (np.concatenate(each) for each in zip(*kinds, strict=True))
        order = np.argsort(at_h, kind="stable")
        return cls(
            float(begins_h[-1]),
            at_h[order],
            sizes[order],
            numbers[order],
            places[order],
            np.array([one_in for _, one_in in triggers], np.int64),
            is_assumed,
        )

    def per_hour(self, weights: NDArray[np.float64] | NDArray[np.int64]) -> float:
        """What clips with these weights come to in an hour, as far as sampling keeps them."""
        return float((weights / self.one_in[self.triggers]).sum()) / self.hours

    def day(self, start_h: float, hours: float) -> tuple[Integers, Numbers]:
        """The clips of `hours` from a place on, in order: which they are, and after how many hours each comes."""
        rounds, rest_h = divmod(start_h + hours, self.hours)
        count = len(self.at_h)
        last = int(rounds) * count + int(np.searchsorted(self.at_h, rest_h))
        places = np.arange(np.searchsorted(self.at_h, start_h), last)
        which = places % count
        return which, self.at_h[which] + places // count * self.hours - start_h


def _shares(drive: DriveResult, times_ns: Times) -> Numbers:
    """Where moments are on a drive, from 0 to 1; gaps of the recording, in which nothing fires, count as its time."""
    length_ns = drive.last_ns - drive.first_ns
    if length_ns <= 0:
        return np.zeros(len(times_ns))
    return np.clip((times_ns - drive.first_ns) / length_ns, 0.0, 1.0)
