"""Random signal catalogs: every type of signal, heads in differing units, rates and ages of all sizes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from random import Random

from tests.triggers.language.randomised.objects.lists import DeclaredList, random_lists
from triggers.signals.catalog import SignalCatalog

FAMILIES: dict[str, tuple[str, ...]] = {
    "bare": ("",),
    "speed": ("m/s", "km/h", "kn"),
    "length": ("m", "ft", "cm"),
    "acceleration": ("m/s^2", "g"),
    "angle": ("deg", "rad"),
    "temperature": ("degC", "degF"),
    "difference": ("K",),
    "ratio": ("%",),
    "time": ("s", "ms"),
}
"""Quantities that add up with each other, and units of similar size for each."""

NUMBERS = {
    "x": "bare", "y": "bare", "ego.speed": "speed", "wheel.speed": "speed", "lead.distance": "length",
    "ego.accel": "acceleration", "yaw": "angle", "cabin.temperature": "temperature", "motor.temperature": "temperature",
    "battery.charge": "ratio", "ego.dt": "time", "active.lead.gap": "length", "shadow.lead.gap": "length",
    "lat": "angle", "lon": "angle",
}  # fmt: skip
DERIVED, DERIVED_FROM = "slip", ("wheel.speed", "ego.speed")
"""A derived signal, which is a speed, and what it is computed from."""
BOOLS = ("p", "q", "driver.brake", "active.cut_in.seen", "shadow.cut_in.seen")
TEXTS = ("mode", "active.light.colour", "shadow.light.colour")
HEADS = {"lead.gap": "number", "cut_in.seen": "bool", "light.colour": "text"}
COLOURS = ("red", "amber", "green", "off")
_RANGES = ("min: 0", "max: 3", "min: -5, max: 20", "min: 0.5, max: 60")
_LIMITS = (
    "yellow: [0, 1], red: [-1, 2.5]", "yellow: [null, 10], red: [null, 30]", "yellow: [0.5, 20], red: [0.5, null]",
)  # fmt: skip
_RATES = (1, 1, 2, 5, 10, 10, 20, 36, 50, 100)
_AGES_S = ("0.01", "0.035", "0.1", "0.2", "0.35", "1.0", "5")
_GAPS_S = ("0.05", "0.1", "0.25", "0.5", "1.0", "2.0", "0.333333333")


@dataclass(frozen=True, slots=True)
class Declared:
    """A signal of a random catalog; `rate` in Hz, None where the catalog gives none."""

    name: str
    type: str
    family: str = ""
    unit: str = ""
    rate: int | None = None
    max_age_s: str = ""
    initial: str = ""
    values: tuple[str, ...] = ()
    range: str = ""
    """Its `min` and `max`, as they stand in the catalog; values outside are unknown."""
    limits: str = ""
    """Its `yellow` and `red`."""

    @property
    def on_change(self) -> bool:
        """True where a sample counts until the next one."""
        return self.max_age_s == "never"

    def yaml(self) -> str:
        """Its line in the catalog."""
        parts = [] if self.type == "number" else [f"type: {self.type}"]
        parts += [f"unit: {self.unit}"] if self.unit.strip("%") else []
        parts += ['unit: "%"'] if self.unit == "%" else []
        parts += [f"values: {json.dumps(self.values)}"] if self.values else []
        parts += [f"rate: {self.rate}"] if self.rate else []
        parts += [] if self.on_change or not self.max_age_s else [f"max_age: {self.max_age_s}"]
        parts += ["update: on_change"] if self.on_change else []
        parts += [f"initial: {self.initial}"] if self.initial else []
        parts += [self.limits] if self.limits else []
        parts += [self.range] if self.range and not self.initial else []
        return f"  {self.name}: {{{', '.join(parts)}}}"


@dataclass(frozen=True)
class RandomCatalog:
    """A catalog as text, and what is in it."""

    signals: dict[str, Declared]
    max_gap_s: str
    palette: tuple[str, ...] = field(default=())
    """The few signals that a program of this catalog mostly uses."""
    lists: tuple[DeclaredList, ...] = ()
    """Its lists of objects."""
    has_speed: bool = True
    """Whether the car's speed has the name by which the odometer finds it."""

    @cached_property
    def text(self) -> str:
        """The catalog as YAML."""
        lines = "\n".join(signal.yaml() for signal in self.signals.values())
        derived = " - ".join(map(self.name, DERIVED_FROM))
        lines += f"\n  {DERIVED}: {{unit: km/h, derived: {derived}, max: 30, red: [-3, 20]}}"
        lists = "".join(f"{each.yaml()}\n" for each in self.lists)
        lists = f"limits: {{operations: 1000000}}\nobjects:\n{lists}" if lists else ""
        return f"max_gap: {self.max_gap_s}\n{lists}signals:\n{lines}\nposition: {{latitude: lat, longitude: lon}}\n"

    def name(self, name: str) -> str:
        """What a signal of this module is called in this catalog."""
        return name if self.has_speed or name != "ego.speed" else "hub.speed"

    @property
    def travelled(self) -> tuple[str, ...]:
        """The signals from which the odometer takes the distance."""
        return ("ego.speed",) if self.has_speed else ("lat", "lon")

    @cached_property
    def parsed(self) -> SignalCatalog:
        """The catalog as the compiler takes it."""
        return SignalCatalog.parse(self.text, name="random catalog")


