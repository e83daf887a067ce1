"""What a fleet will do, foretold by the backtest: the same programs over the same drives, before anything starts.

Exact for fires: which vehicles a campaign reaches is a pure function of target, rollout and attributes. The bytes are
an estimate, an upper one where capture windows overlap.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fleet_api.demo.inputs import DemoInputs
from fleet_api.simulation.simulate import PlannedVehicle
from triggers.assignment.sampling import admitted
from triggers.assignment.targets import matches
from triggers.backtest.run import DriveResult, make_plan, run_drive
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


def predict(inputs: DemoInputs, vehicles: Iterable[PlannedVehicle]) -> Prediction:
    """Run the backtest over every drive once, and add up what each vehicle will make of the drives it plays."""
    plan = make_plan(inputs.compilation)
    results = {drive.path: run_drive(plan, drive, inputs.catalog, lambda _rows: None) for drive in inputs.drives}
    fires = dict.fromkeys(inputs.compilation.campaigns, 0)
    expected_bytes = 0.0
    for vehicle in vehicles:
        for name, campaign in inputs.compilation.campaigns.items():
            if not _reaches(campaign.settings, vehicle):
                continue
            for result in _played(vehicle, results):
                found = _fires_of(campaign.settings, result)
                fires[name] += found[0]
                expected_bytes += found[1] / campaign.settings.sample_one_in
    return Prediction(fires, round(expected_bytes))


def _reaches(settings: CampaignSettings, vehicle: PlannedVehicle) -> bool:
    """Does a vehicle get the campaign on its first day?"""
    return matches(settings.target, vehicle.attributes) and admitted(
        vehicle.id, settings.name, settings.rollout[0].share
    )


def _played(vehicle: PlannedVehicle, results: dict[Path, DriveResult]) -> list[DriveResult]:
    return [results[trip.drive.path] for trip in vehicle.trips]


def _fires_of(settings: CampaignSettings, result: DriveResult) -> tuple[int, int]:
    """Fires of a campaign's triggers on a drive, and the bytes of their clips."""
    triggers = {trigger.name for trigger in settings.triggers}
    count = sum(1 for fire in result.fires if fire.trigger in triggers)
    return count, sum(sum(result.clip_bytes.get(name, ())) for name in triggers)
