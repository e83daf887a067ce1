"""Recordings move to the storage class of their age: once each, a few per round, and not after their clip is erased."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from botocore.exceptions import ClientError
from sqlalchemy import select, text, update

from ingest.steward.tiers import move_recordings
from storage.clips import extraction_jobs
from storage.database import Database
from storage.erasure import clips as clip_erasure
from storage.objects import ObjectStore, open_store
from storage.objects.s3.errors import reaching
from storage.objects.s3.location import S3Location
from storage.objects.s3.tiers import S3Tiers
from storage.settings import Settings
from storage.tables import clips
from storage.tables.erasure import ErasureCause
from storage.tiers import moves
from storage.tiers.rules import parse_tiers
from tests.storage.erasure import erasure_support as support
from tests.support.fleet import add_version, clip_manifest, enroll_vehicle
from tests.support.servers.s3_server import S3Server
from triggers.errors import Misconfigured

pytestmark = pytest.mark.integration
TIERS = parse_tiers("30:STANDARD_IA,365:GLACIER")


@pytest.fixture
def store(s3_server: S3Server) -> ObjectStore:
    return open_store(s3_server.settings(prefix=f"test-{secrets.token_hex(8)}"))


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Keys and classes that were asked for: the server copies objects, but has one storage class only."""
    made: list[tuple[str, str]] = []
    real = S3Tiers.move

    def move(self: S3Tiers, key: str, storage_class: str) -> bool:
        moved = real(self, key, "STANDARD_IA" if storage_class == "STANDARD_IA" else "GLACIER_IR")
        made.append((key, storage_class))
        return moved

    monkeypatch.setattr(S3Tiers, "move", move)
    return made


def add(database: Database, store: ObjectStore, days: list[int]) -> list[str]:
    """Clips that were stored so many days ago, with their objects; returns their keys."""
    with database.begin() as connection:
        enroll_vehicle(connection)
        add_version(connection, "braking")
    keys = []
    for number, age in enumerate(days):
        clip_id = support.store(database, clip_manifest(bytes([number])))
        with database.begin() as connection:
            stored_at = text(f"now() - interval '{age} days' - interval '1 minute'")
            changed = update(clips).where(clips.c.id == clip_id).values(stored_at=stored_at)
            keys.append(connection.execute(changed.returning(clips.c.object_key)).scalar_one())
        store.put(keys[-1], f"content {number}".encode())
    return keys


def tiers_of(database: Database) -> dict[str, str | None]:
    with database.begin() as connection:
        return {row.object_key: row.tier for row in connection.execute(select(clips.c.object_key, clips.c.tier))}


def moved_in_rounds(database: Database, store: ObjectStore) -> int:
    """Move all recordings that are due; in how many rounds."""
    rounds, last = 1, move_recordings(database, store, TIERS)
    while last is not None:
        rounds, last = rounds + 1, move_recordings(database, store, TIERS, after=last)
    return rounds


def test_each_recording_gets_the_class_of_its_age_once_and_keeps_its_bytes(
    database: Database, store: ObjectStore, copies: list[tuple[str, str]]
) -> None:
    keys = add(database, store, [1, 29, 30, 364, 365, 4000])
    move_recordings(database, store, TIERS)
    wanted = [None, None, "STANDARD_IA", "STANDARD_IA", "GLACIER", "GLACIER"]
    assert tiers_of(database) == dict(zip(keys, wanted, strict=True))
    assert sorted(copies) == sorted((key, tier) for key, tier in zip(keys, wanted, strict=True) if tier is not None)
    assert [store.get(key) for key in keys] == [f"content {number}".encode() for number in range(6)]
    assert move_recordings(database, store, TIERS) is None
    assert len(copies) == 4, "not again"


