"""Incoming samples: raw ones become values in their signals' units once, and what the catalog refuses is counted."""

from __future__ import annotations

import math

import pytest

from tests.triggers.vehicle.support import at
from triggers.language.rows import Row
from triggers.signals.catalog import SignalCatalog
from triggers.vehicle.recording.incoming import Incoming
from triggers.vehicle.recording.ring import RingBuffer

CATALOG = SignalCatalog.parse(
    """
signals:
  speed: {unit: m/s, rate: 10, scale: 0.01, invalid: [65535], max: 100}
  soc: {unit: "%", rate: 10, min: 0, max: 100}
  door: {type: bool, rate: 10}
  gear: {type: text, values: [P, D], rate: 10}
""",
    name="signals.yaml",
)


def test_raw_samples_are_converted_and_others_are_left_alone() -> None:
    incoming = Incoming(CATALOG)
    rows = incoming.from_raw([Row(1, {"speed": 2500, "gear": 1.0}), Row(2, {"gear": 0.0}), Row(3, {"speed": math.nan})])
    samples = [dict(row.samples) for row in rows]
    assert samples[:2] == [{"speed": 25.0, "gear": 1.0}, {"gear": 0.0}]
    assert math.isnan(samples[2]["speed"])
    assert incoming.take_refused() == []


def test_refused_samples_are_infinite_and_counted_once() -> None:
    incoming = Incoming(CATALOG)
    raw = [{"speed": 65535.0}, {"speed": 10_001.0, "soc": 100.5}, {"speed": math.inf}, {"speed": 10_000.0}]
    speeds = [row.samples["speed"] for row in incoming.from_raw(Row(n, each) for n, each in enumerate(raw))]
    assert speeds == [math.inf, math.inf, math.inf, 100.0]
    assert incoming.take_refused() == [("soc", 1), ("speed", 2)]
    assert incoming.take_refused() == []


@pytest.mark.parametrize("fed_raw", [False, True])
def test_a_bool_is_0_or_1_and_a_text_an_index_of_its_values(fed_raw: bool) -> None:
    """In clips, too, which hold what the rows have."""
    incoming = Incoming(CATALOG)
    read = incoming.from_raw if fed_raw else incoming.in_units
    rows = [Row(n, {"gear": gear, "door": gear}) for n, gear in enumerate((0.0, 1.0, 2.0, 0.5, -1.0, math.inf))]
    samples = [row.samples for row in read(rows)]
    assert [each["gear"] for each in samples] == [0.0, 1.0, *[math.inf] * 4]
    assert [each["door"] for each in samples] == [0.0, 1.0, *[math.inf] * 4]
    assert incoming.take_refused() == [("door", 3), ("gear", 3)]


def test_samples_in_units_keep_their_values_but_not_those_out_of_range() -> None:
    incoming = Incoming(CATALOG)
    rows = list(incoming.in_units([Row(0, {"speed": 99.0}), Row(1, {"speed": 65535.0, "soc": -1.0})]))
    assert [row.samples for row in rows] == [{"speed": 99.0}, {"speed": math.inf, "soc": math.inf}]
    assert incoming.take_refused() == [("soc", 1), ("speed", 1)]


def test_an_integer_that_a_float64_would_round_is_counted() -> None:
    incoming = Incoming(CATALOG)
    (row,) = incoming.in_units([Row(0, {"soc": 10**400})])
    assert row.samples == {"soc": math.inf}
    assert incoming.take_refused() == [("soc", 1)]


def test_without_a_catalog_rows_are_taken_as_they_are() -> None:
    row = Row(0, {"speed": 65535.0})
    assert list(Incoming(None).in_units([row])) == [row]


def test_the_ring_holds_no_integer_in_place_of_another() -> None:
    """A clip is cut from the ring, so it has none either."""
    ring = RingBuffer(max_span_ns=10**12, max_bytes=10**6)
    ring.keep(["id"], [], 10**12)
    for n, number in enumerate((2**53, 2**53 + 1, 10**400)):
        ring.push_row(at(n), {"id": number})
    assert list(ring.cut(at(0), at(3), ["id"], []).signals["id"].values) == [2.0**53, math.inf, math.inf]
