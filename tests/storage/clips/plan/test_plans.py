"""Each class of filter uses its index and visits a bounded number of rows, whatever matches: many, old, few or none.

The catalog has 4,000 clips and the caps are small, so that a plan that visits a share of the catalog is told from one
that visits as many rows as a page needs. Rows are counted, not time.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Connection

from bench.search.made import place_with
from bench.search.questions import FILTERS, SORTS, Question, pairs
from bench.search.timed import naive_page
from storage.clips.plan import strategy
from storage.clips.query import ClipQuery
from storage.database import Database
from tests.storage.clips.plan.explained import CAPS, Explained, explain
from tests.support.statements import noted

pytestmark = pytest.mark.integration

LARGE = {"clips", "clip_fires", "signal_statistics", "labels"}
LIMIT = 20
BOUND = 2500
"""Rows that one search may visit in all: its counts, walks and collections together, and subqueries of each row."""
PLACE = {"west": 0.0, "south": 0.0, "east": 0.0, "north": 0.0}

INDEXES = {
    "vehicle": "ix_clips_vehicle_id_recorded_ns_id",
    "state": "ix_clips_state_recorded_ns_id",
    "start": "ix_clips_start_ns_id",
    "time": "ix_clips_start_ns_id",
    "size_bytes": "ix_clips_size_bytes_id",
    "duration_s": "ix_clips_duration_s_id",
    "stored_at": "ix_clips_stored_at_id",
    "expires_at": "ix_clips_expires_at_id",
    "damage": "ix_clips_damage",
    "campaign": "ix_clip_fires_campaign_recorded_ns_clip_id",
    "trigger": "ix_clip_fires_trigger_recorded_ns_clip_id",
    "version": "ix_clip_fires_version_recorded_ns_clip_id",
    "fire_time": "ix_clip_fires_t_ns_clip_id",
    "inclusion_probability": "ix_clip_fires_inclusion_probability_clip_id",
    "fire(...)": "ix_clip_fires_trigger_recorded_ns_clip_id",
    "name LIKE": "ix_clip_fires_trigger_recorded_ns_clip_id",
    "other name": "ix_clip_fires_trigger_recorded_ns_clip_id",
    "tags": "ix_clips_terms",
    "no tag": "ix_clips_terms",
    "labels": "ix_labels_types",
    "tag": "ix_clips_terms",
    "label": "ix_labels_types",
    "labeler": "ix_labels_labeler_clip_id",
    "attribute": "ix_clips_terms",
    "range of an attribute": "ix_clips_terms",
    "attribute LIKE": "ix_clips_terms",
    "other attribute": "ix_clips_terms",
    "statistic": "ix_signal_statistics_maximum",
    "place": "ix_clips_box",
    "place_cell": "ix_clips_place_cell",
    "duplicate_of": "ix_clips_duplicate_of",
    "text": "ix_clip_texts_words",
}
"""The index that each filter needs when it matches few clips or none; that of fires begins with the campaign, too."""


@pytest.fixture(scope="module", autouse=True)
def place(catalog: Database) -> None:
    """Where 20 clips are, for the filters that ask for a place."""
    with catalog.begin() as connection:
        PLACE.update(place_with(connection, 20))


def asked(question: Question) -> ClipQuery:
    source = question.filter % PLACE if "%(west)" in question.filter else question.filter
    return ClipQuery.parse(filter_source=source or None, sortby=question.sortby, limit=LIMIT)


def explained(connection: Connection, question: Question) -> Explained:
    return explain(connection, asked(question), CAPS)


SINGLES = [
    Question(f"{about}: {match}", source) for about, filters in FILTERS.items() for match, source in filters.items()
]


OLD = [question for question in SINGLES if question.name.endswith(": old")]

NOTHING_TO_CHOOSE = {
    (about, "none") for about in ("name LIKE", "range of an attribute", "attribute LIKE", "other attribute")
}
"""No name or value that there is meets the condition, so no clip is looked for."""

AS_GOOD = {"campaign": "ix_clip_fires_fire", "vehicle": "ix_clips_vehicle_id_id"}
"""Other indexes that begin with the same column."""


@pytest.mark.parametrize("question", SINGLES, ids=lambda question: question.name)
def test_a_filter_alone_uses_its_index_and_visits_few_rows(connection: Connection, question: Question) -> None:
    done = explained(connection, question)
    assert not done.whole_tables & LARGE, done
    assert done.visited < BOUND, done
    about, _, match = question.name.partition(": ")
    if (about, match) in NOTHING_TO_CHOOSE:
        assert done.steps == ["collect"], done
        assert done.visited < 200, done
    elif match in ("few", "none"):
        assert {INDEXES[about], AS_GOOD.get(about)} & done.indexes, done
        assert done.steps[-1].startswith("collect"), done


@pytest.mark.parametrize("sortby", [*SORTS, "place_cell", "-place_cell"])
def test_an_order_alone_is_a_walk_of_as_many_rows_as_a_page(connection: Connection, sortby: str) -> None:
    done = explained(connection, Question("all", "", sortby))
    assert done.steps == ["walk 50"]
    assert not done.whole_tables & LARGE, done
    assert done.visited < 4 * CAPS.glanced, done


def test_two_filters_together_visit_few_rows_and_find_what_looking_at_all_clips_finds(connection: Connection) -> None:
    """Every 23rd pair, of which each filter and each way of matching is a part."""
    for question in list(pairs(PLACE))[::23]:
        done = explained(connection, question)
        assert not done.whole_tables & LARGE, (question, done)
        assert done.visited < BOUND, (question, done)
        assert done.ids[:LIMIT] == naive_page(connection, asked(question)), (question, done)


@pytest.mark.parametrize("sortby", ["-recorded", "start", "-end", "-ready_at", "-expires_at"])
@pytest.mark.parametrize("question", OLD, ids=lambda question: question.name)
def test_an_order_by_any_time_begins_where_the_clips_of_a_filter_are(
    connection: Connection, question: Question, sortby: str
) -> None:
    asked_for = Question(question.name, question.filter, sortby)
    done = explained(connection, asked_for)
    assert done.steps[-1] in ("walk 50", "walk 300"), done
    assert done.visited < BOUND, done
    assert done.ids[:LIMIT] == naive_page(connection, asked(asked_for))


@pytest.mark.parametrize("sortby", ["-recorded", "start", "-size_bytes", "-ready_at", "-ego.speed.max"])
def test_deep_pages_visit_as_few_rows_as_the_first(connection: Connection, sortby: str) -> None:
    query = ClipQuery.parse(sortby=sortby, limit=LIMIT)
    for _ in range(30):
        positions = query.positions(connection, CAPS)
        query = ClipQuery.parse(sortby=sortby, limit=LIMIT, token=query.token_after(positions[LIMIT - 1]))
    done = explain(connection, query, CAPS)
    assert done.steps == ["walk 50"]
    assert done.visited < 4 * CAPS.glanced, done


def test_what_the_index_of_terms_has_is_counted_in_a_sample_where_it_may_be_many(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sample decides about the way, and not about what is found."""
    monkeypatch.setattr(strategy, "TELLING", 1)
    ways = set()
    for source in ("tag = 'rare'", "tag = 'rain'", "vehicle.model = 'm9'", "tag = 'rain' AND vehicle.region = 'JP'"):
        done = explained(connection, Question(source, source))
        assert done.ids[:LIMIT] == naive_page(connection, asked(Question(source, source))), (source, done)
        assert "ix_clips_terms" in done.indexes and not done.whole_tables & LARGE, (source, done)
        ways.add(done.steps[-1])
    assert "collect together" in ways


