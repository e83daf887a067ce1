"""Bounds of when clips of an attribute's value or a tag were recorded: never too narrow, and seldom written."""

from __future__ import annotations

from sqlalchemy import Connection, text

from storage.clips.properties import terms
from storage.clips.query import ClipQuery
from storage.database import Database
from tests.storage.clips.catalog_support import SECOND_NS, T_NS, add_clip

HOUR_NS = 3600 * SECOND_NS


def spans(connection: Connection) -> list[tuple[int, int]]:
    rows = connection.execute(text("SELECT first_ns - :t, last_ns - :t FROM clip_terms ORDER BY 1"), {"t": T_NS})
    return [(row[0], row[1]) for row in rows]


def test_bounds_are_an_hour_wider_than_the_clips_and_widen_only_beyond(database: Database) -> None:
    with database.begin() as connection:
        add_clip(connection, tags=["rain"])
        assert spans(connection) == [(-HOUR_NS, HOUR_NS)]
        add_clip(connection, tags=["rain"], start_ns=T_NS + HOUR_NS)
        assert spans(connection) == [(-HOUR_NS, HOUR_NS)], "a clip within them changes nothing"
        add_clip(connection, tags=["rain"], start_ns=T_NS + 2 * HOUR_NS)
        add_clip(connection, tags=["rain"], start_ns=T_NS - 2 * HOUR_NS)
        assert spans(connection) == [(-3 * HOUR_NS, 3 * HOUR_NS)]


def test_bounds_end_where_64_bits_do(database: Database) -> None:
    with database.begin() as connection:
        add_clip(connection, tags=["far"], start_ns=2**63 - 2 * 10**9, duration_s=1)
        add_clip(connection, tags=["far"], start_ns=-(2**63))
        assert terms.span_of_tags(connection, ["far"]) == (-(2**63), 2**63 - 1)


def test_equal_numbers_are_one_term_and_other_types_are_not(database: Database) -> None:
    with database.begin() as connection:
        ids = [
            add_clip(connection, attributes={"hardware": value}, start_ns=T_NS + number * 24 * HOUR_NS)
            for number, value in enumerate((3, 3.0, "3", True))
        ]
        assert terms.span_of_attribute(connection, "hardware", [3]) == (T_NS - HOUR_NS, T_NS + 25 * HOUR_NS)
        assert terms.span_of_attribute(connection, "hardware", ["3"]) == (T_NS + 47 * HOUR_NS, T_NS + 49 * HOUR_NS)
        assert terms.span_of_attribute(connection, "hardware", [4]) is None
        found = ClipQuery.parse(filter_source="vehicle.hardware = 3.0").positions(connection)
        assert [position.clip_id for position in found] == [ids[1], ids[0]]
