"""Skeletons of kernels that step tick by tick: loading state and words, finding due ticks, spreading results."""

from __future__ import annotations

import math

from triggers.language.webassembly.kernel_parts.kernel import (
    HALF,
    VALID,
    Kernel,
    Slot,
    kernel_text,
    slot_locals,
    time_at,
)


def condition_steps(
    name: str,
    signature: tuple[str, ...],
    slots: tuple[Slot, ...],
    body: str,
    *,
    conditions: int | tuple[int, ...] = 0,
    local: str = "",
    begin: str = "",
    skip: str = "",
    end: str = "",
    ring_entry_bytes: int = 0,
) -> Kernel:
    """A kernel that yields a condition and steps, tick by tick, where `due` is set.

    `body` runs at such a tick. It finds its slots in locals of their names, the tick's time in `$t`, its index in
    `$i`, and sets `$yes` and `$no` (1: true, false; neither: unknown), which hold until the next step. The words of
    its first `conditions` arguments (or of those at these positions) are loaded for `is_true`, `is_false`, `is_known`;
    `local` declares further locals. `begin` runs once, when the slots are loaded, and `end` before they are stored.
    `skip` runs at a word whose ticks are all due, and may take ticks out of `$pending` at which a step would change
    neither the value nor, in the end, the state; with the times `$first_ns` and `$last_ns` of the word's first and last
    tick.
    """
    slots = (Slot("yes", "i32"), Slot("no", "i32"), *slots)
    declare, load, store = slot_locals(slots)
    masks = [
        f"(i64.store {_half(half)}(i32.add (local.get $out) (local.get $w)) (i64.and (local.get {word}) {VALID}))"
        for half, word in ((False, "$T"), (True, "$F"))
    ]
    text = f"""
      {load} {begin}
      (loop $words
        {_load_word("due", "$pending")} {_load_arguments(signature, conditions)} {_skip(skip)}
        (local.set $T (i64.extend_i32_s (i32.sub (i32.const 0) (local.get $yes))))
        (local.set $F (i64.extend_i32_s (i32.sub (i32.const 0) (local.get $no))))
        (block $done (loop $ticks
          (br_if $done (i64.eqz (local.get $pending)))
          {_NEXT_PENDING}
          {body}
          {_from_here_on("$T", "$yes")} {_from_here_on("$F", "$no")}
          (br $ticks)))
        {masks[0]} {masks[1]}
        (local.set $w (i32.add (local.get $w) (i32.const 8)))
        (br_if $words (i32.lt_u (local.get $w) (global.get $words))))
      {end} {store}"""
    declared = f"""(local $w i32) (local $i i32) (local $t i64) (local $bit i64) (local $pending i64)
      (local $T i64) (local $F i64) {skip and _SKIP_LOCALS}
      {declare} {_declare_arguments(signature, conditions)} {local}"""
    return Kernel(name, signature, kernel_text(name, signature, declared, text), slots, ring_entry_bytes)


def number_steps(
    name: str,
    signature: tuple[str, ...],
    slots: tuple[Slot, ...],
    body: str,
    *,
    conditions: int | tuple[int, ...] = 0,
    local: str = "",
    begin: str = "",
    skip: str = "",
    run: str = "",
    end: str = "",
    ring_entry_bytes: int = 0,
) -> Kernel:
    """A kernel that yields a number and steps, tick by tick, where `due` is set.

    As `condition_steps`, but `body` sets `$held` (f64, NaN for unknown). A word whose ticks are all due is stepped
    through without a look at the mask, and its other words are shifted so that `$bit` is always 0; in others the
    value is spread up to the next due tick. `run` runs before each step in words of the former
    kind, and may itself make steps, store `$held` and move `$i` on, at most to `$stop`.
    """
    slots = (Slot("held", "f64", math.nan), *slots)
    declare, load, store = slot_locals(slots)
    text = f"""
      {load} {begin} (local.set $times (global.get $tt))
      (loop $words
        {_load_word("due", "$pending")} {_load_arguments(signature, conditions)} {_skip(skip)}
        (local.set $stop (i32.add (i32.shl (local.get $w) (i32.const 3)) (i32.const 64)))
        (if (i32.gt_u (local.get $stop) (global.get $count)) (then (local.set $stop (global.get $count))))
        (local.set $i (i32.shl (local.get $w) (i32.const 3)))
        (if (i64.eq (local.get $pending) {VALID}) (then
          (local.set $bit (i64.const 0))
          (block $done (loop $ticks
            {run and run + "(br_if $done (i32.eq (local.get $i) (local.get $stop)))"}
            (local.set $t {time_at("(local.get $i)", "(local.get $times)")})
            {body}
            (f64.store {out_at("$i")} (local.get $held))
            {_shift_words(signature, conditions)}
            (br_if $ticks (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $stop))))))
        (else
          (block $done (loop $ticks
            (br_if $done (i64.eqz (local.get $pending)))
            (local.set $from (local.get $i))
            {_NEXT_PENDING}
            {_spread("$i")}
            {body}
            (br $ticks)))
          (local.set $from (local.get $i))
          {_spread("$stop")}))
        (local.set $w (i32.add (local.get $w) (i32.const 8)))
        (br_if $words (i32.lt_u (local.get $w) (global.get $words))))
      {end} {store}"""
    declared = f"""(local $w i32) (local $i i32) (local $t i64) (local $bit i64) (local $pending i64)
      (local $from i32) (local $to i32) (local $both v128) (local $stop i32) (local $times i32) {skip and _SKIP_LOCALS}
      {declare} {_declare_arguments(signature, conditions)} {local}"""
    return Kernel(name, signature, kernel_text(name, signature, declared, text), slots, ring_entry_bytes)


