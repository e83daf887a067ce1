"""Many clips in one transaction: as many statements whatever their number, and each is counted as if it were alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import Connection, select, text

from storage.clips import batch
from storage.clips.writer import PendingUpload
from storage.database import Database
from storage.tables import clip_fires, ledger_accounts, vehicle_days
from tests.support.fleet import add_version, clip_manifest, enroll_vehicle
from tests.support.statements import noted
from tests.support.used import open_upload
from triggers.contracts.campaign import Network

pytestmark = pytest.mark.integration
SENDERS = ("car-1", "car-2", "car-3")


@pytest.fixture
def fleet(database: Database) -> Database:
    """Three vehicles and a campaign; networks have no account yet in this month."""
    with database.begin() as connection:
        add_version(connection, "braking")
        for vehicle_id in SENDERS:
            enroll_vehicle(connection, vehicle_id)
    return database


def sent(connection: Connection, number: int, senders: Sequence[str]) -> list[PendingUpload]:
    """Clips of 5 bytes by these vehicles in turns, of which no gateway has recorded anything."""
    uploads = []
    for index in range(number):
        manifest = clip_manifest(index.to_bytes(5), vehicle_id=senders[index % len(senders)])
        uploads.append(open_upload(connection, manifest, list(Network)[index % 2]))
    found = batch.find_uploads(connection, uploads)
    return [found[upload_id] for upload_id in uploads]


def stored_with(database: Database, number: int, senders: Sequence[str]) -> int:
    """How many statements store so many clips."""
    with database.begin() as connection:
        uploads = sent(connection, number, senders)
        with noted(connection) as statements:
            endings = batch.store_clips(connection, uploads, extractor_version=1)
        assert all(ending.won for ending in endings)
        return len(statements)


def charged(connection: Connection) -> dict[str, int]:
    """The bytes that each network is charged in this month."""
    rows = connection.execute(
        text("""
            SELECT a.network, sum(r.received_bytes) FROM ledger_receipts r JOIN ledger_accounts a ON a.id = r.account_id
            GROUP BY 1
        """)
    )
    return {network: int(amount) for network, amount in rows}


def test_many_clips_of_many_vehicles_take_as_many_statements_as_few_of_one(fleet: Database) -> None:
    stored_with(fleet, 2, SENDERS)  # with what only the first clips of a month need
    assert stored_with(fleet, 30, SENDERS) == stored_with(fleet, 2, SENDERS[:1])


def test_what_came_of_many_clips_is_counted_by_vehicle_and_charged_to_their_networks(fleet: Database) -> None:
    stored_with(fleet, 7, SENDERS)
    with fleet.begin() as connection:
        days = dict(connection.execute(select(vehicle_days.c.vehicle_id, vehicle_days.c.received_bytes)).all())
        of_networks = charged(connection)
        counted = text("SELECT network, sum(wire_bytes), sum(clips) FROM usage_increments GROUP BY 1")
        usage = {network: (int(wire), int(clips)) for network, wire, clips in connection.execute(counted)}
        fires = connection.execute(select(clip_fires.c.vehicle_id)).scalars().all()
    first, second = list(Network)[:2]
    assert days == {"car-1": 15, "car-2": 10, "car-3": 10}
    assert of_networks == {first: 20, second: 15}
    assert usage == {first: (20, 4), second: (15, 3)}
    assert sorted(fires) == ["car-1"] * 3 + ["car-2"] * 2 + ["car-3"] * 2


def test_what_came_is_charged_where_only_some_of_the_networks_have_an_account(fleet: Database) -> None:
    stored_with(fleet, 1, SENDERS)
    with fleet.begin() as connection:
        (network,) = connection.execute(select(ledger_accounts.c.network)).scalars()
    stored_with(fleet, 2, SENDERS)
    with fleet.begin() as connection:
        of_networks = charged(connection)
    assert of_networks.pop(network) == 10
    assert list(of_networks.values()) == [5]
