"""The texts of a module that has lists of objects: those of each list, what they share, and where they are called."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files

OF_LIST, SHARED = (
    files("triggers.language.webassembly").joinpath(name).read_text(encoding="utf-8")
    for name in ("objects.wat", "lists.wat")
)
FIRST_AHEAD = 16
"""Rows that are looked at for a block after one that ended where an object was new."""

HOOKS = {
    "LISTS_BEGIN_BLOCK": "(local.set $limit (call $begin_lists (local.get $limit)))",
    "LISTS_IN_PLACE": "(local.set $n (call $lists_in_place (local.get $row) (local.get $n)))",
    "LISTS_TAKEN": "(local.set $n (global.get $count))",
    "LISTS_BEGIN_SEGMENT": "(drop (call $lists_end_block (local.get $this) (local.get $t) (i32.const 0)))",
    "LISTS_NEXT_ROW": "(br_if $done (call $lists_end_block (local.get $this) (local.get $t) (local.get $n)))",
    "LISTS_EMPTY": "(call $empty_lists)",
}
"""What stands for the words of `timeline.wat` in a module with lists; in others nothing does."""


def text_of_list(number: int, words: Mapping[str, int | str]) -> str:
    """The functions of one list, with its number in their names; `words` are what stands for its words."""
    text = OF_LIST.replace("@", f"_{number}")
    return re.sub(r"\bLIST_[A-Z_]+\b", lambda match: str(words.get(match[0], 0)), text)


def counted_text() -> str:
    """The functions of a program with one list, in which loops stand for what differs from list to list."""
    steps = {
        "LIST_SEARCH": f"(loop $halve {search_step(0, 0)})",
        "LIST_HOLD_FIELDS": f"(loop $fields {hold_field(0, 0)})",
    }
    return (text_of_list(0, steps) + joint_text([0])).replace("_0", "")


def search_step(level: int, sorted_at: int) -> str:
    """Half of the search for `$key` among the keys in order, of which `$at` is the offset so far."""
    last = sorted_at + 8 * ((1 << level) - 1)
    is_less = f"(i64.lt_u (i64.load offset={last} (local.get $at)) (local.get $key))"
    return f"(local.set $at (i32.add (local.get $at) (i32.shl {is_less} (i32.const {level + 3}))))"


def hold_field(offset: int, column: int) -> str:
    """Keep a field of the object at `$place` in the state of its slot, which is at `$base`."""
    return f"(f64.store offset={offset} (local.get $base) (f64.load offset={column} (local.get $place)))"


def joint_text(numbers: Sequence[int]) -> str:
    """The functions through which the timeline calls those of all lists."""

    def each(text: str) -> str:
        return "\n  ".join(text.replace("@", f"_{number}") for number in numbers)

    local = " ".join(f"(local $has_{number} i32) (local $is_new_{number} i32)" for number in numbers)
    is_new = "(i32.const 0)"
    for number in numbers:
        is_new = f"(i32.or {is_new} (local.get $is_new_{number}))"
    find = """(local.set $has@ (call $has_sample@ (local.get $row)))
  (if (local.get $has@) (then (local.set $is_new@ (call $find_slots@ (local.get $row) (local.get $t)))))"""
    take = """(if (local.get $has@) (then
    (if (local.get $is_new@) (then (call $place_new@ (local.get $row) (local.get $t))))
    (call $take_sample@ (local.get $row) (local.get $t) (local.get $tick))))"""
    return f"""
(func $empty_lists
  {each("(call $empty_slots@)")})

;; Begin a block of at most `limit` rows; returns how many are looked at.
(func $begin_lists (param $limit i32) (result i32)
  (local $ahead i32)
  {each("(call $begin_samples@)")}
  (local.set $ahead (global.get $ahead))
  (if (i32.lt_u (local.get $ahead) (i32.const CHUNK)) (then
    (global.set $ahead (i32.shl (local.get $ahead) (i32.const 1)))))
  (select (local.get $limit) (local.get $ahead) (i32.lt_u (local.get $limit) (local.get $ahead))))

;; 1 where an object of the row, which would be the block's tick `tick`, is new, so that the block ends before it. Else
;; its samples are taken, as they are at a block's first tick.
(func $lists_end_block (param $row i32) (param $t i64) (param $tick i32) (result i32)
  {local}
  {each(find)}
  (if (i32.and (i32.ne (local.get $tick) (i32.const 0)) {is_new}) (then
    (global.set $ahead (i32.const {FIRST_AHEAD}))
    (return (i32.const 1))))
  {each(take)}
  (i32.const 0))

;; Take the samples of at most `n` rows of a block in place; returns how many rows it has.
(func $lists_in_place (param $row i32) (param $n i32) (result i32)
  (local $i i32)
  (block $done (loop $ticks
    (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
    (br_if $done (call $lists_end_block (i32.add (local.get $row) (local.get $i))
      (call $row_time (i32.add (local.get $row) (local.get $i))) (local.get $i)))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br $ticks)))
  (local.get $i))
"""
