"""Numbers in `jsonb` come back as they were, and what it cannot hold is refused."""

from __future__ import annotations

import json
import sys
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB

from storage.database import Database
from storage.jsonb import json_of, storable
from triggers.errors import InvalidInput

LARGEST = int(sys.float_info.max)


def through(connection: Connection, value: object) -> object:
    """The value after PostgreSQL has had it as `jsonb`."""
    return connection.execute(select(func.coalesce(literal(value, JSONB), None, type_=JSONB))).scalar_one()


def test_numbers_come_back_with_their_type_and_value(database: Database) -> None:
    numbers = [1e308, -1e308, 1e22, 5e-324, 0.1, 2.5, 2**53 + 1, -(2**63), 2**70, 12345678901234567890123, LARGEST, 0]
    with database.begin() as connection:
        back = through(connection, numbers)
    assert isinstance(back, list)
    assert back == numbers
    kinds = [type(number) for number in numbers]
    kinds[numbers.index(LARGEST)] = int
    assert [type(number) for number in back] == kinds


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_that_was_written_out_in_digits_is_the_same_float(number: float) -> None:
    assert json_of(json.dumps(number)) == number
    if abs(number) > 2**63:
        back = json_of(format(Decimal(repr(number)), "f"))
        assert (back, type(back)) == (number, float)


@pytest.mark.parametrize("number", [LARGEST + 1, 10**400, float("nan"), float("inf")])
def test_a_number_that_no_other_program_could_read_is_not_stored(number: float) -> None:
    with pytest.raises(InvalidInput, match="number"):
        storable({"a": [number]}, what="the labels")
