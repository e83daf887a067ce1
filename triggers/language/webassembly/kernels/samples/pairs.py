"""Kernels that look at the times of samples: `age`, the pairs of `disagree` and `divergence`, and `compare`."""

from __future__ import annotations

import math

from triggers.language.webassembly.kernel_parts.kernel import VALID, Kernel, Slot, kernel_text, slot_locals, time_at
from triggers.language.webassembly.kernel_parts.words import (
    LAST_TICK,
    each_word,
    flood,
    from_bit,
    highest,
    inverted,
    known_word,
    load,
    lowest,
    next_word,
    store,
    time_of_bit,
)
from triggers.language.webassembly.kernels.current.stateless import mask64

_FIRST_TIME = time_at("(i32.shl (local.get $w) (i32.const 3))")

# Where a sample is missing its time is negative, and the difference means nothing.
_APART = mask64(
    "(v128.or (i64x2.lt_s (v128.or (v128.load offset=OFFSET (local.get $sampled0))"
    " (v128.load offset=OFFSET (local.get $sampled1))) (v128.const i64x2 0 0))"
    " (i64x2.gt_s (i64x2.abs (i64x2.sub (v128.load offset=OFFSET (local.get $sampled0))"
    " (v128.load offset=OFFSET (local.get $sampled1)))) (local.get $skew)))"
)

_PAIRS = f"""(local.set $due_word {load("due")})
  (local.set $paired (local.get $due_word))
  (if (i32.and (i64.ne (local.get $due_word) (i64.const 0)) (i32.eqz (local.get $together))) (then
    (local.set $paired (i64.and (local.get $due_word) {inverted(_APART)}))))"""
"""Set `$paired` to the due ticks of the word whose two samples lie within the skew."""

_TOGETHER = """(local.set $skew (i64x2.splat (local.get $skew_ns)))
  (local.set $together (i32.and (i32.eq (local.get $sampled0) (global.get $tt))
    (i32.eq (local.get $sampled1) (global.get $tt))))"""
"""Set `$together` to 1 where both columns of sample times are the ticks' own: a sample of each at every tick."""

_PAIR_LOCALS = """(local $w i32) (local $together i32) (local $skew v128) (local $due_word i64) (local $paired i64)"""
_ENDS_LOCALS = " ".join(f"(local ${name} i64)" for name in ("ends", "rest", "bit", "before", "next", "run", "t"))

_CONDITIONS = f"""(local.set $T0 {load("arg0")}) (local.set $F0 {load("arg0", half=True)})
  (local.set $T1 {load("arg1")}) (local.set $F1 {load("arg1", half=True)})"""
_CONDITION_LOCALS = " ".join(f"(local ${name} i64)" for name in ("T0", "F0", "T1", "F1"))


def _both(one: str, other: str) -> str:
    return f"(i64.and (local.get {one}) (local.get {other}))"


_DIFFER = f"(i64.or {_both('$T0', '$F1')} {_both('$F0', '$T1')})"
_SAME = f"(i64.or {_both('$T0', '$T1')} {_both('$F0', '$F1')})"


def _age() -> Kernel:
    """Seconds since the latest sample, as an exact difference rounded once and then divided."""
    signature = ("sampled0", "out", "due", "state")
    slots = (Slot("held", "f64", math.nan),)
    declare, loads, stores = slot_locals(slots)
    words = f"""(local.set $due_word {load("due")})
      (local.set $end (i32.add (local.get $at) (i32.const 512)))
      (if (i32.gt_u (local.get $end) (local.get $last)) (then (local.set $end (local.get $last))))
      (loop $ticks
        (if (i32.wrap_i64 (i64.and (local.get $due_word) (i64.const 1))) (then
          (local.set $sample_ns (i64.load (i32.add (local.get $sampled0) (local.get $at))))
          (local.set $held (if (result f64) (i64.lt_s (local.get $sample_ns) (i64.const 0))
            (then (f64.const nan))
            (else (f64.div (f64.convert_i64_s (i64.sub (i64.load (i32.add (global.get $tt) (local.get $at)))
              (local.get $sample_ns))) (f64.const 1e9)))))))
        (local.set $due_word (i64.shr_u (local.get $due_word) (i64.const 1)))
        (f64.store (i32.add (local.get $out) (local.get $at)) (local.get $held))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br_if $ticks (i32.lt_u (local.get $at) (local.get $end))))"""
    local = f"""(local $w i32) (local $at i32) (local $end i32) (local $last i32) (local $due_word i64)
      (local $sample_ns i64) {declare}"""
    last = "(local.set $last (i32.shl (global.get $count) (i32.const 3)))"
    return Kernel(
        "age", signature, kernel_text("age", signature, local, f"{loads} {last} {each_word(words)} {stores}"), slots
    )


