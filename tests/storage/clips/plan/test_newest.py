"""The newest clips of many: the first of all in order, all of few, and of many a number that a sample agrees with."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, text

from bench.search.made import place_with
from bench.search.questions import Question, pairs, singles
from bench.search.timed import naive_page
from storage.clips.cql2.tree import Predicate
from storage.clips.order import Order
from storage.clips.plan import Caps, find_newest
from storage.clips.plan.newest import NewestSearch
from storage.clips.query import ClipQuery
from tests.storage.clips.plan.explained import CLIPS, explain_statements
from triggers.contracts.api.clips import DEFAULT_SORT
from triggers.statistics.poisson import poisson_interval

pytestmark = pytest.mark.integration

LARGE = {"clips", "clip_fires", "signal_statistics", "labels"}
BY_INDEX = {
    "label = 'truck'": "ix_labels_types",
    "ego.speed.max > 41": "ix_signal_statistics_maximum",
    "duration_s > 28.5": "ix_clips_duration_s_id",
}
"""Filters that one clip in ten meets, or fewer, and the index that has these."""
SPARSE = ("vehicle.towing = true", "vehicle.hardware = 5", *BY_INDEX)


def tree_of(source: str) -> Predicate | None:
    query = ClipQuery.parse(filter_source=source or None)
    return None if query.filter is None else query.filter.tree


def test_the_first_in_order_are_found_and_all_of_few(connection: Connection) -> None:
    place = place_with(connection, 20)
    asked = (*singles(place), *list(pairs(place))[::499], *(Question(source, source) for source in SPARSE))
    sampled, within = 0, 0
    for question in asked:
        expected = naive_page(connection, ClipQuery.parse(filter_source=question.filter or None), CLIPS)
        for at_most in (6, 25, 150):
            found = find_newest(connection, tree_of(question.filter), at_most)
            assert found.clip_ids == expected[: len(found.clip_ids)], question
            assert found.total in (None, len(expected)), question
            if found.sample is None:
                assert len(found.clip_ids) == min(at_most, len(expected)), question
                continue
            assert len(expected) > at_most, "few are all found"
            assert found.clip_ids, question
            low, high = poisson_interval(found.sample.met)
            sampled += 1
            within += low <= len(expected) * found.sample.share <= high
    assert sampled >= 8
    assert within >= 0.8 * sampled, "one range of ids serves all questions, so that errors come together"


@pytest.mark.parametrize(("source", "index"), BY_INDEX.items())
def test_an_index_has_the_clips_of_a_filter_that_few_of_many_meet(
    connection: Connection, source: str, index: str
) -> None:
    explained = explain_statements(connection, lambda: find_newest(connection, tree_of(source), 6))
    assert (explained.whole_tables & LARGE, index in explained.indexes) == (set(), True)


@pytest.mark.parametrize("at_most", [6, 25])
def test_what_a_sample_says_of_a_filter_is_not_asked_again_on_another_way(connection: Connection, at_most: int) -> None:
    tree = tree_of("vehicle.model BETWEEN 'ra' AND 'rz'")
    caps = Caps(few=at_most, collected=at_most, glanced=at_most // 3, walked=4 * at_most)
    search = NewestSearch(connection, tree, Order.parse(DEFAULT_SORT), None, at_most + 1, caps, counts=True)
    search.page()
    assert search.steps[-1] == "intersect"
    assert (search.steps.count("sample"), search.sample) == (1, None)


def test_clips_in_a_range_of_ids_are_no_sample_of_a_filter_on_ids(connection: Connection) -> None:
    """The sample would be of ids from '8' on: none of these clips has one, or all of them have."""
    for source in ("id < '8' AND vehicle.towing = true", "id > '80' AND id < '90' AND vehicle.hardware > 1"):
        found = find_newest(connection, tree_of(source), 6)
        assert (found.sample, len(found.clip_ids)) == (None, 6), source


def test_a_tag_that_was_given_by_the_first_digits_of_ids_is_sampled_like_others(connection: Connection) -> None:
    """As for a split: the clips of two first digits, of which one range of ids would have all or none."""
    with connection.begin_nested() as undone:
        tagged = connection.execute(text("UPDATE clips SET tags = tags || '{val}' WHERE id >= '8' AND id < 'a'"))
        found = find_newest(connection, tree_of("tag = 'val'"), 60)
        undone.rollback()
    assert found.sample is not None
    low, high = poisson_interval(found.sample.met)
    assert low <= tagged.rowcount * found.sample.share <= high
