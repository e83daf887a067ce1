"""The demonstration's prediction: what a backtest finds on each drive, as often as vehicles of the campaign play it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fleet_api.demo.inputs import DemoInputs
from fleet_api.demo.prediction import predict
from fleet_api.simulation.simulate import PlannedVehicle, Trip
from triggers.backtest.plan import make_plan
from triggers.backtest.run import run
from triggers.drives.drive import Drive
from triggers.errors import InvalidInput
from triggers.language.compile import compile_source
from triggers.signals.catalog import SignalCatalog

CATALOG = SignalCatalog.parse(
    "signals: {ego.speed: {unit: m/s, rate: 10}, p: {type: bool, rate: 10}}\nvehicle: {region: text}\n", name="c"
)
SOURCE = """
trigger fast { when ego.speed > 10 m/s }
trigger pressed { when p }
campaign european { target vehicle.region == "EU" collect fast, pressed sample 1 in 4 budget 1 GB total }
campaign everywhere { collect pressed budget 1 GB total }
"""


def inputs(folder: Path) -> DemoInputs:
    """Two drives: `often` is fast three times and pressed twice, `once` is fast once."""
    t = np.arange(600) / 10
    speeds = {"often": np.where((t % 20 > 10) & (t % 20 < 12), 20.0, 5.0), "once": np.where(t > 30, 20.0, 5.0)}
    drives = []
    for name, speed in speeds.items():
        pressed = (t % 30 > 25) & (name == "often")
        pq.write_table(pa.table({"t": t, "ego.speed": speed, "p": pressed}), folder / f"{name}.parquet")
        drives.append(Drive(folder / f"{name}.parquet"))
    compilation = compile_source(SOURCE, filename="t", catalog=CATALOG)
    assert compilation.ok, [diagnostic.render() for diagnostic in compilation.diagnostics]
    return DemoInputs(drives, CATALOG, compilation, folder / "signals.yaml", folder / "demo.trigger", generated=True)


def vehicle(name: str, region: str, *drives: Drive) -> PlannedVehicle:
    return PlannedVehicle(name, {"region": region}, tuple(Trip(drive, 0) for drive in drives))


def test_fires_are_those_of_the_drives_that_vehicles_of_the_campaign_play(tmp_path: Path) -> None:
    demo = inputs(tmp_path)
    often, once = demo.drives
    fleet = [vehicle("a", "EU", often, once), vehicle("b", "EU", once), vehicle("c", "US", often)]
    prediction = predict(demo, fleet, now_ns=10**18)
    assert prediction.fires == {"european": 3 + 2 + 1 + 1, "everywhere": 2 + 2}
    assert prediction.total == 11
    sizes = [
        drive.clip_bytes for drive in run(make_plan(demo.compilation), [often, once], CATALOG, lambda _: None).drives
    ]
    fast, pressed = sizes[0]["fast"].sum() + 2 * sizes[1]["fast"].sum(), sizes[0]["pressed"].sum()
    assert prediction.clip_bytes == pytest.approx((fast + pressed) / 4 + 2 * pressed, abs=1)


def test_a_drive_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    demo = inputs(tmp_path)
    demo.drives[0].path.write_bytes(b"not a drive")
    with pytest.raises(InvalidInput, match=r"often\.parquet"):
        predict(demo, [], now_ns=0)
