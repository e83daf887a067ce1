"""Vehicles in the API: enrolment, list and details."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Annotated, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, Field

from triggers.contracts.api.base import View
from triggers.contracts.base import AttributeName, AttributeValue, Contract, ShownAttribute, VehicleId
from triggers.contracts.erasure.report import ErasureReport
from triggers.errors import InvalidInput
from triggers.public_keys import checked_key

MAX_ATTRIBUTES = 100
"""How many attributes the fleet may record for a vehicle."""


class CodeRequest(Contract):
    """A vehicle and what the fleet knows about it. Targets of campaigns test these attributes."""

    id: VehicleId
    attributes: Annotated[dict[AttributeName, AttributeValue], Field(max_length=MAX_ATTRIBUTES)] = {}
    replace: bool = False
    """Needed to enrol a vehicle again: its token is replaced, and the attributes are added to those that it has."""


class EnrolRequest(CodeRequest):
    """A vehicle that is enrolled with a token."""

    replays: bool = False
    """It is simulated: it plays drives in less time than they contain, so what it counts is not bounded by the time
    since it was assigned its campaigns."""


class VehicleView(View):
    """A vehicle. `clock_offset_ns` is its clock minus the cloud's at the latest check-in."""

    id: str
    attributes: dict[str, ShownAttribute]
    software: dict[str, str]
    problems: list[str]
    clock_offset_ns: int
    enrolled_at: datetime
    last_check_in_at: datetime | None
    revoked_at: datetime | None
    refusals: dict[str, int]
    """How often something that it sent was refused, by reason."""
    quarantined_at: datetime | None
    quarantined_by: str | None
    quarantine_reason: str | None
    """Since when its uploads and reports are refused. Who and why remain of a quarantine that was lifted."""
    counts_voided_at: datetime | None
    counts_voided_by: str | None
    counts_void_reason: str | None
    """Since when its counts are in no sum."""


class VehicleList(BaseModel):
    """A page of vehicles, ordered by id; pass `next` as `after` to continue, null at the end."""

    vehicles: list[VehicleView]
    next: str | None


class VehicleErasureView(BaseModel):
    """What an erased vehicle still had in the catalog, which is erased now, a batch after the other."""

    id: str
    clips: int
    size_bytes: int


class ErasureReportView(BaseModel):
    """The report on an erased vehicle, and the same report in its signed envelope (base64)."""

    report: ErasureReport
    envelope: str


class VehicleTokenView(BaseModel):
    """A vehicle's token (shown only once), when it expires, and from when on the vehicle should ask for the next."""

    token: str
    token_expires_at: datetime
    token_renew_at: datetime


class EnrolledView(VehicleTokenView):
    """What a vehicle's agent needs: its token (shown only once), the keys it must trust, and the servers' URLs.

    `public_keys` are the root keys of trust document `trust_version`, of which `trust_threshold` sign the next one.
    Version 0 means that there is none, and that these keys sign bundles and lists.
    """

    id: str
    public_keys: list[str]
    trust_threshold: int = 1
    trust_version: int = 0
    api_url: str
    gateway_url: str


class EnrolmentCodeView(BaseModel):
    """A one-time code (shown only once) with which the vehicle enrols itself at `api_url`, until `expires_at`."""

    id: str
    code: str
    expires_at: datetime
    api_url: str


class EnrolledKeyView(BaseModel):
    """What a vehicle that signs its requests needs: the keys to trust (see `EnrolledView`), and the servers' URLs."""

    id: str
    public_keys: list[str]
    trust_threshold: int
    trust_version: int
    api_url: str
    gateway_url: str


class KeyRequest(Contract):
    """A vehicle's public key (32 bytes) and its signature of the code and the vehicle's id, both in base64."""

    code: Annotated[str, Field(min_length=1, max_length=100)]
    public_key: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{43}=$")]
    proof: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{86}==$")]

    @classmethod
    def of(cls, key: Ed25519PrivateKey, vehicle_id: str, code: str) -> Self:
        """The request with which the owner of `key` enrols."""
        public, proof = key.public_key().public_bytes_raw(), key.sign(_proven(vehicle_id, code))
        return cls(code=code, public_key=base64.b64encode(public).decode(), proof=base64.b64encode(proof).decode())

    def proven_key(self, vehicle_id: str) -> bytes:
        """The raw public key; InvalidInput unless it is a safe one, whose owner signed this code for this vehicle."""
        raw = base64.b64decode(self.public_key)
        try:
            key = checked_key(raw)
        except ValueError as error:
            raise InvalidInput(f"public_key: {error}") from error
        try:
            key.verify(base64.b64decode(self.proof), _proven(vehicle_id, self.code))
        except InvalidSignature as error:
            raise InvalidInput(
                "proof is not a signature of this vehicle's id and code by public_key",
                remedy="sign `longtail-enrolment`, the id and the code, with the byte 0x1f between them",
            ) from error
        return raw


def _proven(vehicle_id: str, code: str) -> bytes:
    return "\x1f".join(("longtail-enrolment", vehicle_id, code)).encode()
