"""Calculations: exact wherever both sides are exact, against fractions in Python, and bounded before they run."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from storage.clips.cql2 import parse_filter
from storage.clips.cql2.operands import Value
from storage.clips.cql2.tree import Comparison
from storage.clips.query import ClipQuery
from storage.clips.search import search
from tests.storage.clips.catalog_support import add_clip
from tests.support.servers.database import migrated_database
from triggers.errors import InvalidInput, Overloaded

Row = dict[str, Fraction | None]
VALUES = [0, 1, -1, 2, 3, 7, 0.1, 0.2, -2.5, 1e-300, 1e300, 5e-324, 2**53 + 1, 12345.6789]
COMPARE = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
NAMES = ("size_bytes", "ego.speed.min", "ego.speed.max", "vehicle.a", "vehicle.b")


class Clips:
    """Clips and their numbers, as the decimals that answers show."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.rows: dict[str, Row] = {}
        chance = random.Random(3)
        for _ in range(60):
            self.add(chance)

    def add(self, chance: random.Random) -> None:
        size = chance.choice([0, 1, 2, 3, 10, 2**53 + 1])
        low, high = sorted(float(value) for value in chance.choices(VALUES, k=2))
        known = chance.random() < 0.7
        attributes: dict[str, Any] = {
            name: chance.choice([*VALUES, "text", True]) for name in "ab" if chance.random() < 0.8
        }
        clip_id = add_clip(
            self.connection,
            size_bytes=size,
            statistics={"ego.speed": (low, high, low)} if known else None,
            attributes=attributes,
        )
        numbers: dict[str, Any] = {"size_bytes": size, "ego.speed.min": low, "ego.speed.max": high}
        if not known:
            numbers |= {"ego.speed.min": None, "ego.speed.max": None}
        for name in "ab":
            value = attributes.get(name)
            numbers[f"vehicle.{name}"] = value if type(value) in (int, float) else None
        self.rows[clip_id] = {name: None if value is None else Fraction(repr(value)) for name, value in numbers.items()}

    def find(self, tree: Any) -> set[str]:
        query = ClipQuery.parse(filter_source=json.dumps(tree), language="cql2-json", limit=1000)
        return {clip.id for clip in search(self.connection, query).clips}


@pytest.fixture(scope="module")
def catalog(postgres_url: str, migrated: str) -> Iterator[Clips]:
    with migrated_database(postgres_url, migrated) as database, database.begin() as connection:
        yield Clips(connection)


def calculated(node: Any, row: Row) -> Fraction | None:
    """The exact value of a calculation; None where a number is missing, and for a division by zero."""
    if not isinstance(node, dict):
        return Fraction(repr(node))
    if "property" in node:
        return row[node["property"]]
    a, b = (calculated(arg, row) for arg in node["args"])
    if a is None or b is None:
        return None
    if node["op"] in ("/", "%", "div"):
        if b == 0:
            return None
        whole = Fraction(math.trunc(a / b))
        return {"/": a / b, "div": whole, "%": a - b * whole}[node["op"]]
    if node["op"] == "^":
        return None if a == 0 and b < 0 else a ** int(b)
    return {"+": a + b, "-": a - b, "*": a * b}[node["op"]]


def op(name: str, *args: Any) -> dict[str, Any]:
    return {"op": name, "args": list(args)}


NUMBER = st.sampled_from(VALUES) | st.sampled_from(NAMES).map(lambda name: {"property": name})
CALCULATION = st.recursive(
    NUMBER,
    lambda inner: st.one_of(
        st.builds(op, st.sampled_from(["+", "-", "*", "/", "%", "div"]), inner, inner),
        st.builds(op, st.just("^"), inner, st.sampled_from([0, 1, 2, 3, -1, -2])),
    ),
    max_leaves=4,
)
FAST = settings(max_examples=40, phases=[Phase.explicit, Phase.generate])


@FAST
@given(CALCULATION, CALCULATION, st.sampled_from(list(COMPARE)))
def test_a_calculation_is_the_fraction_that_it_stands_for(catalog: Clips, left: Any, right: Any, name: str) -> None:
    left = op("+", left, 0)  # two plain properties are compared as they are stored
    try:
        found, others = catalog.find(op(name, left, right)), catalog.find(op("not", op(name, left, right)))
    except InvalidInput as refused:
        assert "digits" in refused.message or "quotients" in refused.message
        return
    truths = {}
    for clip_id, row in catalog.rows.items():
        a, b = calculated(left, row), calculated(right, row)
        truths[clip_id] = None if a is None or b is None else COMPARE[name](a, b)
    assert found == {clip_id for clip_id, truth in truths.items() if truth is True}
    assert others == {clip_id for clip_id, truth in truths.items() if truth is False}


