"""Facets of random filters over random clips are what counting in plain Python gives, property by property."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from storage.clips.cql2 import parse_filter
from storage.clips.facets import Asked, Bin, Facets, Spread, facets, newest, parse_by
from storage.database import Database
from tests.storage.clips.catalog_support import T_NS, add_clip
from tests.storage.clips.cql2.oracle import DAY_NS, Record
from tests.storage.clips.cql2.test_oracle import FILTER, Catalog, as_json, catalog
from triggers.errors import InvalidInput, Overloaded

__all__ = ["catalog"]

VALUES: dict[str, Callable[[Record], Iterable[Any]]] = {
    "vehicle": lambda clip: [clip.vehicle],
    "state": lambda clip: [clip.state],
    "damage": lambda clip: [] if clip.damage is None else [clip.damage],
    "campaign": lambda clip: {fire.campaign for fire in clip.fires},
    "trigger": lambda clip: {fire.trigger for fire in clip.fires},
    "version": lambda clip: {1 for _ in clip.fires},
    "tag": lambda clip: set(clip.tags),
    "label": lambda clip: set(clip.labels),
    "label_count": lambda clip: [1 if clip.labels else 0],
    "labeler": lambda clip: ["x"] if clip.labels else [],
    "vehicle.model": lambda clip: [clip.attributes["model"]] if "model" in clip.attributes else [],
    "vehicle.code": lambda clip: [clip.attributes["code"]] if "code" in clip.attributes else [],
    "size_bytes": lambda clip: [clip.size_bytes],
    "duration_s": lambda clip: [(clip.end_ns - clip.start_ns) / 1e9],
    "ego.speed.max": lambda clip: [clip.speed[1]] if clip.speed else [],
    "ego.speed.min": lambda clip: [clip.speed[0]] if clip.speed else [],
    "ego.speed.samples": lambda clip: [5] if clip.speed else [],
    "start": lambda clip: [clip.start_ns],
    "start_ns": lambda clip: [clip.start_ns],
    "fire_time": lambda clip: {fire.t_ns for fire in clip.fires},
    "ready_at": lambda clip: [] if clip.ready_ns is None else [clip.ready_ns // 1000 * 1000],
    "inclusion_probability": lambda clip: {1.0 for _ in clip.fires},
}
"""By property, the different values that a clip has of it."""
BY = st.lists(
    st.tuples(st.sampled_from(sorted(VALUES)), st.sampled_from([None, 1, 2, 7, 100])),
    min_size=1,
    max_size=5,
    unique_by=lambda item: item[0],
)


def written(item: tuple[str, int | None]) -> str:
    name, shown = item
    return name if shown is None else f"{name}:{shown}"


def kind(value: Any) -> tuple[str, Any]:
    """True is not 1, though Python says so; 3 and 3.0 are one number, as in filters."""
    return ("bool" if isinstance(value, bool) else "text" if isinstance(value, str) else "number", value)


def check_values(asked: Asked, spread: Spread, values: list[set[Any]]) -> None:
    expected = Counter(kind(value) for of_clip in values for value in of_clip)
    found = [(kind(each.value), each.clips) for each in spread.values]
    assert dict(found) == {value: expected[value] for value, _ in found}
    assert len(found) == min(asked.shown, len(expected)) and spread.distinct == len(expected)
    assert sorted((clips for _, clips in found), reverse=True) == [clips for _, clips in found]
    left_out = [clips for value, clips in expected.items() if value not in dict(found)]
    assert not left_out or max(left_out) <= found[-1][1]


def check_bins(asked: Asked, bins: tuple[Bin, ...], values: list[set[Any]]) -> None:
    assert len(bins) <= max(asked.shown, 2), "zero is always an edge"
    assert bool(bins) == any(values)
    assert all(one.below == other.at_least for one, other in pairwise(bins))
    for each in bins:
        inside = [of for of in values if any(each.at_least <= v and (each.below is None or v < each.below) for v in of)]
        assert each.clips == len(inside), each
    assert all(bins[0].at_least <= value for of in values for value in of)
    assert not bins or (bins[0].clips and bins[-1].clips), "bins begin and end where clips are"


def check(found: Facets, records: list[Record]) -> None:
    for asked, spread in found.spreads:
        values = [set(VALUES[asked.written.partition(":")[0]](clip)) for clip in records]
        assert spread.missing == sum(not of_clip for of_clip in values)
        if asked.in_bins:
            assert spread.values == ()
            check_bins(asked, spread.bins, values)
        else:
            assert spread.bins == ()
            check_values(asked, spread, values)


@settings(max_examples=120, deadline=None)
@given(tree=FILTER, by=BY)
def test_facets_count_what_plain_python_counts(catalog: Catalog, tree: Any, by: list[tuple[str, int | None]]) -> None:
    query = parse_filter(json.dumps(as_json(tree)), "cql2-json")
    found = facets(catalog.connection, query, parse_by(",".join(map(written, by))))
    expected = [catalog.records[clip_id] for clip_id in catalog.expected(tree)]
    assert (found.count.clips, found.count.exact, found.looked_at, found.capped) == (
        len(expected),
        True,
        len(expected),
        False,
    )
    check(found, expected)


@settings(max_examples=30, deadline=None)
@given(by=BY)
def test_of_more_clips_than_are_looked_at_the_newest_are_counted_and_that_is_said(
    catalog: Catalog, by: list[tuple[str, int | None]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(newest, "LOOKED_AT", 17)
        found = facets(catalog.connection, None, parse_by(",".join(map(written, by))))
    assert (found.looked_at, found.capped, found.count.clips) == (17, True, len(catalog.records))
    check(found, [catalog.records[clip_id] for clip_id in catalog.find("TRUE", "cql2-text")[:17]])


@settings(max_examples=60, deadline=None)
@given(tree=FILTER, by=BY, at_most=st.integers(1, 9))
def test_of_many_clips_of_a_filter_those_that_are_counted_are_the_newest_and_all_of_few(
    catalog: Catalog, tree: Any, by: list[tuple[str, int | None]], at_most: int
) -> None:
    query = parse_filter(json.dumps(as_json(tree)), "cql2-json")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(newest, "LOOKED_AT", at_most)
        found = facets(catalog.connection, query, parse_by(",".join(map(written, by))))
    met = catalog.expected(tree)
    expected = [catalog.records[clip_id] for clip_id in catalog.find("TRUE", "cql2-text") if clip_id in met]
    assert (found.count.clips, found.count.exact) == (len(expected), True)
    assert found.capped == (found.looked_at < len(expected))
    assert found.looked_at <= at_most and (found.looked_at == len(expected) or len(expected) > at_most)
    check(found, expected[: found.looked_at])


@pytest.fixture
def days(database: Database) -> Iterator[Database]:
    """Clips of three days, the second of them without any."""
    with database.begin() as connection:
        for day in (0, 2, 2):
            add_clip(connection, start_ns=T_NS // DAY_NS * DAY_NS + day * DAY_NS + DAY_NS // 2)
    yield database


def test_days_are_counted_in_utc_those_without_clips_too(days: Database) -> None:
    with days.begin() as connection:
        found = facets(connection, None, parse_by("day,start:week,start:month,start:year"))
    first = T_NS // DAY_NS * DAY_NS
    by_day, by_week, by_month, by_year = (spread.bins for _, spread in found.spreads)
    assert by_day == (
        Bin(first, first + DAY_NS, 1),
        Bin(first + DAY_NS, first + 2 * DAY_NS, 0),
        Bin(first + 2 * DAY_NS, first + 3 * DAY_NS, 2),
    )
    assert by_week == (Bin(first, first + 7 * DAY_NS, 3),), "2026-01-05 is a Monday"
    assert by_month == (Bin(first - 4 * DAY_NS, first + 27 * DAY_NS, 3),)
    assert by_year == (Bin(first - 4 * DAY_NS, first + 361 * DAY_NS, 3),)


def test_too_many_bins_are_refused_with_a_longer_step(days: Database) -> None:
    with days.begin() as connection, pytest.raises(InvalidInput, match="more than 1000 bins; count by minute"):
        facets(connection, None, parse_by("start:second"))


def test_a_converted_statistic_is_counted_in_its_unit(database: Database) -> None:
    with database.begin() as connection:
        for speed, unit in ((10.0, "m/s"), (36.0, "km/h"), (180.0, "km/h")):
            add_clip(connection, statistics={"ego.speed": (0.0, speed, 0.0)}, units={"ego.speed": unit})
        with pytest.raises(InvalidInput, match="state the unit: in_unit"):
            facets(connection, None, parse_by("ego.speed.max"))
        found = facets(connection, None, parse_by("in_unit(ego.speed.max, 'km/h'):3"))
    ((_, spread),) = found.spreads
    assert spread.bins == (Bin(0.0, 100.0, 2), Bin(100.0, 200.0, 1))


def test_names_that_no_clip_has_had_are_refused(database: Database) -> None:
    with database.begin() as connection:
        add_clip(connection, attributes={"model": "m3"}, statistics={"ego.speed": (0.0, 1.0, 0.5)})
        for by, remedy in (("vehicle.modle", "vehicle.model"), ("ego.sped.max", "ego.speed")):
            with pytest.raises(InvalidInput, match=f"did you mean {remedy}"):
                facets(connection, None, parse_by(by))


def test_facets_that_take_too_long_are_ended(database: Database) -> None:
    with database.begin() as connection:
        add_clip(connection)
    with database.begin() as other:
        other.execute(text("LOCK TABLE clips IN ACCESS EXCLUSIVE MODE"))
        with (
            database.begin() as connection,
            pytest.raises(Overloaded, match=r"the facets may take 0\.2 s, and took longer"),
        ):
            facets(connection, None, parse_by("state"), timeout_s=0.2)
