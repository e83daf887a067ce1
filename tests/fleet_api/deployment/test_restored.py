"""A database that was restored by other means than `longtail restore`: it is noticed, and one command moves it on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select, update

from fleet_api.cli.main import main
from fleet_api.deployment.doctor.database import check_revision
from storage.tables import assignment_revision, vehicles
from tests.fleet_api.api_server import SIGNALS, Api, campaign_text


@pytest.fixture
def restored_here(api: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Api:
    """The deployment, for commands on its machine."""
    monkeypatch.setenv("LONGTAIL_DATABASE_URL", api.database.url)
    monkeypatch.setenv("LONGTAIL_DATA_DIR", str(tmp_path))
    return api


def set_revision(api: Api, revision: int) -> None:
    with api.database.begin() as connection:
        connection.execute(update(assignment_revision).values(revision=revision))


def test_a_restored_database_is_noticed_and_moves_on(restored_here: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api = restored_here
    vehicle = api.enrol()
    api.activate(campaign_text())
    seen = api.open_list(api.check_in(vehicle))
    api.check_in(vehicle, revision=seen.revision)
    assert check_revision(api.database).status == "ok"
    set_revision(api, seen.revision - 1000)
    api.check_in(vehicle, revision=seen.revision)
    found = check_revision(api.database)
    assert found.status == "fail"
    assert f"car-1 ({seen.revision})" in found.message and "longtail restored" in found.remedy
    assert main(["restored", "--json"]) == 0
    moved = json.loads(capsys.readouterr().out)
    assert (moved["revision"] > seen.revision, moved["versions_above"]) == (True, 1000)
    assert check_revision(api.database).status == "ok"
    assert api.open_list(api.check_in(vehicle)).revision == moved["revision"]
    other = campaign_text("sample 1 in 2")
    assert api.as_client("author").campaigns.apply(other, SIGNALS).version == 1001
    assert main(["restored", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["versions_above"] == 2000
    noted = [entry for entry in api.as_client("operator").audit.list() if entry.action == "deployment.restored"]
    assert [entry.after and entry.after["version_floor"] for entry in noted] == [1000, 2000]


def test_a_step_after_an_unnoticed_restore_reaches_vehicles_at_once(api: Api) -> None:
    vehicle = api.enrol()
    api.activate(campaign_text())
    seen = api.open_list(api.check_in(vehicle))
    set_revision(api, 9)
    api.post("/v1/campaigns/braking/1/pause", {}, "admin")
    stopped = api.open_list(api.check_in(vehicle, revision=seen.revision))
    assert (stopped.assignments, stopped.revision > seen.revision) == ((), True)


def test_a_vehicle_cannot_use_up_the_revisions_by_its_report(restored_here: Api) -> None:
    api = restored_here
    vehicle = api.enrol()
    for claimed in (2**62, 2**63 - 1):
        assert api.check_in(vehicle, revision=claimed).status_code == 200
    with api.database.begin() as connection:
        assert connection.execute(select(vehicles.c.revision)).scalar_one() is None
    assert check_revision(api.database).status == "ok"
    assert api.check_in(vehicle, revision=2**63).status_code == 422
