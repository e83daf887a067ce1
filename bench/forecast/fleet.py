"""A simulated fleet that runs one campaign: what it was backtested on, what it spends day by day, what an oracle knows.

Vehicles differ (gamma rates), days move all of them alike (gamma factors, quieter weekends), a share of the vehicles
never uploads, clips differ in size (log-normal), a rollout admits vehicles in stages, and the recorded drives of the
backtest fire more or less often than the fleet does. Everything follows from the seed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from triggers.statistics.budget_forecast.burn import Prior
from triggers.statistics.budget_forecast.days import TAIL, Day, Vehicles
from triggers.statistics.budget_forecast.forecast import DAY_NS, PlannedDay
from triggers.statistics.distributions import gamma_quantile
from triggers.statistics.fleet_rates import Report, VehicleSums, spread_of_vehicles
from triggers.statistics.interval import Interval
from triggers.statistics.rates import Events, Rate

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """What is true of a fleet, and what of it a forecast cannot know."""

    vehicles: int = 5_000
    days: int = 30
    stages: tuple[tuple[int, float], ...] = ((2, 0.01), (5, 0.1), (30, 1.0))
    """Days and share of each stage of the rollout."""
    clips_per_day: float = 0.5
    rate_spread: float = 0.5
    """How campaigns differ, on the scale of logarithms."""
    vehicle_spread: float = 0.8
    day_spread: float = 0.15
    day_memory: float = 0.0
    """The correlation of a day's factor with that of the day before, which no forecast expects."""
    weekend: float = 0.85
    uploading: float = 0.9
    clip_bytes: float = 4e6
    size_spread: float = 0.6
    backtest_drives: int = 60
    backtest_hours: float = 1.0
    hours_per_day: float = 1.5
    backtest_error: float = 0.35
    """How far recorded drives are from the fleet, on the scale of logarithms."""

    @property
    def unit(self) -> float:
        """E(S^2) / E(S) of the sizes."""
        return self.clip_bytes * math.exp(self.size_spread**2)

    def shares(self) -> list[float]:
        """The share of the fleet that is admitted, day by day."""
        shares = [share for days, share in self.stages for _ in range(days)]
        return shares[: self.days]


