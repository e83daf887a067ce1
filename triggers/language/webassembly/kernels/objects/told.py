"""Kernels of the operations over the objects of a list that are present: one step for each object, slot by slot.

An operation begins with what it tells of no object, takes the objects one after the other, and ends where the list is
unknown. `present` is the mask of the ticks at which an object is present, `known` that of those at which the list is
known; every tick of the former is one of the latter.
"""

from __future__ import annotations

from dataclasses import dataclass

from triggers.language.ir import Kind
from triggers.language.webassembly.kernel_parts.kernel import HALF, finite_or_unknown, value_of
from triggers.language.webassembly.kernel_parts.words import each_word, inverted, load


@dataclass(frozen=True, slots=True)
class Told:
    """The kernels of one operation, which are functions of the module; `begin` and `end` may be missing.

    `add` has the addresses `present`, those of the arguments, `out`, and those of the `extra` columns, which begin
    as `no_number`, and where `takes_key` is set the object's key (i64); `begin` has `out`, `end` has `known` and `out`.
    """

    add: str
    begin: str = ""
    end: str = ""
    extra: int = 0
    takes_key: bool = False

    @property
    def beginnings(self) -> tuple[str, ...]:
        """The names of the functions that the result and the first extra column begin with."""
        return (self.begin, "no_number") if self.extra else (self.begin,)


NO_OBJECT = """(func $no_object (param $out i32) (param $half i32)
  (memory.fill (local.get $out) (i32.const 0) (global.get $words))
  (memory.fill (i32.add (local.get $out) (local.get $half)) (i32.const 0) (global.get $words)))"""
"""A condition that is neither true nor false so far."""
NO_NUMBER = """(func $no_number (param $out i32)
  (memory.fill (local.get $out) (i32.const 0xff) (i32.shl (global.get $words) (i32.const 6))))"""
"""A column that is unknown so far: a number of ones is NaN."""
ZERO_NUMBER = """(func $zero_number (param $out i32)
  (memory.fill (local.get $out) (i32.const 0) (i32.shl (global.get $words) (i32.const 6))))"""


def _function(name: str, parameters: str, local: str, body: str) -> str:
    declared = " ".join(f"(param ${each} i32)" for each in parameters.split())
    return f"(func ${name} {declared}\n  {local}\n  {body})"


def _words(name: str, parameters: str, true: str, false: str) -> str:
    """A function that stores two words, of which `false` may read the first as `$T`."""
    out = "(i32.add (local.get $out) (local.get $w))"
    body = each_word(f"""(local.set $T {true})
      (i64.store {out} (local.get $T))
      (i64.store offset={HALF} {out} {false})""")
    return _function(name, parameters, "(local $w i32) (local $T i64)", body)


def _with(mask: str, word: str) -> str:
    """A word of `out` with the ticks of another at which the object is present."""
    return f"(i64.or {mask} (i64.and {load('present')} {word}))"


_T, _F = load("out"), load("out", half=True)
_ADD_ANY = _words(
    "add_any_object",
    "present arg0 out",
    _with(_T, load("arg0")),
    _with(_F, inverted(load("arg0", half=True))),
)
"""True so far, and not false for every object so far, which the mask of false holds until the end."""
_END_ANY = _words("end_any_object", "known out", _T, f"(i64.and {load('known')} {inverted(_F)})")
_ADD_ALL = _words(
    "add_all_objects",
    "present arg0 out",
    _with(_T, inverted(load("arg0"))),
    _with(_F, load("arg0", half=True)),
)
"""Not true for every object so far, which the mask of true holds until the end, and false so far."""
_END_ALL = _words("end_all_objects", "known out", f"(i64.and {load('known')} {inverted(_T)})", _F)


def _each_admitted(name: str, parameters: str, condition: int, body: str, *, local: str = "", key: str = "") -> str:
    """A function that runs `body` at each tick `$i` at which the object is present and its condition is true."""
    loop = each_word(f"""(local.set $left (i64.and {load("present")} {load(f"arg{condition}")}))
      (block $done (loop $ticks
        (br_if $done (i64.eqz (local.get $left)))
        (local.set $i (i32.add (i32.shl (local.get $w) (i32.const 3)) (i32.wrap_i64 (i64.ctz (local.get $left)))))
        (local.set $left (i64.and (local.get $left) (i64.sub (local.get $left) (i64.const 1))))
        (local.set $at (i32.add (local.get $out) (i32.shl (local.get $i) (i32.const 3))))
        {body}
        (br $ticks)))""")
    declared = " ".join(f"(param ${each} i32)" for each in parameters.split())
    return f"""(func ${name} {declared} {key}
  (local $w i32) (local $i i32) (local $at i32) (local $left i64) {local}
  {loop})"""


_SO_FAR = "(f64.load (local.get $at))"
_NUMBER = f"(local.tee $number {value_of(0)})"
_IS_KNOWN = "(f64.eq (local.get $number) (local.get $number))"


