"""Filters as people write them: units and relative times become CQL2, and its text reads back as the same tree."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from sqlalchemy import Connection

from storage.clips.cql2 import parse_filter
from storage.clips.cql2.text import parse
from storage.clips.cql2.written import translate
from storage.clips.cql2.written.text import as_text
from tests.storage.clips.catalog_support import add_clip
from tests.storage.clips.cql2.test_text import FILTERS
from tests.support.servers.database import migrated_database
from triggers.errors import InvalidInput

NOW_NS = 1_796_472_000_000_000_001
"""2026-12-05T12:00:00.000000001Z"""


@pytest.fixture(scope="module")
def catalog(postgres_url: str, migrated: str) -> Iterator[Connection]:
    """Clips whose `yaw` is in two units, and whose `temperature` is in degrees Celsius."""
    with migrated_database(postgres_url, migrated) as database, database.begin() as connection:
        for yaw in ("rad/s", "deg/s"):
            statistics = {"ego.speed": (0.0, 30.0, 9.0), "temperature": (0.0, 1.0, 0.5), "yaw": (0.0, 1.0, 0.5)}
            units = {"ego.speed": "m/s", "temperature": "degC", "yaw": yaw}
            add_clip(connection, statistics=statistics, units=units, attributes={"model": "m3"})
        add_clip(connection, statistics={"odd": (0.0, 1.0, 0.5)})
        yield connection


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("ego.speed.max > 90 km/h", "ego.speed.max > 25"),
        ("ego.speed.max > 80 km/h", "ego.speed.max > 22.22222222222222"),
        ("90 km/h < ego.speed.max", "25 < ego.speed.max"),
        ("ego.speed.max > -9 km/h", "ego.speed.max > -2.5"),
        ("ego.speed.max BETWEEN 36 km/h AND 20", "ego.speed.max BETWEEN 10 AND 20"),
        ("ego.speed.max NOT IN (36 km/h, 5)", "NOT ego.speed.max IN (10, 5)"),
        ("ego.speed.max - ego.speed.min > 36 km/h", "(ego.speed.max - ego.speed.min) > 10"),
        ("ego.speed.max > ego.speed.min + 36 km/h", "ego.speed.max > (ego.speed.min + 10)"),
        ("ego.speed.max / 2 > 36 km/h", "(ego.speed.max / 2) > 10"),
        ("duration_s < 2 min AND size_bytes >= 1.5 MB", "duration_s < 120 AND size_bytes >= 1500000"),
        ("size_bytes % 3 = 1", "(size_bytes % 3) = 1"),
        ("start_ns > 1 s", "start_ns > 1000000000"),
        ("temperature.max > 300 K", "temperature.max > 26.85"),
        ("temperature.max - temperature.min > 5 K", "(temperature.max - temperature.min) > 5"),
        ("(temperature.max + temperature.min) / 2 > 300 K", "((temperature.max + temperature.min) / 2) > 26.85"),
        ("0.5 * temperature.max + 0.5 * temperature.min > 300 K", None),
        ("300 K < temperature.max - 2", "26.85 < (temperature.max - 2)"),
        ("temperature.max - 5 K > 20 degC", "(temperature.max - 5) > 20"),
        ("temperature.max > temperature.min + 5 K", "temperature.max > (temperature.min + 5)"),
        ("temperature.max BETWEEN 280 K AND temperature.min + 5 K", None),
        ("yaw.max > 10 deg/s", "in_unit(yaw.max, 'deg/s') > 10"),
        ("yaw.max BETWEEN 0 rad/s AND 90 deg/s", "in_unit(yaw.max, 'rad/s') BETWEEN 0 AND 1.5707963267948966"),
        ("in_unit(yaw.max, 'deg/s') > 1 rad/s", "in_unit(yaw.max, 'deg/s') > 57.29577951308232"),
        ("distance(geometry, POINT(11.5 48.1)) < 2 km", "distance(geometry, POINT(11.5 48.1)) < 2000"),
        ("s_dwithin(geometry, POINT(11.5 48.1), 2 km)", "s_dwithin(geometry, POINT(11.5 48.1), 2000)"),
        ("start > now - 7 d", "start > TIMESTAMP('2026-11-28T12:00:00.000000001Z')"),
        ("start < now AND vehicle = 'now'", "start < TIMESTAMP('2026-12-05T12:00:00.000000001Z') AND vehicle = 'now'"),
        ("start > now - 1 h - 30 min", "start > TIMESTAMP('2026-12-05T10:30:00.000000001Z')"),
        (
            "T_DURING(time, INTERVAL(now - 2 h, '..'))",
            "t_during(time, INTERVAL('2026-12-05T10:00:00.000000001Z', '..'))",
        ),
        ("fire(fire_time > now - 1 d AND trigger = 'x')", None),
        ("vehicle.model IN ('m3') OR NOT (damage IS NULL)", "vehicle.model IN ('m3') OR (NOT damage IS NULL)"),
    ],
)
def test_units_and_relative_times_become_plain_numbers_and_times(
    catalog: Connection, written: str, canonical: str | None
) -> None:
    translated = translate(catalog, written, now_ns=NOW_NS)
    if canonical is not None:
        assert translated == canonical
    parse_filter(translated, "cql2-text").where()
    assert translate(catalog, translated, now_ns=0) == translated


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("ego.speed.max > 5 kg", "5 kg is a mass, beside a speed in m/s (line 1, column 17); write it in"),
        ("ego.speed.max > 5 kph", "there is no unit 'kph' (line 1, column 17); did you mean km/h?"),
        ("ego.speed.max > 5 \u00b0C", "write degrees as deg"),
        ("start > now - 5 km", "only a time can be added to `now` (line 1, column 13)"),
        ("start > now - 7", "only a time can be added to `now`"),
        ("start > now - 99999999 d", "not in the years 1 to 9999"),
        ("start > now + 1e300 d", "not in the years 1 to 9999"),
        ("size_bytes > 5 %", "5 % is a ratio, beside an amount of data in B"),
        ("trigger = 5 km", "`trigger` has no unit"),
        ("version > 5 km", "`version` has no unit"),
        ("vehicle.model = 5 km", "`vehicle.model` has no unit"),
        ("'x' = 5 km", "this has no unit"),
        ("5 km", "5 km is not compared with anything"),
        ("5 km > 3 m", "the unit is not clear"),
        ("yaw.max + 1 rad/s > 3", "the unit is not clear"),
        ("yaw.max - 1 > 3 rad/s", "the unit is not clear"),
        ("ego.speed.max - temperature.max > 3 K", "what is added is in m/s and in degC"),
        ("temperature.max + 3 degC > 5", "degC cannot be added"),
        ("in_unit(temperature.max, 'K') - in_unit(temperature.min, 'K') > 5 degC", "degC cannot be added"),
        ("temperature.max * 2 > 300 K", "neither a temperature nor a difference of two (line 1, column 21)"),
        ("-temperature.max < -300 K", "neither a temperature nor a difference of two"),
        ("temperature.max IN (300 K, temperature.max - temperature.min)", "neither a temperature nor a difference"),
        ("ego.speed.max * ego.speed.min > 3 m/s", "this has no unit"),
        ("odd.max > 3 m", "the unit of `odd.max` is not known"),
        ("ego.speed.max > 1e308 km", "km is a length"),
        ("size_bytes > 1e308 TB", "too large"),
        ("ego.sped.max > 5 km/h", "the unit of `ego.sped.max` is not known"),
        ("vehicle.modell = 'x'", "did you mean vehicle.model"),
        ("campain = 'x'", "no property 'campain' (line 1, column 1)"),
        ("start > now -", "found the end"),
        ("now > 5 km AND", "found the end"),
        ("s_dwithin(geometry, POINT(1 2), 5 kg)", "5 kg is a mass, beside a length in m"),
        ("", "the filter is empty"),
        ("((((" * 1000, "nested"),
        ("x" * 10_001, "bytes"),
    ],
)
def test_what_cannot_be_translated_is_told_with_its_place(catalog: Connection, written: str, says: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        translate(catalog, written, now_ns=NOW_NS)
    assert says in str(refused.value)
    assert refused.value.remedy


def test_the_filter_of_the_api_has_no_units_and_no_now() -> None:
    for text, says in (("ego.speed.max > 80 km/h", "GET /v1/filter"), ("start > now", "no property 'now'")):
        with pytest.raises(InvalidInput) as refused:
            parse_filter(text, "cql2-text")
        assert says in str(refused.value)


@settings(max_examples=200)
@given(FILTERS)
def test_the_text_of_a_tree_reads_back_as_the_same_tree(source: str) -> None:
    tree = parse(source)
    assert plain(parse(as_text(tree))) == plain(tree)


@pytest.mark.parametrize(
    "source",
    [
        "S_EQUALS(geometry, MULTIPOINT((1 2), (3 4)))",
        "S_WITHIN(geometry, POLYGON((0 0, 4 0, 4 4, 0 0), (3 1, 3.5 1, 3 2, 3 1)))",
        "S_TOUCHES(geometry, GEOMETRYCOLLECTION(POINT(1 2), MULTILINESTRING((1 2, 3 4), (-5 6, 7 8))))",
        "A_EQUALS(tags, ()) AND A_OVERLAPS(labels, ('a', 'b', TRUE, DATE('2026-01-05')))",
        '"select" = 1 AND "a b" > 2 AND "and" IS NULL AND "date" < 3',
        "a ^ 2 - b * -1 / (c + 1) = 3 % 2 AND b div 2 < 1e300",
        "NOT (a = 1 OR NOT b = 2) AND (c = 3 OR d = 4)",
        "T_AFTER(a, INTERVAL('..', b)) AND c = TIMESTAMP('2026-01-05T12:00:00Z')",
    ],
)
def test_other_texts_read_back_as_the_same_tree(source: str) -> None:
    assert plain(parse(as_text(parse(source)))) == plain(parse(source))


def plain(tree: Any) -> Any:
    """The tree without places, and with the names of operators in lower case."""
    return json.loads(json.dumps(tree, default=str))
