"""What no index answers is refused in a large catalog before it runs, unless many clips or few others are asked for."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from bench.search.timed import naive_page
from storage.clips.plan import Caps
from storage.clips.query import ClipQuery
from tests.storage.clips.plan.explained import CAPS, CLIPS, Explained, explain
from triggers.errors import InvalidInput

pytestmark = pytest.mark.integration

BOUND = 4000
"""Rows that a search may visit, with those of the sample."""
RARE = {
    "NOT version = 1": "NOT of `version`",
    "id LIKE '%abcd'": "LIKE of `id`",
    "ego.speed.max > ego.speed.mean + 45": "`>` of `ego.speed.max` and `ego.speed.mean`",
    "in_unit(ego.speed.max, 'km/h') > 163": "`>` of `in_unit(ego.speed.max, 'km/h')`",
    "s_disjoint(box, BBOX(-179, -89, 179, 89))": "the relation of `box`",
    "vehicle.region IS NULL": "IS NULL of `vehicle.region`",
    "size_bytes % 1000003 = 7 OR id LIKE 'x%'": "OR of `id` and `size_bytes`",
}
DENSE = ["NOT tag = 'highway'", "label IS NULL", "id LIKE '%a%'", "NOT trigger = 't0' AND NOT vehicle.region = 'JP'"]
NARROWER = ["vehicle = 'car-rare'", "trigger = 'rare'", "start > DATE('2030-01-01')", "fire_time < DATE('2025-01-02')"]


def explained(connection: Connection, source: str, sortby: str = "-recorded") -> Explained:
    return explain(connection, ClipQuery.parse(filter_source=source or None, sortby=sortby, limit=20), CAPS)


@pytest.mark.parametrize("source", RARE)
def test_what_hardly_any_clip_meets_is_refused_with_what_has_no_index(connection: Connection, source: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        explained(connection, f"({source}) AND start > DATE('2020-01-01')")
    assert str(refused.value).startswith(f"no index answers {RARE[source]}, hardly any clip meets it")
    assert "add a time, a vehicle or a trigger" in refused.value.remedy


@pytest.mark.parametrize("source", RARE)
def test_it_is_searched_for_in_a_small_catalog(connection: Connection, source: str) -> None:
    query = ClipQuery.parse(filter_source=source)
    assert query.page_of(connection, Caps(large=CLIPS)).clip_ids == naive_page(connection, query)


@pytest.mark.parametrize("narrower", NARROWER)
@pytest.mark.parametrize("source", [*RARE, "ego.jerk.max > 1"])
def test_it_is_searched_for_beside_what_few_clips_have(connection: Connection, source: str, narrower: str) -> None:
    done = explained(connection, f"({source}) AND {narrower}", "-ego.jerk.max")
    assert done.steps == ["collect"]
    assert done.visited < BOUND, done


@pytest.mark.parametrize("source", DENSE)
def test_what_many_clips_meet_is_searched_for_and_visits_few_rows(connection: Connection, source: str) -> None:
    done = explained(connection, source)
    assert done.steps[0] == "walk 50"
    assert done.visited < BOUND, done


def test_the_last_page_is_not_refused_when_the_first_one_was_not(connection: Connection) -> None:
    query = ClipQuery.parse(filter_source="NOT tag = 'highway'", limit=1000)
    found: list[str] = []
    while True:
        page = query.page_of(connection, CAPS)
        found += page.clip_ids
        if page.next is None:
            break
        query = ClipQuery.parse(filter_source="NOT tag = 'highway'", limit=1000, token=page.next)
    assert found == naive_page(connection, ClipQuery.parse(filter_source="NOT tag = 'highway'"), limit=CLIPS)


@pytest.mark.parametrize(
    ("source", "sortby"),
    [("ego.jerk.max > 1", "-recorded"), ("NOT tag = 'rain' AND ego.jerk.max > 1", "-recorded"), ("", "-ego.jerk.max")],
)
def test_a_signal_that_is_not_indexed_is_refused_in_a_large_catalog_and_searched_in_a_small_one(
    connection: Connection, source: str, sortby: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        explained(connection, source, sortby)
    assert "`ego.jerk.max` is not declared `indexed`" in str(refused.value)
    assert "add a time, a vehicle or a trigger" in refused.value.remedy
    query = ClipQuery.parse(filter_source=source or None, sortby=sortby)
    assert query.page_of(connection, Caps(large=CLIPS)).clip_ids


def test_a_signal_that_is_not_indexed_is_refused_beside_a_time_that_many_clips_have_if_few_meet_it(
    connection: Connection,
) -> None:
    assert explained(connection, "ego.jerk.max > 1 AND start > DATE('2020-01-01')").ids
    with pytest.raises(InvalidInput, match=r"`ego\.jerk\.max` is not declared `indexed`"):
        explained(connection, "ego.jerk.max > 44.99 AND start > DATE('2020-01-01')")


WITHOUT_INDEX = (
    "state",
    "digest",
    "-duplicate_of",
    "-trigger",
    "fire_time",
    "inclusion_probability",
    "-tag",
    "label",
    "vehicle.region",
)


@pytest.mark.parametrize("sortby", WITHOUT_INDEX)
def test_an_order_that_no_index_has_is_refused_in_a_large_catalog_and_sorts_a_small_one(
    connection: Connection, sortby: str
) -> None:
    for source in ("", "tag = 'rain'"):
        with pytest.raises(InvalidInput) as refused:
            explained(connection, source, sortby)
        assert str(refused.value).startswith(f"no index has the clips in the order of `{asked_for(sortby)}`")
        assert "add a time, a vehicle or a trigger that few clips have; or sort by `recorded`" in refused.value.remedy
    query = ClipQuery.parse(sortby=sortby)
    assert query.page_of(connection, Caps(large=CLIPS)).clip_ids == naive_page(connection, query)


def test_an_order_is_what_is_refused_beside_a_signal_that_would_do(connection: Connection) -> None:
    with pytest.raises(InvalidInput, match="in the order of `trigger`"):
        explained(connection, "vehicle.region = 'EU' AND ego.jerk.max > 1", "trigger")


@pytest.mark.parametrize("narrower", NARROWER)
@pytest.mark.parametrize("sortby", WITHOUT_INDEX)
def test_it_sorts_the_few_clips_of_a_filter(connection: Connection, sortby: str, narrower: str) -> None:
    done = explained(connection, narrower, sortby)
    assert done.steps == ["collect"]
    assert done.visited < BOUND, done
    assert done.ids == naive_page(connection, ClipQuery.parse(filter_source=narrower, sortby=sortby), len(done.ids))


def asked_for(sortby: str) -> str:
    return ClipQuery.parse(sortby=sortby).order.by.name