def _numbers(name: str, total: str) -> str:
    """`total` is of `$number`, known, and what is told so far."""
    body = f"(if (f64.eq {_NUMBER} (local.get $number)) (then (f64.store (local.get $at) {total})))"
    return _each_admitted(name, "present arg0 arg1 out", 1, body, local="(local $number f64) (local $so_far f64)")


def _extreme(name: str, instruction: str) -> str:
    chosen = f"(f64.{instruction} (local.tee $so_far {_SO_FAR}) (local.get $number))"
    is_first = "(f64.ne (local.get $so_far) (local.get $so_far))"
    return _numbers(name, f"(select (local.get $number) {chosen} {is_first})")


def _end_numbers(name: str, number: str) -> str:
    """Unknown where the list is."""
    body = f"""(loop $ticks
    (local.set $at (i32.add (local.get $out) (i32.shl (local.get $i) (i32.const 3))))
    (f64.store (local.get $at) (select {number} (f64.const nan) (i32.wrap_i64 (i64.and (i64.const 1) (i64.shr_u
      (i64.load (i32.add (local.get $known) (i32.shl (i32.shr_u (local.get $i) (i32.const 6)) (i32.const 3))))
      (i64.extend_i32_u (local.get $i)))))))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $ticks (i32.lt_u (local.get $i) (global.get $count))))"""
    return _function(name, "known out", "(local $i i32) (local $at i32) (local $scratch f64)", body)


_COUNT = _each_admitted(
    "add_count_objects",
    "present arg0 out",
    0,
    f"(f64.store (local.get $at) (f64.add {_SO_FAR} (f64.const 1)))",
)

_BEST = "(i32.add (local.get $best) (i32.shl (local.get $i) (i32.const 3)))"
_BEST_KEY = "(i32.add (local.get $best_key) (i32.shl (local.get $i) (i32.const 3)))"


def _nearest(kind: Kind) -> str:
    """The least number so far is in `best`, with the key of its object in `best_key`; NaN and any key before it."""
    is_nearer = f"""(i32.or (f64.ne (local.tee $so_far (f64.load {_BEST})) (local.get $so_far))
      (i32.or (f64.lt (local.get $number) (local.get $so_far))
        (i32.and (f64.eq (local.get $number) (local.get $so_far))
          (i64.lt_s (local.get $key) (i64.load {_BEST_KEY})))))"""
    take = "(f64.store (local.get $at) (f64.load (i32.add (local.get $arg2) (i32.shl (local.get $i) (i32.const 3)))))"
    if kind is Kind.BOOL:
        bit = "(i64.shl (i64.const 1) (i64.extend_i32_u (local.get $i)))"
        put = [
            f"""(i64.store {half} (i32.add (local.get $out) (local.get $w)) (i64.or
              (i64.and (i64.load {half} (i32.add (local.get $out) (local.get $w))) {inverted(bit)})
              (i64.and (i64.load {half} (i32.add (local.get $arg2) (local.get $w))) {bit})))"""
            for half in ("", f"offset={HALF}")
        ]
        take = " ".join(put)
    body = f"""(local.set $number {value_of(0)})
        (if (i32.and {_IS_KNOWN} {is_nearer}) (then
          (f64.store {_BEST} (local.get $number))
          (i64.store {_BEST_KEY} (local.get $key))
          {take}))"""
    return _each_admitted(
        f"add_nearest_object_{kind}",
        "present arg0 arg1 arg2 out best best_key",
        1,
        body,
        local="(local $number f64) (local $so_far f64)",
        key="(param $key i64)",
    )


_SUM_OR_UNKNOWN = finite_or_unknown(_SO_FAR)
_END_COUNT = _end_numbers("end_count_objects", _SO_FAR)
_END_SUM = _end_numbers("end_sum_of_objects", _SUM_OR_UNKNOWN)
_ADD_SUM = _numbers("add_sum_of_objects", f"(f64.add {_SO_FAR} (local.get $number))")

TOLD: dict[str, Told] = {
    "any_object": Told(_ADD_ANY, "no_object", _END_ANY),
    "all_objects": Told(_ADD_ALL, "no_object", _END_ALL),
    "count_objects": Told(_COUNT, "zero_number", _END_COUNT),
    "min_of_objects": Told(_extreme("add_min_of_objects", "min"), "no_number"),
    "max_of_objects": Told(_extreme("add_max_of_objects", "max"), "no_number"),
    "sum_of_objects": Told(_ADD_SUM, "zero_number", _END_SUM),
    "nearest_object_number": Told(_nearest(Kind.NUMBER), "no_number", extra=2, takes_key=True),
    "nearest_object_bool": Told(_nearest(Kind.BOOL), "no_object", extra=2, takes_key=True),
}
"""By operation, and by the kind of its result where that matters."""
BEGINNINGS = {"no_object": NO_OBJECT, "no_number": NO_NUMBER, "zero_number": ZERO_NUMBER}


def name_of(text: str) -> str:
    """The name of a function by its text."""
    return text.partition("$")[2].split(maxsplit=1)[0]
