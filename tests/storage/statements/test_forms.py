"""Statements by their form: one is written once for all values, and each is answered with its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Column, ColumnElement, Float, Integer, Select, Text, cast, column, func, literal, select, values
from sqlalchemy.dialects.postgresql import JSONB

from storage.clips.plan.members.bounds import Bounds
from storage.clips.properties import SortType
from storage.database import Database
from storage.statements.forms import Fixed, Given, Statement
from storage.statements.prepared import Template
from tests.support.statements import noted

NUMBER: ColumnElement[int] = column("number", Integer)
NUMBERS = values(Column("number", Integer), name="numbers").data([(number,) for number in range(10)])
BETWEEN = Template(lambda low, high: (low <= NUMBER) & (high >= NUMBER), low=Integer(), high=Integer())


class Written:
    """A function that writes a statement, and how often it has."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, conditions: tuple[ColumnElement[bool], ...], *more: ColumnElement[Any]) -> Select[Any]:
        """The numbers for which all conditions hold."""
        self.times += 1
        return select(NUMBERS.c.number, *more).where(*conditions).order_by(NUMBERS.c.number)


@pytest.mark.parametrize(
    "between",
    [
        pytest.param(lambda low, high: BETWEEN.bound(low=low, high=high), id="template"),
        pytest.param(lambda low, high: NUMBER.between(literal(low), literal(high)), id="expression"),
        pytest.param(lambda low, high: BETWEEN(low=low, high=high), id="text"),
    ],
)
def test_a_statement_is_written_once_and_asked_with_the_values_of_each(
    database: Database, between: Callable[[int, int], Any]
) -> None:
    write = Written()
    with database.begin() as connection:
        found = [
            [row[0] for row in Statement(write, (between(low, high),)).rows(connection)]
            for low, high in ((1, 2), (4, 6), (9, 12), (3, 2))
        ]
    assert found == [[1, 2], [4, 5, 6], [9], []]
    assert write.times == 1


def test_each_value_stands_where_it_was_given(database: Database) -> None:
    write = Written()
    longest = Fixed(func.length(literal("abc")))
    with database.begin() as connection:
        for low, high, limit, factor in ((1, 8, 2, 10), (0, 3, 9, 7)):
            conditions = (BETWEEN.bound(low=low, high=high), NUMBER * factor > factor)
            inner = Statement(_itself, Given(str(limit), Text))
            found = Statement(write, conditions, Given(factor, Integer), longest, inner).rows(connection)
            expected = [number for number in range(low, high + 1) if number * factor > factor]
            assert [tuple(row) for row in found] == [(number, factor, 3, str(limit)) for number in expected]
    assert write.times == 1


def _itself(value: ColumnElement[str]) -> Any:
    return select(value).scalar_subquery()


def test_another_form_is_another_statement(database: Database) -> None:
    write = Written()
    few: list[ColumnElement[bool]] = [NUMBERS.c.number > 7, NUMBERS.c.number < 2, NUMBERS.c.number == 5]
    with database.begin() as connection:
        found = [[row[0] for row in Statement(write, (condition,)).rows(connection)] for condition in few]
    assert found == [[8, 9], [0, 1], [5]]
    assert write.times == len(few)


def test_the_number_of_values_belongs_to_the_form(database: Database) -> None:
    write = Written()
    with database.begin() as connection:
        for chosen in ([1], [2, 3], [4, 5, 6], [7, 8, 9]):
            in_list, by_elements = NUMBERS.c.number.in_(chosen), NUMBERS.c.number.in_([literal(one) for one in chosen])
            for condition in (in_list, by_elements):
                assert [row[0] for row in Statement(write, (condition,)).rows(connection)] == chosen


@pytest.mark.parametrize(("kind", "of_type", "python"), [("text", Text, str), ("integer", Integer, int)])
def test_choices_of_a_column_are_one_form_however_many_there_are(
    database: Database, kind: SortType, of_type: type[Any], python: Callable[[int], Any]
) -> None:
    write, kept = Written(), cast(NUMBERS.c.number, of_type())
    with database.begin() as connection:
        for choices in ((3, 5), tuple(range(8, 900)), (-1, 9, 2)):
            holds = Bounds(choices=tuple(map(python, choices))).condition(kept, kind)
            found = [row[0] for row in Statement(write, (holds,)).rows(connection)]
            assert found == sorted(set(choices) & set(range(10)))
    assert write.times == 1


def test_values_are_given_to_the_driver_as_their_types_want_it(database: Database) -> None:
    write = Written()
    with database.begin() as connection:
        for text in ("a", 'quoted "b"', "é"):
            same = literal(text, JSONB) == cast(func.to_jsonb(cast(text, Text)), JSONB)
            assert len(Statement(write, (same,)).rows(connection)) == 10
    assert write.times == 1


def test_constants_of_the_statement_itself_keep_their_values(database: Database) -> None:
    def write(factor: ColumnElement[float]) -> Select[Any]:
        return select(factor * 2.5, literal("constant"), literal(["a"], JSONB))

    with database.begin() as connection:
        found = [Statement(write, Given(factor, Float)).row(connection) for factor in (1.0, 2.0)]
    assert [tuple(row) for row in found if row is not None] == [(2.5, "constant", ["a"]), (5.0, "constant", ["a"])]


def test_a_statement_is_a_query_with_its_values_too(database: Database) -> None:
    statement = Statement(Written(), (BETWEEN.bound(low=2, high=3),), Given(4, Integer))
    with database.begin() as connection:
        assert connection.execute(statement.query()).all() == statement.rows(connection) == [(2, 4), (3, 4)]
        assert Statement(Written(), (BETWEEN.bound(low=7, high=7),)).value(connection) == 7


def test_a_statement_has_one_plan_if_its_values_are_those_of_templates(database: Database) -> None:
    write = Written()
    in_templates = Statement(write, (BETWEEN.bound(low=2, high=3),), Given(4, Integer))
    assert in_templates.has_one_plan
    assert Statement(write, (BETWEEN.bound(low=2, high=3), NUMBER.is_not(None))).has_one_plan
    assert not Statement(write, (BETWEEN.bound(low=2, high=3), NUMBER * 2 > 4)).has_one_plan
    assert not Statement(write, (NUMBER.in_([2, 3]),)).has_one_plan
    with database.begin() as connection:
        assert in_templates.rows(connection, "walk") == in_templates.rows(connection) == [(2, 4), (3, 4)]


def test_a_remark_makes_another_text(database: Database) -> None:
    statement = Statement(Written(), (BETWEEN.bound(low=2, high=2),))
    with database.begin() as connection, noted(connection) as sent:
        for remark in ("walk", "collect", "walk", ""):
            assert statement.rows(connection, remark) == [(2,)]
    walked, collected, again, plain = (text for text, _ in sent)
    assert walked == again == f"{plain} /* walk */"
    assert collected == f"{plain} /* collect */"
