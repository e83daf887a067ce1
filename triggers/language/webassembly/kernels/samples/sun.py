"""Kernels of `solar_time` and `sun_elevation`, which are computed from each due tick's time."""

from __future__ import annotations

from triggers.language.sun import (
    CENTRE,
    DAY_NS,
    FIRST_NS,
    HOUR_NS,
    J2000_NS,
    MEAN_ANOMALY,
    MEAN_LONGITUDE,
    OBLIQUITY,
    SIDEREAL,
)
from triggers.language.trigonometry import TURN_RAD
from triggers.language.webassembly.kernel_parts.kernel import Kernel, value_of
from triggers.language.webassembly.kernel_parts.skeletons import number_steps
from triggers.language.webassembly.kernel_parts.trigonometry import FUNCTIONS, cosine, number, sine

_HAS_UNIX_TIME = f"(i64.ge_s (local.get $t) (i64.const {FIRST_NS}))"


def _sum(a: str, b: str) -> str:
    return f"(f64.add {a} {b})"


def _product(a: str, b: str) -> str:
    return f"(f64.mul {a} {b})"


def _within(name: str, limit: float) -> str:
    """1 where a number is known and not beyond a limit on either side."""
    return f"(f64.le (f64.abs (local.get {name})) {number(limit)})"


def _solar_time() -> Kernel:
    of_day = f"""(f64.div
      (f64.convert_i64_s (i64.rem_s (local.get $t) (i64.const {DAY_NS}))) (f64.convert_i64_s (i64.const {HOUR_NS})))"""
    body = f"""
      (local.set $longitude {value_of(0)})
      (local.set $held (f64.const nan))
      (if (i32.and {_HAS_UNIX_TIME} {_within("$longitude", 360.0)}) (then
        (local.set $held {_sum(of_day, "(f64.div (local.get $longitude) (f64.const 15))")})
        (local.set $held (f64.sub (local.get $held)
          (f64.mul (f64.const 24) (f64.floor (f64.div (local.get $held) (f64.const 24))))))
        (local.set $held (select (local.get $held) (f64.const 0) (f64.lt (local.get $held) (f64.const 24))))))"""
    return number_steps("solar_time", ("arg0", "out", "due", "state"), (), body, local="(local $longitude f64)")


def _linear(terms: tuple[float, float]) -> str:
    return _sum(number(terms[0]), _product(number(terms[1]), "(local.get $days)"))


def _sun_elevation() -> Kernel:
    days = f"""(f64.div
      (f64.convert_i64_s (i64.sub (local.get $t) (i64.const {J2000_NS}))) (f64.convert_i64_s (i64.const {DAY_NS})))"""
    anomaly, ecliptic, obliquity, sidereal, latitude = (
        f"(local.get ${name})" for name in ("anomaly", "ecliptic", "obliquity", "sidereal", "latitude")
    )
    centre = _sum(
        _product(number(CENTRE[0]), sine(anomaly)),
        _product(number(CENTRE[1]), sine(_product("(f64.const 2)", anomaly))),
    )
    towards = _sum(
        _product(cosine(sidereal), cosine(ecliptic)),
        _product(sine(sidereal), _product("(local.get $across)", cosine(obliquity))),
    )
    height = _sum(
        _product(sine(latitude), _product("(local.get $across)", sine(obliquity))),
        _product(cosine(latitude), towards),
    )
    body = f"""
      (local.set $latitude {value_of(0)}) (local.set $longitude {value_of(1)})
      (local.set $held (f64.const nan))
      (if (i32.and {_HAS_UNIX_TIME} (i32.and {_within("$latitude", 90.0)} {_within("$longitude", 360.0)})) (then
        (local.set $days {days})
        (local.set $anomaly {_linear(MEAN_ANOMALY)})
        (local.set $ecliptic {_sum(_linear(MEAN_LONGITUDE), centre)})
        (local.set $obliquity {_linear(OBLIQUITY)})
        (local.set $sidereal {_sum(_linear(SIDEREAL), "(f64.div (local.get $longitude) (f64.const 360))")})
        (local.set $latitude (f64.div (local.get $latitude) (f64.const 360)))
        (local.set $across {sine(ecliptic)})
        (local.set $held (f64.div (f64.mul (call $arc_sine {height}) (f64.const 360)) {number(TURN_RAD)}))))"""
    names = ("longitude", "latitude", "days", "anomaly", "ecliptic", "obliquity", "sidereal", "across")
    local = " ".join(f"(local ${name} f64)" for name in names)
    return number_steps("sun_elevation", ("arg0", "arg1", "out", "due", "state"), (), body, local=local)


KERNELS: dict[str, Kernel] = {"solar_time": _solar_time(), "sun_elevation": _sun_elevation()}
FUNCTIONS_OF = {"sun_elevation": FUNCTIONS}
"""The functions that a kernel calls."""
