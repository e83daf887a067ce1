"""Kernels of places: `near` and `inside` over the columns of latitude and longitude.

A position usually stays for many ticks, so the latest result is used again while the bits of both numbers are the
same. Operations and their order are those of `reference.geometry`, so that both give the same bits.
"""

from __future__ import annotations

import math

from triggers.language.earth import EARTH_RADIUS_M, RADIANS, REACH_DEG, sine_and_cosine, squared_chord
from triggers.language.ir import Node
from triggers.language.webassembly.kernel_parts.kernel import VALID, Kernel, kernel_text
from triggers.language.webassembly.kernel_parts.words import each_word, from_bit, lowest, next_word, store
from triggers.language.webassembly.kernels.current.stateless import mask64

_NO_POLE_DEG = 77.0
"""Up to this latitude of the centre no position within the reach lies beyond a pole."""


def extra_parameters(node: Node) -> dict[str, float]:
    """Parameters of the kernel of `near` that are not the operation's: computed while compiling."""
    latitude, radius_m = node.number("latitude"), node.number("radius_m")
    sine, cosine = sine_and_cosine(latitude * RADIANS)
    north_limit = REACH_DEG
    if abs(latitude) <= _NO_POLE_DEG:
        # the distance in latitude alone is then a lower bound, with a margin far above any rounding
        north_limit = min(REACH_DEG, math.degrees(radius_m / EARTH_RADIUS_M) * 1.001 + 1e-6)
    return {"sine": sine, "cosine": cosine, "square_limit": squared_chord(radius_m), "north_limit": north_limit}


def _constant(number: float) -> str:
    return f"(f64.const {number.hex()})"


def _times(*factors: str) -> str:
    """A product, from the left."""
    product = factors[0]
    for factor in factors[1:]:
        product = f"(f64.mul {product} {factor})"
    return product


