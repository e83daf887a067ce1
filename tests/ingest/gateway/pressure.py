"""How the gateway's tests put it under pressure, and see what it holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from starlette.applications import Starlette

from storage.database import Database
from tests.ingest.gateway.serving import some_bytes
from tests.support.fleet import clip_manifest
from tests.support.waiting import wait_for
from triggers.contracts.clip import CELL_BYTES, ClipManifest

DATA = some_bytes(3 * CELL_BYTES + 99)


def clip(data: bytes = DATA, vehicle_id: str = "car-1") -> ClipManifest:
    return clip_manifest(data, "wide", vehicle_id=vehicle_id)


def held_bytes(app: Starlette) -> int:
    held = app.state.gateway.in_flight.held_bytes
    assert isinstance(held, int)
    return held


def wait_for_held(app: Starlette, amount: int) -> None:
    wait_for(lambda: held_bytes(app) == amount, within_s=10, what=f"{amount} bytes in flight")


@contextmanager
def log_stands_still(database: Database) -> Iterator[None]:
    """Nobody can append while the partitions' rows are locked by somebody else."""
    with database.begin() as connection:
        connection.execute(text("SELECT FROM log_partitions FOR UPDATE"))
        yield
