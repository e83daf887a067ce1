"""What `longtail simulate` looks at before it makes vehicles known."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from click.testing import CliRunner

from fleet_api.cli.deployment.simulate import simulate
from tests.fleet_api.api_server import SIGNALS, Api, campaign_text
from tests.fleet_api.cli.conftest import Longtail


def test_a_drive_that_lacks_a_needed_column_is_refused_before_a_vehicle_is_enrolled(
    api: Api, longtail: Longtail, tmp_path: Path
) -> None:
    api.activate(campaign_text())
    (tmp_path / "signals.yaml").write_text(SIGNALS)
    pq.write_table(pa.table({"t": [0.0, 1.0], "ego.speed": [1.0, 2.0]}), tmp_path / "drive.parquet")
    arguments = ["--drives", str(tmp_path / "drive.parquet"), "--signals", str(tmp_path / "signals.yaml")]
    shown = longtail("simulate", *arguments, role="operator")
    assert shown.status == 1 and "has no column `ego.accel`" in shown.err
    assert list(api.as_client("operator").vehicles.list()) == []


def test_the_help_warns_of_other_drives_under_the_same_names() -> None:
    shown = " ".join(CliRunner().invoke(simulate, ["--help"]).output.split())
    assert "fires of other drives collide with the old ones and are rejected" in shown
