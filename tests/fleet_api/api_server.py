"""The API under test: requests by users with given roles and by vehicles, and the texts they send."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response

from fleet_api.client import Client
from fleet_api.deployment.keys import ensure_signing_key
from fleet_api.services import open_signer
from fleet_api.signing.bundle_key import open_bundle_key
from fleet_api.signing.chain import KnownChain
from storage import tokens
from storage.database import Database
from storage.settings import Settings
from triggers.contracts import signing
from triggers.contracts.bundle import Bundle, open_bundle
from triggers.contracts.checkin import AssignmentList
from triggers.contracts.signing import load_private_key
from triggers.contracts.trust import RoleKeys

SIGNALS = """
signals:
  ego.speed: {unit: m/s, rate: 50}
  ego.accel: {unit: m/s^2, rate: 50}
  active.cut_in.detected: {type: bool, rate: 50}
  shadow.cut_in.detected: {type: bool, rate: 50}
  active.lane.valid: {type: bool, rate: 50}
  shadow.lane.valid: {type: bool, rate: 50}
vehicle:
  region: text
  hardware: integer
"""

SOURCE = """
trigger hard_brake {
    when ego.accel < -4 m/s^2
    capture 2 s before, 2 s after
}

campaign braking {
    collect hard_brake
    %s
    budget 1 GB total
}
"""


def campaign_text(clauses: str = "") -> str:
    """A campaign `braking` with more clauses."""
    return SOURCE % clauses


class Api:
    """A running application. `as_(role)` gives headers of a user who has that role and no other.

    `get` and `post` are for tests of the HTTP interface itself; `as_client` is the client library, for all others.
    """

    def __init__(self, app: FastAPI, client: TestClient, database: Database, settings: Settings) -> None:
        self.app = app
        self.client = client
        self.database = database
        self.settings = settings
        self.as_ = cache(self._headers)

    def as_client(self, role: str) -> Client:
        """The client library of a user with `role`, calling the application in this process."""
        token = self.as_(role)["Authorization"].removeprefix("Bearer ")
        return Client(str(self.client.base_url), token, patience_s=0, http=self.client)

    def _headers(self, role: str, user: str = "") -> dict[str, str]:
        with self.database.begin() as connection:
            token = tokens.issue(connection, user or f"{role}-user", [role])
        return {"Authorization": f"Bearer {token}"}

    def change_settings(self, **changes: Any) -> None:
        """Let the running application have other settings."""
        self.settings = self.settings.model_copy(update=changes)
        state = self.app.state
        state.services = replace(state.services, settings=self.settings)

    def get(self, path: str, role: str = "viewer", **params: Any) -> Response:
        """GET as a user with `role`."""
        response: Response = self.client.get(path, headers=self.as_(role), params=params)
        return response

    def post(self, path: str, body: Any, role: str) -> Response:
        """POST JSON as a user with `role`."""
        response: Response = self.client.post(path, json=body, headers=self.as_(role))
        return response

    def apply(self, source: str, **fields: Any) -> Response:
        """Apply a text as an author."""
        return self.post("/v1/campaigns", {"source": source, "signals": SIGNALS, **fields}, "author")

    def activate(self, source: str, signals: str = SIGNALS) -> dict[str, Any]:
        """Apply and approve; returns the active version."""
        applied = self.as_client("author").campaigns.apply(source, signals)
        approved = self.as_client("approver").campaigns.approve(
            applied.campaign, applied.version, digest=applied.approval_digest
        )
        return approved.model_dump(mode="json")

    def enrol(self, vehicle_id: str = "car-1", **attributes: Any) -> dict[str, str]:
        """Enrol a vehicle; returns its headers."""
        enrolled = self.as_client("operator").vehicles.enrol(vehicle_id, attributes, replace=True)
        return {"Authorization": f"Bearer {enrolled.token}"}

    def enrol_assigned(self, vehicle_id: str = "car-1", *, replays: bool = False) -> dict[str, str]:
        """Enrol a vehicle that has asked for its list, and so may report; returns its headers."""
        enrolled = self.as_client("operator").vehicles.enrol(vehicle_id, {}, replays=replays, replace=True)
        headers = {"Authorization": f"Bearer {enrolled.token}"}
        assert self.check_in(headers, vehicle_id).status_code == 200
        return headers

    def check_in(self, vehicle: dict[str, str], vehicle_id: str = "car-1", **fields: Any) -> Response:
        """A vehicle's check-in."""
        body = {"vehicle_time_ns": time.time_ns(), **fields}
        response: Response = self.client.post(f"/v1/vehicles/{vehicle_id}/check-in", json=body, headers=vehicle)
        return response

    def open_list(self, response: Response) -> AssignmentList:
        """The list out of a check-in's answer, its signature verified."""
        assert response.status_code == 200, response.text
        payload = signing.unseal(response.content, purpose=signing.ASSIGNMENTS, trusted=self._trusted())
        return AssignmentList.from_json(payload, what="the list")

    def opened(self, sealed: bytes, lists: RoleKeys) -> AssignmentList:
        """A list whose signature is verified by these keys."""
        payload = signing.unseal(sealed, purpose=signing.ASSIGNMENTS, trusted=lists.trusted)
        return AssignmentList.from_json(payload, what="the list")

    def restart(self) -> None:
        """Let the running application read its keys again."""
        state = self.app.state
        state.services = replace(
            state.services,
            key=open_bundle_key(self.settings),
            signer=open_signer(self.settings),
            trust=KnownChain(),
        )

    def open_bundle(self, response: Response, digest: str) -> Bundle:
        """The bundle out of an answer, its digest and signature verified."""
        assert response.status_code == 200, response.text
        assert hashlib.sha256(response.content).hexdigest() == digest
        return open_bundle(response.content, self._trusted())

    def _trusted(self) -> dict[bytes, Any]:
        key = load_private_key(ensure_signing_key(self.settings))
        return signing.public_keys(key.public_key().public_bytes_raw())
