"""Units of measure: a table of exact rationals, so that a literal is rounded only once.

A unit maps a number to the base unit of its dimension by `base = number * scale + offset`. The table is our own because
general libraries round on the way, and read `Nm` (nanometre), `g` (gram) and `%` (a bare number) differently from a
vehicle engineer. `in` is a word of the language and `g` an acceleration, so these two units are `inch` and `gram`.
Angle, ratio (`%`) and rotational speed (`rpm`) are dimensions of their own, never bare numbers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

BASES = ("length", "mass", "time", "current", "temperature", "light", "angle", "ratio", "rotation", "data")
Dimension = tuple[int, ...]
DIMENSIONLESS: Dimension = (0,) * len(BASES)
MAX_UNIT_CHARACTERS = 40
MAX_EXPONENT = 12

# 60 digits: a literal in degrees is still rounded correctly, once, into radians.
_PI = Fraction("3.14159265358979323846264338327950288419716939937510582097494")
_FACTOR = re.compile(r"([A-Za-zµΩ°%]+|1)(?:\^(-?[0-9]{1,2}))?")


def dimension(**exponents: int) -> Dimension:
    """A dimension by the exponents of its bases."""
    return tuple(exponents.get(base, 0) for base in BASES)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: `base = number * scale + offset`; `difference` marks a difference of temperatures."""

    symbol: str
    dimension: Dimension
    scale: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)
    difference: bool = False

    @property
    def is_affine(self) -> bool:
        """True for scales with an arbitrary zero (degC, degF): sums and products make no sense on them."""
        return self.offset != 0


BARE = Unit("", DIMENSIONLESS)
RATIO = Unit("ratio", dimension(ratio=1))
SECOND = Unit("s", dimension(time=1))

_LENGTH = dimension(length=1)
_MASS = dimension(mass=1)
_TIME = dimension(time=1)
_CURRENT = dimension(current=1)
_TEMPERATURE = dimension(temperature=1)
_SPEED = dimension(length=1, time=-1)
_ACCELERATION = dimension(length=1, time=-2)
_FREQUENCY = dimension(time=-1)
_AREA = dimension(length=2)
_VOLUME = dimension(length=3)
_FORCE = dimension(length=1, mass=1, time=-2)
_PRESSURE = dimension(length=-1, mass=1, time=-2)
_ENERGY = dimension(length=2, mass=1, time=-2)
_POWER = dimension(length=2, mass=1, time=-3)
_VOLTAGE = dimension(length=2, mass=1, time=-3, current=-1)
_RESISTANCE = dimension(length=2, mass=1, time=-3, current=-2)
_CHARGE = dimension(time=1, current=1)
_ANGLE = dimension(angle=1)
_RATIO = dimension(ratio=1)
_ROTATION = dimension(rotation=1)
_DATA = dimension(data=1)
_LIGHT = dimension(light=1)
_ILLUMINANCE = dimension(light=1, length=-2)

DIMENSION_NAMES: dict[Dimension, str] = {
    DIMENSIONLESS: "a bare number",
    _LENGTH: "a length",
    _MASS: "a mass",
    _TIME: "a time",
    _CURRENT: "an electric current",
    _TEMPERATURE: "a temperature",
    _SPEED: "a speed",
    _ACCELERATION: "an acceleration",
    _FREQUENCY: "a frequency",
    _AREA: "an area",
    _VOLUME: "a volume",
    _FORCE: "a force",
    _PRESSURE: "a pressure",
    _ENERGY: "an energy or a torque",
    _POWER: "a power",
    _VOLTAGE: "a voltage",
    _RESISTANCE: "a resistance",
    _CHARGE: "an electric charge",
    _ANGLE: "an angle",
    _RATIO: "a ratio",
    _ROTATION: "a rotational speed",
    _DATA: "an amount of data",
    _LIGHT: "a luminous intensity",
    _ILLUMINANCE: "an illuminance",
    dimension(angle=1, time=-1): "an angular speed",
    dimension(angle=1, time=-2): "an angular acceleration",
    dimension(length=3, time=-1): "a volume flow",
    dimension(mass=1, time=-1): "a mass flow",
    dimension(length=1, time=-3): "a jerk",
    dimension(data=1, time=-1): "a data rate",
}

_CONSUMPTION_NAMES: dict[Dimension, str] = {_AREA: "a fuel consumption", _FORCE: "an energy consumption"}

