"""Kernels of sequences: `then`, `without`, `changed` of a number, and `hysteresis`.

An argument changes at due ticks only, so rises and changes are found in whole words; what depends on time is
looked at only at those ticks.
"""

from __future__ import annotations

from triggers.language.webassembly.kernel_parts.kernel import VALID, Kernel, Slot, time_at
from triggers.language.webassembly.kernel_parts.words import (
    LAST_TICK,
    after_bit,
    changes,
    except_for,
    flood,
    from_bit,
    held_until_due,
    inverted,
    known_word,
    load,
    lowest,
    next_word,
    store,
    time_of_bit,
    word_kernel,
)
from triggers.language.webassembly.kernels.current.stateless import mask64

_SEQUENCE = ("arg0", "arg1", "out", "due", "state", "within_ns")

_RISES = f"""(local.set $T0 {load("arg0")}) (local.set $F0 {load("arg0", half=True)})
  (local.set $T1 {load("arg1")}) (local.set $F1 {load("arg1", half=True)})
  (local.set $due_word {load("due")}) (local.set $idle {inverted("(local.get $due_word)")})
  (local.set $unknown {inverted(known_word(0))})
  {changes("$rises_a", "$T0", "$F0", "$unknown", "$low_a")}
  (local.set $unknown {inverted(known_word(1))})
  {changes("$rises_b", "$T1", "$F1", "$unknown", "$low_b")}"""
"""Where A and B rise in the word at `$w`; `$unknown` is where B is unknown, and what lies after the last tick."""


_IS_IN_TIME = "(i64.le_u (i64.sub (local.get $t) (local.get $rose)) (local.get $within_ns))"
# a time before `after_ns` is negative here, which is a large unsigned number
_IS_IN_TIME_AFTER = """(i64.le_u (i64.sub (i64.sub (local.get $t) (local.get $rose)) (local.get $after_ns))
  (i64.sub (local.get $within_ns) (local.get $after_ns)))"""


def _then(name: str, signature: tuple[str, ...], is_in_time: str) -> Kernel:
    """Looks at the ticks at which A or B rises, except for a rise of B alone when no rise of A is kept."""
    slots = tuple(Slot(name, "i64") for name in ("low_a", "low_b", "kept", "rose", "held"))
    words = f"""{_RISES}
      (local.set $hits (i64.const 0))
      (local.set $events (i64.or (local.get $rises_a)
        (i64.and (local.get $rises_b) (i64.sub (i64.const 0) (local.get $kept)))))
      (if (i64.ne (local.get $events) (i64.const 0)) (then
        (local.set $events (i64.or (local.get $rises_a) (local.get $rises_b)))
        (loop $each
          (local.set $bit {lowest("$events")})
          (local.set $events (i64.xor (local.get $events) (local.get $bit)))
          (local.set $t {time_of_bit("$bit")})
          (if (i64.ne (i64.and (local.get $rises_b) (local.get $bit)) (i64.const 0)) (then
            (if (i32.and (i32.wrap_i64 (local.get $kept))
                {is_in_time}) (then
              (local.set $hits (i64.or (local.get $hits) (local.get $bit)))
              (local.set $kept (i64.const 0))))))
          (if (i64.ne (i64.and (local.get $rises_a) (local.get $bit)) (i64.const 0)) (then
            (local.set $rose (local.get $t)) (local.set $kept (i64.const 1))))
          (br_if $each (i64.ne (local.get $events) (i64.const 0))))))
      {held_until_due("$result", "$hits", "$held")}
      {store("(local.get $result)", except_for(known_word(1), "$result"))}"""
    local = "T0 F0 T1 F1 due_word idle unknown latest rises_a rises_b hits events bit t result"
    return word_kernel(name, signature, slots, words, local)


_WAITED = "(i64.sub (local.get $t) (local.get $rose))"

# `$stops` are the due ticks at which B rises or is unknown: they drop the wait, unless it is over by then. While no
# tick of the word is late enough, nothing else is looked at; else the due ticks are tried in turn.
_WAIT = f"""(local.set $next (i64.and (local.get $rest) (local.get $due_word)))
  (if (i64.lt_u (i64.sub {time_at(LAST_TICK)} (local.get $rose)) (local.get $within_ns))
    (then (local.set $next (i64.and (local.get $next) (local.get $stops)))))
  (loop $try
    (br_if $word (i64.eqz (local.get $next)))
    (local.set $bit {lowest("$next")})
    (local.set $next (i64.xor (local.get $next) (local.get $bit)))
    (local.set $t {time_of_bit("$bit")})
    (br_if $try (i32.and (i64.lt_u {_WAITED} (local.get $within_ns))
      (i64.eqz (i64.and (local.get $bit) (local.get $stops))))))
  (if (i32.or (i64.gt_u {_WAITED} (local.get $within_ns)) (i64.eqz (i64.and (local.get $bit) (local.get $stops))))
    (then (local.set $hits (i64.or (local.get $hits) (local.get $bit)))))
  (local.set $waits (i64.const 0))
  (local.set $rest {from_bit("$bit")})"""
"""Find the tick at which the wait ends, or leave the word; the wait is over or dropped there, and A may rise there."""


