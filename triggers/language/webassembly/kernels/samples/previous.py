"""Kernels of `prev`: the value at the update tick before the latest one.

An update tick is one at which a signal has a new sample and the argument is known.
"""

from __future__ import annotations

import math

from triggers.language.webassembly.kernel_parts.kernel import VALID, Kernel, Slot
from triggers.language.webassembly.kernel_parts.words import (
    LAST_TICK,
    changes,
    flood,
    inverted,
    known_word,
    load,
    next_word,
    store,
    word_kernel,
)
from triggers.language.webassembly.kernels.current.stateless import mask64

_KNOWN = mask64("(f64x2.eq (v128.load offset=OFFSET (local.get $arg0)) (v128.load offset=OFFSET (local.get $arg0)))")

_NONE = """(local.set $same (f64x2.splat (local.get $held)))
        (loop $twos
          (v128.store (local.get $to) (local.get $same))
          (local.set $to (i32.add (local.get $to) (i32.const 16)))
          (br_if $twos (i32.lt_u (local.get $to) (local.get $end))))"""

# The number before the word's first tick is read too, and replaced: the update before it may be longer ago.
_ALL = """(local.set $at (local.get $arg0))
        (loop $twos
          (v128.store (local.get $to) (v128.load (i32.sub (local.get $at) (i32.const 8))))
          (local.set $at (i32.add (local.get $at) (i32.const 16)))
          (local.set $to (i32.add (local.get $to) (i32.const 16)))
          (br_if $twos (i32.lt_u (local.get $to) (local.get $end))))
        (f64.store (local.get $out) (local.get $latest))
        (local.set $held (f64.load (i32.sub (local.get $end) (i32.const 8))))
        (local.set $latest (f64.load (i32.add (local.get $arg0)
          (i32.sub (i32.sub (local.get $end) (local.get $out)) (i32.const 8)))))"""

_SOME = """(local.set $at (local.get $arg0))
        (loop $ticks
          (if (i32.wrap_i64 (i64.and (local.get $updates) (i64.const 1))) (then
            (local.set $held (local.get $latest))
            (local.set $latest (f64.load (local.get $at)))))
          (f64.store (local.get $to) (local.get $held))
          (local.set $updates (i64.shr_u (local.get $updates) (i64.const 1)))
          (local.set $at (i32.add (local.get $at) (i32.const 8)))
          (local.set $to (i32.add (local.get $to) (i32.const 8)))
          (br_if $ticks (i32.lt_u (local.get $to) (local.get $end))))"""


def _number() -> Kernel:
    """A word without an update keeps the value; where every tick is one, the numbers are copied one tick later."""
    words = f"""(local.set $updates (i64.and {load("fresh")} {VALID}))
      (if (i32.eqz (local.get $known0)) (then (local.set $updates (i64.and (local.get $updates) {_KNOWN}))))
      (local.set $to (local.get $out))
      (local.set $end (i32.add (local.get $out)
        (i32.shl (i32.add (i32.and {LAST_TICK} (i32.const 63)) (i32.const 1)) (i32.const 3))))
      (if (i64.eqz (local.get $updates))
        (then {_NONE})
        (else (if (i64.eq (local.get $updates) {VALID}) (then {_ALL}) (else {_SOME}))))
      {next_word("arg0", "out")}"""
    slots = (Slot("held", "f64", math.nan), Slot("latest", "f64", math.nan))
    signature = ("arg0", "known0", "out", "fresh", "state")
    return word_kernel("prev_number", signature, slots, words, "updates to:i32 at:i32 end:i32 same:v128")


def _condition() -> Kernel:
    """An update whose latest one before it was true gives true, and keeps it until the next one; likewise false."""

    def kept(value: str) -> str:
        start, hits, held = f"$updates_{value}", f"$hits_{value}", f"$held_{value}"
        return f"""(local.set {start} (i64.and (local.get $updates) (local.get ${value})))
          {changes(hits, "$updates", start, "$idle", f"$latest_{value}")}
          {flood(f"$result_{value}", hits, "$idle", held)}"""

    words = f"""(local.set $T {load("arg0")}) (local.set $F {load("arg0", half=True)})
      (local.set $updates (i64.and {known_word()} {load("fresh")}))
      (local.set $idle {inverted("(local.get $updates)")})
      {kept("T")} {kept("F")}
      {store(f"(i64.and (local.get $result_T) {VALID})", f"(i64.and (local.get $result_F) {VALID})")}"""
    slots = tuple(Slot(f"{name}_{value}", "i64") for value in "TF" for name in ("latest", "held"))
    local = "T F updates idle latest " + " ".join(f"{n}_{v}" for v in "TF" for n in ("updates", "hits", "result"))
    return word_kernel("prev_bool", ("arg0", "out", "fresh", "state"), slots, words, local)


KERNELS: dict[str, Kernel] = {kernel.name: kernel for kernel in (_number(), _condition())}
