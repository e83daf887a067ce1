"""Numbers on the command line: what is read, and that one without bounds is refused in words."""

from __future__ import annotations

import click
import pytest

from fleet_api.cli.numbers import Bytes, Number, Seconds


@pytest.mark.parametrize(
    ("text", "amount"),
    [("0", 0), ("500", 500), ("1.5 TB", 1_500_000_000_000), ("1e3kB", 10**6), ("4611686018427387904", 2**62)],
)
def test_bytes_are_read_with_their_unit(text: str, amount: int) -> None:
    assert Bytes().convert(text, None, None) == amount


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        (Bytes(), "1e5000", "a whole number of bytes from 0 to 4611686018427387904"),
        (Bytes(), "1e999999 PB", "a whole number of bytes from 0 to 4611686018427387904"),
        (Bytes(), "4611686018427387905", "a whole number of bytes from 0 to 4611686018427387904"),
        (Bytes(), "4612 PB", "a whole number of bytes from 0 to 4611686018427387904"),
        (Bytes(), "1e-999999", "not a whole number of bytes"),
        (Bytes(), "1e99999999999999999999", "not a whole number of bytes"),
        (Bytes(), "-1e999999 PB", "not a whole number of bytes"),
        (Bytes(), "-1", "not a whole number of bytes"),
        (Bytes(), "2 TiB", "not a number of bytes"),
        (Seconds(), "1e999s", "at most 9223372036 s"),
        (Seconds(), "1e308 min", "at most 9223372036 s"),
        (Seconds(), "9223372037s", "at most 9223372036 s"),
        (Seconds(), "-1e10 s", "at most 9223372036 s"),
        (Seconds(), "2", "not a time with its unit"),
        (Number(0), "1e999", "beyond 1.8e+308"),
        (Number(0), "-1", "not in the range"),
    ],
)
def test_what_is_no_number_of_its_kind_is_refused_in_words(kind: click.ParamType, text: str, said: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(click.BadParameter, match=said.replace("+", r"\+")):
        kind.convert(text, None, None)
