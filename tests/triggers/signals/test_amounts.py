"""Amounts and numbers of a signal catalog at their limits: each is taken exactly or refused with what to write."""

from __future__ import annotations

from fractions import Fraction

import pytest

from triggers.errors import InvalidInput
from triggers.signals.catalog import SignalCatalog
from triggers.signals.units import parse_amount


def parse(text: str) -> SignalCatalog:
    return SignalCatalog.parse(text, name="c.yaml")


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [("256 KiB", 262_144), ("0.5 kB", 500), (" 7  B ", 7), ("1/3 kB", None), ("1_0 kB", None), ("-1 kB", None),
     ("1e3 kB", None), ("٣ kB", None), ("9" * 500 + " kB", None), ("5 km", None), ("kB", None), ("", None)],
)  # fmt: skip
def test_an_amount_is_digits_and_a_unit(text: str, size_bytes: int | None) -> None:
    assert parse_amount(text, "B") == (None if size_bytes is None else Fraction(size_bytes))


@pytest.mark.parametrize("key", ["limits: {state: %s KiB}", "cameras: {front: {bit_rate: %s Mbit/s}}"])
def test_an_exponent_costs_nothing(key: str) -> None:
    with pytest.raises(InvalidInput):
        parse(key % "1e999999999" + "\nsignals: {a: {rate: 1}}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("signals: {a: {rate: 1e-12}}", "such as `1.0e-3`"),
        ("signals: {a: {rate: 5.0e-324}}", "at least 1e-06"),
        ("signals: {a: {max_age: 5.0e-324}}", "at least 1e-09"),
        ("max_gap: 1.0e-10\nsignals: {a: {rate: 1}}", "at least 1e-09"),
        ("buffer: 1.0e-10\nsignals: {a: {rate: 1}}", "at least 1e-09"),
        ("signals: {a: {type: text, values: ['']}}", r"c.yaml:1:\d+: signals.a.values.0: .* too short"),
        ("signals: {a: {column: ''}}", r"c.yaml:1:\d+: signals.a.column: .* too short"),
        ("signals: {}", r"c.yaml:1:\d+: signals: .* too short"),
        ("signals: {a: {initial: 9007199254740993}}", "9007199254740992.*9007199254740994"),
        ("signals: {a: {max_age: 100000.0000000000000000001}}", "at most 86,400"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        parse(text)


def test_an_initial_value_that_a_double_holds_is_taken() -> None:
    assert parse("signals: {a: {initial: 9007199254740994}}").signals["a"].initial_sample == 2.0**53 + 2
