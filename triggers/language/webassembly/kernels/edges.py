"""Kernels of `rise` and `fall`, and the search for rises that triggers share: a word of 64 ticks at a time."""

from __future__ import annotations

from triggers.language.webassembly.kernel_parts.kernel import HALF, Kernel, Slot, kernel_text, slot_locals

# A tick is low if it is false, or unknown with a low tick before it. Adding to a run of unknown ticks its first one,
# where a low tick comes before, carries through the run and so tells which unknown ticks are low.
RISES = """(func $rises (param $T i64) (param $F i64) (param $last i64) (result i64)
  (local $unknown i64) (local $low i64) (local $before i64)
  (local.set $before (i64.extend_i32_u (i64.eq (local.get $last) (i64.const 1))))
  (local.set $unknown (i64.xor (i64.or (local.get $T) (local.get $F)) (i64.const -1)))
  (local.set $low (i64.or (local.get $F) (i64.and (local.get $unknown) (i64.xor (i64.const -1)
    (i64.add (local.get $unknown) (i64.and (local.get $unknown)
      (i64.or (i64.shl (local.get $F) (i64.const 1)) (local.get $before))))))))
  (i64.and (local.get $T) (i64.or (i64.shl (local.get $low) (i64.const 1)) (local.get $before))))"""
"""Ticks at which a condition rises; `last` is its last known value before the word: 0 none, 1 false, 2 true."""

LAST_KNOWN = """(func $last_known (param $T i64) (param $F i64) (param $last i64) (result i64)
  (if (result i64) (i64.eqz (i64.or (local.get $T) (local.get $F)))
    (then (local.get $last))
    (else (i64.add (i64.const 1)
      (i64.extend_i32_u (i64.lt_u (i64.clz (local.get $T)) (i64.clz (local.get $F))))))))"""
"""The last known value behind a word."""

# Between due ticks an edge keeps its value: a true tick carries through the run of ticks behind it that are not due.
DRAW_OUT = """(func $draw_out (param $true i64) (param $due i64) (param $held i64) (result i64)
  (local $idle i64)
  (local.set $idle (i64.xor (local.get $due) (i64.const -1)))
  (i64.or (local.get $true) (i64.and (local.get $idle) (i64.xor (i64.const -1)
    (i64.add (local.get $idle) (i64.and (local.get $idle)
      (i64.or (i64.shl (local.get $true) (i64.const 1)) (local.get $held))))))))"""
"""The ticks from each true one to before the next due one; `held` is 1 where the tick before the word was true."""

_SIGNATURE = ("arg0", "out", "due", "state")
_SLOTS = (Slot("last", "i64", 0), Slot("held", "i64", 0))
_DECLARE, _LOAD, _STORE = slot_locals(_SLOTS)


def _edge(op: str) -> Kernel:
    """`rise(P)`; `fall(P)` is a rise of what is false."""
    rising, falling = ("$T", "$F") if op == "rise" else ("$F", "$T")
    body = f"""{_LOAD}
    (loop $words
      (local.set $T (i64.load (i32.add (local.get $arg0) (local.get $w))))
      (local.set $F (i64.load offset={HALF} (i32.add (local.get $arg0) (local.get $w))))
      (local.set $edges (call $rises (local.get {rising}) (local.get {falling}) (local.get $last)))
      (local.set $last (call $last_known (local.get {rising}) (local.get {falling}) (local.get $last)))
      (if (i64.ne (i64.or (local.get $edges) (local.get $held)) (i64.const 0)) (then
        (local.set $edges (i64.and (i64.or (local.get $T) (local.get $F)) (call $draw_out (local.get $edges)
          (i64.load (i32.add (local.get $due) (local.get $w))) (local.get $held))))
        (local.set $held (i64.and (i64.const 1) (i64.shr_u (local.get $edges) (i64.extend_i32_u (i32.and (i32.const 63)
          (select (i32.sub (global.get $count) (i32.const 1)) (i32.const 63)
            (i32.eq (i32.add (local.get $w) (i32.const 8)) (global.get $words))))))))))
      (i64.store (i32.add (local.get $out) (local.get $w)) (local.get $edges))
      (i64.store offset={HALF} (i32.add (local.get $out) (local.get $w))
        (i64.and (i64.or (local.get $T) (local.get $F)) (i64.xor (local.get $edges) (i64.const -1))))
      (local.set $w (i32.add (local.get $w) (i32.const 8)))
      (br_if $words (i32.lt_u (local.get $w) (global.get $words))))
    {_STORE}"""
    local = f"(local $w i32) (local $T i64) (local $F i64) (local $edges i64) {_DECLARE}"
    return Kernel(op, _SIGNATURE, kernel_text(op, _SIGNATURE, local, body), _SLOTS)


KERNELS: dict[str, Kernel] = {op: _edge(op) for op in ("rise", "fall")}
