"""Keys of the signal catalog about recorded drives: cameras with their bit rates, the column of times."""

from __future__ import annotations

import pytest

from triggers.errors import InvalidInput
from triggers.signals.catalog import SignalCatalog
from triggers.signals.catalog_text import catalog_text

SIGNALS = "signals: {a: {rate: 1}}\n"


def parse(text: str) -> SignalCatalog:
    return SignalCatalog.parse(SIGNALS + text, name="c.yaml")


@pytest.mark.parametrize(
    ("text", "rates"),
    [
        ("cameras: [front, rear]", {"front": None, "rear": None}),
        ("cameras: {front: {bit_rate: 4 Mbit/s}, rear: {}}", {"front": 500_000, "rear": None}),
        ("cameras: {front: {bit_rate: 500 kB/s}}", {"front": 500_000}),
        ("cameras: {front: {bit_rate: 1.5 MB/s}}", {"front": 1_500_000}),
        ("", {}),
    ],
)
def test_cameras_are_names_or_have_bit_rates(text: str, rates: dict[str, int | None]) -> None:
    catalog = parse(text)
    assert {name: camera.bit_rate for name, camera in catalog.cameras.items()} == rates
    written = catalog_text(catalog)
    assert SignalCatalog.parse(written, name="again") == catalog
    assert ("cameras: [" in written) == (bool(rates) and not any(rates.values()))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cameras: [front, front]", "names a camera twice"),
        ("cameras: {front: {bit_rate: 4}}", "a bit rate is a number with its unit, such as `4 Mbit/s`"),
        ("cameras: {front: {bit_rate: 4 km/h}}", "a bit rate is a number with its unit"),
        ("cameras: {front: {bit_rate: four Mbit/s}}", "a bit rate is a number with its unit"),
        ("cameras: {front: {bit_rate: 1/0 Mbit/s}}", "a bit rate is a number with its unit"),
        ("cameras: {front: {bit_rate: 1e999999999 Mbit/s}}", "a bit rate is a number with its unit"),
        ("cameras: {front: {bit_rate: 0 Mbit/s}}", "`0 Mbit/s` is out of range: it must be at least 1"),
        (
            "cameras: {front: {bit_rate: 4.00001 Mbit/s}}",
            "4.00001 Mbit/s lies between 500001 and 500002 B/s; write one of these",
        ),
        ("cameras: {front: {bit_rate: 12 bit/s}}", "lies between 1 and 2 B/s"),
        ("cameras: {front: {codec: h264}}", "cameras.front.codec"),
        ("time: {column: ts, unit: min}", "time.unit"),
        ("time: {column: ''}", "time.column"),
        ("time: ts", "time"),
    ],
)
def test_what_they_cannot_say_is_named_with_its_key(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        parse(text)


def test_the_column_of_times_is_t_unless_it_is_named() -> None:
    assert (parse("").time.column, parse("").time.unit) == ("t", None)
    catalog = parse("time: {column: ts, unit: ns}")
    assert (catalog.time.column, catalog.time.unit) == ("ts", "ns")
    assert SignalCatalog.parse(catalog_text(catalog), name="again") == catalog
