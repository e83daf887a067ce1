"""Times of a filter before and after all that a clip can have, the years 1677 to 2262, mean what they say."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection

from storage.clips.cql2.moments import HIGHEST_NS, LOWEST_NS
from storage.clips.query import ClipQuery
from storage.clips.search import search
from tests.storage.clips.catalog_support import add_clip
from tests.storage.clips.cql2.oracle import Record, holds
from tests.support.servers.database import migrated_database
from triggers.times import format_time

SPANS = [
    (LOWEST_NS, LOWEST_NS),
    (LOWEST_NS, LOWEST_NS + 10**9),
    (LOWEST_NS + 1, LOWEST_NS + 1),
    (0, 10**9),
    (HIGHEST_NS - 1, HIGHEST_NS - 1),
    (HIGHEST_NS - 10**9, HIGHEST_NS),
    (HIGHEST_NS, HIGHEST_NS),
]
DAYS = ["0001-01-01", "1677-09-20", "1677-09-21", "1677-09-22", "2262-04-10", "2262-04-11", "2262-04-12", "9999-12-31"]
INSTANTS_NS = [LOWEST_NS - 1, LOWEST_NS, LOWEST_NS + 1, HIGHEST_NS - 1, HIGHEST_NS, HIGHEST_NS + 1]
LITERALS: list[dict[str, Any]] = [{"date": day} for day in DAYS] + [{"timestamp_ns": t_ns} for t_ns in INSTANTS_NS]
SINCE_EVER, FOR_EVER = {"timestamp_ns": -(10**20)}, {"timestamp_ns": 10**20}
START, TIME = {"property": "start"}, {"property": "time"}
ORDERED = [LITERALS[0], LITERALS[8], LITERALS[3], LITERALS[5], LITERALS[13], LITERALS[7]]
RELATIONS = ["t_intersects", "t_disjoint", "t_before", "t_after", "t_during"]


@pytest.fixture(scope="module")
def catalog(postgres_url: str, migrated: str) -> Iterator[tuple[Connection, dict[str, Record]]]:
    one = Record("car-1", "ready", None, 0, 0, 1, 0, None, None, {}, None, None)
    with migrated_database(postgres_url, migrated) as database, database.begin() as connection:
        clips = {
            add_clip(connection, start_ns=start_ns, end_ns=end_ns): replace(one, start_ns=start_ns, end_ns=end_ns)
            for start_ns, end_ns in SPANS
        }
        yield connection, clips


def asked(node: Any) -> Any:
    """A filter of the oracle as CQL2 JSON."""
    if isinstance(node, list):
        return [asked(each) for each in node]
    if not isinstance(node, dict):
        return node
    if "interval" in node:
        return {"interval": [end_of(end) for end in node["interval"]]}
    if "timestamp_ns" in node:
        return {"timestamp": format_time(node["timestamp_ns"])}
    return {name: asked(value) for name, value in node.items()}


def end_of(node: dict[str, Any]) -> str:
    """An end of an interval as CQL2 JSON."""
    if node in (SINCE_EVER, FOR_EVER):
        return ".."
    return str(node["date"]) if "date" in node else format_time(node["timestamp_ns"])


def found(connection: Connection, tree: Any) -> set[str]:
    query = ClipQuery.parse(filter_source=json.dumps(tree), language="cql2-json")
    return {clip.id for clip in search(connection, query).clips}


def filters() -> Iterator[dict[str, Any]]:
    for name, literal in itertools.product(["=", "<>", "<", "<=", ">", ">="], LITERALS):
        yield {"op": name, "args": [START, literal]}
        yield {"op": name, "args": [literal, START]}
    intervals = [{"interval": list(ends)} for ends in itertools.combinations([*ORDERED, FOR_EVER], 2)]
    intervals += [{"interval": [SINCE_EVER, literal]} for literal in (*LITERALS, FOR_EVER)]
    for name, literal in itertools.product(RELATIONS, [*LITERALS, *intervals]):
        yield {"op": name, "args": [TIME, literal]}


def test_clips_at_the_ends_of_time_are_found_as_others_are(catalog: tuple[Connection, dict[str, Record]]) -> None:
    connection, clips = catalog
    for node in filters():
        expected = {clip_id for clip_id, clip in clips.items() if holds(node, clip)}
        assert found(connection, asked(node)) == expected, node
        assert found(connection, {"op": "not", "args": [asked(node)]}) == clips.keys() - expected, node