OLD_BESIDE_NEWER_NAMES = [
    "stored_at < DATE('2025-06-01')",
    "start < DATE('2025-06-01')",
    "trigger = 'old'",
    "vehicle.model = 'old'",
]
"""Of clips that were recorded before any trigger whose name begins with `t` was there."""


@pytest.mark.parametrize("old", OLD_BESIDE_NEWER_NAMES)
def test_clips_from_before_any_of_many_names_are_not_looked_for(connection: Connection, old: str) -> None:
    source = f"{old} AND trigger LIKE 't%'"
    done = explained(connection, Question(source, source))
    assert done.steps in (["collect"], ["walk 50"]), done
    assert done.visited < BOUND, done
    assert done.ids == naive_page(connection, asked(Question(source, source))) == []


def test_an_attribute_that_would_have_to_be_two_texts_at_once_is_not_looked_for(connection: Connection) -> None:
    source = "vehicle.region = 'EU' AND vehicle.region <> 'EU'"
    done = explained(connection, Question(source, source))
    assert (done.steps, done.ids) == (["collect"], []), done
    both = "vehicle.region IN ('EU', 'US') AND vehicle.region IN ('US', 'JP')"
    found = explained(connection, Question(both, both)).ids
    assert found and found[:LIMIT] == naive_page(connection, asked(Question(both, both)))


