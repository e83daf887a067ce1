"""The kernel of `median` and `quantile` over a window of update ticks: an order statistic of its numbers.

Beside the ring, whose entries have a time and a number, lies its *order*: the indexes (16 bits) of the entries by
number, and by age where numbers are equal. A new entry's place is found by halving, and the indexes after it move by
one; an entry that leaves is found and taken out likewise. Where more than MOST_TAKEN_OUT leave at one tick, one pass
over the order keeps the others. Indexes move 32 at a time: `memory.copy` would cost wasmtime's fuel for each byte.

Numbers are compared as integers that order like them, -0 before +0 (see `extremes`).
"""

from __future__ import annotations

from triggers.language.webassembly.kernel_parts import rings
from triggers.language.webassembly.kernel_parts.kernel import Kernel, Slot
from triggers.language.webassembly.kernel_parts.skeletons import number_steps
from triggers.language.webassembly.kernel_parts.updates import if_updated

MOST_TAKEN_OUT = 64
"""At most so many entries are taken out of the order one by one at a tick."""
INDEX_BYTES = 2
MOVED_AT_ONCE = 32
"""So many indexes move in one round of a loop."""


def _flipped(bits: str) -> str:
    """From a number's bits to the integer that orders like it, and back."""
    mask = "(i64.shr_u (i64.shr_s (local.get $scratch) (i64.const 63)) (i64.const 1))"
    return f"(i64.xor (local.tee $scratch {bits}) {mask})"


def _key_at(place: str) -> str:
    """The number, as an integer, of the entry at a place of the order (an address)."""
    entry = f"(i32.add (local.get $ring) (i32.shl (i32.load16_u {place}) (i32.const 4)))"
    return f"(i64.load offset=8 {entry})"


def _find(compare: str) -> str:
    """Set `$place` to the first place of the order whose number is not `compare` than `$key`, or to its end."""
    half = f"(i32.mul (i32.shr_u (local.get $places) (i32.const 1)) (i32.const {INDEX_BYTES}))"
    return f"""
      (local.set $place (local.get $order))
      (local.set $places (local.get $ordered))
      (block $found (loop $halve
        (br_if $found (i32.eqz (local.get $places)))
        (local.set $middle (i32.add (local.get $place) {half}))
        (if (i64.{compare} {_key_at("(local.get $middle)")} (local.get $key))
          (then
            (local.set $place (i32.add (local.get $middle) (i32.const {INDEX_BYTES})))
            (local.set $places (i32.shr_u (i32.sub (local.get $places) (i32.const 1)) (i32.const 1))))
          (else (local.set $places (i32.shr_u (local.get $places) (i32.const 1)))))
        (br $halve)))"""


def _moved(down: bool) -> str:
    """Move the indexes from `$place` (down: from the one after it) to the end of the order by one; `$at` runs."""
    size = {"$chunks": MOVED_AT_ONCE * INDEX_BYTES, "$pieces": 16, "$rest": INDEX_BYTES}
    end = f"(i32.add (local.get $order) (i32.mul (local.get $ordered) (i32.const {INDEX_BYTES})))"
    if down:
        end = f"(i32.sub {end} (i32.const {INDEX_BYTES}))"
        start, left = "(local.get $place)", "(i32.sub (local.get $end) (local.get $at))"
    else:
        start, left = end, "(i32.sub (local.get $at) (local.get $place))"
    loops = [f"(local.set $at {start})" + (f" (local.set $end {end})" if down else "")]
    for label, bytes_ in size.items():
        step = f"(local.set $at (i32.{'add' if down else 'sub'} (local.get $at) (i32.const {bytes_})))"
        loops.append(f"""
      (block $done (loop {label}
        (br_if $done (i32.lt_u {left} (i32.const {bytes_})))
        {_moves(bytes_, down) + step if down else step + _moves(bytes_, down)}
        (br {label})))""")
    return "".join(loops)


def _moves(size: int, down: bool) -> str:
    """Move so many bytes from `$at` on by one index, at most 16 at a time; none is written before it is read."""
    load, store, step = ("i32.load16_u", "i32.store16", 2) if size < 16 else ("v128.load", "v128.store", 16)
    offsets = range(0, size, step) if down else reversed(range(0, size, step))
    from_, to = (INDEX_BYTES, 0) if down else (0, INDEX_BYTES)
    return "".join(
        f"({store} offset={offset + to} (local.get $at) ({load} offset={offset + from_} (local.get $at)))"
        for offset in offsets
    )


_NEXT_PLACE = f"(i32.add (local.get $place) (i32.const {INDEX_BYTES}))"
_TAKE_OUT = f"""
      (local.set $key (i64.load offset=8 (local.get $leaver)))
      {_find("lt_s")}
      {_moved(down=True)}
      (local.set $ordered (i32.sub (local.get $ordered) (i32.const 1)))"""
