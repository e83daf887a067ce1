"""Kernels of arithmetic and comparison: two numbers per instruction, whatever the tick.

An operand is a column, or a constant as a block of 64 equal numbers; its `step` is 1 or 0, so that both are read
alike.
"""

from __future__ import annotations

from triggers.language.webassembly.kernel_parts.kernel import VALID, Kernel, kernel_text
from triggers.language.webassembly.kernel_parts.words import each_word, store

_BINARY = {"add": "add", "sub": "sub", "mul": "mul", "div": "div", "min": "min", "max": "max"}
_UNARY = {"neg": "neg", "abs": "abs", "sqrt": "sqrt", "floor": "floor"}
_MAY_OVERFLOW = frozenset({"add", "sub", "mul", "div"})
"""Operations on finite numbers whose result may be infinite or NaN: it is unknown then."""

_OPPOSITES = {"lt": "ge", "le": "gt", "gt": "le", "ge": "lt"}
"""Of two ordered numbers exactly one of these holds; of unordered ones neither."""

_TWO = ("arg0", "step0", "arg1", "step1")
_LANES_16 = 16
"""How many ticks one i8x16.bitmask gathers the results of."""


def mask64(compare: str) -> str:
    """A word (i64) of 64 comparisons; `compare` is that of two ticks, with OFFSET for their place in the columns."""
    parts = []
    for first in range(0, 64, _LANES_16):
        pairs = [compare.replace("OFFSET", str((first + lane) * 8)) for lane in range(0, _LANES_16, 2)]
        quads = [
            f"(i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 {left} {right})"
            for left, right in zip(pairs[0::2], pairs[1::2], strict=True)
        ]
        halves = [f"(i16x8.narrow_i32x4_s {quads[0]} {quads[1]})", f"(i16x8.narrow_i32x4_s {quads[2]} {quads[3]})"]
        bits = f"(i64.extend_i32_u (i8x16.bitmask (i8x16.narrow_i16x8_s {halves[0]} {halves[1]})))"
        parts.append(f"(i64.shl {bits} (i64.const {first}))")
    return f"(i64.or (i64.or {parts[0]} {parts[1]}) (i64.or {parts[2]} {parts[3]}))"


def _operands(compare: str) -> str:
    left, right = ("(v128.load offset=OFFSET (local.get $arg0))", "(v128.load offset=OFFSET (local.get $arg1))")
    return f"({compare} {left} {right})"


NUMBERS_WORD = f"""(func $numbers_word (param $arg0 i32) (result i64)
  {mask64("(f64x2.eq (v128.load offset=OFFSET (local.get $arg0)) (v128.load offset=OFFSET (local.get $arg0)))")})"""
"""Which of the 64 numbers at an address are not NaN."""


def _words(signature: tuple[str, ...], true: str, false: str) -> str:
    """A loop over words that stores what `true` and `false` give; `$T` is the former when the latter is evaluated."""
    step = " ".join(
        f"(local.set $arg{i} (i32.add (local.get $arg{i}) (i32.shl (local.get $step{i}) (i32.const 9))))"
        for i in range(2)
        if f"step{i}" in signature
    )
    return each_word(f"""(local.set $valid {VALID})
      (local.set $T (i64.and {true} (local.get $valid)))
      {store("(local.get $T)", f"(i64.and {false} (local.get $valid))")}
      {step}""")


_WORD_LOCALS = "(local $w i32) (local $T i64) (local $valid i64)"
_NOT_TRUE = "(i64.xor (local.get $T) (i64.const -1))"


def _comparison(op: str) -> Kernel:
    """`a op b`; false where the opposite holds, which needs no second comparison where no operand is unknown."""
    signature = (*_TWO, "known0", "known1", "out")
    true = mask64(_operands(f"f64x2.{op}"))
    opposite = mask64(_operands(f"f64x2.{_OPPOSITES[op]}"))
    body = f"""(if (i32.and (local.get $known0) (local.get $known1))
      (then {_words(signature, true, _NOT_TRUE)})
      (else {_words(signature, true, opposite)}))"""
    return Kernel(op, signature, kernel_text(op, signature, _WORD_LOCALS, body))


