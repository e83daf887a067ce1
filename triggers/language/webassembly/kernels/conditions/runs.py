"""The kernel of `P for at most D`, with and without a tolerance.

P changes at due ticks only, so only ticks at which it changes are looked at. Between words the slots have when the
current run began (`since`, ns, -1 for none or one that does not count), whether the latest known value is a false one
after which no run began (`low`), since when P is unknown (`doubted`, ns, -1 if it is not), and the value at the last
tick (`true`, `false`).
"""

from __future__ import annotations

from triggers.language.webassembly.kernel_parts.kernel import VALID, Kernel, Slot
from triggers.language.webassembly.kernel_parts.words import (
    LAST_BIT,
    except_for,
    held_until_due,
    inverted,
    known_word,
    load,
    lowest,
    one_later,
    store,
    time_of_bit,
    word_kernel,
)

_CHANGES = f"""(i64.and {VALID} (i64.or
  (i64.xor (local.get $T) {one_later("$T", "$true")})
  (i64.xor (local.get $F) {one_later("$F", "$false")})))"""
_END_DOUBT = """(local.set $began (local.get $t))
  (if (i64.ge_s (local.get $doubted) (i64.const 0)) (then
    (local.set $began (local.get $doubted))
    (if (i64.gt_u (i64.sub (local.get $t) (local.get $doubted)) (local.get $tolerate_ns)) (then
      (local.set $since (i64.const -1)) (local.set $low (i64.const 0))))
    (local.set $doubted (i64.const -1))))"""
"""Where P is known again: an unknown stretch that is too long leaves no run and no false value before one."""


def _last(word: str) -> str:
    """1 where the last tick of the word at `$w` is in this word (a local)."""
    return f"(i64.extend_i32_u (i64.ne (i64.and (local.get {word}) {LAST_BIT}) (i64.const 0)))"


def _changes_to(word: str) -> str:
    return f"(i64.ne (i64.and (local.get {word}) (local.get $bit)) (i64.const 0))"


def _for_at_most() -> Kernel:
    signature = ("arg0", "out", "due", "state", "most_ns", "tolerate_ns")
    slots = (
        Slot("since", "i64", -1),
        Slot("low", "i64"),
        Slot("doubted", "i64", -1),
        Slot("true", "i64"),
        Slot("false", "i64"),
        Slot("held", "i64"),
    )
    words = f"""(local.set $T {load("arg0")}) (local.set $F {load("arg0", half=True)})
      (local.set $idle {inverted(load("due"))})
      (local.set $rest {_CHANGES})
      (local.set $true {_last("$T")}) (local.set $false {_last("$F")})
      (local.set $hits (i64.const 0))
      (block $word (loop $each
        (br_if $word (i64.eqz (local.get $rest)))
        (local.set $bit {lowest("$rest")})
        (local.set $rest (i64.xor (local.get $rest) (local.get $bit)))
        (local.set $t {time_of_bit("$bit")})
        (if (i64.eqz (i64.and {known_word()} (local.get $bit)))
          (then (local.set $doubted (local.get $t)))
          (else
            {_END_DOUBT}
            (if {_changes_to("$T")}
              (then
                (if (i32.wrap_i64 (local.get $low)) (then (local.set $since (local.get $began))))
                (local.set $low (i64.const 0)))
              (else
                (if (i32.and (i64.ge_s (local.get $since) (i64.const 0))
                    (i64.le_u (i64.sub (local.get $t) (local.get $since)) (local.get $most_ns)))
                  (then (local.set $hits (i64.or (local.get $hits) (local.get $bit)))))
                (local.set $since (i64.const -1))
                (local.set $low (i64.const 1))))))
        (br $each)))
      {held_until_due("$result", "$hits", "$held")}
      {store("(local.get $result)", except_for(known_word(), "$result"))}"""
    return word_kernel("for_at_most", signature, slots, words, "T F idle rest hits bit t began result")


KERNELS: dict[str, Kernel] = {"for_at_most": _for_at_most()}
