"""Counts and facets visit few rows, and find what looking at all clips finds."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, func, select

from bench.search.made import place_with
from bench.search.questions import Question, pairs, singles
from storage.clips.facets import DEFAULT_BY, parse_by
from storage.clips.facets.spread import spreads
from storage.clips.plan import Caps, Selection
from storage.clips.query import ClipQuery
from storage.tables import clip_fires, clips, labels
from tests.storage.clips.plan.explained import CAPS, CLIPS, explain_statements

pytestmark = pytest.mark.integration

LOOKED_AT = 300


@pytest.fixture
def newest(connection: Connection) -> list[str]:
    ids = select(clips.c.id).order_by(clips.c.recorded_ns.desc()).limit(LOOKED_AT)
    return list(connection.execute(ids).scalars())


def test_each_row_is_read_once_for_all_properties(connection: Connection, newest: list[str]) -> None:
    def rows(column: object) -> int:
        of_them = select(func.count()).where(column.in_(newest))  # type: ignore[attr-defined]
        return int(connection.execute(of_them).scalar_one())

    there_are = LOOKED_AT + rows(clip_fires.c.clip_id) + rows(labels.c.clip_id)
    asked = parse_by(f"{DEFAULT_BY},labeler,fire_time,inclusion_probability,duration_s,size_bytes,start:week")
    found = explain_statements(connection, lambda: spreads(connection, newest, asked))
    assert found.whole_tables == set()
    assert found.visited == pytest.approx(there_are, abs=0.01 * LOOKED_AT), "EXPLAIN gives rows per loop, rounded"
    assert {"pk_clips", "pk_clip_fires"} <= found.indexes


@pytest.fixture
def questions(connection: Connection) -> list[Question]:
    """Filters alone, and every 97th pair of them."""
    place = place_with(connection, 20)
    return [question for question in (*singles(place), *list(pairs(place))[::97]) if question.filter]


def test_a_search_that_has_seen_all_clips_of_a_filter_says_how_many_these_are(
    connection: Connection, questions: list[Question]
) -> None:
    told = 0
    for question in questions:
        query = ClipQuery.parse(filter_source=question.filter, limit=20)
        _, total = query.first_and_count(connection, CAPS)
        told += total is not None and total > 20
        if total is not None:
            assert total == naive_count(connection, query), question
    assert told > 10


def test_an_index_that_has_just_the_clips_of_a_filter_counts_them_without_looking_at_them(
    connection: Connection, questions: list[Question]
) -> None:
    counted = 0
    for question in questions:
        query = ClipQuery.parse(filter_source=question.filter)
        assert query.filter is not None
        selection = Selection.of(connection, query.filter.tree, Caps(collected=CLIPS, visited=0))
        found = selection.count_by_index()
        counted += found is not None
        if found is not None:
            assert found == naive_count(connection, query), question
    assert counted > 20


@pytest.mark.parametrize(
    ("source", "index"),
    [
        ("vehicle = 'car-0'", "ix_clips_vehicle_id_id"),
        ("state = 'ready'", "ix_clips_state_recorded_ns_id"),
        ("trigger = 't0'", "ix_clip_fires_trigger_recorded_ns_clip_id"),
        ("ego.speed.max > 15", "ix_signal_statistics_maximum"),
    ],
)
def test_an_index_counts_alone(connection: Connection, source: str, index: str) -> None:
    query = ClipQuery.parse(filter_source=source)
    assert query.filter is not None
    selection = Selection.of(connection, query.filter.tree, Caps(collected=CLIPS, visited=0))
    found = explain_statements(connection, selection.count_by_index)
    assert index in found.indexes and found.whole_tables == set(), found
    assert found.visited <= 2.1 * naive_count(connection, query), "counted up to the cap, and then each once"


def naive_count(connection: Connection, query: ClipQuery) -> int:
    found = select(clips.c.id).where(query.where()).cte("found").prefix_with("MATERIALIZED")
    return int(connection.execute(select(func.count()).select_from(found)).scalar_one())
