"""Fences that share an edge: each position on it is in exactly one of them, whichever way round they are listed."""

from __future__ import annotations

from math import nextafter
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.triggers.language.randomised.agreement import Case, check
from tests.triggers.language.randomised.recordings import Recording
from triggers.language.checks.calls.places import rising_edges
from triggers.language.ir import Kind, Node
from triggers.language.reference.geometry import Inside
from triggers.language.reference.operators import Tick
from triggers.language.rows import Row
from triggers.language.webassembly.emitter import emit
from triggers.language.webassembly.host.evaluator import Evaluator

CATALOG = """
signals: {a: {unit: deg, rate: 10}, o: {unit: deg, rate: 10}}
position: {latitude: a, longitude: o}
"""
Place = tuple[float, float]
WEST = ((10.0, 19.0), (10.0, 20.0), (11.0, 20.0), (11.0, 19.0))
EAST = ((10.0, 20.0), (10.0, 21.0), (11.0, 21.0), (11.0, 20.0))


def fence(name: str, corners: tuple[Place, ...]) -> str:
    places = ", ".join(f"({latitude!r}, {longitude!r})" for latitude, longitude in corners)
    return f"fence {name} {{ {places} }}\ntrigger {name} {{ when inside({name}) }}\n"


def case_of(source: str, positions: list[Place]) -> Case:
    """A recording that is at the origin first, so that a trigger fires at the first position in its fence."""
    latitude, longitude = np.array([(0.0, 0.0), *positions]).T
    t_ns = np.arange(len(positions) + 1) * 10_000_000
    return Case(CATALOG, source, Recording(t_ns, {"a": latitude, "o": longitude}))


@pytest.mark.parametrize("west", [WEST, WEST[::-1]])
@pytest.mark.parametrize("east", [EAST, EAST[::-1]])
@pytest.mark.parametrize("position", [(10.5, 20.0), (10.0, 20.0), (10.0, 19.5)])
def test_a_position_on_a_shared_meridian_is_in_one_of_both_fences(
    west: tuple[Place, ...], east: tuple[Place, ...], position: Place
) -> None:
    case = case_of(fence("w", west) + fence("e", east), [position])
    check(case, Random(0), every=True)
    rows = [Row(0, {"a": 0.0, "o": 0.0}), Row(10_000_000, dict(zip("ao", position, strict=True)))]
    compiled = Evaluator(emit(case.ir))
    assert len(compiled.run(rows)) == 1


def is_in(corners: list[Place], position: Place) -> bool:
    edges = rising_edges([number for corner in corners for number in corner])
    node = Node("inside", (0, 1), (edges,), Kind.BOOL)
    return Inside(node, 1).step(Tick(), *position) is True


@settings(max_examples=300)
@given(random=st.randoms(use_true_random=False), is_meridian=st.booleans(), is_coarse=st.booleans())
def test_a_position_on_a_shared_edge_is_in_exactly_one_of_two_fences(
    random: Random, is_meridian: bool, is_coarse: bool
) -> None:
    digits = 2 if is_coarse else 15
    south = (round(random.uniform(40, 50), digits), round(random.uniform(5, 15), digits))
    east = 0.0 if is_meridian else random.uniform(-2, 2)
    north = (round(south[0] + random.uniform(0.1, 2), digits), round(south[1] + east, digits))
    far_west, far_east = ((south[0] + 0.05, south[1] + side) for side in (-9.0, 9.0))
    fences = [[south, north, far_west], [south, north, far_east]]
    for corners in fences:
        turn = random.randrange(3)
        corners[:] = corners[turn:] + corners[:turn]
        if random.random() < 0.5:
            corners.reverse()
    for _ in range(20):
        share = random.uniform(0.03, 0.97)
        latitude = south[0] + share * (north[0] - south[0])
        longitude = south[1] + share * (north[1] - south[1])
        for _ in range(random.choice((0, 0, 1, 3))):
            longitude = nextafter(longitude, random.choice((-200.0, 200.0)))
        assert [is_in(corners, (latitude, longitude)) for corners in fences].count(True) == 1


@settings(max_examples=60)
@given(random=st.randoms(use_true_random=False))
def test_each_position_of_a_tiled_area_is_in_exactly_one_tile(random: Random) -> None:
    size = 4
    corners = {
        (i, j): (45.0 + i + random.uniform(-0.3, 0.3), 10.0 + j + random.choice((0.0, random.uniform(-0.3, 0.3))))
        for i in range(size + 1)
        for j in range(size + 1)
    }
    tiles = []
    for i in range(size):
        for j in range(size):
            tile = [corners[i, j], corners[i, j + 1], corners[i + 1, j + 1], corners[i + 1, j]]
            tiles.append(tile if random.random() < 0.5 else tile[::-1])
    inner = [corners[i, j] for i in range(1, size) for j in range(1, size)]
    ends = random.choices(inner, k=2)
    share = random.random()
    between = [ends[0][axis] + share * (ends[1][axis] - ends[0][axis]) for axis in range(2)]
    for position in (*inner, (between[0], between[1])):
        assert [is_in(tile, position) for tile in tiles].count(True) == 1


def test_a_fence_of_one_parallel_holds_nothing() -> None:
    case = case_of(fence("f", ((10.0, 19.0), (10.0, 20.0), (10.0, 21.0))), [(10.0, 19.5), (10.0, 20.0), (9.0, 20.0)])
    check(case, Random(0), every=True)
    assert rising_edges([10.0, 19.0, 10.0, 20.0, 10.0, 21.0]) == ()
