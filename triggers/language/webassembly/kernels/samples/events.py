"""The kernel of compared events: the rises of two sides, matched in time by the rule of `triggers.compared_events`.

Its record survives segments, so it is not a slot. By offset: 0 to 32 the counters (matched, only first, only second,
unresolved first, unresolved second); 40 and 48 whether the latest known value of either side was false; 56 and 64
since when either side is known, or -1; 72 the latest tick; 80 whose rises wait; 88 the earliest of them; 96 their
number; from 104 on a ring of their times. `layout.EVENTS_BYTES` is its size.
"""

from __future__ import annotations

from triggers.compared_events.matcher import MAX_WAITING
from triggers.language.webassembly.kernel_parts.kernel import VALID, Kernel, kernel_text
from triggers.language.webassembly.kernel_parts.words import (
    changes,
    each_word,
    highest,
    inverted,
    known_word,
    load,
    lowest,
    one_later,
    time_of_bit,
)

_RING = MAX_WAITING - 1
"""The ring's size is a power of two, so that this is the mask of its indexes."""
_WAITING = "(i64.load offset=96 (local.get $state))"
_ENTRY = f"""(i32.add (local.get $state) (i32.shl (i32.and (i32.wrap_i64 INDEX) (i32.const {_RING})) (i32.const 3)))"""
_HEAD = "(i64.load offset=88 (local.get $state))"
_LATEST = "(i64.load offset=72 (local.get $state))"


def _entry(index: str) -> str:
    """The address of a ring's entry, 104 bytes below it."""
    return _ENTRY.replace("INDEX", index)


_LEAVE = f"""(func $event_leaves (param $state i32) (param $count i32)
  (i64.store (local.get $count) (i64.add (i64.load (local.get $count)) (i64.const 1)))
  (i64.store offset=88 (local.get $state) (i64.add {_HEAD} (i64.const 1)))
  (i64.store offset=96 (local.get $state) (i64.sub {_WAITING} (i64.const 1))))"""
"""The earliest rise that waits leaves, and counts at this address."""

# The address of the counter of `only first` or `only second`, 16 bytes before that of the unresolved ones.
_ALONE = """(i32.add (i32.add (local.get $state) (i32.const 8))
  (i32.shl (i32.wrap_i64 (i64.load offset=80 (local.get $state))) (i32.const 3)))"""
_UNRESOLVED = f"(i32.add {_ALONE} (i32.const 16))"

_SETTLE = f"""(func $settle_events (param $state i32) (param $t i64) (param $within_ns i64)
  (local $rise i64) (local $since i64)
  (block $done
    (loop $evict
      (br_if $done (i64.eqz {_WAITING}))
      (local.set $rise (i64.load offset=104 {_entry(_HEAD)}))
      (br_if $done (i64.ge_u (i64.add (local.get $rise) (local.get $within_ns)) (local.get $t)))
      (local.set $since (i64.load offset=56 (i32.add (local.get $state)
        (i32.shl (i32.xor (i32.wrap_i64 (i64.load offset=80 (local.get $state))) (i32.const 1)) (i32.const 3)))))
      (call $event_leaves (local.get $state) (select {_ALONE} {_UNRESOLVED}
        (i32.and (i64.ge_s (local.get $since) (i64.const 0))
          (i64.le_s (local.get $since) (i64.sub (local.get $rise) (local.get $within_ns))))))
      (br $evict))))"""
"""Windows that end before `t` are over: each rise was alone if the other side was known since before its window."""

_RISE = f"""(func $event_rises (param $state i32) (param $side i64) (param $t i64)
  (if (i32.and (i64.ne {_WAITING} (i64.const 0))
      (i64.ne (i64.load offset=80 (local.get $state)) (local.get $side)))
    (then (call $event_leaves (local.get $state) (local.get $state)))
    (else
      (i64.store offset=80 (local.get $state) (local.get $side))
      (if (i64.eq {_WAITING} (i64.const {MAX_WAITING})) (then
        (call $event_leaves (local.get $state) {_UNRESOLVED})))
      (i64.store offset=104 {_entry(f"(i64.add {_HEAD} {_WAITING})")} (local.get $t))
      (i64.store offset=96 (local.get $state) (i64.add {_WAITING} (i64.const 1))))))"""
"""A rise takes the earliest one of the other side that waits; else it waits itself."""

_FINISH = f"""(func $finish_events (param $state i32) (param $within_ns i64)
  (call $settle_events (local.get $state) (i64.add {_LATEST} (i64.const 1)) (local.get $within_ns))
  (block $done
    (loop $evict
      (br_if $done (i64.eqz {_WAITING}))
      (call $event_leaves (local.get $state) {_UNRESOLVED})
      (br $evict))))"""
