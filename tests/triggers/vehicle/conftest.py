"""Fixtures of the vehicle's tests: a cloud on loopback, a key, a clock, and a vehicle's settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.triggers.vehicle.cloud import TOKEN, VEHICLE, Cloud, running_cloud
from tests.triggers.vehicle.support import ManualClock
from triggers.vehicle.config import VehicleConfig


class MakeConfig(Protocol):
    """Settings for the test's cloud, with changes."""

    def __call__(self, **changes: Any) -> VehicleConfig: ...


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with running_cloud() as running:
        yield running
        assert running.breaches == []


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture
def make_config(cloud: Cloud, key: Ed25519PrivateKey, tmp_path: Path) -> MakeConfig:
    def make(**changes: Any) -> VehicleConfig:
        values: dict[str, Any] = {
            "vehicle_id": VEHICLE,
            "token": TOKEN,
            "api_url": cloud.url,
            "gateway_url": cloud.url,
            "trusted_keys": (key.public_key().public_bytes_raw(),),
            "state_directory": tmp_path / "state",
        }
        return VehicleConfig(**{**values, **changes})

    return make
