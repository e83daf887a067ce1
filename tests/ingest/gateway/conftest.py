"""A gateway with one vehicle and two campaigns, on a database of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from storage.database import Database
from storage.settings import Settings
from tests.ingest.gateway.serving import TusClient, running_gateway
from tests.support.fleet import add_version, enroll_vehicle
from triggers.contracts.campaign import BudgetLimits

MIB = 1024**2


@pytest.fixture
def settings(database: Database) -> Settings:
    return Settings(database_url=database.url, database_pool_size=6, log_partitions=2)


@pytest.fixture
def token(database: Database) -> str:
    """The token of car-1; campaigns `brake` and `wide` run, `brake` with small limits."""
    with database.begin() as connection:
        add_version(connection, "brake", limits=BudgetLimits(vehicle_day_bytes=8 * MIB, total_bytes=64 * MIB))
        add_version(connection, "wide", limits=BudgetLimits(total_bytes=10**12))
        return enroll_vehicle(connection, "car-1")


@pytest.fixture
def gateway_url(settings: Settings, token: str) -> Iterator[str]:
    with running_gateway(settings) as (url, _app):
        yield url


@pytest.fixture
def client(gateway_url: str, token: str) -> Iterator[TusClient]:
    client = TusClient(gateway_url, token)
    yield client
    client.close()