_PAIR_SLOTS = (Slot("pairs", "i64"), Slot("paired_ns", "i64"))
"""Whether there was a pair in the segment, and when the latest was."""

# An unpaired due tick may find the latest pair too old; of a run of them the first such tick ends the pair's value,
# which nothing but a new pair brings back. Where the word's last tick is not late enough, none is.
_ENDS = f"""(local.set $ends (i64.const 0))
  (local.set $rest (i64.xor (local.get $due_word) (local.get $paired)))
  (if (i64.le_u (i64.sub {time_at(LAST_TICK)} (select (local.get $paired_ns) {_FIRST_TIME}
      (i32.wrap_i64 (local.get $pairs)))) (local.get $stale_ns))
    (then (local.set $rest (i64.const 0))))
  (block $done (loop $runs
    (br_if $done (i64.eqz (local.get $rest)))
    (local.set $bit {lowest("$rest")})
    (local.set $before (i64.and (local.get $paired) (i64.sub (local.get $bit) (i64.const 1))))
    (local.set $next (i64.and (local.get $paired) {from_bit("$bit")}))
    (local.set $run (i64.and (local.get $rest) (i64.sub {lowest("$next")} (i64.const 1))))
    (local.set $rest (i64.xor (local.get $rest) (local.get $run)))
    (local.set $t (local.get $paired_ns))
    (if (i64.ne (local.get $before) (i64.const 0)) (then
      (local.set $bit {highest("$before")})
      (local.set $t {time_of_bit("$bit")})))
    (local.set $bit {highest("$run")})
    (br_if $runs (i64.le_u (i64.sub {time_of_bit("$bit")} (local.get $t)) (local.get $stale_ns)))
    (loop $first
      (local.set $bit {lowest("$run")})
      (local.set $run (i64.xor (local.get $run) (local.get $bit)))
      (br_if $first (i64.le_u (i64.sub {time_of_bit("$bit")} (local.get $t)) (local.get $stale_ns))))
    (local.set $ends (i64.or (local.get $ends) (local.get $bit)))
    (br $runs)))
  (if (i64.ne (local.get $paired) (i64.const 0)) (then
    (local.set $pairs (i64.const 1))
    (local.set $bit {highest("$paired")})
    (local.set $paired_ns {time_of_bit("$bit")})))"""
"""Set `$ends` to the ticks at which a pair's value ends for its age, and remember the latest pair."""


def _kept(result: str, values: str, carry: str) -> str:
    """Set `result` to where the latest pair has one of `values`, a word of comparisons."""
    return f"""(local.set $hits (i64.and {values} (local.get $paired)))
      {flood(result, "$hits", "$stays", carry)}"""


def _disagree(name: str, differ: str, same: str, loads: str, step: str) -> Kernel:
    """Each pair's value floods the ticks to the next pair or to its end; `differ` and `same` give words."""
    signature = ("arg0", "arg1", "sampled0", "sampled1", "out", "due", "state", "skew_ns", "stale_ns")
    slots = (*_PAIR_SLOTS, Slot("yes", "i64"), Slot("no", "i64"))
    declare, load_slots, stores = slot_locals(slots)
    words = f"""{_PAIRS} {_ENDS} {loads}
      (local.set $stays {inverted("(i64.or (local.get $paired) (local.get $ends))")})
      {_kept("$T", differ, "$yes")} {_kept("$F", same, "$no")}
      {store(f"(i64.and (local.get $T) {VALID})", f"(i64.and (local.get $F) {VALID})")}
      {step}"""
    local = f"{_PAIR_LOCALS} {_ENDS_LOCALS} {_CONDITION_LOCALS} (local $stays i64) (local $hits i64)"
    local += f" (local $T i64) (local $F i64) {declare}"
    body = f"{load_slots} {_TOGETHER} {each_word(words)} {stores}"
    return Kernel(name, signature, kernel_text(name, signature, local, body), slots)


def _numbers(comparison: str) -> str:
    columns = " ".join(f"(v128.load offset=OFFSET (local.get $arg{i}))" for i in range(2))
    return f"({comparison} {columns})"


_UNEQUAL = mask64(f"(v128.or {_numbers('f64x2.lt')} {_numbers('f64x2.gt')})")
_EQUAL = mask64(_numbers("f64x2.eq"))
_NEXT_TIMES = next_word("sampled0", "sampled1")