_TABLE: dict[str, tuple[Dimension, str]] = {
    "m": (_LENGTH, "1"), "km": (_LENGTH, "1000"), "cm": (_LENGTH, "1/100"), "mm": (_LENGTH, "1/1000"),
    "um": (_LENGTH, "1/1000000"), "mi": (_LENGTH, "1609.344"), "ft": (_LENGTH, "0.3048"), "yd": (_LENGTH, "0.9144"),
    "inch": (_LENGTH, "0.0254"),
    "s": (_TIME, "1"), "ms": (_TIME, "1/1000"), "us": (_TIME, "1/1000000"), "ns": (_TIME, "1/1000000000"),
    "min": (_TIME, "60"), "h": (_TIME, "3600"), "d": (_TIME, "86400"),
    "kg": (_MASS, "1"), "gram": (_MASS, "1/1000"), "mg": (_MASS, "1/1000000"), "t": (_MASS, "1000"),
    "lb": (_MASS, "0.45359237"),
    "mph": (_SPEED, "0.44704"), "kn": (_SPEED, "1852/3600"), "g": (_ACCELERATION, "9.80665"),
    "A": (_CURRENT, "1"), "mA": (_CURRENT, "1/1000"), "kA": (_CURRENT, "1000"),
    "Ah": (_CHARGE, "3600"), "mAh": (_CHARGE, "3.6"), "C": (_CHARGE, "1"),
    "V": (_VOLTAGE, "1"), "mV": (_VOLTAGE, "1/1000"), "kV": (_VOLTAGE, "1000"),
    "Ohm": (_RESISTANCE, "1"), "mOhm": (_RESISTANCE, "1/1000"), "kOhm": (_RESISTANCE, "1000"),
    "MOhm": (_RESISTANCE, "1000000"), "Hz": (_FREQUENCY, "1"), "kHz": (_FREQUENCY, "1000"),
    "MHz": (_FREQUENCY, "1000000"), "N": (_FORCE, "1"), "kN": (_FORCE, "1000"),
    "Nm": (_ENERGY, "1"), "kNm": (_ENERGY, "1000"),
    "J": (_ENERGY, "1"), "kJ": (_ENERGY, "1000"), "MJ": (_ENERGY, "1000000"), "Wh": (_ENERGY, "3600"),
    "kWh": (_ENERGY, "3600000"), "W": (_POWER, "1"), "kW": (_POWER, "1000"), "MW": (_POWER, "1000000"),
    "PS": (_POWER, "735.49875"), "Pa": (_PRESSURE, "1"), "hPa": (_PRESSURE, "100"), "kPa": (_PRESSURE, "1000"),
    "MPa": (_PRESSURE, "1000000"), "bar": (_PRESSURE, "100000"), "mbar": (_PRESSURE, "100"),
    "psi": (_PRESSURE, "44482216152605/6451600000"),
    "L": (_VOLUME, "1/1000"), "l": (_VOLUME, "1/1000"), "mL": (_VOLUME, "1/1000000"), "ml": (_VOLUME, "1/1000000"),
    "rpm": (_ROTATION, "1"), "%": (_RATIO, "1/100"), "ppm": (_RATIO, "1/1000000"), "ratio": (_RATIO, "1"),
    "cd": (_LIGHT, "1"), "lm": (_LIGHT, "1"), "lx": (_ILLUMINANCE, "1"), "K": (_TEMPERATURE, "1"),
    "B": (_DATA, "1"), "kB": (_DATA, "1000"), "MB": (_DATA, "1000000"), "GB": (_DATA, "1000000000"),
    "TB": (_DATA, "1000000000000"), "PB": (_DATA, "1000000000000000"), "KiB": (_DATA, "1024"),
    "MiB": (_DATA, "1048576"), "GiB": (_DATA, "1073741824"), "TiB": (_DATA, "1099511627776"),
    "bit": (_DATA, "1/8"), "kbit": (_DATA, "125"), "Mbit": (_DATA, "125000"), "Gbit": (_DATA, "125000000"),
}  # fmt: skip

KNOWN_UNITS: dict[str, Unit] = {
    **{symbol: Unit(symbol, dim, Fraction(scale) if "/" not in scale else Fraction(*map(int, scale.split("/"))))
       for symbol, (dim, scale) in _TABLE.items()},
    "rad": Unit("rad", _ANGLE),
    "mrad": Unit("mrad", _ANGLE, Fraction(1, 1000)),
    "deg": Unit("deg", _ANGLE, _PI / 180),
    "degC": Unit("degC", _TEMPERATURE, Fraction(1), Fraction("273.15")),
    "degF": Unit("degF", _TEMPERATURE, Fraction(5, 9), Fraction("459.67") * Fraction(5, 9)),
}  # fmt: skip

