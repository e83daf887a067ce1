"""A bucket that refuses ingest in mid-run, as its key was rotated or it was renamed: nothing is lost, work goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from ingest import worker
from storage.database import Database
from storage.settings import Settings
from storage.tables import clips, uploads
from tests.ingest.gateway.serving import TusClient, running_gateway, some_bytes
from tests.support.fleet import add_version, clip_manifest, enroll_vehicle
from tests.support.ingest_thread import ingesting, problem
from tests.support.servers.s3_server import S3Server
from tests.support.waiting import wait_for
from triggers.contracts.campaign import BudgetLimits
from triggers.errors import Misconfigured

pytestmark = pytest.mark.integration

TOLD_S = 30.0
RECOVERY_S = 60.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[S3Server]:
    with S3Server(tmp_path / "s3") as server:
        yield server


@pytest.fixture
def settings(database: Database, server: S3Server, tmp_path: Path) -> Settings:
    return Settings(
        database_url=database.url,
        data_dir=tmp_path / "data",
        log_partitions=1,
        log_lease_s=2.0,
        extraction_workers=0,
        objects_url=server.url("clips/"),
        objects_access_key=server.access_key,
        objects_secret_key=server.secret_key,
    )


def rotate_key(server: S3Server) -> Callable[[], None]:
    """The server knows another secret from now on; returns what brings the former one back."""
    properties = server.folder / "s3proxy.properties"
    before = properties.read_text()

    def restart_with(text: str) -> None:
        server.stop()
        properties.write_text(text)
        server.start()

    restart_with(before.replace(server.secret_key, "rotated"))
    return lambda: restart_with(before)


def rename_bucket(server: S3Server) -> Callable[[], None]:
    """The bucket has another name from now on; returns what gives it back its own."""
    bucket = server.folder / "buckets" / server.bucket
    renamed = bucket.rename(bucket.with_name("renamed"))

    def undo() -> None:
        renamed.rename(bucket)

    return undo


@pytest.mark.parametrize(
    ("break_it", "says"),
    [(rotate_key, "LONGTAIL_OBJECTS_SECRET_KEY"), (rename_bucket, "LONGTAIL_OBJECTS_URL")],
)
def test_clips_that_come_while_the_bucket_refuses_are_stored_once_it_is_put_right(
    settings: Settings,
    server: S3Server,
    database: Database,
    break_it: Callable[[S3Server], Callable[[], None]],
    says: str,
) -> None:
    with database.begin() as connection:
        add_version(connection, "wide", limits=BudgetLimits(total_bytes=10**12))
        token = enroll_vehicle(connection)
    with running_gateway(settings) as (url, _app), ingesting(settings) as readiness:
        client = TusClient(url, token)
        wait_for(lambda: not problem(readiness), within_s=RECOVERY_S, what="the readiness of ingest")
        put_right = break_it(server)
        for seed in range(3):
            data = some_bytes(20_000, seed=seed)
            location = client.begin(clip_manifest(data, "wide"))
            assert client.patch(location, 0, data).status_code == 204
        client.close()
        wait_for(lambda: "storing clips" in problem(readiness), within_s=TOLD_S, what="the word on storing")
        wait_for(lambda: "object store" in problem(readiness), within_s=TOLD_S, what="the word on the store")
        wait_for(lambda: says in problem(readiness), within_s=TOLD_S, what="the word on the setting")
        assert states(database) == {"received"}
        put_right()
        wait_for(lambda: states(database) == {"stored"}, within_s=RECOVERY_S, what="the clips")
        wait_for(lambda: not problem(readiness), within_s=RECOVERY_S, what="readiness afterwards")
    with database.begin() as connection:
        assert len(connection.execute(select(clips.c.id)).all()) == 3


def states(database: Database) -> set[str]:
    with database.begin() as connection:
        return set(connection.execute(select(uploads.c.state)).scalars())


def test_a_start_with_a_wrong_key_still_ends_in_one_line(settings: Settings) -> None:
    wrong = settings.model_copy(update={"objects_secret_key": "wrong"})
    with pytest.raises(Misconfigured, match="LONGTAIL_OBJECTS_SECRET_KEY") as caught:
        worker.run(wrong, threading.Event())
    assert "wrong" not in str(caught.value)
