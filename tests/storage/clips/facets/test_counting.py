"""Counts: exact up to the bound, above it an estimate whose interval holds what it promises."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from storage.clips.cql2 import parse_filter
from storage.clips.facets import ClipCount, count, counting
from storage.database import Connection, Database
from tests.storage.clips.catalog_support import add_clip
from tests.storage.clips.plan.explained import explain_statements

CLIPS = 4000
_UPLOADS = text("""
    INSERT INTO uploads SELECT (jsonb_populate_record(u, jsonb_build_object('id', new.id, 'clip_id', new.id))).*
    FROM uploads u, (SELECT md5(i::text) AS id FROM generate_series(2, :clips) i) AS new
""")
_CLIPS = text("""
    INSERT INTO clips (id, upload_id, vehicle_id, recording_id, state, start_ns, end_ns, size_bytes, digest, object_key,
        manifest, attributes, software)
    SELECT md5(i::text), md5(i::text), 'car-1', i::text, 'ready', 0, 0, i, md5(i::text), md5(i::text), '{}', '{}', '{}'
    FROM generate_series(2, :clips) i
""")


@pytest.fixture
def catalog(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Clips of 1 to 4000 bytes with digests as ids, in a deployment whose bounds are a fortieth of the real ones."""
    for bound, clips in (("EXACT_UP_TO", 250), ("INDEXED_UP_TO", 1000), ("SAMPLE", 1000), ("PILOT", 100)):
        monkeypatch.setattr(counting, bound, clips)
    monkeypatch.setattr(counting, "SOUGHT", 100)
    with database.begin() as connection:
        add_clip(connection, size_bytes=1)
        for statement in (_UPLOADS, _CLIPS):
            connection.execute(statement, {"clips": CLIPS})
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE clips"))
    return database


def counted(connection: Connection, source: str | None) -> ClipCount:
    return count(connection, None if source is None else parse_filter(source, "cql2-text"))


def test_up_to_the_bound_clips_are_counted_one_by_one(catalog: Database) -> None:
    with catalog.begin() as connection:
        for clips in (0, 1, 250):
            assert counted(connection, f"size_bytes * 2 <= {2 * clips}") == ClipCount(clips, True, clips, clips)
        above = counted(connection, "size_bytes * 2 <= 502")
    assert not above.exact and above.low == 251, "more than the bound were found, so it is no less"


@pytest.mark.parametrize(("source", "clips"), [("size_bytes > 3000", 1000), ("tag = 'some'", 400)])
def test_what_an_index_has_or_a_search_has_seen_is_counted_above_the_bound(
    catalog: Database, source: str, clips: int
) -> None:
    with catalog.begin() as connection:
        connection.execute(text("UPDATE clips SET tags = '{some}' WHERE size_bytes % 10 = 1"))
        assert counted(connection, source) == ClipCount(clips, True, clips, clips)
        assert not counted(connection, "size_bytes > 2000").exact, "more than an index is asked to count"


def test_the_interval_of_an_estimate_has_the_true_number_as_often_as_it_says(catalog: Database) -> None:
    sources = {clips: f"size_bytes * 2 > {2 * (CLIPS - clips)}" for clips in range(300, 4001, 50)}
    with catalog.begin() as connection:
        estimates = [(clips, counted(connection, source)) for clips, source in sources.items()]
        again = counted(connection, sources[1000])
        assert again == counted(connection, sources[1000]), "the same question has the same answer"
    assert all(not each.exact and each.low <= each.clips <= each.high for _, each in estimates)
    assert sum(each.low <= clips <= each.high for clips, each in estimates) >= 0.9 * len(estimates)
    assert all(abs(each.clips - clips) < 0.5 * clips for clips, each in estimates)


def test_a_sample_is_as_large_as_its_pilot_says(catalog: Database) -> None:
    """So an estimate of many clips of the catalog looks at few, and its interval is about as wide as that of fewer."""
    with catalog.begin() as connection:
        counted(connection, None)
        many = explain_statements(connection, lambda: counted(connection, "size_bytes * 2 > 0"))
        few = explain_statements(connection, lambda: counted(connection, f"size_bytes * 2 > {2 * (CLIPS - 600)}"))
        wide = counted(connection, "size_bytes * 2 > 0")
    assert few.visited - many.visited > 700
    assert 0.3 < (wide.high - wide.low) / CLIPS < 0.5


def test_a_filter_on_ids_does_not_fool_the_sample(catalog: Database) -> None:
    """The ranges are spread over all ids: the first sixteenth of them has its share of the sample."""
    with catalog.begin() as connection:
        found = counted(connection, "id < '4'")
    assert found.low <= CLIPS / 4 * 1.05 and found.high >= CLIPS / 4 * 0.95


def test_a_catalog_of_few_clips_or_unknown_size_is_counted(catalog: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "SAMPLE", CLIPS)
    with catalog.begin() as connection:
        assert counted(connection, None) == ClipCount(CLIPS, True, CLIPS, CLIPS)


def test_where_some_of_the_newest_are_enough_their_sample_counts_them(catalog: Database) -> None:
    with catalog.begin() as connection:
        connection.execute(text("UPDATE clips SET tags = '{some}' WHERE size_bytes % 10 = 1"))
        ids, of_some = counting.newest_and_count(connection, parse_filter("tag = 'some'", "cql2-text"), 10)
        again, of_few = counting.newest_and_count(connection, parse_filter("tag = 'some'", "cql2-text"), 400)
    assert 0 < len(ids) <= 10 and not of_some.exact
    assert of_some.low <= 400 <= of_some.high
    assert (len(again), of_few) == (400, ClipCount(400, True, 400, 400)), "up to as many as are asked for all are found"
