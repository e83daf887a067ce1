"""Functions of a module: sine of an angle in turns, and arc sine; see `triggers.language.trigonometry`."""

from __future__ import annotations

from collections.abc import Sequence

from triggers.language.trigonometry import ARC_SINE, COSINE, SINE, TURN_RAD


def number(value: float) -> str:
    """A constant."""
    return f"(f64.const {value.hex()})"


def _polynomial(coefficients: Sequence[float], x: str) -> str:
    """Horner's rule, the coefficient of the highest power first."""
    text = number(coefficients[0])
    for coefficient in coefficients[1:]:
        text = f"(f64.add (f64.mul {text} (local.get {x})) {number(coefficient)})"
    return text


SINE_FUNCTION = f"""(func $sine (param $turns f64) (result f64)
  (local $quarters f64) (local $quadrant f64) (local $x f64) (local $square f64) (local $value f64)
  (local.set $quarters (f64.nearest (f64.mul (f64.const 4) (local.get $turns))))
  (local.set $x (f64.mul (f64.sub (local.get $turns) (f64.div (local.get $quarters) (f64.const 4))) {number(TURN_RAD)}))
  (local.set $square (f64.mul (local.get $x) (local.get $x)))
  (local.set $quadrant (f64.sub (local.get $quarters)
    (f64.mul (f64.const 4) (f64.floor (f64.div (local.get $quarters) (f64.const 4))))))
  (local.set $value
    (if (result f64) (i32.or (f64.eq (local.get $quadrant) (f64.const 1)) (f64.eq (local.get $quadrant) (f64.const 3)))
      (then {_polynomial(COSINE, "$square")})
      (else (f64.mul (local.get $x) {_polynomial(SINE, "$square")}))))
  (select (f64.neg (local.get $value)) (local.get $value) (f64.ge (local.get $quadrant) (f64.const 2))))"""

ARC_SINE_FUNCTION = f"""(func $arc_sine (param $x f64) (result f64)
  (local $size f64) (local $argument f64) (local $square f64) (local $value f64) (local $half i32)
  (local.set $size (f64.min (f64.abs (local.get $x)) (f64.const 1)))
  (local.set $half (f64.gt (local.get $size) (f64.const 0.5)))
  (local.set $argument (select
    (f64.sqrt (f64.div (f64.sub (f64.const 1) (local.get $size)) (f64.const 2)))
    (local.get $size) (local.get $half)))
  (local.set $square (f64.mul (local.get $argument) (local.get $argument)))
  (local.set $value (f64.mul (local.get $argument) {_polynomial(ARC_SINE, "$square")}))
  (f64.copysign
    (select (f64.sub {number(TURN_RAD / 4.0)} (f64.mul (f64.const 2) (local.get $value))) (local.get $value)
      (local.get $half))
    (local.get $x)))"""

FUNCTIONS = (SINE_FUNCTION, ARC_SINE_FUNCTION)


def sine(turns: str) -> str:
    """The sine of an angle in turns."""
    return f"(call $sine {turns})"


def cosine(turns: str) -> str:
    """The cosine of an angle in turns."""
    return f"(call $sine (f64.add {turns} (f64.const 0.25)))"
