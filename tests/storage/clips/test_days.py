"""Bounds of when the clips of a day were stored, became ready and expire: never too narrow, and seldom written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from storage.clips.query import ClipQuery
from storage.database import Database
from storage.tables import clip_days
from tests.storage.clips.catalog_support import SECOND_NS, T_NS, add_clip
from triggers.clips.clock import IMPLAUSIBLE
from triggers.times import DAY_NS

HOUR_NS = 3600 * SECOND_NS
STORED = datetime.fromtimestamp(T_NS / 1e9, UTC) + timedelta(days=1)
STORED_NS = T_NS + DAY_NS
TODAY = T_NS // DAY_NS


def days(connection: Connection) -> dict[int, Any]:
    return {row.day: row for row in connection.execute(select(clip_days))}


def test_bounds_are_an_hour_wider_than_the_clips_and_widen_only_beyond(database: Database) -> None:
    with database.begin() as connection:
        add_clip(connection, stored_at=STORED)
        (day,) = days(connection).values()
        assert (day.day, day.stored_first_ns, day.stored_last_ns) == (TODAY, STORED_NS - HOUR_NS, STORED_NS + HOUR_NS)
        add_clip(connection, stored_at=STORED + timedelta(hours=1))
        assert days(connection) == {TODAY: day}, "a clip within them changes nothing"
        add_clip(connection, stored_at=STORED + timedelta(hours=2))
        assert days(connection)[TODAY].stored_last_ns == STORED_NS + 3 * HOUR_NS


def test_a_day_has_no_bounds_of_times_that_none_of_its_clips_has(database: Database) -> None:
    with database.begin() as connection:
        add_clip(connection, stored_at=STORED)
        assert days(connection)[TODAY].ready_first_ns is None
        add_clip(connection, stored_at=STORED, ready_at=STORED + timedelta(minutes=1))
        assert days(connection)[TODAY].ready_first_ns == STORED_NS + 60 * SECOND_NS - HOUR_NS


def test_days_before_1970_and_times_after_2262_are_days_and_times_like_others(database: Database) -> None:
    with database.begin() as connection:
        forever = datetime(9999, 1, 1, tzinfo=UTC)
        add_clip(connection, start_ns=-1, duration_s=0, stored_at=STORED, expires_at=forever)
        add_clip(connection, start_ns=-DAY_NS, duration_s=0, stored_at=STORED)
        (day,) = days(connection).values()
        assert day.day == -1
        assert day.expires_last_ns == 2**63 - 1


def test_a_clip_of_a_wrong_clock_counts_for_the_day_on_which_it_was_stored(database: Database) -> None:
    with database.begin() as connection:
        clip_id = add_clip(connection, stored_at=STORED, ready_at=STORED, tags=[IMPLAUSIBLE])
        assert list(days(connection)) == [TODAY + 1]
        found = ClipQuery.parse(filter_source="ready_at > DATE('2026-01-05')").page_of(connection)
        assert found.clip_ids == [clip_id]
