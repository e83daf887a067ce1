"""What one vehicle may create and send in a day, whatever becomes of it; other vehicles are not concerned."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select

from storage.database import Database
from storage.settings import Settings
from storage.tables import vehicle_days
from tests.ingest.gateway.pressure import DATA, clip
from tests.ingest.gateway.serving import TusClient, running_gateway, some_bytes
from tests.support.fleet import enroll_vehicle
from triggers.contracts.clip import CELL_BYTES

MIB = 1024**2


def counted(database: Database, vehicle_id: str = "car-1") -> tuple[int, int]:
    table = vehicle_days.c
    with database.begin() as connection:
        row = connection.execute(
            select(table.uploads, table.received_bytes).where(
                table.vehicle_id == vehicle_id, table.day == datetime.now(UTC).date()
            )
        ).one()
    return row.uploads, row.received_bytes


def test_uploads_that_are_created_and_given_up_are_counted_and_end(
    database: Database, settings: Settings, token: str
) -> None:
    with database.begin() as connection:
        other_token = enroll_vehicle(connection, "car-2")
    few = settings.model_copy(update={"vehicle_day_uploads": 3})
    with running_gateway(few) as (url, _app):
        client, other = TusClient(url, token), TusClient(url, other_token)
        manifest = clip()
        for _ in range(3):
            assert client.http.delete(client.begin(manifest)).status_code == 204
        refused = client.create(clip())
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many")
        assert "3 uploads" in refused.json()["detail"]
        assert 0 < int(refused.headers["Retry-After"]) <= 86_400
        other.begin(clip(vehicle_id="car-2"))
        client.close()
        other.close()
    assert counted(database) == (3, 3 * len(manifest.canonical_json()))


def test_bytes_that_came_are_counted_good_or_not_and_end(database: Database, settings: Settings, token: str) -> None:
    few = settings.model_copy(update={"vehicle_day_bytes": 1 * MIB})
    with running_gateway(few) as (url, _app):
        client = TusClient(url, token)
        manifest = clip()
        location, own = client.begin(manifest), len(manifest.canonical_json())
        assert client.patch(location, 0, some_bytes(CELL_BYTES, seed=9)).status_code == 460
        assert counted(database) == (1, own + CELL_BYTES)
        assert client.patch(location, 0, DATA[: CELL_BYTES + 7]).status_code == 204
        assert counted(database) == (1, own + 2 * CELL_BYTES + 7)
        for refused in (client.patch(location, CELL_BYTES + 7, DATA[CELL_BYTES + 7 :]), client.create(clip())):
            assert (refused.status_code, refused.json()["code"]) == (429, "too_many")
            assert str(MIB) in refused.json()["detail"]
        assert client.offset(location) == CELL_BYTES + 7
        client.close()


def test_a_body_whose_checksum_is_wrong_and_bytes_that_come_again_came_over_the_wire(
    client: TusClient, database: Database
) -> None:
    """Nothing of them moves an offset, and a vehicle could send them without end."""
    manifest = clip()
    location, own = client.begin(manifest), len(manifest.canonical_json())
    wrong = {"Upload-Checksum": "sha1 " + "A" * 27 + "=", "Tus-Resumable": "1.0.0"}
    headers = {"Content-Type": "application/offset+octet-stream", **wrong}
    for _ in range(3):
        assert client.patch(location, 0, DATA[:1000], headers).status_code == 460
    assert (client.offset(location), counted(database)) == (0, (1, own + 3000))
    assert client.patch(location, 0, DATA).status_code == 204
    assert counted(database) == (1, own + 3000 + len(DATA))
