"""A vehicle's agent rotates its token against the real API, and finds back after a restart or a restored database."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from fleet_api.known import KnownVehicles, Remembered
from storage.tables import vehicles
from storage.tokens import token_hash
from tests.fleet_api.api_server import Api
from tests.fleet_api.vehicles.in_process import InProcess
from triggers.contracts.api.vehicles import EnrolledView
from triggers.errors import Misconfigured, Unauthenticated
from triggers.vehicle.agent import VehicleAgent
from triggers.vehicle.config import VehicleConfig
from triggers.vehicle.token import FILE


def enrol(api: Api) -> EnrolledView:
    return api.as_client("operator").vehicles.enrol("car-1", replace=True)


def agent(wire: InProcess, enrolled: EnrolledView, folder: Path, **changes: Any) -> VehicleAgent:
    config = VehicleConfig(
        vehicle_id="car-1",
        token=enrolled.token,
        api_url=enrolled.api_url,
        gateway_url=enrolled.gateway_url,
        trusted_keys=tuple(base64.b64decode(key) for key in enrolled.public_keys),
        state_directory=folder / "state",
        **{"token_renew_at_ns": 1, **changes},
    )
    return VehicleAgent(config, transport=wire)


def status_of(api: Api, token: str, **told: Any) -> int:
    return api.check_in({"Authorization": f"Bearer {token}"}, **told).status_code


def test_the_agent_rotates_its_token_when_due_keeps_it_privately_and_continues_with_it(
    api: Api, tmp_path: Path
) -> None:
    enrolled, wire = enrol(api), InProcess(api)
    with agent(wire, enrolled, tmp_path) as first:
        first.check_in()
        first.check_in()
        file = tmp_path / "state" / FILE
        assert file.stat().st_mode & 0o777 == 0o600
        assert wire.sent != enrolled.token
        kept = file.read_bytes()
    assert status_of(api, enrolled.token) == 401, "the first use of the next one has ended it"
    with agent(wire, enrolled, tmp_path) as second:
        second.check_in()
        assert file.read_bytes() == kept, "half a year is left"
    file.write_text("{")
    with pytest.raises(Misconfigured, match=r"token\.json"):
        agent(wire, enrolled, tmp_path)


def test_a_token_that_enrolment_gave_later_wins_over_what_the_agent_kept(api: Api, tmp_path: Path) -> None:
    wire = InProcess(api)
    with agent(wire, enrol(api), tmp_path) as rotated:
        rotated.check_in()
    again = enrol(api)
    with agent(wire, again, tmp_path, token_renew_at_ns=None) as renewed:
        renewed.check_in()
        assert wire.sent == again.token


def test_after_the_database_lost_the_rotation_the_agent_finds_back_with_the_former_token(
    api: Api, tmp_path: Path
) -> None:
    enrolled, wire = enrol(api), InProcess(api)
    with agent(wire, enrolled, tmp_path) as vehicle:
        vehicle.check_in()
        with api.database.begin() as connection:
            restored = {"token_hash": token_hash(enrolled.token), "former_token_hash": None}
            connection.execute(update(vehicles).values(**restored))
        with pytest.raises(Unauthenticated):
            vehicle.check_in()
        vehicle.check_in()
        vehicle.check_in()
        assert wire.sent != enrolled.token


def test_a_vehicle_rotates_its_own_token_only(api: Api) -> None:
    own = api.enrol("car-1")
    api.enrol("car-2")
    assert api.client.post("/v1/vehicles/car-2/token", headers=own).status_code == 403
    answer = api.client.post("/v1/vehicles/car-1/token", headers=own)
    assert answer.status_code == 201
    assert status_of(api, answer.json()["token"]) == 200
    assert status_of(api, own["Authorization"].removeprefix("Bearer ")) == 401


def remembered(api: Api, token: str) -> Remembered | None:
    known: KnownVehicles = api.app.state.services.known
    return known.find(token_hash(token), "car-1")


def test_a_vehicle_that_is_answered_from_memory_still_ends_its_former_token_by_using_the_next(api: Api) -> None:
    own = api.enrol("car-1")
    digest = api.open_list(api.check_in(own)).content_digest
    former = own["Authorization"].removeprefix("Bearer ")
    assert status_of(api, former, have=digest) == 304
    assert remembered(api, former) is not None
    latter = api.client.post("/v1/vehicles/car-1/token", headers=own).json()["token"]
    assert status_of(api, former, have=digest) == 304, "its successor has not been used yet"
    assert status_of(api, latter, have=digest) == 304
    assert status_of(api, former, have=digest) == 401


def test_no_vehicle_is_remembered_past_half_of_the_time_of_its_token(api: Api) -> None:
    own = api.enrol("car-1")
    digest = api.open_list(api.check_in(own)).content_digest
    token = own["Authorization"].removeprefix("Bearer ")
    known = remembered(api, token)
    with api.database.begin() as connection:
        expires_at = connection.execute(select(vehicles.c.token_expires_at)).scalar_one()
        connection.execute(update(vehicles).values(token_expires_at=func.now() + timedelta(days=1)))
    assert known is not None and known.until_ns < expires_at.timestamp() * 10**9
    api.app.state.services.known.forget(token_hash(token))
    assert status_of(api, token, have=digest) == 304
    assert remembered(api, token) is None
    with api.database.begin() as connection:
        connection.execute(update(vehicles).values(token_expires_at=func.now()))
    assert status_of(api, token, have=digest) == 401
