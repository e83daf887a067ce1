"""Kernels of `P for D`, with and without a tolerance.

P changes at due ticks only, so a word is cut into runs of equal ticks. A run of true ones is held from its first due
tick that is late enough. Between words the slots have the start of the current run of true ticks (`since`, ns, -1 for
none) and whether it is already held (`held`).
"""

from __future__ import annotations

from triggers.language.webassembly.kernel_parts.kernel import VALID, Kernel, Slot
from triggers.language.webassembly.kernel_parts.words import (
    LAST_BIT,
    except_for,
    from_bit,
    highest,
    inverted,
    load,
    lowest,
    lowest_run,
    store,
    time_of_bit,
    word_kernel,
)

_HOLD_SLOTS = (Slot("since", "i64", -1), Slot("held", "i64"))
_END_RUN = "(local.set $since (i64.const -1)) (local.set $held (i64.const 0))"


def _is_early(bit: str) -> str:
    """1 where the run has not lasted for D at the tick with that bit."""
    return f"(i64.lt_u (i64.sub {time_of_bit(bit)} (local.get $since)) (local.get $hold_ns))"


_TRUE_RUN = f"""(if (i64.lt_s (local.get $since) (i64.const 0)) (then (local.set $since {time_of_bit("$first")})))
  (if (i64.eqz (local.get $held)) (then
    (local.set $first (i64.const 0))
    (local.set $next (i64.and (local.get $run) (local.get $due_word)))
    (local.set $bit {highest("$run")})
    (if {_is_early("$bit")} (then (local.set $next (i64.const 0))))
    (block $none (loop $try
      (br_if $none (i64.eqz (local.get $next)))
      (local.set $bit {lowest("$next")})
      (local.set $next (i64.xor (local.get $next) (local.get $bit)))
      (br_if $try {_is_early("$bit")})
      (local.set $held (i64.const 1))
      (local.set $first (local.get $bit))))))
  (local.set $result (i64.or (local.get $result) (i64.and (local.get $run) {from_bit("$first")})))"""
"""Add to `$result` where the true `$run`, which begins at `$first`, is held. None is, if its last tick is early."""


def _for() -> Kernel:
    """Only looks at the runs of true ticks; a run that begins within a word is a new one."""
    words = f"""(local.set $T {load("arg0")})
      (local.set $result (i64.const 0))
      (block $word
        (if (i32.and (i64.eq (local.get $T) (i64.const -1)) (i32.wrap_i64 (local.get $held))) (then
          (local.set $result (i64.const -1))
          (br $word)))
        (local.set $due_word {load("due")})
        (local.set $rest (local.get $T))
        (block $done (loop $runs
          (br_if $done (i64.eqz (local.get $rest)))
          (local.set $first {lowest("$rest")})
          (local.set $run {lowest_run("$rest", "$first")})
          (local.set $rest (i64.xor (local.get $rest) (local.get $run)))
          (if (i64.ne (local.get $first) (i64.const 1)) (then {_END_RUN}))
          {_TRUE_RUN}
          (br $runs)))
        (if (i64.eqz (i64.and (local.get $T) {LAST_BIT})) (then {_END_RUN})))
      {store("(local.get $result)", f"(i64.or {load('arg0', half=True)} {except_for('(local.get $T)', '$result')})")}"""
    signature = ("arg0", "out", "due", "state", "hold_ns")
    return word_kernel("for", signature, _HOLD_SLOTS, words, "T due_word rest result first run bit next")


def _begins_in(word: str) -> str:
    return f"(i64.ne (i64.and (local.get {word}) (local.get $first)) (i64.const 0))"


_END_DOUBT = f"""(if (i64.ge_s (local.get $doubted) (i64.const 0)) (then
    (if (i64.gt_u (i64.sub {time_of_bit("$first")} (local.get $doubted)) (local.get $tolerate_ns))
      (then (local.set $since (i64.const -1))))
    (local.set $doubted (i64.const -1))))"""
"""When a true run follows an unknown one: it continues the run before that if the unknown one was short enough."""


def _for_tolerating() -> Kernel:
    """An unknown run, from `doubted` on (-1 for none), is judged when a true one follows it."""
    signature = ("arg0", "out", "due", "state", "hold_ns", "tolerate_ns")
    slots = (*_HOLD_SLOTS, Slot("doubted", "i64", -1))
    words = f"""(local.set $T {load("arg0")}) (local.set $F {load("arg0", half=True)})
      (local.set $due_word {load("due")})
      (local.set $rest {VALID})
      (local.set $unknown (i64.xor (local.get $rest) (i64.or (local.get $T) (local.get $F))))
      (local.set $result (i64.const 0))
      (block $word
        (if (i64.eqz (i64.and (local.get $rest) {inverted("(local.get $F)")})) (then
          {_END_RUN} (local.set $doubted (i64.const -1))
          (br $word)))
        (if (i32.and (i32.wrap_i64 (local.get $held)) (i64.eq (local.get $T) (local.get $rest))) (then
          (local.set $result (local.get $rest))
          (br $word)))
        (loop $each
          (local.set $first {lowest("$rest")})
          (local.set $run (select (local.get $T)
            (select (local.get $F) (local.get $unknown) {_begins_in("$F")})
            {_begins_in("$T")}))
          (local.set $run {lowest_run("$run", "$first")})
          (local.set $rest (i64.xor (local.get $rest) (local.get $run)))
          (if {_begins_in("$T")}
            (then {_END_DOUBT} {_TRUE_RUN})
            (else
              (local.set $held (i64.const 0))
              (if {_begins_in("$F")}
                (then (local.set $since (i64.const -1)) (local.set $doubted (i64.const -1)))
                (else (if (i64.lt_s (local.get $doubted) (i64.const 0)) (then
                  (local.set $doubted {time_of_bit("$first")})))))))
          (br_if $each (i64.ne (local.get $rest) (i64.const 0)))))
      {store("(local.get $result)", f"(i64.or (local.get $F) {except_for('(local.get $T)', '$result')})")}"""
    return word_kernel("for_tolerating", signature, slots, words, "T F due_word unknown rest result first run bit next")


KERNELS: dict[str, Kernel] = {kernel.name: kernel for kernel in (_for(), _for_tolerating())}