def _comparison_with_constant(op: str) -> Kernel:
    """`a op constant`."""
    name, signature = f"{op}_constant", ("arg0", "step0", "known0", "constant", "out")
    column = "(v128.load offset=OFFSET (local.get $arg0))"
    true = mask64(f"(f64x2.{op} {column} (local.get $splat))")
    opposite = mask64(f"(f64x2.{_OPPOSITES[op]} {column} (local.get $splat))")
    body = f"""(local.set $splat (f64x2.splat (local.get $constant)))
    (if (local.get $known0)
      (then {_words(signature, true, _NOT_TRUE)})
      (else {_words(signature, true, opposite)}))"""
    return Kernel(name, signature, kernel_text(name, signature, f"{_WORD_LOCALS} (local $splat v128)", body))


def _equality(op: str) -> Kernel:
    """`a == b`, `a != b`; neither true nor false where one operand is unknown."""
    signature = (*_TWO, "out")
    equal = mask64(_operands("f64x2.eq"))
    unequal = mask64(f"(v128.or {_operands('f64x2.lt')} {_operands('f64x2.gt')})")
    true, false = (equal, unequal) if op == "eq" else (unequal, equal)
    return Kernel(
        f"{op}_number", signature, kernel_text(f"{op}_number", signature, _WORD_LOCALS, _words(signature, true, false))
    )


def _missing() -> Kernel:
    signature = ("arg0", "step0", "out")
    known = "(i64.xor (call $numbers_word (local.get $arg0)) (i64.const -1))"
    body = _words(signature, known, _NOT_TRUE)
    return Kernel("missing_number", signature, kernel_text("missing_number", signature, _WORD_LOCALS, body))


def _arithmetic(op: str, instruction: str, operands: int) -> Kernel:
    """Four results per iteration; one that is not finite becomes NaN."""
    signature = (*_TWO[: 2 * operands], "out")
    stores = []
    for offset in (0, 16):
        loads = " ".join(f"(v128.load offset={offset} (local.get $arg{i}))" for i in range(operands))
        result = f"(f64x2.{instruction} {loads})"
        if op in _MAY_OVERFLOW:
            zero = "(f64x2.eq (f64x2.sub (local.get $v) (local.get $v)) (v128.const f64x2 0 0))"
            result = f"(v128.bitselect (local.tee $v {result}) (v128.const f64x2 nan nan) {zero})"
        stores.append(f"(v128.store offset={offset} (local.get $out) {result})")
    steps = " ".join(
        f"(local.set $arg{i} (i32.add (local.get $arg{i}) (i32.shl (local.get $step{i}) (i32.const 5))))"
        for i in range(operands)
    )
    body = f"""(local.set $end (i32.add (local.get $out) (i32.shl (global.get $count) (i32.const 3))))
    (loop $quads
      {" ".join(stores)}
      {steps}
      (local.set $out (i32.add (local.get $out) (i32.const 32)))
      (br_if $quads (i32.lt_u (local.get $out) (local.get $end))))"""
    return Kernel(op, signature, kernel_text(op, signature, "(local $end i32) (local $v v128)", body))


KERNELS: dict[str, Kernel] = {
    **{op: _comparison(op) for op in _OPPOSITES},
    **{f"{op}_constant": _comparison_with_constant(op) for op in _OPPOSITES},
    **{f"{op}_number": _equality(op) for op in ("eq", "ne")},
    **{op: _arithmetic(op, instruction, 2) for op, instruction in _BINARY.items()},
    **{op: _arithmetic(op, instruction, 1) for op, instruction in _UNARY.items()},
    "missing_number": _missing(),
}
