"""A setting that cannot work is named when the agent starts, and the token stays out of what is printed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from triggers.errors import Misconfigured
from triggers.vehicle.config import VehicleConfig

GOOD: dict[str, Any] = {
    "vehicle_id": "car-1",
    "token": "very-secret",
    "api_url": "https://api.example",
    "gateway_url": "https://up.example:8443",
    "trusted_keys": (Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw(),),
    "state_directory": Path("state"),
}


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://[::1]:8080", "http://localhost"])
def test_plain_http_is_for_this_machine(url: str) -> None:
    assert VehicleConfig(**{**GOOD, "api_url": url}).api_url == url


def test_the_token_is_not_printed() -> None:
    assert "very-secret" not in repr(VehicleConfig(**GOOD))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("vehicle_id", "../x"),
        ("api_url", "api.example"),
        ("gateway_url", "ftp://up.example"),
        ("api_url", "http://api.example"),
        ("gateway_url", "http://10.0.0.5:8081"),
        ("trusted_keys", ()),
        ("trusted_keys", (b"short",)),
        ("trusted_keys", (bytes(32),)),
        ("ring_ns", 0),
        ("max_recording_ns", 11 * 60 * 10**9),
        ("chunk_bytes", 1000),
        ("speed_unit", "km"),
        ("backoff_first_s", 0.0),
        ("attributes", {f"a{n}": 1 for n in range(101)}),
        ("attributes", {"model": float("nan")}),
        ("calibration", {"front": {"fx": float("inf")}}),
    ],
)
def test_a_setting_that_cannot_work_is_named(setting: str, value: object) -> None:
    with pytest.raises(Misconfigured, match=setting):
        VehicleConfig(**{**GOOD, setting: value})