def _series(square: str, *coefficients: float) -> str:
    """`c0 - square * (c1 - square * (c2 ...))`."""
    text = _constant(coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        text = f"(f64.sub {_constant(coefficient)} {_times(square, text)})"
    return text


def _sine(x: str) -> str:
    """Sine of a local by its Taylor polynomial to x^7."""
    series = _series("(local.get $square)", 1.0, 1.0 / 6.0, 1.0 / 120.0, 1.0 / 5040.0)
    return f"(local.set $square {_times(x, x)}) (local.set $sine_of {_times(x, series)})"


def _cosine(x: str) -> str:
    """Cosine of a local by its Taylor polynomial to x^8."""
    series = _series("(local.get $square)", 1.0, 0.5, 1.0 / 24.0, 1.0 / 720.0, 1.0 / 40320.0)
    return f"(local.set $square {_times(x, x)}) (local.set $cosine_of {series})"


# The numbers before a word's first tick are read too, and not used: that tick is compared with what was seen last.
_MOVES = mask64(
    "(v128.or "
    + " ".join(
        f"(i64x2.ne (v128.load offset=OFFSET (i32.sub (local.get $arg{i}) (i32.const 8)))"
        f" (v128.load offset=OFFSET (local.get $arg{i})))"
        for i in range(2)
    )
    + ")"
)


def _from_bit_on(word: str, value: str) -> str:
    """Set the bits of `word` from `$bit` on to a value, 1 or 0."""
    below = f"(i64.and (local.get {word}) (i64.sub (local.get $bit) (i64.const 1)))"
    above = f"(i64.and {from_bit('$bit')} (i64.sub (i64.const 0) (i64.extend_i32_u {value})))"
    return f"(local.set {word} (i64.or {below} {above}))"


def _each_position(name: str, signature: tuple[str, ...], body: str, local: str) -> Kernel:
    """A kernel that runs `body` at each new position: it finds `$latitude_deg`, `$longitude_deg`, both known, and sets
    `$yes` to 1 where the condition is true there; leaving block `$decided` is allowed."""
    unlike = [
        f"(i64.ne (i64.load (local.get $arg{i})) (i64.reinterpret_f64 (local.get ${each}_deg)))"
        for i, each in enumerate(("latitude", "longitude"))
    ]
    words = f"""(local.set $T (i64.sub (i64.const 0) (i64.extend_i32_u (local.get $yes))))
      (local.set $F (i64.sub (i64.const 0) (i64.extend_i32_u (i32.xor (local.get $known) (local.get $yes)))))
      (local.set $moves (i64.and {VALID} (i64.or (i64.extend_i32_u (i32.or {unlike[0]} {unlike[1]}))
        (i64.and {_MOVES} (i64.const -2)))))
      (block $done (loop $each
        (br_if $done (i64.eqz (local.get $moves)))
        (local.set $bit {lowest("$moves")})
        (local.set $moves (i64.xor (local.get $moves) (local.get $bit)))
        (local.set $at (i32.shl (i32.wrap_i64 (i64.ctz (local.get $bit))) (i32.const 3)))
        (local.set $latitude_deg (f64.load (i32.add (local.get $arg0) (local.get $at))))
        (local.set $longitude_deg (f64.load (i32.add (local.get $arg1) (local.get $at))))
        (local.set $yes (i32.const 0))
        (local.set $known (i32.and (f64.eq (local.get $latitude_deg) (local.get $latitude_deg))
          (f64.eq (local.get $longitude_deg) (local.get $longitude_deg))))
        (block $decided
          (br_if $decided (i32.eqz (local.get $known)))
          {body})
        {_from_bit_on("$T", "(local.get $yes)")}
        {_from_bit_on("$F", "(i32.xor (local.get $known) (local.get $yes))")}
        (br $each)))
      {store(f"(i64.and (local.get $T) {VALID})", f"(i64.and (local.get $F) {VALID})")} {next_word("arg0", "arg1")}"""
    declared = f"""(local $w i32) (local $at i32) (local $yes i32) (local $known i32)
      (local $T i64) (local $F i64) (local $moves i64) (local $bit i64)
      (local $latitude_deg f64) (local $longitude_deg f64) {local}"""
    # a position that a first one differs from, or has the result of: that of an unknown one
    text = f"(local.set $latitude_deg (f64.const nan)) (local.set $longitude_deg (f64.const nan)) {each_word(words)}"
    return Kernel(name, signature, kernel_text(name, signature, declared, text))


def _near() -> Kernel:
    """Far positions, by their latitude or longitude alone, need no polynomial."""
    signature = ("arg0", "arg1", "out", "latitude", "longitude", "sine", "cosine", "square_limit", "north_limit")
    north, east, turn = "(local.get $north)", "(local.get $east)", "(f64.const 360)"
    reach = _constant(REACH_DEG)
    half_north, half_east, cosine = "(local.get $half_north)", "(local.get $half_east)", "(local.get $cosine)"
    body = f"""(local.set $north (f64.sub (local.get $latitude_deg) (local.get $latitude)))
      (br_if $decided (f64.gt (f64.abs {north}) (local.get $north_limit)))
      (local.set $east (f64.sub (local.get $longitude_deg) (local.get $longitude)))
      (if (f64.gt {east} (f64.const 180)) (then (local.set $east (f64.sub {east} {turn})))
        (else (if (f64.lt {east} (f64.const -180)) (then (local.set $east (f64.add {east} {turn}))))))
      (br_if $decided (f64.gt (f64.abs {east}) {reach}))
      (local.set $north {_times(north, _constant(RADIANS))}) (local.set $east {_times(east, _constant(RADIANS))})
      (local.set $half_north {_times("(f64.const 0.5)", north)}) {_sine(half_north)}
      (local.set $half_north (local.get $sine_of))
      (local.set $half_east {_times("(f64.const 0.5)", east)}) {_sine(half_east)}
      (local.set $half_east (local.get $sine_of))
      {_sine(north)} {_cosine(north)}
      (local.set $there (f64.sub {_times(cosine, "(local.get $cosine_of)")}
        {_times("(local.get $sine)", "(local.get $sine_of)")}))
      (local.set $yes (f64.le {
        _times(
            "(f64.const 4)",
            f"(f64.add {_times(half_north, half_north)} {_times(cosine, '(local.get $there)', half_east, half_east)})",
        )
    } (local.get $square_limit)))"""
    names = ("north", "east", "half_north", "half_east", "square", "sine_of", "cosine_of", "there")
    return _each_position("near", signature, body, " ".join(f"(local ${name} f64)" for name in names))


def _inside() -> Kernel:
    """Each edge runs north, from the end that belongs to it to the one that does not; it flips the parity if it lies to
    the east."""
    signature = ("arg0", "arg1", "out", "table", "length")
    latitude, longitude = "(local.get $latitude_deg)", "(local.get $longitude_deg)"
    side = f"""(f64.sub
      (f64.mul (f64.sub {longitude} (local.get $lon_a)) (f64.sub (local.get $lat_b) (local.get $lat_a)))
      (f64.mul (f64.sub (f64.load offset=24 (local.get $edge)) (local.get $lon_a))
        (f64.sub {latitude} (local.get $lat_a))))"""
    body = f"""(br_if $decided (i32.eqz (local.get $length)))
      (local.set $edge (local.get $table))
      (local.set $end (i32.add (local.get $table) (i32.shl (local.get $length) (i32.const 3))))
      (loop $edges
        (local.set $lat_a (f64.load (local.get $edge)))
        (local.set $lat_b (f64.load offset=16 (local.get $edge)))
        (if (i32.and (f64.ge {latitude} (local.get $lat_a)) (f64.lt {latitude} (local.get $lat_b))) (then
          (local.set $lon_a (f64.load offset=8 (local.get $edge)))
          (local.set $yes (i32.xor (local.get $yes) (f64.lt {side} (f64.const 0))))))
        (local.set $edge (i32.add (local.get $edge) (i32.const 32)))
        (br_if $edges (i32.lt_u (local.get $edge) (local.get $end))))"""
    names = ("lat_a", "lon_a", "lat_b")
    local = " ".join(("(local $edge i32) (local $end i32)", *(f"(local ${name} f64)" for name in names)))
    return _each_position("inside", signature, body, local)


KERNELS: dict[str, Kernel] = {kernel.name: kernel for kernel in (_near(), _inside())}
