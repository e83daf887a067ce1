"""Backups of a deployment whose objects are in S3, restored into S3: every object with its bytes, damage named."""

from __future__ import annotations

import random
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fleet_api.deployment.backup import make_backup
from fleet_api.deployment.keys import ensure_signing_key
from fleet_api.deployment.restore import restore_backup
from storage.database import Database
from storage.objects import open_store
from storage.settings import Settings
from storage.uploads import dead_letters
from tests.support.servers import postgres
from triggers.errors import Untrusted

if TYPE_CHECKING:
    from tests.support.servers.s3_server import S3Server

pytestmark = pytest.mark.integration
OBJECTS = {
    "dead-letters/records/small": b"a record",
    "dead-letters/records/empty": b"",
    "dead-letters/uploads/in-parts": random.Random(1).randbytes(17 * 1024**2),  # over what one PUT takes
}


def quiet(_: str) -> None:
    return None


def settings_of(server: S3Server, database_url: str, data_dir: Path) -> Settings:
    """A deployment with objects of its own on the server."""
    named = server.settings(prefix=f"backup-{secrets.token_hex(8)}")
    return named.model_copy(update={"database_url": database_url, "data_dir": data_dir})


def test_objects_in_s3_are_backed_up_and_restored_into_s3(
    s3_server: S3Server, database: Database, postgres_url: str, tmp_path: Path
) -> None:
    source = settings_of(s3_server, database.url, tmp_path / "source")
    ensure_signing_key(source)
    with database.begin() as connection:
        for key in (*OBJECTS, "dead-letters/records/gone"):
            dead_letters.record(connection, stage="assembler", reason="test", detail=key, object_key=key)
    for key, data in OBJECTS.items():
        open_store(source).put(key, data)
    folder = tmp_path / "backup"

    backup, done = make_backup(source, folder, quiet)
    assert (backup.objects, done.copied, backup.damaged) == (3, 3, ("dead-letters/records/gone",))
    _, done = make_backup(source, folder, quiet)
    assert (done.kept, done.copied) == (3, 0)

    with postgres.fresh_database(postgres_url) as url:
        target = settings_of(s3_server, url, tmp_path / "target")
        store = open_store(target)
        store.put("dead-letters/records/small", b"something")
        with pytest.raises(Untrusted, match="another object"):
            restore_backup(target, folder, quiet)
        store.delete("dead-letters/records/small")
        _, done = restore_backup(target, folder, quiet)
        assert done.copied + done.kept == 3
        assert {info.key: store.get(info.key) for info in store.list()} == OBJECTS
        _, done = restore_backup(target, folder, quiet)
        assert (done.kept, done.copied) == (3, 0)