_DISTANCE = """(local.set $x (f64.abs (f64.sub (f64.load (i32.add (local.get $arg1) (local.get $at)))
  (f64.load (i32.add (local.get $arg0) (local.get $at))))))
  (local.set $x (select (local.get $x) (f64.const nan) (f64.lt (local.get $x) (f64.const inf))))"""
"""Set `$x` to how far the two numbers lie apart at this tick; NaN where one is unknown or the result infinite."""


def _divergence() -> Kernel:
    """Ticks in turn; a whole word at once where each of its ticks brings a pair."""
    signature = ("arg0", "arg1", "sampled0", "sampled1", "out", "due", "state", "skew_ns", "stale_ns")
    slots = (*_PAIR_SLOTS, Slot("value", "f64", math.nan))
    declare, loads, stores = slot_locals(slots)
    all_paired = """(loop $twos
        (local.set $v (f64x2.abs (f64x2.sub
          (v128.load (i32.add (local.get $arg1) (local.get $at)))
          (v128.load (i32.add (local.get $arg0) (local.get $at))))))
        (v128.store (i32.add (local.get $out) (local.get $at)) (v128.bitselect (local.get $v)
          (v128.const f64x2 nan nan) (f64x2.lt (local.get $v) (v128.const f64x2 inf inf))))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br_if $twos (i32.lt_u (local.get $at) (local.get $end))))
      (local.set $at (local.get $end))
      (local.set $value (f64.load (i32.add (local.get $out) (i32.sub (local.get $end) (i32.const 8)))))"""
    in_turn = f"""(loop $ticks
        (if (i32.wrap_i64 (i64.and (local.get $ends) (i64.const 1))) (then (local.set $value (f64.const nan))))
        (if (i32.wrap_i64 (i64.and (local.get $paired) (i64.const 1))) (then
          {_DISTANCE} (local.set $value (local.get $x))))
        (f64.store (i32.add (local.get $out) (local.get $at)) (local.get $value))
        (local.set $ends (i64.shr_u (local.get $ends) (i64.const 1)))
        (local.set $paired (i64.shr_u (local.get $paired) (i64.const 1)))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br_if $ticks (i32.lt_u (local.get $at) (local.get $end))))"""
    words = f"""{_PAIRS} {_ENDS}
      (local.set $end (i32.add (i32.shl {LAST_TICK} (i32.const 3)) (i32.const 8)))
      (if (i64.eq (local.get $paired) {VALID}) (then {all_paired}) (else {in_turn}))
      {_NEXT_TIMES}"""
    local = f"{_PAIR_LOCALS} {_ENDS_LOCALS} (local $at i32) (local $end i32) (local $x f64) (local $v v128) {declare}"
    body = f"{loads} {_TOGETHER} {each_word(words)} {stores}"
    return Kernel("divergence", signature, kernel_text("divergence", signature, local, body), slots)


def _compare() -> Kernel:
    """Adds to five counters at `state`: 00, 01, 10, 11 (first argument, second) and unknown, at each new pair.

    A new pair is a tick with a new sample of at least one of the two signals whose latest samples lie within the skew.
    The counters survive segments, so they are not slots.
    """
    signature = ("arg0", "arg1", "sampled0", "sampled1", "due", "fresh", "state", "skew_ns")
    counted = [f"(i64.and (local.get $new) {_both(a, b)})" for a in ("$F0", "$T0") for b in ("$F1", "$T1")]
    unknown = inverted(f"(i64.and {known_word(0)} {known_word(1)})")
    counted.append(f"(i64.and (local.get $new) {unknown})")
    add = " ".join(
        f"(i64.store offset={index * 8} (local.get $state)"
        f" (i64.add (i64.load offset={index * 8} (local.get $state)) (i64.popcnt {word})))"
        for index, word in enumerate(counted)
    )
    words = f"""{_PAIRS}
      (local.set $new (i64.and (local.get $paired) {load("fresh")}))
      (if (i64.ne (local.get $new) (i64.const 0)) (then {_CONDITIONS} {add}))
      {_NEXT_TIMES}"""
    local = f"{_PAIR_LOCALS} {_CONDITION_LOCALS} (local $new i64)"
    return Kernel("compare", signature, kernel_text("compare", signature, local, f"{_TOGETHER} {each_word(words)}"))


KERNELS: dict[str, Kernel] = {
    "age": _age(),
    "disagree_number": _disagree(
        "disagree_number", _UNEQUAL, _EQUAL, "", next_word("arg0", "arg1", "sampled0", "sampled1")
    ),
    "disagree_bool": _disagree("disagree_bool", _DIFFER, _SAME, _CONDITIONS, _NEXT_TIMES),
    "divergence": _divergence(),
    "compare": _compare(),
}
