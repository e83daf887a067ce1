"""Import of a COVESA Vehicle Signal Specification (VSS) as a signal catalog.

Sensors, actuators and attributes become signals under their VSS names (`Vehicle.Speed`). VSS has no rates: a signal is
`update: on_change` (a VSS server keeps a value until it changes) unless a rate is given for it or for a branch above
it. `default` is not used: in VSS it is often a placeholder (a length of 0 mm), and a value that no vehicle has reported
must stay unknown. Numbers keep their `min` and `max`, beyond which they are unknown. What cannot become a signal is
listed with the reason, never dropped silently.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from triggers.contracts.limits import MAX_CATALOG_BYTES
from triggers.errors import InvalidInput
from triggers.signals.catalog import MAX_RATE_HZ, MAX_SIGNALS, Position, Signal, SignalCatalog
from triggers.signals.catalog_text import catalog_text
from triggers.signals.mistakes.catalog import can_be_read
from triggers.signals.units import parse_unit
from triggers.signals.vss_tree import Leaf, read_leaves
from triggers.written_numbers import in_full

_NUMBERS = frozenset((
    "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float", "double", "numeric",
))  # fmt: skip
_TYPES: Mapping[str, Literal["bool", "text"]] = {"boolean": "bool", "string": "text"}
_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
MAX_NAME = 200
MAX_VALUE = 200
MAX_DESCRIPTION = 1000

UNITS: dict[str, str] = {
    **{same: same for same in (
        "mm", "cm", "m", "km", "inch", "km/h", "m/s", "cm/s", "m/s^2", "cm/s^2", "m^2", "m^3", "cm^3", "ml", "l",
        "l/h", "rad", "rad/s", "W", "kW", "PS", "J", "kJ", "Wh", "kWh", "kg", "V", "mV", "A", "mA", "Ah", "us", "ms",
        "s", "min", "h", "Pa", "hPa", "kPa", "bar", "mbar", "psi", "N", "kN", "Nm", "rpm", "Hz", "kHz", "MHz", "lx",
        "K", "ratio", "kbit/s", "Mbit/s", "km/l", "l/100km", "ml/100km", "kWh/100km", "Wh/km",
    )},
    "percent": "%", "degrees": "deg", "degree": "deg", "degrees/s": "deg/s", "degree/s": "deg/s",
    "Celsius": "degC", "celsius": "degC", "Fahrenheit": "degF", "fahrenheit": "degF",
    "g": "gram", "g/s": "gram/s", "g/km": "gram/km", "lbs": "lb", "mph": "mph", "kilometer": "km", "miles": "mi",
    "cpm": "1/min", "bpm": "1/min", "ohm": "Ohm", "Ohm": "Ohm", "day": "d", "days": "d", "unix-time": "s", "stars": "",
}  # fmt: skip
"""The catalog's unit for each VSS unit that has a counterpart."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A leaf that did not become a signal, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class VssImport:
    """The result of an import: the catalog, its YAML text, and what is not in it."""

    catalog: SignalCatalog
    text: str
    leaves: int
    skipped: tuple[Skipped, ...]

    @property
    def skipped_by_reason(self) -> dict[str, list[str]]:
        """Names of the skipped leaves by reason, the most frequent reason first."""
        names: dict[str, list[str]] = {}
        for skipped in self.skipped:
            names.setdefault(skipped.reason, []).append(skipped.name)
        return dict(sorted(names.items(), key=lambda item: (-len(item[1]), item[0])))


class _NoSignal(Exception):
    """Raised with the reason why a leaf cannot become a signal."""


def import_vss(
    path: Path, *, rates_hz: Mapping[str, float] | None = None, units: Mapping[str, str] | None = None
) -> VssImport:
    """The signal catalog of a VSS file; the same input gives the same text.

    `rates_hz` has rates by the name of a signal or a branch; the longest matching name applies. `units` has the
    catalog's units for VSS units and takes precedence over the table of this module. Raises InvalidInput.
    """
    leaves = read_leaves(path)
    table = {**UNITS, **_checked_units(units or {})}
    rates = _Rates(rates_hz or {})
    signals: dict[str, Signal] = {}
    skipped: list[Skipped] = []
    for leaf in leaves:
        try:
            signal = _signal(leaf, table, rates)
        except _NoSignal as reason:
            skipped.append(Skipped(leaf.name, str(reason)))
            continue
        if leaf.name in signals:
            raise InvalidInput(f"{path}: {leaf.name}: there are two signals with this name")
        signals[leaf.name] = signal
    rates.demand_use(path)
    if not signals:
        raise InvalidInput(f"{path}: no leaf becomes a signal: {_why(skipped)}", remedy=_REMEDY_OF_NONE)
    if len(signals) > MAX_SIGNALS:
        raise InvalidInput(f"{path}: gives {len(signals)} signals, but a signal catalog has at most {MAX_SIGNALS}")
    catalog = SignalCatalog(signals=signals, position=_position(signals))
    heading = [
        "Signals of a COVESA Vehicle Signal Specification, by `longtail signals import-vss`.",
        f"{len(signals)} of {len(leaves)} leaves; VSS states neither rates nor columns.",
    ]
    text = catalog_text(catalog, heading)
    if len(text.encode()) > MAX_CATALOG_BYTES:
        raise InvalidInput(f"{path}: the signal catalog would have more than {MAX_CATALOG_BYTES} bytes")
    return VssImport(catalog, text, len(leaves), tuple(skipped))