def random_catalog(random: Random) -> RandomCatalog:
    """All names of this module with random properties."""
    numbers = [_number(random, name, family) for name, family in NUMBERS.items()]
    bools = [_timed(random, Declared(name, "bool"), ("true", "false")) for name in BOOLS]
    texts = [_timed(random, Declared(name, "text", values=_colours(random)), ()) for name in TEXTS]
    signals = {signal.name: signal for signal in (*numbers, *bools, *texts)}
    palette = (
        *random.sample(sorted(NUMBERS), random.randrange(1, 4)),
        *random.sample(BOOLS, random.randrange(1, 3)),
        *random.sample(TEXTS, random.randrange(2)),
    )
    has_speed = random.random() < 0.75
    lists = random_lists(random) if random.random() < 0.3 else ()
    catalog = RandomCatalog(signals, random.choice(_GAPS_S), palette, lists, has_speed=has_speed)
    renamed = {catalog.name(name): replace(signal, name=catalog.name(name)) for name, signal in signals.items()}
    return replace(catalog, signals=renamed, palette=tuple(map(catalog.name, palette)))


def _number(random: Random, name: str, family: str) -> Declared:
    units = FAMILIES[family]
    unit = "deg" if name in ("lat", "lon") else units[0] if random.random() < 0.6 else random.choice(units)
    declared = _timed(random, Declared(name, "number", family, unit), ("0", "1", "-0.0", "2.5"))
    limits = random.choice(_LIMITS)
    return replace(declared, limits=limits, range=random.choice(_RANGES) if random.random() < 0.2 else "")


def _colours(random: Random) -> tuple[str, ...]:
    return tuple(random.sample(COLOURS, random.randrange(2, len(COLOURS) + 1)))


def _timed(random: Random, signal: Declared, initials: tuple[str, ...]) -> Declared:
    """The signal with a random rate, age and initial value."""
    rate = None if random.random() < 0.08 else random.choice(_RATES)
    chance = random.random()
    max_age_s = "never" if chance < 0.15 else random.choice(_AGES_S) if chance < 0.7 else ""
    initials = initials or signal.values
    initial = random.choice(initials) if random.random() < 0.15 else ""
    if signal.values and initial:
        initial = f'"{initial}"'
    return Declared(signal.name, signal.type, signal.family, signal.unit, rate, max_age_s, initial, signal.values)
