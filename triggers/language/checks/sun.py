"""Checks of `solar_time` and `sun_elevation`: names that read the time and the catalog's position."""

from __future__ import annotations

from fractions import Fraction

from triggers.language.analysis.typed import Type, Typed
from triggers.language.checks.context import CheckContext
from triggers.language.text import syntax
from triggers.language.text.diagnostics import Span
from triggers.signals.units import BARE, parse_unit


def is_of_the_sun(context: CheckContext, name: str) -> bool:
    """Whether a name is a word of the language here: without `language 2`, a signal or a `let` of that name is not."""
    if name not in syntax.SUN_WORDS:
        return False
    return context.has_new_words or not (name in context.lets or name in context.catalog.signals)


def of_the_sun(context: CheckContext, name: syntax.Name) -> Typed:
    """The local mean solar time in hours, or the sun's elevation in degrees; reports a catalog without a position."""
    position = context.catalog.position
    if position is None:
        context.report.no_position(name.span, name.name)
        return context.error(name.span)
    longitude = _degrees(context, position.longitude, name.span)
    if name.name == "solar_time":
        node, unit, ends = context.graph.add("solar_time", longitude), parse_unit("h"), (0, 24)
    else:
        latitude = _degrees(context, position.latitude, name.span)
        node, unit, ends = context.graph.add("sun_elevation", latitude, longitude), parse_unit("deg"), (-90, 90)
    low, high = (Fraction(end) for end in ends)
    return Typed(name.span, Type.NUMBER, node, unit or BARE, low=low, high=high)


def _degrees(context: CheckContext, signal: str, span: Span) -> int:
    return context.node(context.signal(signal, span))
