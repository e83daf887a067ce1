"""The rings of kernels: at most `capacity` entries of 16 bytes, oldest first: a tick's time (i64, ns) and a value.

While a kernel runs, `$head` and `$tail` are addresses (of the oldest entry and of the next one to be written);
between blocks they are bytes from the ring's beginning, so that a saved state does not depend on addresses. If both
are equal, the ring is either empty or full. An *update ring* distinguishes the two by `$oldest_ns`, the oldest entry's
time, which is NEVER_NS while the ring is empty; a *counted ring* by `$entries`.
"""

from __future__ import annotations

from triggers.language.webassembly.kernel_parts.kernel import Slot

ENTRY_BYTES = 16
NEVER_NS = (1 << 63) - 1
"""A time that is never older than a window; `t - NEVER_NS` does not overflow for t >= 0."""

UPDATE_RING = (Slot("head", "i32"), Slot("tail", "i32"), Slot("oldest_ns", "i64", NEVER_NS))
COUNTED_RING = (Slot("head", "i32"), Slot("tail", "i32"), Slot("entries", "i32"))

LOCALS = "(local $ring_end i32)"

COUNT_OVERFLOW = """
      (i64.store (global.get $overflows) (i64.add (i64.load (global.get $overflows)) (i64.const 1)))"""


def begin(*further: str, entries: str = "capacity", entry_bytes: int = ENTRY_BYTES) -> str:
    """Turn `$head`, `$tail` and further offsets into addresses, and set `$ring_end`."""
    moves = (
        f"(local.set {pointer} (i32.add (local.get {pointer}) (local.get $ring)))" for pointer in _pointers(further)
    )
    size = f"(i32.mul (local.get ${entries}) (i32.const {entry_bytes}))"
    return f"{' '.join(moves)} (local.set $ring_end (i32.add (local.get $ring) {size}))"


def end(*further: str) -> str:
    """Turn the addresses back into offsets."""
    return " ".join(
        f"(local.set {pointer} (i32.sub (local.get {pointer}) (local.get $ring)))" for pointer in _pointers(further)
    )


def _pointers(further: tuple[str, ...]) -> tuple[str, ...]:
    return ("$head", "$tail", *further)


def advance(pointer: str, entry_bytes: int = ENTRY_BYTES) -> str:
    """Move an address to the next entry."""
    return f"""
      (local.set {pointer} (i32.add (local.get {pointer}) (i32.const {entry_bytes})))
      (if (i32.eq (local.get {pointer}) (local.get $ring_end)) (then (local.set {pointer} (local.get $ring))))"""


def push(value_type: str, value: str, entry_bytes: int = ENTRY_BYTES) -> str:
    """Append an entry for this tick; there must be room."""
    return f"""
      (i64.store (local.get $tail) (local.get $t))
      ({value_type}.store offset=8 (local.get $tail) {value})
      {advance("$tail", entry_bytes)}"""


IS_EMPTY = f"(i64.eq (local.get $oldest_ns) (i64.const {NEVER_NS}))"


def drop_oldest(entry_bytes: int = ENTRY_BYTES) -> str:
    """Drop the oldest entry of an update ring."""
    return f"""
      {advance("$head", entry_bytes)}
      (local.set $oldest_ns (if (result i64) (i32.eq (local.get $head) (local.get $tail))
        (then (i64.const {NEVER_NS})) (else (i64.load (local.get $head)))))"""


def update(drop: str, push_x: str) -> str:
    """Append this tick's entry to an update ring; `drop` drops the oldest entry of a full ring, which is counted."""
    return f"""
      (if (i32.eq (local.get $head) (local.get $tail)) (then
        (if (i32.eqz {IS_EMPTY}) (then {COUNT_OVERFLOW} {drop}))
        (if {IS_EMPTY} (then (local.set $oldest_ns (local.get $t))))))
      {push_x}"""


def evict(drop: str) -> str:
    """Drop, oldest first, the entries of an update ring that are as old as the window is long."""
    return f"""
      (loop $evict
        (if (i64.ge_s (i64.sub (local.get $t) (local.get $oldest_ns)) (local.get $window_ns)) (then
          {drop} (br $evict))))"""


DROP_COUNTED = f"""
      (local.set $entries (i32.sub (local.get $entries) (i32.const 1)))
      {advance("$head")}"""
"""Drop the oldest entry of a counted ring."""


def push_counted(drop: str, value_type: str, value: str) -> str:
    """Append this tick's entry to a counted ring; `drop` drops the oldest entry of a full ring."""
    return f"""
      (if (i32.eq (local.get $entries) (local.get $capacity)) (then {drop}))
      {push(value_type, value)}
      (local.set $entries (i32.add (local.get $entries) (i32.const 1)))"""
