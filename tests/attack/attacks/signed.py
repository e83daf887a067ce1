"""A vehicle that signs its requests with a key of its own, as attackers have it: to forge with, and to replay."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.attack.target import Target
from triggers.body_digest import HEADER, content_digest
from triggers.contracts.api.vehicles import KeyRequest
from triggers.contracts.checkin import CheckIn
from triggers.request_signature import sign


@dataclass
class SigningVehicle:
    """Its key, and the requests that it makes."""

    target: Target
    vehicle_id: str
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def address(self) -> str:
        """Where it checks in."""
        return f"{self.target.api}/v1/vehicles/{self.vehicle_id}/check-in"

    def enrol(self, code: str) -> httpx.Response:
        """Enrol under its key by a one-time code."""
        body = KeyRequest.of(self.key, self.vehicle_id, code).canonical_json()
        url = f"{self.target.api}/v1/vehicles/{self.vehicle_id}/key"
        return self.target.http.post(url, content=body, headers={"Content-Type": "application/json"})

    def check_in(self, *, key: Ed25519PrivateKey | None = None, age_s: int = 0, nonce: str = "") -> httpx.Request:
        """A signed check-in, not sent yet: by another key, made earlier, or with a nonce of one's choice."""
        body = CheckIn(vehicle_time_ns=time.time_ns()).canonical_json()
        headers = {"content-type": "application/json", HEADER.lower(): content_digest(body)}
        signed = sign(
            key or self.key,
            self.vehicle_id,
            "POST",
            urlsplit(self.address).path,
            headers,
            created_s=int(time.time()) - age_s,
            nonce=nonce or secrets.token_urlsafe(16),
        )
        return self.target.http.build_request("POST", self.address, content=body, headers=headers | signed)


def signing_vehicle(target: Target) -> SigningVehicle:
    """A vehicle that has enrolled itself."""
    vehicle = SigningVehicle(target, f"stolen-{target.number()}")
    code = target.admin.vehicles.issue_code(vehicle.vehicle_id, {"fleet": "theirs"}).code
    assert vehicle.enrol(code).status_code == httpx.codes.CREATED
    return vehicle
