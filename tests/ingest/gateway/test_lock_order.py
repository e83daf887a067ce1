"""Transactions that concern the same upload meet at every statement, and none of them ends in a deadlock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import permutations
from unittest.mock import ANY

import pytest
from sqlalchemy import text

from ingest.gateway.creation import Submission, keep_rejected
from ingest.gateway.limits import GatewayLimits
from ingest.gateway.opening import OpeningTerms, open_upload
from ingest.gateway.writing import count_received
from storage.database import Connection, Database
from storage.ledger import FleetTerms, fold, fold_receipts
from storage.uploads import endings, progress
from storage.uploads.progress import Reached
from storage.uploads.rows import UploadRow
from storage.uploads.vehicle_days import VehicleDayLimits
from storage.vehicles import quarantine
from tests.support.fleet import add_version, charged_manifest, enroll_vehicle
from tests.support.locks import waits_for_a_lock
from tests.support.statements import followed
from tests.support.waiting import wait_for
from triggers.contracts.campaign import BudgetLimits, Network
from triggers.contracts.clip import CreationRequest
from triggers.errors import LongtailError, ManifestInvalid

SIZE_BYTES = 100
MAX_STATEMENTS = 40
Step = Callable[[Connection], object]


class World:
    """A vehicle whose upload has expired, and is announced and written at the same time."""

    def __init__(self, database: Database) -> None:
        self.database = database
        limits = BudgetLimits(total_bytes=10**9, vehicle_day_bytes=10**9)
        self.terms = OpeningTerms(
            expiry_s=3600, log_partitions=1, fleet=FleetTerms(10**9), vehicle_day=VehicleDayLimits(1000, 10**9)
        )
        with database.begin() as connection:
            enroll_vehicle(connection)
            add_version(connection, "braking", limits=limits)

    def upload(self, *, expired: bool) -> tuple[CreationRequest, UploadRow]:
        """A new clip with an upload that its writer has begun."""
        now = datetime.now(UTC)
        request = CreationRequest(manifest=charged_manifest({"braking": SIZE_BYTES}), network=Network.WIFI)
        with self.database.begin() as connection:
            upload, _ = open_upload(connection, request, self.terms, now=now)
            begun = progress.begin_write(connection, upload.id, upload.vehicle_id, 0, now=now)
            if expired:
                connection.execute(text("UPDATE uploads SET expires_at = now() - interval '1 s'"))
        return request, begun

    def announced(self, request: CreationRequest) -> Step:
        return lambda c: open_upload(c, request, self.terms, now=datetime.now(UTC))

    def written(self, begun: UploadRow) -> Step:
        def write(connection: Connection) -> None:
            now, reached = datetime.now(UTC) - timedelta(days=1), Reached(0, bytes(10))
            upload = progress.store(connection, begun, reached, now=now, expiry_s=1)
            count_received(connection, upload, begun, 0, 10)

        return write

    @staticmethod
    def stored(begun: UploadRow) -> Step:
        return lambda c: endings.mark_stored(c, begun.id)

    @staticmethod
    def folded(connection: Connection) -> None:
        fold(connection)
        fold_receipts(connection)


def run(database: Database, step: Step, *, pause_after: int | None = None, go: threading.Event | None = None) -> int:
    """One transaction; it stops after so many statements until `go`. How many statements it had."""
    statements = 0

    def count() -> None:
        nonlocal statements
        statements += 1
        if statements == pause_after and go is not None:
            assert go.wait(60)

    with database.begin() as connection, followed(connection, count):
        try:
            step(connection)
        except LongtailError as refused:  # the other one has ended the upload: that is an answer, not a deadlock
            assert "deadlock" not in str(refused)
    return statements


def meet(database: Database, first: Step, second: Step, *, pause_after: int) -> int:
    """The first transaction stops somewhere, the second runs until it ends or waits for it, then the first goes on."""
    go = threading.Event()
    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(run, database, first, pause_after=pause_after, go=go)
        try:
            wait_for(lambda: one.done() or is_paused(database), within_s=20, what="the first transaction to stop")
            other = threads.submit(run, database, second)
            wait_for(lambda: other.done() or waits_for_a_lock(database), within_s=20, what="both to meet")
        finally:
            go.set()
        other.result(60)
        return one.result(60)


def is_paused(database: Database) -> bool:
    with database.begin() as connection:
        idle = text(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND pid <> pg_backend_pid()"
            " AND datname = current_database()"
        )
        return int(connection.execute(idle).scalar_one()) > 0


@pytest.mark.parametrize(("first", "second"), permutations(["announced", "written", "stored", "folded"], 2))
def test_whoever_is_first_and_however_far_the_other_one_waits_and_both_end(
    database: Database, first: str, second: str
) -> None:
    """Announcing a clip again ended its expired upload, and then counted the vehicle's day; its writer did the
    opposite: they waited for each other."""
    world = World(database)
    for pause_after in range(1, MAX_STATEMENTS):
        request, begun = world.upload(expired="announced" in (first, second))
        steps: dict[str, Step] = {
            "announced": world.announced(request),
            "written": world.written(begun),
            "stored": world.stored(begun),
            "folded": world.folded,
        }
        if meet(database, steps[first], steps[second], pause_after=pause_after) < pause_after:
            return
    pytest.fail(f"{first} has more than {MAX_STATEMENTS} statements")


def rejected(connection: Connection) -> None:
    keep_rejected(
        connection,
        submission=Submission("car-1", SIZE_BYTES, b"{}"),
        error=ManifestInvalid("a test"),
        limits=GatewayLimits(),
        quarantine_after=1,
    )


def test_two_rejected_manifests_of_a_vehicle_that_is_quarantined_for_them_wait_for_each_other(
    database: Database,
) -> None:
    """Both shared the vehicle's row, and then each waited until it could change it."""
    with database.begin() as connection:
        enroll_vehicle(connection, "car-1")
    for pause_after in range(1, MAX_STATEMENTS):
        statements = meet(database, rejected, rejected, pause_after=pause_after)
        with database.begin() as connection:
            assert quarantine.in_quarantine(connection) == [("car-1", ANY)]
            quarantine.release(connection, "car-1", reason="the next round", by="ann")
        if statements < pause_after:
            return
    pytest.fail(f"a rejection has more than {MAX_STATEMENTS} statements")
