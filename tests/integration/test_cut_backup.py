"""Backups and restores that are killed at any point, or meant for a place that is taken: the next run does it all."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from fleet_api.deployment.backup import make_backup, read_backup
from fleet_api.deployment.keys import ensure_signing_key
from fleet_api.deployment.restore import restore_backup
from storage.database import Database
from storage.embedded import EmbeddedPostgres
from storage.objects import open_store
from storage.settings import Settings
from tests.storage.clips.catalog_support import add_clip
from tests.support.paths import server_folder
from tests.support.processes import descendants, wait_until_gone
from tests.support.servers.postgres import fresh_database
from triggers.errors import Conflict, Misconfigured

pytestmark = pytest.mark.integration

SOONEST_S = 0.2
OBJECTS = 40
COMMAND = [sys.executable, "-P", "-m", "fleet_api.cli"]


def quiet(_: str) -> None:
    """Progress that nobody reads."""


@pytest.fixture
def folder() -> Iterator[Path]:
    with server_folder() as folder:
        yield folder


@pytest.fixture
def settings(database: Database, folder: Path) -> Settings:
    """A deployment with clips whose objects are there, and a key."""
    made = Settings(database_url=database.url, data_dir=folder / "data")
    ensure_signing_key(made)
    store = open_store(made)
    with database.begin() as connection:
        for _ in range(OBJECTS):
            add_clip(connection)
        rows = connection.execute(text("SELECT object_key, size_bytes FROM clips")).all()
        connection.execute(text("UPDATE clips SET digest = ''"))
    for key, size_bytes in rows:
        store.put(key, bytes(size_bytes))
    return made


def run(settings: Settings, *arguments: str, kill_after_s: float) -> int:
    """A command in a process of its own, killed after a time if it still runs, with all that it started."""
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd="/",
        env=settings.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        return process.wait(kill_after_s)
    except subprocess.TimeoutExpired:
        family = descendants(process.pid)
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_until_gone(family, within_s=60)
        return -signal.SIGKILL


def cut_ever_later(rng: random.Random, settings: Settings, *arguments: str) -> None:
    """Run a command and kill it, a little later each time, until it ends before it is killed, and is right then."""
    kill_after_s, kills = SOONEST_S, 0
    while (status := run(settings, *arguments, kill_after_s=kill_after_s)) == -signal.SIGKILL:
        kill_after_s, kills = kill_after_s * rng.uniform(1.2, 1.6), kills + 1
    assert (status, kills > 0) == (0, True), f"{kills} runs were cut, and the last one ended with {status}"


def test_a_backup_and_a_restore_that_are_killed_again_and_again_are_whole_at_last(
    settings: Settings, folder: Path
) -> None:
    rng, backup = random.Random(10), folder / "backup"
    cut_ever_later(rng, settings, "backup", str(backup))
    made = read_backup(backup)
    assert made.objects == OBJECTS and len(list(backup.glob("database-*"))) == 1

    target = settings.model_copy(update={"data_dir": folder / "restored", "database_url": ""})
    cut_ever_later(rng, target, "restore", str(backup))
    assert len(open_store(target).list("clips/", limit=1000)) == OBJECTS
    with EmbeddedPostgres(folder / "restored" / "postgres") as server:
        database = Database(server.url, pool_size=1)
        with database.begin() as connection:
            assert connection.execute(text("SELECT count(*) FROM clips")).scalar_one() == OBJECTS
        database.close()


def test_a_restore_into_a_deployment_that_has_data_writes_nothing_there(
    settings: Settings, folder: Path, postgres_url: str, migrated: str
) -> None:
    make_backup(settings, folder / "backup", quiet)
    with fresh_database(postgres_url, template=migrated) as url:
        other = settings.model_copy(update={"data_dir": folder / "other", "database_url": url})
        with pytest.raises(Conflict, match="empty database only"):
            restore_backup(other, folder / "backup", quiet)
    assert not (folder / "other").exists()


def test_a_backup_of_a_newer_version_writes_nothing(settings: Settings, folder: Path, postgres_url: str) -> None:
    make_backup(settings, folder / "backup", quiet)
    path = folder / "backup" / "backup.json"
    content = json.loads(path.read_text())
    content["database"]["revision"] = "9999"
    path.write_text(json.dumps(content))
    with fresh_database(postgres_url) as url:
        other = settings.model_copy(update={"data_dir": folder / "other", "database_url": url})
        with pytest.raises(Misconfigured, match="newer than this version") as caught:
            restore_backup(other, folder / "backup", quiet)
    assert "install" in caught.value.remedy
    assert not (folder / "other").exists()
