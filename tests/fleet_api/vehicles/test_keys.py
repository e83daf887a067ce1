"""Vehicles with keys of their own: enrolment by a one-time code, and signed requests to the API."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, update
from starlette.requests import Request

from fleet_api.http.auth import caller_of, calling_address
from ingest.http.bounds.rates import CALLER
from storage.tables import enrolment_codes, vehicles
from tests.fleet_api.api_server import Api, campaign_text
from tests.fleet_api.vehicles.in_process import InProcess
from tests.fleet_api.vehicles.test_unchanged import statements
from triggers.body_digest import content_digest
from triggers.contracts.api.vehicles import KeyRequest
from triggers.errors import Conflict, Unauthenticated
from triggers.request_signature import sign
from triggers.vehicle.agent import VehicleAgent
from triggers.vehicle.config import VehicleConfig
from triggers.vehicle.enrolment import enrol_with_code
from triggers.vehicle.key import KEY_FILE

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
CHECK_IN = b'{"vehicle_time_ns": 1}'


def code_for(api: Api, vehicle_id: str = "car-1") -> str:
    return api.as_client("operator").vehicles.issue_code(vehicle_id, {"region": "EU"}, replace=True).code


def redeem(api: Api, code: str, vehicle_id: str = "car-1", key: Ed25519PrivateKey = KEY) -> httpx.Response:
    body = KeyRequest.of(key, vehicle_id, code).model_dump()
    answer: httpx.Response = api.client.post(f"/v1/vehicles/{vehicle_id}/key", json=body)
    return answer


def rotated(api: Api) -> str:
    """A token that car-1 gets for a signed request."""
    path, headers = "/v1/vehicles/car-1/token", {"content-digest": content_digest(b"")}
    signature = sign(KEY, "car-1", "POST", path, headers, created_s=int(time.time()))
    answer = api.client.post(path, headers={**headers, **signature})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


def checked_in(api: Api, *, sent: bytes = CHECK_IN, vehicle_id: str = "car-1", **changes: Any) -> httpx.Response:
    """A signed check-in of car-1."""
    path = "/v1/vehicles/car-1/check-in"
    headers = {"content-digest": content_digest(CHECK_IN), "content-type": "application/json"}
    values = {"created_s": int(time.time()), **changes}
    signature = sign(KEY, vehicle_id, "POST", path, headers, **values)
    answer: httpx.Response = api.client.post(path, content=sent, headers={**headers, **signature})
    return answer


def test_the_agent_enrols_with_a_code_and_signs_from_then_on(api: Api, tmp_path: Path) -> None:
    state, wire = tmp_path / "state", InProcess(api)
    with httpx.Client(transport=wire) as http:
        code = code_for(api)
        enrolled = enrol_with_code(api.settings.effective_api_url(), "car-1", code, state, http)
        with pytest.raises(Unauthenticated, match="used"):
            enrol_with_code(api.settings.effective_api_url(), "car-1", code, state, http)
    assert (state / KEY_FILE).stat().st_mode & 0o777 == 0o600
    config = VehicleConfig(
        vehicle_id="car-1",
        api_url=enrolled.api_url,
        gateway_url=enrolled.gateway_url,
        trusted_keys=tuple(base64.b64decode(key) for key in enrolled.public_keys),
        state_directory=state,
    )
    with VehicleAgent(config, transport=wire) as agent:
        agent.check_in()
        agent.check_in()
        assert not wire.sent, "no token"
        api.as_client("operator").vehicles.revoke("car-1")
        with pytest.raises(Unauthenticated):
            agent.check_in()
    assert api.as_client("viewer").vehicles.get("car-1").attributes == {"region": "EU"}


def test_a_code_works_once_for_its_vehicle_and_time_and_is_kept_as_a_hash(api: Api) -> None:
    first, second = code_for(api), code_for(api)
    with api.database.begin() as connection:
        kept = connection.execute(select(enrolment_codes.c.code_hash)).scalars().all()
    assert len(kept) == 1 and second.encode() not in bytes(kept[0])
    assert redeem(api, first).status_code == 401, "replaced by the second"
    assert redeem(api, second, "car-2").status_code == 401
    assert redeem(api, second).status_code == 201
    assert redeem(api, second).status_code == 401
    late = code_for(api)
    with api.database.begin() as connection:
        connection.execute(update(enrolment_codes).values(expires_at=enrolment_codes.c.created_at))
    assert redeem(api, late).status_code == 401


def test_a_key_is_proven_and_belongs_to_one_vehicle(api: Api) -> None:
    code = code_for(api)
    stolen = KeyRequest.of(KEY, "car-2", code).model_dump()
    assert api.client.post("/v1/vehicles/car-1/key", json=stolen).status_code == 422
    assert redeem(api, code).status_code == 201
    assert redeem(api, code_for(api, "car-2"), "car-2").status_code == 409


def test_enrolment_by_code_ends_the_tokens_and_enrolment_by_an_operator_ends_the_key(api: Api) -> None:
    token = api.enrol("car-1")
    redeem(api, code_for(api))
    assert api.check_in(token).status_code == 401
    assert checked_in(api).status_code == 200
    api.enrol("car-1")
    assert checked_in(api).status_code == 401


def test_a_signed_request_is_accepted_once_in_its_time_as_it_was_signed(api: Api) -> None:
    redeem(api, code_for(api))
    nonce = "n" * 22
    assert checked_in(api, nonce=nonce).status_code == 200
    replayed = checked_in(api, nonce=nonce)
    assert (replayed.status_code, "before" in replayed.json()["detail"]) == (401, True)
    for off_s in (-400, 400):
        assert checked_in(api, created_s=int(time.time()) + off_s).status_code == 401
    assert checked_in(api, sent=b'{"vehicle_time_ns": 2}').status_code == 400, "not the body that was signed"
    assert checked_in(api, vehicle_id="car-2").status_code == 401


def test_a_vehicle_that_signs_may_have_a_token_for_another_client(api: Api) -> None:
    redeem(api, code_for(api))
    assert api.check_in({"Authorization": f"Bearer {rotated(api)}"}).status_code == 200


def test_a_code_for_a_vehicle_that_is_enrolled_needs_replace_and_keeps_its_attributes(api: Api) -> None:
    operator = api.as_client("operator").vehicles
    operator.enrol("car-1", {"region": "US", "hardware": 4})
    with pytest.raises(Conflict, match="enrolled already"):
        operator.issue_code("car-1", {"region": "EU"})
    assert redeem(api, code_for(api)).status_code == 201
    assert operator.get("car-1").attributes == {"region": "EU", "hardware": 4}


@pytest.mark.parametrize("later", ["enrolled", "revoked"])
def test_a_code_ends_unused_when_its_vehicle_is_enrolled_with_a_token_or_revoked(api: Api, later: str) -> None:
    token, code = api.enrol("car-1"), code_for(api)
    if later == "revoked":
        api.as_client("operator").vehicles.revoke("car-1")
    else:
        token = api.enrol("car-1")
    assert redeem(api, code).status_code == 401
    assert api.check_in(token).status_code == (401 if later == "revoked" else 200)


def test_a_simulated_vehicle_gets_no_code(api: Api) -> None:
    assert api.post("/v1/enrolment-codes", {"id": "car-1", "replays": True}, "operator").status_code == 422


def test_a_vehicle_in_memory_is_shut_out_when_it_enrols_with_a_code(api: Api) -> None:
    token = api.enrol("car-1")
    digest = api.open_list(api.check_in(token)).content_digest
    assert api.check_in(token, have=digest).status_code == 304
    redeem(api, code_for(api))
    assert api.check_in(token, have=digest).status_code == 401


def unchanged(api: Api, digest: str, *, key: Ed25519PrivateKey = KEY, **changes: Any) -> httpx.Response:
    """A signed check-in of car-1 that has nothing new to tell."""
    body = json.dumps({"vehicle_time_ns": 1, "have": digest}).encode()
    headers = {"content-digest": content_digest(body), "content-type": "application/json"}
    path = "/v1/vehicles/car-1/check-in"
    signature = sign(key, "car-1", "POST", path, headers, **{"created_s": int(time.time()), **changes})
    answer: httpx.Response = api.client.post(path, content=body, headers={**headers, **signature})
    return answer


def remembered(api: Api) -> str:
    """car-1 with a key, which the process remembers; the digest of its list."""
    redeem(api, code_for(api))
    digest = api.open_list(checked_in(api)).content_digest
    assert unchanged(api, digest).status_code == 304
    return digest


def test_a_signed_check_in_with_nothing_new_is_answered_from_memory(api: Api) -> None:
    digest = remembered(api)
    with statements(api) as ran:
        assert unchanged(api, digest).status_code == 304
    assert len(ran) == 1 and "assignment_revision" in ran[0], "only the revisions are read, which all check-ins share"


def test_a_signed_check_in_that_is_answered_from_memory_is_accepted_once_in_its_time_from_its_key(api: Api) -> None:
    digest = remembered(api)
    assert unchanged(api, digest, nonce="n" * 22).status_code == 304
    assert unchanged(api, digest, nonce="n" * 22).status_code == 401
    assert unchanged(api, digest, created_s=int(time.time()) - 400).status_code == 401
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    assert unchanged(api, digest, key=other, nonce="m" * 22).status_code == 401
    assert unchanged(api, digest, nonce="m" * 22).status_code == 304, "a nonce that a stranger sent is not used up"


def test_a_signed_check_in_with_something_new_uses_its_nonce_once(api: Api) -> None:
    digest = remembered(api)
    api.activate(campaign_text())
    assert api.open_list(unchanged(api, digest)).content_digest != digest


@pytest.mark.parametrize("how", ["revoked", "enrolled again", "another key", "erased"])
def test_a_vehicle_whose_key_is_remembered_and_that_is_shut_out_is_noticed(api: Api, how: str) -> None:
    digest = remembered(api)
    operator = api.as_client("operator").vehicles
    if how == "revoked":
        operator.revoke("car-1")
    elif how == "erased":
        operator.erase("car-1", reason="a test")
    elif how == "another key":
        assert redeem(api, code_for(api), key=Ed25519PrivateKey.from_private_bytes(bytes(32))).status_code == 201
    else:
        operator.enrol("car-1", replace=True)
    assert unchanged(api, digest).status_code == 401


def test_a_key_with_which_anybody_could_sign_is_refused(api: Api) -> None:
    """With the identity as its key, one signature would be right for every request."""
    code = code_for(api)
    identity = (1).to_bytes(32, "little")
    weak = {"public_key": base64.b64encode(identity).decode(), "proof": base64.b64encode(identity + bytes(32)).decode()}
    answer = api.client.post("/v1/vehicles/car-1/key", json={"code": code, **weak})
    assert (answer.status_code, "small order" in answer.json()["detail"]) == (422, True)
    assert redeem(api, code).status_code == 201, "the code was not used up"
    token = {"Authorization": f"Bearer {rotated(api)}"}
    with api.database.begin() as connection:
        connection.execute(update(vehicles).values(public_key=identity))
    assert "small order" in checked_in(api).json()["detail"], "nor is one that is kept from before"
    assert api.check_in(token).status_code == 200


def test_who_is_not_known_yet_is_bounded_as_an_address_whatever_token_it_shows() -> None:
    request = Request({"type": "http", "client": ("10.0.0.1", 1), "headers": [], "state": {}})
    calling_address(request)
    assert caller_of(request) == "address 10.0.0.1"
    assert CALLER not in request.scope["state"], "or its token would be taken for a good one, and guesses be free"