_AMOUNT = re.compile(r"(\d{1,20}(?:\.\d{1,20})?) +(\S+)", re.ASCII)
_DIVISORS = {"100km": Unit("100km", _LENGTH, Fraction(100_000))}
"""Distances that are only used as divisors, for consumption (`L/100km`); on their own they are not units."""


def parse_amount(text: str, unit: str) -> Fraction | None:
    """An amount with its unit, such as `256 KiB`, in another unit of its kind; None if the text is none.

    Digits are bounded and exponents have no form here, so no text costs more than a few operations.

    >>> parse_amount("1.5 kB", "B")
    Fraction(1500, 1)
    >>> parse_amount("1e999999999 kB", "B") is None
    True
    """
    found = _AMOUNT.fullmatch(text.strip())
    own, wanted = parse_unit(found[2]) if found else None, parse_unit(unit)
    if found is None or own is None or wanted is None or own.dimension != wanted.dimension:
        return None
    return convert(Fraction(found[1]), own, wanted)


@lru_cache(maxsize=1024)
def parse_unit(text: str) -> Unit | None:
    """The unit that a string such as `m/s^2`, `%` or `1/s` names; None if it is not a unit.

    Affine units cannot be part of others: `degC/s` is not a unit (the rate of a temperature is in `K/s`).

    >>> convert(Fraction(36), parse_unit("km/h"), parse_unit("m/s"))
    Fraction(10, 1)
    >>> parse_unit("degC/s") is None
    True
    """
    if len(text) > MAX_UNIT_CHARACTERS:
        return None
    if text in ("", "1"):
        return BARE
    if text in KNOWN_UNITS:
        return KNOWN_UNITS[text]
    result = BARE
    sign = 1
    for part in re.split(r"([*/])", text):
        if part in ("*", "/"):
            sign = -1 if part == "/" else 1
            continue
        factor = _DIVISORS.get(part) if sign < 0 else None
        factor = factor or _parse_factor(part)
        if factor is None:
            return None
        result = combine(result, factor, sign)
    return Unit(text, result.dimension, result.scale)


def _parse_factor(text: str) -> Unit | None:
    match = _FACTOR.fullmatch(text)
    if match is None:
        return None
    base = BARE if match[1] == "1" else KNOWN_UNITS.get(match[1])
    exponent = int(match[2] or 1)
    if base is None or base.is_affine or abs(exponent) > MAX_EXPONENT:
        return None
    return Unit(text, tuple(e * exponent for e in base.dimension), base.scale**exponent)


def combine(left: Unit, right: Unit, sign: int) -> Unit:
    """The unit of a product (`sign` 1) or a quotient (`sign` -1) of numbers in these units."""
    exponents = tuple(a + sign * b for a, b in zip(left.dimension, right.dimension, strict=True))
    symbol = left.symbol
    if right.symbol:
        symbol = f"{left.symbol or '1'}{'/' if sign < 0 else '*'}{right.symbol}"
        if sign > 0 and not left.symbol:
            symbol = right.symbol
    return Unit(symbol, exponents, left.scale * right.scale**sign)


def convert(value: Fraction, source: Unit, target: Unit) -> Fraction:
    """A number in `source` expressed in `target`, exactly; the dimensions must be equal."""
    return (value * source.scale + source.offset - target.offset) / target.scale


def dimension_name(unit: Unit) -> str:
    """What a number in this unit is, with its article: `a speed`."""
    known = DIMENSION_NAMES.get(unit.dimension)
    if unit.symbol.endswith("km"):  # volume per distance is an area, and energy per distance a force, by dimension only
        known = _CONSUMPTION_NAMES.get(unit.dimension, known)
    return known if known is not None else f"a quantity in {unit.symbol}"


def units_like(unit: Unit, limit: int = 2) -> list[str]:
    """Unit symbols to propose for a quantity: the unit itself, and common units of its dimension."""
    common = ("km/h", "m/s", "m", "km", "K", "s", "ms", "%", "deg", "m/s^2", "g", "degC", "kPa", "V", "kW")
    symbols = [symbol for symbol in common if _is_like(unit, symbol)]
    if unit.is_affine:  # a difference in K is not what is compared with a scale
        symbols = [symbol for symbol in symbols if symbol not in (unit.symbol, "K")]
    if unit.symbol and unit.symbol not in symbols and parse_unit(unit.symbol) is not None:
        symbols.insert(0, unit.symbol)
    return symbols[:limit]


def _is_like(unit: Unit, symbol: str) -> bool:
    other = parse_unit(symbol)
    return other is not None and other.dimension == unit.dimension and not (unit.difference and other.is_affine)
