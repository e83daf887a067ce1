"""Kernels of the odometer: metres since the segment began, from a speed in m/s or from a position in degrees."""

from __future__ import annotations

import math

from triggers.language.earth import EARTH_RADIUS_M, STEPS_PER_M
from triggers.language.webassembly.kernel_parts.kernel import Kernel, Slot, is_fresh, value_of
from triggers.language.webassembly.kernel_parts.skeletons import condition_steps, number_steps
from triggers.language.webassembly.kernel_parts.trigonometry import FUNCTIONS, cosine, number, sine
from triggers.signals.travel import MAX_HOLD_NS, MAX_SPEED_M_S


def _add(metres: str) -> str:
    """Add a distance, rounded to whole steps."""
    steps = f"(f64.nearest (f64.mul {metres} {number(STEPS_PER_M)}))"
    return f"(local.set $metres (f64.add (local.get $metres) (f64.div {steps} {number(STEPS_PER_M)})))"


def _of_speed() -> Kernel:
    """`speed` is the magnitude of the latest sample, or NaN where that does not count."""
    elapsed = "(i64.sub (local.get $t) (local.get $sample_ns))"
    trapezoid = f"""(f64.div
      (f64.mul (f64.div (f64.add (local.get $speed) (local.get $x)) (f64.const 2)) (f64.convert_i64_s {elapsed}))
      (f64.const 1e9))"""
    counts = f"""(i32.and (f64.eq (local.get $speed) (local.get $speed))
      (i64.le_s {elapsed} (i64.const {MAX_HOLD_NS})))"""
    body = f"""
      (if {is_fresh()} (then
        (local.set $x (f64.abs {value_of(0)}))
        (if (f64.le (local.get $x) {number(MAX_SPEED_M_S)})
          (then (if {counts} (then {_add(trapezoid)})))
          (else (local.set $x (f64.const nan))))
        (local.set $speed (local.get $x))
        (local.set $sample_ns (local.get $t))))
      (local.set $held (local.get $metres))"""
    slots = (Slot("metres", "f64"), Slot("speed", "f64", math.nan), Slot("sample_ns", "i64"))
    signature = ("arg0", "out", "due", "fresh", "state")
    return number_steps("odometer", signature, slots, body, local="(local $x f64)")


def _half_angle(now: str, before: str) -> str:
    return f"(f64.div (f64.sub (local.get {now}) (local.get {before})) (f64.const 720))"


def _of_places() -> Kernel:
    """`latitude` is NaN before the first position of the segment."""
    cosines = [cosine(f"(f64.div (local.get {name}) (f64.const 360))") for name in ("$latitude", "$y")]
    square = f"""(f64.add (f64.mul (local.get $north) (local.get $north))
      (f64.mul (f64.mul {cosines[0]} {cosines[1]}) (f64.mul (local.get $east) (local.get $east))))"""
    arc = f"(f64.mul {number(2.0 * EARTH_RADIUS_M)} (call $arc_sine (f64.sqrt {square})))"
    is_place = """(i32.and (f64.le (f64.abs (local.get $y)) (f64.const 90))
      (f64.le (f64.abs (local.get $x)) (f64.const 360)))"""
    body = f"""
      (if {is_fresh()} (then
        (local.set $y {value_of(0)}) (local.set $x {value_of(1)})
        (if {is_place} (then
          (if (f64.eq (local.get $latitude) (local.get $latitude)) (then
            (local.set $north {sine(_half_angle("$y", "$latitude"))})
            (local.set $east {sine(_half_angle("$x", "$longitude"))})
            {_add(arc)}))
          (local.set $latitude (local.get $y)) (local.set $longitude (local.get $x))))))
      (local.set $held (local.get $metres))"""
    slots = (Slot("metres", "f64"), Slot("latitude", "f64", math.nan), Slot("longitude", "f64"))
    signature = ("arg0", "arg1", "out", "due", "fresh0", "fresh1", "state")
    local = "(local $x f64) (local $y f64) (local $north f64) (local $east f64)"
    return number_steps("odometer_of_places", signature, slots, body, local=local)


def _every_distance() -> Kernel:
    body = f"""
      (local.set $multiple (f64.floor (f64.div {value_of(0)} (local.get $multiple_m))))
      (local.set $yes (f64.gt (local.get $multiple) (local.get $passed)))
      (local.set $no (i32.eqz (local.get $yes)))
      (local.set $passed (local.get $multiple))"""
    signature = ("arg0", "out", "due", "state", "multiple_m")
    return condition_steps("every_distance", signature, (Slot("passed", "f64"),), body, local="(local $multiple f64)")


KERNELS: dict[str, Kernel] = {
    "odometer": _of_speed(),
    "odometer_of_places": _of_places(),
    "every_distance": _every_distance(),
}
FUNCTIONS_OF = {"odometer_of_places": FUNCTIONS}
"""The functions that a kernel calls."""
