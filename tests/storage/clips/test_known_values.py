"""The values that clips have had: each once, not too many, and none that only erased clips had."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import Connection, select

from storage.clips.properties import known_values
from storage.clips.query import ClipQuery
from storage.database import Database
from storage.erasure import clips as erased_clips
from storage.tables import known_values as table
from storage.tables.erasure import ErasureCause
from tests.storage.clips.catalog_support import add_clip
from tests.support.locks import waits_for_a_lock
from tests.support.waiting import wait_for


def known(connection: Connection) -> set[tuple[str, Any]]:
    return {(about, value) for about, value in connection.execute(select(table.c.about, table.c.value))}


def found(connection: Connection, source: str) -> list[str]:
    return ClipQuery.parse(filter_source=source, sortby="id").page_of(connection).clip_ids


def test_each_value_is_kept_once_and_equal_numbers_are_one(database: Database) -> None:
    with database.begin() as connection:
        for hardware in (3, 3.0, "3"):
            add_clip(connection, attributes={"hardware": hardware, "towing": False}, tags=["rain"])
        assert known(connection) == {
            ("vehicle.hardware", 3),
            ("vehicle.hardware", "3"),
            ("vehicle.towing", False),
            ("tags", "rain"),
        }


def test_an_attribute_or_tags_of_too_many_values_are_not_kept_and_their_clips_are_found(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_values, "MAX_VALUES", 3)
    with database.begin() as connection:
        ids = [add_clip(connection, attributes={"km": number, "a": "b"}, tags=[f"t{number}"]) for number in range(6)]
        assert known(connection) == {("vehicle.km", None), ("tags", None), ("vehicle.a", "b")}
        assert found(connection, "vehicle.km >= 4") == sorted(ids[4:])
        assert found(connection, "tag LIKE 't%' AND vehicle.km <> 1") == sorted([ids[0], *ids[2:]])


def test_erased_clips_take_along_the_values_that_no_other_clip_has(database: Database) -> None:
    with database.begin() as connection:
        erased = add_clip(connection, attributes={"owner": "ann", "model": "m3", "n": 1.5}, tags=["rain", "ann's"])
        add_clip(connection, attributes={"model": "m3"}, tags=["rain"])
        erased_clips.erase(connection, [erased], ErasureCause.ERASED)
        assert known(connection) == {("vehicle.model", "m3"), ("tags", "rain")}


def test_a_value_stays_that_a_clip_is_being_stored_with_while_its_last_clip_is_erased(database: Database) -> None:
    with database.begin() as connection:
        erased = add_clip(connection, attributes={"model": "m3"})

    def _erase() -> None:
        with database.begin() as connection:
            erased_clips.erase(connection, [erased], ErasureCause.ERASED)

    erasing = threading.Thread(target=_erase)
    with database.begin() as storing:
        stored = add_clip(storing, attributes={"model": "m3"})
        erasing.start()
        wait_for(lambda: waits_for_a_lock(database), within_s=30, what="waiting for the clip")
    erasing.join()
    with database.begin() as connection:
        assert known(connection) == {("vehicle.model", "m3")}
        assert found(connection, "vehicle.model LIKE 'm%'") == [stored]
