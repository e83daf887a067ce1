"""The odometer's kernels: as the interpreter does it, and what both have to do with the meters of travel."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.triggers.language.webassembly.harness import Block, KernelMachine, assert_agrees, make_node, recordings
from triggers.backtest.meters import odometer as backtest
from triggers.distance import TravelMeter
from triggers.language.earth import STEPS_PER_M
from triggers.language.ir import Kind
from triggers.language.reference.earth.odometer import great_circle_m
from triggers.language.webassembly.kernels.samples.odometers import KERNELS
from triggers.times import NS_PER_S

N = Kind.NUMBER
SPEED, PLACES = make_node("odometer", (N,)), make_node("odometer_of_places", (N, N))
_places = st.tuples(st.floats(-90, 90), st.floats(-360, 360))


@settings(max_examples=80)
@given(recordings((N,), 3 * NS_PER_S))
def test_the_speed_s_agrees_with_the_interpreter(blocks: list[Block]) -> None:
    assert_agrees(KERNELS["odometer"], SPEED, (N,), blocks)


@settings(max_examples=60)
@given(recordings((N, N), NS_PER_S))
def test_the_position_s_agrees_with_the_interpreter(blocks: list[Block]) -> None:
    assert_agrees(KERNELS["odometer_of_places"], PLACES, (N, N), blocks)


@given(st.lists(_places, min_size=1, max_size=150))
def test_places_all_over_the_earth_agree_with_the_interpreter(places: list[tuple[float, float]]) -> None:
    latitudes, longitudes = zip(*places, strict=True)
    count = len(places)
    block = Block(range(count), [True] * count, [True] * count, (latitudes, longitudes), begins=True)
    assert_agrees(KERNELS["odometer_of_places"], PLACES, (N, N), [block])


@pytest.mark.parametrize("seed", range(6))
def test_the_speed_s_distance_is_that_of_vehicles_and_backtests(seed: int) -> None:
    rng = random.Random(seed)
    times, samples, t_ns = [], [], 0
    for _ in range(600):
        t_ns += rng.choice((20_000_000, 100_000_000, 1_900_000_000))
        times.append(t_ns)
        samples.append(rng.choice((None, rng.uniform(-5, 60), rng.uniform(0, 60), 0.0, 999.0, 1001.0, -1e300)))
    fresh = [sample is not None for sample in samples]
    meter = TravelMeter(max_gap_ns=2 * NS_PER_S)
    wanted = []
    for t_ns, sample in zip(times, samples, strict=True):
        meter.take(t_ns, math.nan if sample is None else sample)
        wanted.append(meter.metres)
    got = KernelMachine(KERNELS["odometer"], SPEED, (N,)).run(Block(times, [True] * 600, fresh, (samples,), True))
    assert wanted[-1] > 1000
    for count, (ours, theirs) in enumerate(zip(got, wanted, strict=True), 1):
        assert isinstance(ours, float) and abs(ours - theirs) <= count * 0.5 / STEPS_PER_M + 1e-9 * theirs


def test_nothing_counts_up_to_or_from_a_fault_nor_over_ten_seconds() -> None:
    second = NS_PER_S
    times = [0, second, 2 * second, 3 * second, 13 * second, 23 * second + 1, 24 * second + 1]
    speeds = [10.0, 10.0, 5000.0, 10.0, 10.0, 10.0, -20.0]
    got = KernelMachine(KERNELS["odometer"], SPEED, (N,)).run(Block(times, [True] * 7, [True] * 7, (speeds,), True))
    assert got == [0, 10, 10, 10, 110, 110, 125]


def test_a_distance_between_two_ticks_does_not_depend_on_what_was_before_them() -> None:
    rng = random.Random(3)
    tail = [rng.uniform(0, 40) for _ in range(100)]
    ways = set()
    for head in ([0.0], [977.1234567] * 2000):
        speeds = [*head, 0.0, *tail]
        count = len(speeds)
        times = range(0, count * 123_456_789, 123_456_789)
        block = Block(times, [True] * count, [True] * count, (speeds,), begins=True)
        got = KernelMachine(KERNELS["odometer"], SPEED, (N,)).run(block)
        ways.add((got[-1] or 0.0) - (got[-100] or 0.0))
    assert len(ways) == 1


def test_great_circles_are_those_of_backtests() -> None:
    rng = random.Random(5)
    for _ in range(300):
        a, b = ((rng.uniform(-90, 90), rng.uniform(-360, 360)) for _ in range(2))
        near = (a[0] + rng.uniform(-1, 1) * 1e-4, a[1] + rng.uniform(-1, 1) * 1e-4)
        for latitude, longitude in (b, near, a):
            radians = (np.radians(np.array([x])) for x in (*a, latitude, longitude))
            expected = float(backtest.great_circle_m(*radians)[0])
            assert abs(great_circle_m(*a, latitude, longitude) - expected) <= 1e-9 * expected + 2e-8


def test_a_place_counts_where_both_coordinates_come_together_and_are_on_the_earth() -> None:
    latitudes, longitudes = [48.0, 48.001, None, 91.0, 48.002], [11.0, 11.0, 11.0, 11.0, 11.0]
    block = Block(range(5), [True] * 5, [True, False, True, True, True], (latitudes, longitudes), begins=True)
    got = KernelMachine(KERNELS["odometer_of_places"], PLACES, (N, N)).run(block)
    assert got[:4] == [0, 0, 0, 0] and got[4] == pytest.approx(222.39, abs=0.01)


@settings(max_examples=40)
@given(recordings((N,), NS_PER_S))
def test_every_distance_agrees_with_the_interpreter(blocks: list[Block]) -> None:
    known = [
        replace(block, arguments=([0.0 if value is None else value for value in block.arguments[0]],))
        for block in blocks
    ]
    assert_agrees(KERNELS["every_distance"], make_node("every_distance", (N,), multiple_m=1.0), (N,), known)