"""Nothing follows the latest tick: windows that reach beyond it were not observed as a whole."""

FUNCTIONS_OF = {"match_events": (_LEAVE, _SETTLE, _RISE, _FINISH)}
"""The functions that the kernel and the end of a drive call."""


def _match_events() -> Kernel:
    """Looks at the ticks at which a side rises, or becomes known or unknown, and at the block's last due tick."""
    signature = ("arg0", "arg1", "due", "state", "within_ns")
    begin = """(if (global.get $new) (then
        (call $finish_events (local.get $state) (local.get $within_ns))
        (i64.store offset=40 (local.get $state) (i64.const 0))
        (i64.store offset=48 (local.get $state) (i64.const 0))
        (i64.store offset=56 (local.get $state) (i64.const -1))
        (i64.store offset=64 (local.get $state) (i64.const -1))))
      (local.set $low0 (i64.load offset=40 (local.get $state)))
      (local.set $low1 (i64.load offset=48 (local.get $state)))
      (local.set $latest_ns (i64.const -1))"""
    words = f"""{_side(0)} {_side(1)}
      (local.set $events (i64.or (i64.or (local.get $rises0) (local.get $turns0))
        (i64.or (local.get $rises1) (local.get $turns1))))
      (if (i64.ne (local.get $events) (i64.const 0)) (then (loop $each
        (local.set $bit {lowest("$events")})
        (local.set $events (i64.xor (local.get $events) (local.get $bit)))
        (local.set $t {time_of_bit("$bit")})
        (call $settle_events (local.get $state) (local.get $t) (local.get $within_ns))
        {_turn(0)} {_turn(1)} {_rise(0)} {_rise(1)}
        (br_if $each (i64.ne (local.get $events) (i64.const 0))))))
      (local.set $due_word {load("due")})
      (if (i64.ne (local.get $due_word) (i64.const 0)) (then
        (local.set $bit {highest("$due_word")})
        (local.set $latest_ns {time_of_bit("$bit")})))"""
    end = """(i64.store offset=40 (local.get $state) (local.get $low0))
      (i64.store offset=48 (local.get $state) (local.get $low1))
      (if (i64.ge_s (local.get $latest_ns) (i64.const 0)) (then
        (i64.store offset=72 (local.get $state) (local.get $latest_ns))
        (call $settle_events (local.get $state) (local.get $latest_ns) (local.get $within_ns))))"""
    names = "T0 F0 T1 F1 unknown latest rises0 rises1 known0 known1 turns0 turns1 events bit t due_word low0 low1"
    local = "(local $w i32) (local $latest_ns i64) " + " ".join(f"(local ${name} i64)" for name in names.split())
    body = f"{begin} {each_word(words)} {end}"
    return Kernel("match_events", signature, kernel_text("match_events", signature, local, body))


def _side(side: int) -> str:
    """Where a side rises in the word at `$w`, and where it becomes known or unknown."""
    was_known = f"(i64.extend_i32_u (i64.ge_s (i64.load offset={56 + 8 * side} (local.get $state)) (i64.const 0)))"
    return f"""(local.set $T{side} {load(f"arg{side}")}) (local.set $F{side} {load(f"arg{side}", half=True)})
      (local.set $known{side} {known_word(side)})
      (local.set $unknown {inverted(f"(local.get $known{side})")})
      {changes(f"$rises{side}", f"$T{side}", f"$F{side}", "$unknown", f"$low{side}")}
      (local.set $turns{side} {was_known})
      (local.set $turns{side} (i64.and {VALID}
        (i64.xor (local.get $known{side}) {one_later(f"$known{side}", f"$turns{side}")})))"""


def _turn(side: int) -> str:
    """Note since when a side is known, where that changes."""
    return f"""(if {_at_bit(f"$turns{side}")} (then
          (i64.store offset={56 + 8 * side} (local.get $state)
            (select (local.get $t) (i64.const -1) {_at_bit(f"$known{side}")}))))"""


def _rise(side: int) -> str:
    return f"""(if {_at_bit(f"$rises{side}")} (then
          (call $event_rises (local.get $state) (i64.const {side}) (local.get $t))))"""


def _at_bit(word: str) -> str:
    return f"(i64.ne (i64.and (local.get {word}) (local.get $bit)) (i64.const 0))"


KERNELS: dict[str, Kernel] = {"match_events": _match_events()}
