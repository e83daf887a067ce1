"""Channels: what the signal catalog declares of the signals of a clip, as far as their likeness depends on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from triggers.signals.catalog import Signal, SignalCatalog
from triggers.signals.units import parse_unit

MAX_CHANNELS = 256
"""Of a clip with more signals, the first in the order of their names."""


@dataclass(frozen=True, slots=True)
class Channel:
    """What the catalog declares of a signal, as far as its likeness depends on it.

    A sample holds for `max_age_ns`; None: until the next one. `states` is the number of texts or truth values, 0 for a
    number; `base = number * scale + offset` is in the base unit of `dimension`.
    """

    max_age_ns: int | None
    states: int = 0
    dimension: tuple[int, ...] = ()
    scale: float = 1.0
    offset: float = 0.0

    @classmethod
    def of(cls, signal: Signal) -> Channel:
        """The channel of a declared signal."""
        unit = parse_unit(signal.unit)
        if signal.type != "number" or unit is None:
            return cls(signal.max_age_ns, states=len(signal.values) if signal.type == "text" else 2)
        return cls(signal.max_age_ns, dimension=unit.dimension, scale=float(unit.scale), offset=float(unit.offset))


def channels_of(catalogs: Iterable[SignalCatalog], names: Iterable[str]) -> dict[str, Channel]:
    """The channels of these signals, each as the first catalog that knows it declares it.

    The position is left out: likeness is about what happened, not where. So are signals that no catalog knows.
    """
    known = list(catalogs)
    places = {name for each in known if (p := each.position) for name in (p.latitude, p.longitude)}
    found: dict[str, Channel] = {}
    for name in sorted(set(names) - places):
        declared = next((each.signals[name] for each in known if name in each.signals), None)
        if declared is not None:
            found[name] = Channel.of(declared)
    return found
