"""Days of a vehicle and of a fleet under a campaign's limits: which clips they admit, and what refuses the others.

A vehicle's day begins unused, and clips are admitted one by one as it has room for them. Totals are those of the fleet,
and unused as well.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from triggers.backtest.limits.clip_ring import ClipRing, Integers, Numbers
from triggers.backtest.limits.day import CLIPS, TOTAL, Limit, day_budgets, too_large
from triggers.contracts.campaign import BudgetLimits, CampaignSettings, Network
from triggers.statistics.proportions import share_widening

_FEWEST_DAYS, _MOST_DAYS, _FEWEST_OF_MANY_CLIPS = 200, 6_000, 20
_MOST_CLIPS = 1_000_000
"""So many clips are looked at in all, unless fewer than _FEWEST_OF_MANY_CLIPS days would have more."""
_MOST_CLIPS_OF_DAY = 50_000
"""A longer day is looked at until so many clips have come, on average over days."""
_SEED = 0
"""Which fires sampling keeps is drawn, and always the same ones are."""
_ADMITTED, _UNKNOWN = -1, -2


@dataclass(slots=True)
class Tally:
    """What becomes of the clips of a day: how many are `offered`, with how many bytes, and how many a limit `refused`.

    `clips`, `bytes` and `cellular_bytes` (of clips that may go over cellular networks) are admitted, by trigger.
    `offered_on` and `refused_on` have the clips of each drive.
    """

    clips: Numbers
    bytes: Numbers
    cellular_bytes: Numbers
    offered_on: Numbers
    refused_on: Numbers
    offered: float = 0.0
    offered_bytes: float = 0.0
    refused: dict[Limit, float] = field(default_factory=dict)

    @classmethod
    def nothing(cls, triggers: int, drives: int) -> Tally:
        """Of a day without clips."""
        of_triggers, of_drives = np.zeros((3, triggers)), np.zeros((2, drives))
        return cls(of_triggers[0], of_triggers[1], of_triggers[2], of_drives[0], of_drives[1])

    @property
    def refused_share(self) -> float | None:
        """The share of the clips that is refused; None without any."""
        if not self.offered:
            return None
        return max(0.0, 1 - float(self.clips.sum()) / self.offered) if self.refused else 0.0

    @classmethod
    def total(cls, tallies: Sequence[Tally]) -> Tally:
        """What becomes of the clips of several days, of which there is one at least."""
        first = tallies[0]
        total = cls.nothing(len(first.clips), len(first.offered_on))
        for each in tallies:
            for name in ("clips", "bytes", "cellular_bytes", "offered_on", "refused_on", "offered", "offered_bytes"):
                setattr(total, name, getattr(total, name) + getattr(each, name))
            for limit, count in each.refused.items():
                total.refuse(limit, count)
        return total

    def refuse(self, limit: Limit, count: float) -> None:
        """Count clips that a limit refuses."""
        self.refused[limit] = self.refused.get(limit, 0.0) + count

    def scaled(self, count: float, size: float) -> Tally:
        """So many times as many clips, and so many times as many bytes."""
        return Tally(
            self.clips * count,
            self.bytes * size,
            self.cellular_bytes * size,
            self.offered_on * count,
            self.refused_on * count,
            self.offered * count,
            self.offered_bytes * size,
            {limit: clips * count for limit, clips in self.refused.items()},
        )

    def of_fleet(self, campaign: CampaignSettings, vehicles: int) -> Tally:
        """The day of so many vehicles, less what the totals of budgets refuse."""
        fleet = self.scaled(vehicles, vehicles)
        for number, trigger in enumerate(campaign.triggers):
            if trigger.budget is not None:
                fleet._refuse_by_total(trigger.budget, slice(number, number + 1), trigger.name)
        fleet._refuse_by_total(campaign.budget, slice(None), None)
        return fleet

    def _refuse_by_total(self, budget: BudgetLimits, triggers: slice, own_of: str | None) -> None:
        """Refuse what the totals of a budget do not admit of the clips of its triggers, each of them alike."""
        clips, size_bytes = float(self.clips[triggers].sum()), float(self.bytes[triggers].sum())
        limits = [(TOTAL, budget.total_bytes, size_bytes), (CLIPS, budget.clips, clips)]
        shares = [
            (amount / used, Limit(name, amount, own_of)) for name, amount, used in limits if amount is not None and used
        ]
        admitted, limit = min(shares, key=lambda each: each[0], default=(1.0, None))
        if limit is None or admitted >= 1:
            return
        self.refuse(limit, clips * (1 - admitted))
        for each in (self.clips, self.bytes, self.cellular_bytes):
            each[triggers] *= admitted


class Days:
    """Days that are taken from a ring of clips, under a campaign's limits."""

    def __init__(self, campaign: CampaignSettings, ring: ClipRing) -> None:
        self._ring = ring
        self._drives = int(ring.drives.max()) + 1
        self._names = [trigger.name for trigger in campaign.triggers]
        self._budgets = day_budgets(campaign)
        self._has_limits = any(day.is_limited for days in self._budgets.values() for day in days)
        self._limits: list[Limit] = []
        triggers, sizes = ring.triggers.tolist(), ring.size_bytes.tolist()
        large = [
            too_large(campaign, self._budgets[self._names[i]], size) for i, size in zip(triggers, sizes, strict=True)
        ]
        self._too_large = np.array([self._code(limit) for limit in large], np.int64)
        fitting = np.flatnonzero(self._too_large == _ADMITTED)
        self._smallest = {
            number: int(ring.size_bytes[fitting][ring.triggers[fitting] == number].min())
            for number in np.unique(ring.triggers[fitting]).tolist()
        }
        self._is_cellular = _admitted_by(campaign, Network.CELLULAR, ring.size_bytes)

    def _code(self, limit: Limit | None) -> int:
        """The place of a limit in the list of those that have refused something."""
        if limit is None:
            return _ADMITTED
        if limit not in self._limits:
            self._limits.append(limit)
        return self._limits.index(limit)

    @property
    def too_large_share(self) -> float:
        """The share of the clips that is larger than a limit."""
        is_large = (self._too_large != _ADMITTED).astype(np.int64)
        return self._ring.per_hour(is_large) / self._ring.per_hour(np.ones_like(is_large))

    def widening(self, tally: Tally) -> tuple[float, float] | None:
        """How far differences of drives widen the interval of the share that a vehicle's day refuses, as log odds.

        None where that is all or nothing: then no spread is seen.
        """
        clips = np.bincount(self._ring.drives, 1 / self._ring.one_in[self._ring.triggers], len(tally.offered_on))
        shares = np.divide(tally.refused_on, tally.offered_on, out=np.zeros_like(clips), where=tally.offered_on > 0)
        return share_widening(zip((shares * clips).tolist(), clips.tolist(), strict=True))

    def after(self, hours: Sequence[float], *, typical_h: float) -> list[Tally] | None:
        """What has become of a vehicle's clips after so many hours of its day each: the mean over days.

        Days begin all around the ring, so densely that each of its moments is in one that is `typical_h` long, unless
        that takes more than _MOST_DAYS. None if it is not known: a day has more clips than are looked at, and its
        limits room for some of the others.
        """
        ring, tallies = self._ring, [Tally.nothing(len(self._names), self._drives) for _ in hours]
        cut_h, ends = max(hours), Counter[tuple[int, ...]]()
        if self._has_limits:
            cut_h = min(cut_h, _MOST_CLIPS_OF_DAY / len(ring.at_h) * ring.hours)
            ends = self._look(tallies, hours, cut_h, self._days(cut_h, typical_h))
        if any(_UNKNOWN in codes for codes in ends):
            return None
        settled = [self._settled(tally, min(after_h, cut_h)) for tally, after_h in zip(tallies, hours, strict=True)]
        for tally, after_h in zip(settled, hours, strict=True):
            if after_h > cut_h:
                self._add_rest(tally, ends, after_h - cut_h)
        return settled

    def _days(self, hours: float, typical_h: float) -> int:
        """At how many days of so many hours to look."""
        ring = self._ring
        clips_of_day = hours / ring.hours * len(ring.at_h)
        wanted = _FEWEST_DAYS
        if typical_h > 0:
            wanted = math.ceil(min(max(ring.hours / typical_h, _FEWEST_DAYS), _MOST_DAYS))
        return max(_FEWEST_OF_MANY_CLIPS, min(wanted, int(_MOST_CLIPS / (clips_of_day + 1))))

    def _look(
        self, tallies: Sequence[Tally], hours: Sequence[float], cut_h: float, days: int
    ) -> Counter[tuple[int, ...]]:
        """Count the clips of days until `cut_h`; how many days end in which way (`_end`), if some hours are later."""
        ring, ends = self._ring, Counter[tuple[int, ...]]()
        rounds = math.ceil(max(hours) / ring.hours)
        random = np.random.Generator(np.random.PCG64(_SEED))
        for number in range(days):
            which, after_h = ring.day((number + 0.5) / days * ring.hours, cut_h)
            is_kept = random.random(len(which)) * ring.one_in[ring.triggers[which]] < 1
            which, after_h = which[is_kept], after_h[is_kept]
            refused_by = self._refused_by(which)
            if cut_h < max(hours):
                ends[self._end(rounds)] += 1
            for tally, until_h in zip(tallies, hours, strict=True):
                count = int(np.searchsorted(after_h, until_h))
                self._add(tally, which[:count], refused_by[:count], np.full(count, 1 / days))
        return ends

    def _end(self, rounds: int) -> tuple[int, ...]:
        """By trigger the code of what becomes of its later clips of a day that goes round the ring so often at most.

        A limit without room for the smallest of them has none for the others either. _UNKNOWN where one may yet bind.
        """
        clips, size_bytes = rounds * len(self._ring.at_h), rounds * int(self._ring.size_bytes.sum())
        codes = [_ADMITTED] * len(self._names)
        for number, smallest in self._smallest.items():
            of_clip = self._budgets[self._names[number]]
            if binding := [day for day in of_clip if not day.has_room_for(clips, size_bytes)]:
                limit = next((found for day in binding if (found := day.without_room(smallest))), None)
                codes[number] = _UNKNOWN if limit is None else self._code(limit)
        return tuple(codes)

    def _add_rest(self, tally: Tally, ends: Counter[tuple[int, ...]], hours: float) -> None:
        """Count the clips of so many hours after those that were looked at, as these days ended."""
        ring, every = self._ring, np.arange(len(self._ring.at_h))
        for codes, days in ends.items():
            refused_by = np.where(self._too_large == _ADMITTED, np.array(codes)[ring.triggers], self._too_large)
            share = days / ends.total()
            self._add(tally, every, refused_by, share * hours / ring.hours / ring.one_in[ring.triggers])

    def _settled(self, tally: Tally, hours: float) -> Tally:
        """The tally with as many clips and bytes as come in so many hours, of which the days have more or fewer.

        Where no day was looked at, or none has a clip so early, only what is too large is refused.
        """
        ring = self._ring
        if not tally.offered:
            every = np.arange(len(ring.at_h))
            self._add(tally, every, self._too_large, hours / ring.hours / ring.one_in[ring.triggers])
            return tally
        clips, size_bytes = ring.per_hour(np.ones_like(ring.size_bytes)), ring.per_hour(ring.size_bytes)
        return tally.scaled(clips * hours / tally.offered, size_bytes * hours / tally.offered_bytes)

    def _refused_by(self, which: Integers) -> Integers:
        """For each clip of a day, in order, the code of the limit that refuses it."""
        codes, budgets = self._too_large[which], self._budgets
        for day in (day for of_trigger in budgets.values() for day in of_trigger):
            day.reset()
        triggers, sizes = self._ring.triggers[which].tolist(), self._ring.size_bytes[which].tolist()
        for place in np.flatnonzero(codes == _ADMITTED).tolist():
            size, of_clip = sizes[place], budgets[self._names[triggers[place]]]
            limit = next((found for day in of_clip if (found := day.without_room(size))), None)
            if limit is not None:
                codes[place] = self._code(limit)
                continue
            for day in of_clip:
                day.use(size)
        return codes

    def _add(self, tally: Tally, which: Integers, refused_by: Integers, weights: Numbers) -> None:
        """Count clips, each with its weight."""
        sizes, is_admitted = self._ring.size_bytes[which] * weights, refused_by == _ADMITTED
        tally.offered += float(weights.sum())
        tally.offered_bytes += float(sizes.sum())
        for code, count in enumerate(np.bincount(refused_by[~is_admitted], weights[~is_admitted]).tolist()):
            if count:
                tally.refuse(self._limits[code], count)
        triggers, most = self._ring.triggers[which], len(self._names)
        drives = self._ring.drives[which]
        tally.offered_on += np.bincount(drives, weights, self._drives)
        tally.refused_on += np.bincount(drives, weights * ~is_admitted, self._drives)
        tally.clips += np.bincount(triggers, weights * is_admitted, most)
        tally.bytes += np.bincount(triggers, sizes * is_admitted, most)
        tally.cellular_bytes += np.bincount(triggers, sizes * is_admitted * self._is_cellular[which], most)


def _admitted_by(campaign: CampaignSettings, network: Network, size_bytes: Integers) -> NDArray[np.bool_]:
    """Which clips may be uploaded on a network."""
    is_admitted = np.zeros(len(size_bytes), np.bool_)
    for route in campaign.upload:
        if route.network == network:
            is_admitted |= route.up_to_bytes is None or size_bytes <= route.up_to_bytes
    return is_admitted
