"""Kernels of conditions that last from one event on: `since`, with and without `within`, and `latch`.

The recurrence of `since` gives the same value again while its arguments stay the same, so a whole word is one flood,
and no mask of due ticks is needed; for `latch` the same holds. Only `within` looks at times.
"""

from __future__ import annotations

from triggers.language.webassembly.kernel_parts.kernel import VALID, Kernel, Slot, is_false, is_true
from triggers.language.webassembly.kernel_parts.skeletons import condition_steps, keep_only
from triggers.language.webassembly.kernel_parts.words import (
    changes,
    except_for,
    flood,
    inverted,
    known_word,
    load,
    store,
    word_kernel,
)

_ARGUMENTS = " ".join(
    f"(local.set $T{i} {load(f'arg{i}')}) (local.set $F{i} {load(f'arg{i}', half=True)})" for i in range(2)
)
_NEVER_NS = -(1 << 63)
"""A time so long ago that its unsigned difference from any time is longer than any window."""


def _since() -> Kernel:
    """One flood from where Q is true through where P is, and one from where Q is not false through where P is not."""
    words = f"""{_ARGUMENTS}
      (local.set $valid {VALID})
      (local.set $through (i64.or (local.get $T0) {inverted("(local.get $valid)")}))
      (local.set $through {except_for("(local.get $through)", "$T1")})
      {flood("$true", "$T1", "$through", "$lasts")}
      (local.set $start {except_for("(local.get $valid)", "$F1")})
      (local.set $through {except_for(inverted("(local.get $F0)"), "$start")})
      {flood("$maybe", "$start", "$through", "$may_last")}
      {store("(i64.and (local.get $true) (local.get $valid))", except_for("(local.get $valid)", "$maybe"))}"""
    slots = (Slot("lasts", "i64"), Slot("may_last", "i64"))
    local = "T0 F0 T1 F1 valid start through true maybe"
    return word_kernel("since", ("arg0", "arg1", "out", "state"), slots, words, local)


def _within(since_ns: str, t_ns: str = "$t") -> str:
    return f"(i64.lt_u (i64.sub (local.get {t_ns}) (local.get {since_ns})) (local.get $within_ns))"


def _stays(since_ns: str) -> str:
    """1 where a time lies in the windows of the word's first and last tick, or in neither."""
    return f"(i32.or {_within(since_ns, '$last_ns')} (i32.eqz {_within(since_ns, '$first_ns')}))"


def _throughout(word: str) -> str:
    return f"(i64.eq (local.get {word}) (local.get $pending))"


def _since_within() -> Kernel:
    """Steps from tick to tick but for words in which Q stays true, or Q false, P the same, and nothing leaves."""
    forget = f"(i64.const {_NEVER_NS})"
    body = f"""
      (if (i32.eqz {is_true(0)}) (then (local.set $true_ns {forget})))
      (if {is_false(0)} (then (local.set $maybe_ns {forget})))
      (if {is_true(1)} (then (local.set $true_ns (local.get $t))))
      (if (i32.eqz {is_false(1)}) (then (local.set $maybe_ns (local.get $t))))
      (local.set $yes {_within("$true_ns")})
      (local.set $no (i32.eqz (i32.or (local.get $yes) {_within("$maybe_ns")})))"""
    lasts = f"(i32.and {_throughout('$T0')} (i32.and {_stays('$true_ns')} {_stays('$maybe_ns')}))"
    quiet = f"(i32.and {_throughout('$F1')} (i32.or {_throughout('$F0')} {lasts}))"
    return condition_steps(
        "since_within",
        ("arg0", "arg1", "out", "due", "state", "within_ns"),
        (Slot("true_ns", "i64", _NEVER_NS), Slot("maybe_ns", "i64", _NEVER_NS)),
        body,
        conditions=2,
        skip=f"(if (i32.or {_throughout('$T1')} {quiet}) (then {keep_only()}))",
    )


def _latch() -> Kernel:
    """A flood from the rises of `set` at which `reset` is false, through all ticks at which it is not true."""
    words = f"""{_ARGUMENTS}
      (local.set $unknown {inverted(known_word(0))})
      {changes("$rises", "$T0", "$F0", "$unknown", "$low")}
      (local.set $rises (i64.and (local.get $rises) (local.get $F1)))
      (local.set $through {except_for(inverted("(local.get $T1)"), "$rises")})
      {flood("$set", "$rises", "$through", "$on")}
      (local.set $known (i64.and {known_word(0)} {known_word(1)}))
      {
        store(
            "(i64.and (local.get $set) (local.get $known))",
            f"(i64.or (local.get $T1) {except_for('(local.get $known)', '$set')})",
        )
    }"""
    slots = (Slot("low", "i64"), Slot("on", "i64"))
    local = "T0 F0 T1 F1 unknown latest rises through set known"
    return word_kernel("latch", ("arg0", "arg1", "out", "state"), slots, words, local)


KERNELS: dict[str, Kernel] = {kernel.name: kernel for kernel in (_since(), _since_within(), _latch())}
