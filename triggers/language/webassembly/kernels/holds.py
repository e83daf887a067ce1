"""Kernel of `P for D`: finds runs of true ticks by counting zeros, and in each the tick from which it is held."""

from __future__ import annotations

from triggers.language.webassembly.kernel_parts.kernel import HALF, Kernel, Slot, kernel_text, slot_locals, time_at

_SIGNATURE = ("arg0", "out", "due", "state", "hold_ns")
_SLOTS = (Slot("stage", "i32", 0), Slot("since", "i64", 0))
"""0: no run; 1: a run that is not held yet; 2: a held one. `since` is the time of its first tick."""

_DECLARE, _LOAD, _STORE = slot_locals(_SLOTS)


def _bits(first: str, end: str) -> str:
    """A word with the bits from `first` to before `end`, which is at least 1 and at most 64."""
    above = f"(i64.shl (i64.const -1) (i64.extend_i32_u {first}))"
    return f"(i64.and {above} (i64.shr_u (i64.const -1) (i64.extend_i32_u (i32.sub (i32.const 64) {end}))))"


def _held_at(index: str) -> str:
    """Whether the run has lasted long enough at the tick with that index."""
    return f"(i64.ge_u (i64.sub {time_at(index)} (local.get $since)) (local.get $hold_ns))"


_DUE = "(i64.and (i64.shr_u (local.get $D) (i64.extend_i32_u (local.get $held))) (i64.const 1))"

# P changes at due ticks only, so a run begins and ends at one; it is held from the first due tick that is late enough.
_BODY = f"""{_LOAD}
  (loop $words
    (local.set $T (i64.load (i32.add (local.get $arg0) (local.get $w))))
    (local.set $result (i64.const 0))
    (local.set $base (i32.shl (local.get $w) (i32.const 3)))
    (block $word
      (if (i64.eqz (local.get $T)) (then (local.set $stage (i32.const 0)) (br $word)))
      (if (i32.and (i64.eq (local.get $T) (i64.const -1)) (i32.eq (local.get $stage) (i32.const 2)))
        (then (local.set $result (i64.const -1)) (br $word)))
      (local.set $D (i64.load (i32.add (local.get $due) (local.get $w))))
      (local.set $rest (local.get $T))
      (if (i32.eqz (i32.wrap_i64 (i64.and (local.get $T) (i64.const 1)))) (then (local.set $stage (i32.const 0))))
      (loop $runs
        (local.set $first (i32.wrap_i64 (i64.ctz (local.get $rest))))
        (local.set $end (i32.add (local.get $first) (i32.wrap_i64 (i64.ctz (i64.xor (i64.const -1)
          (i64.shr_u (local.get $rest) (i64.extend_i32_u (local.get $first))))))))
        (if (i32.eqz (local.get $stage)) (then
          (local.set $stage (i32.const 1))
          (local.set $since {time_at("(i32.add (local.get $base) (local.get $first))")})))
        (local.set $held (local.get $first))
        (if (i32.eq (local.get $stage) (i32.const 1)) (then
          (if {_held_at("(i32.add (local.get $base) (i32.sub (local.get $end) (i32.const 1)))")}
            (then
              (block $found (loop $find
                (if {_held_at("(i32.add (local.get $base) (local.get $held))")} (then
                  (br_if $found (i32.wrap_i64 {_DUE}))))
                (local.set $held (i32.add (local.get $held) (i32.const 1)))
                (br_if $find (i32.lt_u (local.get $held) (local.get $end)))))
              (if (i32.lt_u (local.get $held) (local.get $end)) (then (local.set $stage (i32.const 2)))))
            (else (local.set $held (local.get $end))))))
        (if (i32.lt_u (local.get $held) (local.get $end)) (then
          (local.set $result (i64.or (local.get $result) {_bits("(local.get $held)", "(local.get $end)")}))))
        (if (i32.and (i32.lt_u (local.get $end) (i32.const 64))
              (i32.lt_u (i32.add (local.get $base) (local.get $end)) (global.get $count))) (then
          (local.set $stage (i32.const 0))
          (local.set $rest (i64.and (local.get $rest)
            (i64.shl (i64.const -1) (i64.extend_i32_u (local.get $end)))))
          (br_if $runs (i64.ne (local.get $rest) (i64.const 0)))))))
    (i64.store (i32.add (local.get $out) (local.get $w)) (local.get $result))
    (i64.store offset={HALF} (i32.add (local.get $out) (local.get $w)) (i64.or
      (i64.load offset={HALF} (i32.add (local.get $arg0) (local.get $w)))
      (i64.and (local.get $T) (i64.xor (local.get $result) (i64.const -1)))))
    (local.set $w (i32.add (local.get $w) (i32.const 8)))
    (br_if $words (i32.lt_u (local.get $w) (global.get $words))))
  {_STORE}"""

_LOCALS = f"""(local $w i32) (local $base i32) (local $first i32) (local $end i32) (local $held i32)
  (local $T i64) (local $D i64) (local $rest i64) (local $result i64) {_DECLARE}"""

KERNELS: dict[str, Kernel] = {
    "for": Kernel("for", _SIGNATURE, kernel_text("for", _SIGNATURE, _LOCALS, _BODY), _SLOTS),
}
