"""Random filters find what an independent evaluator finds, as JSON and as text, and however they are turned around."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert

from storage.clips.cql2 import Language, parse_filter
from storage.clips.cql2.parsing import ARRAY_OPERATORS
from storage.clips.plan import Caps
from storage.clips.query import ClipQuery
from storage.clips.search import search
from storage.tables import indexed_signals
from tests.storage.clips.catalog_support import T_NS, add_clip, add_labels
from tests.storage.clips.cql2.oracle import DAY_NS, MIRRORED, Fire, Record, holds
from tests.support.servers.database import migrated_database
from triggers.clips.clock import IMPLAUSIBLE
from triggers.times import format_time

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WORDS = ["a", "b", "a_b", "a%", "B", "it's", "\u00e1", "\u00c1b"]
FIRST_NS = T_NS // DAY_NS * DAY_NS
NUMBERS = [0, 1, -1, 2.5, 3, 0.1, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 1e308, 1e-300, 5e-324, 12345678901234567890]
TIMES_NS = [FIRST_NS + day * DAY_NS + ns for day in (0, 1, 2, 9) for ns in (-1000, 0, 1000, DAY_NS // 2)]
LONGITUDES = [-180, -179, -90, 0, 11, 12, 90, 179, 180]
LATITUDES = [-90, -44, 0, 48, 49, 90]


def record(chance: random.Random) -> Record:
    """A random clip in which much is missing."""
    start_ns = chance.choice(TIMES_NS)
    # Most clips are stored on their day, so that days say something, and some have a wrong clock.
    stored_ns = chance.choice([start_ns, start_ns, start_ns + 1000, chance.choice(TIMES_NS)]) // 1000 * 1000
    wrong_clock = (IMPLAUSIBLE,) if chance.random() < 0.1 else ()
    south, north = sorted(chance.choices(LATITUDES, k=2))
    low, mean, high = sorted(chance.choice([0.1, -3.5, 2.5, 1e300, 2.0**53, 5e-324]) for _ in range(3))
    attributes = {
        name: chance.choice(["a", "B", "3", 3, 2.5, 2**53 + 1, 1e308, True, False])
        for name in ("model", "code")
        if chance.random() < 0.6
    }
    return Record(
        vehicle=chance.choice(["car-1", "car-2"]),
        state=chance.choice(["stored", "ready", "damaged"]),
        damage=chance.choice([None, *WORDS]),
        start_ns=start_ns,
        end_ns=start_ns + chance.choice([0, 10**9, DAY_NS]),
        size_bytes=chance.choice([1, 3, 2**53, 2**53 + 1, 2**63 - 1]),
        stored_ns=stored_ns,
        ready_ns=chance.choice([None, stored_ns, stored_ns + 10**9, chance.choice(TIMES_NS)]),
        expires_ns=chance.choice([None, stored_ns + 9 * DAY_NS, chance.choice(TIMES_NS)]),
        attributes=attributes,
        speed=None if chance.random() < 0.4 else (low, high, mean),
        box=None if chance.random() < 0.3 else (chance.choice(LONGITUDES), south, chance.choice(LONGITUDES), north),
        fires=tuple(
            Fire(chance.choice(["a", "b"]), chance.choice(WORDS), start_ns)
            for _ in range(chance.choice([0, 1, 1, 2, 3]))
        ),
        tags=(*chance.sample(WORDS, chance.choice([0, 1, 2])), *wrong_clock),
        labels=tuple(chance.sample(WORDS, chance.choice([0, 1, 2]))),
    )


def moment(t_ns: int | None) -> datetime | None:
    return None if t_ns is None else EPOCH + timedelta(microseconds=t_ns // 1000)


class Catalog:
    """The same clips in PostgreSQL and as records."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.records: dict[str, Record] = {}

    def add(self, clip: Record) -> None:
        clip_id = add_clip(
            self.connection,
            vehicle_id=clip.vehicle,
            start_ns=clip.start_ns,
            end_ns=clip.end_ns,
            fired=[(fire.campaign, fire.trigger) for fire in clip.fires],
            statistics=clip.speed and {"ego.speed": clip.speed},
            box=clip.box,
            state=clip.state,
            damage=clip.damage,
            size_bytes=clip.size_bytes,
            stored_at=moment(clip.stored_ns),
            ready_at=moment(clip.ready_ns),
            expires_at=moment(clip.expires_ns),
            attributes=clip.attributes,
            tags=list(clip.tags),
        )
        if clip.labels:
            add_labels(self.connection, clip_id, *clip.labels)
        self.records[clip_id] = clip

    def find(self, source: str, language: Language, caps: Caps | None = None, sortby: str = "-recorded") -> list[str]:
        query = ClipQuery.parse(filter_source=source, language=language, limit=1000, sortby=sortby)
        return [clip.id for clip in search(self.connection, query, caps=caps).clips]

    def expected(self, tree: Any) -> set[str]:
        return {clip_id for clip_id, clip in self.records.items() if holds(tree, clip) is True}


