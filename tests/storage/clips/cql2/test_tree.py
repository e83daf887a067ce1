"""The tree of a filter: what its predicates are about."""

from __future__ import annotations

import pytest

from storage.clips.cql2 import parse_filter
from storage.clips.cql2.tree import In, Not, Or, Predicate, scopes


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
        ("TRUE", set()),
        ("fire(trigger = 'x' AND fire_time > start)", {"fire", None}),
        ("1 = 1", set()),
    ],
)
def test_a_predicate_is_about_what_its_properties_belong_to(source: str, about: set[str | None]) -> None:
    assert scopes(tree(source)) == about


def test_the_choices_of_an_attribute_may_be_of_several_types() -> None:
    assert isinstance(tree("vehicle.code IN ('3', '4')"), In)
    assert isinstance(tree("vehicle.code IN ('3', 4)"), Or)


def test_a_bare_attribute_means_that_it_is_true() -> None:
    assert tree("vehicle.towing") == tree("vehicle.towing = TRUE")
    assert tree("NOT vehicle.towing") == Not(tree("vehicle.towing = TRUE"))
