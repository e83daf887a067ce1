"""Vehicles: enrolled, listed and shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from triggers.contracts.api.base import View
from triggers.contracts.base import AttributeValue, Contract, VehicleId

MAX_ATTRIBUTES = 100
"""Attributes that the fleet may record of a vehicle."""


class EnrolRequest(Contract):
    """A vehicle and what the fleet knows of it. These attributes win over those that the vehicle reports."""

    id: VehicleId
    attributes: Annotated[dict[str, AttributeValue], Field(max_length=MAX_ATTRIBUTES)] = {}


class VehicleView(View):
    """A vehicle. `clock_offset_ns` is its clock minus the cloud's at the latest check-in."""

    id: str
    attributes: dict[str, AttributeValue]
    software: dict[str, str]
    problems: list[str]
    clock_offset_ns: int
    enrolled_at: datetime
    last_check_in_at: datetime | None
    revoked_at: datetime | None


class VehicleList(BaseModel):
    """A page of vehicles by id; `next` is what `after` continues with, null at the end."""

    vehicles: list[VehicleView]
    next: str | None


class EnrolledView(BaseModel):
    """What a vehicle's agent needs: its token (shown once), the keys it is to trust, and where to go."""

    id: str
    token: str
    public_keys: list[str]
    api_url: str
    gateway_url: str
