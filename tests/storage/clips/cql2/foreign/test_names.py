"""Filters of others: names are translated, and a condition on a name that nothing has is unknown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.clips.cql2 import parse_filter
from storage.clips.cql2.foreign import translated
from triggers.errors import InvalidInput

NAMES = {"platform": "vehicle", "yes": "yes", "no": "no"}.get
TRUTH = {"yes": True, "no": False}
LEAVES = st.sampled_from(["yes", "no", "absent"]).map(lambda name: {"op": "=", "args": [{"property": name}, 1]})
PREDICATES = st.recursive(
    LEAVES | st.booleans() | st.just({"op": "isNull", "args": [{"property": "absent"}]}),
    lambda inner: (
        st.builds(
            lambda name, members: {"op": name, "args": members},
            st.sampled_from(["and", "or"]),
            st.lists(inner, min_size=1, max_size=3),
        )
        | inner.map(lambda member: {"op": "not", "args": [member]})
    ),
    max_leaves=12,
)


def truth(node: Any) -> bool | None:
    """Kleene's logic, naively: None is unknown."""
    if isinstance(node, bool):
        return node
    match node["op"]:
        case "=":
            return TRUTH.get(node["args"][0]["property"])
        case "isNull":
            return True
        case "not":
            inner = truth(node["args"][0])
            return None if inner is None else not inner
    members = [truth(member) for member in node["args"]]
    decisive = node["op"] == "or"
    if decisive in members:
        return decisive
    return None if None in members else not decisive


def names_in(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["property"]} if "property" in node else set()
        return own.union(*(names_in(value) for value in node.values()))
    return set().union(*map(names_in, node)) if isinstance(node, list) else set()


@given(PREDICATES)
def test_a_filter_without_its_unknown_names_is_true_of_the_same(predicate: Any) -> None:
    changed = translated(predicate, NAMES)
    assert (truth(changed) is True) == (truth(predicate) is True)
    assert "absent" not in names_in(changed)


@pytest.mark.parametrize(
    ("source", "meant"),
    [
        ("platform = 'car-1'", "vehicle = 'car-1'"),
        ("CASEI(platform) LIKE CASEI('CAR%')", "CASEI(vehicle) LIKE CASEI('CAR%')"),
        ("eo:cloud_cover < 10", "FALSE"),
        ("NOT eo:cloud_cover < 10", "FALSE"),
        ("NOT (eo:cloud_cover < 10 OR platform = 'a')", "FALSE"),
        ("NOT (eo:cloud_cover < 10 AND platform = 'a')", "NOT vehicle = 'a'"),
        ("eo:cloud_cover IS NULL", "TRUE"),
        ("eo:cloud_cover IS NOT NULL", "FALSE"),
        ("eo:cloud_cover NOT BETWEEN 1 AND 2 OR platform IN ('a', 'b')", "vehicle IN ('a', 'b')"),
        ("mission NOT LIKE 'sentinel%'", "FALSE"),
        ("FIRE(mission = 'a')", "FALSE"),
        ("S_INTERSECTS(footprint, POINT(1 2))", "FALSE"),
        ("updated > TIMESTAMP('2026-01-05T12:00:00Z')", "FALSE"),
        ("updated IN (DATE('2026-01-05'), DATE('2026-01-06'))", "FALSE"),
        ("distance(footprint, POINT(1 2)) < 5", "FALSE"),
        ("eo:snow AND eo:cloud_cover / 2 > gsd", "FALSE"),
        ("A_OVERLAPS(instruments, ('a', 'b'))", "FALSE"),
        ("in_unit(wind, 'km/h') > 3", "FALSE"),
        ("T_INTERSECTS(INTERVAL(from, until), DATE('2026-01-05'))", "FALSE"),
        ("T_AFTER(updated, TIMESTAMP('2026-01-05T12:00:00Z'))", "FALSE"),
    ],
)
def test_a_filter_of_others_means_the_same_as_one_of_ours(source: str, meant: str) -> None:
    def names(name: str) -> str | None:
        return {"platform": "vehicle"}.get(name)

    assert parse_filter(source, "cql2-text", names=names).tree == parse_filter(meant, "cql2-text").tree


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("foo = 1 AND bar(2)", "unknown operator in the filter: 'bar' (line 1, column 13)"),
        ("foo = 1 AND vehicle = 5", "5 is a number"),
        ("NOT (vehicle LIKE 5 OR foo = 1)", "5 is a number"),
        ("foo LIKE 5", "5 is a number"),
        ("foo > DATE('x')", "invalid time in the filter: 'x'"),
        ("S_INTERSECTS(foo, POINT(900 900))", "invalid position"),
        ("S_INTERSECTS(foo, POLYGON((0 0, 1 1, 1 0, 0 1, 0 0)))", "crosses itself"),
        ("A_CONTAINS(foo, 'a')", "is not a set"),
        ("T_AFTER(foo, 'soon')", "invalid time in the filter: 'soon'"),
        ("foo + 'a' = 3", "'a' is a text"),
    ],
)
def test_a_name_that_nothing_has_excuses_no_mistake(source: str, says: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_filter(source, "cql2-text", names=lambda name: "vehicle" if name == "vehicle" else None)
    assert says in refused.value.message


@pytest.mark.parametrize(
    "node", ['{"op": "=", "args": [%s]}', '{"op": "bogus", "args": [%s]}', '{"op": "not", "args": [%s, %s]}']
)
def test_neither_does_it_in_json(node: str) -> None:
    with pytest.raises(InvalidInput):
        parse_filter(node.replace("%s", '{"property": "foo"}'), "cql2-json", names=lambda _: None)


def test_between_may_have_its_bounds_in_a_list_as_drafts_of_the_standard_had_it() -> None:
    drafted = '{"op": "between", "args": [{"property": "size_bytes"}, [1, 2]]}'
    meant = parse_filter("size_bytes BETWEEN 1 AND 2", "cql2-text")
    assert parse_filter(drafted, "cql2-json", names=lambda name: name).tree == meant.tree
    with pytest.raises(InvalidInput, match="between takes 3 arguments"):
        parse_filter(drafted, "cql2-json")


def test_a_mistake_is_at_its_place_in_the_source_of_others() -> None:
    with pytest.raises(InvalidInput, match=r"cannot be compared .*\(line 1, column \d+\)|\(line 1"):
        parse_filter("TRUE AND platform > 3", "cql2-text", names={"platform": "vehicle"}.get)


@pytest.mark.parametrize("source", ["{}", '{"op": "and", "args": []}', '{"op": "not", "args": [1]}', "[]", "null"])
def test_what_is_not_a_filter_is_refused_as_one_of_ours(source: str) -> None:
    with pytest.raises(InvalidInput):
        parse_filter(source, "cql2-json", names=lambda _name: None)
