"""What API and command line say of fires that were handed over and are nowhere: nothing, unless there are any."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from fleet_api.cli import connection
from fleet_api.cli.fleet.campaign import campaign
from tests.fleet_api.api_server import Api, campaign_text


@pytest.mark.parametrize("handed_over", [0, 2])
def test_fires_that_are_unaccounted_for_are_shown_only_where_there_are_any(
    api: Api, monkeypatch: pytest.MonkeyPatch, handed_over: int
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    client = SimpleNamespace(get=lambda path: api.get(path, "admin").json())
    monkeypatch.setattr(connection, "connect", lambda *_: nullcontext(client))
    api.activate(campaign_text())
    counts = {
        "campaign": "braking",
        "version": 1,
        "watermark": 3,
        "suppressed": 0,
        "in_flight": 3 - handed_over,
        "handed_over": handed_over,
        "per_trigger": {"hard_brake": 3},
    }
    body = {"counts": [counts], "reported_at_ns": 1}
    assert api.client.post("/v1/vehicles/car-1/telemetry", json=body, headers=api.enrol()).status_code == 204
    outcomes = api.get("/v1/campaigns/braking/1").json()["outcomes"]
    assert (outcomes["fired"], outcomes["in_flight"], outcomes["unaccounted"]) == (3, 3, handed_over)
    shown = CliRunner().invoke(campaign, ["show", "braking"], catch_exceptions=False)
    assert shown.exit_code == 0, shown.output
    assert ("unaccounted" in shown.output) == (handed_over > 0)
