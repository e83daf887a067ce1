"""`python -m bench.forecast.run [--runs 100] [--vehicles 5000]`: how often forecasts hold, and how wide they are.

For several days of a campaign: how many of the runs ended inside the 90 % interval of what was still to be spent, how
wide the intervals are against those of an oracle that knows every rate, and how far off the means are. Then the same
before the start, and what the errors of the first half of the runs do to the intervals of the second half.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.table import Table

from bench.forecast.fleet import Campaign, World
from triggers.statistics.budget_forecast.burn import learn
from triggers.statistics.budget_forecast.forecast import DAY_NS, Spending
from triggers.statistics.budget_forecast.kept import KeptForecast, Stage, calibrate, conformal_factor, widened
from triggers.statistics.distributions import proportion_interval
from triggers.statistics.interval import Interval

DAYS = (0, 3, 7, 10, 15, 22)
PROMISED = 0.85
WIDEST = 2.0


@dataclass(frozen=True)
class Outcome:
    """A forecast of what was left to spend, what it was, and the oracle's forecast."""

    seed: int
    days: int
    forecast: Interval
    oracle: Interval
    best: Interval
    actual: int

    @property
    def held(self) -> bool:
        """Whether what happened is inside the interval."""
        return self.forecast.low <= self.actual <= self.forecast.high

    @property
    def width(self) -> float:
        """How many times as wide as the oracle's the interval is."""
        return _width(self.forecast) / _width(self.oracle)

    @property
    def width_to_best(self) -> float:
        """How many times as wide as the best possible forecast's it is."""
        return _width(self.forecast) / _width(self.best)


def _width(interval: Interval) -> float:
    return interval.high - interval.low


def outcomes(world: World, seeds: Sequence[int], days: Sequence[int]) -> Iterator[Outcome]:
    """One forecast per seed and day."""
    for seed in seeds:
        campaign = Campaign(world, seed)
        for day in days:
            burn = learn(campaign.prior(), campaign.seen(day), campaign.vehicles(day))
            course = Spending(burn, campaign.plan(day), now_ns=day * DAY_NS)
            yield Outcome(
                seed,
                day,
                course.computed(world.days - day),
                campaign.oracle(day),
                campaign.best(day),
                campaign.left(day),
            )


def table_of(found: Sequence[Outcome]) -> Table:
    """One row per day of the campaign."""
    table = Table(title="90 % intervals of what is left to spend", title_justify="left")
    for heading in (
        "after days",
        "held",
        "95 % of it",
        "oracle held",
        "width / oracle",
        "largest",
        "width / best",
        "off",
    ):
        table.add_column(heading, justify="right")
    for day in sorted({each.days for each in found}):
        of_day = [each for each in found if each.days == day]
        held = sum(each.held for each in of_day)
        low, high = proportion_interval(held, len(of_day), 0.95)
        oracle = sum(each.oracle.low <= each.actual <= each.oracle.high for each in of_day)
        widths, to_best = [each.width for each in of_day], [each.width_to_best for each in of_day]
        off = median(abs(each.forecast.mean / each.actual - 1) for each in of_day if each.actual)
        cells = (f"{held} of {len(of_day)}", f"{low:.0%} to {high:.0%}", str(oracle))
        ratios = (f"{median(widths):.2f}", f"{max(widths):.2f}", f"{median(to_best):.2f}")
        table.add_row(str(day), *cells, *ratios, f"{off:.1%}")
    return table


def learnt(found: Sequence[Outcome], day: int) -> str:
    """What the errors of the first half of the runs say about the second half."""
    of_day = [each for each in found if each.days == day]
    past, new = of_day[: len(of_day) // 2], of_day[len(of_day) // 2 :]
    kept = [KeptForecast(str(each.seed), day / 30, each.forecast, each.forecast, float(each.actual)) for each in past]
    stage = kept[0].stage if kept else Stage.BEFORE
    factor = conformal_factor([each.score for each in kept])
    bands = [widened(each.forecast, factor) for each in new]
    held = sum(band.low <= each.actual <= band.high for band, each in zip(bands, new, strict=True))
    return f"after {day} days: {calibrate(kept, stage)}; then {held} of {len(new)} hold"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.forecast.run", description="Measure forecasts of budgets.")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--vehicles", type=int, default=World.vehicles)
    options = parser.parse_args()
    console = Console(width=140)
    worlds = {
        "the default fleet": World(vehicles=options.vehicles),
        "days alike": World(vehicles=options.vehicles, day_spread=0.02, weekend=1.0),
        "days that differ by 30 %": World(vehicles=options.vehicles, day_spread=0.3),
        "days like the days before them": World(vehicles=options.vehicles, day_memory=0.9),
        "a rare trigger": World(vehicles=options.vehicles, clips_per_day=2e-4, rate_spread=0.2),
    }
    for name, world in worlds.items():
        console.print(f"\n{name}: {world}")
        found = list(outcomes(world, range(options.runs), DAYS))
        console.print(table_of(found))
        for day in (0, 15):
            console.print(learnt(found, day))


if __name__ == "__main__":
    main()
