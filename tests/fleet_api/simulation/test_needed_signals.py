"""A drive that lacks what a campaign needs is found before vehicles are made known."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fleet_api.simulation.needed_signals import Need, check_drives, need_of
from fleet_api.simulation.simulate import PlannedVehicle, plan_fleet
from tests.fleet_api.api_server import SIGNALS, Api, campaign_text
from triggers.contracts.campaign import Comparison
from triggers.drives.drive import Drive
from triggers.errors import InvalidInput
from triggers.signals.catalog import SignalCatalog

CATALOG = SignalCatalog.parse(SIGNALS, name="signals.yaml")
IN_EU = Comparison(attribute="region", op="==", values=("EU",))


def drive(folder: Path, *columns: str) -> Drive:
    """A drive of two rows with these columns."""
    path = folder / f"{'_'.join(columns) or 'empty'}.parquet"
    pq.write_table(pa.table({"t": [0.0, 1.0], **{name: [1.0, 2.0] for name in columns}}), path)
    return Drive(path)


def plan(drives: list[Drive], *regions: str) -> list[PlannedVehicle]:
    return plan_fleet(drives, [{"region": region} for region in regions])


def test_a_campaign_needs_what_its_program_reads_and_what_it_captures(api: Api) -> None:
    api.activate(campaign_text())
    details = api.as_client("viewer").campaigns.version("braking", 1)
    assert need_of(details) == Need(None, frozenset({"ego.accel"}))
    source = details.source.replace("2 s after", "2 s after { signals ego.speed }")
    details.settings["triggers"][0]["capture"]["signals"] = ["ego.speed"]
    changed = details.model_copy(update={"source": source})
    assert need_of(changed).signals == {"ego.accel", "ego.speed"}


def test_a_drive_without_a_needed_column_is_named_with_it(tmp_path: Path) -> None:
    drives = [drive(tmp_path, "ego.accel", "ego.speed"), drive(tmp_path, "ego.speed")]
    need = Need(None, frozenset({"ego.accel"}))
    check_drives(plan(drives[:1], "EU"), [need], CATALOG)
    with pytest.raises(InvalidInput, match=r"ego\.speed\.parquet: has no column `ego\.accel`"):
        check_drives(plan(drives, "EU"), [need], CATALOG)


def test_only_what_the_vehicle_that_plays_it_needs_counts(tmp_path: Path) -> None:
    need = Need(IN_EU, frozenset({"ego.accel"}))
    drives = [drive(tmp_path, "ego.speed")]
    check_drives(plan(drives, "US"), [need], CATALOG)
    check_drives(plan(drives, "US"), [Need(None, frozenset({"unheard.of"}))], CATALOG)
    with pytest.raises(InvalidInput, match=r"ego\.accel"):
        check_drives(plan(drives, "US", "EU"), [need], CATALOG)


def test_the_speed_that_distance_is_counted_from_is_needed_too(tmp_path: Path) -> None:
    drives = [drive(tmp_path, "ego.accel")]
    with pytest.raises(InvalidInput, match=r"ego\.speed"):
        check_drives(plan(drives, "EU"), [], CATALOG, speed_signal="ego.speed")
