"""`near` and `inside` give what the interpreter gives, at every tick and for every position."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.triggers.language.webassembly.harness import Block, KernelMachine, interpret, make_node
from triggers.language.checks.calls.places import rising_edges
from triggers.language.ir import Kind, Node
from triggers.language.reference.geometry import Inside, Near
from triggers.language.reference.operators import Operator
from triggers.language.reference.values import Value
from triggers.language.webassembly.kernels.current.places import KERNELS, extra_parameters

KINDS = (Kind.NUMBER, Kind.NUMBER)


class PlaceMachine(KernelMachine):
    """Also passes what the emitter computes for the kernel."""

    def _given(self, parameter: str) -> float:
        extra = extra_parameters(self.node) if self.node.op == "near" else {}
        return extra[parameter] if parameter in extra else super()._given(parameter)


def assert_same(node: Node, positions: list[tuple[Value, Value]]) -> None:
    """Kernel and interpreter agree on each position; two blocks, each with a last word that is not full."""
    operator: Operator = Near(node, 1) if node.op == "near" else Inside(node, 1)
    machine = PlaceMachine(KERNELS[node.op], node, KINDS)
    half = len(positions) // 2
    for part in (positions[:half], positions[half:]):
        if part:
            ticks = [True] * len(part)
            columns = ([each[0] for each in part], [each[1] for each in part])
            block = Block(range(len(part)), ticks, ticks, columns)
            assert machine.run(block) == interpret(operator, [block])[0]


def track(rng: random.Random, corners: list[tuple[float, float]], reach_deg: float) -> list[tuple[Value, Value]]:
    """Positions about the corners: some stay, some are half unknown, some far off or across the antimeridian."""
    result: list[tuple[Value, Value]] = []
    while len(result) < 300:
        latitude, longitude = rng.choice(corners)
        spread = rng.choice((0.0, reach_deg, reach_deg * 1e-3, 10.0, 400.0))
        latitude += rng.gauss(0.0, spread) if rng.random() < 0.8 else 0.0
        longitude += rng.choice((0.0, 360.0, -360.0)) + (rng.gauss(0.0, spread) if rng.random() < 0.8 else 0.0)
        position: tuple[Value, Value] = (
            None if rng.random() < 0.05 else latitude,
            None if rng.random() < 0.05 else longitude,
        )
        result.extend([position] * rng.choice((1, 1, 2, 10, 70)))
    return result


@given(
    seed=st.integers(0, 1 << 32),
    latitude=st.sampled_from((0.0, -0.0, 48.1, -85.0, 85.0)),
    longitude=st.sampled_from((0.0, 11.5, 179.99, -179.99, 180.0)),
    radius_m=st.sampled_from((0.0, 1.0, 500.0, 30_000.0, 100_000.0)),
)
@settings(max_examples=80)
def test_near_agrees_with_the_interpreter(seed: int, latitude: float, longitude: float, radius_m: float) -> None:
    node = make_node("near", KINDS, latitude=latitude, longitude=longitude, radius_m=radius_m)
    reach_deg = max(radius_m, 1.0) / 111_000.0
    positions = track(random.Random(seed), [(latitude, longitude)], reach_deg)
    assert_same(node, [*positions, (1e308, 0.0), (latitude, -1.7e308), (math.nextafter(90.0, 0.0), longitude)])


@pytest.mark.parametrize("bearing_deg", range(0, 360, 15))
def test_near_agrees_at_the_rim_to_the_last_bit(bearing_deg: int) -> None:
    node = make_node("near", KINDS, latitude=48.0, longitude=11.0, radius_m=1000.0)
    operator = Near(node, 1)
    north = math.cos(math.radians(bearing_deg)) / 111_195.0
    east = math.sin(math.radians(bearing_deg)) / 111_195.0 / math.cos(math.radians(48.0))
    low, high = 900.0, 1100.0
    for _ in range(80):
        middle = (low + high) / 2.0
        inside = operator.step(None, 48.0 + north * middle, 11.0 + east * middle)  # type: ignore[arg-type]
        low, high = (middle, high) if inside else (low, middle)
    steps = [low + ulps * math.ulp(low) for ulps in range(-100, 100)]
    assert_same(node, [(48.0 + north * step, 11.0 + east * step) for step in steps])


@given(seed=st.integers(0, 1 << 32), count=st.integers(3, 64), whole=st.booleans())
@settings(max_examples=80)
def test_inside_agrees_with_the_interpreter_also_on_edges_and_corners(seed: int, count: int, whole: bool) -> None:
    rng = random.Random(seed)
    corners = [(rng.uniform(47.0, 49.0), rng.uniform(10.0, 12.0)) for _ in range(count)]
    if whole:  # positions often hit an edge's latitude exactly
        corners = [(float(round(latitude * 4)) / 4, float(round(longitude * 4)) / 4) for latitude, longitude in corners]
    node = make_node("inside", KINDS, edges=rising_edges([number for corner in corners for number in corner]))
    positions = track(rng, corners, 0.5)
    assert_same(node, [*positions, *corners, (1e308, -1e308), (-1e308, 1e308)])
