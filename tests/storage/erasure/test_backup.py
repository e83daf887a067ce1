"""Erasure and backups: what was erased while a backup was made is erased in what is restored from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from storage import audit
from storage.backup.load import load
from storage.backup.snapshot import save
from storage.clips.details import get_clip
from storage.database import Database
from storage.erasure import clips as erasure
from storage.tables import clips
from storage.tables.erasure import ErasureCause
from tests.storage.erasure import erasure_support as support
from tests.support.fleet import add_version, clip_manifest, enroll_vehicle
from triggers.errors import Erased

pytestmark = pytest.mark.integration


def test_a_clip_that_was_erased_while_the_backup_was_made_is_erased_after_the_restore(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    with database.begin() as connection:
        enroll_vehicle(connection)
        add_version(connection, "braking")
    gone, kept = (support.store(database, clip_manifest(content)) for content in (b"gone", b"kept"))
    with database.begin() as connection:
        key = connection.execute(select(clips.c.object_key).where(clips.c.id == gone)).scalar_one()
    saved = save(database, tmp_path)
    restored = Database(database_url)
    load(restored, tmp_path, saved, backup_id="b", erased=[key])
    with restored.begin() as connection:
        assert connection.execute(select(clips.c.id)).scalars().all() == [kept]
        with pytest.raises(Erased, match="while the backup was made"):
            get_clip(connection, gone)
        chain, broken = audit.walk(connection)
        (entry,) = audit.listing(connection, audit.AuditFilter(), after=chain.entries - 1)
        assert (broken, entry.action, entry.object) == (None, "deployment.restore", "b")
    assert support.balances(restored) == support.balances(database)
    restored.close()


def test_a_backup_has_the_tombstones_and_what_is_still_to_be_deleted(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    with database.begin() as connection:
        enroll_vehicle(connection)
        add_version(connection, "braking")
    clip_id = support.store(database)
    with database.begin() as connection:
        erasure.erase(connection, [clip_id], ErasureCause.ERASED, reason="asked", by="olga")
    restored = Database(database_url)
    load(restored, tmp_path, save(database, tmp_path), backup_id="b")
    assert support.keys_to_delete(restored) == support.keys_to_delete(database) != []
    with restored.begin() as connection, pytest.raises(Erased, match="asked"):
        get_clip(connection, clip_id)
    restored.close()
