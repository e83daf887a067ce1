"""The form of kernels: one WebAssembly function per operation, which evaluates it over all ticks of a block.

A block is a run of at most CHUNK ticks of one segment, 64 ticks per word. Its numbers are columns of f64 (NaN is
unknown). Its conditions are bit words, tick i in bit i % 64 of word i / 64: one mask of where the condition is
true and, HALF bytes after it, one of where it is false, so Kleene's logic works on 64 ticks per instruction.

A kernel sees these globals: `$tt`, the address of the ticks' times (i64, ns); `$count`, the number of ticks;
`$words`, the bytes of a mask in use; `$tail`, the valid bits of the last word. Bits after the last tick are 0 in
every mask. Operations without state are computed at every tick, which gives the same values as keeping them between
their own ticks; operations with state step where their `due` mask is set, and keep their value in between.
"""

from __future__ import annotations

from dataclasses import dataclass

HALF = "HALF"
"""In a kernel's text: bytes from a condition's mask of true to its mask of false."""

NO_SAMPLE = -(1 << 62)
"""In a column of sample times: no sample in the segment. `t - NO_SAMPLE` is only correct as an unsigned number."""

SLOT_BYTES = 8
"""Every slot of a kernel's state takes 8 bytes, whatever its type."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A value of a kernel's state, with its initial value at the beginning of a segment."""

    name: str
    type: str
    initial: int | float = 0


@dataclass(frozen=True, slots=True)
class Kernel:
    """A function of the module.

    `signature` names its parameters, which tell what the caller passes: `arg0`, `arg1` addresses of arguments (a
    column or a mask), `step0`, `step1` 0 where that column is one block of a constant and else 1 (a kernel without
    them gets a whole column), `known0`, `known1` 1 where it has no unknown, `sampled0`, `sampled1` columns with
    the time of the latest sample of the signal under an argument, `out`, `due`, `fresh` (mask of ticks with a new
    sample of a signal of the expression; `fresh0`, `fresh1`: of one under an argument), `state`, `ring` addresses,
    `table` and `length` a list parameter's address and entries; any other is a parameter of the operation.
    `ring_entry_bytes` is the size of a ring's entry.
    """

    name: str
    signature: tuple[str, ...]
    text: str
    slots: tuple[Slot, ...] = ()
    ring_entry_bytes: int = 0


def parameter_type(name: str) -> str:
    """The WebAssembly type of a parameter with that name."""
    if name.endswith("_ns"):
        return "i64"
    if name.rstrip("012") in ("arg", "step", "known", "sampled", "fresh") or name in _ADDRESSES:
        return "i32"
    return "f64"


_ADDRESSES = frozenset({"out", "due", "fresh", "state", "ring", "capacity", "limit", "table", "length"})

VALID = "(select (global.get $tail) (i64.const -1) (i32.eq (i32.add (local.get $w) (i32.const 8)) (global.get $words)))"
"""Bits of the word at `$w` that are ticks."""


def value_of(argument: int) -> str:
    """The argument's number at tick `$i`; NaN where it is unknown."""
    return f"(f64.load (i32.add (local.get $arg{argument}) (i32.shl (local.get $i) (i32.const 3))))"


def is_true(argument: int) -> str:
    """1 where the argument is true at this tick (`$bit` of its loaded word)."""
    return _bit(f"$T{argument}")


def is_false(argument: int) -> str:
    """1 where the argument is false at this tick."""
    return _bit(f"$F{argument}")


def is_known(argument: int) -> str:
    """1 where the argument, a condition, is true or false at this tick."""
    either = f"(i64.or (local.get $T{argument}) (local.get $F{argument}))"
    return f"(i32.wrap_i64 (i64.and (i64.shr_u {either} (local.get $bit)) (i64.const 1)))"


def is_fresh() -> str:
    """1 where a signal of the expression has a new sample at this tick (for kernels with `fresh` or `fresh0`)."""
    return _bit("$fresh_word")


def _bit(word: str) -> str:
    return f"(i32.wrap_i64 (i64.and (i64.shr_u (local.get {word}) (local.get $bit)) (i64.const 1)))"


def time_at(index: str, times: str = "(global.get $tt)") -> str:
    """The time (ns) of the tick with that index; `times`: where the address of the ticks' times is."""
    return f"(i64.load (i32.add {times} (i32.shl {index} (i32.const 3))))"


def finite_or_unknown(expression: str, scratch: str = "$scratch") -> str:
    """The number, or NaN (unknown) where it is not finite; `scratch` is a local f64 that it may use."""
    difference = f"(f64.sub (local.get {scratch}) (local.get {scratch}))"
    return f"(select (local.tee {scratch} {expression}) (f64.const nan) (f64.eq {difference} (f64.const 0)))"


def kernel_text(name: str, signature: tuple[str, ...], local: str, body: str) -> str:
    """A kernel's text: its parameters by their names, its locals and its body."""
    parameters = " ".join(f"(param ${parameter} {parameter_type(parameter)})" for parameter in signature)
    return f"(func ${name} {parameters}\n  {local}\n  {body})"


def slot_locals(slots: tuple[Slot, ...]) -> tuple[str, str, str]:
    """Declarations of a kernel's slots as locals, their loads, and their stores."""
    declarations = " ".join(f"(local ${slot.name} {slot.type})" for slot in slots)
    loads = " ".join(
        f"(local.set ${slot.name} ({slot.type}.load offset={index * SLOT_BYTES} (local.get $state)))"
        for index, slot in enumerate(slots)
    )
    stores = " ".join(
        f"({slot.type}.store offset={index * SLOT_BYTES} (local.get $state) (local.get ${slot.name}))"
        for index, slot in enumerate(slots)
    )
    return declarations, loads, stores