def _without() -> Kernel:
    """Looks from a rise of A to the tick at which its wait ends, and from there for the next rise."""
    slots = tuple(Slot(name, "i64") for name in ("low_a", "low_b", "waits", "rose", "held"))
    words = f"""{_RISES}
      (local.set $hits (i64.const 0))
      (local.set $rest (i64.const -1))
      (local.set $stops (i64.or (local.get $rises_b) (local.get $unknown)))
      (block $word (loop $retry
        (if (i64.eqz (local.get $waits)) (then
          (local.set $next (i64.and (local.get $rises_a) (local.get $rest)))
          (br_if $word (i64.eqz (local.get $next)))
          (local.set $bit {lowest("$next")})
          (local.set $rose {time_of_bit("$bit")})
          (local.set $waits (i64.const 1))
          (local.set $rest {after_bit("$bit")})))
        {_WAIT}
        (br $retry)))
      {held_until_due("$result", "$hits", "$held")}
      {store("(local.get $result)", except_for(VALID, "$result"))}"""
    local = "T0 F0 T1 F1 due_word idle unknown latest rises_a rises_b stops hits next rest bit t result"
    return word_kernel("without", _SEQUENCE, slots, words, local)


def _known_numbers() -> str:
    """Set `$known` to the ticks of the word at which the number is known."""
    ordered = mask64(
        "(f64x2.eq (v128.load offset=OFFSET (local.get $arg0)) (v128.load offset=OFFSET (local.get $arg0)))"
    )
    return f"""(local.set $valid {VALID})
      (local.set $known (if (result i64) (local.get $known0)
        (then (local.get $valid)) (else (i64.and {ordered} (local.get $valid)))))"""


def _hysteresis() -> Kernel:
    """The state is on from a tick beyond `on` to one beyond `off`: a flood from the former through the undecided."""
    signature = ("arg0", "known0", "out", "state", "on", "off")
    slots = (Slot("high", "i64"),)
    x = "(v128.load offset=OFFSET (local.get $arg0))"

    def beyond(into: str, limit: str, above: str, below: str) -> str:
        sides = [mask64(f"(f64x2.{side} {x} (local.get {limit}))") for side in (above, below)]
        chosen = f"(if (result i64) (f64.gt (local.get $on) (local.get $off)) (then {sides[0]}) (else {sides[1]}))"
        return f"(local.set {into} (i64.and (local.get $valid) {chosen}))"

    words = f"""{_known_numbers()}
      (local.set $ons (f64x2.splat (local.get $on))) (local.set $offs (f64x2.splat (local.get $off)))
      {beyond("$sets", "$ons", "gt", "lt")} {beyond("$clears", "$offs", "lt", "gt")}
      (local.set $stays {inverted("(i64.or (local.get $sets) (local.get $clears))")})
      {flood("$result", "$sets", "$stays", "$high")}
      {store("(i64.and (local.get $known) (local.get $result))", except_for("(local.get $known)", "$result"))}
      {next_word("arg0")}"""
    return word_kernel("hysteresis", signature, slots, words, "valid known sets clears stays result ons:v128 offs:v128")


# The number before a word's first tick is read too, and not used: that tick is compared with the latest known number.
_NEIGHBOURS_DIFFER = mask64(
    "(f64x2.ne (v128.load offset=OFFSET (i32.sub (local.get $arg0) (i32.const 8)))"
    " (v128.load offset=OFFSET (local.get $arg0)))"
)

_DIFFERS = "(i32.and (f64.ne (local.get $x) (local.get $last)) (f64.eq (local.get $last) (local.get $last)))"
"""1 where `$x` is not the latest known number, and there is one."""


def _number(bit: str) -> str:
    """The number at a tick of the word."""
    return f"(f64.load (i32.add (local.get $arg0) (i32.shl (i32.wrap_i64 (i64.ctz (local.get {bit}))) (i32.const 3))))"


def _changed_number() -> Kernel:
    """Compares neighbours where all ticks of a word are known, else the known ones in turn."""
    signature = ("arg0", "known0", "out", "due", "state")
    slots = (Slot("last", "f64", float("nan")), Slot("held", "i64"))
    words = f"""{_known_numbers()}
      (local.set $idle {inverted(load("due"))})
      (if (i64.eq (local.get $known) (local.get $valid))
        (then
          (local.set $x (f64.load (local.get $arg0)))
          (local.set $hits (i64.or (i64.extend_i32_u {_DIFFERS})
            (i64.and (i64.and {_NEIGHBOURS_DIFFER} (i64.const -2)) (local.get $valid))))
          (local.set $last (f64.load (i32.add (local.get $arg0)
            (i32.shl (i32.and {LAST_TICK} (i32.const 63)) (i32.const 3))))))
        (else
          (local.set $hits (i64.const 0))
          (local.set $rest (local.get $known))
          (block $done (loop $each
            (br_if $done (i64.eqz (local.get $rest)))
            (local.set $bit {lowest("$rest")})
            (local.set $rest (i64.xor (local.get $rest) (local.get $bit)))
            (local.set $x {_number("$bit")})
            (if {_DIFFERS} (then (local.set $hits (i64.or (local.get $hits) (local.get $bit)))))
            (local.set $last (local.get $x))
            (br $each)))))
      {held_until_due("$result", "$hits", "$held")}
      {store("(local.get $result)", except_for("(local.get $known)", "$result"))}
      {next_word("arg0")}"""
    return word_kernel("changed_number", signature, slots, words, "valid known idle hits rest bit result x:f64")


_KERNELS = (
    _then("then", _SEQUENCE, _IS_IN_TIME),
    _then("then_after", (*_SEQUENCE, "after_ns"), _IS_IN_TIME_AFTER),
    _without(),
    _hysteresis(),
    _changed_number(),
)
KERNELS: dict[str, Kernel] = {kernel.name: kernel for kernel in _KERNELS}
