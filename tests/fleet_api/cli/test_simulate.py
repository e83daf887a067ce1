"""What `longtail simulate` looks at before it makes vehicles known."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

from fleet_api.cli import connection
from fleet_api.cli.deployment.simulate import simulate
from fleet_api.client.client import ApiClient
from tests.fleet_api.api_server import SIGNALS, Api, campaign_text
from triggers.errors import InvalidInput


def test_a_drive_that_lacks_a_needed_column_is_refused_before_a_vehicle_is_enrolled(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(httpx, "Client", lambda **_: TestClient(api.app, headers=api.as_("operator")))
    client = ApiClient("http://testserver", "")
    monkeypatch.setattr(connection, "connect", lambda *_: nullcontext(client))
    api.activate(campaign_text())
    (tmp_path / "signals.yaml").write_text(SIGNALS)
    pq.write_table(pa.table({"t": [0.0, 1.0], "ego.speed": [1.0, 2.0]}), tmp_path / "drive.parquet")
    arguments = ["--drives", str(tmp_path / "drive.parquet"), "--signals", str(tmp_path / "signals.yaml")]
    with pytest.raises(InvalidInput, match=r"has no column `ego\.accel`"):
        CliRunner().invoke(simulate, arguments, catch_exceptions=False)
    assert api.get("/v1/vehicles", "operator").json()["vehicles"] == []


def test_the_help_warns_of_other_drives_under_the_same_names() -> None:
    shown = " ".join(CliRunner().invoke(simulate, ["--help"]).output.split())
    assert "fires of other drives collide with the old ones and are rejected" in shown
