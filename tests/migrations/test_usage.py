"""The migration of usage fills it from what was there."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from sqlalchemy import Connection, text

from storage import ledger, usage
from storage.database import Database
from storage.diagnosis.usage import usage_that_differs
from storage.erasure import clips as clip_erasure
from storage.migrate import alembic_config
from storage.tables.erasure import ErasureCause
from storage.tables.usage.sums import DIMENSIONS, MEASURES
from storage.uploads import endings
from storage.vehicles import quarantine
from storage.vehicles.enrolment import enrol
from tests.storage.ledger.ledger_support import NOON
from tests.support.fleet import charged_manifest
from tests.support.paths import REPOSITORY
from tests.support.used import counts, open_upload, report, store, use

(_FILE,) = (REPOSITORY / "migrations" / "versions").glob("*_usage.py")
BEFORE = f"{int(Path(_FILE).name[:4]) - 1:04d}"
SUMS = text(f"""
    SELECT date_trunc('day', now(), 'UTC') = date_trunc('day', hour, 'UTC'), {", ".join(DIMENSIONS)},
        {", ".join(f"sum({name})" for name in MEASURES)}
    FROM usage_hours JOIN usage_series ON id = series_id
    GROUP BY {", ".join(DIMENSIONS)}, 1 HAVING {" OR ".join(f"sum({name}) <> 0" for name in MEASURES)}
    ORDER BY 1, 2, 3, 4, 5, 6, 7
""")


def again(connection: Connection, before: str = BEFORE) -> None:
    """Go back to the schema of before, and to this one again."""
    config = alembic_config()
    config.attributes["connection"] = connection
    command.downgrade(config, before)
    command.upgrade(config, "head")
    while usage.fold(connection):
        pass


def test_usage_is_filled_from_clips_uploads_and_counts(database: Database) -> None:
    use(database)
    with database.begin() as connection:
        enrol(connection, "car-3", {"region": "us"})
        failed, open_one = (open_upload(connection, charged_manifest({"braking": 9, "lanes": 1})) for _ in range(2))
        usage.add_received(connection, {failed: 10})
        usage.add_received(connection, {open_one: 4})
        connection.execute(text("UPDATE uploads SET offset_bytes = 10 WHERE id = :id"), {"id": failed})
        connection.execute(text("UPDATE uploads SET offset_bytes = 4 WHERE id = :id"), {"id": open_one})
        endings.fail(connection, failed, "a test")
        report(connection, "car-3", counts(4))
        quarantine.void_counts(connection, "car-3", reason="a test", by="ann")
        while usage.fold(connection):
            pass
        # What was sent again is not known of before: the clip of 7 bytes that `use` sends twice came once.
        connection.execute(text("UPDATE usage_hours SET wire_bytes = 7 WHERE wire_bytes = 14"))
        before = connection.execute(SUMS).all()
        again(connection)
        assert usage_that_differs(connection) == []
        assert connection.execute(SUMS).all() == before


def test_of_clips_that_were_erased_the_ledger_knows_campaigns_and_bytes(database: Database) -> None:
    use(database)
    manifest = charged_manifest({"braking": 9, "lanes": 1})
    with database.begin() as connection:
        upload_id = open_upload(connection, manifest)
        ledger.reserve(connection, upload_id, manifest, now=NOON)
        store(connection, upload_id)
        clip_erasure.erase(connection, [manifest.clip_id], ErasureCause.EXPIRED)
        again(connection)
        assert usage_that_differs(connection) == []
        rows = connection.execute(
            text("SELECT campaign, clip_bytes FROM usage_days JOIN usage_series ON id = series_id WHERE version = 0")
        )
        assert {(row.campaign, int(row.clip_bytes)) for row in rows} == {("braking", 9), ("lanes", 1)}


def test_fires_that_became_no_clip_are_counted_as_far_as_they_were_reported(database: Database) -> None:
    use(database)
    outcomes = {
        "sampled_out": 1,
        "refused": {"budget": 2, "priority": 1},
        "dropped": {"disk_full": 1},
        "handed_over": 0,
    }
    with database.begin() as connection:
        for vehicle_id in ("car-3", "car-4"):
            enrol(connection, vehicle_id, {"region": "us"})
            report(connection, vehicle_id, counts(5).model_copy(update=outcomes))
        quarantine.void_counts(connection, "car-4", reason="a test", by="ann")
        while usage.fold(connection):
            pass
        before = connection.execute(SUMS).all()
        again(connection, "0061")
        assert usage_that_differs(connection) == []
        assert connection.execute(SUMS).all() == before
        quarantine.restore_counts(connection, "car-4", reason="a test", by="ann")
        whole = connection.execute(text("SELECT sum(refused), sum(dropped) FROM usage_increments")).one()
        assert (tuple(map(int, whole)), usage_that_differs(connection)) == ((3, 1), [])
