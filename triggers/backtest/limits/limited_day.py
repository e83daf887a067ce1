"""A day of the fleet under the limits of each campaign: the share of its clips that they refuse, and bytes by network.

Days are taken from the recorded drives on which all triggers of a campaign ran (`triggers.backtest.limits.clip_ring`),
and their clips are admitted as limits have room for them (`triggers.backtest.limits.days`). The interval of the share
has two parts. That of the forecast's clips: at its ends, days are shorter or longer, as clips come more rarely or more
often. And that of the differences of drives (`triggers.statistics.proportions`), where some clips of a vehicle's day
are refused and some are not.

Drives on whose days nothing was refused do not show what a busier vehicle's day is like. Then the high end is that of
vehicles that differ as the drives do, as far as that was seen (`Rate.spread`): how busy they are has a gamma
distribution.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from triggers.backtest.forecast import DailyVolume, ForecastFleet
from triggers.backtest.limits.budgets import vehicle_day, yield_of
from triggers.backtest.limits.clip_ring import ClipRing
from triggers.backtest.limits.days import Days, Tally
from triggers.backtest.result import DriveResult
from triggers.contracts.campaign import CampaignSettings, Network
from triggers.signals.catalog import SignalCatalog
from triggers.statistics.distributions import gamma_quantile
from triggers.statistics.interval import Interval

_BUSY_KINDS = 16
"""Kinds of vehicles, from the quietest to the busiest, each the same share of all."""
NO_DRIVE_OF_ALL = "there is no drive on which all of its triggers ran"
TOO_MANY_CLIPS = "a vehicle's day has too many clips to look at all of them, and the limits may bind later in it"


@dataclass(frozen=True, slots=True)
class RefusedShare:
    """The share of a day's clips that one limit refuses; each refused clip counts for the first limit that does."""

    limit: str
    amount: int
    trigger: str | None
    share: float


@dataclass(frozen=True, slots=True)
class LimitedDay:
    """A day of the fleet under a campaign's limits and those of its triggers' own budgets.

    Of `clips_per_fleet_day`, which sampling keeps, the limits refuse the share `refused` (None if nothing fired), for
    the reasons of `refused_by`. What they admit has `uploaded_bytes_per_fleet_day`; `cellular_bytes_per_fleet_day` are
    those that may go over cellular networks: all that do where `networks` has no other, else the most that can.

    `unknown` says why it is not known what the limits refuse: `refused` is None, and bytes are those of the forecast,
    from none of them on.
    """

    campaign: str
    clips_per_fleet_day: Interval
    refused: Interval | None
    refused_by: tuple[RefusedShare, ...]
    networks: tuple[str, ...]
    uploaded_bytes_per_fleet_day: Interval
    cellular_bytes_per_fleet_day: Interval
    unknown: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As in the report of a backtest: counts with six decimals, bytes as whole numbers."""
        return asdict(self) | {
            "clips_per_fleet_day": self.clips_per_fleet_day.to_json(6),
            "uploaded_bytes_per_fleet_day": self.uploaded_bytes_per_fleet_day.to_json(),
            "cellular_bytes_per_fleet_day": self.cellular_bytes_per_fleet_day.to_json(),
        }


def limited_days(
    campaigns: Sequence[CampaignSettings],
    drives: Sequence[DriveResult],
    fleet: ForecastFleet | None,
    catalog: SignalCatalog,
) -> tuple[LimitedDay, ...]:
    """A day of the fleet for each campaign that has a forecast, in the order of the file; none without a fleet."""
    if fleet is None:
        return ()
    found = (_limited_day(campaign, drives, fleet, catalog) for campaign in campaigns)
    return tuple(each for each in found if each is not None)


def _limited_day(
    campaign: CampaignSettings, drives: Sequence[DriveResult], fleet: ForecastFleet, catalog: SignalCatalog
) -> LimitedDay | None:
    forecast = vehicle_day(campaign, campaign.triggers, drives, fleet, catalog)
    if forecast is None:
        return None
    fleet_day = forecast.scaled(fleet.vehicles)
    # Beside the clips of one trigger, those of another are missing on a drive on which it did not run.
    names = {trigger.name for trigger in campaign.triggers}
    complete = [drive for drive in drives if names.isdisjoint(drive.left_out)]
    per_hour = yield_of(campaign, campaign.triggers, complete, fleet, catalog)
    if per_hour is None:
        return _unknown(campaign, fleet_day, NO_DRIVE_OF_ALL)
    day = per_hour.per_day(fleet.hours_per_day)
    sampled = [(each, fleet.sample_one_in or campaign.one_in(each)) for each in campaign.triggers]
    ring = ClipRing.of(sampled, complete, catalog)
    days = Days(campaign, ring)
    if (tallies := _by_level(days, ring, day)) is None:
        return _unknown(campaign, fleet_day, TOO_MANY_CLIPS)
    by_clips, by_bytes = ([each.of_fleet(campaign, fleet.vehicles) for each in kind] for kind in tallies)
    refused = None
    if not ring.is_assumed:
        shares = [days.too_large_share if (share := each.refused_share) is None else share for each in by_clips]
        refused = _widened(_interval(shares), days.widening(tallies[0][0]))
        if not refused.mean:
            busy = _of_busy_vehicles(days, ring, day, per_hour.clips.spread)
            share = None if busy is None else busy.of_fleet(campaign, fleet.vehicles).refused_share
            refused = replace(refused, high=max(refused.high, share or 0.0))
    return LimitedDay(
        campaign=campaign.name,
        clips_per_fleet_day=fleet_day.clips,
        refused=refused,
        refused_by=() if refused is None else _reasons(by_clips[0], refused.mean),
        networks=_networks(campaign),
        uploaded_bytes_per_fleet_day=_interval([float(each.bytes.sum()) for each in by_bytes]),
        cellular_bytes_per_fleet_day=_interval([float(each.cellular_bytes.sum()) for each in by_bytes]),
    )


def _unknown(campaign: CampaignSettings, fleet_day: DailyVolume, reason: str) -> LimitedDay:
    """A day of which nobody knows what the limits refuse: between none and all of the forecast's bytes come."""
    most = Interval(fleet_day.bytes.mean, 0.0, fleet_day.bytes.high)
    networks = _networks(campaign)
    cellular = most if Network.CELLULAR in networks else Interval(0.0, 0.0, 0.0)
    return LimitedDay(campaign.name, fleet_day.clips, None, (), networks, most, cellular, reason)


