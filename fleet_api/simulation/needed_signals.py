"""Checks before a simulation that its drives have the signals that the vehicles' campaigns need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fleet_api.simulation.simulate import PlannedVehicle
from triggers.assignment.targets import matches
from triggers.contracts.api.campaigns import CampaignDetails
from triggers.contracts.campaign import CampaignSettings, Target
from triggers.drives.drive import Drive
from triggers.language.compile import compile_source
from triggers.signals.catalog import SignalCatalog


@dataclass(frozen=True, slots=True)
class Need:
    """The signals that a vehicle reads or captures for one campaign, and the campaign's target."""

    target: Target | None
    signals: frozenset[str]


def need_of(details: CampaignDetails) -> Need:
    """The need of a campaign version, given the API's details: its program's inputs and its captures."""
    settings = CampaignSettings.model_validate(details.settings, strict=False)
    signals = {name for trigger in settings.triggers for name in trigger.capture.signals}
    catalog = SignalCatalog.parse(details.signals, name=f"the catalog of {settings.name}")
    compiled = compile_source(details.source, filename=settings.name, catalog=catalog).campaigns.get(settings.name)
    if compiled is not None:  # else an older version of the language compiled it, and only its captures are known
        signals.update(signal.name for signal in compiled.ir.inputs)
    return Need(settings.target, frozenset(signals))


def check_drives(
    plan: Sequence[PlannedVehicle], needs: Iterable[Need], catalog: SignalCatalog, *, speed_signal: str | None = None
) -> None:
    """Raise InvalidInput, naming the first drive that lacks a column for a signal that a vehicle playing it needs.

    Signals that the drives' catalog does not declare are accepted: vehicles treat them as unknown.
    """
    campaigns = list(needs)
    by_path: dict[Path, tuple[Drive, set[str]]] = {}
    for vehicle in plan:
        needed = {speed_signal} if speed_signal else set[str]()
        needed.update(*(need.signals for need in campaigns if matches(need.target, vehicle.attributes)))
        for trip in vehicle.trips:
            by_path.setdefault(trip.drive.path, (trip.drive, set()))[1].update(needed & catalog.carried)
    for drive, signals in by_path.values():
        drive.check_columns(catalog, sorted(signals))
