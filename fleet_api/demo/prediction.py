"""The prediction of a demonstration's fires and bytes, by a backtest of the drives that its vehicles will play.

Fires are exact, because which vehicles a campaign reaches is a pure function of its settings and their attributes. The
bytes are the backtest's estimate, and an upper bound where capture windows of several triggers overlap.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fleet_api.demo.inputs import DemoInputs
from fleet_api.simulation.simulate import PlannedVehicle
from triggers.assignment.rules import obstacle
from triggers.backtest.forecast import clip_sizes
from triggers.backtest.plan import make_plan
from triggers.backtest.result import DriveResult
from triggers.backtest.run import run
from triggers.contracts.campaign import CampaignSettings


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
    fires: dict[str, int] = {}
    clip_bytes = 0.0
    for name, campaign in inputs.compilation.campaigns.items():
        reached = [vehicle for vehicle in vehicles if _reaches(campaign.settings, vehicle, now_ns)]
        played = [by_path[trip.drive.path] for vehicle in reached for trip in vehicle.trips]
        fires[name] = sum(_fires(campaign.settings, drive) for drive in played)
        clip_bytes += math.fsum(_expected_bytes(campaign.settings, drive) for drive in played)
    return Prediction(fires=fires, clip_bytes=round(clip_bytes))


def _reaches(settings: CampaignSettings, vehicle: PlannedVehicle, now_ns: int) -> bool:
    """Whether a vehicle gets the campaign as soon as it starts."""
    return obstacle(settings, vehicle.id, vehicle.attributes, rollout_from_ns=now_ns, now_ns=now_ns) is None


def _fires(settings: CampaignSettings, drive: DriveResult) -> int:
    """Fires of all triggers of a campaign on a drive."""
    return sum(len(drive.fires_ns.get(trigger.name, ())) for trigger in settings.triggers)


def _expected_bytes(settings: CampaignSettings, drive: DriveResult) -> float:
    """The bytes of their clips that sampling is expected to keep."""
    one_in = {trigger.name: settings.one_in(trigger) for trigger in settings.triggers}
    return math.fsum(int(clip_sizes(drive, name, rate).sum()) / rate for name, rate in one_in.items())
