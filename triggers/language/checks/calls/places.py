"""Checks of places: `near(latitude, longitude, radius)`, `inside(fence)`, and fences."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from triggers.language.analysis.typed import Type, Typed
from triggers.language.checks.calls.handlers import Check, Forms, Handler
from triggers.language.checks.context import CheckContext
from triggers.language.text import syntax
from triggers.language.text.diagnostics import Span
from triggers.signals.units import DIMENSIONLESS, convert, parse_unit

FORMS: Forms = {
    "near": ("near(48.1, 11.6, 500 m)",),
    "inside": ("inside(fence)",),
}
MAX_LATITUDE_DEG = 85
MAX_LONGITUDE_DEG = 180
MAX_RADIUS_M = 100_000
MAX_CORNERS = 64


def _near(context: CheckContext, expression: syntax.Call, latitude: Typed, longitude: Typed, radius: Typed) -> Typed:
    """`near(lat, lon, R)`: degrees, with or without the unit, and a length."""
    place = [
        _degrees(context, typed, limit)
        for typed, limit in ((latitude, MAX_LATITUDE_DEG), (longitude, MAX_LONGITUDE_DEG))
    ]
    radius_m = _radius_m(context, radius)
    position = _position(context, expression.span)
    if None in place or radius_m is None:
        return context.error(expression.span)
    node = context.graph.add("near", *position, latitude=place[0] or 0.0, longitude=place[1] or 0.0, radius_m=radius_m)
    return Typed(expression.span, Type.BOOL, node)


def _degrees(context: CheckContext, typed: Typed, limit: int) -> float | None:
    degree = parse_unit("deg")
    if typed.type is Type.ERROR or degree is None:
        return None
    if not isinstance(typed.constant, Fraction):
        context.report.not_a_constant(typed.span)
        return None
    if typed.unit.dimension not in (DIMENSIONLESS, degree.dimension):
        context.report.bad_place(typed.span, f"this is {context.what(typed)}, not an angle in degrees")
        return None
    value = typed.constant if typed.unit.dimension == DIMENSIONLESS else convert(typed.constant, typed.unit, degree)
    if abs(value) > limit:
        context.report.bad_place(typed.span, f"this must be between -{limit} and {limit} degrees")
        return None
    return float(value)


def _radius_m(context: CheckContext, typed: Typed) -> float | None:
    metre = parse_unit("m")
    if typed.type is Type.ERROR or metre is None:
        return None
    if not isinstance(typed.constant, Fraction) or typed.unit.dimension != metre.dimension:
        context.report.bad_place(typed.span, "a radius is a constant length, for example `500 m`")
        return None
    radius = convert(typed.constant, typed.unit, metre)
    if not 0 < radius <= MAX_RADIUS_M:
        context.report.bad_place(typed.span, "a radius must be greater than 0 and at most 100 km")
        return None
    return float(radius)


def _inside(context: CheckContext, expression: syntax.Call) -> Typed:
    """`inside(fence)`."""
    argument = expression.arguments[0]
    name = argument.name if isinstance(argument, syntax.Name) else context.subject(argument.span).strip("`")
    fence = context.fences.get(name)
    if fence is None:
        context.report.unknown_fence(argument.span, name, context.nearest(name, context.fences, "fences"))
        return context.error(expression.span)
    corners = tuple(
        _corner_degrees(context, number, limit) for corner in fence.corners for number, limit in _limited(corner)
    )
    if None in corners:  # reported at the fence
        return context.error(expression.span)
    edges = rising_edges([float(value or 0) for value in corners])
    return Typed(
        expression.span, Type.BOOL, context.graph.add("inside", *_position(context, expression.span), edges=edges)
    )


def rising_edges(corners: Sequence[float]) -> tuple[float, ...]:
    """The edges between corners (latitude, longitude, latitude, ...), each as its southern and its northern end.

    Two fences with the same edge thus compute with the same numbers in the same order, whichever way round their
    corners are listed, and agree to the last bit on which side of it a position is. No parallel crosses a level edge.

    >>> rising_edges([0, 0, 2, 1, 2, 3])
    (0, 0, 2, 1, 0, 0, 2, 3)
    """
    ends = list(zip(corners[0::2], corners[1::2], strict=True))
    pairs = (sorted(pair) for pair in pairwise([*ends, ends[0]]))
    return tuple(number for south, north in pairs if south[0] != north[0] for number in (*south, *north))


def check_fence(context: CheckContext, fence: syntax.Fence) -> None:
    """Check that a fence has 3 to 64 corners within their limits and does not cross the antimeridian."""
    if not 3 <= len(fence.corners) <= MAX_CORNERS:
        context.report.bad_place(
            fence.name.span, f"a fence must have 3 to {MAX_CORNERS} corners, not {len(fence.corners)}"
        )
    degrees = [
        _corner_degrees(context, number, limit) for corner in fence.corners for number, limit in _limited(corner)
    ]
    longitudes = [longitude for longitude in degrees[1::2] if longitude is not None]
    if longitudes and max(longitudes) - min(longitudes) > 180:
        context.report.bad_place(fence.name.span, "a fence cannot cross the antimeridian")


def _limited(corner: tuple[syntax.Quantity, syntax.Quantity]) -> tuple[tuple[syntax.Quantity, int], ...]:
    """A corner's latitude and longitude, each with its limit in degrees."""
    return (corner[0], MAX_LATITUDE_DEG), (corner[1], MAX_LONGITUDE_DEG)


def _corner_degrees(context: CheckContext, number: syntax.Quantity, limit: int) -> float | None:
    return _degrees(context, context.quantity(number), limit)


def _position(context: CheckContext, span: Span) -> tuple[int, int]:
    position = context.catalog.position
    if position is None:
        raise AssertionError("checked by the caller")
    return context.signal(position.latitude, span).node, context.signal(position.longitude, span).node


def _place(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`near` and `inside`, which need the catalog's position."""
    if context.catalog.position is None:
        context.report.no_position(expression.span, expression.function.text)
        return context.error(expression.span)
    if expression.function.text == "inside":
        return _inside(context, expression)
    return _near(context, expression, *(check(context, argument) for argument in expression.arguments))


HANDLERS: dict[str, Handler] = dict.fromkeys(FORMS, _place)
