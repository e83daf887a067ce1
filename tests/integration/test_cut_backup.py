"""Backups and restores that are killed at any point, or meant for a place that is taken: the next run does it all."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
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

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

KILLS = 6
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


def run(settings: Settings, *arguments: str, kill_after_s: float | None) -> int:
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


def timed(settings: Settings, *arguments: str) -> float:
    """How long a command takes here, in s, that nothing cuts."""
    begun = time.monotonic()
    assert run(settings, *arguments, kill_after_s=None) == 0
    return time.monotonic() - begun


def cut(rng: random.Random, whole_s: float, settings: Settings, *arguments: str) -> None:
    """Run a command again and again, killed at any point of the time that it takes, at least once before its end."""
    ends = [run(settings, *arguments, kill_after_s=rng.uniform(0.1, 0.9) * whole_s) for _ in range(KILLS)]
    assert -signal.SIGKILL in ends, f"no run was cut in {whole_s:.1f} s: {ends}"


def test_a_backup_and_a_restore_that_are_killed_again_and_again_are_whole_at_last(
    settings: Settings, folder: Path
) -> None:
    rng, backup = random.Random(10), folder / "backup"
    whole_s = timed(settings, "backup", str(folder / "uncut"))
    cut(rng, whole_s, settings, "backup", str(backup))
    assert run(settings, "backup", str(backup), kill_after_s=None) == 0
    made = read_backup(backup)
    assert made.objects == OBJECTS and len(list(backup.glob("database-*"))) == 1

    target = settings.model_copy(update={"data_dir": folder / "restored", "database_url": ""})
    uncut = settings.model_copy(update={"data_dir": folder / "restored-uncut", "database_url": ""})
    cut(rng, timed(uncut, "restore", str(backup)), target, "restore", str(backup))
    assert run(target, "restore", str(backup), kill_after_s=None) == 0
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
