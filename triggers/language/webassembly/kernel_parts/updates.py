"""The frame of kernels over a window `(t - W, t]` of update ticks: what enters the ring and what leaves it.

An update tick is one at which a signal has a new sample and the number is known. The ordinary step handles every
case: no update, several entries that leave at once, a ring that is empty or full or whose end is reached. Between
these cases, in words of only update ticks, a *run* makes steps in which at most one entry leaves.
"""

from __future__ import annotations

from triggers.language.webassembly.kernel_parts import rings
from triggers.language.webassembly.kernel_parts.kernel import Kernel, Slot, is_fresh, time_at, value_of
from triggers.language.webassembly.kernel_parts.skeletons import number_steps, out_at

_SIGNATURE = ("arg0", "known0", "out", "due", "fresh", "state", "ring", "capacity", "window_ns")

_EIGHT_KNOWN = " ".join(
    f"""(local.set $equal (v128.and (local.get $equal)
      (f64x2.eq (local.tee $pair (v128.load offset={16 * pair} (local.get $next))) (local.get $pair))))"""
    for pair in range(4)
)
_ALL_UPDATES = f"""
      (local.set $all_updates (i64.eq (local.get $fresh_word) (local.get $pending)))
      (if (i32.and (local.get $all_updates) (i32.eqz (local.get $known0))) (then
        (local.set $next (i32.add (local.get $arg0) (i32.shl (local.get $i) (i32.const 3))))
        (local.set $end (i32.add (local.get $next) (i32.const 512)))
        (local.set $equal (v128.const i64x2 -1 -1))
        (loop $scan
          {_EIGHT_KNOWN}
          (br_if $scan (i32.ne
            (local.tee $next (i32.add (local.get $next) (i32.const 64))) (local.get $end))))
        (local.set $all_updates
          (i32.and (i64x2.all_true (local.get $equal)) (i64.eq (local.get $pending) (i64.const -1))))))"""
"""Determine whether all ticks of a word are update ticks, if all are due (may be false for the last word)."""

_IS_OLD = "(i64.ge_s (i64.sub (local.get $t) (local.get $oldest_ns)) (local.get $window_ns))"

NOT_REACHED = "(select (local.get $tail) (local.get $ring_end) (i32.gt_u (local.get $tail) (local.get $head)))"
"""In a run: the address that the ring's head must not reach (that of the next entry, or the ring's end)."""


def stack_not_reached(entry_bytes: int = rings.ENTRY_BYTES) -> str:
    """The same for a ring of two stacks, the younger one of which begins at `$middle`: a run ends before the older one
    is used up.
    """
    return f"""
  (select (i32.add (local.get $head) (i32.const {entry_bytes}))
    (select (local.get $middle) (local.get $ring_end) (i32.gt_u (local.get $middle) (local.get $head)))
    (i32.eq (local.get $middle) (local.get $head)))"""


def if_updated(add: str) -> str:
    """Run `add` at an update tick; the number is left in `$x`."""
    known = f"(f64.eq (local.tee $x {value_of(0)}) (local.get $x))"
    return f"(if (i32.and {is_fresh()} {known}) (then {add}))"


def update_window(
    name: str,
    slots: tuple[Slot, ...],
    *,
    entry: tuple[str, str],
    adding: str,
    result: str,
    dropping: str = "",
    dropped: str = "",
    run_dropping: str = "",
    run_dropped: str = "",
    barrier: str = NOT_REACHED,
    pointers: tuple[str, ...] = (),
    local: str = "",
    entry_bytes: int = rings.ENTRY_BYTES,
) -> Kernel:
    """A kernel of a window over update ticks.

    `entry` is the type and the value of what the ring holds of `$x`, after the time; an entry may have more bytes, of
    which the kernel makes use itself. `adding` runs before it is written, `result`
    sets `$held`. `dropping` runs before `$head`, the oldest entry, is dropped and `dropped` after it; in a run
    `run_dropping` and `run_dropped` do, which may rely on `$head` not reaching `barrier`. `pointers` are slots
    that hold addresses of entries.
    """
    drop = f"{dropping} {rings.drop_oldest(entry_bytes)} {dropped}"
    push = f"{adding} {rings.push(*entry, entry_bytes)}"
    body = f"{rings.evict(drop)} {if_updated(rings.update(drop, push))} {result}"
    run = f"""
      (local.set $barrier {barrier})
      (loop $run
        (local.set $t {time_at("(local.get $i)", "(local.get $times)")})
        (if {_IS_OLD} (then
          (br_if $leave (i32.eq
            (local.tee $next (i32.add (local.get $head) (i32.const {entry_bytes}))) (local.get $barrier)))
          {run_dropping}
          (local.set $oldest_ns (i64.load (local.tee $head (local.get $next))))
          {run_dropped}
          (br_if $leave {_IS_OLD})))
        (local.set $x {value_of(0)})
        {adding}
        (i64.store (local.get $tail) (local.get $t))
        ({entry[0]}.store offset=8 (local.get $tail) {entry[1]})
        (local.set $tail (i32.add (local.get $tail) (i32.const {entry_bytes})))
        {result}
        (f64.store {out_at("$i")} (local.get $held))
        (br_if $run (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $until))))"""
    return number_steps(
        name,
        _SIGNATURE,
        (*rings.UPDATE_RING, *slots),
        body,
        local=f"""{rings.LOCALS} (local $x f64) (local $all_updates i32) (local $until i32) (local $barrier i32)
          (local $next i32) (local $end i32) (local $equal v128) (local $pair v128) {local}""",
        begin=rings.begin(*pointers, entry_bytes=entry_bytes),
        skip=_ALL_UPDATES,
        run=_until_the_tail_wraps(run, entry_bytes),
        end=rings.end(*pointers),
        ring_entry_bytes=entry_bytes,
    )


def _until_the_tail_wraps(run: str, entry_bytes: int) -> str:
    """Where a word's ticks are all updates and the ring is neither empty nor full: `run` steps up to `$until`.

    It may branch to `$leave` before a tick that it leaves to the ordinary step.
    """
    is_power = entry_bytes == 1 << entry_bytes.bit_length() - 1
    divide, divisor = ("i32.shr_u", entry_bytes.bit_length() - 1) if is_power else ("i32.div_u", entry_bytes)
    return f"""
      (if (i32.and (local.get $all_updates) (i32.ne (local.get $head) (local.get $tail))) (then
        (local.set $until (i32.add (local.get $i) ({divide} (i32.sub
          (select (local.get $head) (local.get $ring_end) (i32.gt_u (local.get $head) (local.get $tail)))
          (local.get $tail)) (i32.const {divisor}))))
        (if (i32.gt_u (local.get $until) (local.get $stop)) (then (local.set $until (local.get $stop))))
        (block $leave {run})
        (if (i32.eq (local.get $tail) (local.get $ring_end)) (then (local.set $tail (local.get $ring))))))"""
