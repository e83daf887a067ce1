"""Fixtures for the API's tests: the application on a fresh database, a token for each role, and the built console."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from fleet_api.api.app import create_app
from fleet_api.deployment.keys import ensure_signing_key
from fleet_api.services import Services, open_signer
from fleet_api.signing.bundle_key import open_bundle_key
from storage.database import Database
from storage.objects import open_store
from storage.settings import Settings
from tests.fleet_api.api_server import Api
from tests.support.applications import api_application
from tests.support.chromium import ChromiumMissing
from tests.support.declared_answers import DeclaredAnswers, Operations
from tools import console


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> Settings:
    """Settings of a deployment with the test's database and a directory for everything else."""
    settings = Settings(database_url=database.url, data_dir=tmp_path, database_pool_size=5, check_in_staleness_s=0)
    ensure_signing_key(settings)
    return settings


@pytest.fixture
def services(settings: Settings, database: Database) -> Services:
    """What use cases work with, without an application around them."""
    return Services(
        settings=settings,
        database=database,
        vehicle_database=database,
        store=open_store(settings),
        key=open_bundle_key(settings),
        signer=open_signer(settings),
    )


@pytest.fixture(scope="session")
def operations(tmp_path_factory: pytest.TempPathFactory) -> Operations:
    """What the OpenAPI document declares, which takes longer to make than a test of one route."""
    return Operations(api_application(tmp_path_factory.mktemp("document")).openapi())


@pytest.fixture
def api(settings: Settings, database: Database, operations: Operations) -> Iterator[Api]:
    """The API, and requests to it by users with the role that is needed; no answer may be missing in its document."""
    app = create_app(settings)
    answers = DeclaredAnswers(app, operations)
    with TestClient(answers, settings.effective_api_url(), raise_server_exceptions=False) as client:
        yield Api(app, client, database, settings)
    assert answers.mistakes == []


@pytest.fixture(scope="session")
def built_console() -> None:
    """The console as its sources are now."""
    try:
        console.build()
    except console.NoRegistry as missing:
        raise ChromiumMissing(f"the console is not built: {missing}") from missing
