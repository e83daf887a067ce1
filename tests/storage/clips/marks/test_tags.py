"""Tags of people beside those of triggers: two people at once, and the way back of the migration."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from storage import users
from storage.clips.marks import tags
from storage.database import Database
from tests.storage.clips.catalog_support import add_clip


def test_two_people_who_tag_a_clip_at_once_both_succeed(database: Database) -> None:
    with database.begin() as connection:
        clip_id = add_clip(connection, tags=["rain"])
        ann, bob = (users.ensure(connection, name)[0] for name in ("ann", "bob"))

    def tag(user_id: int, names: list[str]) -> None:
        for name in names:
            with database.begin() as connection:
                tags.add(connection, clip_id, [name], user_id=user_id)

    of_ann, of_bob = ([f"{who}-{number}" for number in range(20)] for who in ("a", "b"))
    with ThreadPoolExecutor(2) as pool:
        for done in (pool.submit(tag, ann, of_ann), pool.submit(tag, bob, of_bob)):
            done.result()
    with database.begin() as connection:
        kept = tags.of_clip(connection, clip_id)
    assert kept.tags == tuple(sorted(["rain", *of_ann, *of_bob]))
    assert {(each.tag[0], each.by) for each in kept.added} == {("a", "ann"), ("b", "bob")}