"""Take the oldest entry of the order, at `$leaver` in the ring, out of the order."""

_PUT_IN = f"""
      (local.set $key {_flipped("(i64.reinterpret_f64 (local.get $x))")})
      {_find("le_s")}
      {_moved(down=False)}
      (i32.store16 (local.get $place) (i32.shr_u (i32.sub (local.get $tail) (local.get $ring)) (i32.const 4)))
      (local.set $ordered (i32.add (local.get $ordered) (i32.const 1)))"""

_FROM_HEAD = (
    "(i32.sub (i32.add (local.get $ring) (i32.shl (i32.load16_u (local.get $place)) (i32.const 4))) (local.get $head))"
)
_KEEP = f"""
      (local.set $place (local.get $order))
      (local.set $kept (local.get $order))
      (local.set $end (i32.add (local.get $place) (i32.mul (local.get $ordered) (i32.const {INDEX_BYTES}))))
      (local.set $ordered (i32.sub (local.get $ordered) (local.get $leaving)))
      (local.set $size (i32.sub (local.get $ring_end) (local.get $ring)))
      (loop $keep
        (local.set $from_head {_FROM_HEAD})
        (i32.store16 (local.get $kept) (i32.load16_u (local.get $place)))
        (local.set $kept (i32.add (local.get $kept) (i32.shl (i32.lt_u
          (i32.add (local.get $from_head)
            (select (local.get $size) (i32.const 0) (i32.lt_s (local.get $from_head) (i32.const 0))))
          (i32.shl (local.get $ordered) (i32.const 4))) (i32.const 1))))
        (br_if $keep (i32.lt_u (local.tee $place {_NEXT_PLACE}) (local.get $end))))"""
"""Keep the entries from the ring's head on, as many as do not leave."""

_IS_OLD = "(i64.ge_s (i64.sub (local.get $t) (local.get $oldest_ns)) (local.get $window_ns))"
_TAKE_OUT_LEAVING = f"""
      (if (i32.gt_u (local.get $leaving) (i32.const {MOST_TAKEN_OUT}))
        (then {_KEEP})
        (else
          (loop $take_out
            {_TAKE_OUT} {rings.advance("$leaver")}
            (br_if $take_out (local.tee $leaving (i32.sub (local.get $leaving) (i32.const 1)))))))"""


def _quantile() -> Kernel:
    leaves = f"{rings.drop_oldest()} (local.set $leaving (i32.add (local.get $leaving) (i32.const 1)))"
    is_full = "(i32.eq (i32.sub (local.get $ordered) (local.get $leaving)) (local.get $capacity))"
    rank = """(i32.trunc_f64_u (f64.ceil (f64.div
      (f64.mul (local.get $part) (f64.convert_i32_u (local.get $ordered))) (local.get $whole))))"""
    place = f"(i32.add (local.get $order) (i32.mul (i32.sub {rank} (i32.const 1)) (i32.const {INDEX_BYTES})))"
    body = f"""
      (local.set $leaver (local.get $head))
      (local.set $leaving (i32.const 0))
      {rings.evict(leaves)}
      (local.set $updated (i32.const 0))
      {if_updated("(local.set $updated (i32.const 1))")}
      (if (i32.and (local.get $updated) {is_full}) (then {rings.COUNT_OVERFLOW} {leaves}))
      (if (local.get $leaving) (then {_TAKE_OUT_LEAVING}))
      (if (local.get $updated) (then
        (if {rings.IS_EMPTY} (then (local.set $oldest_ns (local.get $t))))
        {_PUT_IN} {rings.push("i64", "(local.get $key)")}))
      (local.set $held (if (result f64) (local.get $ordered)
        (then (f64.reinterpret_i64 {_flipped(_key_at(place))})) (else (f64.const nan))))"""
    return number_steps(
        "window_quantile",
        ("arg0", "out", "due", "fresh", "state", "ring", "capacity", "window_ns", "part", "whole"),
        (*rings.UPDATE_RING, Slot("ordered", "i32")),
        body,
        local=f"""{rings.LOCALS} (local $x f64) (local $key i64) (local $scratch i64) (local $order i32)
          (local $place i32) (local $places i32) (local $at i32) (local $middle i32) (local $end i32) (local $size i32)
          (local $leaver i32) (local $leaving i32) (local $updated i32) (local $kept i32) (local $from_head i32)""",
        begin=f"{rings.begin()} (local.set $order (local.get $ring_end))",
        end=rings.end(),
        ring_entry_bytes=rings.ENTRY_BYTES + INDEX_BYTES,
    )


KERNELS: dict[str, Kernel] = {"window_quantile": _quantile()}