@FAST
@given(CALCULATION, st.lists(NUMBER, min_size=1, max_size=3), NUMBER, NUMBER)
def test_lists_ranges_and_nulls_of_calculations(catalog: Clips, value: Any, choices: list[Any], a: Any, b: Any) -> None:
    value = op("+", value, {"property": "size_bytes"})
    known = {clip_id: calculated(value, row) for clip_id, row in catalog.rows.items()}
    try:
        unknown = catalog.find(op("isNull", value))
        among, between = catalog.find(op("in", value, choices)), catalog.find(op("between", value, a, b))
    except InvalidInput as refused:
        assert "digits" in refused.message or "quotients" in refused.message
        return
    assert unknown == {clip_id for clip_id, number in known.items() if number is None}
    rows = catalog.rows
    assert among == {
        clip_id
        for clip_id, number in known.items()
        if number is not None and number in [calculated(choice, rows[clip_id]) for choice in choices]
    }
    ends = {clip_id: (calculated(a, row), calculated(b, row)) for clip_id, row in rows.items()}
    assert between == {
        clip_id
        for clip_id, number in known.items()
        if number is not None and None not in ends[clip_id] and ends[clip_id][0] <= number <= ends[clip_id][1]  # type: ignore[operator]
    }


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("0.1 + 0.2 = 0.3", True),
        ("vehicle.tenth + 0.2 = 0.3", True),
        ("vehicle.one / 3 * 3 = 1", True),
        ("1 / 3 + 1 / 6 = 0.5", True),
        ("9007199254740993 * vehicle.one = 9007199254740993", True),
        ("7 div 2 = 3 AND -7 div 2 = -3 AND 7 % 2 = 1 AND -7 % 2 = -1", True),
        ("vehicle.one * -7 div 2 = -3 AND vehicle.one * -7 % 2 = -1", True),
        ("2 ^ 3 = 8 AND 2 ^ -1 = 0.5 AND vehicle.one ^ 0 = 1", True),
        ("2 ^ (vehicle.one + 2) = 8", True),
        ("vehicle.two ^ 0.5 > 1.41421356237 AND vehicle.two ^ 0.5 < 1.41421356238", True),
        ("-2 ^ 2 = 4", True),
        ("vehicle.one - -1 = 2", True),
        ("10 - 2 * 3 ^ 2 = -8", True),
        ("1 / 0 = 1 OR 1 / 0 <> 1", None),
        ("vehicle.one / (vehicle.one - 1) = 1", None),
        ("vehicle.one % 0 = 1", None),
        ("vehicle.one div (vehicle.one - 1) = 1", None),
        ("(0 - vehicle.two) ^ 0.5 = 1", None),
        ("0 ^ (0 - vehicle.one) = 1", None),
        ("1e300 ^ (vehicle.two * 1e10) > 0", None),
        ("vehicle.two ^ 1e9 > 0", None),
        ("vehicle.missing + 1 > 0", None),
        ("vehicle.word + 1 > 0", None),
        ("size_bytes / duration_s > 1 AND duration_s * 2 = 20", True),
        ("fire(version + 1 = 2)", True),
        ("ego.speed.max - ego.speed.min > 3.5", True),
        ("in_unit(ego.speed.max, 'km/h') - 10 > 26", True),
    ],
)
def test_calculations_by_example(postgres_url: str, migrated: str, text: str, holds: bool | None) -> None:
    with migrated_database(postgres_url, migrated) as database, database.begin() as connection:
        attributes = {"tenth": 0.1, "one": 1, "two": 2, "word": "x"}
        statistics = {"ego.speed": (5.5, 10.25, 6.0)}
        clip = {"attributes": attributes, "statistics": statistics, "units": {"ego.speed": "m/s"}, "size_bytes": 20}
        add_clip(connection, fired=[("c", "t")], **clip)
        add_clip(connection, vehicle_id="car-2", attributes={"missing": 1}, duration_s=1)
        asked = f"vehicle = 'car-1' AND ({text})"
        for source, expected in ((asked, True), (f"vehicle = 'car-1' AND NOT ({text})", False)):
            found = search(connection, ClipQuery.parse(filter_source=source)).clips
            assert bool(found) is (holds is expected), source


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (" * ".join(["ego.speed.max"] * 7) + " > 1", "digits"),
        ("1e308 ^ 16 ^ 16 ^ 16 > size_bytes", "digits"),
        ("2 ^ 16 ^ 16 ^ 16 ^ 16 ^ 16 = 1", "digits"),
        (" + ".join(["1 / size_bytes"] * 45) + " > 1", "too many quotients"),
        ("size_bytes + 'x' > 1", "'x' is a text"),
        ("size_bytes + start > 1", "`start` is a time"),
        ("start + 1 > DATE('2026-01-05')", "`start` is a time"),
        ("vehicle + 1 = 2", "`vehicle` is a text"),
        ("version + label_count > 1 AND tag + 1 > 2", "`tags` is a text"),
        ("geometry * 2 > 1", "geometry"),
        ("size_bytes +", "found the end"),
        ("size_bytes + 1", "gives a value"),
    ],
)
def test_calculations_that_cannot_be_are_refused(text: str, says: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_filter(text, "cql2-text").where()
    assert says in str(refused.value)


def test_a_calculation_of_literals_is_a_literal_that_an_index_can_use() -> None:
    tree = parse_filter("size_bytes > 2 * 1024 ^ 2 - 1 / 4", "cql2-text").tree
    assert isinstance(tree, Comparison)
    assert isinstance(tree.right, Value) and Fraction(tree.right.value) == 2 * 1024**2 - Fraction(1, 4)


@settings(max_examples=120)
@given(
    st.recursive(
        st.sampled_from(["size_bytes", "ego.speed.max", "vehicle.a", "1e308", "5e-324", "0", "3", "0.1"]),
        lambda inner: st.builds(
            "({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/", "%", "div", "^"]), inner
        ),
        max_leaves=12,
    )
)
def test_no_calculation_is_an_error_of_the_database(catalog: Clips, calculation: str) -> None:
    try:
        query = ClipQuery.parse(filter_source=f"{calculation} > 1 OR {calculation} IS NULL OR size_bytes > 1")
    except InvalidInput:
        return
    try:
        with catalog.connection.begin_nested():
            search(catalog.connection, query, timeout_s=1.0)
    except (InvalidInput, Overloaded) as refused:
        assert refused.remedy
