"""Other spellings of units, and which unit is meant: for proposals only, nothing is read with them."""
# ruff: noqa: RUF001 - characters that look like others are among them

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from triggers.signals.units import KNOWN_UNITS, MAX_UNIT_CHARACTERS, parse_unit

_COMMON = ("km/h", "m/s", "m/s^2", "rad/s", "deg/s", "L/h", "L/100km", "1/s", "K/s")


def _plurals(**units: str) -> Iterable[tuple[str, str]]:
    for word, unit in units.items():
        yield from ((word, unit), (f"{word}s", unit))


_SPELLINGS: dict[str, str] = {
    "kph": "km/h", "kmh": "km/h", "kmph": "km/h", "kmhr": "km/h", "mps": "m/s", "ms2": "m/s^2", "mps2": "m/s^2",
    "mi/h": "mph", "miph": "mph", "percent": "%", "pct": "%", "percentage": "%", "％": "%", "°": "deg", "rads": "rad",
    "°c": "degC", "℃": "degC", "celsius": "degC", "centigrade": "degC", "°f": "degF", "℉": "degF",
    "fahrenheit": "degF", "kelvin": "K", "°k": "K", "sec": "s", "secs": "s", "msec": "ms", "msecs": "ms", "usec": "us",
    "usecs": "us", "nsec": "ns", "mins": "min", "hr": "h", "hrs": "h", "kt": "kn", "kts": "kn", "feet": "ft",
    "inches": "inch", "lbs": "lb", "hertz": "Hz", "ω": "Ohm", "kω": "kOhm", "mω": "mOhm", "lux": "lx", "gee": "g",
    "kbps": "kbit/s", "mbps": "Mbit/s", "gbps": "Gbit/s", "u/min": "rpm", "rev/min": "rpm", "unitless": "ratio",
    **dict(_plurals(degree="deg", radian="rad", second="s", millisecond="ms", microsecond="us", nanosecond="ns",
                    minute="min", hour="h", day="d", metre="m", meter="m", kilometre="km", kilometer="km",
                    centimetre="cm", centimeter="cm", millimetre="mm", millimeter="mm", mile="mi", foot="ft",
                    yard="yd", knot="kn", gram="gram", kilogram="kg", ton="t", tonne="t", pound="lb", volt="V",
                    amp="A", ampere="A", watt="W", kilowatt="kW", ohm="Ohm", newton="N", pascal="Pa", litre="L",
                    liter="L", byte="B", bit="bit", kilobyte="kB", megabyte="MB", gigabyte="GB", terabyte="TB")),
}  # fmt: skip
"""By the spelling in lower case."""

_ANY_CASE = {unit.lower(): unit for unit in (*reversed(KNOWN_UNITS), *_COMMON)}
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_POWER = re.compile(r"([^0-9⁰¹²³⁴⁵⁶⁷⁸⁹⁻^*-]+)(?:\^|\*\*)?([⁻-]?[0-9⁰¹²³⁴⁵⁶⁷⁸⁹]+)")


def meant_unit(text: str) -> str | None:
    """The unit that a spelling clearly stands for; None if there is none.

    >>> [meant_unit(text) for text in ("kph", "°C", "µs", "m/s2", "m·s⁻²", "KM/H", "percent", "furlong")]
    ['km/h', 'degC', 'us', 'm/s^2', 'm*s^-2', 'km/h', '%', None]
    """
    if not 0 < len(text) <= MAX_UNIT_CHARACTERS:
        return None
    plain = text.replace("\N{GREEK SMALL LETTER MU}", "u").replace("µ", "u").replace("\N{OHM SIGN}", "Ω")
    whole = _one(plain)
    if whole is not None:
        return whole
    parts = re.split(r"(\*(?!\*)|[/·⋅])", plain)
    meant = [part if index % 2 else _factor(part) for index, part in enumerate(parts)]
    joined = "".join(part or "?" for part in meant).replace("·", "*").replace("⋅", "*")
    return joined if joined != text and parse_unit(joined) is not None else None


def _factor(text: str) -> str | None:
    power = _POWER.fullmatch(text)
    if power is None:
        return _one(text)
    base, exponent = _one(power[1]), power[2].translate(_RAISED)
    return None if base is None or "/" in base else f"{base}^{exponent}"


def _one(text: str) -> str | None:
    if parse_unit(text) is not None:
        return text
    return _SPELLINGS.get(text.lower()) or _ANY_CASE.get(text.lower())


def nearest_units(text: str) -> list[str]:
    """What to propose for a string that is not a unit: the one that is meant, else known ones with a close spelling."""
    meant = meant_unit(text)
    if meant is not None:
        return [meant]
    return get_close_matches(text[:MAX_UNIT_CHARACTERS], [*KNOWN_UNITS, *_COMMON], n=2, cutoff=0.6)