def _networks(campaign: CampaignSettings) -> tuple[str, ...]:
    return tuple(dict.fromkeys(route.network.value for route in campaign.upload))


def _by_level(days: Days, ring: ClipRing, day: DailyVolume) -> tuple[list[Tally], list[Tally]] | None:
    """What becomes of a vehicle's clips at the mean, low and high end of their forecast, and at those of bytes.

    None if it is not known (`Days.after`).
    """
    clips, size_bytes = ring.per_hour(np.ones_like(ring.size_bytes)), ring.per_hour(ring.size_bytes)
    hours = [level / clips for level in (day.clips.mean, day.clips.low, day.clips.high)]
    hours += [level / size_bytes for level in (day.bytes.mean, day.bytes.low, day.bytes.high)]
    tallies = days.after(hours, typical_h=hours[0])
    return None if tallies is None else (tallies[:3], tallies[3:])


def _of_busy_vehicles(days: Days, ring: ClipRing, day: DailyVolume, spread: float) -> Tally | None:
    """The mean day of vehicles of all kinds, with the clips of the forecast's high end; None if it is not known."""
    times = np.array([gamma_quantile((kind + 0.5) / _BUSY_KINDS, 1 / spread**2) for kind in range(_BUSY_KINDS)])
    hours = times / times.mean() * day.clips.high / ring.per_hour(np.ones_like(ring.size_bytes))
    kinds = days.after(hours.tolist(), typical_h=float(hours[-1]))
    return None if kinds is None else Tally.total(kinds).scaled(1 / _BUSY_KINDS, 1 / _BUSY_KINDS)


def _reasons(day: Tally, refused: float) -> tuple[RefusedShare, ...]:
    """The limits that refuse clips of a day, those that refuse the most first; their shares add up to `refused`."""
    clips = sum(day.refused.values())
    return tuple(
        RefusedShare(limit.name, limit.amount, limit.trigger, refused * (count / clips))
        for limit, count in sorted(day.refused.items(), key=lambda each: -each[1])
    )


def _interval(levels: Sequence[float]) -> Interval:
    """From the figures at the mean, the low and the high end of the forecast."""
    mean, low, high = levels
    return Interval(mean, min(low, mean), max(high, mean))


def _widened(share: Interval, widening: tuple[float, float] | None) -> Interval:
    """The interval of a share that is not known exactly for a known number of clips either."""
    if widening is None:
        return share
    low, mean, high = (_log_odds(each) for each in (share.low, share.mean, share.high))
    below, above = math.hypot(mean - low, widening[0]), math.hypot(high - mean, widening[1])
    return Interval(share.mean, _share(mean - below), _share(mean + above))


def _log_odds(share: float) -> float:
    if not 0 < share < 1:
        return math.copysign(math.inf, share - 0.5)
    return math.log(share / (1 - share))


def _share(log_odds: float) -> float:
    return (1 + math.tanh(log_odds / 2)) / 2