@pytest.fixture(scope="module")
def catalog(postgres_url: str, migrated: str) -> Iterator[Catalog]:
    chance = random.Random(20261128)
    with migrated_database(postgres_url, migrated) as database, database.begin() as connection:
        clips = Catalog(connection)
        connection.execute(insert(indexed_signals).values(signal="ego.speed", complete=True))
        for _ in range(60):
            clips.add(record(chance))
        yield clips


def prop(name: str) -> dict[str, str]:
    return {"property": name}


def operation(name: str, *args: Any) -> dict[str, Any]:
    return {"op": name, "args": list(args)}


COMPARISONS = st.sampled_from(list(MIRRORED))
EQUALITIES = st.sampled_from(["=", "<>"])
NUMBER = (
    st.sampled_from(NUMBERS)
    | st.integers(-4, 4)
    | st.sampled_from(TIMES_NS)
    | st.sampled_from([t + 1 for t in TIMES_NS])
)
NUMERIC = st.sampled_from(
    ["start_ns", "size_bytes", "ego.speed.min", "ego.speed.max", "ego.speed.samples", "version", "fire_time_ns"]
).map(prop)
TEXTUAL = st.sampled_from(["vehicle", "damage", "campaign", "trigger", "tag", "label"]).map(prop)
TEXT = st.sampled_from([*WORDS, "car-1", "A"])
ATTRIBUTE = st.sampled_from(["vehicle.model", "vehicle.code"]).map(prop)
TIME = st.sampled_from(["start", "ready_at", "fire_time", "stored_at", "expires_at"]).map(prop)
INSTANT = st.sampled_from(TIMES_NS).map(lambda t_ns: {"timestamp_ns": t_ns})
DAY = st.sampled_from(["2026-01-04", "2026-01-05", "2026-01-06"]).map(lambda day: {"date": day})
MOMENT = INSTANT | DAY
BBOX = st.tuples(
    st.sampled_from(LONGITUDES), st.sampled_from(LATITUDES), st.sampled_from(LONGITUDES), st.sampled_from(LATITUDES)
)
SHAPE = BBOX.map(lambda box: {"bbox": [box[0], min(box[1], box[3]), box[2], max(box[1], box[3])]})
INTERVAL = st.tuples(st.just(prop("ready_at")) | st.just(prop("start")), st.just(prop("start"))).map(
    lambda ends: {"interval": list(ends)}
)


SETS = st.sampled_from(["tags", "labels"]).map(prop) | st.lists(TEXT | st.sampled_from([1, True]), max_size=3)


