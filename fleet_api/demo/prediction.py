"""The prediction of a demonstration's fires and bytes, by a backtest of the drives that its vehicles will play.

Fires are exact, because which vehicles a campaign reaches is a pure function of its settings and their attributes. The
bytes are the backtest's estimate, and an upper bound where capture windows overlap.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fleet_api.demo.inputs import DemoInputs
from fleet_api.simulation.simulate import PlannedVehicle
from triggers.assignment.rules import is_assigned
from triggers.backtest.forecast import TriggerYield, trigger_yield
from triggers.backtest.plan import make_plan
from triggers.backtest.result import DriveResult
from triggers.backtest.run import run
from triggers.contracts.campaign import CampaignSettings
from triggers.signals.catalog import SignalCatalog


@dataclass(frozen=True)
class Prediction:
    """Fires by campaign, and the bytes of their clips after sampling."""

    fires: dict[str, int]
    clip_bytes: int

    @property
    def total(self) -> int:
        """All fires."""
        return sum(self.fires.values())


def predict(inputs: DemoInputs, vehicles: Sequence[PlannedVehicle], *, now_ns: int) -> Prediction:
    """Run the backtest over every drive once, and add up the results of the drives that each vehicle plays.

    All campaigns start at `now_ns` (Unix time). Raises InvalidInput for a drive that cannot be read.
    """
    result = run(make_plan(inputs.compilation), inputs.drives, inputs.catalog, lambda _bytes: None)
    if result.failures:
        raise result.failures[0]
    by_path = {drive.path: drive for drive in result.drives}
    yields = {}
    for name, campaign in inputs.compilation.campaigns.items():
        reached = [vehicle for vehicle in vehicles if _reaches(campaign.settings, vehicle, now_ns)]
        played = [by_path[trip.drive.path] for vehicle in reached for trip in vehicle.trips]
        yields[name] = _campaign_yield(campaign.settings, played, inputs.catalog)
    return Prediction(
        fires={name: part.fires.count for name, part in yields.items()},
        clip_bytes=round(math.fsum(size for part in yields.values() for size in part.bytes.totals)),
    )


def _reaches(settings: CampaignSettings, vehicle: PlannedVehicle, now_ns: int) -> bool:
    """Whether a vehicle gets the campaign as soon as it starts."""
    return is_assigned(settings, vehicle.id, vehicle.attributes, rollout_from_ns=now_ns, now_ns=now_ns)


def _campaign_yield(settings: CampaignSettings, played: list[DriveResult], catalog: SignalCatalog) -> TriggerYield:
    """What all triggers of a campaign yield on the drives that are played; a drive may be in `played` several times."""
    parts = [
        trigger_yield(trigger.name, trigger.capture, settings.sample_one_in, played, catalog)
        for trigger in settings.triggers
    ]
    return TriggerYield.total(parts, len(played))
