"""Plans that PostgreSQL keeps: made for some values, they find the same and visit as few rows for all others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import Connection, text

from bench.search.made import FIRST_NS, SPAN_NS, place_with
from bench.search.timed import naive_page
from storage.clips.cql2 import parse_filter
from storage.clips.order import Order
from storage.clips.plan import find_page
from storage.clips.query import ClipQuery, Page
from storage.database import Database
from storage.statements.parameters import set_local
from tests.storage.clips.plan.explained import CAPS, CLIPS
from tests.support.statements import noted
from triggers.times import format_time

pytestmark = pytest.mark.integration

LIMIT = 20
ALWAYS = (0.0, 1.0)
EVERYWHERE = {"west": -180.0, "south": -90.0, "east": 180.0, "north": 90.0}
READ = text("SELECT sum(seq_tup_read), sum(idx_tup_fetch) FROM pg_stat_xact_user_tables WHERE relname = 'clips'")


def asked(box: dict[str, float], span: tuple[float, float], sortby: str) -> ClipQuery:
    """The clips in a box and in a part of the time that the catalog has."""
    interval = [format_time(FIRST_NS + int(SPAN_NS * share)) for share in span]
    members: list[dict[str, Any]] = [
        {"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": list(box.values())}]},
        {"op": "t_intersects", "args": [{"property": "time"}, {"interval": interval}]},
    ]
    source = json.dumps({"op": "and", "args": members})
    return ClipQuery(parse_filter(source, "cql2-json"), Order.parse(sortby), Page(LIMIT))


def found(connection: Connection, query: ClipQuery) -> list[str]:
    settings = query.first_settings()
    set_local(connection, settings)
    assert query.filter is not None
    page = find_page(connection, query.filter.tree, query.order, after=None, limit=LIMIT, caps=CAPS, set_to=settings)
    return [clip.clip_id for clip in page]


@pytest.mark.parametrize("sortby", ["-start", "recorded", "-id"])
def test_a_plan_serves_few_and_many_clips_whichever_it_was_made_for(catalog: Database, sortby: str) -> None:
    with catalog.begin() as connection:
        small, large = place_with(connection, 20), place_with(connection, 400)
    kinds = [(box, span) for box in (small, large, EVERYWHERE) for span in (ALWAYS, (0.5, 0.501), (0.2, 0.6))]
    for _ in range(7):  # the driver prepares a statement that it has been given five times
        for box, span in kinds:
            query = asked(box, span, sortby)
            with catalog.begin() as connection:
                expected = naive_page(connection, query)
            with catalog.begin() as connection:
                before = connection.execute(READ).one()
                assert found(connection, query) == expected
                after = connection.execute(READ).one()
            assert after[0] == before[0], "the table was read from beginning to end"
            assert (after[1] or 0) - (before[1] or 0) < CLIPS // 2


def test_plans_are_kept_for_places_and_times_alone(catalog: Database) -> None:
    place = "S_INTERSECTS(geometry, BBOX(11, 48, 12, 49))"
    for source, keeps in (
        (None, True),
        (place, True),
        (f"NOT {place} AND T_AFTER(time, TIMESTAMP('2026-01-05T12:00:00Z'))", True),
        (f"{place} AND vehicle = 'car-1'", False),
        ("tag = 'rain'", False),
    ):
        query = ClipQuery.parse(filter_source=source)
        assert (query.first_settings()["plan_cache_mode"] == "force_generic_plan") is keeps, source
    assert ClipQuery.parse(sortby="ego.speed.max").first_settings()["plan_cache_mode"] == "force_custom_plan"


def test_a_statement_with_a_value_in_an_expression_is_planned_for_it(catalog: Database) -> None:
    """Whatever a transaction was set to: an index of an expression is found for literals only."""
    query = ClipQuery.parse(filter_source="S_INTERSECTS(geometry, LINESTRING(11 48, 12 49))")
    with catalog.begin() as connection, noted(connection) as sent:
        found(connection, query)
    modes = [sql for sql, _ in sent if "force_custom_plan" in sql]
    assert len(modes) == 1, "set once, and not back for each statement"
