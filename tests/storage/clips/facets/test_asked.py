"""What clips are counted by: how it is written, and what is said about mistakes."""

from __future__ import annotations

import doctest
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_api.cli.fleet.clips import facets
from storage.clips.facets import DEFAULT_BY, bins, parse_by
from storage.clips.facets.bins import MAX_BINS, STEPS, Step, float_edges, integer_edges, step_edges, time_edges
from triggers.errors import InvalidInput

INT64 = st.integers(-(2**63), 2**63 - 1)
SHOWN = st.integers(2, 100)


def test_properties_are_written_with_commas_and_colons() -> None:
    asked = parse_by("trigger, vehicle.model:20,in_unit(ego.speed.max, 'km/h'):5,recorded:week,day")
    assert [(each.about.name, each.shown, each.step) for each in asked] == [
        ("trigger", 10, None),
        ("vehicle.model", 20, None),
        ("in_unit(ego.speed.max, 'km/h')", 5, None),
        ("recorded", 20, "week"),
        ("recorded", 20, "day"),
    ]
    assert len(parse_by(DEFAULT_BY)) == 9


def test_names_with_other_characters_are_in_double_quotes_as_in_filters() -> None:
    asked = parse_by('vehicle.my-model:3,"vehicle.size, (l x w): ""m""",  "trigger":5')
    assert [(each.about.name, each.shown) for each in asked] == [
        ("vehicle.my-model", 3),
        ('vehicle.size, (l x w): "m"', 10),
        ("trigger", 5),
    ]
    (asked,) = parse_by("""in_unit("ego.speed.max", 'km/h'):5""")
    assert (asked.about.name, asked.shown) == ("in_unit(ego.speed.max, 'km/h')", 5)


@pytest.mark.parametrize(
    ("by", "message", "remedy"),
    [
        ("", "no property at character 1", "write properties with commas"),
        ("trigger,,tag", "no property at character 9", "write properties with commas"),
        ("trigger,", "no property at character 9", "write properties with commas"),
        ("in_unit(ego.speed.max, 'km/h'", "no property at character 8", "write properties with commas"),
        ("tag,trigge", "property 2 of by: clips have no property 'trigge'", "did you mean trigger?"),
        ("geometry", "cannot be counted by their boxes", "count by place_cell"),
        ("time", "cannot be counted by `time`", "count by start"),
        ("trigger:0", "'0' after trigger is not a number of values", "write 1 to 100"),
        ("trigger:101", "is not a number of values", "write 1 to 100"),
        ("trigger:1e2", "is not a number of values", "write 1 to 100"),
        ("size_bytes:day", "is not a number of bins", "write 1 to 100"),
        ("start:weeks", "is not a number of bins", "did you mean week? write 1 to 100, or one of second"),
        ("tag,tag", "by has 'tag' twice", "write it once"),
        (",".join(f"vehicle.a{n}" for n in range(21)), "by has 21 properties", "ask in several requests"),
        ("x" * 4001, "by has 4001 characters", "count by less"),
        ("in_unit(ego.speed.max, 'kmh')", "there is no unit 'kmh'", "did you mean"),
        (
            """in_unit("vehicle.l: (""m"")", 'm')""",
            '`vehicle.l: ("m")` cannot be converted to a unit',
            "give a signal's",
        ),
        ("in_unit(tag, 'km/h')", "cannot be converted to a unit", "give a signal's"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_a_remedy(by: str, message: str, remedy: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_by(by)
    assert message in caught.value.message
    assert caught.value.remedy.startswith(remedy)


@given(INT64, INT64, SHOWN)
def test_edges_of_integers_and_times_enclose_all_values_with_few_bins(a: int, b: int, shown: int) -> None:
    low, high = sorted((a, b))
    for edges in (integer_edges(low, high, shown), time_edges(low, high, max(shown, 20))):
        assert edges[0] <= low and edges[-1] > high
        assert all(one < other for one, other in pairwise(edges))
        assert len(edges) - 1 <= max(shown, 20)
    assert len(integer_edges(low, high, shown)) - 1 <= shown


@given(*[st.floats(allow_nan=False, allow_infinity=False)] * 2, SHOWN)
def test_edges_of_doubles_rise_from_the_lowest_value(a: float, b: float, shown: int) -> None:
    low, high = sorted((a, b))
    edges = float_edges(low, high, shown)
    assert edges[0] <= low
    assert all(one < other for one, other in pairwise(edges))
    assert len(edges) - 1 <= shown


@pytest.mark.parametrize("module", [bins, facets])
def test_the_examples_are_true(module: object) -> None:
    results = doctest.testmod(module)  # type: ignore[arg-type]
    assert results.attempted and not results.failed


@given(INT64, st.integers(0, 2**62), st.sampled_from(STEPS))
def test_bins_of_a_step_are_as_many_as_are_counted_and_no_more(low: int, span: int, step: Step) -> None:
    high = min(low + span, 2**63 - 1)
    try:
        edges = step_edges(low, high, step, what="end")
    except InvalidInput as refused:
        assert "more than 1000 bins" in refused.message and step != "year"
        return
    assert edges[0] <= low < edges[1] and edges[-2] <= high < edges[-1]
    assert len(edges) <= MAX_BINS + 1


def test_every_clip_that_there_can_be_is_counted_by_years_and_eighty_years_by_months() -> None:
    assert len(step_edges(-(2**63), 2**63 - 1, "year", what="end")) == 2262 - 1677 + 2
    eighty_years = 80 * 365 * 86_400 * 10**9
    assert len(step_edges(0, eighty_years, "month", what="end")) == 80 * 12 + 1
