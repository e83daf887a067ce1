"""The kernel of `every D`, which has no argument: it is due at heartbeats."""

from __future__ import annotations

from triggers.language.webassembly.kernel_parts.kernel import VALID, Kernel, Slot, time_at
from triggers.language.webassembly.kernel_parts.words import (
    LAST_TICK,
    except_for,
    held_until_due,
    inverted,
    load,
    lowest,
    store,
    time_of_bit,
    word_kernel,
)

_NOT_BEGUN = -1


def _every() -> Kernel:
    """Looks at the due ticks of a word only if the next multiple is not after its last tick."""
    words = f"""(local.set $rest {load("due")}) (local.set $idle {inverted("(local.get $rest)")})
      (local.set $hits (i64.const 0))
      (if (i64.eq (local.get $next) (i64.const {_NOT_BEGUN})) (then
        (local.set $bit {lowest("$rest")})
        (local.set $next (i64.add {time_of_bit("$bit")} (local.get $period_ns)))))
      (block $word
        (br_if $word (i64.lt_u {time_at(LAST_TICK)} (local.get $next)))
        (loop $each
          (br_if $word (i64.eqz (local.get $rest)))
          (local.set $bit {lowest("$rest")})
          (local.set $rest (i64.xor (local.get $rest) (local.get $bit)))
          (local.set $t {time_of_bit("$bit")})
          (br_if $each (i64.lt_u (local.get $t) (local.get $next)))
          (local.set $hits (i64.or (local.get $hits) (local.get $bit)))
          (local.set $next (i64.add (local.get $next) (i64.mul (local.get $period_ns)
            (i64.add (i64.const 1)
              (i64.div_u (i64.sub (local.get $t) (local.get $next)) (local.get $period_ns))))))
          (br $each)))
      {held_until_due("$result", "$hits", "$held")}
      {store("(local.get $result)", except_for(VALID, "$result"))}"""
    slots = (Slot("next", "i64", _NOT_BEGUN), Slot("held", "i64"))
    return word_kernel("every", ("out", "due", "state", "period_ns"), slots, words, "rest idle hits bit t result")


KERNELS: dict[str, Kernel] = {"every": _every()}