_NEXT_PENDING = f"""
          (local.set $bit (i64.ctz (local.get $pending)))
          (local.set $pending (i64.and (local.get $pending) (i64.sub (local.get $pending) (i64.const 1))))
          (local.set $i (i32.add (i32.shl (local.get $w) (i32.const 3)) (i32.wrap_i64 (local.get $bit))))
          (local.set $t {time_at("(local.get $i)")})"""
"""Take the next due tick of a word."""


_SKIP_LOCALS = "(local $first_ns i64) (local $last_ns i64)"
_LAST_BIT = "(i64.sub (i64.const 63) (i64.clz (local.get $pending)))"


def _skip(skip: str) -> str:
    if not skip:
        return ""
    last = f"(i32.add (local.get $i) (i32.wrap_i64 {_LAST_BIT}))"
    return f"""
        (if (i64.eq (local.get $pending) {VALID}) (then
          (local.set $i (i32.shl (local.get $w) (i32.const 3)))
          (local.set $first_ns {time_at("(local.get $i)")})
          (local.set $last_ns {time_at(last)})
          {skip}))"""


def keep_only(ticks: str = "(i64.const 0)") -> str:
    """For `skip`: step only at the word's first and last tick and at these."""
    last = f"(i64.shl (i64.const 1) {_LAST_BIT})"
    both = f"(i64.or (i64.const 1) {last})"
    return f"(local.set $pending (i64.and (local.get $pending) (i64.or {both} {ticks})))"


def out_at(index: str) -> str:
    """The address at which a kernel that yields a number writes the result of the tick with that index."""
    return f"(i32.add (local.get $out) (i32.shl (local.get {index}) (i32.const 3)))"


def _spread(end: str) -> str:
    """Write `$held` to the ticks from `$from` on, up to that index."""
    pairs = " ".join(f"(v128.store offset={16 * pair} (local.get $to) (local.get $both))" for pair in range(4))
    return f"""
            (local.set $both (f64x2.splat (local.get $held)))
            (local.set $to {out_at("$from")})
            (block $spread (loop $eights
              (br_if $spread (i32.gt_u (i32.add (local.get $from) (i32.const 8)) (local.get {end})))
              {pairs}
              (local.set $to (i32.add (local.get $to) (i32.const 64)))
              (local.set $from (i32.add (local.get $from) (i32.const 8)))
              (br $eights)))
            (block $spread (loop $ones
              (br_if $spread (i32.ge_u (local.get $from) (local.get {end})))
              (f64.store (local.get $to) (local.get $held))
              (local.set $to (i32.add (local.get $to) (i32.const 8)))
              (local.set $from (i32.add (local.get $from) (i32.const 1)))
              (br $ones)))"""


def _half(second: bool) -> str:
    return f"offset={HALF} " if second else ""


def _load_word(parameter: str, into: str) -> str:
    return f"(local.set {into} (i64.load (i32.add (local.get ${parameter}) (local.get $w))))"


def _positions(conditions: int | tuple[int, ...]) -> tuple[int, ...]:
    return tuple(range(conditions)) if isinstance(conditions, int) else conditions


def _load_arguments(signature: tuple[str, ...], conditions: int | tuple[int, ...]) -> str:
    words = [
        f"(local.set ${mask}{index} (i64.load {_half(mask == 'F')}(i32.add (local.get $arg{index}) (local.get $w))))"
        for index in _positions(conditions)
        for mask in "TF"
    ]
    words += [_load_word(name, "$fresh_word") for name in ("fresh", "fresh0") if name in signature]
    if "fresh1" in signature:  # a new sample under both arguments
        both = "(i64.load (i32.add (local.get $fresh1) (local.get $w)))"
        words.append(f"(local.set $fresh_word (i64.and (local.get $fresh_word) {both}))")
    return " ".join(words)


def _shift_words(signature: tuple[str, ...], conditions: int | tuple[int, ...]) -> str:
    """Shift the words by one tick."""
    words = [f"${mask}{index}" for index in _positions(conditions) for mask in "TF"]
    if {"fresh", "fresh0"} & set(signature):
        words.append("$fresh_word")
    return " ".join(f"(local.set {word} (i64.shr_u (local.get {word}) (i64.const 1)))" for word in words)


def _declare_arguments(signature: tuple[str, ...], conditions: int | tuple[int, ...]) -> str:
    words = [f"(local ${mask}{index} i64)" for index in _positions(conditions) for mask in "TF"]
    if {"fresh", "fresh0"} & set(signature):
        words.append("(local $fresh_word i64)")
    return " ".join(words)


def _from_here_on(word: str, value: str) -> str:
    """Set this tick's bit of a mask, and all above it, to a value that holds until the next step."""
    below = f"(i64.and (local.get {word}) (i64.xor (i64.shl (i64.const -1) (local.get $bit)) (i64.const -1)))"
    above = f"(i64.shl (i64.extend_i32_s (i32.sub (i32.const 0) (local.get {value}))) (local.get $bit))"
    return f"(local.set {word} (i64.or {below} {above}))"
