"""Arithmetic on words of 64 ticks, shared by kernels: effects that reach from tick to tick without a loop.

The trick of `flooded`, on which edges, changes, hysteresis and pairs rest: adding to a run of ones its lowest bit
carries through the run, so the sum has zeros where the run was. `through & ~(through + lowest bits)` is thus every run
of `through` that begins right after a bit of `start`, whatever its length, in four instructions.
"""

from __future__ import annotations

from triggers.language.webassembly.kernel_parts.kernel import (
    HALF,
    VALID,
    Kernel,
    Slot,
    kernel_text,
    slot_locals,
    time_at,
)

LAST_TICK = """(select (i32.sub (global.get $count) (i32.const 1))
  (i32.or (i32.shl (local.get $w) (i32.const 3)) (i32.const 63))
  (i32.eq (i32.add (local.get $w) (i32.const 8)) (global.get $words)))"""
"""Index of the last tick of the word at `$w`."""
LAST_BIT = f"(i64.shl (i64.const 1) (i64.extend_i32_u {LAST_TICK}))"
"""The bit of the last tick of the word at `$w`."""


def word_kernel(name: str, signature: tuple[str, ...], slots: tuple[Slot, ...], words: str, local: str) -> Kernel:
    """A kernel that is a loop over words; names in `local` are i64, or another type after a colon."""
    declare, loads, stores = slot_locals(slots)
    typed = [item.partition(":") for item in local.split()]
    locals_ = " ".join(f"(local ${item} {kind or 'i64'})" for item, _, kind in typed)
    text = f"{loads} {each_word(words)} {stores}"
    return Kernel(name, signature, kernel_text(name, signature, f"(local $w i32) {locals_} {declare}", text), slots)


def load(parameter: str, half: bool = False) -> str:
    """The word at `$w` of a mask; `half`: of a condition's mask of false."""
    return f"(i64.load {f'offset={HALF} ' if half else ''}(i32.add (local.get ${parameter}) (local.get $w)))"


def store(true: str, false: str) -> str:
    """Store the word at `$w` of a condition."""
    masks = (("", true), (f"offset={HALF} ", false))
    return " ".join(f"(i64.store {half}(i32.add (local.get $out) (local.get $w)) {word})" for half, word in masks)


def each_word(body: str) -> str:
    """A loop over the words at `$w`, a local i32."""
    return f"""(loop $words
      {body}
      (local.set $w (i32.add (local.get $w) (i32.const 8)))
      (br_if $words (i32.lt_u (local.get $w) (global.get $words))))"""


def next_word(*columns: str) -> str:
    """Move addresses of columns on by 64 entries."""
    return " ".join(f"(local.set ${column} (i32.add (local.get ${column}) (i32.const 512)))" for column in columns)


def inverted(word: str) -> str:
    """A word with all bits inverted."""
    return f"(i64.xor {word} (i64.const -1))"


def except_for(word: str, taken: str) -> str:
    """The bits of a word that are not set in a local."""
    return f"(i64.and {word} (i64.xor (local.get {taken}) (i64.const -1)))"


def known_word(argument: int | None = None) -> str:
    """Where an argument, whose words are in locals, is true or false; `None` for a kernel's only one."""
    index = "" if argument is None else argument
    return f"(i64.or (local.get $T{index}) (local.get $F{index}))"


def lowest(word: str) -> str:
    """Only the lowest set bit of a word (a local); 0 for 0."""
    return f"(i64.and (local.get {word}) (i64.sub (i64.const 0) (local.get {word})))"


def highest(word: str) -> str:
    """Only the highest set bit of a word (a local that is not 0)."""
    return f"(i64.shr_u (i64.const {1 << 63}) (i64.clz (local.get {word})))"


def lowest_run(word: str, first: str) -> str:
    """The run of ones that begins at bit `first` of a word (both locals): the carry of a sum clears only this run."""
    return f"(i64.and (local.get {word}) {inverted(f'(i64.add (local.get {word}) (local.get {first}))')})"


def from_bit(bit: str) -> str:
    """A bit (a local with one bit set), and all bits above it."""
    return f"(i64.sub (i64.const 0) (local.get {bit}))"


def after_bit(bit: str) -> str:
    """All bits above a bit (a local with one bit set)."""
    return f"(i64.sub (i64.const 0) (i64.shl (local.get {bit}) (i64.const 1)))"


def time_of_bit(bit: str) -> str:
    """The time (ns) of the tick of a bit (a local with one bit set) in the word at `$w`."""
    return time_at(f"(i32.or (i32.shl (local.get $w) (i32.const 3)) (i32.wrap_i64 (i64.ctz (local.get {bit}))))")


def one_later(word: str, before: str) -> str:
    """The ticks that follow those of a word; `before` is 1 if the last tick of the previous word counts as well."""
    return f"(i64.or (i64.shl (local.get {word}) (i64.const 1)) (local.get {before}))"


def flooded(start: str, through: str, before: str) -> str:
    """`start`, and the runs of `through` that directly follow its bits, or the previous word if `before` is 1.

    All are locals, `start` and `through` disjoint.
    """
    begins = f"(i64.and (local.get {through}) {one_later(start, before)})"
    kept = inverted(f"(i64.add (local.get {through}) {begins})")
    return f"(i64.or (local.get {start}) (i64.and (local.get {through}) {kept}))"


def flood(result: str, start: str, through: str, carry: str) -> str:
    """Set the local `result` to the `flooded` word, and update `carry`, the bit before the word, for the next word.

    Ticks that do not exist must be in `through`, so that the last tick's bit reaches the end of its word.
    """
    return f"""(local.set {result} {flooded(start, through, carry)})
      (local.set {carry} (i64.shr_u (local.get {result}) (i64.const 63)))"""


def changes(result: str, to: str, since: str, unknown: str, carry: str) -> str:
    """Set `result` to the ticks of `to` whose latest known tick before them is one of `since`.

    All are locals: two disjoint words, the word of the ticks in neither, and 1 where the latest known tick before the
    word is one of `since`, which is updated.
    """
    return f"""(local.set {result} (local.get {carry}))
      {flood("$latest", since, unknown, carry)}
      (local.set {result} (i64.and (local.get {to}) {one_later("$latest", result)}))"""


def held_until_due(result: str, true: str, carry: str) -> str:
    """Set `result` to the ticks from each tick of `true` until before the next due tick; `$idle` are those not due."""
    return f"""{flood(result, true, "$idle", carry)}
      (local.set {result} (i64.and (local.get {result}) {VALID}))"""
