"""Arithmetic on words of 64 ticks that kernels share: what reaches from tick to tick without a loop over them."""

from __future__ import annotations

from triggers.language.webassembly.kernel_parts.kernel import HALF, VALID, time_at

LAST_TICK = """(select (i32.sub (global.get $count) (i32.const 1))
  (i32.or (i32.shl (local.get $w) (i32.const 3)) (i32.const 63))
  (i32.eq (i32.add (local.get $w) (i32.const 8)) (global.get $words)))"""
"""Index of the last tick of the word at `$w`."""


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
    return " ".join(f"(local.set ${each} (i32.add (local.get ${each}) (i32.const 512)))" for each in columns)


def inverted(word: str) -> str:
    """All bits of a word turned over."""
    return f"(i64.xor {word} (i64.const -1))"


def except_for(word: str, taken: str) -> str:
    """The bits of a word that are not set in a local."""
    return f"(i64.and {word} (i64.xor (local.get {taken}) (i64.const -1)))"


def known_word(argument: int | None = None) -> str:
    """Where an argument, whose words are in locals, is true or false; `None` for a kernel's only one."""
    index = "" if argument is None else argument
    return f"(i64.or (local.get $T{index}) (local.get $F{index}))"


def lowest(word: str) -> str:
    """The lowest bit of a word, a local, alone; 0 of 0."""
    return f"(i64.and (local.get {word}) (i64.sub (i64.const 0) (local.get {word})))"


def highest(word: str) -> str:
    """The highest bit of a word, a local that is not 0, alone."""
    return f"(i64.shr_u (i64.const {1 << 63}) (i64.clz (local.get {word})))"


def from_bit(bit: str) -> str:
    """That bit, a local with one bit, and all above it."""
    return f"(i64.sub (i64.const 0) (local.get {bit}))"


def behind_bit(bit: str) -> str:
    """All bits above that bit, a local with one bit."""
    return f"(i64.sub (i64.const 0) (i64.shl (local.get {bit}) (i64.const 1)))"


def time_of_bit(bit: str) -> str:
    """The time (ns) of the tick of the word at `$w` with that bit, a local with one bit."""
    return time_at(f"(i32.or (i32.shl (local.get $w) (i32.const 3)) (i32.wrap_i64 (i64.ctz (local.get {bit}))))")


def flood(result: str, start: str, through: str, carry: str) -> str:
    """Set `result` to `start` and the runs of `through` that follow on its bits; `carry`: the bit before the word.

    All are locals, `start` and `through` disjoint, `carry` 0 or 1 and updated to the bit before the next word. Ticks
    that do not exist must be in `through`. The sum's carry clears a run of ones from its first bit on, and only that.
    """
    first = f"(i64.or (i64.shl (local.get {start}) (i64.const 1)) (local.get {carry}))"
    kept = inverted(f"(i64.add (local.get {through}) (i64.and (local.get {through}) {first}))")
    return f"""(local.set {result} (i64.or (local.get {start}) (i64.and (local.get {through}) {kept})))
      (local.set {carry} (i64.shr_u (local.get {result}) (i64.const 63)))"""


def changes(result: str, to: str, since: str, unknown: str, carry: str) -> str:
    """Set `result` to the ticks of `to` whose latest known tick before them is one of `since`.

    All are locals: two disjoint words, the word of the ticks in neither, and 1 where the latest known tick before the
    word is one of `since`, which is updated.
    """
    return f"""(local.set {result} (local.get {carry}))
      {flood("$latest", since, unknown, carry)}
      (local.set {result} (i64.and (local.get {to})
        (i64.or (i64.shl (local.get $latest) (i64.const 1)) (local.get {result}))))"""


def held_until_due(result: str, true: str, carry: str) -> str:
    """Set `result` to the ticks from each of `true` to before the next due one; `$idle` are those not due."""
    return f"""{flood(result, true, "$idle", carry)}
      (local.set {result} (i64.and (local.get {result}) {VALID}))"""
