"""The place operators `near(latitude, longitude, radius)` and `inside(fence)` on the catalog's position.

They only use `+ - *` and comparisons, so that every back end gives the same bits.
"""

from __future__ import annotations

from typing import Any

from triggers.language.earth import RADIANS, REACH_DEG, sine_and_cosine, squared_chord
from triggers.language.ir import Node
from triggers.language.reference.operators import Operator, Tick
from triggers.language.reference.values import Value


def taylor_sine(x: float) -> float:
    """Sine by its Taylor polynomial to x^7."""
    square = x * x
    return x * (1.0 - square * (1.0 / 6.0 - square * (1.0 / 120.0 - square * (1.0 / 5040.0))))


def taylor_cosine(x: float) -> float:
    """Cosine by its Taylor polynomial to x^8."""
    square = x * x
    return 1.0 - square * (0.5 - square * (1.0 / 24.0 - square * (1.0 / 720.0 - square * (1.0 / 40320.0))))


class Near(Operator):
    """`near(lat, lon, R)`: the squared chord to the position is at most that of R."""

    def __init__(self, node: Node, mask: int) -> None:
        super().__init__(node, mask)
        self.latitude, self.longitude = self.node.number("latitude"), self.node.number("longitude")
        self.sine, self.cosine = sine_and_cosine(self.latitude * RADIANS)
        self.limit = squared_chord(self.node.number("radius_m"))

    def step(self, _tick: Tick, /, *arguments: Any) -> Value:
        latitude, longitude = arguments
        if latitude is None or longitude is None:
            return None
        north, east = latitude - self.latitude, longitude - self.longitude
        if east > 180.0:
            east -= 360.0
        elif east < -180.0:
            east += 360.0
        if not (-REACH_DEG <= north <= REACH_DEG and -REACH_DEG <= east <= REACH_DEG):
            return False
        north, east = north * RADIANS, east * RADIANS
        half_north, half_east = taylor_sine(0.5 * north), taylor_sine(0.5 * east)
        cosine = self.cosine * taylor_cosine(north) - self.sine * taylor_sine(north)
        square = 4.0 * (half_north * half_north + self.cosine * cosine * half_east * half_east)
        return square <= self.limit


class Inside(Operator):
    """`inside(fence)`: an odd number of edges lies to the east, an edge that passes through the position not counted.

    Each edge is given from its southern end, which belongs to it, to its northern end, which does not.
    """

    def step(self, _tick: Tick, /, *arguments: Any) -> Value:
        latitude, longitude = arguments
        if latitude is None or longitude is None:
            return None
        numbers = self.node.table("edges")
        inside = False
        for lat_a, lon_a, lat_b, lon_b in zip(*(numbers[i::4] for i in range(4)), strict=True):
            if not lat_a <= latitude < lat_b:
                continue
            # the sign of this product tells on which side of the edge the position is
            side = (longitude - lon_a) * (lat_b - lat_a) - (lon_b - lon_a) * (latitude - lat_a)
            if side < 0:
                inside = not inside
        return inside