@pytest.mark.parametrize(
    "few", ["label = 'rare'", "vehicle.model = 'rare'", "tag = 'nobody'", "text('nobody')", "campaign IS NULL"]
)
@pytest.mark.parametrize("many", ["duration_s > 1", "S_INTERSECTS(box, BBOX(-20, 30, 40, 60))"])
def test_what_must_be_visited_to_be_counted_is_counted_once_beside_few_clips(
    connection: Connection, many: str, few: str
) -> None:
    """And up to the lower cap; the higher one took as long as all the rest of the search."""
    source = f"{many} AND {few}"
    query = asked(Question(source, source))
    with noted(connection) as sent:
        found = [position.clip_id for position in query.positions(connection, CAPS)]
    assert found[:LIMIT] == naive_page(connection, query)
    expression = "FLOAT) / " if many.startswith("duration") else "box(point("
    counts = [s for s, _ in sent if "count(*)" in s and expression in s]
    assert len(counts) == 1, counts


WALKED_FIRST = replace(CAPS, few=20)
"""With room between what is collected at once and what is collected when a walk has found no page."""


def test_a_walk_comes_before_longer_counts_where_a_page_is_near(connection: Connection) -> None:
    """Of 140 clips of a fortnight nearly all match, so 50 rows in their order have a page."""
    first, last = (f"TIMESTAMP('2025-06-{day:02}T00:00:00Z')" for day in (1, 15))
    query = ClipQuery.parse(filter_source=f"start >= {first} AND start < {last} AND size_bytes > 0", limit=LIMIT)
    assert explain(connection, query, CAPS).steps == ["collect"]
    done = explain(connection, query, WALKED_FIRST)
    assert done.steps == ["walk 50"]
    assert done.visited < 6 * CAPS.glanced, done
    assert done.ids[:LIMIT] == naive_page(connection, query)


def test_what_a_short_walk_does_not_find_is_counted_and_collected(connection: Connection) -> None:
    query = ClipQuery.parse(filter_source="size_bytes > 30000000", sortby="start", limit=LIMIT)
    done = explain(connection, query, WALKED_FIRST)
    assert done.steps == ["walk 50", "collect"]
    assert done.ids[:LIMIT] == naive_page(connection, query)


def test_pairs_of_filters_find_the_same_when_walks_come_first(connection: Connection) -> None:
    for question in list(pairs(PLACE))[::41]:
        done = explain(connection, asked(question), WALKED_FIRST)
        assert not done.whole_tables & LARGE, (question, done)
        assert done.ids[:LIMIT] == naive_page(connection, asked(question)), (question, done)


def test_a_search_sets_no_parameter_that_is_set_already(connection: Connection) -> None:
    with noted(connection) as sent:
        asked(Question("few", "trigger = 'rare'", "-recorded")).positions(connection, CAPS)
    first, *others = [statement for statement, _ in sent if "set_config" in statement]
    assert "'jit'" in first
    assert not any("'jit'" in statement for statement in others)