def _checked_units(units: Mapping[str, str]) -> Mapping[str, str]:
    for unit in units.values():
        if parse_unit(unit) is None:
            raise InvalidInput(f"`{unit}` is not a known unit")
    return units


_REMEDY_OF_NONE = "give units without a counterpart with `--unit VSS=UNIT`, and check that the file has sensors"


def _why(skipped: Sequence[Skipped]) -> str:
    """How many leaves were left out for which reason, with an example of each."""
    reasons = Counter(each.reason for each in skipped)
    examples = {each.reason: each.name for each in reversed(skipped)}
    told = [f"{count} left out, {reason} (`{examples[reason]}`)" for reason, count in reasons.most_common(5)]
    return "; ".join(told) or "the tree has none"


class _Rates:
    """Rates by the names of signals and branches, and which of them were used."""

    def __init__(self, rates_hz: Mapping[str, float]) -> None:
        self._rates_hz = {name.removesuffix(".*"): rate for name, rate in rates_hz.items()}
        for name, rate in self._rates_hz.items():
            if not 0 < rate <= MAX_RATE_HZ:
                most = in_full(MAX_RATE_HZ)
                raise InvalidInput(f"{name}: a rate is more than 0 and at most {most} Hz, not {in_full(rate)}")
        self._used: set[str] = set()

    def of(self, name: str) -> float | None:
        """The rate that was given for a signal or the nearest branch above it."""
        parts = name.split(".")
        rate_hz = None
        for count in range(1, len(parts) + 1):
            prefix = ".".join(parts[:count])
            if prefix in self._rates_hz:
                rate_hz = self._rates_hz[prefix]
                self._used.add(prefix)
        return rate_hz

    def demand_use(self, path: Path) -> None:
        """Raise InvalidInput for a name that matches no imported signal."""
        for name in self._rates_hz:
            if name not in self._used:
                raise InvalidInput(f"{path}: `{name}` has a rate, but no imported signal has this name or is below it")


def _signal(leaf: Leaf, units: Mapping[str, str], rates: _Rates) -> Signal:
    """The declaration for a leaf. Raises _NoSignal."""
    if not _NAME.fullmatch(leaf.name) or len(leaf.name) > MAX_NAME:
        raise _NoSignal(f"its name is longer than {MAX_NAME}, or has characters other than letters, digits and `_`")
    if not can_be_read(leaf.name):
        raise _NoSignal("its name is a word of the trigger language")
    if leaf.datatype.endswith("]"):
        raise _NoSignal("an array")
    kind = "number" if leaf.datatype in _NUMBERS else _TYPES.get(leaf.datatype)
    if kind is None:
        raise _NoSignal(f"its datatype `{leaf.datatype[:80]}` is not numeric, boolean or string")
    unit = _unit(leaf, units) if kind == "number" else ""
    values = _values(leaf.allowed or ()) if kind == "text" else ()
    rate = rates.of(leaf.name)
    low, high = (leaf.low, leaf.high) if kind == "number" else (None, None)
    if low is not None and high is not None and low > high:
        raise _NoSignal("its `min` is above its `max`")
    update: Literal["on_change"] | None = "on_change" if rate is None else None
    ends: dict[str, Any] = {key: end for key, end in (("min", low), ("max", high)) if end is not None}
    return Signal(
        type=kind,
        unit=unit,
        values=values,
        rate=rate,
        update=update,
        describe=_description(leaf),
        **ends,
    )


def _unit(leaf: Leaf, units: Mapping[str, str]) -> str:
    if leaf.unit is None:
        return ""
    if leaf.unit not in units:
        raise _NoSignal(f"its unit `{leaf.unit[:80]}` has no counterpart")
    return units[leaf.unit]


def _values(allowed: Sequence[object]) -> tuple[str, ...]:
    if not allowed:
        raise _NoSignal("a string without `allowed` values")
    values = tuple(value for value in allowed if isinstance(value, str) and 0 < len(value) <= MAX_VALUE)
    if len(values) < len(allowed) or len(set(values)) < len(values):
        raise _NoSignal(f"`allowed` values that are not distinct strings of 1 to {MAX_VALUE} characters")
    return values


def _description(leaf: Leaf) -> str:
    stated = f"Deprecated: {leaf.deprecation} {leaf.description}" if leaf.deprecation else leaf.description
    text = " ".join(stated.split())
    return text if len(text) <= MAX_DESCRIPTION else text[: MAX_DESCRIPTION - 3] + "..."


def _position(signals: Mapping[str, Signal]) -> Position | None:
    """The position signals of the first tree that has them."""
    for name, signal in signals.items():
        root, _, rest = name.partition(".")
        longitude = f"{root}.CurrentLocation.Longitude"
        is_position = rest == "CurrentLocation.Latitude" and longitude in signals
        if is_position and signal.unit == signals[longitude].unit == "deg":
            return Position(latitude=name, longitude=longitude)
    return None
