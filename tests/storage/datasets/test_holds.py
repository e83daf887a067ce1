"""Retention erases no clip of a dataset, unless the dataset lets it, whatever happens at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, select

from storage import users
from storage.database import Database
from storage.datasets import freezing, holds, versions
from storage.datasets.freezing import NewVersion
from storage.erasure import clips as erasure
from storage.roles.rights import DatabaseRole
from storage.tables import clips
from tests.storage.clips.catalog_support import add_clip
from tests.storage.roles.test_rights import begun_as
from tests.support.locks import waits_for_a_lock
from tests.support.waiting import wait_for
from triggers.contracts.users import User
from triggers.errors import InvalidInput, NotFound

pytestmark = pytest.mark.integration
PAST = datetime.now(UTC) - timedelta(days=1)


@pytest.fixture
def ada(database: Database) -> User:
    with database.begin() as connection:
        user_id, name = users.ensure(connection, "ada")
    return User(name, frozenset(["author"]), user_id)


def freeze(connection: Connection, name: str, ids: list[str], user: User, *, lets_expire: bool = False) -> None:
    freezing.create(connection, name, description="", lets_expire=lets_expire, user=user)
    freezing.add_version(connection, name, NewVersion(ids, {}, {}), user=user)


def there(database: Database) -> set[str]:
    with database.begin() as connection:
        return set(connection.execute(select(clips.c.id)).scalars())


def test_retention_leaves_clips_of_datasets_and_takes_the_others(database: Database, ada: User) -> None:
    with database.begin() as connection:
        kept, going, released = (add_clip(connection, expires_at=PAST) for _ in range(3))
        freeze(connection, "kept", [kept], ada)
        freeze(connection, "loose", [released], ada, lets_expire=True)
    with begun_as(database, DatabaseRole.INGEST) as connection:
        assert erasure.expire(connection).clips == 2
    assert there(database) == {kept}
    with database.begin() as connection:
        (member,) = versions.members_of(connection, "loose", 1, after="", limit=10)
        assert member.erasure is not None and member.erasure.cause == "expired"
        assert going not in there(database)


def test_a_clip_in_two_datasets_is_kept_by_either(database: Database, ada: User) -> None:
    with database.begin() as connection:
        clip_id = add_clip(connection, expires_at=PAST)
        freeze(connection, "kept", [clip_id], ada)
        freeze(connection, "loose", [clip_id], ada, lets_expire=True)
        assert holds.datasets_of(connection, [clip_id]) == ["kept", "loose"]
        assert erasure.expire(connection).clips == 0
        assert holds.let_expire(connection, "kept", allowed=True, reason="retired", user=ada) is False
        assert erasure.expire(connection).clips == 1


def test_kept_clips_that_are_due_do_not_keep_others_from_expiring(database: Database, ada: User) -> None:
    with database.begin() as connection:
        kept = [add_clip(connection, expires_at=PAST - timedelta(days=1)) for _ in range(5)]
        add_clip(connection, expires_at=PAST)
        freeze(connection, "kept", kept, ada)
        assert erasure.expire(connection, limit=2).clips == 1
        assert erasure.expire(connection, limit=2).clips == 0
    assert there(database) == set(kept)


def test_a_clip_that_is_frozen_while_retention_comes_for_it_stays(database: Database, ada: User) -> None:
    with database.begin() as connection:
        clip_id = add_clip(connection, expires_at=PAST)
    with ThreadPoolExecutor(1) as pool:
        with database.begin() as connection:
            freeze(connection, "kept", [clip_id], ada)

            def expire() -> int:
                with database.begin() as other:
                    return erasure.expire(other).clips

            expiring = pool.submit(expire)
            wait_for(lambda: waits_for_a_lock(database), within_s=30, what="retention waits for the clip")
        assert expiring.result(timeout=60) == 0
    assert there(database) == {clip_id}


def test_a_clip_that_is_erased_while_it_is_frozen_is_in_no_dataset(database: Database, ada: User) -> None:
    with database.begin() as connection:
        going, staying = add_clip(connection, expires_at=PAST), add_clip(connection)
    with ThreadPoolExecutor(1) as pool:
        with database.begin() as connection:
            assert erasure.expire(connection).clips == 1

            def begin() -> freezing.Frozen:
                with database.begin() as other:
                    freezing.create(other, "cuts", description="", lets_expire=False, user=ada)
                    return freezing.add_version(other, "cuts", NewVersion([going, staying], {}, {}), user=ada)

            freezing_ = pool.submit(begin)
            wait_for(lambda: waits_for_a_lock(database), within_s=30, what="the dataset waits for the clip")
        assert freezing_.result(timeout=60).gone == 1
    with database.begin() as connection:
        assert [row.clip_id for row in versions.members_of(connection, "cuts", 1, after="", limit=9)] == [staying]


def test_a_dataset_of_clips_that_are_all_gone_is_not_made(database: Database, ada: User) -> None:
    with pytest.raises(InvalidInput, match="every chosen clip was erased"), database.begin() as connection:
        freeze(connection, "cuts", ["0" * 32], ada)
    with database.begin() as connection, pytest.raises(NotFound):
        versions.find_dataset(connection, "cuts")


def test_a_transaction_that_is_lost_leaves_nothing_of_a_version(database: Database, ada: User) -> None:
    with database.begin() as connection:
        clip_id = add_clip(connection)
    with pytest.raises(RuntimeError), database.begin() as connection:
        freeze(connection, "cuts", [clip_id], ada)
        raise RuntimeError
    with database.begin() as connection:
        assert holds.datasets_of(connection, [clip_id]) == []
        freeze(connection, "cuts", [clip_id], ada)
        assert versions.find_version(connection, "cuts", None).version == 1


@pytest.mark.parametrize("role", [DatabaseRole.API, DatabaseRole.INGEST])
def test_a_process_reads_what_datasets_keep(database: Database, role: DatabaseRole) -> None:
    with begun_as(database, role) as connection:
        assert holds.datasets_of(connection, ["0" * 32]) == []


def test_the_api_makes_a_version_with_its_own_rights(database: Database, ada: User) -> None:
    with database.begin() as connection:
        clip_id = add_clip(connection)
    with begun_as(database, DatabaseRole.API) as connection:
        freeze(connection, "cuts", [clip_id], ada)
        holds.let_expire(connection, "cuts", allowed=True, reason="r", user=ada)
