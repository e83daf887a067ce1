"""The parser of CQL2 text: the trees of another implementation, exact numbers, and mistakes with their place."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import cql2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.clips.cql2 import parse_filter
from storage.clips.cql2.nodes import Node, read_number
from storage.clips.cql2.text import parse
from triggers.errors import InvalidInput

NAMES = st.sampled_from(["a", "b.c", "ego.speed.max", "vehicle.model", '"a b"', "time"])
NUMBERS = st.sampled_from(["0", "1", "2.5", "1e3", "-4", "0.125"])
TEXTS = st.sampled_from(["'x'", "'it''s'", "''", "'a\\_%'", "'AND'"])
SCALARS = st.one_of(NAMES, NUMBERS, TEXTS, st.sampled_from(["DATE('2026-01-05')", "TIMESTAMP('2026-01-05T12:00:00Z')"]))
SHAPES = st.sampled_from(
    ["BBOX(1,-2,3,4)", "POINT(1 2)", "POLYGON((1 2, 3 4, 5 6.5, 1 2))", "MULTIPOLYGON(((1 2, 3 4, 5 6, 1 2)))"]
)
PREDICATES = st.one_of(
    st.builds("{} {} {}".format, SCALARS, st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), SCALARS),
    st.builds("{} {}LIKE {}".format, NAMES, st.sampled_from(["", "NOT "]), TEXTS),
    st.builds("{} {}BETWEEN {} AND {}".format, NAMES, st.sampled_from(["", "not "]), NUMBERS, NUMBERS),
    st.builds("{} {}IN ({}, {})".format, NAMES, st.sampled_from(["", "NOT "]), NUMBERS, TEXTS),
    st.builds("{} IS {}NULL".format, NAMES, st.sampled_from(["", "NOT "])),
    st.builds("S_INTERSECTS({}, {})".format, NAMES, SHAPES),
    st.builds("T_AFTER({}, INTERVAL('2026-01-05', '..'))".format, NAMES),
    st.builds("CASEI({}) = casei({})".format, NAMES, TEXTS),
    NAMES,
)
FILTERS = st.recursive(
    PREDICATES,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["AND", "or"]), inner),
        st.builds("{} {} {}".format, inner, st.sampled_from(["AND", "OR"]), PREDICATES),
        st.builds("NOT ({})".format, inner),
    ),
    max_leaves=5,
)


def flat(node: Any) -> Any:
    """The tree with nested conjunctions and disjunctions merged, as both parsers do in some cases only."""
    if isinstance(node, list):
        return [flat(item) for item in node]
    if not isinstance(node, dict):
        return node
    merged = {name: flat(value) for name, value in node.items()}
    if merged.get("op") in ("and", "or"):
        same = [
            arg["args"] if isinstance(arg, dict) and arg.get("op") == merged["op"] else [arg] for arg in merged["args"]
        ]
        merged["args"] = [arg for args in same for arg in args]
    return merged


@settings(max_examples=300)
@given(FILTERS)
def test_the_tree_is_that_of_another_parser(source: str) -> None:
    assert flat(json.loads(json.dumps(parse(source), default=float))) == flat(cql2.parse_text(source).to_json())


@given(st.integers(-(10**300), 10**300))
def test_integers_are_exact(number: int) -> None:
    assert parse(f"a = {number}")["args"][1] == number


@given(st.decimals(allow_nan=False, allow_infinity=False, places=20))
def test_decimals_are_exact(number: Decimal) -> None:
    assert read_number(str(number)) == number


@pytest.mark.parametrize("written", ["1e309", "1e999999999999", "9" * 400, "1e-400", "0." + "0" * 400 + "1"])
def test_numbers_that_no_property_can_have_are_refused_with_their_place(written: str) -> None:
    with pytest.raises(InvalidInput, match=r"any property can be.*line 1, column 14"):
        parse_filter(f"size_bytes < {written}", "cql2-text")
    with pytest.raises(InvalidInput, match="any property can be"):
        parse_filter(f'{{"op": "<", "args": [{{"property": "size_bytes"}}, {written}]}}', "cql2-json")


@pytest.mark.parametrize("written", ["0e999999999999", "1.7976931348623157e308", "5e-324", "0." + "1" * 5000])
def test_numbers_at_the_edge_of_a_double_are_understood(written: str) -> None:
    parse_filter(f"size_bytes < {written}", "cql2-text").where()


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("campaign == 'x'", "found = (line 1, column 11); write one = to compare"),
        ("campaign != 'x'", "unexpected character '!' (line 1, column 10); write <> for"),
        ("campaign = 'x", "unclosed quote (line 1, column 12); close the text"),
        ("campaign = \u2018x\u2019", "texts go in straight single quotes"),
        ("campaign = 'it's'", "a quote within it is written twice"),
        ('campaign = "wet"', 'clips have no property "wet" (line 1, column 12); double quotes are for names'),
        ("campaign = wet", "texts in single quotes: 'wet'"),
        ("ego.speed.max > 80 km/h", "numbers have no units in CQL2; state the unit of a statistic, like in_unit("),
        ("state = 'ready'\n  AND campain = 'x'", "no property 'campain' (line 2, column 7)"),
        ("state = 'ready' &&", "write AND"),
        ("(state = 'ready'", "expected `)`, found the end (line 1, column 17)"),
        ("state = 'ready' state = 'ready'", "expected AND, OR or the end, found state (line 1, column 17)"),
        ("1 < size_bytes < 5", "comparisons cannot be chained"),
        ("state NOT 'x'", "expected LIKE, BETWEEN or IN after NOT, found 'x'"),
        ("state IN 'ready'", "expected `(`, found 'ready' (line 1, column 10)"),
        ("state IS 'ready'", "expected `NULL`, found 'ready'"),
        ("size_bytes BETWEEN 1", "expected `AND`, found the end"),
        ("S_INTERSECTS(geometry, POINT(1, 2))", "longitude and latitude"),
        ("S_INTERSECTS(geometry, POINT('1' 2))", "expected a number, as in `11.5 48.1`, found '1'"),
        ("weather.wiper.max = 'fast'", "statistics of signals are numbers"),
        ("vehicle IN ('a', 3)", "3 is a number and cannot be compared with a text"),
        ("start = 1795386660955000001", "1795386660955000001 is a number and cannot be compared with a time"),
        ("in_unit(start_ns, 's') > 1", "`start_ns` cannot be converted to a unit"),
        ("in_unit(ego.speed.max, 'kmh') > 1", "did you mean km/h"),
        ("in_unit(ego.speed.max) > 1", "IN_UNIT takes a statistic and a unit"),
        ("fire(tag = 'x')", "FIRE(...) says nothing about a fire"),
        ("fire(fire(trigger = 'x'))", "FIRE(...) within FIRE(...)"),
        ("fires(trigger = 'x')", "did you mean fire"),
        ("T_DURING(start, INTERVAL('2026-01-06', '2026-01-05'))", "before it begins"),
        ("T_DURING(start, INTERVAL('2026-01-06'))", "does not have two ends (line 1, column 17)"),
        ("start = DATE('2026-01-05', '2026-01-06')", "invalid time"),
        ("casei(state)", "gives a value, not a condition"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_to_do(source: str, says: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_filter(source, "cql2-text")
    assert says in str(refused.value)
    assert refused.value.remedy


def test_a_mistake_in_json_is_told_with_its_path() -> None:
    tree = {"op": "and", "args": [True, {"op": "=", "args": [{"property": "campain"}, "x"]}]}
    with pytest.raises(InvalidInput, match=r"\(args\[1\]\.args\[0\]\)"):
        parse_filter(json.dumps(tree), "cql2-json")


@pytest.mark.parametrize(
    "source", ['{"op": "=", "op": "<>", "args": [1, 2]}', '{"op": "=", "args": [1, 2], "args": [3]}']
)
def test_a_member_that_is_there_twice_is_refused(source: str) -> None:
    with pytest.raises(InvalidInput, match="twice"):
        parse_filter(source, "cql2-json")


WORDS = [
    *"()=<>,+-*/^%'\"",
    *(
        [
            "AND",
            "OR",
            "NOT",
            "LIKE",
            "IN",
            "BETWEEN",
            "IS",
            "NULL",
            "TRUE",
            "DATE",
            "TIMESTAMP",
            "INTERVAL",
            "BBOX",
            "POINT",
            "POLYGON",
            "CASEI",
            "fire",
            "in_unit",
        ]
    ),
    *(
        [
            "state",
            "trigger",
            "tag",
            "geometry",
            "start",
            "time",
            "ego.speed.max",
            "vehicle.model",
            "'..'",
            "'x'",
            "1",
            "1e400",
            "99999999999999999999",
        ]
    ),
    *(["S_INTERSECTS", "T_AFTER", "<>", ">=", "'2026-01-05'", "11.5", "é", "😀", ";", "\\"]),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["x", "..", "2026-01-05", "state"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["op", "args", "property", "bbox", "type", "coordinates", "interval"]), inner),
        st.builds(
            lambda name, args: {"op": name, "args": args},
            st.sampled_from(["and", "not", "=", "in", "between", "like", "fire", "in_unit", "s_within", "t_after"]),
            st.lists(inner, max_size=3),
        ),
    ),
    max_leaves=12,
)


def refused_or_compiled(source: str, language: Any) -> None:
    try:
        parse_filter(source, language).where().compile()
    except InvalidInput as refused:
        assert refused.message and refused.remedy, refused


@settings(max_examples=500)
@given(st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join) | st.text(max_size=60))
def test_nonsense_in_text_is_refused_with_a_remedy(source: str) -> None:
    refused_or_compiled(source, "cql2-text")


@settings(max_examples=500)
@given(JSON)
def test_nonsense_in_json_is_refused_with_a_remedy(tree: Any) -> None:
    refused_or_compiled(json.dumps(tree), "cql2-json")


def test_nodes_know_their_place() -> None:
    node = parse("  state = 'ready'")
    assert isinstance(node, Node)
    assert (node.place, node["args"][0].place) == ("line 1, column 9", "line 1, column 3")