def either_way(comparison: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from([comparison, mirrored(comparison)])


COMPARISON = st.one_of(
    st.builds(operation, COMPARISONS, NUMERIC, NUMBER),
    st.builds(operation, EQUALITIES, TEXTUAL, TEXT),
    st.builds(operation, EQUALITIES, st.just(prop("damage")), TEXTUAL),
    st.builds(operation, EQUALITIES, ATTRIBUTE, TEXT | NUMBER | st.booleans()),
    st.builds(operation, st.sampled_from(["<", "<=", ">", ">="]), ATTRIBUTE, NUMBER),
    st.builds(operation, EQUALITIES, ATTRIBUTE, st.sampled_from(["damage", "vehicle", "size_bytes"]).map(prop)),
    st.builds(operation, COMPARISONS, ATTRIBUTE, ATTRIBUTE),
    st.builds(operation, COMPARISONS, TIME, MOMENT),
    st.builds(operation, COMPARISONS, st.just(prop("ready_at")), TIME),
    st.builds(
        operation, EQUALITIES, TEXTUAL.map(lambda p: operation("casei", p)), TEXT.map(lambda t: operation("casei", t))
    ),
    st.builds(
        lambda name, asked, text: operation(name, operation("accenti", asked), operation("accenti", text)),
        EQUALITIES,
        TEXTUAL | ATTRIBUTE | TEXTUAL.map(lambda p: operation("casei", p)),
        TEXT,
    ),
).flatmap(either_way)
LEAF = st.one_of(
    COMPARISON,
    st.booleans(),
    ATTRIBUTE,
    st.builds(operation, st.just("isNull"), TEXTUAL | NUMERIC | ATTRIBUTE | TIME | st.just(prop("box"))),
    st.builds(operation, st.just("between"), NUMERIC | ATTRIBUTE, NUMBER, NUMBER),
    st.builds(operation, st.just("between"), TIME, MOMENT, MOMENT),
    st.builds(operation, st.just("in"), NUMERIC | ATTRIBUTE, st.lists(NUMBER, min_size=1, max_size=3)),
    st.builds(operation, st.just("in"), TEXTUAL | ATTRIBUTE, st.lists(TEXT, min_size=1, max_size=3)),
    st.builds(operation, st.just("in"), ATTRIBUTE, st.lists(TEXT | NUMBER, min_size=1, max_size=3)),
    st.builds(operation, st.just("in"), TIME, st.lists(MOMENT, min_size=1, max_size=3)),
    st.builds(
        operation, st.just("like"), TEXTUAL | ATTRIBUTE, st.sampled_from(["a%", "%", "_", "a\\_b", "a\\%", "car-_"])
    ),
    st.builds(operation, st.sampled_from(["s_intersects", "s_disjoint", "s_within"]), st.just(prop("box")), SHAPE),
    st.builds(operation, st.sampled_from(ARRAY_OPERATORS), SETS, st.sampled_from(["tags", "labels"]).map(prop)),
    st.builds(operation, st.sampled_from(ARRAY_OPERATORS), st.sampled_from(["tags", "labels"]).map(prop), SETS),
    st.builds(
        operation,
        st.sampled_from(["t_intersects", "t_disjoint", "t_before", "t_after", "t_during"]),
        st.just(prop("time")) | TIME | INTERVAL,
        MOMENT,
    ),
)
ABOUT_FIRES = st.one_of(
    st.builds(operation, EQUALITIES, st.sampled_from(["campaign", "trigger"]).map(prop), TEXT),
    st.builds(operation, COMPARISONS, st.just(prop("fire_time")), MOMENT | st.just(prop("ready_at"))),
)


def combined(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.builds(
            lambda name, args: operation(name, *args),
            st.sampled_from(["and", "or"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
        st.builds(operation, st.just("not"), inner),
    )


WITHIN_A_FIRE = st.builds(
    lambda about, other, name: operation("fire", operation(name, about, other)),
    ABOUT_FIRES,
    st.recursive(LEAF, combined, max_leaves=3),
    st.sampled_from(["and", "or"]),
)
FILTER = st.recursive(LEAF | WITHIN_A_FIRE, combined, max_leaves=6)


def mirrored(node: Any) -> Any:
    """Every comparison read from right to left."""
    if isinstance(node, list):
        return [mirrored(item) for item in node]
    if not isinstance(node, dict) or "op" not in node:
        return node
    if node["op"] in MIRRORED:
        return operation(MIRRORED[node["op"]], *reversed(node["args"]))
    return operation(node["op"], *mirrored(node["args"]))


def turned(node: Any) -> Any:
    """The members of every conjunction and disjunction in the opposite order and nested, and NOT NOT before each."""
    if isinstance(node, bool) or node.get("op") not in ("and", "or", "not", "fire"):
        return operation("not", operation("not", node))
    args = [turned(arg) for arg in reversed(node["args"])]
    if node["op"] in ("and", "or") and len(args) == 3:
        args = [args[0], operation(node["op"], *args[1:])]
    return operation("not", operation("not", operation(node["op"], *args)))


def as_json(node: Any) -> Any:
    """The tree with times as CQL2 has them."""
    if isinstance(node, list):
        return [as_json(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "timestamp_ns" in node:
        return {"timestamp": format_time(node["timestamp_ns"])}
    return {name: as_json(value) for name, value in node.items()}


def as_text(node: Any) -> str:
    """The tree as CQL2 text."""
    if isinstance(node, bool):
        return str(node).upper()
    if isinstance(node, str):
        return "'" + node.replace("'", "''") + "'"
    if not isinstance(node, dict):
        return f"({', '.join(map(as_text, node))})" if isinstance(node, list) else repr(node)
    for name in ("date", "timestamp", "interval", "bbox"):
        if name in node:
            return f"{name}({', '.join(map(as_text, node[name] if isinstance(node[name], list) else [node[name]]))})"
    return node["property"] if "property" in node else _operation_text(node["op"], node["args"])


def _operation_text(name: str, args: list[Any]) -> str:
    if name == "in":
        return f"{as_text(args[0])} IN ({', '.join(map(as_text, args[1]))})"
    texts = [as_text(arg) for arg in args]
    if name in ("and", "or"):
        return "(" + f" {name} ".join(texts) + ")"
    patterns = {
        "not": "(NOT {0})",
        "isNull": "{0} IS NULL",
        "between": "{0} BETWEEN {1} AND {2}",
        "like": "{0} LIKE {1}",
    }
    if name in patterns:
        return patterns[name].format(*texts)
    return f"{texts[0]} {name} {texts[1]}" if name in MIRRORED else f"{name}({', '.join(texts)})"


@settings(max_examples=150)
@given(FILTER)
def test_a_filter_finds_what_its_meaning_says(catalog: Catalog, tree: Any) -> None:
    expected = catalog.expected(tree)
    source = as_json(tree)
    assert set(catalog.find(json.dumps(source), "cql2-json")) == expected
    assert set(catalog.find(as_text(source), "cql2-text")) == expected


CAPS = [
    Caps(collected=0, visited=0, glanced=1, walked=1),
    Caps(collected=3, visited=1, glanced=2, walked=10),
    Caps(collected=10_000, visited=0, glanced=1),
    Caps(collected=0, visited=0, glanced=10_000),
    Caps(collected=5, visited=2, glanced=20, walked=20),
]
"""With these, catalogs of 60 clips are searched in every way that large ones are."""


SORTS = [
    *("recorded", "start", "end", "stored_at", "ready_at", "expires_at"),
    *("size_bytes", "ego.speed.max", "vehicle", "duration_s"),
]


@settings(max_examples=300)
@given(
    FILTER,
    st.sampled_from(CAPS),
    st.sampled_from(SORTS),
    st.sampled_from(["", "-"]),
)
def test_whichever_way_a_page_is_found_it_is_the_same(
    catalog: Catalog, tree: Any, caps: Caps, sortby: str, sign: str
) -> None:
    source = json.dumps(as_json(tree))
    everything = catalog.find("TRUE", "cql2-text", sortby=sign + sortby)
    expected = catalog.expected(tree)
    found = catalog.find(source, "cql2-json", caps, sign + sortby)
    assert found == [clip_id for clip_id in everything if clip_id in expected]


@settings(max_examples=100)
@given(FILTER)
def test_neither_order_nor_nesting_nor_double_negation_changes_what_is_found(catalog: Catalog, tree: Any) -> None:
    expected = catalog.expected(tree)
    assert set(catalog.find(json.dumps(as_json(turned(tree))), "cql2-json")) == expected


@settings(max_examples=100)
@given(COMPARISON)
def test_a_comparison_says_the_same_from_right_to_left(catalog: Catalog, comparison: Any) -> None:
    forwards, backwards = (json.dumps(as_json(tree)) for tree in (comparison, mirrored(comparison)))
    assert catalog.find(forwards, "cql2-json") == catalog.find(backwards, "cql2-json")


def test_the_random_clips_tell_the_truth_values_apart(catalog: Catalog) -> None:
    """Otherwise the tests above would compare nothing with nothing."""
    for name in ("vehicle.model", "vehicle.code", "damage", "ego.speed.max", "box", "ready_at", "tag", "trigger"):
        missing = catalog.expected(operation("isNull", prop(name)))
        assert 3 < len(missing) < 57, name
        parse_filter(f"{name} IS NULL", "cql2-text")