@dataclass
class Campaign:
    """One campaign on one fleet, day by day."""

    world: World
    seed: int
    backtest: Interval = field(init=False)
    """Bytes per vehicle-day, with the backtest's interval of 95 %."""
    amounts: list[int] = field(init=False)
    squares: list[int] = field(init=False)
    expected: Floats = field(init=False)
    """By day: the bytes that are to be expected by who knows all but the days' own factors and chance."""
    fires: NDArray[np.int64] = field(init=False)
    """By day and vehicle."""
    first_days: NDArray[np.int64] = field(init=False)
    """By vehicle, when it is admitted, which is for good."""

    def __post_init__(self) -> None:
        world, rng = self.world, np.random.default_rng(self.seed)
        rate = world.clips_per_day * math.exp(rng.normal(-(world.rate_spread**2) / 2, world.rate_spread))
        own = rng.gamma(1 / world.vehicle_spread**2, world.vehicle_spread**2, world.vehicles)
        own *= rng.random(world.vehicles) < world.uploading
        number = rng.random(world.vehicles)
        self.backtest = self._backtest(rng, rate)
        weekdays = np.where((np.arange(world.days) + self.seed) % 7 < 2, world.weekend, 1.0)
        factors = self._factors(rng)
        admitted = number[None, :] < np.array(world.shares())[:, None]
        self.first_days = np.argmax(admitted, axis=0) + world.days * ~admitted.any(axis=0)
        means = rate * weekdays[:, None] * np.where(admitted, own[None, :], 0.0)
        self.expected = means.sum(axis=1) * world.clip_bytes
        self.fires = rng.poisson(means * factors[:, None])
        sizes = [self._sizes(rng, int(count)) for count in self.fires.sum(axis=1)]
        self.amounts = [int(each.sum()) for each in sizes]
        self.squares = [sum(size * size for size in each.tolist()) for each in sizes]

    def _factors(self, rng: np.random.Generator) -> Floats:
        """The days' own factors, of mean 1: independent, or each like the one before it."""
        world = self.world
        if world.day_memory == 0:
            return rng.gamma(1 / world.day_spread**2, world.day_spread**2, world.days)
        news = rng.normal(0, world.day_spread, world.days)
        logs = [news[0]]
        for each in news[1:]:
            logs.append(world.day_memory * logs[-1] + math.sqrt(1 - world.day_memory**2) * each)
        return np.exp(np.array(logs) - world.day_spread**2 / 2)

    def _sizes(self, rng: np.random.Generator, clips: int) -> NDArray[np.int64]:
        location = math.log(self.world.clip_bytes) - self.world.size_spread**2 / 2
        return np.exp(rng.normal(location, self.world.size_spread, clips)).astype(np.int64)

    def _backtest(self, rng: np.random.Generator, rate: float) -> Interval:
        world = self.world
        biased = rate / world.hours_per_day * math.exp(rng.normal(0, world.backtest_error))
        hours = rng.gamma(4, world.backtest_hours / 4, world.backtest_drives)
        drives = rng.gamma(1 / world.vehicle_spread**2, world.vehicle_spread**2, world.backtest_drives)
        sizes = [self._sizes(rng, int(count)) for count in rng.poisson(biased * hours * drives)]
        events = Events(
            [float(each.sum()) for each in sizes],
            sum(map(len, sizes)),
            float(sum((each.astype(np.float64) ** 2).sum() for each in sizes)),
            world.clip_bytes,
        )
        per_hour = Rate.of(events, hours.tolist())
        if per_hour is None:
            raise ValueError("a backtest without any hours")
        return per_hour.interval().scaled(world.hours_per_day)

    def prior(self) -> Prior:
        """What is thought before the start."""
        return Prior.of_backtest(self.backtest, self.world.unit, uploading=self.world.uploading)

    def seen(self, days: int) -> list[Day]:
        """The first days as the ledger tells them, with the vehicles that were assigned the campaign then."""
        assigned = [int((self.first_days <= day).sum()) for day in range(days)]
        return [
            Day(count, amount, squares)
            for count, amount, squares in zip(assigned, self.amounts, self.squares, strict=False)
        ]

    def vehicles(self, days: int) -> Vehicles:
        """The vehicles that reported in these days, and how they differ, from their own counts."""
        exposure = np.maximum(0, days - self.first_days)
        fires = self.fires[:days].sum(axis=0)
        sums = VehicleSums.of(
            [Report(count, in_days)] for count, in_days in zip(fires.tolist(), exposure.tolist(), strict=True)
        )
        return Vehicles(self.world.vehicles, spread_of_vehicles(sums))

    def plan(self, days: int) -> list[PlannedDay]:
        """The days from then on."""
        shares = self.world.shares()
        return [
            PlannedDay((day + 1) * DAY_NS, shares[day] * self.world.vehicles) for day in range(days, self.world.days)
        ]

    def oracle(self, days: int) -> Interval:
        """The interval of 90 % for what is left, by who knows every vehicle's rate, all weekdays, and all variances."""
        return self._interval(float(self.expected[days:].sum()), days, 0.0)

    def best(self, days: int) -> Interval:
        """The interval of who knows all but this campaign's rate, which must be learnt from the backtest and the days.

        The days' covariance is that of chance, the days' factors, and nested samples of vehicles; their generalised
        least squares mean is combined with the prior.
        """
        world = self.world
        shares = np.array(world.shares())
        seen = shares[:days] * world.vehicles
        left = float(self.expected[days:].sum())
        bytes_per_day = left / (shares[days:].sum() * world.vehicles)
        differ = (1 + world.vehicle_spread**2) / world.uploading - 1
        precision = 1 / (world.backtest_error**2 + (1 + world.vehicle_spread**2) / world.backtest_drives)
        if days:
            nested = differ * (1 / np.maximum(seen[:, None], seen[None, :]) - 1 / world.vehicles)
            chance = world.unit / (bytes_per_day * seen)
            precision += float(np.linalg.inv(nested + np.diag(world.day_spread**2 + chance)).sum())
        return self._interval(left, days, 1 / precision)

    def _interval(self, mean: float, days: int, of_rate: float) -> Interval:
        of_days = self.world.day_spread**2 * float((self.expected[days:] ** 2).sum())
        variance = mean * self.world.unit + of_days + of_rate * mean**2
        shape = mean**2 / variance
        low, high = (gamma_quantile(p, shape) * variance / mean for p in (TAIL, 1 - TAIL))
        return Interval(mean, low, high)

    def left(self, days: int) -> int:
        """The bytes that were spent from then on."""
        return sum(self.amounts[days:])