def test_a_round_is_bounded_and_says_that_there_is_more(
    database: Database, store: ObjectStore, copies: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    add(database, store, [40] * 5)
    monkeypatch.setattr(moves, "BATCH", 2)
    assert moved_in_rounds(database, store) == 3
    assert len(copies) == 5


def test_a_move_that_was_not_noted_is_made_again_and_an_erased_clip_is_left_alone(
    database: Database, store: ObjectStore, copies: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = add(database, store, [40, 41])

    def dies(*_: Any) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(moves, "note", dies)
        with pytest.raises(RuntimeError):
            move_recordings(database, store, TIERS)
    assert set(tiers_of(database).values()) == {None}
    with database.begin() as connection:
        (erased,) = connection.execute(select(clips.c.id).where(clips.c.object_key == second)).scalars()
        clip_erasure.erase(connection, [erased], ErasureCause.ERASED)
    copies.clear()
    move_recordings(database, store, TIERS)
    assert copies == [(first, "STANDARD_IA")]


def refuse(monkeypatch: pytest.MonkeyPatch, refused: list[str], code: str) -> None:
    """Let S3 refuse to move these objects."""
    move = S3Tiers.move

    def refuses(classes: S3Tiers, key: str, storage_class: str) -> bool:
        if key not in refused:
            return move(classes, key, storage_class)
        with reaching(S3Location("bucket")):
            raise ClientError({"Error": {"Code": code, "Message": "a test"}}, "CopyObject")

    monkeypatch.setattr(S3Tiers, "move", refuses)


def test_recordings_that_a_rule_of_the_bucket_has_archived_hold_no_other_up(
    database: Database, store: ObjectStore, copies: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    *archived, other, newest = add(database, store, [70, 60, 50, 40, 39])
    monkeypatch.setattr(moves, "BATCH", 2)
    refuse(monkeypatch, archived, "InvalidObjectState")
    for _ in range(2):
        assert moved_in_rounds(database, store) >= 2
        assert tiers_of(database) == dict.fromkeys(archived) | dict.fromkeys([other, newest], "STANDARD_IA")
    assert copies == [(other, "STANDARD_IA"), (newest, "STANDARD_IA")]


def test_a_store_that_refuses_every_move_is_told(
    database: Database, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, add(database, store, [50, 40]), "InvalidStorageClass")
    with pytest.raises(Misconfigured, match="InvalidStorageClass"):
        move_recordings(database, store, TIERS)


def test_an_erasure_and_a_move_of_one_clip_wait_for_each_other(database: Database, store: ObjectStore) -> None:
    (key,) = add(database, store, [40])
    with database.begin() as erasing:
        (clip_id,) = erasing.execute(select(clips.c.id)).scalars()
        clip_erasure.erase(erasing, [clip_id], ErasureCause.ERASED)
        with database.begin() as connection:
            assert moves.lock(connection, TIERS, clip_id) is None, "it is being erased"
    store.delete(key)
    assert move_recordings(database, store, TIERS) is None


def test_archived_recordings_are_not_extracted_again(database: Database, store: ObjectStore) -> None:
    add(database, store, [40, 400])
    support.complete(database, support.claim(database))
    support.complete(database, support.claim(database))
    with database.begin() as connection:
        is_old = clips.c.stored_at < text("now() - interval '1 year'")
        connection.execute(update(clips).where(is_old).values(tier="GLACIER"))
        assert extraction_jobs.add_for_older_clips(connection, support.EXTRACTOR + 1) == 1


def test_a_directory_says_that_it_has_no_storage_classes(database: Database, tmp_path: Any) -> None:
    directory = open_store(Settings(objects_url=(tmp_path / "objects").as_uri()))
    assert move_recordings(database, directory, ()) is None
    with pytest.raises(Misconfigured, match="directory, which has no storage classes"):
        move_recordings(database, directory, TIERS)


@pytest.mark.parametrize(
    ("rules", "wrong"),
    [
        ("30", "not a rule"),
        ("0:GLACIER", "not a rule"),
        ("30:COLD", "not a storage class; choose from STANDARD"),
        ("30:GLACIER,365:DEEP_ARCHIVE", "no rule can follow"),
        ("30:GLACIER_IR,365:STANDARD_IA", "costs less to keep"),
        ("365:STANDARD_IA,30:GLACIER", "more days"),
    ],
)
def test_rules_that_cannot_be_followed_are_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, rules: str, wrong: str
) -> None:
    monkeypatch.setenv("LONGTAIL_OBJECT_TIERS", rules)
    with pytest.raises(Misconfigured, match=wrong):
        Settings.load()
