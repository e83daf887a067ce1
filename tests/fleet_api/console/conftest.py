"""Fixtures for the console's tests: one Chromium for the package, one API for each file, one visitor for each test."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx
import pytest

from fleet_api.api.app import create_app
from fleet_api.deployment.keys import ensure_signing_key
from storage.settings import Settings
from tests.fleet_api.api_server import Api
from tests.fleet_api.console.visitor import Visitor, visiting
from tests.ingest.gateway.serving import serve
from tests.support.chromium import running_chromium
from tests.support.servers.database import Databases

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A Chromium without pages."""
    with running_chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def listener() -> Iterator[socket.socket]:
    """The socket of this file's API, so that its address is known before it runs."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture(scope="module")
def console_settings() -> dict[str, object]:
    """Settings of the API of this file beside those that every test needs; a file may have its own."""
    return {}


@pytest.fixture(scope="module")
def api(
    built_console: None,
    databases: Databases,
    listener: socket.socket,
    tmp_path_factory: pytest.TempPathFactory,
    console_settings: dict[str, object],
) -> Iterator[Api]:
    """An API that really listens, on an empty database."""
    url = address_of(listener)
    with databases.one() as database:
        settings = Settings(
            database_url=database.url,
            data_dir=tmp_path_factory.mktemp("console"),
            database_pool_size=5,
            api_url=url,
            check_in_staleness_s=0,
            **console_settings,  # type: ignore[arg-type]
        )
        ensure_signing_key(settings)
        app = create_app(settings)
        with serve(app, listener), httpx.Client(base_url=url, timeout=30) as client:
            yield Api(app, client, database, settings)  # type: ignore[arg-type]


def address_of(listener: socket.socket) -> str:
    """Where somebody reaches what listens there."""
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def visitor(browser: Browser, api: Api) -> Iterator[Visitor]:
    """Somebody with a browser of their own; whatever goes wrong in it fails the test."""

    def token_of(role: str) -> str:
        return api.as_(role)["Authorization"].removeprefix("Bearer ")

    with visiting(browser, str(api.client.base_url), token_of) as visitor:
        yield visitor
