"""The implementations of the object store that the contract suite runs on: a new one adds its settings here."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from storage.objects import ObjectStore, open_store
from storage.settings import Settings

if TYPE_CHECKING:
    from tests.support.servers.s3_server import S3Server


@pytest.fixture(params=["directory", "s3"])
def new_store_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Settings]:
    """Makes settings that name a new, empty store of one implementation."""
    if request.param == "directory":
        return lambda: Settings(
            objects_url=(tmp_path / f"object store {secrets.token_hex(4)}").as_uri(), api_url="https://fleet.example"
        )
    server: S3Server = request.getfixturevalue("s3_server")
    return lambda: server.settings(prefix=f"test-{secrets.token_hex(8)}")


@pytest.fixture
def store_settings(new_store_settings: Callable[[], Settings]) -> Settings:
    """Settings that name an empty store of one implementation."""
    return new_store_settings()


@pytest.fixture
def store(store_settings: Settings) -> ObjectStore:
    """The store; further ones opened with the same settings see the same objects."""
    return open_store(store_settings)
