"""A catalog that tools of others read: clips of two campaigns, and the API on a port that its links name."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest

from fleet_api.api.app import create_app
from storage import tokens
from storage.database import Connection, Database
from storage.objects import open_store
from storage.settings import Settings
from storage.tables import clip_assets
from tests.fleet_api.api_server import Api
from tests.ingest.gateway.serving import serve
from tests.storage.clips.catalog_support import T_NS, add_clip, add_labels
from tests.support.rows import add_row
from triggers.contracts import media_types

HOUR_NS = 3600 * 10**9
RECORDING = b"the newest clip's recording"
CLIPS = 23
"""Of the campaign `braking`; every third of them is of `cut_in`, too."""


@dataclass(frozen=True)
class Stac:
    """The landing page's address, and the token of somebody who may read."""

    url: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True)
class Catalog:
    """The ids of the clips: those of `braking` from the newest, and the odd ones of `cut_in`."""

    braking: list[str]
    shared: list[str]
    over_the_date_line: str
    without_position: str


@pytest.fixture
def catalog(settings: Settings, database: Database) -> Catalog:
    """Clips with tracks north of Munich, one over the date line, and one without a position."""
    store = open_store(settings)
    with database.begin() as connection:
        braking = [_braking(connection, number) for number in range(CLIPS)]
        dateline = add_clip(
            connection,
            vehicle_id="car-9",
            start_ns=T_NS - HOUR_NS,
            fired=[("cut_in", "cut_in")],
            box=(179.9, -17.1, -179.9, -17.0),
            track=[[-17.0, 179.9], [-17.05, 179.98], [-17.1, -179.9]],
        )
        nowhere = add_clip(connection, vehicle_id="car-9", start_ns=T_NS - 2 * HOUR_NS, fired=[("cut_in", "cut_in")])
    store.put(f"clips/{braking[-1]}.mcap", RECORDING)
    return Catalog(braking[::-1], braking[::3][::-1], dateline, nowhere)


def _braking(connection: Connection, number: int) -> str:
    east = 11.5 + number / 100
    fired = [("braking", "hard_brake"), *([("cut_in", "cut_in")] if number % 3 == 0 else [])]
    clip_id = add_clip(
        connection,
        vehicle_id=f"car-{number % 3}",
        start_ns=T_NS + number * HOUR_NS + 123_456_789,
        fired=fired,
        statistics={"ego.speed": (1.0, 10.0 + number, 5.0)},
        units={"ego.speed": "m/s"},
        box=(east, 48.2, east + 0.005, 48.21),
        track=[[48.2, east], [48.205, east + 0.002], [48.21, east + 0.005]],
        attributes={"region": "EU", "hardware": 3},
        tags=["night"] if number % 2 else [],
        state="ready",
        expires_at=datetime(2030, 1, 1, tzinfo=UTC) if number % 2 else None,
    )
    for name, media_type in (("signals.parquet", media_types.PARQUET), ("front.jpg", media_types.JPEG)):
        asset = {"clip_id": clip_id, "name": name, "object_key": f"derived/{clip_id}/{name}"}
        add_row(connection, clip_assets, **asset, media_type=media_type, size_bytes=100)
    if number == 0:
        add_labels(connection, clip_id, "car")
    return clip_id


@pytest.fixture
def stac(settings: Settings, database: Database, catalog: Catalog) -> Iterator[Stac]:
    """The API on a port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = create_app(settings.model_copy(update={"api_url": address}))
        with database.begin() as connection:
            token = tokens.issue(connection, "reader", ["viewer"])
        with serve(app, listener):
            yield Stac(f"{address}/stac", token)


def get(api: Api, path: str, **params: object) -> httpx.Response:
    """GET below /stac as a viewer; `_` in names of parameters is `-`."""
    return api.get(f"/stac{path}", **{name.replace("_", "-"): value for name, value in params.items()})


def ids(response: httpx.Response) -> list[str]:
    """The ids of a page's items."""
    assert response.status_code == 200, response.text
    return [item["id"] for item in response.json()["features"]]
