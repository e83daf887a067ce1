"""The report of a backtest as JSON values: counts, rates, fires, overlap, compared heads, forecast.

Quantities of a fleet are for vehicles that all run every trigger: targets and rollouts are not applied.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triggers.backtest.plan import Plan
from triggers.backtest.run import Outcome
from triggers.backtest.volume import nominal_clip_bytes
from triggers.contracts.base import NS_PER_S
from triggers.contracts.compared import Compared
from triggers.signals.catalog import SignalCatalog
from triggers.statistics import CONFIDENCE, Events, Interval, rates_per_hour

NS_PER_HOUR = 3600 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Fleet:
    """The fleet a forecast is for; every vehicle drives `hours_per_day`.

    `sample_one_in`: the share of fires that is kept, 1 in n; None: what each trigger's campaign says.
    """

    vehicles: int
    hours_per_day: float
    sample_one_in: int | None = None


def report(plan: Plan, outcome: Outcome, fleet: Fleet, catalog: SignalCatalog) -> dict[str, Any]:
    """The report as JSON values; rates are null where no time or distance was recorded."""
    results = outcome.results
    hours = sum(result.recorded_ns for result in results) / NS_PER_HOUR
    measured = [result.metres for result in results if result.metres is not None]
    km = sum(measured) / 1000 if measured and len(measured) == len(results) else None
    return {
        "drives": len(results),
        "rows": sum(result.rows for result in results),
        "hours": hours,
        "km": km,
        "triggers": {name: _trigger(name, outcome, hours, km) for name in plan.settings},
        "fires": [
            {"trigger": fire.trigger, "drive": result.drive, "t": fire.t_ns / NS_PER_S}
            for result in results
            for fire in result.fires
        ],
        "overlap": _overlap(outcome),
        "compared": _compared(outcome),
        "overflows": sum(result.overflows for result in results),
        "forecast": _forecast(plan, outcome, fleet, catalog),
        "programs": [hashlib.sha256(program).hexdigest() for program in plan.programs],
        "failed_drives": [str(failure) for failure in outcome.failures],
    }


def _fires(name: str, outcome: Outcome) -> list[int]:
    """A trigger's fires, drive by drive."""
    return [len(result.fires_ns.get(name, ())) for result in outcome.results]


def _sizes(name: str, outcome: Outcome) -> list[NDArray[np.float64]]:
    """Bytes of the clips of a trigger's fires, drive by drive."""
    none = np.empty(0)
    return [result.clip_bytes.get(name, none).astype(np.float64) for result in outcome.results]


def _trigger(name: str, outcome: Outcome, hours: float, km: float | None) -> dict[str, Any]:
    fires = sum(_fires(name, outcome))
    clip_bytes = sum(float(sizes.sum()) for sizes in _sizes(name, outcome))
    return {
        "fires": fires,
        "suppressed": sum(result.suppressed.get(name, 0) for result in outcome.results),
        "per_hour": fires / hours if hours else None,
        "per_1000_km": fires / km * 1000 if km else None,
        "clip_bytes": round(clip_bytes / fires) if fires else None,
    }


def _overlap(outcome: Outcome) -> list[dict[str, Any]]:
    """Ordered pairs of triggers that share clips, the largest shares first."""
    shared = sum((Counter(result.shared) for result in outcome.results), Counter[tuple[str, str]]())
    fires = {name: sum(_fires(name, outcome)) for name, _ in shared}
    pairs = [
        {"trigger": name, "other": other, "fires": count, "share": count / fires[name]}
        for (name, other), count in shared.items()
    ]
    return sorted(pairs, key=lambda pair: (-pair["share"], pair["trigger"], pair["other"]))


def _compared(outcome: Outcome) -> dict[str, dict[str, int]]:
    """The confusion table of each compared head."""
    total: dict[str, Compared] = {}
    for result in outcome.results:
        for head, counts in result.compared.items():
            total[head] = total.get(head, Compared()) + counts
    return {head: asdict(counts) for head, counts in total.items()}


def _forecast(plan: Plan, outcome: Outcome, fleet: Fleet, catalog: SignalCatalog) -> dict[str, Any]:
    hours = [result.recorded_ns / NS_PER_HOUR for result in outcome.results]
    one_in = {name: fleet.sample_one_in or plan.one_in[name] for name in plan.settings}
    fires = {name: Events.of_counts(_fires(name, outcome)) for name in plan.settings}
    clips = {name: fires[name].scaled(1 / one_in[name]) for name in plan.settings}
    volumes = {}
    for name, settings in plan.settings.items():
        nominal = nominal_clip_bytes(settings.capture, catalog)
        volumes[name] = _volume(_sizes(name, outcome), nominal).scaled(1 / one_in[name])
    kinds = [[Events.total(list(each.values()), len(hours)), *each.values()] for each in (fires, clips, volumes)]
    rates = rates_per_hour([events for kind in kinds for events in kind], hours)
    forecast: dict[str, Any] = {
        **{"vehicles": fleet.vehicles, "hours_per_day": fleet.hours_per_day, "confidence": CONFIDENCE},
        "method": "poisson" if len(hours) < 2 else "poisson and drives resampled, the wider",
        "triggers": {},
    }
    if rates is None:
        return forecast
    daily = [rate.scaled(fleet.hours_per_day) for rate in rates]
    step = 1 + len(plan.settings)
    total, *by_trigger = zip(*(daily[first : first + step] for first in range(0, len(daily), step)), strict=True)
    for name, quantities in zip(plan.settings, by_trigger, strict=True):
        forecast["triggers"][name] = {"sample_one_in": one_in[name], **_quantities(quantities, fleet)}
    return forecast | _quantities(total, fleet)


def _quantities(daily: Sequence[Interval], fleet: Fleet) -> dict[str, Any]:
    """Fires, clips and bytes a vehicle-day, and a fleet-day."""
    result = {}
    for name, each, digits in zip(("fires", "clips", "bytes"), daily, (6, 6, None), strict=True):
        result[f"{name}_per_vehicle_day"] = each.to_json(digits)
        result[f"{name}_per_fleet_day"] = each.scaled(fleet.vehicles).to_json(digits)
    return result


def _volume(sizes: list[NDArray[np.float64]], weight: float) -> Events:
    """Bytes of all clips; `weight` is that of a clip where there was none."""
    squares = sum(float((each * each).sum()) for each in sizes)
    return Events([float(each.sum()) for each in sizes], sum(len(each) for each in sizes), squares, weight)
