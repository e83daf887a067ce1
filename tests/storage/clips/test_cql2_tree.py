"""The tree of a filter: what its predicates are about, and which of them share a fire."""

from __future__ import annotations

import pytest

from storage.clips.cql2 import parse_filter
from storage.clips.cql2.tree import And, In, Not, Or, Predicate, demand, is_about_one_fire, one_fire_each, scopes


def tree(source: str) -> Predicate:
    """The tree of a text."""
    return parse_filter(source, "cql2-text").tree


@pytest.mark.parametrize(
    ("source", "about"),
    [
        ("state = 'ready'", {None}),
        ("trigger = 'x'", {"fire"}),
        ("trigger = vehicle", {"fire", None}),
        ("tag = 'x' OR label = 'y'", {"tag", "label"}),
        ("T_INTERSECTS(INTERVAL(start, '..'), fire_time)", {"fire", None}),
        ("TRUE", {None}),
        ("1 = 1", set()),
    ],
)
def test_a_predicate_is_about_what_its_properties_belong_to(source: str, about: set[str | None]) -> None:
    assert scopes(tree(source)) == about


@pytest.mark.parametrize(
    ("source", "shared"),
    [
        ("trigger = 'x'", True),
        ("trigger = 'x' OR (campaign = 'y' AND version > 1)", True),
        ("trigger = 'x' OR state = 'ready'", False),
        ("trigger = 'x' OR TRUE", False),
        ("NOT trigger = 'x'", False),
        ("campaign IS NULL", False),
        ("trigger = vehicle", False),
    ],
)
def test_only_predicates_about_fires_alone_and_not_their_absence_share_one(source: str, shared: bool) -> None:
    assert is_about_one_fire(tree(source)) == shared


@pytest.mark.parametrize(
    ("source", "sizes"),
    [
        ("campaign = 'x' AND trigger = 'y'", [2]),
        ("campaign = 'x' AND campaign = 'x'", [2]),
        ("campaign = 'x' AND trigger = 'a' AND campaign = 'y' AND trigger = 'b'", [2, 2]),
        ("campaign = 'x' AND 'y' = campaign", [1, 1]),
        ("campaign = 'x' AND campaign <> 'y'", [2]),
        ("version = 1 AND version = 1.0", [2]),
        ("fire_time = DATE('2026-01-05') AND fire_time = TIMESTAMP('2026-01-05T12:00:00Z')", [2]),
        ("fire_time = DATE('2026-01-05') AND fire_time = DATE('2026-01-06')", [1, 1]),
        ("campaign = CASEI('X') AND campaign = 'y'", [2]),
    ],
)
def test_a_value_that_contradicts_an_earlier_one_begins_another_fire(source: str, sizes: list[int]) -> None:
    conjunction = tree(source)
    assert isinstance(conjunction, And)
    assert [len(group) for group in one_fire_each(conjunction.members)] == sizes


def test_conjunctions_within_a_conjunction_are_one_with_it() -> None:
    nested = tree("campaign = 'x' AND (trigger = 'y' AND (version = 1 AND state = 'ready'))")
    assert isinstance(nested, And)
    assert len(nested.members) == 4


def test_the_choices_of_an_attribute_may_be_of_several_types() -> None:
    assert isinstance(tree("vehicle.code IN ('3', '4')"), In)
    assert isinstance(tree("vehicle.code IN ('3', 4)"), Or)


def test_a_bare_attribute_means_that_it_is_true() -> None:
    assert tree("vehicle.towing") == tree("vehicle.towing = TRUE")
    assert tree("NOT vehicle.towing") == Not(tree("vehicle.towing = TRUE"))


def test_only_an_equality_with_a_literal_demands_a_value() -> None:
    assert demand(tree("trigger = 'x'")) == demand(tree("'x' = trigger"))
    for source in ("trigger <> 'x'", "trigger = campaign", "trigger LIKE 'x'", "trigger IN ('x')", "'x' = 'x'"):
        assert demand(tree(source)) is None
